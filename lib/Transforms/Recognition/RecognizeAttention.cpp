//===- RecognizeAttention.cpp - find attention in primitives --------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "MaskForm.h"
#include "ScoreMatcher.h"
#include "ingot/Transforms/Recognition.h"

#include <cmath>

namespace ingot {
#define GEN_PASS_DEF_RECOGNIZEATTENTION
#include "lib/Transforms/Recognition/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot;

namespace {

/// A score replaced by this or less has no weight beside any other score.
constexpr double lowestScore = -1e8;

class AttentionMatcher {
public:
  explicit AttentionMatcher(Operation *root) : rewriter(root) {}

  void run(Operation *root) {
    SmallVector<SoftmaxOp> softmaxes;
    root->walk([&](SoftmaxOp op) { softmaxes.push_back(op); });
    for (SoftmaxOp op : softmaxes)
      rewrite(op);
    rewriter.eraseDead();
  }

private:
  /// Queries, keys and values as batch x tokens x heads x dims.
  struct Heads {
    Value q, k, v;
    double scale = 1.0;
    AttentionExtents extents;
  };

  /// What hides keys, and what is added to the scores.
  struct Mask {
    MaskForm form;
    bool hides = false;
    double fill = 0.0;
    Value bias;
    /// Whether the bias is known to be a finite number everywhere.
    bool finite = true;
  };

  /// Whether an element is one of known finite numbers.
  static bool isFinite(const std::optional<MaskElement> &element) {
    if (!element)
      return false;
    bool choice = element->kind == MaskElement::Kind::Choice;
    return (choice || element->kind == MaskElement::Kind::Real) &&
           std::isfinite(element->whenTrue) &&
           (!choice || std::isfinite(element->whenFalse));
  }

  /// `value` with its dims in the given order; repeated heads once.
  Value toTokens(OpBuilder &builder, Value value,
                 ArrayRef<int64_t> permutation) {
    Value moved = buildTranspose(builder, value.getLoc(), value, permutation);
    SmallVector<int64_t> order = {0, 1, 2, 3};
    Value source = moved;
    if (auto transpose = moved.getDefiningOp<TransposeOp>()) {
      source = transpose.getX();
      order.assign(transpose.getPermutation().begin(),
                   transpose.getPermutation().end());
    }
    Value once = matchRepeated(source, order[2], rewriter.shapes);
    return once ? buildTranspose(builder, value.getLoc(), once, order) : moved;
  }

  std::optional<Heads> matchHeads(OpBuilder &builder, const Scores &scores,
                                  MatmulOp product) {
    MatmulOp dot = scores.product;
    for (Value operand : {dot.getA(), dot.getB(), product.getB()})
      if (rankOf(operand) != 4 || !isa<FloatType>(elementTypeOf(operand)))
        return std::nullopt;
    Heads heads;
    heads.scale = scores.scale;
    Value q = stripFactors(builder, dot.getA(), heads.scale),
          k = stripFactors(builder, dot.getB(), heads.scale);
    heads.q = buildTranspose(builder, q.getLoc(), q, {0, 2, 1, 3});
    heads.k = toTokens(builder, k, {0, 3, 1, 2});
    heads.v = toTokens(builder, product.getB(), {0, 2, 1, 3});
    DimShape qs = rewriter.shapes.shapeOf(heads.q),
             ks = rewriter.shapes.shapeOf(heads.k),
             vs = rewriter.shapes.shapeOf(heads.v);
    std::optional<int64_t> count = qs[2].getConstant(),
                           groups = ks[2].getConstant();
    // One key head serves all query heads also where the product broadcasts.
    bool grouped = qs[2] == ks[2] || ks[2].isConstant(1) ||
                   (count && groups && *groups > 0 && *count % *groups == 0 &&
                    rewriter.shapes.shapeOf(dot.getB())[1] == qs[2]);
    if (qs[0] != ks[0] || ks[0] != vs[0] || ks[1] != vs[1] || ks[2] != vs[2] ||
        qs[3] != ks[3] || !grouped)
      return std::nullopt;
    heads.extents = {qs[0], qs[2], qs[1], ks[1]};
    if (std::optional<int64_t> depth = qs[3].getConstant(); depth && *depth > 0)
      heads.scale = withoutRounding(heads.scale, *depth);
    return heads;
  }

  /// The factor 1 / sqrt(depth) as f32 has it, where a product of roundings of
  /// its parts (files scale queries and keys by its root) came to be next to
  /// it.
  static double withoutRounding(double scale, int64_t depth) {
    double exact = 1.0 / std::sqrt(static_cast<double>(depth));
    bool isNext = std::abs(scale - exact) <= exact * 0x1p-22;
    return isNext ? static_cast<double>(static_cast<float>(exact)) : scale;
  }

