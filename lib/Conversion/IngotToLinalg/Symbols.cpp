//===- Symbols.cpp - constants, weights and sizes as data ----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Packed.h"

using namespace mlir;
using namespace ingot;

namespace {

/// The same bits with elements of the type in memory.
DenseElementsAttr convertElements(DenseElementsAttr elements, Type element) {
  Type from = elements.getElementType();
  if (from == element)
    return elements;
  if (from.isInteger(1))
    return elements.mapValues(element,
                              [](const APInt &value) { return value.zext(8); });
  unsigned width = from.getIntOrFloatBitWidth();
  if (width < 8)
    return elements.mapValues(element, [&](const APInt &value) {
      return from.isUnsignedInteger() ? value.zext(8) : value.sext(8);
    });
  return elements.bitcast(element);
}

struct LowerConstant : Lowering<ConstantOp> {
  using Lowering::Lowering;
  Value lower(ConstantOp op, Adaptor, Emitter &e) const override {
    auto elements = dyn_cast<DenseElementsAttr>(op.getValue());
    if (!elements)
      return refuse(op, "unsupported type: constant that is not dense");
    Type element = storageType(elements.getElementType());
    const DimShape &dims = state.shapes.shapeOf(op);
    if (elements.empty())
      return e.empty(dims, element);
    elements = convertElements(elements, element);
    if (!elements.isSplat())
      return arith::ConstantOp::create(e, elements);
    auto value = cast<TypedAttr>(elements.getSplatValue<Attribute>());
    return e.fill(dims, arith::ConstantOp::create(e, value)).value;
  }
};

struct LowerWeightRef : Lowering<WeightRefOp> {
  using Lowering::Lowering;
  Value lower(WeightRefOp op, Adaptor, Emitter &e) const override {
    if (RankedTensorType bytes = packedType(op.getType())) {
      PackedCodes codes{WeightRefOp::create(e, bytes, op.getWeight()),
                        op.getType()};
      auto body = [&](ImplicitLocOpBuilder &b, ValueRange at) -> Value {
        return codes.extract(b, at);
      };
      return e.compute(state.shapes.shapeOf(op), e.getI8Type(), body).value;
    }
    return WeightRefOp::create(e, getTypeConverter()->convertType(op.getType()),
                               op.getWeight());
  }
};

/// Sizes become data by comparing the index with each position: a vector of
/// sizes is short.
struct LowerFromDims : Lowering<FromDimsOp> {
  using Lowering::Lowering;
  Value lower(FromDimsOp op, Adaptor, Emitter &e) const override {
    Type element = storageType(elementTypeOf(op.getResult()));
    SmallVector<Value> values;
    for (const DimExpr &dim : op.getDims().getDims())
      values.push_back(arith::IndexCastOp::create(e, element, e.size(dim)));
    const DimShape &dims = state.shapes.shapeOf(op);
    if (values.empty())
      return e.empty(dims, element);
    if (values.size() == 1)
      return e.fill(dims, values[0]).value;
    auto body = [&](ImplicitLocOpBuilder &b, ValueRange at) -> Value {
      Value result = values[0];
      for (size_t i = 1; i < values.size(); ++i) {
        Value here =
            arith::CmpIOp::create(b, arith::CmpIPredicate::eq, at[0],
                                  arith::ConstantIndexOp::create(b, i));
        result = arith::SelectOp::create(b, here, values[i], result);
      }
      return result;
    };
    return e.compute(dims, element, body).value;
  }
};

} // namespace

void ingot::populateSymbolLowerings(LoweringPatterns &patterns) {
  patterns.add<LowerConstant, LowerWeightRef, LowerFromDims>();
}
