//===- UnrollLoops.cpp - loops written out --------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/IngotOps.h"
#include "dialects/Mega/IR/CallOps.h"
#include "ingot/Prove.h"

#include "mlir/IR/IRMapping.h"

namespace ingot {
#define GEN_PASS_DEF_UNROLLLOOPS
#include "lib/Prove/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot;

namespace {

struct UnrollLoopsPass : ingot::impl::UnrollLoopsBase<UnrollLoopsPass> {
  void runOnOperation() override {
    for (auto loop : llvm::make_early_inc_range(
             getOperation().getProgram().getOps<mega::LoopOp>())) {
      OpBuilder b(loop);
      // Of one that ends who knows when, a time and the next: what one leaves
      // for a later one, all leave.
      bool endsEarly = !loop.getBody().getOps<mega::UntilOp>().empty();
      if (endsEarly && !loop.getNumber().use_empty()) {
        loop.emitError("cannot be proved: it may end early, and what it does "
                       "depends on how often it ran");
        return signalPassFailure();
      }
      int64_t times = endsEarly ? std::min<int64_t>(loop.getCount(), 2)
                                : int64_t(loop.getCount());
      for (int64_t i = 0; i < times; ++i)
        if (failed(copy(loop, i, b)))
          return signalPassFailure();
      loop.erase();
    }
  }

  /// Copies the body of `loop` for one number.
  static LogicalResult copy(mega::LoopOp loop, int64_t number, OpBuilder &b) {
    IRMapping map;
    map.map(
        loop.getNumber(),
        arith::ConstantIndexOp::create(b, loop.getLoc(), number).getResult());
    for (Operation &op : loop.getBody().front()) {
      auto member = dyn_cast<CacheMemberOp>(op);
      if (!member || member.getNumber() != loop.getNumber()) {
        b.clone(op, map);
        continue;
      }
      if (number >= int64_t(member.getCaches().size()))
        return member.emitError("has no cache for number ") << number;
      map.map(member.getResult(), member.getCaches()[number]);
    }
    return success();
  }
};

} // namespace
