//===- RollLayers.cpp - a loop over layers --------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/IngotOps.h"
#include "ingot/Analysis/ShapeAnalysis.h"
#include "ingot/Transforms/DecoderNames.h"
#include "ingot/Transforms/Passes.h"
#include "lib/Transforms/FindLayers.h"

namespace ingot {
#define GEN_PASS_DEF_ROLLLAYERS
#include "lib/Transforms/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using ingot::LayerOperand;
using ingot::LayerRun;

namespace {

using Kind = LayerOperand::Kind;

/// Which weights are members of which families, over all programs.
class Families {
public:
  /// Whether `members` may be a family beside those that are known: a new one,
  /// or a stretch of a known one. Pending until accept().
  bool admit(ArrayRef<Attribute> members) {
    llvm::DenseSet<Attribute> distinct(members.begin(), members.end());
    if (distinct.size() != members.size())
      return false;
    auto first = placeOf(members.front());
    for (auto [i, member] : llvm::enumerate(members)) {
      auto place = placeOf(member);
      if (first.has_value() != place.has_value() ||
          (first && (place->first != first->first ||
                     place->second != first->second + i)))
        return false;
    }
    if (!first) {
      unsigned family = numFamilies++;
      for (auto [i, member] : llvm::enumerate(members))
        pending[member] = {family, unsigned(i)};
    }
    return true;
  }
  void accept() {
    for (auto &[member, place] : pending)
      known[member] = place;
    pending.clear();
  }
  void reject() { pending.clear(); }

private:
  using Place = std::pair<unsigned, unsigned>;

  std::optional<Place> placeOf(Attribute member) const {
    for (const auto *map : {&known, &pending})
      if (auto found = map->find(member); found != map->end())
        return found->second;
    return std::nullopt;
  }

  llvm::DenseMap<Attribute, Place> known, pending;
  unsigned numFamilies = 0;
};

/// Rewrites one run to a loop.
class Roller {
public:
  Roller(func::FuncOp func, const LayerRun &run) : func(func), run(run) {}

  /// Why the run cannot be a loop; empty if it can.
  std::string check(Families &families) {
    ingot::ShapeAnalysis shapes;
    for (auto [op, result] : run.carried) {
      const ingot::DimShape init = shapes.shapeOf(initOf(op, result));
      if (init != shapes.shapeOf(run.at(0, op)->getResult(result)))
        return "what is carried may change its shape";
    }
    for (auto [i, list] : llvm::enumerate(run.operands))
      for (auto [j, operand] : llvm::enumerate(list)) {
        if (operand.kind == Kind::Weight && !families.admit(weightsOf(i, j)))
          return "weights are used in several orders";
        if (operand.kind == Kind::Cache && !areEquallyFar(i, j))
          return "caches do not lie equally far from each other";
      }
    return {};
  }

  void rewrite() {
    Operation *first = run.ops.front(), *last = run.ops.back();
    for (Operation *op : run.front)
      if (first->isBeforeInBlock(op) && op->isBeforeInBlock(last))
        op->moveBefore(first);
    OpBuilder b(first);
    Location loc = first->getLoc();
    SmallVector<Value> inits;
    for (auto [op, result] : run.carried)
      inits.push_back(initOf(op, result));
    auto constant = [&](int64_t value) -> Value {
      return arith::ConstantIndexOp::create(b, loc, value);
    };
    auto loop = scf::ForOp::create(b, loc, constant(0), constant(run.count),
                                   constant(1), inits);
    fill(loop);
    for (auto [i, place] : llvm::enumerate(run.carried))
      run.at(run.count - 1, place.first)
          ->getResult(place.second)
          .replaceAllUsesWith(loop.getResult(i));
    for (Operation *op : llvm::reverse(run.ops))
      op->erase();
    for (Operation *op : llvm::reverse(run.front))
      if (isOpTriviallyDead(op))
        op->erase();
  }

private:
  /// What the first part takes for what later ones take of the one before.
  Value initOf(unsigned op, unsigned result) const {
    for (auto [i, list] : llvm::enumerate(run.operands))
      for (auto [j, operand] : llvm::enumerate(list))
        if (operand == LayerOperand{Kind::Carried, op, result})
          return run.at(0, i)->getOperand(j);
    return {};
  }

  /// The operand at `operand` of op `op` in each part.
  SmallVector<Value> valuesOf(unsigned op, unsigned operand) const {
    SmallVector<Value> values;
    for (unsigned part = 0; part < run.count; ++part)
      values.push_back(run.at(part, op)->getOperand(operand));
    return values;
  }

  SmallVector<Attribute> weightsOf(unsigned op, unsigned operand) const {
    SmallVector<Attribute> names;
    for (Value value : valuesOf(op, operand))
      names.push_back(
          value.getDefiningOp<ingot::WeightRefOp>().getWeightAttr());
    return names;
  }

