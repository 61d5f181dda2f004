//===- FuseElementwise.cpp - fuse chains of elementwise ops ---------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Transforms/Passes.h"

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

struct FuseElementwisePass
    : ingot::impl::FuseElementwiseBase<FuseElementwisePass> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    RewritePatternSet patterns(context);
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
    (void)applyPatternsGreedily(getOperation(), std::move(patterns));
  }
};

} // namespace
