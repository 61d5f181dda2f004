//===- ScoreMatcher.cpp - from a softmax back to queries and keys ---------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ScoreMatcher.h"

using namespace mlir;
using namespace ingot;

/// No spelling of attention has a longer chain of ops between its products.
static constexpr unsigned maxChain = 16;

/// x where the value is x as another type of floats.
static Value matchFloatCast(Value value) {
  auto cast = value.getDefiningOp<CastOp>();
  return cast && !cast.getBitcast() && isa<FloatType>(elementTypeOf(cast)) &&
                 isa<FloatType>(elementTypeOf(cast.getX()))
             ? cast.getX()
             : Value();
}

/// x and c where the value is c * tanh(x / c).
static std::optional<Scaled> matchSoftcap(Value value) {
  std::optional<Scaled> outer = matchScaled(value);
  if (!outer)
    return std::nullopt;
  auto tanh = outer->x.getDefiningOp<TanhOp>();
  std::optional<Scaled> inner = tanh ? matchScaled(tanh.getX()) : std::nullopt;
  if (!inner || outer->factor <= 0 ||
      !isClose(inner->factor * outer->factor, 1.0, elementTypeOf(value)))
    return std::nullopt;
  return Scaled{inner->x, outer->factor};
}

/// Whether a chain of the ops that matchScores takes apart leads to a product.
static bool leadsToProduct(Value value, unsigned depth) {
  if (depth == 0 || !value.getDefiningOp())
    return false;
  if (value.getDefiningOp<MatmulOp>())
    return true;
  if (Value x = matchFloatCast(value))
    return leadsToProduct(x, depth - 1);
  if (std::optional<Scaled> softcap = matchSoftcap(value))
    return leadsToProduct(softcap->x, depth - 1);
  if (std::optional<Scaled> scaled = matchScaled(value))
    return leadsToProduct(scaled->x, depth - 1);
  if (auto add = value.getDefiningOp<AddOp>())
    return leadsToProduct(add.getA(), depth - 1) ||
           leadsToProduct(add.getB(), depth - 1);
  if (auto where = value.getDefiningOp<WhereOp>())
    return (scalarConstant(where.getB()) &&
            leadsToProduct(where.getA(), depth - 1)) ||
           (scalarConstant(where.getA()) &&
            leadsToProduct(where.getB(), depth - 1));
  return false;
}

