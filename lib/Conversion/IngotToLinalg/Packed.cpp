//===- Packed.cpp - weights whose elements are smaller than a byte --------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Packed.h"

using namespace mlir;
using namespace ingot;

RankedTensorType ingot::packedType(RankedTensorType type) {
  auto element = dyn_cast<IntegerType>(type.getElementType());
  if (!element || element.getWidth() == 1 || element.getWidth() >= 8)
    return {};
  int64_t bytes = llvm::divideCeil(static_cast<uint64_t>(type.getNumElements()),
                                   8 / element.getWidth());
  return RankedTensorType::get(bytes, IntegerType::get(type.getContext(), 8));
}

Value PackedCodes::extract(ImplicitLocOpBuilder &b, ValueRange at) const {
  auto element = cast<IntegerType>(type.getElementType());
  int64_t width = element.getWidth(), each = 8 / width;
  auto index = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, value);
  };
  Value flat = index(0);
  for (auto [i, extent] : llvm::enumerate(type.getShape()))
    flat = arith::AddIOp::create(
        b, arith::MulIOp::create(b, flat, index(extent)), at[i]);
  Value byte = tensor::ExtractOp::create(
      b, bytes, ValueRange{arith::DivUIOp::create(b, flat, index(each))});
  Value position = arith::IndexCastOp::create(
      b, b.getI8Type(), arith::RemUIOp::create(b, flat, index(each)));
  Value bits = arith::ConstantOp::create(b, b.getI8IntegerAttr(width));
  Value shifted =
      arith::ShRUIOp::create(b, byte, arith::MulIOp::create(b, position, bits));
  Value code = arith::TruncIOp::create(b, b.getIntegerType(width), shifted);
  if (element.isUnsigned())
    return arith::ExtUIOp::create(b, b.getI8Type(), code);
  return arith::ExtSIOp::create(b, b.getI8Type(), code);
}
