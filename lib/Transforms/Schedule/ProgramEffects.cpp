//===- ProgramEffects.cpp - what parts of a program do to memory ----------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Transforms/Schedule/ProgramEffects.h"

#include "dialects/Ingot/IR/IngotOps.h"

using namespace mlir;
using namespace ingot;

namespace {

/// What `view` is a view of; null if it is memory of its own.
Value sourceOf(Value view) {
  if (auto op = view.getDefiningOp<ViewLikeOpInterface>())
    return op.getViewSource();
  if (auto part = view.getDefiningOp<CachePartOp>())
    return part.getCache();
  // No cache is on two lists: the first one stands for all of its list.
  if (auto member = view.getDefiningOp<CacheMemberOp>())
    return member.getCaches().front();
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

} // namespace

bool ProgramEffects::Access::conflicts(const Access &other) const {
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

ProgramEffects::ProgramEffects(Operation *op) {
  if (auto stage = dyn_cast<mega::StageOp>(op)) {
    addStage(stage);
    return;
  }
  if (auto loop = dyn_cast<mega::LoopOp>(op)) {
    for (Operation &inner : loop.getBody().front())
      join(ProgramEffects(&inner));
    return;
  }
  // What each worker checks for itself it finds before it goes on.
  if (isa<CheckOp>(op))
    return;
  op->walk([&](Operation *inner) {
    addEffects(inner, [](Value) { return false; });
  });
}

void ProgramEffects::join(ProgramEffects other) {
  llvm::append_range(accesses, std::move(other.accesses));
  hasCheck |= other.hasCheck;
  hasUnknown |= other.hasUnknown;
}

Value ProgramEffects::Access::each() const {
  auto alloc = views.back().getDefiningOp<mega::AllocEachOp>();
  return alloc ? alloc.getCondition() : Value();
}

ProgramEffects::Order
ProgramEffects::orderBefore(const ProgramEffects &next) const {
  Order order;
  if (isEmpty() || next.isEmpty())
    return order;
  if (hasCheck || hasUnknown || next.hasUnknown) {
    order.isNeeded = true;
    return order;
  }
  for (const Access &access : next.accesses)
    for (const Access &earlier : accesses) {
      if (!access.conflicts(earlier))
        continue;
      if (Value condition = earlier.each())
        order.unless.insert(condition);
      else
        order.isNeeded = true;
    }
  return order;
}

void ProgramEffects::dropEach(const llvm::SetVector<Value> &conditions) {
  llvm::erase_if(accesses, [&](const Access &access) {
    return conditions.contains(access.each());
  });
}

void ProgramEffects::addStage(mega::StageOp stage) {
  for (mega::TilesOp tiles : stage.getTiles())
    tiles.getBody().walk([&](Operation *op) {
      hasCheck |= isa<CheckOp>(op);
      if (auto access = dyn_cast<mega::AccessOp>(op)) {
        if (access.mayRead())
          add(access.getSource(), /*isWrite=*/false);
        if (access.mayWrite())
          add(access.getSource(), /*isWrite=*/true);
        return;
      }
      // Buffers are accessed or the tile's own; states are named directly.
      addEffects(
          op, [](Value value) { return isa<BaseMemRefType>(value.getType()); });
    });
}

void ProgramEffects::addEffects(Operation *op,
                                llvm::function_ref<bool(Value)> isKnown) {
  if (isa<CheckOp>(op))
    return;
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
    if (!effect.getValue())
      hasUnknown = true;
    else if (!isKnown(effect.getValue()))
      add(effect.getValue(), isWrite);
  }
}

void ProgramEffects::add(Value value, bool isWrite) {
  Access access{{}, isWrite};
  for (; value; value = sourceOf(value))
    access.views.push_back(value);
  accesses.push_back(std::move(access));
}
