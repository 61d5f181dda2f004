//===- QuantizedPanels.h - products with unpacked codes ---------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Floats in many rows: panels of weights are made of the codes once for all
// rows of the tile, and multiplied like weights that are floats. A sum has the
// same terms in the same order as that of a few rows, which unpacks codes in
// registers.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "Gemm.h"
#include "PackedColumns.h"

namespace ingot {

/// Emits a product of float rows with weights of one scale a column.
class QuantizedPanels {
public:
  /// Whether the op, on memrefs, is such a product.
  static bool canTake(QuantizedLinearOp op);

  QuantizedPanels(KernelBuilder &b, QuantizedLinearOp op,
                  const TargetInfo &target);

  /// Whether there are rows enough, at run time, to repay the panels.
  mlir::Value isWorthwhile();
  void emit();

private:
  using Value = mlir::Value;

  /// The weights of some groups and blocks, less their zero points.
  void unpack(Value firstGroup, Value groups, Value firstBlock, Value panels);
  /// Multiplies the sums of some groups by the scales of their columns.
  void applyScales(Value firstGroup, Value groups);

  KernelBuilder &b;
  QuantizedLinearOp op;
  const TargetInfo &target;
  PackedColumns weights;
};

} // namespace ingot
