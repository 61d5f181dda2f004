//===- PlanSync.cpp - where workers meet ----------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/IngotOps.h"
#include "ingot/Transforms/Schedule.h"
#include "lib/Transforms/Schedule/BandWaits.h"
#include "lib/Transforms/Schedule/ProgramEffects.h"

namespace ingot {
#define GEN_PASS_DEF_PLANSYNC
#include "lib/Transforms/Schedule/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot::mega;

namespace {

using Order = ingot::ProgramEffects::Order;

/// Where nobody waits for what `order` says; null for nowhere.
Value conditionOf(const Order &order, OpBuilder &b, Location loc) {
  Value all;
  if (!order.isNeeded)
    for (Value condition : order.unless)
      all =
          all ? b.createOrFold<arith::AndIOp>(loc, all, condition) : condition;
  return all;
}

/// Whether nobody ever waits.
bool isAlways(Value unless) { return unless && matchPattern(unless, m_One()); }

bool hasChecks(StageOp stage) {
  return stage.walk([](ingot::CheckOp) { return WalkResult::interrupt(); })
      .wasInterrupted();
}

/// What was done since the last barrier, one thing after the other.
struct Done {
  ingot::ProgramEffects effects;
  /// Whether it is tiles, and where every worker runs all of them.
  bool isTiles = false;
  Value each = {};
};

struct PlanSyncPass : ingot::impl::PlanSyncBase<PlanSyncPass> {
  using PlanSyncBase::PlanSyncBase;

  void runOnOperation() override {
    OpBuilder b(&getContext());
    counterMaker = {};
    plan(getOperation().getProgram(), b);
  }

private:
  /// What `next` has to wait for, of what was done from number `first` on.
  Order orderBefore(const ingot::ProgramEffects &next, size_t first = 0) const {
    Order all;
    for (const Done &done : ArrayRef(sinceBarrier).drop_front(first)) {
      Order order = done.effects.orderBefore(next);
      all.isNeeded |= order.isNeeded;
      all.unless.insert_range(order.unless);
    }
    return all;
  }

  /// Forgets what `order` waited for. Where nobody waited, only what was each
  /// worker's own is settled.
  void settle(const Order &order) {
    if (order.isNeeded)
      sinceBarrier.clear();
    else
      for (Done &done : sinceBarrier)
        done.effects.dropEach(order.unless);
  }

  /// Whether the tiles of `next` can wait for the tiles that were done from
  /// number `first` on, instead of for all workers, and that is expected to be
  /// worth while: then they do.
  bool waitForTiles(ArrayRef<Done> next, size_t first = 0) {
    std::vector<ingot::BandWait> waits;
    for (const Done &step : next)
      for (const Done &done : ArrayRef(sinceBarrier).drop_front(first)) {
        if (!done.effects.orderBefore(step.effects))
          continue;
        auto pairs = done.effects.pairsBefore(step.effects, done.each);
        if (!done.isTiles || !pairs)
          return false;
        for (auto [earlier, later] : *pairs) {
          auto wait = ingot::bandWaitOf(earlier, later);
          if (!wait || !counterMaker.canMake(*wait) ||
              !ingot::paysOff(*wait, {workers, flops}))
            return false;
          waits.push_back(*wait);
        }
      }
    for (const ingot::BandWait &wait : waits)
      counterMaker.make(wait);
    return true;
  }

  /// Puts barriers and counters into `body`, in front of which nothing is open.
  void plan(Block &body, OpBuilder &b) {
    sinceBarrier.clear();
    counterMaker.setCleared({});
    StageOp last;
    for (Operation &op : body) {
      if (op.hasTrait<OpTrait::IsTerminator>())
        continue;
      auto stage = dyn_cast<StageOp>(op);
      ingot::ProgramEffects own;
      std::vector<Done> steps;
      if (!stage)
        own = ingot::ProgramEffects(&op);
      else
        for (const StageStep &step : stage.getSteps()) {
          steps.push_back(
              {ingot::ProgramEffects(step), /*isTiles=*/true, step.each});
          own.join(steps.back().effects);
        }
      if (auto order = orderBefore(own);
          order && !(stage && waitForTiles(steps))) {
        b.setInsertionPoint(&op);
        meet(order, b, op.getLoc(), b.saveInsertionPoint(), last);
      }
      if (stage) {
        planSteps(stage, std::move(steps), b, last);
        last = stage;
        continue;
      }
      if (auto loop = dyn_cast<LoopOp>(op)) {
        // Nothing in it has to wait for what is still open; all wait at its
        // end, since what one time makes is for the next.
        Block &inner = loop.getBody().front();
        plan(inner, b);
        b.setInsertionPointToEnd(&inner);
        BarrierOp::create(b, op.getLoc(), /*unless=*/Value());
        sinceBarrier.clear();
        counterMaker.setCleared({});
        last = {};
        continue;
      }
      sinceBarrier.push_back({std::move(own)});
    }
  }

  /// Puts a barrier at `place`, for `order`; `last` is the last stage before.
  void meet(const Order &order, OpBuilder &b, Location loc,
            OpBuilder::InsertPoint place, StageOp last) {
    Value unless = conditionOf(order, b, loc);
    b.restoreInsertionPoint(place);
    if (!isAlways(unless))
      BarrierOp::create(b, loc, unless);
    // Nothing stands between a stage that checks something and the barrier.
    if (!unless)
      counterMaker.setCleared(last && !hasChecks(last) ? last : StageOp());
    settle(order);
  }

  /// Puts barriers between the steps of a stage, in front of which nothing is
  /// open that it would have to wait for. `before` is the stage before it.
  void planSteps(StageOp stage, std::vector<Done> steps, OpBuilder &b,
                 StageOp before) {
    size_t first = sinceBarrier.size();
    Block *last = nullptr;
    for (auto [place, step] : llvm::zip_equal(stage.getSteps(), steps)) {
      if (auto order = orderBefore(step.effects, first);
          order && (place.isPrologue || !waitForTiles(step, first))) {
        // The condition stands in front of the stage, as those that it is of.
        b.setInsertionPoint(stage);
        meet(order, b, stage.getLoc(), {last, last->end()}, before);
        first = std::min(first, sinceBarrier.size());
      }
      last = place.block;
      sinceBarrier.push_back(std::move(step));
    }
  }

  std::vector<Done> sinceBarrier;
  ingot::CounterMaker counterMaker;
};

} // namespace
