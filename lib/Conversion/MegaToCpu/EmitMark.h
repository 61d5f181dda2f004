//===- EmitMark.h - notes of when a worker did what -------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ingot/Target/CpuCapabilities.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace ingot {

/// On the call of a stage's function: its number in the program's list of
/// stages (`ingot.stages`).
inline constexpr llvm::StringLiteral stageNumberAttrName = "ingot.stage";

/// Makes the function that notes what ended and the time, if there is a log to
/// note it in (IngotContext::trace of runtime/core/Abi.h). Entries call it.
void emitMarkFunction(mlir::OpBuilder &b, mlir::Location loc,
                      const TargetInfo &target);

/// Calls it. `log` is the worker's own, or null at run time; `what` as in
/// IngotTraceMark.
void emitMark(mlir::OpBuilder &b, mlir::Location loc, mlir::Value log,
              int64_t what);

/// The numbers of what is no stage (INGOT_TRACE_START and those below); that of
/// the call of number i is so much less.
inline constexpr int64_t markStart = -2, markWait = -1, markSingle = -3,
                         markCall = -4;

} // namespace ingot
