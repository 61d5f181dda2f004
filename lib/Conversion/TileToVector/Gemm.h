//===- Gemm.h - products of matrices ----------------------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "KernelBuilder.h"
#include "ingot/Target/CpuCapabilities.h"

namespace ingot {

/// A matrix in the last two dims of a memref.
struct MatrixView {
  mlir::Value memref;
  /// Indices of the dims before the last two.
  llvm::SmallVector<mlir::Value> prefix;

  mlir::Type elementType() const;
  mlir::Value rows(KernelBuilder &b) const;
  mlir::Value columns(KernelBuilder &b) const;
  llvm::SmallVector<mlir::Value> at(mlir::Value row, mlir::Value column) const;
};

/// Emits `out = x * w (+ bias)`. `w` is either K x N, or packed as
/// ceil(N/16) x K x 16 and padded with zeros, which `packed` says; its
/// elements may be narrower than those of x (f16, bf16 or signed integers next
/// to f32). For every row of x the products are added from k = 0 to K-1,
/// whatever the number of rows; of packed weights no more than `depth` rows at
/// a time.
void emitGemm(KernelBuilder &b, const MatrixView &x, const MatrixView &w,
              bool packed, mlir::Value bias, const MatrixView &out,
              int64_t depth, const TargetInfo &target);

/// Emits `out += x * w` for operands of `out`'s type, w being packed as above
/// in `panels`: the same sums, which go on from what is in `out`. `panels` may
/// hold more columns than `out`.
void addGemm(KernelBuilder &b, const MatrixView &x, mlir::Value panels,
             const MatrixView &out, const TargetInfo &target);

} // namespace ingot
