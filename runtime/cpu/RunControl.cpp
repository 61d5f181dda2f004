//===- RunControl.cpp - stopping a run ------------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/cpu/RunControl.h"

#include "runtime/core/Abi.h"
#include "runtime/cpu/ProcessState.h"
#include "runtime/cpu/Team.h"
#include "runtime/cpu/Watchdog.h"

#include <algorithm>

using namespace ingot::rt;

RunControl::RunControl(int32_t *errorWord, Team *team,
                       std::chrono::nanoseconds limit, CancelToken *token)
    : errorWord(errorWord), team(team), token(token),
      isTimed(limit.count() > 0) {
  std::lock_guard lock(processMutex());
  if (token) {
    // Runs of the parent process do not exist here.
    if (token->generation != forkGeneration())
      token->runs.clear();
    token->generation = forkGeneration();
    if (token->requested)
      stop(Code::Cancelled);
    token->runs.push_back(this);
  }
  if (!isTimed)
    return;
  try {
    Watchdog::instance().add(this, Clock::now() + limit);
  } catch (...) {
    if (token)
      token->runs.pop_back();
    throw;
  }
}

RunControl::~RunControl() {
  std::lock_guard lock(processMutex());
  if (token)
    std::erase(token->runs, this);
  if (isTimed)
    Watchdog::instance().remove(this);
}

void RunControl::stop(Code reason) {
  Code none = Code::Ok;
  if (!why.compare_exchange_strong(none, reason, std::memory_order_acq_rel))
    return;
  // A failed check of the model's own stays: it came first.
  int32_t clear = 0;
  __atomic_compare_exchange_n(errorWord, &clear, INGOT_ERROR_STOP, false,
                              __ATOMIC_RELEASE, __ATOMIC_RELAXED);
  if (team)
    team->wakeWaiting();
}

void CancelToken::request() {
  std::lock_guard lock(processMutex());
  requested = true;
  if (generation == forkGeneration())
    for (RunControl *run : runs)
      run->stop(Code::Cancelled);
}

bool CancelToken::isRequested() const {
  std::lock_guard lock(processMutex());
  return requested;
}

void CancelToken::reset() {
  std::lock_guard lock(processMutex());
  requested = false;
}
