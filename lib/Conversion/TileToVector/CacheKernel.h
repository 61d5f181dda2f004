//===- CacheKernel.h - kernels over pages of keys and values ----*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "KernelBuilder.h"
#include "dialects/Ingot/IR/IngotOps.h"
#include "ingot/Target/CpuCapabilities.h"

namespace ingot {

/// The tokens of one row of a batch that an op on a cache works on.
struct CacheRow {
  /// Reads row `batch` of `past` and `count`; the op holds `tokens` tokens
  /// from number `first` (null: 0) on.
  CacheRow(KernelBuilder &b, mlir::Value batch, mlir::Value past,
           mlir::Value count, mlir::Value first, mlir::Value tokens);

  /// What `past` says, and the position of the op's token 0.
  mlir::Value past, position;
  /// How many of the op's tokens are real.
  mlir::Value tokens;
};

/// Calls `body` with the first columns of vectors of `lanes` that cover
/// `extent` columns without reaching past them; the last vector may overlap
/// the one before. False, and nothing is done, if not even one fits.
bool overColumns(KernelBuilder &b, int64_t extent, int64_t lanes,
                 llvm::function_ref<void(mlir::Value)> body);

/// Attention over the pages that a query sees, one page at a time. Fails with
/// an error if the depths need more scratch than a stack should give.
llvm::LogicalResult emitPagedAttention(KernelBuilder &b, PagedAttentionOp op,
                                       const TargetInfo &target);

/// The same for one query a row, each page by itself.
llvm::LogicalResult emitPageAttention(KernelBuilder &b, PageAttentionOp op,
                                      const TargetInfo &target);

/// Joins what pages gave.
void emitMergePages(KernelBuilder &b, MergePagesOp op);

} // namespace ingot
