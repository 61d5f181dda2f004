//===- EmitBarrier.h - how workers wait for others --------------*- C++ -*-===//
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

/// The function `(context, counters, first, count, target) -> go on` that tiles
/// call.
inline constexpr llvm::StringLiteral awaitName = "ingot_await";
/// Declares it in front of `b`.
mlir::func::FuncOp declareAwait(mlir::OpBuilder &b, mlir::Location loc);
/// Makes its body: it waits until each of so many counters from the first one on
/// has reached the target, or the run was stopped.
void emitAwaitBody(mlir::func::FuncOp func, const TargetInfo &cpu);

/// Counts a worker in if it arrives; whether it would have to wait for so many
/// arrivals.
mlir::Value emitArrival(mlir::OpBuilder &b, mlir::Location loc,
                        mlir::Value context, mlir::Value target,
                        mlir::Value arrives);

} // namespace ingot
