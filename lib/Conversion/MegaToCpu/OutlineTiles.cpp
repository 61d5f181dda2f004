//===- OutlineTiles.cpp - one function for each kind of tiles -------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/IngotOps.h"
#include "dialects/Mega/IR/CounterOps.h"
#include "ingot/Analysis/SameBody.h"
#include "ingot/Analysis/ShapeAnalysis.h"
#include "ingot/Conversion/MegaToCpu/Passes.h"
#include "ingot/Transforms/Entries.h"
#include "lib/Conversion/MegaToCpu/BufferTable.h"
#include "lib/Conversion/MegaToCpu/CountArrivals.h"
#include "lib/Conversion/MegaToCpu/Dealer.h"
#include "lib/Conversion/MegaToCpu/EmitBarrier.h"
#include "lib/Conversion/MegaToCpu/EmitMark.h"
#include "lib/Conversion/MegaToCpu/EmitPrefetch.h"

#include "mlir/Transforms/RegionUtils.h"

namespace ingot {
#define GEN_PASS_DEF_OUTLINETILES
#include "lib/Conversion/MegaToCpu/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot::mega;

namespace {

/// Values that the tiles' own function recomputes instead of taking them as
/// arguments: they make types and loops static.
bool isRematerialized(Value value) {
  Operation *op = value.getDefiningOp();
  return op && op->hasTrait<OpTrait::ConstantLike>() &&
         op->getNumOperands() == 0;
}

struct OutlineTilesPass : ingot::impl::OutlineTilesBase<OutlineTilesPass> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    llvm::DenseMap<func::FuncOp, func::FuncOp, ingot::SameBody> unique;
    for (ProgramOp program :
         llvm::to_vector(getOperation().getOps<ProgramOp>())) {
      descriptions.clear();
      ingot::BufferTable buffers(program);
      Value worker = argumentWithRole(program, "worker");
      Value workers = argumentWithRole(program, "workers");
      Value error = argumentWithRole(program, "error");
      if (!worker || !workers || !error) {
        program.emitError("has no worker arguments: plan memory first");
        return signalPassFailure();
      }
      SmallVector<StageOp> stages;
      program.walk([&](StageOp stage) { stages.push_back(stage); });
      llvm::DenseMap<Operation *, Value> busy;
      SmallVector<std::string> syncs;
      for (StageOp stage : stages)
        syncs.push_back(syncBefore(stage, stages));
      for (auto [stage, before] : llvm::zip_equal(stages, syncs)) {
        std::string sync = before;
        hoistSizes(stage);
        OpBuilder b(stage);
        std::vector<ingot::Dealer> dealers =
            ingot::dealStage(b, stage, worker, workers);
        for (auto [step, dealer] : llvm::zip_equal(stage.getSteps(), dealers)) {
          if (sync.empty() && llvm::any_of(step.getTiles(), has<AwaitOp>))
            sync = "counters";
          for (auto [i, tiles] : llvm::enumerate(step.getTiles())) {
            b.setInsertionPoint(stage);
            NamedAttrList touched;
            buffers.describe(tiles, touched);
            func::CallOp call =
                outline(b, tiles, dealer.tilesOf(i),
                        {error, argumentWithRole(program, "context")},
                        "stage_0", symbols, unique);
            busy[call] = dealer.getBusy();
            call->setAttr(ingot::stageNumberAttrName,
                          b.getI64IntegerAttr(int64_t(descriptions.size())));
            describe(tiles, call.getCalleeAttr().getAttr(),
                     i == 0 ? sync : "joined", stage, step, touched);
          }
          BarrierOp barrier = step.getBarrier();
          if (barrier)
            barrier->moveBefore(stage);
          sync = wordOf(barrier);
        }
        stage.erase();
      }
      SmallVector<PrefetchOp> prefetches;
      program.walk([&](PrefetchOp op) { prefetches.push_back(op); });
      for (PrefetchOp prefetch : prefetches)
        outlineFetches(prefetch, worker, workers, symbols, unique);
      ingot::countArrivals(program, busy, workers);
      lowerAccesses(program);
      program->setAttr(ingot::stagesAttrName,
                       ArrayAttr::get(&getContext(), descriptions));
      program->setAttr(ingot::buffersAttrName, buffers.buffers());
    }
  }

private:
  static Value argumentWithRole(ProgramOp program, StringRef role) {
    for (unsigned i = 0; i < program.getNumArguments(); ++i)
      if (auto attr = program.getArgAttrOfType<StringAttr>(i, "ingot.role"))
        if (attr.getValue() == role)
          return program.getArgument(i);
    return {};
  }

