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

/// Columns of a panel of packed weights.
inline constexpr int64_t panelWidth = 16;

/// How the weight of a product lies in memory.
enum class WeightLayout {
  /// K x N.
  Plain,
  /// ceil(N/16) x K x 16, padded with zeros.
  Panels,
  /// ceil(N/16) x ceil(K/2) x 16 x 2, padded with zeros.
  Pairs
};

/// Emits `out = x * w (+ bias)`. The elements of packed weights may be narrower
/// than those of out (f16, bf16 or signed integers next to f32). For every row
/// of x the products are added from k = 0 to K-1, whatever the number of rows;
/// of pairs the second comes before the first (k = 1, 0, 3, 2, ...), as CPUs
/// add them that multiply pairs. Of packed weights no more than `depth` rows
/// are taken at a time.
void emitGemm(KernelBuilder &b, const MatrixView &x, const MatrixView &w,
              WeightLayout layout, mlir::Value bias, const MatrixView &out,
              int64_t depth, const TargetInfo &target);

/// Emits `out = x * w` for operands of `out`'s type, w being packed as above in
/// `panels`: the same sums, which go on from what is in `out` if `resumes` (not
/// given: never). `panels` may hold more columns than `out`.
void addGemm(KernelBuilder &b, const MatrixView &x, mlir::Value panels,
             const MatrixView &out, mlir::Value resumes,
             const TargetInfo &target);

} // namespace ingot
