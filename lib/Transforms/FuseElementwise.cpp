//===- FuseElementwise.cpp - fuse chains of elementwise ops ---------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Transforms/Passes.h"
#include "lib/Transforms/Checks.h"

#include "mlir/Dialect/Linalg/Transforms/Transforms.h"

namespace ingot {
#define GEN_PASS_DEF_FUSEELEMENTWISE
#include "lib/Transforms/Passes.h.inc"
} // namespace ingot

using namespace mlir;

namespace {

/// More operands than this in one generic cost more registers than the fusion
/// saves in memory traffic.
constexpr unsigned maxFusedOperands = 12;

/// Fuses only where the producer disappears, so that nothing is computed
/// twice.
bool shouldFuse(OpOperand *operand) {
  Operation *producer = operand->get().getDefiningOp();
  Operation *consumer = operand->getOwner();
  if (!producer || producer->getBlock() != consumer->getBlock())
    return false;
  if (!llvm::all_of(producer->getUsers(),
                    [&](Operation *user) { return user == consumer; }))
    return false;
  return producer->getNumOperands() + consumer->getNumOperands() <=
         maxFusedOperands;
}

/// A reshape moves through an elementwise generic only when the tensor beyond
/// it has no other use; otherwise both shapes stay alive.
bool shouldMoveReshape(OpOperand *operand) {
  Operation *producer = operand->get().getDefiningOp();
  return producer && producer->hasOneUse() &&
         producer->getBlock() == operand->getOwner()->getBlock();
}

/// Ops whose values nobody needs from the first: they are there for their
/// checks, also once they are written in another way.
struct Unneeded : RewriterBase::Listener {
  llvm::SmallPtrSet<Operation *, 8> ops;

  void notifyOperationReplaced(Operation *op, ValueRange values) override {
    if (!ops.erase(op))
      return;
    for (Value value : values)
      if (Operation *other = value ? value.getDefiningOp() : nullptr)
        ops.insert(other);
  }
  void notifyOperationErased(Operation *op) override { ops.erase(op); }
};

/// What checks its values and was fused into whoever needs them is gone.
struct EraseFused : OpRewritePattern<linalg::GenericOp> {
  EraseFused(MLIRContext *context, Unneeded &unneeded)
      : OpRewritePattern(context, /*benefit=*/10), unneeded(unneeded) {}

  LogicalResult matchAndRewrite(linalg::GenericOp op,
                                PatternRewriter &rewriter) const override {
    if (!op->use_empty() || !ingot::checksValues(op) ||
        unneeded.ops.contains(op))
      return failure();
    rewriter.eraseOp(op);
    return success();
  }

  Unneeded &unneeded;
};

struct FuseElementwisePass
    : ingot::impl::FuseElementwiseBase<FuseElementwisePass> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    Unneeded unneeded;
    getOperation().walk([&](linalg::GenericOp op) {
      if (op->use_empty())
        unneeded.ops.insert(op);
    });
    RewritePatternSet patterns(context);
    patterns.add<EraseFused>(context, unneeded);
    linalg::populateElementwiseOpsFusionPatterns(patterns, shouldFuse);
    linalg::populateFoldReshapeOpsByCollapsingPatterns(patterns,
                                                       shouldMoveReshape);
    linalg::populateEraseUnusedOperandsAndResultsPatterns(patterns);
    linalg::GenericOp::getCanonicalizationPatterns(patterns, context);
    tensor::ExpandShapeOp::getCanonicalizationPatterns(patterns, context);
    tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns, context);
    tensor::EmptyOp::getCanonicalizationPatterns(patterns, context);
    context->getLoadedDialect<linalg::LinalgDialect>()
        ->getCanonicalizationPatterns(patterns);
    // The sweep ends in a fixed point; stopping early leaves correct IR.
    GreedyRewriteConfig config;
    config.setListener(&unneeded);
    (void)applyPatternsGreedily(getOperation(), std::move(patterns), config);
  }
};

} // namespace
