//===- RunControl.h - stopping a run -*- C++ -*- --------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// A run can be stopped from outside: by a cancel token, or by the watchdog when
// its time limit passes. Both reach it through its RunControl.
#ifndef INGOT_RUNTIME_CPU_RUNCONTROL_H
#define INGOT_RUNTIME_CPU_RUNCONTROL_H

#include "runtime/core/Status.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

namespace ingot::rt {

class CancelToken;
class Team;

using Clock = std::chrono::steady_clock;

/// One run in progress. Registers itself with its token and the watchdog for
/// as long as it lives; both stop it at most once.
class RunControl {
public:
  /// `errorWord` is the program's (Abi.h); `team` is what the run waits for.
  /// `limit` 0 means none; `token` may be null.
  RunControl(int32_t *errorWord, Team *team, std::chrono::nanoseconds limit,
             CancelToken *token);
  RunControl(const RunControl &) = delete;
  RunControl &operator=(const RunControl &) = delete;
  ~RunControl();

  /// Asks the run to end. The first reason counts. The caller holds
  /// processMutex().
  void stop(Code why);

  bool isStopped() const { return reason() != Code::Ok; }
  /// Cancelled, TimeLimit, or Ok if nobody has stopped the run.
  Code reason() const { return why.load(std::memory_order_acquire); }

private:
  std::atomic<Code> why{Code::Ok};
  int32_t *errorWord;
  Team *team;
  CancelToken *token;
  bool isTimed;
};

/// Stops the runs that use it. Sticky until reset.
class CancelToken {
public:
  void request();
  void reset();
  bool isRequested() const;

private:
  friend class RunControl;
  bool requested = false;
  uint64_t generation = 0;
  std::vector<RunControl *> runs;
};

} // namespace ingot::rt

#endif // INGOT_RUNTIME_CPU_RUNCONTROL_H
