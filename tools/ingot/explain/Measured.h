//===- Measured.h - how long stages took ----------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TOOLS_INGOT_EXPLAIN_MEASURED_H
#define INGOT_TOOLS_INGOT_EXPLAIN_MEASURED_H

#include "runtime/core/Manifest.h"

#include <string>
#include <vector>

namespace ingot::cli {

/// A piece of a worker's time, in microseconds since the run began.
struct Span {
  /// A stage's number; -1 for a wait.
  int stage;
  double start, duration;
};

/// What a trace tells of the runs of one program.
class Measured {
public:
  /// Microseconds of one worker, on the average.
  struct Stage {
    double busy = 0;
    /// Waiting for others right before it.
    double wait = 0;
  };

  /// Reads the runs of `program` from a file that ingot_session_write_trace
  /// made. Throws Error where it is none, is of other stages or has no such
  /// run.
  Measured(const std::string &file, const std::string &program,
           const std::vector<rt::StageInfo> &stages);

  size_t runs() const { return durations.size(); }
  /// Microseconds of the run that took the median time; all below is of it.
  double duration() const { return durations[chosen]; }
  /// One for each stage.
  const std::vector<Stage> &stages() const { return perStage; }
  /// Waiting of one worker, on the average; also behind the last stage.
  double waiting() const { return allWaiting; }
  /// What each worker did.
  const std::vector<std::vector<Span>> &workers() const { return lines; }

private:
  void choose(std::vector<std::vector<std::vector<Span>>> &runs);

  std::vector<double> durations;
  size_t chosen = 0;
  std::vector<Stage> perStage;
  double allWaiting = 0;
  std::vector<std::vector<Span>> lines;
};

} // namespace ingot::cli

#endif // INGOT_TOOLS_INGOT_EXPLAIN_MEASURED_H
