//===- CountArrivals.cpp - for how many workers barriers wait -------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Conversion/MegaToCpu/CountArrivals.h"

#include "dialects/Ingot/IR/IngotOps.h"
#include "dialects/Mega/IR/CallOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace ingot;
using namespace ingot::mega;

Value ingot::moreWorkers(OpBuilder &b, Location loc, Value lhs, Value rhs,
                         Value workers) {
  if (!lhs || !rhs || lhs == rhs)
    return lhs ? lhs : rhs;
  if (lhs == workers || rhs == workers)
    return workers;
  return b.createOrFold<arith::MaxSIOp>(loc, lhs, rhs);
}

namespace {

/// Goes through a program as its workers do.
class ArrivalCounter {
public:
  ArrivalCounter(const llvm::DenseMap<Operation *, Value> &busy, Value workers)
      : busy(busy), workers(workers) {}

  void count(Block &body) {
    for (Operation &op : body) {
      if (auto barrier = dyn_cast<BarrierOp>(op))
        meet(barrier);
      else if (auto loop = dyn_cast<LoopOp>(op))
        countLoop(loop);
      else if (auto call = busy.find(&op); call != busy.end())
        note(&op, call->second);
      else if (auto single = dyn_cast<SingleOp>(op))
        note(&op, oneWorker(op));
      // Functions that fetch ahead are asked for by nobody.
      else if (!isMemoryEffectFree(&op) &&
               !isa<func::CallOp, CheckOp, UntilOp, memref::AllocOp>(op))
        open = workers;
    }
  }

private:
  static Value oneWorker(Operation &op) {
    OpBuilder b(&op);
    return arith::ConstantIndexOp::create(b, op.getLoc(), 1);
  }

  void note(Operation *op, Value more) {
    OpBuilder b(op);
    b.setInsertionPointAfter(op);
    open = moreWorkers(b, op->getLoc(), open, more, workers);
  }

  void meet(BarrierOp barrier) {
    OpBuilder b(barrier);
    Location loc = barrier.getLoc();
    Value none = arith::ConstantIndexOp::create(b, loc, 0);
    barrier.getBusyMutable().clear();
    if (open != workers)
      barrier.getBusyMutable().assign(open ? open : none);
    // Where nobody waits, what was done is for the next one.
    open = open && barrier.getUnless()
               ? b.createOrFold<arith::SelectOp>(loc, barrier.getUnless(), open,
                                                 none)
               : Value();
  }

  /// What is known inside of a loop is known of one time. Most end with a
  /// barrier of all times.
  void countLoop(LoopOp loop) {
    Block &body = loop.getBody().front();
    auto last = dyn_cast<BarrierOp>(body.back());
    bool isClosed = last && !last.getUnless();
    if (!isClosed)
      open = workers;
    count(body);
    bool endsEarly = !loop.getBody().getOps<UntilOp>().empty();
    open = isClosed && !endsEarly ? Value() : workers;
  }

  const llvm::DenseMap<Operation *, Value> &busy;
  Value workers;
  /// How many have had something to do since the last barrier; null for nobody.
  Value open;
};

} // namespace

void ingot::countArrivals(ProgramOp program,
                          const llvm::DenseMap<Operation *, Value> &busy,
                          Value workers) {
  ArrivalCounter(busy, workers).count(program.getProgram());
}
