//===- FormStages.cpp - tensor ops to loops over tiles --------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Transforms/Passes.h"
#include "lib/Transforms/Checks.h"
#include "lib/Transforms/SliceViews.h"
#include "lib/Transforms/StageInfo.h"
#include "lib/Transforms/TileLeader.h"

#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/Transforms/TileUsingInterface.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/Transforms/CSE.h"

namespace ingot {
#define GEN_PASS_DEF_FORMSTAGES
#include "lib/Transforms/Passes.h.inc"
} // namespace ingot

using namespace mlir;

namespace {

/// The induction variables that `slice`'s offsets are computed from.
llvm::SmallPtrSet<Value, 4> usedInductionVars(tensor::ExtractSliceOp slice,
                                              scf::ForallOp loop) {
  llvm::SmallPtrSet<Value, 4> found;
  SmallVector<Value> worklist(slice.getOffsets());
  llvm::SmallPtrSet<Value, 16> seen;
  while (!worklist.empty()) {
    Value value = worklist.pop_back_val();
    if (!seen.insert(value).second)
      continue;
    if (auto arg = dyn_cast<BlockArgument>(value)) {
      if (arg.getOwner() == loop.getBody())
        found.insert(value);
      continue;
    }
    Operation *def = value.getDefiningOp();
    if (loop->isProperAncestor(def))
      llvm::append_range(worklist, def->getOperands());
  }
  return found;
}

/// Decides which producers join the stage of one root.
struct FusionControl {
  /// The root and every producer fused so far: their uses of a value go away.
  llvm::SetVector<Operation *> members;
  /// Whether tiles are cut where a contraction behind the root may be cut.
  bool followsLeader = false;

  std::optional<scf::SCFTileAndFuseOptions::ControlFnResult>
  operator()(tensor::ExtractSliceOp slice, OpResult producer, bool isDest) {
    Operation *op = producer.getOwner();
    auto loop = slice->getParentOfType<scf::ForallOp>();
    if (!isa<DestinationStyleOpInterface>(op) || !loop ||
        op->getNumResults() != 1)
      return std::nullopt;
    auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
    // A fill is free, whoever else wants it.
    bool isFill = linalgOp && linalgOp.getNumDpsInputs() <= 1 &&
                  llvm::none_of(linalgOp.getDpsInputs(), [](Value in) {
                    return isa<ShapedType>(in.getType());
                  });
    if (!isFill) {
      // What is made in front of a loop is made once.
      if (op->getBlock() != loop->getBlock() || !haveJoined(op, loop))
        return std::nullopt;
      // Tiles that read the same part of the producer would compute it
      // twice.
      int64_t used = usedInductionVars(slice, loop).size();
      if (used != loop.getRank())
        return std::nullopt;
      // A contraction is not cut in fewer dims than it asks for, and what is
      // done to each of its elements stays with it.
      std::optional<ingot::LeaderTile> tile = ingot::leaderTile(op);
      if (tile && (!followsLeader || used < tile->cutDims))
        return std::nullopt;
    }
    members.insert(op);
    return scf::SCFTileAndFuseOptions::ControlFnResult{};
  }

private:
  /// Whether all users of `op`, through reshapes, are members or in the loop.
  bool haveJoined(Operation *op, scf::ForallOp loop) {
    return llvm::all_of(op->getUsers(), [&](Operation *user) {
      if (isa<tensor::ExpandShapeOp>(user) && !loop->isProperAncestor(user))
        return haveJoined(user, loop);
      // Sizes are resolved to those of the function's arguments later on.
      return members.contains(user) || loop->isProperAncestor(user) ||
             isa<tensor::DimOp>(user);
    });
  }
};

struct FormStagesPass : ingot::impl::FormStagesBase<FormStagesPass> {
  void runOnOperation() override {
    func::FuncOp func = getOperation();
    if (func.isExternal())
      return;
    if (failed(decomposeForTiling(func)))
      return signalPassFailure();

    IRRewriter rewriter(&getContext());
    dropEmptyLoops(rewriter, func);
    SmallVector<Operation *> candidates;
    auto addCandidates = [&](Block &block) {
      for (Operation &op : llvm::reverse(block))
        if (isa<TilingInterface>(op))
          candidates.push_back(&op);
    };
    for (auto loop : func.getBody().front().getOps<scf::ForOp>())
      addCandidates(*loop.getBody());
    addCandidates(func.getBody().front());
    // What stages cost is known of whole tensors, before they are cut.
    ingot::StageInfo info(func);
    // What nobody needs from the first is there for its checks. What checks its
    // values and is needed no more once a stage makes them is made there alone.
    SmallVector<Operation *> checking;
    for (Operation *op : candidates)
      if (!isDead(op) && ingot::checksValues(op))
        checking.push_back(op);
    // Consumers come first: a producer that every consumer absorbed is dead
    // when its turn comes.
    for (Operation *op : candidates) {
      if (isDead(op))
        continue;
      if (failed(formStage(rewriter, cast<TilingInterface>(op), info)))
        return signalPassFailure();
    }
    RewritePatternSet patterns(&getContext());
    memref::populateResolveRankedShapedTypeResultDimsPatterns(patterns);
    memref::populateResolveShapedTypeResultDimsPatterns(patterns);
    tensor::DimOp::getCanonicalizationPatterns(patterns, &getContext());
    if (failed(applyPatternsGreedily(func, std::move(patterns))))
      return signalPassFailure();
    for (Operation *op : checking)
      if (op->use_empty())
        rewriter.eraseOp(op);
    DominanceInfo dominance(func);
    eliminateCommonSubExpressions(rewriter, dominance, func);
  }

