//===- FormPrologues.cpp - what each worker runs before its tiles ---------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Mega/IR/MegaOps.h"
#include "ingot/Transforms/Schedule.h"

namespace ingot {
#define GEN_PASS_DEF_FORMPROLOGUES
#include "lib/Transforms/Schedule/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot::mega;

namespace {

struct FormProloguesPass : ingot::impl::FormProloguesBase<FormProloguesPass> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    Block &program = getOperation().getProgram();
    form(program, rewriter);
    for (auto loop : program.getOps<LoopOp>())
      form(loop.getBody().front(), rewriter);
  }

  static void form(Block &body, IRRewriter &rewriter) {
    // Those that each worker runs, with nothing behind them yet.
    SmallVector<StageOp> open;
    for (Operation &op : llvm::make_early_inc_range(body)) {
      auto stage = dyn_cast<StageOp>(op);
      if (!stage) {
        if (!isMemoryEffectFree(&op) && !isa<memref::AllocOp, AllocEachOp>(op))
          open.clear();
        continue;
      }
      if (stage.getEach() && stage.getPrologues().empty()) {
        open.push_back(stage);
        continue;
      }
      if (!open.empty())
        fold(open, stage, rewriter);
      open.clear();
    }
  }

  /// Makes prologues of `stage` of the `first` ones, in front of its own.
  static void fold(ArrayRef<StageOp> first, StageOp stage,
                   IRRewriter &rewriter) {
    StageOp front = first.front();
    for (Operation &op : llvm::make_early_inc_range(
             llvm::make_range(front->getIterator(), stage->getIterator())))
      if (!isa<StageOp>(op))
        rewriter.moveOpBefore(&op, front);

    SmallVector<Value> conditions;
    for (StageOp each : first)
      conditions.push_back(each.getEach());
    llvm::append_range(conditions, stage.getConditions());
    rewriter.setInsertionPoint(stage);
    auto result =
        StageOp::create(rewriter, stage.getLoc(), conditions, stage.getEach());
    result->setDiscardableAttrs(stage->getDiscardableAttrDictionary());
    SmallVector<Region *> bodies;
    for (StageOp each : first)
      bodies.push_back(&each.getBody());
    for (Region &region : stage.getPrologues())
      bodies.push_back(&region);
    for (auto [prologue, body] : llvm::zip_equal(result.getPrologues(), bodies))
      prologue.takeBody(*body);
    result.getBody().takeBody(stage.getBody());
    for (StageOp each : first)
      rewriter.eraseOp(each);
    rewriter.eraseOp(stage);
  }
};

} // namespace
