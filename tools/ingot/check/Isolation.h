//===- Isolation.h - cases in processes of their own ----------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TOOLS_INGOT_CHECK_ISOLATION_H
#define INGOT_TOOLS_INGOT_CHECK_ISOLATION_H

#include "tools/ingot/check/Case.h"

#include <functional>

namespace ingot::cli {

struct IsolationOptions {
  int jobs = 1;
  /// Seconds that a case may take before it is ended and counts as failed.
  double timeLimit = 300;
};

/// Calls work(i, scratchFolder) for i below `count`, each in a forked process,
/// `jobs` at a time, and done(i, result) here in the order of i. A process
/// that crashes or runs out of time gives a failed result that says so, with
/// the last line that it wrote. Call from a process with one thread. Returns
/// false when the user interrupted.
bool runIsolated(
    size_t count, const IsolationOptions &options,
    const std::function<CaseResult(size_t, const std::string &)> &work,
    const std::function<void(size_t, const CaseResult &)> &done);

} // namespace ingot::cli

#endif // INGOT_TOOLS_INGOT_CHECK_ISOLATION_H
