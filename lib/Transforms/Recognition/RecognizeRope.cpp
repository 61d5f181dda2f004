//===- RecognizeRope.cpp - find rotary embedding in primitives ------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Matchers.h"
#include "ingot/Transforms/Recognition.h"

namespace ingot {
#define GEN_PASS_DEF_RECOGNIZEROPE
#include "lib/Transforms/Recognition/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot;

namespace {

/// No spelling has more ops between the angles and the tables.
constexpr unsigned maxChain = 12;

class RopeMatcher {
public:
  explicit RopeMatcher(Operation *root) : rewriter(root) {}

  void run(Operation *root) {
    SmallVector<Operation *> ops;
    root->walk([&](Operation *op) {
      if (isa<AddOp, ConcatOp>(op))
        ops.push_back(op);
    });
    for (Operation *op : ops) {
      if (auto add = dyn_cast<AddOp>(op))
        matchSum(add);
      else
        matchConcat(cast<ConcatOp>(op));
    }
    rewriter.eraseDead();
  }

private:
  /// A part of the features: all other dims whole.
  struct Part {
    Value x;
    DimExpr start, size;
  };

  std::optional<Part> matchPart(Value value) {
    auto slice = value.getDefiningOp<SliceOp>();
    if (!slice ||
        llvm::any_of(slice.getSteps(), [](int64_t s) { return s != 1; }))
      return std::nullopt;
    DimShape whole = rewriter.shapes.shapeOf(slice.getX());
    DimShape starts = slice.getStarts().getDims(),
             sizes = rewriter.shapes.shapeOf(value);
    if (whole.empty())
      return std::nullopt;
    for (size_t i = 0; i + 1 < whole.size(); ++i)
      if (!starts[i].isConstant(0) || sizes[i] != whole[i])
        return std::nullopt;
    return Part{slice.getX(), starts.back(), sizes.back()};
  }

  /// Whether `value` is the first (or second) half of the features of `x`.
  bool isHalf(Value value, Value x, bool second) {
    std::optional<Part> part = matchPart(value);
    DimShape shape = rewriter.shapes.shapeOf(x);
    return part && part->x == x && part->size + part->size == shape.back() &&
           part->start == (second ? part->size : DimExpr());
  }

  static Value matchNegated(Value value) {
    if (auto neg = value.getDefiningOp<NegOp>())
      return neg.getX();
    std::optional<Scaled> scaled = matchScaled(value);
    return scaled && scaled->factor == -1.0 ? scaled->x : Value();
  }

  bool isAlongLast(ConcatOp op) {
    return static_cast<int64_t>(op.getAxis()) == rankOf(op) - 1;
  }

  /// x where the value is the two halves of x swapped, the first negated.
  Value matchTurned(Value value) {
    auto concat = value.getDefiningOp<ConcatOp>();
    if (!concat || concat.getInputs().size() != 2 || !isAlongLast(concat))
      return {};
    Value high = matchNegated(concat.getInputs()[0]),
          low = concat.getInputs()[1];
    std::optional<Part> part = matchPart(low);
    return high && part && isHalf(low, part->x, false) &&
                   isHalf(high, part->x, true)
               ? part->x
               : Value();
  }

  /// Whether the two halves of a table's last dim are equal.
  bool isDoubled(Value value, unsigned depth = maxChain) {
    Operation *op = value.getDefiningOp();
    if (!op || depth == 0)
      return false;
    if (auto concat = dyn_cast<ConcatOp>(op))
      return concat.getInputs().size() == 2 && isAlongLast(concat) &&
             concat.getInputs()[0] == concat.getInputs()[1];
    if (isa<CosOp, SinOp, CastOp, NegOp>(op))
      return isDoubled(op->getOperand(0), depth - 1);
    if (std::optional<Scaled> scaled = matchScaled(value))
      return isDoubled(scaled->x, depth - 1);
    if (isa<ReshapeOp>(op)) {
      // The features stay the innermost dim.
      Value x = op->getOperand(0);
      return rankOf(x) > 0 && rankOf(value) > 0 &&
             rewriter.shapes.shapeOf(x).back() ==
                 rewriter.shapes.shapeOf(value).back() &&
             isDoubled(x, depth - 1);
    }
    if (auto gather = dyn_cast<GatherOp>(op))
      return static_cast<int64_t>(gather.getAxis()) <
                 rankOf(gather.getX()) - 1 &&
             isDoubled(gather.getX(), depth - 1);
    if (auto slice = dyn_cast<SliceOp>(op))
      return rewriter.shapes.shapeOf(slice.getX()).back() ==
                 rewriter.shapes.shapeOf(value).back() &&
             slice.getSteps().back() == 1 && isDoubled(slice.getX(), depth - 1);
    return false;
  }

