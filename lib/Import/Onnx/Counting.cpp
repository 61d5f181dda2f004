//===- Counting.cpp - initializers that are computed at no cost -----------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Counting.h"

#include "llvm/Support/Endian.h"

using namespace llvm;
using namespace mlir;

namespace ingot::onnxin {

/// Element i of integers of 32 or 64 bits.
static int64_t integerAt(const TensorData &data, unsigned width, int64_t i) {
  const char *at = data.bytes.data() + i * (width / 8);
  return width == 64 ? support::endian::read64le(at)
                     : static_cast<int32_t>(support::endian::read32le(at));
}

static Value steps(Emitter &e, const TensorData &data, mlir::IntegerType type) {
  unsigned width = type.getWidth();
  int64_t first = integerAt(data, width, 0);
  int64_t step = integerAt(data, width, 1);
  // Numbers of positions are small; nothing here may overflow.
  constexpr int64_t most = int64_t(1) << 30;
  auto isSmall = [](int64_t value) { return value > -most && value < most; };
  if (!isSmall(first) || !isSmall(step) || data.elements > most ||
      step == first)
    return {};
  step -= first;
  for (int64_t i = 0; i != data.elements; ++i)
    if (integerAt(data, width, i) != first + i * step)
      return {};
  return e.make<RangeOp>(e.scalar(first, type), e.scalar(step, type),
                         DimsAttr::get(e.builder.getContext(),
                                       {DimExpr::constant(data.elements)}));
}

static Value triangle(Emitter &e, const TensorData &data, int64_t extent) {
  for (int64_t row = 0; row != extent; ++row)
    for (int64_t column = 0; column != extent; ++column)
      if ((data.bytes[row * extent + column] != 0) != (column <= row))
        return {};
  Type i64 = e.builder.getI64Type();
  Value numbers = e.iota(DimExpr::constant(extent), i64);
  return e.binary<LessEqualOp>(e.unsqueeze(numbers, {0}),
                               e.unsqueeze(numbers, {1}));
}

Value materializeCounting(Emitter &e, const TensorData &data, Type type) {
  auto integer = dyn_cast<mlir::IntegerType>(type);
  if (!integer || !integer.isSignless() || data.elements < 2)
    return {};
  SmallVector<int64_t> extents;
  DimShape dims;
  for (int64_t extent : data.dims) {
    dims.push_back(DimExpr::constant(extent));
    if (extent != 1)
      extents.push_back(extent);
  }
  Value value;
  if (extents.size() == 1 &&
      (integer.getWidth() == 32 || integer.getWidth() == 64))
    value = steps(e, data, integer);
  else if (extents.size() == 2 && extents[0] == extents[1] &&
           integer.getWidth() == 1)
    value = triangle(e, data, extents[0]);
  return value ? e.reshape(value, dims) : Value();
}

} // namespace ingot::onnxin
