//===- EmitBarrier.h - where the workers of a team meet ---------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ingot/Target/CpuCapabilities.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace ingot {

/// The functions `(context, arrivals) -> stopped` that entries call: the one
/// counts the worker in first, of the other it was counted before.
inline constexpr llvm::StringLiteral barrierName = "ingot_barrier";
inline constexpr llvm::StringLiteral waitName = "ingot_wait";

/// Makes them: they wait until so many arrivals were counted. They answer
/// whether the run was stopped, and then have released the others.
void emitBarrierFunctions(mlir::OpBuilder &b, mlir::Location loc,
                          const TargetInfo &cpu);

/// Counts a worker in; true if so many arrivals are yet to come.
mlir::Value emitArrival(mlir::OpBuilder &b, mlir::Location loc,
                        mlir::Value context, mlir::Value target);

} // namespace ingot
