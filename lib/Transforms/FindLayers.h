//===- FindLayers.h - parts of a program that are alike ---------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <string>

namespace ingot {

/// What an operand is of, the same in every part of a run.
struct LayerOperand {
  enum class Kind {
    /// Made in the part itself.
    Internal,
    /// Made in the part before; of the first, where the run begins.
    Carried,
    /// The same value from outside, for all parts.
    Invariant,
    /// A weight or a cache of the part's own.
    Weight,
    Cache
  };
  Kind kind;
  /// What makes an internal or carried value: the op's number in its part, and
  /// the result's.
  unsigned op = 0, result = 0;

  bool operator==(const LayerOperand &other) const {
    return kind == other.kind && op == other.op && result == other.result;
  }
};

/// Parts of a function's body that follow each other, of `period` ops each,
/// which differ in their weights and caches alone.
struct LayerRun {
  mlir::SmallVector<mlir::Operation *> ops;
  unsigned period = 0, count = 0;
  /// What each operand of the first part's ops is of.
  mlir::SmallVector<mlir::SmallVector<LayerOperand>> operands;
  /// What is carried from part to part: the op's number and the result's.
  mlir::SmallVector<std::pair<unsigned, unsigned>> carried;
  /// Ops that no part needs to be made before: they may move in front.
  mlir::SmallVector<mlir::Operation *> front;

  /// The op at `number` of a part.
  mlir::Operation *at(unsigned part, unsigned number) const {
    return ops[part * period + number];
  }
};

/// Finds the best run of `least` parts or more in `func`. Where there is none,
/// the run's count is 0 and `reason` says why.
LayerRun findLayers(mlir::func::FuncOp func, int64_t least,
                    std::string &reason);

} // namespace ingot
