//===- Trace.h - when each worker did what -*- C++ -*- --------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// While a session is traced, every worker of its runs notes the time after each
// stage and each wait (IngotTraceLog). The notes become a file that trace
// viewers open.
#ifndef INGOT_RUNTIME_CORE_TRACE_H
#define INGOT_RUNTIME_CORE_TRACE_H

#include "runtime/core/Model.h"
#include "runtime/cpu/RunControl.h"

#include <memory>
#include <mutex>

namespace ingot::rt {

/// How long a traced run took, in seconds.
struct StageTimes {
  const Program *program = nullptr;
  /// The mean of the workers for each of the program's stages, what they waited
  /// after it included, and of all of them.
  std::vector<double> stages;
  double whole = 0;
};

/// The traced runs of a session. Runs of several threads may be noted at once.
class Tracer {
public:
  /// Forgets what was noted and notes the runs that begin from now on.
  void start();

  /// Writes the runs that have ended to `path`, in the JSON format of trace
  /// events, and stops. The file appears whole or not at all. Fails if no trace
  /// was started.
  Status write(const Model &model, const std::string &path);

  /// Takes the times of the runs that have ended, and stops.
  std::vector<StageTimes> takeTimes();

  bool isOn() const { return on.load(std::memory_order_relaxed); }

private:
  friend class TracedRun;

  /// The CPU's cycle counter at a point in time.
  struct Reading {
    int64_t ticks = 0;
    Clock::time_point time;
    static Reading now();
  };
  struct Run {
    const Program *program;
    std::vector<std::vector<IngotTraceMark>> workers;
  };
  /// Adds a run that was begun under trace number `of`.
  void add(Run run, bool isWhole, uint64_t of);

  std::atomic<bool> on{false};
  std::mutex mutex;
  // Guarded by the mutex.
  /// How many traces were started: runs of an earlier one are not added.
  uint64_t trace = 0;
  Reading begin;
  std::vector<Run> runs;
  uint64_t marks = 0, runsLeftOut = 0;
};

/// The logs of one run; they go to the tracer when it ends. If the tracer is
/// off there are none.
class TracedRun {
public:
  TracedRun(Tracer &tracer, const Program &program, int workers);
  TracedRun(const TracedRun &) = delete;
  TracedRun &operator=(const TracedRun &) = delete;
  ~TracedRun();

  /// Null if there is none.
  IngotTraceLog *logOf(int worker) {
    return logs.empty() ? nullptr : &logs[worker].log;
  }

private:
  // On cache lines of their own: each worker writes to one.
  struct alignas(64) WorkerLog {
    IngotTraceLog log{};
    std::unique_ptr<IngotTraceMark[]> marks;
  };

  Tracer &tracer;
  const Program &program;
  uint64_t trace = 0;
  std::vector<WorkerLog> logs;
};

} // namespace ingot::rt

#endif // INGOT_RUNTIME_CORE_TRACE_H
