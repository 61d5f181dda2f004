//===- RecognizeActivations.cpp - find gelu and silu in primitives --------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Matchers.h"
#include "ingot/Transforms/Recognition.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#include <cmath>

namespace ingot {
#define GEN_PASS_DEF_RECOGNIZEACTIVATIONS
#include "lib/Transforms/Recognition/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot;

namespace {

/// A product as its factors and the number that its constants multiply to.
struct Product {
  double constant = 1.0;
  SmallVector<Value> factors;
};

/// The factors of a product are looked for no deeper than this: gelu is
/// written with two products, three with its constant apart.
constexpr unsigned maxProductDepth = 3;

void flatten(Value value, unsigned depth, Product &product) {
  if (std::optional<Scaled> scaled = matchScaled(value)) {
    product.constant *= scaled->factor;
    return flatten(scaled->x, depth, product);
  }
  auto mul = value.getDefiningOp<MulOp>();
  if (!mul || depth == 0) {
    product.factors.push_back(value);
    return;
  }
  flatten(mul.getA(), depth - 1, product);
  flatten(mul.getB(), depth - 1, product);
}

/// `x` where the value is x + c.
Value matchPlus(Value value, double c) {
  auto match = matchCommuted<AddOp>(
      value, [&](Value operand) { return isScalar(operand, c); });
  return match ? match->first : Value();
}

bool isTimes(Value value, Value x, double factor) {
  std::optional<Scaled> scaled = matchScaled(value);
  return scaled && scaled->x == x &&
         isClose(scaled->factor, factor, elementTypeOf(value));
}

/// x * x * x
bool isCube(Value value, Value x) {
  if (auto pow = value.getDefiningOp<PowOp>())
    return pow.getA() == x && isScalar(pow.getB(), 3.0);
  Product product;
  flatten(value, 2, product);
  return product.constant == 1.0 && product.factors.size() == 3 &&
         llvm::all_equal(product.factors) && product.factors[0] == x;
}

/// x + 0.044715 * x^3
bool isTanhPolynomial(Value value, Value x) {
  Value rest = otherOperand<AddOp>(value, x);
  if (!rest)
    return false;
  if (std::optional<Scaled> scaled = matchScaled(rest))
    return isClose(scaled->factor, 0.044715, elementTypeOf(rest)) &&
           isCube(scaled->x, x);
  // The constant may sit beside one of the three factors.
  Product product;
  flatten(rest, 2, product);
  return isClose(product.constant, 0.044715, elementTypeOf(rest)) &&
         product.factors.size() == 3 &&
         llvm::all_of(product.factors, [&](Value f) { return f == x; });
}

/// Which gelu of `x` the value 1 + f(x) belongs to.
std::optional<GeluKind> geluGate(Value gate, Value x) {
  Value inner = matchPlus(gate, 1.0);
  if (!inner)
    return std::nullopt;
  if (auto erf = inner.getDefiningOp<ErfOp>())
    return isTimes(erf.getX(), x, M_SQRT1_2) ? std::optional(GeluKind::Erf)
                                             : std::nullopt;
  auto tanh = inner.getDefiningOp<TanhOp>();
  std::optional<Scaled> scaled = tanh ? matchScaled(tanh.getX()) : std::nullopt;
  if (!scaled ||
      !isClose(scaled->factor, std::sqrt(M_2_PI), elementTypeOf(tanh.getX())))
    return std::nullopt;
  return isTanhPolynomial(scaled->x, x) ? std::optional(GeluKind::Tanh)
                                        : std::nullopt;
}

/// 0.5 * x * (1 + f(x)), in any nesting.
struct RecognizeGelu : OpRewritePattern<MulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(MulOp op,
                                PatternRewriter &rewriter) const override {
    if (!isa<FloatType>(elementTypeOf(op)))
      return rewriter.notifyMatchFailure(op, "not of floats");
    Product product;
    flatten(op, maxProductDepth, product);
    if (product.factors.size() != 2)
      return rewriter.notifyMatchFailure(op, "not a product of two values");
    if (!isClose(product.constant, 0.5, elementTypeOf(op)))
      return rewriter.notifyMatchFailure(op, "the constant is not one half");
    for (unsigned i : {0, 1}) {
      Value x = product.factors[i], gate = product.factors[1 - i];
      std::optional<GeluKind> kind = geluGate(gate, x);
      if (!kind || x.getType() != op.getType())
        continue;
      rewriter.replaceOpWithNewOp<GeluOp>(op, op.getType(), x, *kind);
      return success();
    }
    return rewriter.notifyMatchFailure(op, "no factor is 1 + erf or tanh");
  }
};

/// x * sigmoid(x)
struct RecognizeSilu : OpRewritePattern<MulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(MulOp op,
                                PatternRewriter &rewriter) const override {
    for (auto [x, gate] :
         {std::pair(op.getA(), op.getB()), std::pair(op.getB(), op.getA())}) {
      auto sigmoid = gate.getDefiningOp<SigmoidOp>();
      if (!sigmoid || sigmoid.getX() != x || x.getType() != op.getType())
        continue;
      rewriter.replaceOpWithNewOp<SiluOp>(op, op.getType(), x);
      return success();
    }
    return rewriter.notifyMatchFailure(op, "not a value times its sigmoid");
  }
};

struct RecognizeActivationsPass
    : ingot::impl::RecognizeActivationsBase<RecognizeActivationsPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<RecognizeGelu, RecognizeSilu>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
