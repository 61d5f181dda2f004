//===- Rounds.h - the model and the machine, taking turns -----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TOOLS_INGOT_BENCH_ROUNDS_H
#define INGOT_TOOLS_INGOT_BENCH_ROUNDS_H

#include "lib/Machine/Ceilings.h"
#include "lib/Machine/Samples.h"
#include "tools/ingot/bench/Subject.h"

namespace ingot::cli {

/// Seconds of a work: a list for each round.
using Times = std::vector<std::vector<double>>;

/// What was measured: the ceilings before the first round and after each.
class Rounds {
public:
  /// Takes turns for at least `seconds` and three rounds. `subject` may be
  /// null. Throws Interrupt::Caught between two runs.
  Rounds(machine::Ceilings &ceilings, Subject *subject, double seconds);

  /// The times of the subject's work number `index`.
  const Times &times(size_t index) const { return allTimes[index]; }
  /// All of them.
  machine::Summary summary(size_t index) const;

  /// The share of a ceiling at which a work of `amount` runs: the median over
  /// the rounds of the share in each, by the ceilings around it.
  double share(size_t index, double amount,
               const machine::Ceiling &ceiling) const;

private:
  std::vector<Times> allTimes;
};

} // namespace ingot::cli

#endif // INGOT_TOOLS_INGOT_BENCH_ROUNDS_H
