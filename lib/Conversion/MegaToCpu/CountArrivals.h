//===- CountArrivals.h - for how many workers barriers wait -----*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dialects/Mega/IR/MegaOps.h"

namespace ingot {

/// Tells each barrier of `program` how many workers had something to do since
/// the last one. Of calls of functions, `busy` says how many run tiles.
void countArrivals(mega::ProgramOp program,
                   const llvm::DenseMap<mlir::Operation *, mlir::Value> &busy,
                   mlir::Value workers);

/// The greater of two numbers of workers, each of which is at most `workers`;
/// null is none.
mlir::Value moreWorkers(mlir::OpBuilder &b, mlir::Location loc, mlir::Value lhs,
                        mlir::Value rhs, mlir::Value workers);

} // namespace ingot
