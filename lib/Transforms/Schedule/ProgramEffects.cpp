//===- ProgramEffects.cpp - what parts of a program do to memory ----------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Transforms/Schedule/ProgramEffects.h"

#include "dialects/Ingot/IR/IngotOps.h"
#include "dialects/Mega/IR/CounterOps.h"
#include "lib/Transforms/Parts.h"

using namespace mlir;
using namespace ingot;

namespace {

/// What `view` is a view of; null if it is memory of its own.
Value sourceOf(Value view) {
  if (auto op = view.getDefiningOp<ViewLikeOpInterface>())
    return op.getViewSource();
  // No cache is on two lists: the first one stands for all of its list.
  if (auto member = view.getDefiningOp<CacheMemberOp>())
    return member.getCaches().front();
  return {};
}

} // namespace

bool ProgramEffects::Access::conflicts(const Access &other) const {
  if ((!isWrite && !other.isWrite) || views.back() != other.views.back())
    return false;
  // Different resources of one value are apart; the default is all of it.
  auto *all = SideEffects::DefaultResource::get();
  if (resource != other.resource && resource != all && other.resource != all)
    return false;
  for (Value mine : views)
    for (Value theirs : other.views) {
      auto a = mine.getDefiningOp<memref::SubViewOp>();
      auto b = theirs.getDefiningOp<memref::SubViewOp>();
      if (a && b && a.getSource() == b.getSource() && areApart(a, b))
        return false;
    }
  return true;
}

ProgramEffects::ProgramEffects(Operation *op) {
  if (auto stage = dyn_cast<mega::StageOp>(op)) {
    for (const mega::StageStep &step : stage.getSteps())
      join(ProgramEffects(step));
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

std::optional<SmallVector<ProgramEffects::AccessPair>>
ProgramEffects::pairsBefore(const ProgramEffects &next, Value each) const {
  SmallVector<AccessPair> pairs;
  if (hasCheck || hasUnknown || next.hasUnknown)
    return std::nullopt;
  for (const Access &access : next.accesses)
    for (const Access &earlier : accesses) {
      if (!access.conflicts(earlier))
        continue;
      if (!earlier.inTile || !access.inTile || earlier.each() != each)
        return std::nullopt;
      pairs.emplace_back(earlier.inTile, access.inTile);
    }
  return pairs;
}

void ProgramEffects::dropEach(const llvm::SetVector<Value> &conditions) {
  llvm::erase_if(accesses, [&](const Access &access) {
    return conditions.contains(access.each());
  });
}

ProgramEffects::ProgramEffects(const mega::StageStep &step) {
  for (mega::TilesOp tiles : step.getTiles())
    tiles.getBody().walk([&](Operation *op) {
      hasCheck |= isa<CheckOp>(op);
      // These say in what order tiles come.
      if (isa<mega::AwaitOp, mega::SignalOp>(op))
        return;
      if (auto access = dyn_cast<mega::AccessOp>(op)) {
        for (bool isWrite : {false, true})
          if (isWrite ? access.mayWrite() : access.mayRead())
            add(access.getSource(), isWrite,
                SideEffects::DefaultResource::get(), access);
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
      add(effect.getValue(), isWrite, effect.getResource());
  }
}

void ProgramEffects::add(Value value, bool isWrite,
                         SideEffects::Resource *resource,
                         mega::AccessOp inTile) {
  Access access{{}, isWrite, resource, inTile};
  for (; value; value = sourceOf(value))
    access.views.push_back(value);
  accesses.push_back(std::move(access));
}
