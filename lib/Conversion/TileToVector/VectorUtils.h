//===- VectorUtils.h - reductions over lanes --------------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Builders.h"

namespace ingot {

/// The op by which result `result` of a reduction accumulates, if it is one
/// that may be done in any order: `yield combiner(accumulator, rest)` where
/// nothing else reads the accumulator.
mlir::Operation *findCombiner(mlir::linalg::LinalgOp op, unsigned result);

/// A vector of the combiner's neutral element.
mlir::Value neutralVector(mlir::OpBuilder &b, mlir::Location loc,
                          mlir::Operation *combiner, int64_t lanes);

/// The combiner applied to other operands.
mlir::Value combine(mlir::OpBuilder &b, mlir::Location loc,
                    mlir::Operation *combiner, mlir::Value lhs,
                    mlir::Value rhs);

/// Folds the lanes of a vector by `step`: upper half with lower half until
/// one is left, so that the order is the same on every target.
mlir::Value
foldLanes(mlir::OpBuilder &b, mlir::Location loc, mlir::Value vector,
          llvm::function_ref<mlir::Value(mlir::Value, mlir::Value)> step);

/// foldLanes with the combiner.
mlir::Value reduceLanes(mlir::OpBuilder &b, mlir::Location loc,
                        mlir::Operation *combiner, mlir::Value vector);

} // namespace ingot
