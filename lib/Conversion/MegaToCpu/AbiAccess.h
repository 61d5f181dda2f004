//===- AbiAccess.h - reading and writing the runtime's structures ---------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Builders.h"

namespace ingot {

/// Byte offsets of IngotContext's fields (runtime/core/Abi.h).
enum class ContextField : int64_t {
  Inputs = 0,
  Outputs = 8,
  Weights = 16,
  Arena = 24,
  Symbols = 32,
  Barrier = 40,
  Error = 48,
  Relax = 56,
  PageTables = 64,
  PagesPerRow = 72,
  Trace = 80,
  Calls = 88,
  Tell = 96,
};

/// Byte offsets of IngotCall's fields, and its bytes.
enum class CallField : int64_t { Arena = 0, Symbols = 8, Bytes = 16 };

/// A number of 64 bits, as the runtime's structures hold them.
mlir::Value i64Constant(mlir::OpBuilder &b, mlir::Location loc, int64_t value);

/// Builds accesses to memory that the runtime owns.
class AbiAccess {
public:
  AbiAccess(mlir::OpBuilder &b, mlir::Location loc) : b(b), loc(loc) {}

  /// The address `bytes` behind `base`.
  mlir::Value address(mlir::Value base, int64_t bytes);
  mlir::Value address(mlir::Value base, mlir::Value bytes);
  /// A pointer that stands in the context.
  mlir::Value field(mlir::Value context, ContextField field);
  /// Stores a pointer to a field of the context.
  void setField(mlir::Value context, ContextField field, mlir::Value pointer);
  /// Pointer number `index` of an array of pointers.
  mlir::Value pointerAt(mlir::Value base, int64_t index);
  /// Number `index` of an array of i64, as an index.
  mlir::Value indexAt(mlir::Value base, int64_t index);
  /// Stores an index to number `index` of an array of i64.
  void storeIndexAt(mlir::Value base, int64_t index, mlir::Value value);
  /// The memory at `pointer` as a buffer of bytes without an end.
  mlir::Value bytes(mlir::Value pointer);
  /// The memory at `pointer`, as a dense buffer of `type`.
  mlir::Value buffer(mlir::Value pointer, mlir::MemRefType type,
                     mlir::ValueRange dynamicDims);

private:
  mlir::OpBuilder &b;
  mlir::Location loc;
};

} // namespace ingot
