//===- StageInfo.h - what a stage holds and costs ---------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ingot/Analysis/ShapeAnalysis.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/SetVector.h"

namespace ingot {

/// Describes stages for people: the ops in them, the model's nodes that they
/// came from, operations and bytes. The description travels as metadata of the
/// stage's location, which later passes keep.
class StageInfo {
public:
  /// Asks for the shapes of all values of `func`, while they are whole.
  explicit StageInfo(mlir::func::FuncOp func);

  /// A location for the stage of `members` (the root first).
  mlir::Location locationOf(const llvm::SetVector<mlir::Operation *> &members);

  /// The description in `loc`, or null.
  static mlir::DictionaryAttr of(mlir::Location loc);

private:
  DimExpr flopsOf(mlir::Operation *op);
  DimExpr bytesOf(mlir::Value value);

  ShapeAnalysis shapes;
};

} // namespace ingot
