//===- ElementwiseOps.cpp - folders of the elementwise ops ----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/IngotOps.h"

using namespace mlir;
using namespace ingot;

/// The value of every element of a constant tensor whose elements are equal.
static std::optional<double> splatFloat(Attribute attr) {
  auto elements = dyn_cast_or_null<DenseElementsAttr>(attr);
  if (!elements || !elements.isSplat() || elements.empty())
    return std::nullopt;
  if (isa<FloatType>(elements.getElementType()))
    return elements.getSplatValue<APFloat>().convertToDouble();
  if (elements.getElementType().isIntOrIndex()) {
    APInt value = elements.getSplatValue<APInt>();
    return elements.getElementType().isUnsignedInteger() ||
                   value.getBitWidth() == 1
               ? double(value.getZExtValue())
               : double(value.getSExtValue());
  }
  return std::nullopt;
}

/// `value` if it can stand for the whole result: broadcasting adds nothing.
static OpFoldResult sameShape(Value value, Value result) {
  auto type = cast<RankedTensorType>(result.getType());
  if (value.getType() != type)
    return {};
  // Equal static types are the same shape; a dynamic dim may be broadcast.
  return type.hasStaticShape() ? OpFoldResult(value) : OpFoldResult();
}

/// `value` if `other` is a scalar, so that only `value` shapes the result.
static OpFoldResult besideScalar(Value value, Value other, Value result) {
  auto otherType = cast<RankedTensorType>(other.getType());
  bool scalar = otherType.hasStaticShape() && otherType.getNumElements() == 1;
  bool noHigherRank =
      otherType.getRank() <= cast<RankedTensorType>(value.getType()).getRank();
  if (value.getType() == result.getType() && scalar && noHigherRank)
    return value;
  return sameShape(value, result);
}

OpFoldResult AddOp::fold(FoldAdaptor adaptor) {
  // -0.0 + 0.0 is 0.0: only integers may drop a zero addend.
  if (!isa<IntegerType>(elementTypeOf(getResult())))
    return {};
  if (splatFloat(adaptor.getB()) == 0.0)
    return besideScalar(getA(), getB(), getResult());
  if (splatFloat(adaptor.getA()) == 0.0)
    return besideScalar(getB(), getA(), getResult());
  return {};
}

OpFoldResult SubOp::fold(FoldAdaptor adaptor) {
  if (splatFloat(adaptor.getB()) == 0.0)
    return besideScalar(getA(), getB(), getResult());
  return {};
}

OpFoldResult MulOp::fold(FoldAdaptor adaptor) {
  if (splatFloat(adaptor.getB()) == 1.0)
    return besideScalar(getA(), getB(), getResult());
  if (splatFloat(adaptor.getA()) == 1.0)
    return besideScalar(getB(), getA(), getResult());
  return {};
}

OpFoldResult DivOp::fold(FoldAdaptor adaptor) {
  if (splatFloat(adaptor.getB()) == 1.0)
    return besideScalar(getA(), getB(), getResult());
  return {};
}

OpFoldResult AndOp::fold(FoldAdaptor adaptor) {
  if (splatFloat(adaptor.getB()) == 1.0)
    return besideScalar(getA(), getB(), getResult());
  if (splatFloat(adaptor.getA()) == 1.0)
    return besideScalar(getB(), getA(), getResult());
  return {};
}

OpFoldResult OrOp::fold(FoldAdaptor adaptor) {
  if (splatFloat(adaptor.getB()) == 0.0)
    return besideScalar(getA(), getB(), getResult());
  if (splatFloat(adaptor.getA()) == 0.0)
    return besideScalar(getB(), getA(), getResult());
  return {};
}

OpFoldResult MinOp::fold(FoldAdaptor adaptor) {
  return getA() == getB() ? OpFoldResult(getA()) : OpFoldResult();
}

OpFoldResult MaxOp::fold(FoldAdaptor adaptor) {
  return getA() == getB() ? OpFoldResult(getA()) : OpFoldResult();
}

OpFoldResult NotOp::fold(FoldAdaptor adaptor) {
  if (auto inner = getX().getDefiningOp<NotOp>())
    return inner.getX();
  return {};
}

OpFoldResult NegOp::fold(FoldAdaptor adaptor) {
  if (auto inner = getX().getDefiningOp<NegOp>())
    return inner.getX();
  return {};
}

OpFoldResult CastOp::fold(FoldAdaptor adaptor) {
  return getX().getType() == getType() ? OpFoldResult(getX()) : OpFoldResult();
}

OpFoldResult WhereOp::fold(FoldAdaptor adaptor) {
  if (getA() == getB())
    return besideScalar(getA(), getCondition(), getResult());
  std::optional<double> condition = splatFloat(adaptor.getCondition());
  if (!condition)
    return {};
  Value chosen = *condition != 0.0 ? getA() : getB();
  Value other = *condition != 0.0 ? getB() : getA();
  auto otherType = cast<RankedTensorType>(other.getType());
  if (otherType.hasStaticShape() && otherType.getNumElements() == 1 &&
      otherType.getRank() <= cast<RankedTensorType>(chosen.getType()).getRank())
    return besideScalar(chosen, getCondition(), getResult());
  return sameShape(chosen, getResult());
}
