//===- Quantize.h - quantized tensors ---------------------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "Emitter.h"

namespace ingot {

/// Codes with what tells their values: the operands of a `dequantize`.
struct QuantizedTensor {
  Tensor codes, scale, zeroPoint;
  /// The model's element types; that of an absent zero point is null.
  mlir::Type codeType, scaleType, zeroPointType;
  int64_t axis = 0, blockSize = 0;

  static QuantizedTensor of(DequantizeOp op, Emitter &e);

  /// Why this cannot be lowered; empty if it can.
  std::string unsupported() const;
  /// The values, of the model's type `result`.
  Tensor dequantize(Emitter &e, mlir::Type result) const;
};

} // namespace ingot
