//===- SameBody.h - functions that do the same ------------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/OperationSupport.h"
#include "llvm/ADT/DenseMapInfo.h"

namespace ingot {

/// Hashes an op and what its regions hold; neither what it is given nor where
/// it comes from counts.
inline llvm::hash_code hashOfBody(mlir::Operation *root) {
  llvm::hash_code hash = llvm::hash_value(root->getNumRegions());
  root->walk([&](mlir::Operation *op) {
    hash = llvm::hash_combine(
        hash, mlir::OperationEquivalence::computeHash(
                  op, mlir::OperationEquivalence::ignoreHashValue,
                  mlir::OperationEquivalence::ignoreHashValue,
                  mlir::OperationEquivalence::IgnoreLocations));
  });
  return hash;
}

/// Hashes and compares functions by what they do: neither their names nor
/// their locations count.
struct SameBody : llvm::DenseMapInfo<mlir::func::FuncOp> {
  static unsigned getHashValue(mlir::func::FuncOp func) {
    llvm::hash_code hash = hash_value(func.getFunctionType());
    for (mlir::Operation &op : func.getBody().front())
      hash = llvm::hash_combine(hash, hashOfBody(&op));
    return hash;
  }
  static bool isEqual(mlir::func::FuncOp a, mlir::func::FuncOp b) {
    if (a == b)
      return true;
    if (a == getEmptyKey() || a == getTombstoneKey() || b == getEmptyKey() ||
        b == getTombstoneKey())
      return false;
    return a.getFunctionType() == b.getFunctionType() &&
           mlir::OperationEquivalence::isRegionEquivalentTo(
               &a.getBody(), &b.getBody(),
               mlir::OperationEquivalence::IgnoreLocations);
  }
};

} // namespace ingot
