//===- Arrivals.cpp - for whom barriers wait ------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Mega/IR/CallOps.h"
#include "lib/Prove/Dealing.h"

#include "mlir/Dialect/MemRef/Utils/MemRefUtils.h"

using namespace mlir;
using namespace ingot;
using namespace ingot::prove;

//===----------------------------------------------------------------------===//
// What each worker runs
//===----------------------------------------------------------------------===//

/// Whoever runs something behind it in the stage that reads what it writes.
Dealing::Readers Dealing::readersOf(const Dealt &dealt) {
  llvm::SetVector<Value> written;
  for (mega::TilesOp tiles : dealt.step.tiles)
    tiles.walk([&](mega::AccessOp access) {
      if (access.mayWrite())
        written.insert(memref::skipViewLikeOps(access.getSource()));
    });
  SmallVector<const Space *> readers;
  bool isElsewhere = written.empty();
  before.walk([&](Operation *op) {
    if (isPure(op) && !isa<mega::AccessOp>(op))
      return;
    if (llvm::none_of(op->getOperands(), [&](Value operand) {
          auto buffer = dyn_cast<MemrefValue>(operand);
          return buffer && written.contains(memref::skipViewLikeOps(buffer));
        }))
      return;
    for (const Dealt &other : all)
      for (const Space &space : other.spaces)
        if (space.tiles->isProperAncestor(op)) {
          if (&other > &dealt && other.step.op == dealt.step.op)
            readers.push_back(&space);
          else
            isElsewhere |= &other != &dealt;
          return;
        }
    isElsewhere = true;
  });
  return isElsewhere || readers.empty() ? Readers() : Readers(readers);
}

bool Dealing::isRunByReaders(const Share &share, const Space &space,
                             const Readers &readers,
                             std::vector<Formula> facts) {
  Formula runsAll =
      Formula::all({equal(share.first, 0), equal(share.end, space.all),
                    equal(share.step, 1)});
  if (!readers)
    return proves(facts, runsAll);
  return llvm::all_of(*readers, [&](const Space *reader) {
    Share theirs = shareOf(*reader, " reader", values.workerOf("w"));
    std::vector<Formula> reads = facts;
    reads.push_back(lessThan(theirs.first, theirs.end));
    return proves(reads, runsAll);
  });
}

//===----------------------------------------------------------------------===//
// Who is waited for
//===----------------------------------------------------------------------===//

/// Workers come to the same barriers, each behind as many spaces of tiles, and
/// wait there for whoever did something.
std::optional<Dealing::Problem> Dealing::checkMeetings() {
  std::vector<std::pair<Value, unsigned>> wanted, found;
  unsigned count = 0;
  for (const Step &step : stepsOf(before)) {
    count += step.tiles.size();
    if (auto barrier = step.getBarrier())
      wanted.emplace_back(barrier.getUnless() ? same.lookup(barrier.getUnless())
                                              : Value(),
                          count);
  }
  count = 0;
  for (Operation &op : after.getProgram()) {
    count += isa<func::CallOp>(op) && !op.hasAttr("ingot.prefetch");
    if (auto barrier = dyn_cast<mega::BarrierOp>(op))
      found.emplace_back(barrier.getUnless(), count);
  }
  if (wanted != found)
    return Problem{before, "has other barriers than what became of it"};
  values.assume(llvm::DenseMap<Value, bool>());
  solver.assume({});
  for (auto barrier : after.getProgram().getOps<mega::BarrierOp>())
    if (auto problem = checkMeeting(barrier))
      return problem;
  for (Operation &op : after.getProgram().without_terminator())
    if (auto problem = checkOutside(&op))
      return problem;
  return std::nullopt;
}

/// It waits for the same workers whoever waits, and for no more than there are.
std::optional<Dealing::Problem> Dealing::checkMeeting(mega::BarrierOp barrier) {
  Value busy = barrier.getBusy();
  if (!busy)
    return std::nullopt;
  if (values.dependsOnWorker(busy))
    return Problem{before, "has a barrier at which workers wait for different "
                           "numbers of others"};
  Poly many = values.valueOf(busy, {{}, ""});
  if (!proves(
          factsAt(barrier),
          Formula::all({atLeast(many, 0), atLeast(values.workers(), many)})))
    return Problem{before, "has a barrier that may wait for more workers than "
                           "there are, or for less than none"};
  return std::nullopt;
}

/// What is done outside of tiles is waited for: it is worker 0's or everyone's.
std::optional<Dealing::Problem> Dealing::checkOutside(Operation *op) {
  // What is fetched ahead nobody writes; a check touches nothing, and all leave
  // where one ends the program.
  if (isMemoryEffectFree(op) ||
      isa<func::CallOp, mega::BarrierOp, CheckOp, mega::UntilOp>(op))
    return std::nullopt;
  auto meetings = meetingsBehind(op);
  llvm::SetVector<Value> conditions;
  for (mega::BarrierOp barrier : meetings)
    if (barrier.getUnless())
      conditions.insert(barrier.getUnless());
  auto cases = casesOf(conditions.getArrayRef(), values, solver);
  if (!cases)
    return Problem{before, "has too many barriers at which workers may wait"};
  for (const Case &one : *cases) {
    one.assume(values, solver);
    Poly many = isa<mega::SingleOp>(op) ? Poly(1) : values.workers();
    if (!areAwaited(meetings, many, {}))
      return Problem{before, "does something outside of its stages that the "
                             "next barrier does not wait for"};
  }
  return std::nullopt;
}

SmallVector<mega::BarrierOp> Dealing::meetingsBehind(Operation *op) {
  SmallVector<mega::BarrierOp> meetings;
  while ((op = op->getNextNode()))
    if (auto barrier = dyn_cast<mega::BarrierOp>(op)) {
      meetings.push_back(barrier);
      if (!barrier.getUnless())
        break;
    }
  return meetings;
}

bool Dealing::areAwaited(ArrayRef<mega::BarrierOp> meetings, const Poly &many,
                         ArrayRef<Formula> facts) {
  for (mega::BarrierOp barrier : meetings) {
    if (values.holds(barrier.getUnless()))
      continue;
    Value busy = barrier.getBusy();
    return !busy ||
           proves(facts, atLeast(values.valueOf(busy, {{}, ""}), many));
  }
  return true;
}
