//===- RecognizeNorms.cpp - find norms in primitives ----------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Matchers.h"
#include "ingot/Transforms/Recognition.h"

namespace ingot {
#define GEN_PASS_DEF_RECOGNIZENORMS
#include "lib/Transforms/Recognition/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot;

namespace {

/// A value without the conversions to wider floats around it.
Value stripWidening(Value value) {
  while (auto cast = value.getDefiningOp<CastOp>()) {
    Type from = elementTypeOf(cast.getX()), to = elementTypeOf(cast);
    if (cast.getBitcast() || !isa<FloatType>(from) || !isa<FloatType>(to) ||
        from.getIntOrFloatBitWidth() > to.getIntOrFloatBitWidth())
      break;
    value = cast.getX();
  }
  return value;
}

/// x where the value is the mean of x over its last axis, kept as a dim.
Value matchMean(Value value) {
  auto reduce = value.getDefiningOp<ReduceOp>();
  if (!reduce || reduce.getKind() != ReduceKind::Mean || !reduce.getKeepdims())
    return {};
  int64_t last = rankOf(reduce.getX()) - 1;
  return reduce.getAxes() == ArrayRef<int64_t>(last) ? reduce.getX() : Value();
}

/// x where the value is x squared.
Value matchSquare(Value value) {
  if (auto pow = value.getDefiningOp<PowOp>())
    return isScalar(pow.getB(), 2.0) ? pow.getA() : Value();
  auto mul = value.getDefiningOp<MulOp>();
  return mul && mul.getA() == mul.getB() ? mul.getA() : Value();
}

/// y where the value is sqrt(y).
Value matchRoot(Value value) {
  if (auto root = value.getDefiningOp<SqrtOp>())
    return root.getX();
  auto pow = value.getDefiningOp<PowOp>();
  return pow && isScalar(pow.getB(), 0.5) ? pow.getA() : Value();
}

/// y where the value is 1 / sqrt(y).
Value matchReciprocalRoot(Value value) {
  if (auto root = value.getDefiningOp<RsqrtOp>())
    return root.getX();
  if (auto reciprocal = value.getDefiningOp<ReciprocalOp>())
    return matchRoot(reciprocal.getX());
  if (auto div = value.getDefiningOp<DivOp>())
    return isScalar(div.getA(), 1.0) ? matchRoot(div.getB()) : Value();
  auto pow = value.getDefiningOp<PowOp>();
  return pow && isScalar(pow.getB(), -0.5) ? pow.getA() : Value();
}

/// A norm before its weight and bias: x, and the value that is normalized.
struct Core {
  Value x;
  double epsilon;
  bool centered;
};

/// Whether `variance` is the variance of x along its last axis.
bool isVariance(Value variance, Value x, Value centered) {
  if (Value square = matchMean(variance))
    return matchSquare(square) == centered;
  // E[x^2] - E[x]^2
  auto sub = variance.getDefiningOp<SubOp>();
  if (!sub)
    return false;
  Value square = matchMean(sub.getA()), mean = matchSquare(sub.getB());
  return square && mean && matchSquare(square) == x && matchMean(mean) == x;
}

std::optional<Core> matchCore(Value value) {
  Value numerator, underRoot;
  if (auto div = value.getDefiningOp<DivOp>()) {
    numerator = div.getA();
    underRoot = matchRoot(div.getB());
  } else if (auto match = matchCommuted<MulOp>(value, [](Value operand) {
               return static_cast<bool>(matchReciprocalRoot(operand));
             })) {
    numerator = match->first;
    underRoot = matchReciprocalRoot(match->second);
  }
  if (!underRoot || numerator.getType() != value.getType())
    return std::nullopt;
  auto sum = matchCommuted<AddOp>(underRoot, [](Value operand) {
    return scalarConstant(operand).has_value();
  });
  if (!sum)
    return std::nullopt;
  double epsilon = *scalarConstant(sum->second);
  if (auto sub = numerator.getDefiningOp<SubOp>();
      sub && matchMean(sub.getB()) == sub.getA()) {
    if (!isVariance(sum->first, sub.getA(), numerator))
      return std::nullopt;
    return Core{sub.getA(), epsilon, /*centered=*/true};
  }
  Value square = matchMean(sum->first);
  if (!square || matchSquare(square) != numerator)
    return std::nullopt;
  return Core{numerator, epsilon, /*centered=*/false};
}

class NormMatcher {
public:
  explicit NormMatcher(Operation *root) : rewriter(root) {}

