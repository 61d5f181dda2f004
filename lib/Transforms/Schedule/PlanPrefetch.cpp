//===- PlanPrefetch.cpp - weights fetched before the wait -----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Mega/IR/MegaOps.h"
#include "ingot/Transforms/Schedule.h"

#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Analysis/TopologicalSortUtils.h"
#include "mlir/Dialect/MemRef/Utils/MemRefUtils.h"
#include "mlir/IR/IRMapping.h"

namespace ingot {
#define GEN_PASS_DEF_PLANPREFETCH
#include "lib/Transforms/Schedule/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot::mega;

namespace {

// How much is fetched by default (the option `bytes`): 4 KiB, a page, behind
// which a core's own prefetcher begins anew; no more than a hundredth of a
// second-level cache of 512 KiB, and 64 lines, some three times as many as a
// core has on their way at once. Measured with two workers that read from
// memory as fast as it delivers (docs/benchmarks.md): 4 KiB neither win nor
// lose, 16 KiB lose 3 percent, since they take from what others still read.

/// How often what is fetched has to fit into the weights of a stage: a worker
/// of a large team begins with a tile of a few of that size, and where weights
/// are few they are in its cache anyway.
constexpr int64_t leastShare = 16;

int64_t bytesOf(MemRefType type) {
  return type.getNumElements() *
         llvm::divideCeil(type.getElementTypeBitWidth(), 8);
}

/// Whether `buffer` is a view of a weight of `program`.
bool isWeight(MemrefValue buffer, ProgramOp program) {
  auto argument = dyn_cast<BlockArgument>(memref::skipViewLikeOps(buffer));
  if (!argument || argument.getOwner() != &program.getProgram())
    return false;
  auto role = program.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                                   "ingot.role");
  return role && role.getValue() == "weight";
}

/// What tiles read of weights and no other tile does along some dim; of those
/// that are as large as `least`.
SmallVector<AccessOp> streamsOf(TilesOp tiles, ProgramOp program,
                                int64_t least) {
  SmallVector<AccessOp> streams;
  for (auto access : tiles.getBody().front().getOps<AccessOp>()) {
    auto type = cast<MemRefType>(access.getSource().getType());
    bool isOwn = llvm::any_of(access.getMixedOffsets(), [&](OpFoldResult at) {
      auto value = dyn_cast<Value>(at);
      return value && tiles.isInside(value);
    });
    if (!access.mayWrite() && isOwn && type.hasStaticShape() &&
        type.getElementType().isIntOrFloat() &&
        isWeight(access.getSource(), program) && bytesOf(type) >= least)
      streams.push_back(access);
  }
  return streams;
}

struct PlanPrefetchPass : ingot::impl::PlanPrefetchBase<PlanPrefetchPass> {
  using PlanPrefetchBase::PlanPrefetchBase;

  void runOnOperation() override {
    ProgramOp program = getOperation();
    if (bytes <= 0)
      return;
    SmallVector<StageOp> stages;
    program.walk([&](StageOp stage) { stages.push_back(stage); });
    for (StageOp stage : stages)
      if (!stage.getEach() && isWorthwhile(stage))
        plan(stage);
  }

private:
  bool isWorthwhile(StageOp stage) {
    llvm::SmallSetVector<Value, 4> weights;
    for (TilesOp tiles : stage.getTiles())
      for (AccessOp access : streamsOf(tiles, getOperation(), bytes))
        weights.insert(access.getSource());
    int64_t all = 0;
    for (Value weight : weights)
      all += bytesOf(cast<MemRefType>(weight.getType()));
    return all >= leastShare * bytes;
  }

  /// Puts the fetch in front of the barrier that the workers meet at last
  /// before the stage.
  void plan(StageOp stage) {
    for (Operation *op = stage->getPrevNode(); op; op = op->getPrevNode()) {
      auto barrier = dyn_cast<BarrierOp>(op);
      auto earlier = dyn_cast<StageOp>(op);
      if (barrier && !barrier.getUnless())
        return fetch(stage, barrier, IRMapping());
      // Whatever takes time begins behind another barrier.
      if (isa<LoopOp>(op) || (earlier && !earlier.getEach()))
        return;
    }
    // The first of a loop: at the end of the time before. The last time
    // fetches for the first.
    auto loop = dyn_cast<LoopOp>(stage->getParentOp());
    if (!loop)
      return;
    auto barrier = dyn_cast<BarrierOp>(loop.getBody().front().back());
    if (!barrier || barrier.getUnless())
      return;
    OpBuilder b(barrier);
    Location loc = stage.getLoc();
    Value next = arith::AddIOp::create(
        b, loc, loop.getNumber(), arith::ConstantIndexOp::create(b, loc, 1));
    IRMapping map;
    map.map(loop.getNumber(),
            arith::RemUIOp::create(b, loc, next,
                                   arith::ConstantIndexOp::create(
                                       b, loc, int64_t(loop.getCount())))
                .getResult());
    fetch(stage, barrier, map);
  }

  /// Makes `value` be there in front of `barrier`, with what `map` says in
  /// place of what it was computed from. Not all can be computed that early.
  static bool bring(Value value, BarrierOp barrier, IRMapping &map) {
    Operation *op = value.getDefiningOp();
    if (map.contains(value) || !op || op->getBlock() != barrier->getBlock())
      return true;
    bool isOther = barrier->isBeforeInBlock(op);
    for (Value operand : op->getOperands()) {
      if (!bring(operand, barrier, map))
        return false;
      isOther |= map.lookupOrDefault(operand) != operand;
    }
    if (!isOther)
      return true;
    if (!isPure(op) || op->getNumRegions() != 0)
      return false;
    OpBuilder(barrier).clone(*op, map);
    return true;
  }

  void fetch(StageOp stage, BarrierOp barrier, IRMapping map) {
    // What the tiles need from outside.
    for (TilesOp tiles : stage.getTiles()) {
      for (Value operand : tiles->getOperands())
        if (!bring(operand, barrier, map))
          return;
      for (Operation *op : sliceOf(tiles))
        for (Value operand : op->getOperands())
          if (!tiles.isInside(operand) && !bring(operand, barrier, map))
            return;
    }
    OpBuilder b(barrier);
    auto prefetch = PrefetchOp::create(b, stage.getLoc());
    b.setInsertionPointToStart(&prefetch.getBody().front());
    for (TilesOp tiles : stage.getTiles()) {
      auto copy = cast<TilesOp>(b.cloneWithoutRegions(*tiles, map));
      Block &body = copy.getBody().emplaceBlock();
      for (Value origin : tiles.getOrigin())
        map.map(origin, body.addArgument(origin.getType(), origin.getLoc()));
      OpBuilder inside = OpBuilder::atBlockEnd(&body);
      for (Operation *op : sliceOf(tiles))
        inside.clone(*op, map);
      auto streams = streamsOf(tiles, getOperation(), bytes);
      for (AccessOp access : streams)
        FetchOp::create(inside, access.getLoc(), map.lookup(access),
                        llvm::divideCeil(bytes, int64_t(streams.size())));
    }
  }

  /// The streams of `tiles` and what their parts are computed by, in order.
  llvm::SetVector<Operation *> sliceOf(TilesOp tiles) {
    BackwardSliceOptions options;
    options.inclusive = true;
    options.filter = [&](Operation *op) { return tiles->isProperAncestor(op); };
    llvm::SetVector<Operation *> slice;
    for (AccessOp access : streamsOf(tiles, getOperation(), bytes))
      (void)getBackwardSlice(access.getOperation(), &slice, options);
    return topologicalSort(slice);
  }
};

} // namespace