std::optional<Scores> ingot::matchScores(Value value) {
  Scores scores;
  double factor = 1.0;
  Type type = value.getType();
  for (unsigned left = maxChain; left > 0; --left) {
    // What adds dims to the scores is no mask or bias of theirs.
    if (rankOf(value) != cast<RankedTensorType>(type).getRank())
      return std::nullopt;
    if (auto product = value.getDefiningOp<MatmulOp>()) {
      scores.product = product;
      scores.scale *= factor;
      return scores;
    }
    if (Value x = matchFloatCast(value)) {
      value = x;
    } else if (std::optional<Scaled> softcap = matchSoftcap(value)) {
      // Only the innermost factor scales the product.
      if (scores.softcap != 0.0 || factor != 1.0)
        return std::nullopt;
      scores.softcap = softcap->factor;
      value = softcap->x;
    } else if (std::optional<Scaled> scaled = matchScaled(value)) {
      factor *= scaled->factor;
      value = scaled->x;
    } else if (auto add = value.getDefiningOp<AddOp>()) {
      // A bias under the cap, and two products: not scores of one attention.
      bool a = leadsToProduct(add.getA(), left),
           b = leadsToProduct(add.getB(), left);
      if (scores.softcap != 0.0 || a == b)
        return std::nullopt;
      scores.addends.push_back({a ? add.getB() : add.getA(), factor});
      value = a ? add.getA() : add.getB();
    } else if (auto where = value.getDefiningOp<WhereOp>()) {
      std::optional<double> whenTrue = scalarConstant(where.getA()),
                            whenFalse = scalarConstant(where.getB());
      // What is added outside of the choice would be added to the fill too.
      if (scores.softcap != 0.0 || factor <= 0.0 || !scores.addends.empty() ||
          whenTrue.has_value() == whenFalse.has_value())
        return std::nullopt;
      scores.choices.push_back(
          {where.getCondition(), whenTrue.has_value(),
           factor * whenTrue.value_or(whenFalse.value_or(0.0))});
      value = whenTrue ? where.getB() : where.getA();
    } else {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

static Value stripFactors(OpBuilder &builder, Value value, double &factor,
                          unsigned depth) {
  if (depth == 0)
    return value;
  if (std::optional<Scaled> scaled = matchScaled(value)) {
    factor *= scaled->factor;
    return stripFactors(builder, scaled->x, factor, depth - 1);
  }
  Operation *op = value.getDefiningOp();
  if (!isa_and_nonnull<TransposeOp, ReshapeOp>(op))
    return value;
  Value inner = stripFactors(builder, op->getOperand(0), factor, depth - 1);
  if (inner == op->getOperand(0))
    return value;
  if (auto transpose = dyn_cast<TransposeOp>(op))
    return buildTranspose(builder, op->getLoc(), inner,
                          transpose.getPermutation());
  return ReshapeOp::create(builder, op->getLoc(), inner,
                           cast<ReshapeOp>(op).getTo());
}

Value ingot::stripFactors(OpBuilder &builder, Value value, double &factor) {
  return ::stripFactors(builder, value, factor, maxChain);
}

Value ingot::matchRepeated(Value value, int64_t axis, ShapeAnalysis &shapes) {
  auto merge = value.getDefiningOp<ReshapeOp>();
  auto repeat =
      merge ? merge.getX().getDefiningOp<BroadcastToOp>() : BroadcastToOp();
  auto split = repeat ? repeat.getX().getDefiningOp<ReshapeOp>() : ReshapeOp();
  if (!split)
    return {};
  DimShape from = shapes.shapeOf(split.getX()), to = shapes.shapeOf(value),
           wide = shapes.shapeOf(repeat), narrow = shapes.shapeOf(split);
  if (from.size() != to.size() || wide.size() != from.size() + 1)
    return {};
  const DimExpr &count = wide[axis + 1];
  auto withDim = [&](const DimExpr &dim) {
    DimShape shape = from;
    shape.insert(shape.begin() + axis + 1, dim);
    return shape;
  };
  DimShape merged = from;
  merged[axis] = merged[axis] * count;
  return narrow == withDim(DimExpr::constant(1)) && wide == withDim(count) &&
                 to == merged
             ? split.getX()
             : Value();
}

std::optional<Probabilities> ingot::matchProbabilities(Value value) {
  Probabilities result;
  for (unsigned left = maxChain; left > 0; --left) {
    SmallVector<Operation *> users = readersOf(value);
    // where(is_nan(p), 0, p)
    if (users.size() == 2) {
      if (isa<WhereOp>(users[0]))
        std::swap(users[0], users[1]);
      auto isNan = dyn_cast<IsNanOp>(users[0]);
      auto where = dyn_cast<WhereOp>(users[1]);
      if (!isNan || !where || onlyReaderOf(isNan) != where ||
          where.getCondition() != isNan.getResult() || where.getB() != value ||
          !isScalar(where.getA(), 0.0))
        return std::nullopt;
      result.guarded = true;
      value = where;
      continue;
    }
    if (users.size() != 1)
      return std::nullopt;
    if (auto cast = dyn_cast<CastOp>(users[0])) {
      if (cast.getBitcast() || !isa<FloatType>(elementTypeOf(cast)))
        return std::nullopt;
      value = cast;
      continue;
    }
    auto product = dyn_cast<MatmulOp>(users[0]);
    if (!product || product.getA() != value)
      return std::nullopt;
    result.product = product;
    return result;
  }
  return std::nullopt;
}
