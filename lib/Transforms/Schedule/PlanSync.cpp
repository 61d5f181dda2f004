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

struct PlanSyncPass : ingot::impl::PlanSyncBase<PlanSyncPass> {
  void runOnOperation() override {
    OpBuilder b(&getContext());
    ingot::ProgramEffects sinceBarrier;
    for (Operation &op : getOperation().getProgram().without_terminator()) {
      ingot::ProgramEffects own(&op);
      if (sinceBarrier.mustPrecede(own)) {
        b.setInsertionPoint(&op);
        BarrierOp::create(b, op.getLoc());
        sinceBarrier = {};
      }
      sinceBarrier.join(std::move(own));
    }
  }
};

} // namespace
