//===- RecomputeStages.cpp - stages that each worker runs for itself ------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/IngotOps.h"
#include "dialects/Mega/IR/MegaOps.h"
#include "ingot/Transforms/Schedule.h"

#include "mlir/Dialect/MemRef/Utils/MemRefUtils.h"

namespace ingot {
#define GEN_PASS_DEF_RECOMPUTESTAGES
#include "lib/Transforms/Schedule/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot::mega;

namespace {

/// Index spaces that a worker runs one after the other; of more, it is better
/// that every worker runs some.
constexpr unsigned maxSpaces = 4;

/// The allocation that `buffer` is a view of, or null.
memref::AllocOp allocOf(MemrefValue buffer) {
  return memref::skipViewLikeOps(buffer).getDefiningOp<memref::AllocOp>();
}

/// Adds ops of the program that `op`'s results reach through pure ops, and
/// `op` itself. Fails if the results reach anything but those and accesses.
LogicalResult collectPure(Operation *op,
                          llvm::SetVector<Operation *> &reached) {
  if (!reached.insert(op))
    return success();
  for (Operation *user : op->getUsers()) {
    if (isa<AccessOp, memref::LoadOp>(user) || user->getParentOfType<TilesOp>())
      continue;
    if (!isMemoryEffectFree(user) || failed(collectPure(user, reached)))
      return failure();
  }
  return success();
}

/// Whether `value` is known before the program computes anything: it comes from
/// its arguments and pure ops, and not from the contents or the size of a
/// buffer that the program makes.
bool isKnownBefore(Value value, llvm::SmallPtrSetImpl<Operation *> &seen) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return isa<ProgramOp>(value.getParentBlock()->getParentOp());
  if (!seen.insert(op).second)
    return true;
  return isMemoryEffectFree(op) &&
         llvm::all_of(op->getOperands(), [&](Value operand) {
           return isKnownBefore(operand, seen);
         });
}

/// The accesses of `buffer` and its views.
void collectAccesses(Value buffer, SmallVectorImpl<AccessOp> &accesses) {
  for (Operation *user : buffer.getUsers()) {
    if (auto access = dyn_cast<AccessOp>(user))
      accesses.push_back(access);
    else if (auto view = dyn_cast<ViewLikeOpInterface>(user))
      if (view.getViewSource() == buffer)
        collectAccesses(view->getResult(0), accesses);
  }
}

struct RecomputeStagesPass
    : ingot::impl::RecomputeStagesBase<RecomputeStagesPass> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    SmallVector<StageOp> stages;
    getOperation().walk([&](StageOp stage) { stages.push_back(stage); });
    for (StageOp stage : stages) {
      llvm::SetVector<memref::AllocOp> written;
      if (mayHaveFewTiles(stage) && writesOwnBuffers(stage, written))
        recompute(stage, written, rewriter);
    }
  }

