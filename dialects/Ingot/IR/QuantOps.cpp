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

//===----------------------------------------------------------------------===//
// Products with codes
//===----------------------------------------------------------------------===//

static ShapedType shaped(Value value) {
  return cast<ShapedType>(value.getType());
}

/// Checks the attributes that describe codes of activations and weights.
static LogicalResult verifyFormat(Operation *op, int64_t activationBits,
                                  int64_t weightBits, int64_t block) {
  if (!llvm::is_contained({8, 16, 24, 32}, activationBits))
    return op->emitOpError("has activations of ")
           << activationBits << " bits instead of 8, 16, 24 or 32";
  if (!llvm::is_contained({2, 4, 8}, weightBits))
    return op->emitOpError("has weights of ")
           << weightBits << " bits instead of 2, 4 or 8";
  // The sums of a block must fit into 32 bits.
  if (block < 16 || block > 256 || !llvm::isPowerOf2_64(block))
    return op->emitOpError("has blocks of ")
           << block << " instead of a power of two from 16 to 256";
  return success();
}

/// `value` must be of this element type and, as far as is known, shape.
static LogicalResult verifyPart(Operation *op, StringRef what, Value value,
                                ArrayRef<int64_t> shape, Type element) {
  auto expected = RankedTensorType::get(shape, element);
  if (succeeded(verifyCompatibleShape(expected, value.getType())) &&
      shaped(value).getElementType() == element)
    return success();
  return op->emitOpError("has ") << what << " of type " << value.getType()
                                 << " instead of " << expected;
}

static FailureOr<DimShape> rowsShape(const DimShape &x, int64_t bits,
                                     int64_t block) {
  if (x.size() != 2 || block <= 0)
    return failure();
  return DimShape{x[0], DimExpr::ceilDiv(x[1], DimExpr::constant(block)),
                  DimExpr::constant(block * bits / 32 + 2)};
}

LogicalResult QuantizeRowsOp::inferShapes(ArrayRef<DimShape> operands,
                                          SmallVectorImpl<DimShape> &results) {
  FailureOr<DimShape> shape =
      rowsShape(operands[0], getActivationBits(), getBlock());
  if (failed(shape))
    return failure();
  results.push_back(*shape);
  return success();
}

LogicalResult QuantizeRowsOp::verify() {
  if (failed(verifyFormat(*this, getActivationBits(), getWeightBits(),
                          getBlock())))
    return failure();
  ShapedType x = shaped(getX());
  if (x.getRank() != 2 || !x.getElementType().isF32())
    return emitOpError("quantizes ") << x << " instead of rows of f32";
  FailureOr<DimShape> shape =
      rowsShape(opaqueShapes(getX()).front(), getActivationBits(), getBlock());
  Type word = IntegerType::get(getContext(), 32);
  return verifyPart(*this, "a destination", getInit(),
                    tensorOf(*shape, word).getShape(), word);
}

LogicalResult
QuantizedLinearOp::inferShapes(ArrayRef<DimShape> operands,
                               SmallVectorImpl<DimShape> &results) {
  // The codes are padded: only the destination knows the true N.
  if (operands[0].empty() || operands.back().empty())
    return failure();
  results.push_back({operands[0][0], operands.back().back()});
  return success();
}

LogicalResult QuantizedLinearOp::verify() {
  if (failed(verifyFormat(*this, getActivationBits(), getWeightBits(),
                          getBlock())))
    return failure();
  ShapedType x = shaped(getX()), codes = shaped(getCodes());
  ShapedType scale = shaped(getScale()), init = shaped(getInit());
  int64_t dynamic = ShapedType::kDynamic;
  Type word = IntegerType::get(getContext(), 32);
  int64_t block = getBlock(), wordsX = block * getActivationBits() / 32 + 2;
  int64_t words = block * getWeightBits() / 32;
  int64_t blocksX = x.getRank() < 2 ? dynamic : x.getDimSize(1);
  if (getActivationBits() == 32 && x.getRank() == 2) {
    if (failed(verifyPart(*this, "rows", getX(), {dynamic, dynamic},
                          Float32Type::get(getContext()))))
      return failure();
    if (blocksX != dynamic && blocksX % block != 0)
      return emitOpError("has rows of ")
             << blocksX << " floats, which blocks of " << block
             << " do not divide";
    blocksX = blocksX == dynamic ? dynamic : blocksX / block;
  } else if (failed(verifyPart(*this, "rows", getX(),
                               {dynamic, dynamic, wordsX}, word))) {
    return failure();
  }
  if (failed(verifyPart(*this, "codes", getCodes(),
                        {dynamic, blocksX, words, 16}, word)))
    return failure();
  Type scaleType = scale.getElementType();
  if (!scaleType.isF32() && !scaleType.isF16())
    return emitOpError("has scales of ") << scaleType << " instead of f32, f16";
  int64_t groups = codes.getDimSize(0);
  bool perColumn = scale.getRank() == 3 && scale.getDimSize(1) == 1;
  int64_t blocks = perColumn ? 1 : codes.getDimSize(1);
  if (failed(verifyPart(*this, "scales", getScale(), {groups, blocks, 16},
                        scaleType)))
    return failure();
  if (Value zero = getZero()) {
    Type type = shaped(zero).getElementType();
    if (!type.isInteger(8) && !type.isF32() && !type.isF16())
      return emitOpError("has zero points of ")
             << type << " instead of i8, f32, f16";
    if (failed(verifyPart(*this, "zero points", zero, scale.getShape(), type)))
      return failure();
  }
  int64_t columns = dynamic;
  if (init.getRank() == 2 && groups != dynamic &&
      init.getDimSize(1) != dynamic &&
      llvm::divideCeil(init.getDimSize(1), 16) == static_cast<uint64_t>(groups))
    columns = init.getDimSize(1);
  else if (groups != dynamic)
    columns = groups * 16;
  return verifyPart(*this, "a destination", getInit(),
                    {x.getDimSize(0), columns}, Float32Type::get(getContext()));
}

DimExpr QuantizeRowsOp::getFlops(ArrayRef<DimShape> operands,
                                 ArrayRef<DimShape> results) {
  return DimExpr::constant(3) * product(operands[0]);
}

DimExpr QuantizedLinearOp::getFlops(ArrayRef<DimShape> operands,
                                    ArrayRef<DimShape> results) {
  // Plain floats are counted by K, others by blocks of it.
  int64_t each = operands[0].size() == 2 ? 1 : getBlock();
  return DimExpr::constant(2 * each) * operands[0][1] *
         product(operands.back());
}
