//===- FindLayers.cpp - parts of a program that are alike -----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Transforms/FindLayers.h"

#include "dialects/Ingot/IR/IngotOps.h"
#include "ingot/Analysis/SameBody.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace ingot;

namespace {

using Kind = LayerOperand::Kind;

/// The ops of a function that may be parts of layers, in order, and what is
/// known of two of them that are one period apart.
class Sequence {
public:
  explicit Sequence(func::FuncOp func) {
    Block &body = func.getBody().front();
    llvm::DenseSet<Operation *> movable;
    for (Operation &op : body.without_terminator()) {
      if (isMovable(&op, movable)) {
        movable.insert(&op);
        front.push_back(&op);
        continue;
      }
      positions[&op] = ops.size();
      ops.push_back(&op);
      hashes.push_back(llvm::hash_combine(
          hashOfBody(&op), llvm::hash_combine_range(op.result_type_begin(),
                                                    op.result_type_end())));
    }
  }

  unsigned size() const { return ops.size(); }
  Operation *operator[](unsigned position) const { return ops[position]; }

  /// Where the op that makes `value` stands; nothing if it is none of these.
  std::optional<unsigned> positionOf(Value value) const {
    auto found = positions.find(value.getDefiningOp());
    if (found == positions.end())
      return std::nullopt;
    return found->second;
  }
  std::optional<unsigned> positionOf(Operation *op) const {
    auto found = positions.find(op);
    return found == positions.end() ? std::nullopt
                                    : std::optional(found->second);
  }

  /// The period with which ops repeat over the longest stretch.
  unsigned bestPeriod() const {
    unsigned best = 0, longest = 0;
    for (unsigned period = 1; 2 * period <= size(); ++period) {
      unsigned length = 0;
      for (unsigned i = 0; i + period < size(); ++i) {
        length = hashes[i] == hashes[i + period] ? length + 1 : 0;
        // A multiple of a period repeats too, over a shorter stretch.
        if (length >= period && length + period > longest) {
          longest = length + period;
          best = period;
        }
      }
    }
    return best;
  }

  /// Whether the ops at `position` and one period later do the same with what
  /// they are given.
  bool areAlike(unsigned position, unsigned period) const {
    if (position + period >= size() ||
        hashes[position] != hashes[position + period])
      return false;
    Operation *a = ops[position], *b = ops[position + period];
    if (a->getName() != b->getName() ||
        a->getNumOperands() != b->getNumOperands() ||
        a->getNumRegions() != b->getNumRegions() ||
        a->getResultTypes() != b->getResultTypes() ||
        a->getAttrDictionary() != b->getAttrDictionary())
      return false;
    llvm::DenseMap<Value, Value> inner;
    auto isSame = [&](Value x, Value y) {
      auto found = inner.find(x);
      // Regions use what is the same for all, but nothing of a layer.
      bool holds =
          found == inner.end() ? x == y && !positionOf(x) : found->second == y;
      return success(holds);
    };
    auto mark = [&](Value x, Value y) { inner[x] = y; };
    return llvm::all_of_zip(
        a->getRegions(), b->getRegions(), [&](Region &x, Region &y) {
          return OperationEquivalence::isRegionEquivalentTo(
              &x, &y, isSame, mark, OperationEquivalence::IgnoreLocations);
        });
  }

  SmallVector<Operation *> front;

private:
  /// Whether `op` computes without a weight, so that it may come before all
  /// that has one; a weight itself is named anywhere.
  static bool isMovable(Operation *op,
                        const llvm::DenseSet<Operation *> &movable) {
    if (!isMemoryEffectFree(op))
      return false;
    llvm::SetVector<Value> used(op->operand_begin(), op->operand_end());
    getUsedValuesDefinedAbove(op->getRegions(), used);
    return llvm::all_of(used, [&](Value value) {
      Operation *def = value.getDefiningOp();
      return !def || (movable.contains(def) && !isa<WeightRefOp>(def));
    });
  }

