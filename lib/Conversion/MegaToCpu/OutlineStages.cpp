//===- OutlineStages.cpp - one function for each kind of stage ------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/IngotOps.h"
#include "ingot/Conversion/MegaToCpu/Passes.h"
#include "ingot/Transforms/Entries.h"

#include "ingot/Analysis/ShapeAnalysis.h"
#include "mlir/Transforms/RegionUtils.h"

namespace ingot {
#define GEN_PASS_DEF_OUTLINESTAGES
#include "lib/Conversion/MegaToCpu/Passes.h.inc"
} // namespace ingot

using namespace mlir;

namespace {

/// Hashes and compares functions by what they do: neither their names nor
/// their locations count.
struct SameBody : llvm::DenseMapInfo<func::FuncOp> {
  static unsigned getHashValue(func::FuncOp func) {
    unsigned hash = hash_value(func.getFunctionType());
    func.getBody().walk([&](Operation *op) {
      hash = llvm::hash_combine(hash,
                                OperationEquivalence::computeHash(
                                    op, OperationEquivalence::ignoreHashValue,
                                    OperationEquivalence::ignoreHashValue,
                                    OperationEquivalence::IgnoreLocations));
    });
    return hash;
  }
  static bool isEqual(func::FuncOp a, func::FuncOp b) {
    if (a == b)
      return true;
    if (a == getEmptyKey() || a == getTombstoneKey() || b == getEmptyKey() ||
        b == getTombstoneKey())
      return false;
    return a.getFunctionType() == b.getFunctionType() &&
           OperationEquivalence::isRegionEquivalentTo(
               &a.getBody(), &b.getBody(),
               OperationEquivalence::IgnoreLocations);
  }
};

/// Values that the stage's own function recomputes instead of taking them as
/// arguments: they make types and loops static.
bool isRematerialized(Value value) {
  Operation *op = value.getDefiningOp();
  return op && op->hasTrait<OpTrait::ConstantLike>() &&
         op->getNumOperands() == 0;
}

struct OutlineStagesPass : ingot::impl::OutlineStagesBase<OutlineStagesPass> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    llvm::DenseMap<func::FuncOp, func::FuncOp, SameBody> unique;
    SmallVector<func::FuncOp> mains;
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (func.isPublic() && !func.isExternal())
        mains.push_back(func);
    for (func::FuncOp main : mains) {
      stages.clear();
      Value worker = argumentWithRole(main, "worker");
      Value workers = argumentWithRole(main, "workers");
      Value error = argumentWithRole(main, "error");
      if (!worker || !workers) {
        main.emitError("has no worker arguments: plan memory first");
        return signalPassFailure();
      }
      for (auto stage : llvm::make_early_inc_range(
               main.getBody().front().getOps<scf::ForallOp>()))
        outline(stage, worker, workers, error, symbols, unique);
      main->setAttr(ingot::stagesAttrName,
                    ArrayAttr::get(&getContext(), stages));
    }
  }

