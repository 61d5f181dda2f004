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

Value allOf(OpBuilder &b, Location loc,
            const llvm::SetVector<Value> &conditions) {
  Value all;
  for (Value condition : conditions)
    all = all ? b.createOrFold<arith::AndIOp>(loc, all, condition) : condition;
  return all;
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
        Value unless =
            order.isNeeded ? Value() : allOf(b, op.getLoc(), order.unless);
        BarrierOp::create(b, op.getLoc(), unless);
        // Where nobody waited, only what was each worker's own is settled.
        if (order.isNeeded)
          sinceBarrier = {};
        else
          sinceBarrier.dropEach(order.unless);
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
};

} // namespace
