//===- OutlineTiles.cpp - one function for each kind of tiles -------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/IngotOps.h"
#include "dialects/Mega/IR/MegaOps.h"
#include "ingot/Analysis/SameBody.h"
#include "ingot/Analysis/ShapeAnalysis.h"
#include "ingot/Conversion/MegaToCpu/Passes.h"
#include "ingot/Interfaces/TileHintInterface.h"
#include "ingot/Transforms/Entries.h"
#include "lib/Conversion/MegaToCpu/BufferTable.h"
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

Value countTiles(OpBuilder &b, TilesOp tiles) {
  Location loc = tiles.getLoc();
  Value all;
  for (auto [extent, step] :
       llvm::zip_equal(tiles.getMixedExtents(), tiles.getMixedSteps())) {
    Value count = b.createOrFold<arith::CeilDivSIOp>(
        loc, getValueOrCreateConstantIndexOp(b, loc, extent),
        getValueOrCreateConstantIndexOp(b, loc, step));
    all = all ? b.createOrFold<arith::MulIOp>(loc, all, count) : count;
  }
  return all;
}

/// Whether later tiles may cost more than earlier ones.
bool mayGrow(TilesOp tiles) {
  return tiles
      .walk([](ingot::TileHintInterface op) {
        return op.mayTilesGrow() ? WalkResult::interrupt()
                                 : WalkResult::advance();
      })
      .wasInterrupted();
}

/// Deals the tiles of a step of a stage. A worker takes tiles that follow each
/// other: what it reads is one stream, and rows that it wrote in one stage it
/// mostly reads in the next. Tiles of several spaces are dealt space by space,
/// so that of all of them a worker has the same rows, unless it would have
/// fewer if they were numbered in a row. Where later tiles may cost more, all
/// are numbered in a row of their own, and a worker takes every so many.
class Dealer {
public:
  /// Where `each` is given and holds, every worker runs all tiles.
  Dealer(OpBuilder &b, Location loc, ArrayRef<TilesOp> all, Value each,
         Value worker, Value workers)
      : b(b), loc(loc), worker(worker), workers(workers), each(each) {
    Value zero = constant(0);
    Value inRow = zero, inTurn = zero;
    for (TilesOp tiles : all) {
      Value count = countTiles(b, tiles);
      bool takesTurns = mayGrow(tiles);
      Value &before = takesTurns ? inTurn : inRow;
      spaces.push_back({count, before, takesTurns});
      before = add(before, count);
    }
    next = add(worker, constant(1));
    begin = share(inRow, worker);
    end = share(inRow, next);
    auto takesTurns = [](const Space &space) { return space.takesTurns; };
    if (spaces.size() - llvm::count_if(spaces, takesTurns) < 2)
      return;
    Value most = zero;
    for (const Space &space : llvm::make_filter_range(
             spaces, [](const Space &space) { return !space.takesTurns; }))
      most = add(most, divideUp(space.count));
    areApart = b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::ule,
                                             most, divideUp(inRow));
  }

  /// First, end and step of the worker's tiles of the space at `position`.
  std::array<Value, 3> tilesOf(unsigned position) {
    const Space &space = spaces[position];
    std::array<Value, 3> dealt;
    if (space.takesTurns)
      dealt = {turnOf(space), space.count, workers};
    else
      dealt = {inRow(space, worker, begin), inRow(space, next, end),
               constant(1)};
    if (!each)
      return dealt;
    return {select(each, constant(0), dealt[0]),
            select(each, space.count, dealt[1]),
            select(each, constant(1), dealt[2])};
  }

  /// The same of the one tile that the worker runs first of all, where that is
  /// of the space at `position`; else of none.
  std::array<Value, 3> firstOf(unsigned position) {
    auto [first, end, step] = tilesOf(position);
    Value isDealt = b.createOrFold<arith::CmpIOp>(
        loc, arith::CmpIPredicate::slt, first, end);
    Value next = select(isDealt, add(first, constant(1)), first);
    if (isPast)
      next = select(isPast, first, next);
    isPast =
        isPast ? b.createOrFold<arith::OrIOp>(loc, isPast, isDealt) : isDealt;
    return {first, next, step};
  }

