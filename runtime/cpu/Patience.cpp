//===- Patience.cpp - how a worker waits in a barrier ---------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/cpu/Patience.h"

#include <sched.h>
#include <thread>

using namespace ingot::rt;

/// Looks until the CPU is given up, some tens of microseconds: longer than the
/// shares of two workers differ.
static constexpr unsigned spinLimit = 2000;
/// Yields until the worker sleeps: milliseconds, or what others use of the CPU
/// in between.
static constexpr unsigned yieldLimit = 4000;
static constexpr std::chrono::microseconds nap{50};
/// Looking again takes less, a tile takes more.
static constexpr std::chrono::microseconds leastWork{5};

Patience::Step Patience::next(int64_t arrivals, bool hasWorked) {
  if (arrivals != seen || hasWorked) {
    seen = arrivals;
    looks = 0;
  }
  unsigned spins = isCrowded ? 0 : spinLimit;
  if (looks < spins + yieldLimit)
    return looks++ < spins ? Step::Spin : Step::Yield;
  return Step::Sleep;
}

void Patience::wait(int64_t arrivals) {
  switch (next(arrivals, Clock::now() - left > leastWork)) {
  case Step::Spin:
    break;
  case Step::Yield:
    sched_yield();
    break;
  case Step::Sleep:
    std::this_thread::sleep_for(nap);
    break;
  }
  left = Clock::now();
}
