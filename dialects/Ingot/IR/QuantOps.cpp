//===- QuantOps.cpp - verifiers of the quantization ops -------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/IngotOps.h"

using namespace mlir;
using namespace ingot;

/// Checks the operands that quantize and dequantize share.
static LogicalResult verifyQuantization(Operation *op, Value x, Value scale,
                                        Value zeroPoint, int64_t axis,
                                        int64_t blockSize) {
  auto type = cast<RankedTensorType>(x.getType());
  auto scaleType = cast<RankedTensorType>(scale.getType());
  if (zeroPoint &&
      failed(verifyCompatibleShape(scaleType, zeroPoint.getType())))
    return op->emitOpError(
        "has a zero point whose shape is not that of the scale");
  if (blockSize < 0)
    return op->emitOpError("has a negative block size");
  if (blockSize > 0 && scaleType.getRank() != type.getRank())
    return op->emitOpError("is blocked, but the scale has rank ")
           << scaleType.getRank() << " instead of " << type.getRank();
  if (blockSize == 0 && scaleType.getRank() > 1)
    return op->emitOpError("has a scale of rank ")
           << scaleType.getRank() << " without a block size";
  bool usesAxis = blockSize > 0 || scaleType.getRank() == 1;
  if (usesAxis && (axis < 0 || axis >= type.getRank()))
    return op->emitOpError("has axis ")
           << axis << " but the operand has rank " << type.getRank();
  // What must be equal to what is known of the scale.
  SmallVector<int64_t> expected;
  if (blockSize > 0)
    expected.assign(type.getShape().begin(), type.getShape().end());
  else if (scaleType.getRank() == 1 && scaleType.getDimSize(0) != 1)
    expected.push_back(type.getDimSize(axis));
  int64_t blocked = blockSize > 0 ? axis : -1;
  for (auto [i, extent] : llvm::enumerate(expected)) {
    if (ShapedType::isDynamic(extent) || scaleType.isDynamicDim(i))
      continue;
    int64_t wanted = static_cast<int64_t>(i) == blocked
                         ? llvm::divideCeil(extent, blockSize)
                         : extent;
    if (scaleType.getDimSize(i) != wanted)
      return op->emitOpError("has a scale of ")
             << scaleType.getDimSize(i) << " elements along dim " << i
             << " instead of " << wanted;
  }
  return success();
}

LogicalResult DequantizeOp::verify() {
  if (!isa<IntegerType, FloatType>(elementTypeOf(getCodes())))
    return emitOpError("has codes that are neither integers nor floats");
  return verifyQuantization(*this, getCodes(), getScale(), getZeroPoint(),
                            getAxis(), getBlockSize());
}

LogicalResult QuantizeOp::verify() {
  if (!isa<IntegerType>(getTo()))
    return emitOpError("quantizes to ")
           << getTo() << ", which is no integer type";
  return verifyQuantization(*this, getX(), getScale(), getZeroPoint(),
                            getAxis(), getBlockSize());
}