private:
  static Value argumentWithRole(func::FuncOp func, StringRef role) {
    for (unsigned i = 0; i < func.getNumArguments(); ++i)
      if (auto attr = func.getArgAttrOfType<StringAttr>(i, "ingot.role"))
        if (attr.getValue() == role)
          return func.getArgument(i);
    return {};
  }

  void outline(scf::ForallOp stage, Value worker, Value workers, Value error,
               SymbolTable &symbols,
               llvm::DenseMap<func::FuncOp, func::FuncOp, SameBody> &unique) {
    // Values computed from nothing (sizes) are computed once, by the caller.
    stage.walk([&](Operation *op) {
      if (op->getNumOperands() == 0 && op->getNumRegions() == 0 && isPure(op) &&
          !op->hasTrait<OpTrait::ConstantLike>() &&
          !op->hasTrait<OpTrait::IsTerminator>() && !isa<linalg::IndexOp>(op))
        op->moveBefore(stage);
    });

    llvm::SetVector<Value> captured;
    getUsedValuesDefinedAbove(stage.getRegion(), captured);
    for (Value operand : stage->getOperands())
      captured.insert(operand);
    SmallVector<Value> arguments, constants;
    for (Value value : captured)
      if (isRematerialized(value))
        constants.push_back(value);
      else if (value != worker && value != workers)
        arguments.push_back(value);
    arguments.push_back(worker);
    arguments.push_back(workers);
    bool hasChecks =
        stage.walk([](ingot::CheckOp) { return WalkResult::interrupt(); })
            .wasInterrupted();
    if (hasChecks && error)
      arguments.push_back(error);

    OpBuilder b(stage->getContext());
    Location loc = stage.getLoc();
    auto func = func::FuncOp::create(
        loc, "stage_0",
        b.getFunctionType(TypeRange(ValueRange(arguments)), {}));
    func.setPrivate();
    if (hasChecks && error)
      func.setArgAttr(arguments.size() - 1, "ingot.role",
                      b.getStringAttr("error"));
    Block *body = func.addEntryBlock();
    IRMapping map;
    for (auto [outer, inner] : llvm::zip(arguments, body->getArguments()))
      map.map(outer, inner);
    b.setInsertionPointToStart(body);
    for (Value constant : constants)
      map.map(constant, b.clone(*constant.getDefiningOp())->getResult(0));
    emitTileLoop(b, stage, map, map.lookup(worker), map.lookup(workers));
    b.setInsertionPointToEnd(body);
    func::ReturnOp::create(b, loc);

    auto [entry, isNew] = unique.try_emplace(func, func);
    if (isNew)
      symbols.insert(func);
    else
      func.erase();
    describe(stage, entry->second);
    b.setInsertionPoint(stage);
    auto call = func::CallOp::create(b, loc, entry->second, arguments);
    if (Attribute joins = stage->getAttr(ingot::joinsAttrName))
      call->setAttr(ingot::joinsAttrName, joins);
    stage.erase();
  }

  /// Notes for people what the stage holds; the description made when it was
  /// formed is the metadata of its location.
  void describe(scf::ForallOp stage, func::FuncOp func) {
    Builder b(stage->getContext());
    NamedAttrList attrs;
    if (auto fused = dyn_cast<FusedLoc>(stage.getLoc()))
      if (auto known = dyn_cast_or_null<DictionaryAttr>(fused.getMetadata()))
        attrs = NamedAttrList(known);
    if (!attrs.get("ops")) {
      llvm::SetVector<StringRef> names;
      for (Operation &op : stage.getBody()->without_terminator())
        if (!isMemoryEffectFree(&op))
          names.insert(op.getName().stripDialect());
      attrs.set("ops", b.getStringAttr(llvm::join(names, " + ")));
    }
    attrs.set("name", func.getSymNameAttr());
    ingot::ShapeAnalysis shapes;
    std::optional<ingot::DimExpr> tiles = ingot::DimExpr::constant(1);
    auto valueOf = [&](OpFoldResult value) -> std::optional<ingot::DimExpr> {
      if (auto attr = dyn_cast<Attribute>(value))
        return ingot::DimExpr::constant(cast<IntegerAttr>(attr).getInt());
      return shapes.indexValue(cast<Value>(value));
    };
    for (auto [upper, step] :
         llvm::zip(stage.getMixedUpperBound(), stage.getMixedStep())) {
      auto u = valueOf(upper), s = valueOf(step);
      tiles = tiles && u && s
                  ? std::optional(*tiles * ingot::DimExpr::ceilDiv(*u, *s))
                  : std::nullopt;
    }
    if (tiles)
      attrs.set("tiles", b.getStringAttr(tiles->str()));
    stages.push_back(attrs.getDictionary(b.getContext()));
  }

  /// The tiles of one worker: begin, end and step. Where only the last dim is
  /// cut, those that follow each other, so that what they read is one stream;
  /// else every so many, since the tiles of later rows may cost more.
  static std::tuple<Value, Value, Value> dealTiles(OpBuilder &b, Location loc,
                                                   ValueRange counts,
                                                   Value tiles, Value worker,
                                                   Value workers) {
    Value one = arith::ConstantIndexOp::create(b, loc, 1);
    auto share = [&](Value number) {
      Value product = b.createOrFold<arith::MulIOp>(loc, tiles, number);
      return b.createOrFold<arith::DivUIOp>(loc, product, workers);
    };
    Value next = arith::AddIOp::create(b, loc, worker, one);
    Value inRow = b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::eq,
                                                tiles, counts.back());
    auto select = [&](Value whole, Value cut) {
      return b.createOrFold<arith::SelectOp>(loc, inRow, whole, cut);
    };
    return {select(share(worker), worker), select(share(next), tiles),
            select(one, workers)};
  }

  /// Emits the loop over one worker's tiles, with the stage's body in it.
  static void emitTileLoop(OpBuilder &b, scf::ForallOp stage, IRMapping &map,
                           Value worker, Value workers) {
    Location loc = stage.getLoc();
    auto valueOf = [&](OpFoldResult value) -> Value {
      if (auto attr = dyn_cast<Attribute>(value))
        return arith::ConstantIndexOp::create(b, loc,
                                              cast<IntegerAttr>(attr).getInt());
      return map.lookupOrDefault(cast<Value>(value));
    };
    SmallVector<Value> lower, step, counts;
    Value tiles = arith::ConstantIndexOp::create(b, loc, 1);
    for (auto [lb, ub, st] :
         llvm::zip(stage.getMixedLowerBound(), stage.getMixedUpperBound(),
                   stage.getMixedStep())) {
      lower.push_back(valueOf(lb));
      step.push_back(valueOf(st));
      Value extent =
          b.createOrFold<arith::SubIOp>(loc, valueOf(ub), lower.back());
      counts.push_back(
          b.createOrFold<arith::CeilDivSIOp>(loc, extent, step.back()));
      tiles = b.createOrFold<arith::MulIOp>(loc, tiles, counts.back());
    }
    auto [first, end, by] = dealTiles(b, loc, counts, tiles, worker, workers);
    auto loop = scf::ForOp::create(b, loc, first, end, by);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value rest = loop.getInductionVar();
    for (int64_t i = counts.size() - 1; i >= 0; --i) {
      Value index = rest;
      if (i != 0) {
        index = b.createOrFold<arith::RemSIOp>(loc, rest, counts[i]);
        rest = b.createOrFold<arith::DivSIOp>(loc, rest, counts[i]);
      }
      Value scaled = b.createOrFold<arith::MulIOp>(loc, index, step[i]);
      map.map(stage.getInductionVar(i),
              b.createOrFold<arith::AddIOp>(loc, scaled, lower[i]));
    }
    for (Operation &op : stage.getBody()->without_terminator())
      b.clone(op, map);
    // A buffer of a tile is the same memory in every tile.
    loop.walk([&](memref::AllocaOp alloca) {
      if (alloca.getType().hasStaticShape() && alloca->getNumOperands() == 0)
        alloca->moveBefore(loop);
    });
  }

  /// Descriptions of the stages of the program at hand.
  SmallVector<Attribute> stages;
};

} // namespace
