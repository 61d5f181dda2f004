//===- Progress.h - what a user sees of work that takes long --------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TOOLS_INGOT_PROGRESS_H
#define INGOT_TOOLS_INGOT_PROGRESS_H

#include <chrono>
#include <string>

namespace ingot::cli {

/// Shows progress on standard error once work has taken a second: a bar that
/// is redrawn on a terminal, at most a line a second elsewhere.
class Progress {
public:
  explicit Progress(std::string title);
  ~Progress();

  /// `fraction` from 0 to 1 of the whole; `phase` in the user's words.
  void update(const std::string &phase, double fraction);

  double seconds() const;

private:
  using Clock = std::chrono::steady_clock;
  std::string title;
  Clock::time_point start = Clock::now(), shown = start;
  bool terminal, drawn = false;
};

} // namespace ingot::cli

#endif // INGOT_TOOLS_INGOT_PROGRESS_H
