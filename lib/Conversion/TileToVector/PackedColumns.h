//===- PackedColumns.h - columns of packed codes ----------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "KernelBuilder.h"
#include "dialects/Ingot/IR/IngotOps.h"

namespace ingot {

/// Reads the weights of a product as `quantized_linear` has them packed: some
/// neighbouring columns of a group, one in each lane.
class PackedColumns {
  using Value = mlir::Value;

public:
  /// Columns of a group.
  static constexpr int64_t groupWidth = 16;

  PackedColumns(KernelBuilder &b, QuantizedLinearOp op, int64_t lanes);

  int64_t lanes() const { return laneCount; }
  /// A vector of floats, one of each column.
  mlir::VectorType floats() const;
  int64_t codesPerWord() const { return 32 / bits; }
  /// Whether there is one scale for all of K.
  bool perColumn();

  /// A word of each column; `column` is the first one's number in the group.
  Value codes(Value group, Value block, Value word, int64_t column);
  Value scale(Value group, Value block, int64_t column);
  /// The zero points as floats.
  Value zeroPoint(Value group, Value block, int64_t column);
  /// Number `k` of the codes in words, less the zero points.
  Value value(Value codes, int64_t k, Value zero);

private:
  /// A scale or zero points as floats; `block` is not used where there is one
  /// for all.
  Value parameter(Value memref, Value group, Value block, int64_t column);
  mlir::VectorType words() const;

  KernelBuilder &b;
  QuantizedLinearOp op;
  int64_t laneCount, bits;
};

} // namespace ingot