  std::optional<Mask> matchMask(OpBuilder &builder, Location loc,
                                const Scores &scores, const Heads &heads) {
    const AttentionExtents &extents = heads.extents;
    MaskAnalysis analysis(rewriter.shapes, {extents.batch, extents.heads,
                                            extents.queries, extents.keys});
    Type type = elementTypeOf(heads.q);
    Mask mask;
    MaskPredicate visible;
    unsigned numFills = 0;
    auto hide = [&](const MaskPredicate &predicate, double fill) {
      if (predicate.isTrue())
        return;
      // Hiding by minus infinity twice is hiding once; with finite numbers
      // rows without visible keys would not be told apart.
      if (numFills == 0 || !std::isinf(fill) || fill != mask.fill)
        ++numFills;
      mask.fill = fill;
      mask.hides = true;
      visible.add(predicate);
    };
    SmallVector<ScoreAddend> biases;
    for (const ScoreChoice &choice : scores.choices) {
      std::optional<MaskElement> element =
          analysis.elementAtPosition(choice.condition);
      if (!element || choice.fill > lowestScore)
        return std::nullopt;
      std::optional<MaskPredicate> shown = MaskAnalysis::truthOf(*element);
      if (choice.hidden)
        shown = negate(*shown);
      if (!shown)
        return std::nullopt;
      hide(*shown, choice.fill);
    }
    for (const ScoreAddend &addend : scores.addends) {
      AdditiveMask split = splitMask(addend.value, analysis);
      double fill = split.fill * addend.factor;
      bool hides = split.visible.isTrue() ||
                   (addend.factor > 0 && hidesKeys(fill, type) &&
                    reduceMask(split.visible, extents, rewriter.shapes));
      if (!hides) {
        mask.finite &= isFinite(analysis.elementAtPosition(addend.value));
        biases.push_back(addend);
        continue;
      }
      hide(split.visible, fill);
      if (split.bias) {
        mask.finite = false;
        biases.push_back({split.bias, addend.factor});
      }
    }
    if (numFills > 1)
      return std::nullopt;
    std::optional<MaskForm> form =
        reduceMask(visible, extents, rewriter.shapes);
    if (!form)
      return std::nullopt;
    mask.form = *form;
    for (const ScoreAddend &addend : biases) {
      Value bias =
          buildBias(builder, loc, addend.value, extents, rewriter.shapes);
      if (!bias)
        return std::nullopt;
      if (elementTypeOf(bias) != type)
        bias = CastOp::create(builder, loc, bias, type);
      if (addend.factor != 1.0)
        bias = MulOp::create(builder, loc, bias,
                             buildScalar(builder, loc, addend.factor, type));
      mask.bias = mask.bias
                      ? AddOp::create(builder, loc, mask.bias, bias).getResult()
                      : bias;
    }
    return mask;
  }

  void rewrite(SoftmaxOp softmax) {
    // Attention keeps its sums in f32, which doubles would notice.
    if (softmax->getNumResults() != 1 || softmax.getLog() ||
        elementTypeOf(softmax.getX()).isF64() ||
        static_cast<int64_t>(softmax.getAxis()) != rankOf(softmax.getX()) - 1)
      return;
    std::optional<Probabilities> way =
        matchProbabilities(softmax->getResult(0));
    std::optional<Scores> scores = matchScores(softmax.getX());
    if (!way || !scores || way->product->use_empty())
      return;
    OpBuilder builder(way->product);
    Location loc = way->product.getLoc();
    std::optional<Heads> heads = matchHeads(builder, *scores, way->product);
    std::optional<Mask> mask =
        heads ? matchMask(builder, loc, *scores, *heads) : std::nullopt;
    // A guard turns rows that a bias hides as a whole into zeros, which
    // attention with a bias does not; a finite bias hides nothing as a whole.
    if (!mask || (way->guarded && mask->bias && !mask->finite))
      return;
    const AttentionExtents &extents = heads->extents;
    Value keyMask =
        buildKeyMask(builder, loc, mask->form, extents, rewriter.shapes);
    // A bias may hide a row too, by being -inf all along.
    DeadRow dead = mask->bias && !mask->finite ? DeadRow::NaN : DeadRow::Zero;
    if (mask->hides)
      dead = !std::isinf(mask->fill) ? DeadRow::Uniform
             : way->guarded          ? DeadRow::Zero
                                     : DeadRow::NaN;
    Value offset = buildQueryOffset(builder, loc, mask->form, extents);
    auto attention =
        AttentionOp::create(builder, loc, heads->q, heads->k, heads->v, keyMask,
                            mask->bias, heads->scale, mask->form.causal,
                            mask->form.window, scores->softcap, dead);
    if (offset)
      attention.getQueryOffsetMutable().assign(offset);
    rewriter.replace(
        way->product->getResult(0),
        buildTranspose(builder, loc, attention->getResult(0), {0, 2, 1, 3}));
  }

  GraphRewriter rewriter;
};

struct RecognizeAttentionPass
    : ingot::impl::RecognizeAttentionBase<RecognizeAttentionPass> {
  void runOnOperation() override {
    AttentionMatcher(getOperation()).run(getOperation());
  }
};

} // namespace