  SmallVector<Operation *> ops;
  SmallVector<llvm::hash_code> hashes;
  llvm::DenseMap<Operation *, unsigned> positions;
};

/// Tries where a run of one period begins.
class RunFinder {
public:
  RunFinder(const Sequence &sequence, unsigned period)
      : sequence(sequence), period(period) {
    for (unsigned i = 0; i + period < sequence.size(); ++i)
      alike.push_back(sequence.areAlike(i, period));
    findUses();
  }

  /// The longest run; of about equal ones, that which carries the least, and
  /// nothing that a stage could take from its maker: what has one use alone.
  LayerRun run(int64_t least) {
    LayerRun best;
    unsigned end = sequence.size();
    for (unsigned start = 0; start + 2 * period <= end; ++start) {
      LayerRun found = runAt(start);
      if (int64_t(found.count) < least)
        continue;
      // From here on, a part may begin with any of its ops.
      if (best.count == 0)
        end = std::min(end, start + 3 * period);
      auto rank = [](const LayerRun &run) {
        int64_t singles = 0;
        for (auto [op, result] : run.carried) {
          LayerOperand carried{Kind::Carried, op, result};
          int64_t uses = 0;
          for (ArrayRef<LayerOperand> list : run.operands)
            uses += llvm::count(list, carried);
          singles += uses == 1;
        }
        return int64_t(run.count) - 2 * int64_t(run.carried.size()) - singles;
      };
      if (best.count == 0 || rank(found) > rank(best))
        best = std::move(found);
    }
    return best;
  }

private:
  /// For each op, the last and the first place where a result of it is used;
  /// what is no op of the sequence stands behind all.
  void findUses() {
    for (unsigned i = 0; i < sequence.size(); ++i) {
      Operation *op = sequence[i];
      unsigned last = i;
      for (Operation *user : op->getUsers()) {
        Operation *top = op->getBlock()->findAncestorOpInBlock(*user);
        last =
            std::max(last, sequence.positionOf(top).value_or(sequence.size()));
      }
      lastUse.push_back(last);
    }
  }

  /// The longest run that begins at `start`.
  LayerRun runAt(unsigned start) {
    LayerRun run;
    SmallVector<SmallVector<LayerOperand>> operands;
    unsigned count = 1;
    for (;; ++count) {
      unsigned part = start + (count - 1) * period;
      if (part + 2 * period > sequence.size())
        break;
      SmallVector<SmallVector<LayerOperand>> found;
      if (!compare(part, found) || (count > 1 && found != operands))
        break;
      operands = std::move(found);
      // Values of this part, if nothing but the next one takes them.
      if (escapes(part, part + 2 * period))
        break;
    }
    if (count < 2)
      return run;
    llvm::SmallSetVector<std::pair<unsigned, unsigned>, 4> carried;
    for (ArrayRef<LayerOperand> list : operands)
      for (const LayerOperand &operand : list)
        if (operand.kind == Kind::Carried)
          carried.insert({operand.op, operand.result});
    if (!isFirst(start, operands))
      return run;
    // Of the last part, what is carried may be used behind.
    while (count >= 2 && leaves(start + (count - 1) * period, carried))
      --count;
    if (count < 2)
      return run;
    run.period = period;
    run.count = count;
    for (unsigned i = 0; i < count * period; ++i)
      run.ops.push_back(sequence[start + i]);
    run.operands = std::move(operands);
    run.carried = carried.takeVector();
    return run;
  }

  bool escapes(unsigned part, unsigned end) const {
    for (unsigned i = part; i < part + period; ++i)
      if (lastUse[i] >= end)
        return true;
    return false;
  }