  /// True if nothing needs `op`, which is there for its values alone, or a view
  /// of them; its sizes may still be asked for.
  static bool isDead(Operation *op) {
    return op->getNumResults() != 0 &&
           llvm::all_of(op->getUsers(), [](Operation *user) {
             return isa<tensor::DimOp>(user) ||
                    (isa<tensor::ExpandShapeOp>(user) && isDead(user));
           });
  }

  /// Rewrites ops without a tiling of their own to ones that have it.
  LogicalResult decomposeForTiling(func::FuncOp func) {
    RewritePatternSet patterns(&getContext());
    tensor::populateDecomposeTensorConcatPatterns(patterns);
    linalg::populateDecomposePadPatterns(patterns);
    return applyPatternsGreedily(func, std::move(patterns));
  }

  /// Ops that never run leave what they were given to write to.
  static void dropEmptyLoops(IRRewriter &rewriter, func::FuncOp func) {
    func.walk([&](linalg::LinalgOp op) {
      if (op.hasPureTensorSemantics() &&
          llvm::is_contained(op.getStaticLoopRanges(), 0))
        rewriter.replaceOp(op, op.getDpsInits());
    });
  }

  LogicalResult formStage(IRRewriter &rewriter, TilingInterface root,
                          ingot::StageInfo &info) {
    FusionControl control;
    SmallVector<int64_t> sizes =
        ingot::stageTileSizes(root, control.followsLeader);
    // One tile: the op is staged as a whole after bufferization.
    if (llvm::all_of(sizes, [](int64_t size) { return size == 0; }))
      return success();

    control.members.insert(root);
    scf::SCFTilingOptions tiling;
    tiling.setLoopType(scf::SCFTilingOptions::LoopType::ForallOp);
    tiling.setTileSizes(getAsIndexOpFoldResult(&getContext(), sizes));
    RewritePatternSet patterns(&getContext());
    tensor::populateFoldTensorEmptyPatterns(patterns);
    ingot::populateSliceViewPatterns(patterns);
    FrozenRewritePatternSet cleanup(std::move(patterns));
    rewriter.setInsertionPoint(root);
    if (root->getNumResults() == 0)
      return formStageOfEffects(rewriter, root, tiling, cleanup, control, info);

    scf::SCFTileAndFuseOptions options;
    options.setTilingOptions(tiling);
    options.setFusionControlFn(
        [&](tensor::ExtractSliceOp slice, OpResult producer, bool isDest) {
          return control(slice, producer, isDest);
        });
    options.cleanupPatterns = cleanup;
    FailureOr<scf::SCFTileAndFuseResult> result =
        scf::tileConsumerAndFuseProducersUsingSCF(rewriter, root, options);
    // No known op refuses tiles of its own loops; the interface lets it.
    if (failed(result))
      return root->emitError("cannot be cut into tiles");
    if (!result->loops.empty())
      result->loops.front()->setLoc(info.locationOf(control.members));
    for (auto [from, to] : result->replacements)
      rewriter.replaceAllUsesWith(from, to);
    return success();
  }

  /// The same for an op that is there for what it does, which upstream's fusion
  /// does not take.
  static LogicalResult
  formStageOfEffects(IRRewriter &rewriter, TilingInterface root,
                     const scf::SCFTilingOptions &tiling,
                     const FrozenRewritePatternSet &cleanup,
                     FusionControl &control, ingot::StageInfo &info) {
    FailureOr<scf::SCFTilingResult> result =
        scf::tileUsingSCF(rewriter, root, tiling);
    if (failed(result) || result->loops.size() != 1)
      return root->emitError("cannot be cut into tiles");
    auto loop = cast<scf::ForallOp>(result->loops.front());
    while (fuseOneProducer(rewriter, loop, cleanup, control))
      ;
    loop->setLoc(info.locationOf(control.members));
    rewriter.eraseOp(root);
    return success();
  }

  /// Whether there was a producer to fuse.
  static bool fuseOneProducer(IRRewriter &rewriter, scf::ForallOp loop,
                              const FrozenRewritePatternSet &cleanup,
                              FusionControl &control) {
    auto slicesOf = [&] {
      SmallVector<Operation *> slices;
      loop->walk([&](tensor::ExtractSliceOp op) { slices.push_back(op); });
      return slices;
    };
    // Where it stops early the slices that are left are correct ones.
    (void)applyOpPatternsGreedily(slicesOf(), cleanup);
    for (Operation *op : slicesOf()) {
      auto slice = cast<tensor::ExtractSliceOp>(op);
      auto producer = dyn_cast<OpResult>(slice.getSource());
      if (!producer || loop->isAncestor(producer.getOwner()) ||
          !isa<TilingInterface>(producer.getOwner()) ||
          !control(slice, producer, /*isDest=*/false))
        continue;
      SmallVector<LoopLikeOpInterface> loops = {loop};
      if (scf::tileAndFuseProducerOfSlice(rewriter, slice, loops))
        return true;
    }
    return false;
  }
};

} // namespace
