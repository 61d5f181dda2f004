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
      if (isa<AddOp, ConcatOp, ReshapeOp>(op))
        ops.push_back(op);
    });
    for (Operation *op : ops) {
      if (auto add = dyn_cast<AddOp>(op))
        matchSum(add);
      else if (auto concat = dyn_cast<ConcatOp>(op))
        matchConcat(concat);
      else
        matchWoven(cast<ReshapeOp>(op));
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

  /// What `value` was before a reshape that adds or drops a last dim of one.
  Value withoutOne(Value value) {
    auto reshape = value.getDefiningOp<ReshapeOp>();
    if (!reshape)
      return value;
    DimShape from = rewriter.shapes.shapeOf(reshape.getX()),
             to = rewriter.shapes.shapeOf(value);
    DimShape &shorter = from.size() < to.size() ? from : to;
    shorter.push_back(DimExpr::constant(1));
    return from == to ? reshape.getX() : value;
  }

  /// a and b where the last dim of `value` is a0 b0 a1 b1 ...; they may have
  /// a last dim of one.
  std::optional<std::pair<Value, Value>> matchWeave(Value value) {
    auto reshape = value.getDefiningOp<ReshapeOp>();
    auto concat =
        reshape ? reshape.getX().getDefiningOp<ConcatOp>() : ConcatOp();
    if (!concat || concat.getInputs().size() != 2 || !isAlongLast(concat))
      return std::nullopt;
    DimShape pairs = rewriter.shapes.shapeOf(concat);
    for (Value part : concat.getInputs())
      if (!rewriter.shapes.shapeOf(part).back().isConstant(1))
        return std::nullopt;
    if (pairs.size() < 2 || !mergesPairs(pairs, value))
      return std::nullopt;
    return std::make_pair(concat.getInputs()[0], concat.getInputs()[1]);
  }

  /// Whether `value` has the dims `pairs` with the last two as one, and dims of
  /// one anywhere before.
  bool mergesPairs(DimShape pairs, Value value) {
    DimExpr last = pairs.pop_back_val();
    pairs.back() = pairs.back() * last;
    DimShape merged = rewriter.shapes.shapeOf(value);
    if (merged.empty() || merged.back() != pairs.back())
      return false;
    auto isOne = [](const DimExpr &dim) { return dim.isConstant(1); };
    llvm::erase_if(pairs, isOne);
    llvm::erase_if(merged, isOne);
    return pairs == merged;
  }

  /// The even (or odd) features of a tensor.
  struct Member {
    Value x;
    bool isOdd;
  };
  std::optional<Member> matchMember(Value value) {
    auto slice = withoutOne(value).getDefiningOp<SliceOp>();
    if (!slice)
      return std::nullopt;
    DimShape whole = rewriter.shapes.shapeOf(slice.getX()),
             sizes = rewriter.shapes.shapeOf(slice->getResult(0));
    DimShape starts = slice.getStarts().getDims();
    ArrayRef<int64_t> steps = slice.getSteps();
    if (whole.empty())
      return std::nullopt;
    for (size_t i = 0; i + 1 < whole.size(); ++i)
      if (!starts[i].isConstant(0) || sizes[i] != whole[i] || steps[i] != 1)
        return std::nullopt;
    bool isOdd = starts.back().isConstant(1);
    if (!isOdd && !starts.back().isConstant(0))
      return std::nullopt;
    if (steps.back() == 2 && sizes.back() + sizes.back() == whole.back())
      return Member{slice.getX(), isOdd};
    // Pairs apart from each other.
    auto split = slice.getX().getDefiningOp<ReshapeOp>();
    if (split && sizes.back().isConstant(1) && whole.back().isConstant(2) &&
        whole.size() > 1 && mergesPairs(whole, split.getX()))
      return Member{split.getX(), isOdd};
    return std::nullopt;
  }

  /// x where the value is x with the two features of each pair swapped and the
  /// first of them negated.
  Value matchTurnedPairs(Value value) {
    auto weave = matchWeave(value);
    if (!weave)
      return {};
    Value negated = matchNegated(withoutOne(weave->first));
    std::optional<Member> odd = negated ? matchMember(negated) : std::nullopt,
                          even = matchMember(weave->second);
    return odd && even && odd->x == even->x && odd->isOdd && !even->isOdd
               ? odd->x
               : Value();
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

  /// Whether neighbours in a value's last dim are equal, two and two.
  bool isWovenTwice(Value value) {
    if (auto weave = matchWeave(value))
      return weave->first == weave->second;
    auto reshape = value.getDefiningOp<ReshapeOp>();
    auto repeat = reshape ? reshape.getX().getDefiningOp<BroadcastToOp>()
                          : BroadcastToOp();
    if (!repeat)
      return false;
    DimShape from = rewriter.shapes.shapeOf(repeat.getX()),
             to = rewriter.shapes.shapeOf(repeat->getResult(0));
    return to.size() > 1 && to.back().isConstant(2) && !from.empty() &&
           from.back().isConstant(1) && mergesPairs(to, value);
  }

  /// Whether the two halves of a table's last dim are equal; `interleaved`:
  /// whether neighbours are.
  bool isDoubled(Value value, bool interleaved, unsigned depth = maxChain) {
    Operation *op = value.getDefiningOp();
    if (!op || depth == 0)
      return false;
    if (interleaved && isWovenTwice(value))
      return true;
    if (auto concat = dyn_cast<ConcatOp>(op); concat && !interleaved)
      return concat.getInputs().size() == 2 && isAlongLast(concat) &&
             concat.getInputs()[0] == concat.getInputs()[1];
    if (isa<CosOp, SinOp, CastOp, NegOp>(op))
      return isDoubled(op->getOperand(0), interleaved, depth - 1);
    if (std::optional<Scaled> scaled = matchScaled(value))
      return isDoubled(scaled->x, interleaved, depth - 1);
    if (isa<ReshapeOp>(op)) {
      // The features stay the innermost dim.
      Value x = op->getOperand(0);
      return rankOf(x) > 0 && rankOf(value) > 0 &&
             rewriter.shapes.shapeOf(x).back() ==
                 rewriter.shapes.shapeOf(value).back() &&
             isDoubled(x, interleaved, depth - 1);
    }
    if (auto gather = dyn_cast<GatherOp>(op))
      return static_cast<int64_t>(gather.getAxis()) <
                 rankOf(gather.getX()) - 1 &&
             isDoubled(gather.getX(), interleaved, depth - 1);
    if (auto slice = dyn_cast<SliceOp>(op))
      return rewriter.shapes.shapeOf(slice.getX()).back() ==
                 rewriter.shapes.shapeOf(value).back() &&
             slice.getSteps().back() == 1 &&
             isDoubled(slice.getX(), interleaved, depth - 1);
    return false;
  }

  /// A table with leading dims of one, as many as `x` has dims in all; null if
  /// it does not broadcast to x without making it larger.
  Value fitTable(OpBuilder &builder, Location loc, Value table, Value x,
                 const DimExpr &pairs, bool interleaved) {
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
      SmallVector<int64_t> steps(shape.size(), 1);
      steps.back() = interleaved ? 2 : 1;
      shape.back() = pairs;
      table = SliceOp::create(builder, loc, table,
                              DimsAttr::get(context, DimShape(shape.size())),
                              DimsAttr::get(context, shape), steps);
      to.back() = pairs;
    }
    return buildReshape(builder, loc, table, to, rewriter.shapes);
  }

  bool replaceByRope(Operation *op, Value x, Value cosine, Value sine,
                     const DimExpr &pairs, bool interleaved) {
    OpBuilder builder(op);
    Location loc = op->getLoc();
    if (!isa<FloatType>(elementTypeOf(x)) ||
        !rewriter.shapes.sameShape(x, op->getResult(0)))
      return false;
    cosine = fitTable(builder, loc, cosine, x, pairs, interleaved);
    sine =
        cosine ? fitTable(builder, loc, sine, x, pairs, interleaved) : Value();
    if (!sine)
      return false;
    rewriter.replace(op->getResult(0), RopeOp::create(builder, loc, x, cosine,
                                                      sine, interleaved));
    return true;
  }

  /// x * cos + turned(x) * sin, with tables whose halves are equal, or whose
  /// neighbours are.
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
        bool interleaved = !x;
        if (!x)
          x = matchTurnedPairs(turned->getOperand(i));
        Value cosine = x ? otherOperand<MulOp>(straight, x) : Value();
        Value sine = turned->getOperand(1 - i);
        if (!cosine || !isDoubled(cosine, interleaved) ||
            !isDoubled(sine, interleaved))
          continue;
        std::optional<DimExpr> pairs =
            rewriter.shapes.shapeOf(x).back().dividedBy(DimExpr::constant(2));
        if (pairs && replaceByRope(add, x, cosine, sine, *pairs, interleaved))
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
    // A pair on its own is woven into others by the reshape behind it.
    if (rewriter.shapes.shapeOf(first).back().isConstant(1) &&
        llvm::all_of(op->getUsers(), [&](Operation *user) {
          return isa<ReshapeOp>(user) && matchWeave(user->getResult(0));
        }))
      return;
    matchRotated(op, first, second, [&](Value a, Value b) {
      std::optional<Part> part = matchPart(a);
      return part && isHalf(a, part->x, false) && isHalf(b, part->x, true)
                 ? std::make_pair(part->x, part->size)
                 : std::make_pair(Value(), DimExpr());
    });
  }

  /// Pairs of neighbours computed apart and woven.
  void matchWoven(ReshapeOp op) {
    auto weave = matchWeave(op->getResult(0));
    if (!weave)
      return;
    matchRotated(op, withoutOne(weave->first), withoutOne(weave->second),
                 [&](Value a, Value b) {
                   std::optional<Member> even = matchMember(a),
                                         odd = matchMember(b);
                   bool fits = even && odd && even->x == odd->x &&
                               !even->isOdd && odd->isOdd;
                   std::optional<DimExpr> pairs;
                   if (fits)
                     pairs = rewriter.shapes.shapeOf(even->x).back().dividedBy(
                         DimExpr::constant(2));
                   return pairs ? std::make_pair(even->x, *pairs)
                                : std::make_pair(Value(), DimExpr());
                 });
  }

  /// Replaces `op`, made of cos a - sin b and sin a + cos b, if a and b are
  /// parts of one tensor: `partsOf` gives it and how many pairs it has.
  void
  matchRotated(Operation *op, Value first, Value second,
               function_ref<std::pair<Value, DimExpr>(Value, Value)> partsOf) {
    auto sub = first.getDefiningOp<SubOp>();
    auto add = second.getDefiningOp<AddOp>();
    if (!sub || !add)
      return;
    auto left = sub.getA().getDefiningOp<MulOp>(),
         right = sub.getB().getDefiningOp<MulOp>();
    if (!left || !right)
      return;
    for (unsigned i : {0, 1})
      for (unsigned j : {0, 1}) {
        Value a = left->getOperand(i), cosine = left->getOperand(1 - i);
        Value b = right->getOperand(j), sine = right->getOperand(1 - j);
        auto [x, pairs] = partsOf(a, b);
        if (!x)
          continue;
        auto isProduct = [](Value value, Value u, Value v) {
          return otherOperand<MulOp>(value, u) == v;
        };
        bool sum = (isProduct(add.getA(), a, sine) &&
                    isProduct(add.getB(), b, cosine)) ||
                   (isProduct(add.getB(), a, sine) &&
                    isProduct(add.getA(), b, cosine));
        if (sum && replaceByRope(op, x, withoutLastOne(cosine, pairs),
                                 withoutLastOne(sine, pairs), pairs,
                                 isa<ReshapeOp>(op)))
          return;
      }
  }

  /// A table for members that have a last dim of one, without it.
  Value withoutLastOne(Value table, const DimExpr &pairs) {
    DimShape shape = rewriter.shapes.shapeOf(table);
    if (shape.size() < 2 || !shape.back().isConstant(1) ||
        shape[shape.size() - 2] != pairs)
      return table;
    shape.pop_back();
    OpBuilder builder(table.getContext());
    builder.setInsertionPointAfterValue(table);
    return buildReshape(builder, table.getLoc(), table, shape, rewriter.shapes);
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
