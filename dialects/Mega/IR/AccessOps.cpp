//===- AccessOps.cpp - the memory that tiles touch ------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Mega/IR/MegaOps.h"

using namespace mlir;
using namespace ingot::mega;

void AccessOp::build(OpBuilder &b, OperationState &state, AccessMode mode,
                     Value source) {
  build(b, state, source.getType(), mode, source, ValueRange(), ValueRange(),
        ValueRange(), ArrayRef<int64_t>(), ArrayRef<int64_t>(),
        ArrayRef<int64_t>());
}

void AccessOp::build(OpBuilder &b, OperationState &state, AccessMode mode,
                     memref::SubViewOp view) {
  build(b, state, view.getType(), mode, view.getSource(), view.getOffsets(),
        view.getSizes(), view.getStrides(), view.getStaticOffsets(),
        view.getStaticSizes(), view.getStaticStrides());
}

SmallVector<OpFoldResult> AccessOp::getMixedOffsets() {
  return getMixedValues(getStaticOffsets(), getOffsets(), getContext());
}

SmallVector<OpFoldResult> AccessOp::getMixedSizes() {
  return getMixedValues(getStaticSizes(), getSizes(), getContext());
}

SmallVector<OpFoldResult> AccessOp::getMixedStrides() {
  return getMixedValues(getStaticStrides(), getStrides(), getContext());
}

Value AccessOp::getViewSource() { return getSource(); }

LogicalResult AccessOp::verify() {
  auto resultType = cast<MemRefType>(getResult().getType());
  auto sourceType = cast<MemRefType>(getSource().getType());
  if (isWhole()) {
    if (!getStaticSizes().empty() || !getStaticStrides().empty())
      return emitOpError("has sizes or strides without offsets");
    if (resultType != sourceType)
      return emitOpError("of the whole buffer has type ")
             << resultType << ", expected " << sourceType;
    return success();
  }
  size_t rank = sourceType.getRank();
  auto isList = [&](ArrayRef<int64_t> numbers, OperandRange values) {
    return numbers.size() == rank &&
           llvm::count_if(numbers, ShapedType::isDynamic) ==
               int64_t(values.size());
  };
  if (!isList(getStaticOffsets(), getOffsets()) ||
      !isList(getStaticSizes(), getSizes()) ||
      !isList(getStaticStrides(), getStrides()))
    return emitOpError("expected ")
           << rank << " offsets, sizes and strides, as the buffer has dims";
  MemRefType whole = memref::SubViewOp::inferResultType(
      sourceType, getStaticOffsets(), getStaticSizes(), getStaticStrides());
  if (whole == resultType)
    return success();
  if (!computeRankReductionMask(whole.getShape(), resultType.getShape()))
    return emitOpError("has shape ") << resultType << ", expected " << whole
                                     << " or the same without dims of size 1";
  MemRefType reduced = memref::SubViewOp::inferRankReducedResultType(
      resultType.getShape(), sourceType, getStaticOffsets(), getStaticSizes(),
      getStaticStrides());
  if (reduced != resultType)
    return emitOpError("has type ") << resultType << ", expected " << reduced;
  return success();
}

LogicalResult ScratchOp::verify() {
  bool isInTile = bool((*this)->getParentOfType<TilesOp>());
  if (isInTile && getEach())
    return emitOpError("of a tile is the worker's own without condition");
  if (!isInTile && !getEach())
    return emitOpError("stands outside of '")
           << TilesOp::getOperationName() << "' without 'each'";
  auto arena = cast<MemRefType>(getArena().getType());
  if (arena.getRank() != 1 || !arena.getElementType().isInteger(8) ||
      !arena.getLayout().isIdentity())
    return emitOpError("expected the arena to be bytes, not ") << arena;
  auto result = cast<MemRefType>(getResult().getType());
  if (!result.getLayout().isIdentity())
    return emitOpError("expected a result without layout, not ") << result;
  if (result.getNumDynamicDims() != getSizes().size())
    return emitOpError("has ") << getSizes().size() << " sizes for "
                               << result.getNumDynamicDims() << " dynamic dims";
  return success();
}
