//===- ScoreMatcher.h - from a softmax back to queries and keys -*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "Matchers.h"

namespace ingot {

/// What is added to scores, times a factor.
struct ScoreAddend {
  mlir::Value value;
  double factor = 1.0;
};

/// Scores replaced by `fill` where `condition` is `hidden`.
struct ScoreChoice {
  mlir::Value condition;
  bool hidden = false;
  double fill = 0.0;
};

/// softcap(scale * product) + addends, some replaced.
struct Scores {
  MatmulOp product;
  double scale = 1.0, softcap = 0.0;
  llvm::SmallVector<ScoreAddend, 2> addends;
  llvm::SmallVector<ScoreChoice, 1> choices;
};

/// Takes the operand of a softmax apart; empty if it is not such a sum.
std::optional<Scores> matchScores(mlir::Value value);

/// `value` without the scalar factors on its way through transposes and
/// reshapes, which `factor` is multiplied with.
mlir::Value stripFactors(mlir::OpBuilder &builder, mlir::Value value,
                         double &factor);

/// x where `value` is x with each slice along `axis` repeated in place, as
/// grouped heads are; null otherwise.
mlir::Value matchRepeated(mlir::Value value, int64_t axis,
                          ShapeAnalysis &shapes);

/// What the probabilities of a softmax go into.
struct Probabilities {
  MatmulOp product;
  /// Whether NaN is replaced by zero on the way.
  bool guarded = false;
};

/// Follows the only way from a softmax to a product with values; empty if the
/// probabilities are used elsewhere.
std::optional<Probabilities> matchProbabilities(mlir::Value softmax);

} // namespace ingot
