//===- PlanSync.cpp - where workers meet ----------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Transforms/Schedule.h"
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

/// Forgets what `order` waited for. Where nobody waited, only what was each
/// worker's own is settled.
void settle(ingot::ProgramEffects &open, const Order &order) {
  if (order.isNeeded)
    open = {};
  else
    open.dropEach(order.unless);
}

struct PlanSyncPass : ingot::impl::PlanSyncBase<PlanSyncPass> {
  void runOnOperation() override {
    OpBuilder b(&getContext());
    plan(getOperation().getProgram(), b);
  }

  /// Puts barriers into `body`, in front of which nothing is open.
  static void plan(Block &body, OpBuilder &b) {
    ingot::ProgramEffects sinceBarrier;
    for (Operation &op : body) {
      if (op.hasTrait<OpTrait::IsTerminator>())
        continue;
      ingot::ProgramEffects own(&op);
      if (auto order = sinceBarrier.orderBefore(own)) {
        b.setInsertionPoint(&op);
        if (Value unless = conditionOf(order, b, op.getLoc());
            !isAlways(unless))
          BarrierOp::create(b, op.getLoc(), unless);
        settle(sinceBarrier, order);
      }
      if (auto stage = dyn_cast<StageOp>(op)) {
        planSteps(stage, b, sinceBarrier);
        continue;
      }
      if (auto loop = dyn_cast<LoopOp>(op)) {
        // Nothing in it has to wait for what is still open; all wait at its
        // end, since what one time makes is for the next.
        Block &inner = loop.getBody().front();
        plan(inner, b);
        b.setInsertionPointToEnd(&inner);
        BarrierOp::create(b, op.getLoc(), /*unless=*/Value());
        sinceBarrier = {};
        continue;
      }
      sinceBarrier.join(std::move(own));
    }
  }

  /// Puts barriers between the steps of a stage, in front of which nothing is
  /// open that it has to wait for.
  static void planSteps(StageOp stage, OpBuilder &b,
                        ingot::ProgramEffects &sinceBarrier) {
    Location loc = stage.getLoc();
    Block *last = nullptr;
    for (const StageStep &step : stage.getSteps()) {
      ingot::ProgramEffects own(step);
      if (auto order = sinceBarrier.orderBefore(own)) {
        // The condition stands in front of the stage, as those that it is of.
        b.setInsertionPoint(stage);
        Value unless = conditionOf(order, b, loc);
        b.setInsertionPointToEnd(last);
        if (!isAlways(unless))
          BarrierOp::create(b, loc, unless);
        settle(sinceBarrier, order);
      }
      last = step.block;
      sinceBarrier.join(std::move(own));
    }
  }
};

} // namespace