  /// Whether a value of the part that is not carried is used behind it.
  bool leaves(
      unsigned part,
      const llvm::SmallSetVector<std::pair<unsigned, unsigned>, 4> &carried) {
    for (unsigned i = part; i < part + period; ++i) {
      if (lastUse[i] < part + period)
        continue;
      for (OpResult result : sequence[i]->getResults()) {
        if (carried.contains({i - part, result.getResultNumber()}))
          continue;
        for (Operation *user : result.getUsers()) {
          Operation *top =
              sequence[i]->getBlock()->findAncestorOpInBlock(*user);
          auto at = sequence.positionOf(top);
          if (!at || *at >= part + period)
            return true;
        }
      }
    }
    return false;
  }

  /// What the operands of the part at `part` and of the next one are of; false
  /// if they are of different things.
  bool compare(unsigned part, SmallVector<SmallVector<LayerOperand>> &found) {
    for (unsigned i = part; i < part + period; ++i) {
      if (!alike[i])
        return false;
      found.emplace_back();
      for (auto [mine, next] :
           llvm::zip_equal(sequence[i]->getOperands(),
                           sequence[i + period]->getOperands())) {
        std::optional<LayerOperand> operand = compare(part, mine, next);
        if (!operand)
          return false;
        found.back().push_back(*operand);
      }
    }
    return true;
  }

  std::optional<LayerOperand> compare(unsigned part, Value mine,
                                      Value next) const {
    std::optional<unsigned> a = sequence.positionOf(mine),
                            b = sequence.positionOf(next);
    auto isIn = [&](std::optional<unsigned> at, unsigned begin) {
      return at && *at >= begin && *at < begin + period;
    };
    auto numberOf = [](Value value) {
      return cast<OpResult>(value).getResultNumber();
    };
    if (isIn(a, part)) {
      if (b == *a + period && numberOf(mine) == numberOf(next))
        return LayerOperand{Kind::Internal, *a - part, numberOf(mine)};
      return std::nullopt;
    }
    if (mine.getType() != next.getType())
      return std::nullopt;
    if (isIn(b, part))
      return LayerOperand{Kind::Carried, *b - part, numberOf(next)};
    if (mine == next)
      return LayerOperand{Kind::Invariant};
    if (mine.getDefiningOp<WeightRefOp>() && next.getDefiningOp<WeightRefOp>())
      return LayerOperand{Kind::Weight};
    if (isa<CacheType>(mine.getType()) && isa<BlockArgument>(mine) &&
        isa<BlockArgument>(next))
      return LayerOperand{Kind::Cache};
    return std::nullopt;
  }

  /// Whether what the first part takes is one value for each that is carried,
  /// of the same type, and all parts after it take that of the one before.
  bool isFirst(unsigned start,
               ArrayRef<SmallVector<LayerOperand>> operands) const {
    llvm::DenseMap<std::pair<unsigned, unsigned>, Value> inits;
    for (auto [i, list] : llvm::enumerate(operands))
      for (auto [j, operand] : llvm::enumerate(list)) {
        if (operand.kind != Kind::Carried)
          continue;
        Value mine = sequence[start + i]->getOperand(j);
        Value &init = inits[{operand.op, operand.result}];
        if (init && init != mine)
          return false;
        init = mine;
        if (!isa<RankedTensorType>(mine.getType()))
          return false;
      }
    return true;
  }

  const Sequence &sequence;
  unsigned period;
  SmallVector<bool> alike;
  SmallVector<unsigned> lastUse;
};

} // namespace

LayerRun ingot::findLayers(func::FuncOp func, int64_t least,
                           std::string &reason) {
  Sequence sequence(func);
  unsigned period = sequence.bestPeriod();
  if (period == 0) {
    reason = "no op sequence repeats";
    return {};
  }
  LayerRun run = RunFinder(sequence, period).run(std::max<int64_t>(least, 2));
  if (run.count == 0)
    reason = "parts of " + std::to_string(period) +
             " ops repeat, but not often enough, or they differ in more than "
             "weights, or their values are needed elsewhere";
  run.front = std::move(sequence.front);
  return run;
}
