//===- EmitCall.h - programs that run other programs ------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dialects/Mega/IR/CallOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"

namespace ingot {

/// Fills `entry`, the exported function of a program that others call, and
/// makes the private one that holds the program's body:
/// `(context, worker, workers, arrivals) -> arrivals`. It counts arrivals at
/// barriers from those that were before it, so that a program and what it calls
/// share one counter.
mlir::func::FuncOp emitBodyFunction(mlir::OpBuilder &b, mlir::Location loc,
                                    mlir::func::FuncOp entry,
                                    llvm::StringRef suffix);

/// What a worker's function knows of its run.
struct WorkerValues {
  mlir::Value context, worker, workers;
  /// Arrivals at barriers so far.
  mlir::Value expected;
  /// What the worker notes of the run.
  mlir::Value log;
};

/// Runs a program, as call `number` of the caller (IngotContext::calls of
/// runtime/core/Abi.h): the worker's context gets what it is given. `pointers`
/// are where the caller's arguments are. The arrivals after it.
mlir::Value emitCall(mlir::OpBuilder &b, mlir::Location loc,
                     const WorkerValues &values, int64_t number,
                     mega::CallOp call,
                     const llvm::DenseMap<mlir::Value, mlir::Value> &pointers);

/// Adds what worker 0 does alone, and a mark in its `log`.
void emitSingle(mlir::OpBuilder &b, mlir::Location loc, mlir::Value context,
                mlir::Value worker, mlir::Value log, mega::SingleOp single,
                mlir::IRMapping &map);

} // namespace ingot
