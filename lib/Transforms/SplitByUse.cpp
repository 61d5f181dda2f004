//===- SplitByUse.cpp - what is used in parts is made in parts ------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Transforms/Passes.h"
#include "lib/Transforms/Parts.h"
#include "lib/Transforms/SliceViews.h"
#include "lib/Transforms/TileSizes.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/IR/Iterators.h"

namespace ingot {
#define GEN_PASS_DEF_SPLITBYUSE
#include "lib/Transforms/Passes.h.inc"
} // namespace ingot

using namespace mlir;

namespace {

/// Whether at most sizes of `op`'s results are asked for.
bool isUnused(Operation *op) {
  return op->getNumResults() != 0 &&
         llvm::all_of(op->getUsers(), llvm::IsaPred<tensor::DimOp>);
}

/// The slices that are all that is used of `op`'s result; none if there are
/// other users.
SmallVector<tensor::ExtractSliceOp> slicesOf(Operation *op) {
  SmallVector<tensor::ExtractSliceOp> slices;
  for (Operation *user : op->getUsers()) {
    if (isa<tensor::DimOp>(user) ||
        (isMemoryEffectFree(user) && isUnused(user)))
      continue;
    auto slice = dyn_cast<tensor::ExtractSliceOp>(user);
    if (!slice || !slice.hasUnitStride() ||
        slice.getType().getRank() != slice.getSourceType().getRank())
      return {};
    slices.push_back(slice);
  }
  return slices;
}

struct SplitByUsePass : ingot::impl::SplitByUseBase<SplitByUsePass> {
  void runOnOperation() override {
    func::FuncOp func = getOperation();
    if (func.isExternal())
      return;
    RewritePatternSet patterns(&getContext());
    ingot::populateSliceViewPatterns(patterns);
    tensor::populateMergeConsecutiveInsertExtractSlicePatterns(patterns);
    tensor::ExtractSliceOp::getCanonicalizationPatterns(patterns,
                                                        &getContext());
    tensor::ExpandShapeOp::getCanonicalizationPatterns(patterns, &getContext());
    tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns,
                                                         &getContext());
    // The sweep ends in a fixed point; stopping early leaves correct IR.
    (void)applyPatternsGreedily(func, std::move(patterns));

    IRRewriter rewriter(&getContext());
    // Parts of an op take parts of its operands: users come first.
    func.walk<WalkOrder::PostOrder, ReverseIterator>([&](Operation *op) {
      auto producer = dyn_cast<TilingInterface>(op);
      if (producer && isa<func::FuncOp, scf::ForOp>(op->getParentOp()))
        split(producer, rewriter);
    });
    RewritePatternSet cleanup(&getContext());
    tensor::populateFoldTensorEmptyPatterns(cleanup);
    (void)applyPatternsGreedily(func, std::move(cleanup));
  }

private:
  static void split(TilingInterface producer, IRRewriter &rewriter) {
    if (!isa<DestinationStyleOpInterface>(producer.getOperation()) ||
        producer->getNumResults() != 1)
      return;
    SmallVector<tensor::ExtractSliceOp> slices = slicesOf(producer);
    if (slices.size() < 2)
      return;
    for (auto [i, slice] : llvm::enumerate(slices)) {
      if (!mayBeCut(producer, slice))
        return;
      for (tensor::ExtractSliceOp other : ArrayRef(slices).take_front(i))
        if (!ingot::areApart(slice, other))
          return;
    }
    for (tensor::ExtractSliceOp slice : slices) {
      rewriter.setInsertionPointAfter(producer);
      // Where it begins and ends is known, if not by the op itself.
      auto movesUp = [&](OpFoldResult value) {
        auto known = dyn_cast<Value>(value);
        Operation *def = known ? known.getDefiningOp() : nullptr;
        return !def || def->isBeforeInBlock(producer);
      };
      if (!llvm::all_of(slice.getMixedOffsets(), movesUp) ||
          !llvm::all_of(slice.getMixedSizes(), movesUp))
        rewriter.setInsertionPoint(slice);
      FailureOr<TilingResult> part =
          tensor::replaceExtractSliceWithTiledProducer(rewriter, slice,
                                                       producer->getResult(0));
      if (failed(part))
        continue;
      rewriter.replaceOp(slice, part->tiledValues.front());
    }
  }

  /// Whether the part is one of the op's tiles.
  static bool mayBeCut(TilingInterface producer, tensor::ExtractSliceOp slice) {
    SmallVector<utils::IteratorType> loops = producer.getLoopIteratorTypes();
    SmallVector<int64_t> units = ingot::tileUnits(producer);
    auto linalgOp = dyn_cast<linalg::LinalgOp>(producer.getOperation());
    for (int64_t dim = 0; dim < slice.getSourceType().getRank(); ++dim) {
      OpFoldResult offset = slice.getMixedOffsets()[dim];
      OpFoldResult size = slice.getMixedSizes()[dim];
      if (isZeroInteger(offset) && slice.getType().getDimSize(dim) ==
                                       slice.getSourceType().getDimSize(dim))
        continue;
      std::optional<int64_t> begin = getConstantIntValue(offset);
      if (!begin || !getConstantIntValue(size))
        return false;
      if (linalgOp)
        continue;
      if (loops[dim] != utils::IteratorType::parallel ||
          *begin % units[dim] != 0)
        return false;
    }
    return !linalgOp || linalgOp.getNumReductionLoops() == 0 ||
           ingot::isContraction(linalgOp);
  }
};

} // namespace
