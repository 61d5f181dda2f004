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

/// The function `(context, counters, first, count, target) -> go on` that tiles
/// call.
inline constexpr llvm::StringLiteral awaitName = "ingot_await";
/// Declares it at `b`.
mlir::func::FuncOp declareAwait(mlir::OpBuilder &b, mlir::Location loc);

/// Makes the function of barriers, and the body of the other one if that is
/// declared. At a barrier a worker is counted in if it arrives, and waits until
/// so many arrivals were counted; the answer is whether the run was stopped,
/// and the others are released then. Who awaits tiles waits until each of so
/// many counters from the first one on has reached the target, or the run was
/// stopped.
void emitWaitFunctions(mlir::OpBuilder &b, mlir::Location loc,
                       const TargetInfo &cpu);

/// Counts a worker in if it arrives; whether it would have to wait for so many
/// arrivals.
mlir::Value emitArrival(mlir::OpBuilder &b, mlir::Location loc,
                        mlir::Value context, mlir::Value target,
                        mlir::Value arrives);

} // namespace ingot
