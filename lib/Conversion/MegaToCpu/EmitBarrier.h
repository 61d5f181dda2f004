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

/// The function `(context, arrivals, arrives) -> stopped` that entries call.
inline constexpr llvm::StringLiteral barrierName = "ingot_barrier";

/// Makes it: it counts the worker in if that arrives, and waits until so many
/// arrivals were counted. It answers whether the run was stopped, and then has
/// released the others.
void emitBarrierFunction(mlir::OpBuilder &b, mlir::Location loc,
                         const TargetInfo &cpu);

/// Counts a worker in if it arrives; whether it would have to wait for so many
/// arrivals.
mlir::Value emitArrival(mlir::OpBuilder &b, mlir::Location loc,
                        mlir::Value context, mlir::Value target,
                        mlir::Value arrives);

} // namespace ingot
