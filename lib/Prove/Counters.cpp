//===- Counters.cpp - tiles that wait for tiles ---------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Prove/Counters.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace ingot;
using namespace ingot::prove;

/// Whether nothing but 0 is written, to all that there is.
static bool isClearing(const Access &access, const Part &part) {
  if (!access.tiles || access.reads || !access.writes || !access.memref ||
      access.memref.use_empty() || !part.isWhole())
    return false;
  return llvm::all_of(access.memref.getUses(), [](OpOperand &use) {
    auto fill = dyn_cast<linalg::FillOp>(use.getOwner());
    return fill && fill.isDpsInit(&use) &&
           isa<mega::TilesOp>(fill->getParentOp()) &&
           matchPattern(fill.getInputs().front(), m_Zero());
  });
}

LogicalResult Counters::collect() {
  states.clear();
  waits.clear();
  for (const Access &access : model.accesses)
    if (failed(note(access)))
      return failure();
  return success();
}

LogicalResult Counters::note(const Access &access) {
  if (!access.isCounting && !access.writes)
    return success();
  Part part = model.partOf(access, model.tileOf(access, "a"));
  auto state = llvm::find_if(states, [&](const State &other) {
    return isSameBuffer(other.buffer, part.buffer);
  });
  State *known = state == states.end() ? nullptr : &*state;
  if (isa<mega::SignalOp>(access.op))
    return noteSignal(access, known);
  if (isa<mega::AwaitOp>(access.op))
    return noteAwait(access, known);
  bool isClear = isClearing(access, part);
  if (known)
    *known = {part.buffer, isClear, {}};
  else if (isClear)
    states.push_back({part.buffer, isClear, {}});
  return success();
}

Poly Counters::countOf(const Tile &tile, unsigned dim) {
  return model.terms.ceilDiv(model.values.extentOf(tile, dim),
                             model.values.stepOf(tile, dim));
}

LogicalResult Counters::noteSignal(const Access &access, State *state) {
  if (!state || !state->isClear || state->counting)
    return access.op->emitError("counts in counters that were not set to 0, or "
                                "in which other tiles count");
  state->counting = access.tiles;
  state->isEach = access.isEach;
  Outcome outcome = model.solver.prove(
      model.factsAt(access), atLeast(state->buffer.shape.front(),
                                     countOf(model.tileOf(access, "a"), 0)));
  return outcome ? success()
                 : report(model, access, "counts where no counter is", outcome);
}

bool Counters::isReader(const Access &later, mega::TilesOp earlier) {
  auto bufferOf = [&](const Access &access) {
    return model.partOf(access, model.tileOf(access, "a")).buffer;
  };
  return llvm::any_of(model.accesses, [&](const Access &write) {
    return write.tiles == earlier && write.writes &&
           llvm::any_of(model.accesses, [&](const Access &read) {
             return read.tiles == later.tiles && read.reads &&
                    !read.isCounting &&
                    isSameBuffer(bufferOf(read), bufferOf(write));
           });
  });
}

LogicalResult Counters::noteAwait(const Access &access, State *state) {
  if (!state || !state->counting || state->counting == access.tiles)
    return access.op->emitError("waits for what no tile before it counts");
  auto await = cast<mega::AwaitOp>(access.op);
  mega::TilesOp earlier = state->counting;
  if (state->isEach && !isReader(access, earlier))
    return access.op->emitError("waits for tiles that its worker may not run");
  Tile tile = model.tileOf(access, "b"), theirs{earlier, "a"};
  Poly first = model.values.valueOf(await.getFirst(), tile);
  Poly count = model.values.valueOf(await.getCount(), tile);
  Poly target = model.values.valueOf(await.getTarget(), tile);
  Poly many = 1;
  for (int64_t dim = 1; dim < earlier.getRank(); ++dim)
    many = many * countOf(theirs, dim);
  std::vector<Formula> facts = model.factsAt(access);
  Outcome outcome = model.solver.prove(facts, equal(target, many));
  if (!outcome)
    return report(model, access, "does not wait for as many tiles as there are",
                  outcome);
  outcome = model.solver.prove(
      facts, Formula::any(
                 {lessThan(count, 1),
                  Formula::all({atLeast(first, 0),
                                atLeast(countOf(theirs, 0), first + count)})}));
  if (!outcome)
    return report(model, access, "may wait for tiles that there are not",
                  outcome);
  mega::TilesOp later = access.tiles;
  waits[later.getOperation()].push_back({await, earlier});
  return success();
}

std::vector<Formula> Counters::factsOf(const Access &a, const Access &b) {
  std::vector<Formula> facts;
  // Of tiles that every worker runs, another's may not be done.
  if (!a.tiles || !b.tiles || a.isEach)
    return facts;
  mega::TilesOp later = b.tiles;
  auto known = waits.find(later.getOperation());
  if (known == waits.end())
    return facts;
  Tile tile = model.tileOf(b, "b");
  for (const Wait &wait : known->second) {
    if (wait.earlier != a.tiles)
      continue;
    mega::AwaitOp op = wait.op;
    Poly number = model.values.numberOf(model.tileOf(a, "a"), 0);
    Poly first = model.values.valueOf(op.getFirst(), tile);
    Poly count = model.values.valueOf(op.getCount(), tile);
    facts.push_back(Formula::any(
        {lessThan(number, first), atLeast(number, first + count)}));
  }
  return facts;
}
