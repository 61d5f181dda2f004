//===- BufferWrites.h - caches of fixed extent ------------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dialects/Ingot/IR/IngotOps.h"
#include "ingot/Analysis/ShapeAnalysis.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace ingot {

/// An op that writes new keys or values into a buffer which an input brings
/// along and an output gives back.
struct BufferWrite {
  mlir::Operation *op = nullptr;
  /// Batch first, four dims.
  mlir::BlockArgument buffer;
  /// Dim i of what the op writes to is dim view[i] of the buffer.
  llvm::SmallVector<int64_t> view;
  /// The outputs that are the written buffer, with its dims in order.
  llvm::SmallVector<unsigned> results;
  /// The dim of positions, of the buffer.
  int64_t axis = 0;
  /// What is written, with the dims of the buffer in the order of `view`.
  mlir::Value added;
  /// The input that says where; null where it is not understood.
  mlir::BlockArgument places;
  /// Why it is not.
  std::string problem;
};

/// The writes of a function into buffers. Writes at lengths that are computed
/// are left out: a buffer of rows with lengths of their own has no fixed
/// extent.
llvm::SmallVector<BufferWrite> findBufferWrites(mlir::func::FuncOp func,
                                                ShapeAnalysis &shapes);

} // namespace ingot