private:
  static bool mayHaveFewTiles(StageOp stage) {
    auto spaces = llvm::to_vector(stage.getTiles());
    return spaces.size() <= maxSpaces &&
           llvm::all_of(spaces, [](TilesOp tiles) {
             return llvm::all_of_zip(tiles.getStaticExtents(),
                                     tiles.getStaticSteps(),
                                     [](int64_t extent, int64_t step) {
                                       return ShapedType::isDynamic(extent) ||
                                              ShapedType::isDynamic(step) ||
                                              extent <= step;
                                     }) &&
                    llvm::all_of(tiles->getOperands(), [](Value operand) {
                      llvm::SmallPtrSet<Operation *, 16> seen;
                      return isKnownBefore(operand, seen);
                    });
           });
  }

  /// Whether all that the stage does to memory from outside is to read buffers
  /// and to write allocations that nothing else writes; gathers these.
  static bool writesOwnBuffers(StageOp stage,
                               llvm::SetVector<memref::AllocOp> &written) {
    WalkResult result = stage.walk([&](Operation *op) {
      if (auto access = dyn_cast<AccessOp>(op)) {
        if (!access.mayWrite())
          return WalkResult::advance();
        memref::AllocOp alloc = allocOf(access.getSource());
        if (!alloc || !isWrittenIn(alloc, stage))
          return WalkResult::interrupt();
        written.insert(alloc);
        return WalkResult::advance();
      }
      return isLocal(op) ? WalkResult::advance() : WalkResult::interrupt();
    });
    return !result.wasInterrupted() && !written.empty();
  }

  /// Whether `op` checks nothing and touches nothing but buffers.
  static bool isLocal(Operation *op) {
    if (isa<ingot::CheckOp>(op))
      return false;
    auto effects = dyn_cast<MemoryEffectOpInterface>(op);
    if (!effects)
      return op->hasTrait<OpTrait::HasRecursiveMemoryEffects>() ||
             isMemoryEffectFree(op);
    SmallVector<MemoryEffects::EffectInstance> instances;
    effects.getEffects(instances);
    return llvm::all_of(
        instances, [](const MemoryEffects::EffectInstance &effect) {
          return effect.getValue() &&
                 isa<BaseMemRefType>(effect.getValue().getType());
        });
  }

  /// Whether every access that writes `alloc` stands in `stage`, and every
  /// other one behind it.
  static bool isWrittenIn(memref::AllocOp alloc, StageOp stage) {
    SmallVector<AccessOp> accesses;
    collectAccesses(alloc, accesses);
    Block *block = stage->getBlock();
    return alloc->getBlock() == block &&
           llvm::all_of(accesses, [&](AccessOp access) {
             Operation *user = block->findAncestorOpInBlock(*access);
             return user == stage || (user && !access.mayWrite() &&
                                      stage->isBeforeInBlock(user));
           });
  }

  static void recompute(StageOp stage,
                        const llvm::SetVector<memref::AllocOp> &written,
                        IRRewriter &rewriter) {
    // What is known of the buffers moves behind the condition.
    llvm::SetVector<Operation *> reached;
    for (memref::AllocOp alloc : written)
      if (failed(collectPure(alloc, reached)))
        return;
    SmallVector<Operation *> moved;
    for (Operation *op : reached)
      if (op->getBlock() == stage->getBlock() && op->isBeforeInBlock(stage))
        moved.push_back(op);
    llvm::sort(moved, [](Operation *a, Operation *b) {
      return a->isBeforeInBlock(b);
    });
    rewriter.setInsertionPoint(stage);
    Value few = hasFewTiles(stage, rewriter);
    for (Operation *op : moved)
      rewriter.moveOpBefore(op, stage);
    for (memref::AllocOp alloc : written) {
      rewriter.setInsertionPoint(alloc);
      rewriter.replaceOpWithNewOp<AllocEachOp>(alloc, alloc.getType(), few,
                                               alloc.getDynamicSizes());
    }
    stage.getEachMutable().assign(few);
  }

  /// True if no space has more than one tile.
  static Value hasFewTiles(StageOp stage, OpBuilder &b) {
    Location loc = stage.getLoc();
    Value all;
    auto join = [&](Value holds) {
      all = all ? b.createOrFold<arith::AndIOp>(loc, all, holds) : holds;
    };
    for (TilesOp tiles : stage.getTiles())
      for (auto [extent, step] :
           llvm::zip_equal(tiles.getMixedExtents(), tiles.getMixedSteps()))
        if (isa<Value>(extent) || isa<Value>(step))
          join(b.createOrFold<arith::CmpIOp>(
              loc, arith::CmpIPredicate::ule,
              getValueOrCreateConstantIndexOp(b, loc, extent),
              getValueOrCreateConstantIndexOp(b, loc, step)));
    return all ? all
               : Value(arith::ConstantOp::create(b, loc, b.getBoolAttr(true)));
  }
};

} // namespace
