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
    ingot::ProgramEffects sinceBarrier;
    for (Operation &op : getOperation().getProgram().without_terminator()) {
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
      sinceBarrier.join(std::move(own));
    }
  }
};

} // namespace