  /// Values computed from nothing (sizes) are computed once, by the caller.
  static void hoistSizes(StageOp stage) {
    stage.walk([&](Operation *op) {
      if (op->getNumOperands() == 0 && op->getNumRegions() == 0 && isPure(op) &&
          !op->hasTrait<OpTrait::ConstantLike>() &&
          !op->hasTrait<OpTrait::IsTerminator>() && !isa<linalg::IndexOp>(op))
        op->moveBefore(stage);
    });
  }

  /// Calls functions that fetch what the worker's first tile reads.
  static void outlineFetches(
      PrefetchOp prefetch, Value worker, Value workers, SymbolTable &symbols,
      llvm::DenseMap<func::FuncOp, func::FuncOp, ingot::SameBody> &unique) {
    ingot::emitFetches(prefetch);
    OpBuilder b(prefetch);
    auto spaces = llvm::to_vector(prefetch.getTiles());
    ingot::Dealer dealer(b, prefetch.getLoc(), spaces, /*isPrologue=*/false,
                         worker, workers);
    for (auto [i, tiles] : llvm::enumerate(spaces))
      outline(b, tiles, dealer.firstOf(i), Run(), "fetch_0", symbols, unique)
          ->setAttr(ingot::prefetchAttrName, b.getUnitAttr());
    prefetch.erase();
  }

  /// What tiles know of the run: where it says whether it has failed, and
  /// everything that the runtime gave.
  struct Run {
    Value error, context;
  };

  /// Whether the tiles have an op of a kind.
  template <typename Op> static bool has(TilesOp tiles) {
    return tiles.walk([](Op) { return WalkResult::interrupt(); })
        .wasInterrupted();
  }

