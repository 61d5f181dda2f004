//===- Watchdog.h - ends runs whose time is up -*- C++ -*- ----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The thread that watches time limits. The thread that asked for a run is busy
// computing it, so somebody else has to look at the clock.
#ifndef INGOT_RUNTIME_CPU_WATCHDOG_H
#define INGOT_RUNTIME_CPU_WATCHDOG_H

#include "runtime/cpu/RunControl.h"

#include <condition_variable>
#include <map>

namespace ingot::rt {

/// One a process, started by the first run with a time limit and again after
/// a fork. Every member function wants processMutex() held.
class Watchdog {
public:
  /// The process's watchdog; throws std::system_error if no thread can be had.
  static Watchdog &instance();

  /// Stops `run` at `deadline` unless it is removed before.
  void add(RunControl *run, Clock::time_point deadline);
  void remove(RunControl *run);

private:
  Watchdog();
  void watch();

  std::multimap<Clock::time_point, RunControl *> deadlines;
  std::condition_variable changed;
};

} // namespace ingot::rt

#endif // INGOT_RUNTIME_CPU_WATCHDOG_H
