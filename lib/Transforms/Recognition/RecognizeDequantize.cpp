//===- RecognizeDequantize.cpp - find dequantized weights -----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "RepeatedView.h"
#include "ingot/Transforms/Recognition.h"

namespace ingot {
#define GEN_PASS_DEF_RECOGNIZEDEQUANTIZE
#include "lib/Transforms/Recognition/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot;

namespace {

/// The largest quotient of a block's minimum and scale that is kept: codes are
/// lost beside it in f32, and its product with the sum of a block of
/// activations' codes is still finite.
constexpr double largestQuotient = 0x1p40;
/// The smallest scale that a block may get in place of its own.
constexpr double leastScale = 0x1p-126;

/// x where the value is an integer x converted to a float.
Value matchDecoded(Value value) {
  auto cast = value.getDefiningOp<CastOp>();
  if (!cast || cast.getBitcast() || !isa<FloatType>(elementTypeOf(cast)))
    return {};
  auto type = dyn_cast<IntegerType>(elementTypeOf(cast.getX()));
  return type && type.getWidth() > 1 && type.getWidth() <= 8 ? cast.getX()
                                                             : Value();
}

ParameterForm formOf(DequantizeOp op) {
  auto scale = cast<RankedTensorType>(op.getScale().getType());
  int64_t block = op.getBlockSize(), axis = op.getAxis();
  return {block == 0 && scale.getRank() == 0 ? -1 : axis, block};
}

ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

Value withoutReshapes(Value value) {
  while (auto reshape = value.getDefiningOp<ReshapeOp>())
    value = reshape.getX();
  return value;
}

class DequantizeMatcher {
public:
  explicit DequantizeMatcher(Operation *root) : rewriter(root) {}

  void run(Operation *root) {
    SmallVector<Operation *> found;
    root->walk([&](Operation *op) {
      if (isa<MulOp, AddOp, SubOp, ReshapeOp>(op))
        found.push_back(op);
    });
    // In order: what is made of a match may be a part of the next one.
    for (Operation *op : found) {
      if (op->use_empty() || !weights.isWeight(op->getResult(0)))
        continue;
      if (auto mul = dyn_cast<MulOp>(op))
        scale(mul, mul.getA(), mul.getB()) ||
            scale(mul, mul.getB(), mul.getA());
      else if (auto add = dyn_cast<AddOp>(op))
        addMinimum(add, add.getA(), add.getB(), 1) ||
            addMinimum(add, add.getB(), add.getA(), 1);
      else if (auto sub = dyn_cast<SubOp>(op))
        addMinimum(sub, sub.getA(), sub.getB(), -1);
      else
        reshape(cast<ReshapeOp>(op));
    }
    rewriter.eraseDead();
  }

private:
  /// `value`, which is broadcast to `shape`, as a parameter of codes whose dims
  /// are `reshaped`; null if it tells too much for the form.
  Value parameter(OpBuilder &builder, Location loc, Value value,
                  ArrayRef<int64_t> shape, ArrayRef<int64_t> reshaped,
                  ParameterForm form) {
    std::optional<RepeatedView> view = RepeatedView::of(value);
    if (!view || !view->broadcast(shape) || !view->reshape(reshaped) ||
        !view->has(form))
      return {};
    return view->build(builder, loc, form, rewriter.shapes);
  }

  Value reshapedLike(OpBuilder &builder, Location loc, Value value,
                     Value like) {
    // A copy: asking for another shape may move this one.
    DimShape shape = rewriter.shapes.shapeOf(like);
    return buildReshape(builder, loc, value, shape, rewriter.shapes);
  }

  DequantizeOp create(OpBuilder &builder, Location loc, Value codes,
                      Value scale, Value zeroPoint, ParameterForm form) {
    int64_t rank = rankOf(codes);
    int64_t axis = form.axis >= 0 ? form.axis : std::max<int64_t>(rank - 1, 0);
    return DequantizeOp::create(builder, loc, codes, scale, zeroPoint, axis,
                                form.block);
  }

  /// codes * scale, (codes - zero point) * scale.
  bool scale(MulOp op, Value decoded, Value scale) {
    if (!isa<FloatType>(elementTypeOf(op)) || decoded.getType() != op.getType())
      return false;
    Value zeroPoint, codes = matchDecoded(decoded);
    if (auto sub = decoded.getDefiningOp<SubOp>(); sub && !codes) {
      codes = matchDecoded(sub.getA());
      zeroPoint = matchDecoded(sub.getB());
      if (!zeroPoint)
        zeroPoint = sub.getB();
      else if (codes && elementTypeOf(codes) != elementTypeOf(zeroPoint))
        return false;
    }
    ArrayRef<int64_t> shape = op.getType().getShape();
    if (!codes || shapeOf(codes) != shape)
      return false;
    std::optional<RepeatedView> view = RepeatedView::of(scale);
    if (!view || !view->broadcast(shape))
      return false;
    std::optional<ParameterForm> form = view->form();
    // Integers that are a weight in their own right, not a scale.
    if (!form)
      return false;
    OpBuilder builder(op);
    Location loc = op.getLoc();
    Value scales = view->build(builder, loc, *form, rewriter.shapes);
    if (zeroPoint)
      zeroPoint = parameter(builder, loc, zeroPoint, shape, shape, *form);
    if (!scales || (!zeroPoint && decoded.getDefiningOp<SubOp>()))
      return false;
    rewriter.replace(op, create(builder, loc, codes, scales, zeroPoint, *form));
    return true;
  }

