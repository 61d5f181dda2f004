//===- Packed.h - weights whose elements are smaller than a byte -*- C++
//-*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "Emitter.h"

namespace ingot {

/// The type of the bytes that hold a weight of elements smaller than a byte: a
/// vector of ceil(count * bits / 8); null for other weights.
mlir::RankedTensorType packedType(mlir::RankedTensorType type);

/// Codes in the bytes of a weight, in row-major order from the lowest bits of
/// each byte on.
struct PackedCodes {
  mlir::Value bytes;
  /// The model's type of the weight.
  mlir::RankedTensorType type;

  /// The code at these indices in its type in memory.
  mlir::Value extract(mlir::ImplicitLocOpBuilder &b, mlir::ValueRange at) const;
};

} // namespace ingot
