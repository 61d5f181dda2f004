//===- GroupStages.cpp - which stages need not wait for another -----------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/IngotOps.h"
#include "ingot/Transforms/Entries.h"
#include "ingot/Transforms/Passes.h"

#include "mlir/Interfaces/ViewLikeInterface.h"

namespace ingot {
#define GEN_PASS_DEF_GROUPSTAGES
#include "lib/Transforms/Passes.h.inc"
} // namespace ingot

using namespace mlir;

namespace {

/// What `view` is a view of; null if it is memory of its own.
Value sourceOf(Value view) {
  if (auto op = view.getDefiningOp<ViewLikeOpInterface>())
    return op.getViewSource();
  if (auto part = view.getDefiningOp<ingot::CachePartOp>())
    return part.getCache();
  return {};
}

/// Whether two parts of one memref have no element in common, as constants
/// tell.
bool areDisjoint(memref::SubViewOp a, memref::SubViewOp b) {
  if (a.getSource() != b.getSource())
    return false;
  auto endsBefore = [](memref::SubViewOp first, memref::SubViewOp second,
                       unsigned dim) {
    std::optional<int64_t> begin =
        getConstantIntValue(first.getMixedOffsets()[dim]);
    std::optional<int64_t> size =
        getConstantIntValue(first.getMixedSizes()[dim]);
    std::optional<int64_t> stride =
        getConstantIntValue(first.getMixedStrides()[dim]);
    std::optional<int64_t> next =
        getConstantIntValue(second.getMixedOffsets()[dim]);
    return begin && size && next && stride == 1 && *begin + *size <= *next;
  };
  for (unsigned dim = 0; dim < a.getSourceType().getRank(); ++dim)
    if (endsBefore(a, b, dim) || endsBefore(b, a, dim))
      return true;
  return false;
}

/// Memory that a stage reads or writes.
struct Access {
  /// The value outside of the stage, and everything that it is a view of.
  SmallVector<Value> views;
  bool isWrite;

  bool conflicts(const Access &other) const {
    if ((!isWrite && !other.isWrite) || views.back() != other.views.back())
      return false;
    for (Value mine : views)
      for (Value theirs : other.views) {
        auto a = mine.getDefiningOp<memref::SubViewOp>();
        auto b = theirs.getDefiningOp<memref::SubViewOp>();
        if (a && b && areDisjoint(a, b))
          return false;
      }
    return true;
  }
};

/// What one or several stages do to memory.
struct Accesses {
  SmallVector<Access> known;
  /// Later stages may rely on a check that nothing in memory tells of.
  bool hasCheck = false;
  /// Something touches memory without saying which.
  bool hasUnknown = false;

  explicit Accesses(scf::ForallOp stage) {
    stage.getBodyRegion().walk([&](Operation *op) { add(op, stage); });
  }

  void join(Accesses &&other) {
    llvm::append_range(known, other.known);
    hasCheck |= other.hasCheck;
  }

  bool allows(const Accesses &next) const {
    if (hasCheck || hasUnknown || next.hasUnknown)
      return false;
    return llvm::none_of(next.known, [&](const Access &access) {
      return llvm::any_of(known, [&](const Access &earlier) {
        return access.conflicts(earlier);
      });
    });
  }

private:
  void add(Operation *op, scf::ForallOp stage) {
    if (isa<ingot::CheckOp>(op)) {
      hasCheck = true;
      return;
    }
    auto effects = dyn_cast<MemoryEffectOpInterface>(op);
    if (!effects) {
      hasUnknown |= !op->hasTrait<OpTrait::HasRecursiveMemoryEffects>() &&
                    !isMemoryEffectFree(op);
      return;
    }
    SmallVector<MemoryEffects::EffectInstance> instances;
    effects.getEffects(instances);
    for (const MemoryEffects::EffectInstance &effect : instances) {
      bool isWrite = isa<MemoryEffects::Write>(effect.getEffect());
      if (!isWrite && !isa<MemoryEffects::Read>(effect.getEffect()))
        continue;
      if (!effect.getValue()) {
        hasUnknown = true;
        continue;
      }
      // Scratch of the stage begins and ends in it.
      SmallVector<Value> views;
      for (Value value = effect.getValue(); value; value = sourceOf(value))
        if (!stage->isAncestor(value.getParentBlock()->getParentOp()))
          views.push_back(value);
      if (!views.empty())
        known.push_back({std::move(views), isWrite});
    }
  }
};

struct GroupStagesPass : ingot::impl::GroupStagesBase<GroupStagesPass> {
  void runOnOperation() override {
    func::FuncOp func = getOperation();
    if (func.isExternal())
      return;
    std::optional<Accesses> group;
    for (auto stage : func.getBody().front().getOps<scf::ForallOp>()) {
      Accesses own(stage);
      if (group && group->allows(own)) {
        stage->setAttr(ingot::joinsAttrName, UnitAttr::get(&getContext()));
        group->join(std::move(own));
      } else {
        group = std::move(own);
      }
    }
  }
};

} // namespace