  void run(Operation *root) {
    SmallVector<Operation *> ops;
    root->walk([&](Operation *op) {
      if (isa<MulOp, DivOp>(op))
        ops.push_back(op);
    });
    for (Operation *op : ops)
      rewrite(op->getResult(0));
    rewriter.eraseDead();
  }

private:
  /// The vector of `size` elements that a weight is, of whatever rank.
  Value asVector(OpBuilder &builder, Location loc, Value weight, int64_t size) {
    auto type = cast<RankedTensorType>(weight.getType());
    if (!weights.isWeight(weight) || type.getNumElements() != size ||
        (size != 1 && type.getShape().back() != size))
      return {};
    return buildReshape(builder, loc, weight, {DimExpr::constant(size)},
                        rewriter.shapes);
  }

  /// The only user of `value` if it combines it with a weight vector.
  template <typename OpTy> OpTy userWithVector(Value value, int64_t size) {
    auto user = dyn_cast_or_null<OpTy>(onlyReaderOf(value));
    if (!user || user.getType() != value.getType())
      return {};
    Value other = user.getA() == value ? user.getB() : user.getA();
    auto type = cast<RankedTensorType>(other.getType());
    bool isVector = type.getRank() > 0 && type.getShape().back() == size &&
                    type.hasStaticShape() && type.getNumElements() == size;
    return isVector && weights.isWeight(other) ? user : OpTy();
  }

  void rewrite(Value value) {
    std::optional<Core> core = matchCore(value);
    auto type = cast<RankedTensorType>(value.getType());
    if (!core || value.use_empty() || type.getRank() == 0 ||
        type.isDynamicDim(type.getRank() - 1))
      return;
    int64_t size = type.getShape().back();
    // The result may be narrowed before the weight multiplies it.
    Value normalized = value;
    if (auto narrow = dyn_cast_or_null<CastOp>(onlyReaderOf(value));
        narrow && !narrow.getBitcast() && isa<FloatType>(elementTypeOf(narrow)))
      normalized = narrow;
    Value x = core->x;
    if (elementTypeOf(normalized) != elementTypeOf(x)) {
      x = stripWidening(x);
      if (elementTypeOf(x) != elementTypeOf(normalized)) {
        normalized = value;
        x = core->x;
      }
    }
    Value last = normalized, gamma, beta;
    auto mul = userWithVector<MulOp>(normalized, size);
    if (mul) {
      gamma = mul.getA() == normalized ? mul.getB() : mul.getA();
      last = mul;
      if (core->centered)
        if (auto add = userWithVector<AddOp>(last, size)) {
          beta = add.getA() == last ? add.getB() : add.getA();
          last = add;
        }
    }
    OpBuilder builder(last.getDefiningOp());
    Location loc = last.getLoc();
    if (gamma)
      gamma = asVector(builder, loc, gamma, size);
    else
      gamma = ConstantOp::create(
          builder, loc,
          DenseElementsAttr::get(RankedTensorType::get(size, elementTypeOf(x)),
                                 builder.getFloatAttr(elementTypeOf(x), 1.0)));
    if (beta)
      beta = asVector(builder, loc, beta, size);
    if (!gamma)
      return;
    Operation *norm;
    if (core->centered)
      norm = LayerNormOp::create(builder, loc, x, gamma, beta, core->epsilon);
    else
      norm = RmsNormOp::create(builder, loc, x, gamma, core->epsilon);
    rewriter.replace(last, norm->getResult(0));
  }

  GraphRewriter rewriter;
  WeightAnalysis weights;
};

struct RecognizeNormsPass
    : ingot::impl::RecognizeNormsBase<RecognizeNormsPass> {
  void runOnOperation() override {
    NormMatcher(getOperation()).run(getOperation());
  }
};

} // namespace
