//===- Case.h - one folder of ONNX test data ------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TOOLS_INGOT_CHECK_CASE_H
#define INGOT_TOOLS_INGOT_CHECK_CASE_H

#include "tools/ingot/Compiler.h"

namespace ingot::cli {

/// A folder with model.onnx and test_data_set_* folders.
struct Case {
  std::string name;
  std::string folder;
};

enum class Outcome { Passed, Failed, Skipped };

/// What became of a case.
struct CaseResult {
  Outcome outcome = Outcome::Failed;
  /// Why it failed or was skipped; one line.
  std::string reason;
  double compileSeconds = 0;
  double runMilliseconds = 0;
  /// Over the float outputs of all data sets.
  double largestDifference = 0;
  int dataSets = 0;
};

/// How cases are run.
struct CaseOptions {
  CompileOptions compile;
  int threads = 2;
};

/// The cases that `paths` name: a case folder itself, or all cases directly
/// inside a folder, sorted by name. Throws Error for a path without any.
std::vector<Case> findCases(const std::vector<std::string> &paths);

/// Whether a compiler's message is one of the closed list of reasons to skip.
bool isSkipReason(const std::string &message);

/// Compiles the case to `artifact`, runs each data set and compares. Never
/// throws; a crash is the caller's to contain.
CaseResult runCase(const Case &what, const std::string &artifact,
                   const CaseOptions &options);

/// The result as a line of JSON, and back; decode throws Error for anything
/// that encode has not written.
std::string encode(const CaseResult &result);
CaseResult decode(const std::string &text);

/// "passed", "failed" or "skipped".
std::string_view outcomeName(Outcome outcome);

} // namespace ingot::cli

#endif // INGOT_TOOLS_INGOT_CHECK_CASE_H