  /// A table with leading dims of one, as many as `x` has dims in all; null if
  /// it does not broadcast to x without making it larger.
  Value fitTable(OpBuilder &builder, Location loc, Value table, Value x,
                 const DimExpr &pairs) {
    DimShape shape = rewriter.shapes.shapeOf(table),
             whole = rewriter.shapes.shapeOf(x);
    if (shape.size() > whole.size() || shape.empty() ||
        elementTypeOf(table) != elementTypeOf(x))
      return {};
    DimShape to(whole.size() - shape.size(), DimExpr::constant(1));
    llvm::append_range(to, shape);
    for (auto [dim, extent] : llvm::drop_end(llvm::zip_equal(to, whole)))
      if (!dim.isConstant(1) && dim != extent)
        return {};
    if (to.back() != pairs) {
      MLIRContext *context = builder.getContext();
      shape.back() = pairs;
      table = SliceOp::create(
          builder, loc, table, DimsAttr::get(context, DimShape(shape.size())),
          DimsAttr::get(context, shape), SmallVector<int64_t>(shape.size(), 1));
      to.back() = pairs;
    }
    return buildReshape(builder, loc, table, to, rewriter.shapes);
  }

  bool replaceByRope(Operation *op, Value x, Value cosine, Value sine,
                     const DimExpr &pairs) {
    OpBuilder builder(op);
    Location loc = op->getLoc();
    if (!isa<FloatType>(elementTypeOf(x)))
      return false;
    cosine = fitTable(builder, loc, cosine, x, pairs);
    sine = cosine ? fitTable(builder, loc, sine, x, pairs) : Value();
    if (!sine)
      return false;
    rewriter.replace(op->getResult(0),
                     RopeOp::create(builder, loc, x, cosine, sine));
    return true;
  }

  /// x * cos + turned(x) * sin, with tables whose halves are equal.
  void matchSum(AddOp add) {
    auto straight = add.getA().getDefiningOp<MulOp>(),
         turned = add.getB().getDefiningOp<MulOp>();
    if (!straight || !turned)
      return;
    for (int side : {0, 1}) {
      if (side)
        std::swap(straight, turned);
      for (unsigned i : {0, 1}) {
        Value x = matchTurned(turned->getOperand(i));
        Value cosine = x ? otherOperand<MulOp>(straight, x) : Value();
        Value sine = turned->getOperand(1 - i);
        if (!cosine || !isDoubled(cosine) || !isDoubled(sine))
          continue;
        std::optional<DimExpr> pairs =
            rewriter.shapes.shapeOf(x).back().dividedBy(DimExpr::constant(2));
        if (pairs && replaceByRope(add, x, cosine, sine, *pairs))
          return;
      }
    }
  }

  /// The two halves computed apart, or features that stay beside others that
  /// are turned.
  void matchConcat(ConcatOp op) {
    if (op.getInputs().size() != 2 || !isAlongLast(op))
      return;
    Value first = op.getInputs()[0], second = op.getInputs()[1];
    if (auto rope = first.getDefiningOp<RopeOp>())
      return matchPartial(op, rope, second);
    auto sub = first.getDefiningOp<SubOp>();
    auto add = second.getDefiningOp<AddOp>();
    if (!sub || !add)
      return;
    // cos a - sin b, where a and b are the halves of x.
    auto left = sub.getA().getDefiningOp<MulOp>(),
         right = sub.getB().getDefiningOp<MulOp>();
    if (!left || !right)
      return;
    for (unsigned i : {0, 1})
      for (unsigned j : {0, 1}) {
        Value a = left->getOperand(i), cosine = left->getOperand(1 - i);
        Value b = right->getOperand(j), sine = right->getOperand(1 - j);
        std::optional<Part> part = matchPart(a);
        if (!part || !isHalf(a, part->x, false) || !isHalf(b, part->x, true))
          continue;
        auto isProduct = [](Value value, Value u, Value v) {
          return otherOperand<MulOp>(value, u) == v;
        };
        bool sum = (isProduct(add.getA(), a, sine) &&
                    isProduct(add.getB(), b, cosine)) ||
                   (isProduct(add.getB(), a, sine) &&
                    isProduct(add.getA(), b, cosine));
        if (sum && replaceByRope(op, part->x, cosine, sine, part->size))
          return;
      }
  }

  void matchPartial(ConcatOp op, RopeOp rope, Value rest) {
    std::optional<Part> turned = matchPart(rope.getX()), kept = matchPart(rest);
    if (!turned || !kept || turned->x != kept->x ||
        !turned->start.isConstant(0) || kept->start != turned->size ||
        kept->start + kept->size != rewriter.shapes.shapeOf(turned->x).back())
      return;
    OpBuilder builder(op);
    rewriter.replace(op->getResult(0),
                     RopeOp::create(builder, op.getLoc(), turned->x,
                                    rope.getCos(), rope.getSin(),
                                    rope.getInterleaved()));
  }

  GraphRewriter rewriter;
};

struct RecognizeRopePass : ingot::impl::RecognizeRopeBase<RecognizeRopePass> {
  void runOnOperation() override {
    RopeMatcher(getOperation()).run(getOperation());
  }
};

} // namespace
