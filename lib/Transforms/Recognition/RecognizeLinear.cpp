//===- RecognizeLinear.cpp - find products with weights -------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Matchers.h"
#include "ingot/Transforms/Recognition.h"

namespace ingot {
#define GEN_PASS_DEF_RECOGNIZELINEAR
#include "lib/Transforms/Recognition/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot;

namespace {

class LinearMatcher {
public:
  explicit LinearMatcher(Operation *root) : rewriter(root) {}

  void run(Operation *root) {
    SmallVector<MatmulOp> products;
    SmallVector<LinearOp> linears;
    root->walk([&](MatmulOp op) { products.push_back(op); });
    for (MatmulOp op : products)
      rewrite(op);
    root->walk([&](LinearOp op) { linears.push_back(op); });
    for (LinearOp op : linears)
      if (!op.getBias())
        takeBias(op);
    rewriter.eraseDead();
  }

private:
  void rewrite(MatmulOp op) {
    if (op->getNumResults() != 1 || op->use_empty() || rankOf(op.getB()) != 2 ||
        !weights.isWeight(op.getB()) || weights.isWeight(op.getA()) ||
        !isa<FloatType>(elementTypeOf(op.getA())) ||
        elementTypeOf(op->getResult(0)) != elementTypeOf(op.getA()))
      return;
    OpBuilder builder(op);
    auto linear =
        LinearOp::create(builder, op.getLoc(), op.getA(), op.getB(), Value());
    rewriter.replace(op->getResult(0), linear->getResult(0));
  }

  /// Where the only use adds a weight vector, the vector is the bias.
  void takeBias(LinearOp op) {
    Value product = op->getResult(0);
    auto add = dyn_cast_or_null<AddOp>(onlyReaderOf(product));
    if (!add || add.getType() != product.getType())
      return;
    Value bias = add.getA() == product ? add.getB() : add.getA();
    auto type = cast<RankedTensorType>(bias.getType());
    int64_t size = cast<RankedTensorType>(product.getType()).getShape().back();
    if (!weights.isWeight(bias) || type.getRank() == 0 ||
        type.getNumElements() != size || type.getShape().back() != size)
      return;
    OpBuilder builder(add);
    bias = buildReshape(builder, add.getLoc(), bias, {DimExpr::constant(size)},
                        rewriter.shapes);
    auto linear =
        LinearOp::create(builder, add.getLoc(), op.getX(), op.getW(), bias);
    rewriter.replace(add, linear->getResult(0));
  }

  GraphRewriter rewriter;
  WeightAnalysis weights;
};

struct RecognizeLinearPass
    : ingot::impl::RecognizeLinearBase<RecognizeLinearPass> {
  void runOnOperation() override {
    LinearMatcher(getOperation()).run(getOperation());
  }
};

} // namespace
