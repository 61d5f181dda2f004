//===- BenchReport.h - what bench says ------------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TOOLS_INGOT_BENCH_BENCHREPORT_H
#define INGOT_TOOLS_INGOT_BENCH_BENCHREPORT_H

#include "tools/ingot/bench/Rounds.h"

#include <nlohmann/json.hpp>

namespace ingot::cli {

/// Refers to what it reports.
struct BenchReport {
  /// The model as the user named it; empty without a subject.
  std::string name;
  const machine::Ceilings &ceilings;
  const Subject *subject;
  const Rounds &rounds;

  std::string text() const;
  nlohmann::ordered_json json() const;
};

} // namespace ingot::cli

#endif // INGOT_TOOLS_INGOT_BENCH_BENCHREPORT_H