  /// The tiles without what they wait for and tell, next to them.
  static TilesOp withoutWaits(OpBuilder &b, TilesOp tiles) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(tiles);
    auto bare = cast<TilesOp>(b.clone(*tiles));
    for (Operation &op :
         llvm::make_early_inc_range(llvm::reverse(bare.getBody().front())))
      if (isa<AwaitOp, SignalOp>(op) || isOpTriviallyDead(&op))
        op.erase();
    return bare;
  }

  /// Calls a function that runs the `dealt` tiles. The work of tiles that wait
  /// for others, or that others wait for, is a function of its own, which other
  /// tiles may share.
  static func::CallOp
  outline(OpBuilder &b, TilesOp tiles, std::array<Value, 3> dealt, Run run,
          StringRef name, SymbolTable &symbols,
          llvm::DenseMap<func::FuncOp, func::FuncOp, ingot::SameBody> &unique) {
    func::CallOp work;
    if (has<AwaitOp>(tiles) || has<SignalOp>(tiles)) {
      TilesOp bare = withoutWaits(b, tiles);
      work = outline(b, bare, dealt, run, name, symbols, unique);
      bare.erase();
    }
    llvm::SetVector<Value> captured;
    getUsedValuesDefinedAbove(tiles.getRegion(), captured);
    for (Value operand : tiles->getOperands())
      captured.insert(operand);
    SmallVector<Value> arguments, constants;
    for (Value value : captured)
      (isRematerialized(value) ? constants : arguments).push_back(value);
    llvm::append_range(arguments, dealt);
    bool hasChecks = has<ingot::CheckOp>(tiles);
    if (hasChecks)
      arguments.push_back(run.error);
    bool hasWaits = has<AwaitOp>(tiles);
    if (hasWaits)
      arguments.push_back(run.context);

    Location loc = tiles.getLoc();
    auto func = func::FuncOp::create(
        loc, name, b.getFunctionType(TypeRange(ValueRange(arguments)), {}));
    func.setPrivate();
    if (hasChecks)
      func.setArgAttr(arguments.size() - 1 - hasWaits, "ingot.role",
                      b.getStringAttr("error"));
    Block *body = func.addEntryBlock();
    IRMapping map;
    for (auto [outer, inner] : llvm::zip(arguments, body->getArguments()))
      map.map(outer, inner);
    OpBuilder inside(b.getContext());
    inside.setInsertionPointToStart(body);
    for (Value constant : constants)
      map.map(constant, inside.clone(*constant.getDefiningOp())->getResult(0));
    // The same value may be captured and dealt: the last arguments are dealt.
    auto range =
        body->getArguments().slice(captured.size() - constants.size(), 3);
    if (work) {
      emitWaitingLoop(inside, tiles, map, range,
                      hasWaits ? Value(body->getArguments().back()) : Value(),
                      work);
      work.erase();
    } else {
      emitTileLoop(inside, tiles, map, range);
    }
    inside.setInsertionPointToEnd(body);
    func::ReturnOp::create(inside, loc);

    auto module = cast<ModuleOp>(symbols.getOp());
    if (hasWaits && !symbols.lookup(ingot::awaitName)) {
      OpBuilder outside = OpBuilder::atBlockBegin(module.getBody());
      symbols.insert(ingot::declareAwait(outside, loc));
    }
    auto [entry, isNew] = unique.try_emplace(func, func);
    if (isNew)
      symbols.insert(func);
    else
      func.erase();
    return func::CallOp::create(b, loc, entry->second, arguments);
  }

  /// What in front of `op` does something to memory; null for nothing.
  static Operation *effectBefore(Operation *op) {
    do
      op = op->getPrevNode();
    while (op && isMemoryEffectFree(op));
    return op;
  }

  /// What workers wait for at `barrier`, which may be null, in a word.
  static std::string wordOf(BarrierOp barrier) {
    return !barrier ? "" : barrier.getUnless() ? "barrier*" : "barrier";
  }

  /// What workers wait for before the stage, in words, and the numbers of the
  /// tiles for which they fetch something meanwhile.
  static std::string syncBefore(StageOp stage, ArrayRef<StageOp> stages) {
    auto barrier = dyn_cast_or_null<BarrierOp>(effectBefore(stage));
    if (!barrier)
      return "";
    std::string words = wordOf(barrier);
    for (auto fetch = dyn_cast_or_null<PrefetchOp>(effectBefore(barrier));
         fetch; fetch = dyn_cast_or_null<PrefetchOp>(effectBefore(fetch)))
      if (std::optional<unsigned> number = numberOfFetched(fetch, stages))
        words += " fetch:" + std::to_string(*number);
    return words;
  }

  /// The number of the first tiles of the stage that `fetch` is for: the next
  /// one that is said to come from the same place.
  static std::optional<unsigned> numberOfFetched(PrefetchOp fetch,
                                                 ArrayRef<StageOp> stages) {
    std::optional<unsigned> inNextTime;
    unsigned number = 0;
    for (StageOp stage : stages) {
      for (const StageStep &step : stage.getSteps())
        if (step.isPrologue)
          number += llvm::range_size(step.getTiles());
      if (stage->getBlock() == fetch->getBlock() &&
          stage.getLoc() == fetch.getLoc()) {
        if (fetch->isBeforeInBlock(stage))
          return number;
        if (!inNextTime)
          inNextTime = number;
      }
      number += llvm::range_size(stage.getTiles());
    }
    return inNextTime;
  }

  /// Notes for people what the tiles hold; the description made when they were
  /// formed is the metadata of their location.
  void describe(TilesOp tiles, StringAttr name, StringRef sync, StageOp stage,
                const StageStep &step, NamedAttrList attrs) {
    Builder b(tiles->getContext());
    if (auto fused = dyn_cast<FusedLoc>(tiles.getLoc()))
      if (auto known = dyn_cast_or_null<DictionaryAttr>(fused.getMetadata()))
        attrs.append(known.getValue());
    if (!attrs.get("ops")) {
      llvm::SetVector<StringRef> names;
      for (Operation &op : tiles.getBody().front())
        if (!isMemoryEffectFree(&op) &&
            !isa<memref::AllocaOp, AwaitOp, SignalOp>(op))
          names.insert(op.getName().stripDialect());
      attrs.set("ops", b.getStringAttr(llvm::join(names, " + ")));
    }
    attrs.set("name", name);
    SmallVector<StringRef> words;
    if (!sync.empty())
      words.push_back(sync);
    if (step.each)
      words.push_back(step.isPrologue ? "prologue*" : "each*");
    if (!words.empty())
      attrs.set("sync", b.getStringAttr(llvm::join(words, " ")));
    if (auto loop = dyn_cast<LoopOp>(stage->getParentOp()))
      attrs.set("times", loop.getCountAttr());
    ingot::ShapeAnalysis shapes;
    std::optional<ingot::DimExpr> count = ingot::DimExpr::constant(1);
    auto valueOf = [&](OpFoldResult value) -> std::optional<ingot::DimExpr> {
      if (auto attr = dyn_cast<Attribute>(value))
        return ingot::DimExpr::constant(cast<IntegerAttr>(attr).getInt());
      return shapes.indexValue(cast<Value>(value));
    };
    for (auto [extent, step] :
         llvm::zip_equal(tiles.getMixedExtents(), tiles.getMixedSteps())) {
      auto e = valueOf(extent), s = valueOf(step);
      count = count && e && s
                  ? std::optional(*count * ingot::DimExpr::ceilDiv(*e, *s))
                  : std::nullopt;
    }
    if (count)
      attrs.set("tiles", b.getStringAttr(count->str()));
    descriptions.push_back(attrs.getDictionary(b.getContext()));
  }

  /// Emits a loop over the tiles from `range` (first, end, step), in which
  /// `map` knows where each begins; returns its number along the first dim.
  static Value emitLoop(OpBuilder &b, TilesOp tiles, IRMapping &map,
                        ValueRange range) {
    Location loc = tiles.getLoc();
    auto valueOf = [&](OpFoldResult value) -> Value {
      if (auto attr = dyn_cast<Attribute>(value))
        return arith::ConstantIndexOp::create(b, loc,
                                              cast<IntegerAttr>(attr).getInt());
      return map.lookupOrDefault(cast<Value>(value));
    };
    SmallVector<Value> steps, counts;
    for (auto [extent, step] :
         llvm::zip_equal(tiles.getMixedExtents(), tiles.getMixedSteps())) {
      steps.push_back(valueOf(step));
      counts.push_back(b.createOrFold<arith::CeilDivSIOp>(loc, valueOf(extent),
                                                          steps.back()));
    }
    auto loop = scf::ForOp::create(b, loc, range[0], range[1], range[2]);
    b.setInsertionPointToStart(loop.getBody());
    Value rest = loop.getInductionVar(), index;
    for (int64_t i = counts.size() - 1; i >= 0; --i) {
      index = rest;
      if (i != 0) {
        index = b.createOrFold<arith::RemSIOp>(loc, rest, counts[i]);
        rest = b.createOrFold<arith::DivSIOp>(loc, rest, counts[i]);
      }
      map.map(tiles.getOrigin()[i],
              b.createOrFold<arith::MulIOp>(loc, index, steps[i]));
    }
    return index;
  }

  /// Emits the loop over the tiles from `range`, with their body in it.
  static void emitTileLoop(OpBuilder &b, TilesOp tiles, IRMapping &map,
                           ValueRange range) {
    emitLoop(b, tiles, map, range);
    auto loop = cast<scf::ForOp>(b.getInsertionBlock()->getParentOp());
    for (Operation &op : tiles.getBody().front())
      b.clone(op, map);
    lowerAccesses(loop);
    // A buffer of a tile is the same memory in every tile.
    loop.walk([&](memref::AllocaOp alloca) {
      if (alloca.getType().hasStaticShape() && alloca->getNumOperands() == 0)
        alloca->moveBefore(loop);
    });
  }

  /// Emits a loop over the tiles from `range`, each of which waits, does what
  /// the call `work` of all of them does, and tells that it is done. `context`
  /// is what the runtime gave, if tiles wait.
  static void emitWaitingLoop(OpBuilder &b, TilesOp tiles, IRMapping &map,
                              ValueRange range, Value context,
                              func::CallOp work) {
    Location loc = tiles.getLoc();
    Value index = emitLoop(b, tiles, map, range);
    auto loop = cast<scf::ForOp>(b.getInsertionBlock()->getParentOp());
    // Numbers that waits are computed from; the rest is of no use here.
    SmallVector<Operation *> numbers;
    for (Operation &op : tiles.getBody().front())
      if (auto await = dyn_cast<AwaitOp>(op)) {
        SmallVector<Value> operands = {context};
        for (Value operand : await->getOperands())
          operands.push_back(map.lookupOrDefault(operand));
        auto call = func::CallOp::create(b, loc, ingot::awaitName,
                                         b.getI1Type(), operands);
        // A run that was stopped has not made what the tile reads.
        auto going = scf::IfOp::create(b, loc, call.getResult(0));
        b.setInsertionPointToStart(going.thenBlock());
      } else if (isMemoryEffectFree(&op)) {
        numbers.push_back(b.clone(op, map));
      }
    Value one = arith::ConstantIndexOp::create(b, loc, 1);
    SmallVector<Value> operands;
    for (Value operand : work.getOperands())
      operands.push_back(map.lookupOrDefault(operand));
    // Of all tiles, this one.
    auto func = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
        work, work.getCalleeAttr());
    size_t dealt = firstOfDealt(func);
    operands[dealt] = loop.getInductionVar();
    operands[dealt + 1] =
        arith::AddIOp::create(b, loc, loop.getInductionVar(), one);
    operands[dealt + 2] = one;
    func::CallOp::create(b, loc, func, operands);
    for (auto signal : tiles.getBody().front().getOps<SignalOp>()) {
      Value count = arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(1));
      Value zero = arith::ConstantIndexOp::create(b, loc, 0);
      memref::AtomicRMWOp::create(b, loc, arith::AtomicRMWKind::addi, count,
                                  map.lookupOrDefault(signal.getCounters()),
                                  ValueRange{index, zero});
    }
    for (Operation *op : llvm::reverse(numbers))
      if (isOpTriviallyDead(op))
        op->erase();
  }

  /// Which argument of a function of tiles is the first that it runs.
  static size_t firstOfDealt(func::FuncOp func) {
    auto loop = *func.getBody().getOps<scf::ForOp>().begin();
    return cast<BlockArgument>(loop.getLowerBound()).getArgNumber();
  }

  /// Makes views of accesses and scratch.
  static void lowerAccesses(Operation *root) {
    IRRewriter rewriter(root->getContext());
    root->walk([&](Operation *op) {
      rewriter.setInsertionPoint(op);
      if (auto access = dyn_cast<AccessOp>(op)) {
        if (access.isWhole())
          rewriter.replaceOp(access, access.getSource());
        else
          rewriter.replaceOpWithNewOp<memref::SubViewOp>(
              access, cast<MemRefType>(access.getType()), access.getSource(),
              access.getMixedOffsets(), access.getMixedSizes(),
              access.getMixedStrides());
      } else if (auto scratch = dyn_cast<ScratchOp>(op)) {
        rewriter.replaceOpWithNewOp<memref::ViewOp>(
            scratch, cast<MemRefType>(scratch.getType()), scratch.getArena(),
            scratch.getOffset(), scratch.getSizes());
      }
    });
  }

  /// Descriptions of the tiles of the program at hand.
  SmallVector<Attribute> descriptions;
};

} // namespace