private:
  struct Space {
    Value count;
    /// Tiles that are dealt as it is and come before it.
    Value before;
    bool takesTurns;
  };

  Value constant(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  Value add(Value lhs, Value rhs) {
    return b.createOrFold<arith::AddIOp>(loc, lhs, rhs);
  }
  Value divideUp(Value total) {
    return b.createOrFold<arith::CeilDivUIOp>(loc, total, workers);
  }
  Value select(Value condition, Value yes, Value no) {
    return b.createOrFold<arith::SelectOp>(loc, condition, yes, no);
  }
  Value share(Value total, Value number) {
    Value product = b.createOrFold<arith::MulIOp>(loc, total, number);
    return b.createOrFold<arith::DivUIOp>(loc, product, workers);
  }
  /// Where the tiles of worker number `number`, whose tiles of all spaces begin
  /// at `begin`, do so in the space at hand.
  Value inRow(const Space &space, Value number, Value begin) {
    if (!areApart)
      return begin;
    Value own = b.createOrFold<arith::SubIOp>(loc, begin, space.before);
    own = b.createOrFold<arith::MaxSIOp>(loc, own, constant(0));
    own = b.createOrFold<arith::MinSIOp>(loc, own, space.count);
    return select(areApart, share(space.count, number), own);
  }
  /// The worker's first tile when all take turns.
  Value turnOf(const Space &space) {
    if (isConstantIntValue(space.before, 0))
      return worker;
    Value past = b.createOrFold<arith::RemUIOp>(loc, space.before, workers);
    Value turn = add(worker, b.createOrFold<arith::SubIOp>(loc, workers, past));
    return b.createOrFold<arith::RemUIOp>(loc, turn, workers);
  }

  OpBuilder &b;
  Location loc;
  Value worker, workers;
  /// Where it holds, every worker runs all tiles; null for never.
  Value each;
  SmallVector<Space> spaces;
  /// Whether spaces are dealt each by itself; null where there is only one.
  Value areApart;
  /// The number of the next worker, and where the two begin in the row.
  Value next, begin, end;
  /// Whether a tile of an earlier space is the worker's first; null for none.
  Value isPast;
};

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
      SmallVector<std::string> syncs;
      for (StageOp stage : stages)
        syncs.push_back(syncBefore(stage, stages));
      for (auto [stage, before] : llvm::zip_equal(stages, syncs)) {
        std::string sync = before;
        hoistSizes(stage);
        for (const StageStep &step : stage.getSteps()) {
          OpBuilder b(stage);
          auto spaces = llvm::to_vector(step.getTiles());
          Dealer dealer(b, stage.getLoc(), spaces, step.each, worker, workers);
          for (auto [i, tiles] : llvm::enumerate(spaces)) {
            b.setInsertionPoint(stage);
            NamedAttrList touched;
            buffers.describe(tiles, touched);
            func::CallOp call = outline(b, tiles, dealer.tilesOf(i), error,
                                        "stage_0", symbols, unique);
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
    Dealer dealer(b, prefetch.getLoc(), spaces, /*each=*/Value(), worker,
                  workers);
    for (auto [i, tiles] : llvm::enumerate(spaces))
      outline(b, tiles, dealer.firstOf(i), /*error=*/Value(), "fetch_0",
              symbols, unique)
          ->setAttr(ingot::prefetchAttrName, b.getUnitAttr());
    prefetch.erase();
  }

  /// Calls a function that runs the `dealt` tiles.
  static func::CallOp
  outline(OpBuilder &b, TilesOp tiles, std::array<Value, 3> dealt, Value error,
          StringRef name, SymbolTable &symbols,
          llvm::DenseMap<func::FuncOp, func::FuncOp, ingot::SameBody> &unique) {
    llvm::SetVector<Value> captured;
    getUsedValuesDefinedAbove(tiles.getRegion(), captured);
    for (Value operand : tiles->getOperands())
      captured.insert(operand);
    SmallVector<Value> arguments, constants;
    for (Value value : captured)
      (isRematerialized(value) ? constants : arguments).push_back(value);
    llvm::append_range(arguments, dealt);
    bool hasChecks =
        tiles.walk([](ingot::CheckOp) { return WalkResult::interrupt(); })
            .wasInterrupted();
    if (hasChecks)
      arguments.push_back(error);

    Location loc = tiles.getLoc();
    auto func = func::FuncOp::create(
        loc, name, b.getFunctionType(TypeRange(ValueRange(arguments)), {}));
    func.setPrivate();
    if (hasChecks)
      func.setArgAttr(arguments.size() - 1, "ingot.role",
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
    emitTileLoop(inside, tiles, map, range);
    inside.setInsertionPointToEnd(body);
    func::ReturnOp::create(inside, loc);

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
        if (!isMemoryEffectFree(&op) && !isa<memref::AllocaOp>(op))
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

  /// Emits the loop over the tiles from `range` (first, end, step), with their
  /// body in it.
  static void emitTileLoop(OpBuilder &b, TilesOp tiles, IRMapping &map,
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
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value rest = loop.getInductionVar();
    for (int64_t i = counts.size() - 1; i >= 0; --i) {
      Value index = rest;
      if (i != 0) {
        index = b.createOrFold<arith::RemSIOp>(loc, rest, counts[i]);
        rest = b.createOrFold<arith::DivSIOp>(loc, rest, counts[i]);
      }
      map.map(tiles.getOrigin()[i],
              b.createOrFold<arith::MulIOp>(loc, index, steps[i]));
    }
    for (Operation &op : tiles.getBody().front())
      b.clone(op, map);
    lowerAccesses(loop);
    // A buffer of a tile is the same memory in every tile.
    loop.walk([&](memref::AllocaOp alloca) {
      if (alloca.getType().hasStaticShape() && alloca->getNumOperands() == 0)
        alloca->moveBefore(loop);
    });
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
