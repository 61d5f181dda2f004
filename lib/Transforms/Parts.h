//===- Parts.h - parts of tensors and buffers -------------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

namespace ingot {

/// Whether constants tell that two parts of one tensor or buffer have no
/// element in common.
inline bool areApart(mlir::OffsetSizeAndStrideOpInterface a,
                     mlir::OffsetSizeAndStrideOpInterface b) {
  auto endsBefore = [](mlir::OffsetSizeAndStrideOpInterface first,
                       mlir::OffsetSizeAndStrideOpInterface second,
                       unsigned dim) {
    auto number = [&](mlir::OpFoldResult value) {
      return mlir::getConstantIntValue(value);
    };
    std::optional<int64_t> begin = number(first.getMixedOffsets()[dim]);
    std::optional<int64_t> size = number(first.getMixedSizes()[dim]);
    std::optional<int64_t> stride = number(first.getMixedStrides()[dim]);
    std::optional<int64_t> next = number(second.getMixedOffsets()[dim]);
    return begin && size && next && stride == 1 && *begin + *size <= *next;
  };
  for (unsigned dim = 0; dim < a.getMixedOffsets().size(); ++dim)
    if (endsBefore(a, b, dim) || endsBefore(b, a, dim))
      return true;
  return false;
}

} // namespace ingot
