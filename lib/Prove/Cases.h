//===- Cases.h - the ways in which conditions hold --------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "lib/Prove/Solver.h"
#include "lib/Prove/Values.h"

namespace ingot::prove {

/// More ways than these are not followed.
constexpr size_t maxCases = 64;

/// Which conditions hold, and what that says of sizes.
struct Case {
  llvm::DenseMap<Value, bool> holds;
  std::vector<Formula> facts;

  /// What is asked from here on is asked of this case.
  void assume(Values &values, Solver &solver) const;
};

/// Every way in which conditions may hold together, given what `start` says of
/// others; nothing if there are more than maxCases. Drops what was assumed
/// before.
std::optional<std::vector<Case>> casesOf(ArrayRef<Value> conditions,
                                         Values &values, Solver &solver,
                                         const Case &start = Case());

} // namespace ingot::prove
