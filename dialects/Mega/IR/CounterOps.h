//===- CounterOps.h - tiles that wait for tiles -----------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dialects/Mega/IR/MegaOps.h"

namespace ingot::mega {

/// Numbers in a cache line: counters are rows of so many.
inline constexpr int64_t counterWidth = 8;

/// The type of counters: rows of i64, dense, as many as it takes.
mlir::MemRefType countersType(mlir::MLIRContext *context);

/// Whether `type` is that.
bool areCounters(mlir::Type type);

} // namespace ingot::mega

#define GET_OP_CLASSES
#include "dialects/Mega/IR/CounterOps.h.inc"