  /// Codes that are scaled, and then a minimum of their own is added to each
  /// block (`sign` 1) or subtracted: minimum / scale belongs to the zero point.
  bool addMinimum(Operation *op, Value values, Value minimum, double sign) {
    auto dequantize = withoutReshapes(values).getDefiningOp<DequantizeOp>();
    if (!dequantize || op->getResult(0).getType() != values.getType() ||
        !elementTypeOf(values).isF32() ||
        !isa<IntegerType>(elementTypeOf(dequantize.getCodes())))
      return false;
    OpBuilder builder(op);
    Location loc = op->getLoc();
    ParameterForm form = formOf(dequantize);
    minimum = parameter(builder, loc, minimum, shapeOf(values),
                        shapeOf(dequantize), form);
    if (!minimum)
      return false;
    Value scale = dequantize.getScale();
    minimum = reshapedLike(builder, loc, minimum, scale);
    auto number = [&](double value) {
      return buildScalar(builder, loc, value, builder.getF32Type());
    };
    // Where a block's minimum is all that f32 sees of it (its scale may be
    // zero) any scale will do beside which the codes still do not count.
    Value size = AbsOp::create(builder, loc, minimum);
    Value reach =
        MulOp::create(builder, loc, AbsOp::create(builder, loc, scale),
                      number(largestQuotient));
    Value isAlone = GreaterOp::create(builder, loc, size, reach);
    Value least = MaxOp::create(
        builder, loc,
        MulOp::create(builder, loc, size, number(1 / largestQuotient)),
        number(leastScale));
    scale = WhereOp::create(builder, loc, isAlone, least, scale);
    // A scale and a minimum of zero have no quotient.
    Value isNone = EqualOp::create(builder, loc, minimum, number(0));
    Value shift = WhereOp::create(builder, loc, isNone, number(0),
                                  DivOp::create(builder, loc, minimum, scale));
    Value zero = dequantize.getZeroPoint();
    if (zero && !elementTypeOf(zero).isF32())
      zero = CastOp::create(builder, loc, zero, builder.getF32Type());
    if (!zero)
      zero = number(0);
    zero = sign > 0 ? Value(SubOp::create(builder, loc, zero, shift))
                    : Value(AddOp::create(builder, loc, zero, shift));
    DequantizeOp result =
        create(builder, loc, dequantize.getCodes(), scale, zero, form);
    result->setDiscardableAttrs(dequantize->getDiscardableAttrDictionary());
    rewriter.replace(op->getResult(0),
                     reshapedLike(builder, loc, result, values));
    return true;
  }

  /// A matrix that was dequantized in another shape.
  void reshape(ReshapeOp op) {
    auto dequantize = withoutReshapes(op.getX()).getDefiningOp<DequantizeOp>();
    if (!dequantize || rankOf(op) != 2)
      return;
    if (shapeOf(dequantize) == shapeOf(op))
      return rewriter.replace(op, dequantize);
    OpBuilder builder(op);
    Location loc = op.getLoc();
    ArrayRef<int64_t> from = shapeOf(dequantize), to = shapeOf(op);
    auto viewOf = [&](Value parameter) {
      auto view =
          RepeatedView::ofParameter(parameter, formOf(dequantize), from);
      return view && view->reshape(to) ? view : std::nullopt;
    };
    std::optional<RepeatedView> view = viewOf(dequantize.getScale());
    std::optional<ParameterForm> form = view ? view->form() : std::nullopt;
    if (!form)
      return;
    Value scale = view->build(builder, loc, *form, rewriter.shapes), zero;
    if (Value parameter = dequantize.getZeroPoint()) {
      view = viewOf(parameter);
      if (!view || !view->has(*form))
        return;
      zero = view->build(builder, loc, *form, rewriter.shapes);
    }
    if (!scale || (!zero && dequantize.getZeroPoint()))
      return;
    Value codes =
        ReshapeOp::create(builder, loc, dequantize.getCodes(), op.getToAttr());
    DequantizeOp result = create(builder, loc, codes, scale, zero, *form);
    result->setDiscardableAttrs(dequantize->getDiscardableAttrDictionary());
    rewriter.replace(op, result);
  }

  GraphRewriter rewriter;
  WeightAnalysis weights;
};

struct RecognizeDequantizePass
    : ingot::impl::RecognizeDequantizeBase<RecognizeDequantizePass> {
  void runOnOperation() override {
    DequantizeMatcher(getOperation()).run(getOperation());
  }
};

} // namespace