  /// Whether the caches are those of one group of pages, equally far from each
  /// other, and are used by the run alone.
  bool areEquallyFar(unsigned op, unsigned operand) const {
    SmallVector<Value> caches = valuesOf(op, operand);
    llvm::DenseSet<Operation *> members(run.ops.begin(), run.ops.end());
    func::FuncOp program = func;
    auto number = [&](Value cache, StringRef name) {
      return program.getArgAttrOfType<IntegerAttr>(
          cast<BlockArgument>(cache).getArgNumber(), name);
    };
    for (StringRef name : {ingot::cacheGroupAttrName, ingot::keyOffsetAttrName,
                           ingot::valueOffsetAttrName}) {
      IntegerAttr first = number(caches[0], name),
                  next = number(caches[1], name);
      if (!first || !next)
        return false;
      int64_t step = next.getInt() - first.getInt();
      if (name == ingot::cacheGroupAttrName && step != 0)
        return false;
      for (auto [i, cache] : llvm::enumerate(caches)) {
        IntegerAttr attr = number(cache, name);
        if (!attr || attr.getInt() != first.getInt() + int64_t(i) * step)
          return false;
      }
    }
    return llvm::all_of(caches, [&](Value cache) {
      return llvm::all_of(cache.getUsers(), [&](Operation *user) {
        return members.contains(
            program.getBody().front().findAncestorOpInBlock(*user));
      });
    });
  }

  /// Puts the first part into the loop.
  void fill(scf::ForOp loop) {
    OpBuilder b = OpBuilder::atBlockBegin(loop.getBody());
    Location loc = loop.getLoc();
    Value number = loop.getInductionVar();
    llvm::DenseMap<Attribute, Value> weights;
    llvm::DenseMap<Value, Value> caches;
    for (auto [i, list] : llvm::enumerate(run.operands))
      for (auto [j, operand] : llvm::enumerate(list)) {
        Value mine = run.at(0, i)->getOperand(j);
        if (operand.kind == Kind::Weight) {
          SmallVector<Attribute> names = weightsOf(i, j);
          Value &member = weights[names.front()];
          if (!member)
            member =
                ingot::WeightMemberOp::create(b, mine.getLoc(), mine.getType(),
                                              b.getArrayAttr(names), number);
        } else if (operand.kind == Kind::Cache) {
          Value &member = caches[mine];
          if (!member)
            member = ingot::CacheMemberOp::create(b, loc, mine.getType(),
                                                  number, valuesOf(i, j));
        }
      }

    SmallVector<Operation *> made;
    for (unsigned i = 0; i < run.period; ++i) {
      Operation *op = b.clone(*run.at(0, i));
      for (auto [j, operand] : llvm::enumerate(run.operands[i])) {
        switch (operand.kind) {
        case Kind::Internal:
          op->setOperand(j, made[operand.op]->getResult(operand.result));
          break;
        case Kind::Carried:
          op->setOperand(j, loop.getRegionIterArg(numberOf(operand)));
          break;
        case Kind::Weight:
          op->setOperand(j, weights.lookup(weightsOf(i, j).front()));
          break;
        case Kind::Cache:
          op->setOperand(j, caches.lookup(run.at(0, i)->getOperand(j)));
          break;
        case Kind::Invariant:
          break;
        }
      }
      made.push_back(op);
    }
    SmallVector<Value> yielded;
    for (auto [op, result] : run.carried)
      yielded.push_back(made[op]->getResult(result));
    scf::YieldOp::create(b, loc, yielded);
  }

  unsigned numberOf(const LayerOperand &operand) const {
    return llvm::find(run.carried, std::pair(operand.op, operand.result)) -
           run.carried.begin();
  }

  func::FuncOp func;
  const LayerRun &run;
};

struct RollLayersPass : ingot::impl::RollLayersBase<RollLayersPass> {
  using RollLayersBase::RollLayersBase;

  void runOnOperation() override {
    std::vector<std::pair<func::FuncOp, LayerRun>> runs;
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      if (func.isExternal() || !func.getBody().hasOneBlock())
        continue;
      std::string reason;
      LayerRun run = ingot::findLayers(func, least, reason);
      if (run.count == 0)
        tell(func, "not rolled: " + reason);
      else
        runs.push_back({func, std::move(run)});
    }
    // A longer family holds the shorter ones.
    auto order = llvm::to_vector(llvm::seq(runs.size()));
    llvm::sort(order, [&](size_t a, size_t b) {
      unsigned mine = runs[a].second.count, other = runs[b].second.count;
      return mine != other ? mine > other : a < b;
    });
    Families families;
    for (size_t i : order) {
      auto &[func, run] = runs[i];
      Roller roller(func, run);
      std::string reason = roller.check(families);
      if (!reason.empty()) {
        families.reject();
        tell(func, "not rolled: " + reason);
        continue;
      }
      families.accept();
      tell(func, "a loop of " + std::to_string(run.count) + " parts of " +
                     std::to_string(run.period) + " ops");
      roller.rewrite();
    }
  }

private:
  void tell(func::FuncOp func, const Twine &what) {
    if (remarks)
      emitRemark(func.getLoc())
          << "program '" << func.getSymName() << "': " << what;
  }
};

} // namespace
