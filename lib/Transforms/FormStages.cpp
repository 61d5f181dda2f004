//===- FormStages.cpp - tensor ops to loops over tiles --------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Transforms/Passes.h"
#include "lib/Transforms/StageInfo.h"
#include "lib/Transforms/TileSizes.h"

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

/// The producer that decides how the stage rooted at `root` is cut: a
/// contraction reached through single-use operands with the same indexing, or
/// the root itself.
TilingInterface tileLeader(TilingInterface root) {
  Operation *op = root;
  while (!ingot::isContraction(op)) {
    auto generic = dyn_cast<linalg::LinalgOp>(op);
    if (!generic || generic.getNumReductionLoops() != 0)
      return root;
    Operation *next = nullptr;
    for (OpOperand *input : generic.getDpsInputOperands()) {
      Operation *producer = input->get().getDefiningOp();
      if (producer && producer->hasOneUse() && isa<TilingInterface>(producer) &&
          generic.getMatchingIndexingMap(input).isIdentity() &&
          producer->getBlock() == op->getBlock() &&
          (!next || ingot::isContraction(producer)))
        next = producer;
    }
    if (!next)
      return root;
    op = next;
  }
  return cast<TilingInterface>(op);
}

/// Tile sizes of `root`: those of its leader, whose outer parallel loops are
/// the root's loops.
SmallVector<int64_t> tileSizesFor(TilingInterface root) {
  TilingInterface leader = tileLeader(root);
  SmallVector<int64_t> sizes = ingot::chooseTileSizes(leader);
  if (leader == root)
    return sizes;
  SmallVector<int64_t> outer;
  for (auto [type, size] : llvm::zip(leader.getLoopIteratorTypes(), sizes))
    if (type == utils::IteratorType::parallel)
      outer.push_back(size);
  if (outer.size() != root.getLoopIteratorTypes().size())
    return ingot::chooseTileSizes(root);
  return outer;
}

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
  bool rootIsParallel;

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
      if (op->getBlock() != loop->getBlock())
        return std::nullopt;
      for (Operation *user : op->getUsers())
        // Sizes are resolved to those of the function's arguments later on.
        if (!members.contains(user) && !loop->isProperAncestor(user) &&
            !isa<tensor::DimOp>(user))
          return std::nullopt;
      // Tiles that read the same part of the producer would compute it
      // twice.
      if (usedInductionVars(slice, loop).size() != loop.getRank())
        return std::nullopt;
      if (ingot::isContraction(op) && !rootIsParallel)
        return std::nullopt;
    }
    members.insert(op);
    return scf::SCFTileAndFuseOptions::ControlFnResult{};
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
        if (isa<TilingInterface>(op) && op.getNumResults() != 0)
          candidates.push_back(&op);
    };
    for (auto loop : func.getBody().front().getOps<scf::ForOp>())
      addCandidates(*loop.getBody());
    addCandidates(func.getBody().front());
    // What stages cost is known of whole tensors, before they are cut.
    ingot::StageInfo info(func);
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
    DominanceInfo dominance(func);
    eliminateCommonSubExpressions(rewriter, dominance, func);
  }

  /// True if nothing needs `op`'s values; its sizes may still be asked for.
  static bool isDead(Operation *op) {
    return llvm::all_of(op->getUsers(), [](Operation *user) {
      return isa<tensor::DimOp>(user);
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
    SmallVector<int64_t> sizes = tileSizesFor(root);
    // One tile: the op is staged as a whole after bufferization.
    if (llvm::all_of(sizes, [](int64_t size) { return size == 0; }))
      return success();

    FusionControl control;
    control.members.insert(root);
    control.rootIsParallel =
        llvm::all_of(root.getLoopIteratorTypes(), [](utils::IteratorType t) {
          return t == utils::IteratorType::parallel;
        });
    scf::SCFTilingOptions tiling;
    tiling.setLoopType(scf::SCFTilingOptions::LoopType::ForallOp);
    tiling.setTileSizes(getAsIndexOpFoldResult(&getContext(), sizes));
    scf::SCFTileAndFuseOptions options;
    options.setTilingOptions(tiling);
    options.setFusionControlFn(
        [&](tensor::ExtractSliceOp slice, OpResult producer, bool isDest) {
          return control(slice, producer, isDest);
        });
    RewritePatternSet cleanup(&getContext());
    tensor::populateFoldTensorEmptyPatterns(cleanup);
    options.cleanupPatterns = std::move(cleanup);

    rewriter.setInsertionPoint(root);
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
};

} // namespace
