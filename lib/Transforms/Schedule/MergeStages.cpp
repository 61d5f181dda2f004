//===- MergeStages.cpp - independent neighbours dealt together ------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Transforms/Schedule.h"
#include "lib/Transforms/Schedule/ProgramEffects.h"

namespace ingot {
#define GEN_PASS_DEF_MERGESTAGES
#include "lib/Transforms/Schedule/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot::mega;

namespace {

struct MergeStagesPass : ingot::impl::MergeStagesBase<MergeStagesPass> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    Block &program = getOperation().getProgram();
    merge(program, rewriter);
    for (auto loop : program.getOps<LoopOp>())
      merge(loop.getBody().front(), rewriter);
  }

  static void merge(Block &body, IRRewriter &rewriter) {
    StageOp last;
    ingot::ProgramEffects effects;
    for (Operation &op : llvm::make_early_inc_range(body)) {
      auto stage = dyn_cast<StageOp>(op);
      if (!stage) {
        // Values and allocations move in front of the stage when one joins it.
        if (!isMemoryEffectFree(&op) && !isa<memref::AllocOp, AllocEachOp>(op))
          last = nullptr;
        continue;
      }
      ingot::ProgramEffects own(stage);
      if (last && last.getEach() == stage.getEach() &&
          stage.getPrologues().empty() && !effects.orderBefore(own)) {
        join(last, stage, rewriter);
        effects.join(std::move(own));
      } else {
        last = stage;
        effects = std::move(own);
      }
    }
  }

  /// Moves the tiles of `next` into `stage`, and what they need before it.
  static void join(StageOp stage, StageOp next, IRRewriter &rewriter) {
    for (Operation &op : llvm::make_early_inc_range(llvm::make_range(
             std::next(stage->getIterator()), next->getIterator())))
      rewriter.moveOpBefore(&op, stage);
    Block &body = stage.getBody().front();
    rewriter.inlineBlockBefore(&next.getBody().front(), &body, body.end());
    rewriter.eraseOp(next);
  }
};

} // namespace
