//===- Checks.h - ops that check something on the way -----------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dialects/Ingot/IR/IngotOps.h"

namespace ingot {

/// Whether `op` makes values and checks something on the way. Once another op
/// makes the same values with the same checks it is there for nothing, but no
/// pass of MLIR takes what has effects for dead.
inline bool checksValues(mlir::Operation *op) {
  return op->getNumResults() != 0 && op->walk([](CheckOp) {
                                         return mlir::WalkResult::interrupt();
                                       }).wasInterrupted();
}

} // namespace ingot
