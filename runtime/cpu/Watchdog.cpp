//===- Watchdog.cpp - ends runs whose time is up --------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/cpu/Watchdog.h"

#include "runtime/cpu/ProcessState.h"

#include <algorithm>
#include <thread>

using namespace ingot::rt;

Watchdog &Watchdog::instance() {
  // Never destroyed, because its thread runs until the process ends; the one
  // of a parent process is left alone, because its thread is not here.
  static Watchdog *current = nullptr;
  static uint64_t generation = 0;
  if (!current || generation != forkGeneration()) {
    current = new Watchdog;
    generation = forkGeneration();
  }
  return *current;
}

Watchdog::Watchdog() {
  std::thread([this] { watch(); }).detach();
}

void Watchdog::add(RunControl *run, Clock::time_point deadline) {
  auto place = deadlines.emplace(deadline, run);
  if (place == deadlines.begin())
    changed.notify_one();
}

void Watchdog::remove(RunControl *run) {
  auto place = std::find_if(deadlines.begin(), deadlines.end(),
                            [&](auto &entry) { return entry.second == run; });
  if (place != deadlines.end())
    deadlines.erase(place);
}

void Watchdog::watch() {
  std::unique_lock lock(processMutex());
  while (true) {
    if (deadlines.empty()) {
      changed.wait(lock);
      continue;
    }
    auto first = deadlines.begin();
    if (Clock::now() < first->first) {
      Clock::time_point until = first->first;
      changed.wait_until(lock, until);
      continue;
    }
    RunControl *run = first->second;
    deadlines.erase(first);
    run->stop(Code::TimeLimit);
  }
}
