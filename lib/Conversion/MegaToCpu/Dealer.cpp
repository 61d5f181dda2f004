//===- Dealer.cpp - which worker runs which tiles -------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Conversion/MegaToCpu/Dealer.h"

#include "dialects/Ingot/IR/IngotOps.h"
#include "ingot/Interfaces/TileHintInterface.h"
#include "lib/Conversion/MegaToCpu/CountArrivals.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/Utils/MemRefUtils.h"

using namespace mlir;
using namespace ingot;
using namespace ingot::mega;

namespace {

Value countTiles(OpBuilder &b, TilesOp tiles) {
  Location loc = tiles.getLoc();
  Value all;
  for (auto [extent, step] :
       llvm::zip_equal(tiles.getMixedExtents(), tiles.getMixedSteps())) {
    Value count = b.createOrFold<arith::CeilDivSIOp>(
        loc, getValueOrCreateConstantIndexOp(b, loc, extent),
        getValueOrCreateConstantIndexOp(b, loc, step));
    all = all ? b.createOrFold<arith::MulIOp>(loc, all, count) : count;
  }
  return all;
}

/// Whether later tiles may cost more than earlier ones.
bool mayGrow(TilesOp tiles) {
  return tiles
      .walk([](TileHintInterface op) {
        return op.mayTilesGrow() ? WalkResult::interrupt()
                                 : WalkResult::advance();
      })
      .wasInterrupted();
}

} // namespace

Dealer::Dealer(OpBuilder &b, Location loc, ArrayRef<TilesOp> all,
               bool isPrologue, Value worker, Value workers)
    : b(b), loc(loc), worker(worker), workers(workers) {
  Value zero = constant(0);
  for (TilesOp tiles : all) {
    bool takesTurns = mayGrow(tiles);
    spaces.push_back({countTiles(b, tiles), zero, zero, takesTurns});
    if (Value are = takesTurns ? Value() : areUnevenRows(tiles))
      areUneven =
          areUneven ? b.createOrFold<arith::OrIOp>(loc, areUneven, are) : are;
  }
  Value inRow = zero, inTurn = zero;
  for (Space &space : spaces) {
    space.before = inRow;
    space.beforeInTurn = inTurn;
    Value turns = space.takesTurns ? space.count
                  : areUneven      ? select(areUneven, space.count, zero)
                                   : zero;
    inTurn = add(inTurn, turns);
    if (!space.takesTurns)
      inRow = add(inRow, space.count);
  }
  Value most = b.createOrFold<arith::MaxSIOp>(loc, inRow, inTurn);
  busy = b.createOrFold<arith::MinSIOp>(loc, most, workers);
  auto takesTurns = [](const Space &space) { return space.takesTurns; };
  unsigned numRows = spaces.size() - llvm::count_if(spaces, takesTurns);
  if (numRows == 0)
    return;
  areFew = b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::slt, inRow,
                                         workers);
  next = add(worker, constant(1));
  begin = share(inRow, worker);
  end = share(inRow, next);
  isAlone = numRows == 1;
  if (isAlone || isPrologue)
    return;
  Value apart = zero;
  for (const Space &space : spaces)
    if (!space.takesTurns)
      apart = add(apart, divideUp(space.count));
  areApart = b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::ule,
                                           apart, divideUp(inRow));
}

void Dealer::repeatWhere(Value condition, Value among) {
  each = condition;
  busy = select(each, among, busy);
  if (among != workers)
    repeats =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, worker, among);
}

std::array<Value, 3> Dealer::tilesOf(unsigned position) {
  const Space &space = spaces[position];
  std::array<Value, 3> dealt;
  if (space.takesTurns)
    dealt = {turnOf(space), space.count, workers};
  else
    dealt = {inRow(space, worker, begin), inRow(space, next, end), constant(1)};
  if (!space.takesTurns && areUneven)
    dealt = {select(areUneven, turnOf(space), dealt[0]),
             select(areUneven, space.count, dealt[1]),
             select(areUneven, workers, dealt[2])};
  if (!each)
    return dealt;
  Value all = repeats ? select(repeats, space.count, constant(0)) : space.count;
  return {select(each, constant(0), dealt[0]), select(each, all, dealt[1]),
          select(each, constant(1), dealt[2])};
}

std::array<Value, 3> Dealer::firstOf(unsigned position) {
  auto [first, end, step] = tilesOf(position);
  Value isDealt =
      b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::slt, first, end);
  Value last = select(isDealt, add(first, constant(1)), first);
  if (isPast)
    last = select(isPast, first, last);
  isPast =
      isPast ? b.createOrFold<arith::OrIOp>(loc, isPast, isDealt) : isDealt;
  return {first, last, step};
}

Value Dealer::constant(int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}

Value Dealer::add(Value lhs, Value rhs) {
  return b.createOrFold<arith::AddIOp>(loc, lhs, rhs);
}

Value Dealer::select(Value condition, Value yes, Value no) {
  return b.createOrFold<arith::SelectOp>(loc, condition, yes, no);
}

Value Dealer::divideUp(Value total) {
  return b.createOrFold<arith::CeilDivUIOp>(loc, total, workers);
}

/// Whether the last of several rows of tiles lack more than an eighth of all:
/// whoever had them would have less to do. Null for never.
Value Dealer::areUnevenRows(TilesOp tiles) {
  Value are;
  SmallVector<OpFoldResult> extents = tiles.getMixedExtents();
  SmallVector<OpFoldResult> steps = tiles.getMixedSteps();
  for (auto [extent, step] : llvm::zip_equal(ArrayRef(extents).drop_back(),
                                             ArrayRef(steps).drop_back())) {
    if (isConstantIntValue(step, 1))
      continue;
    Value all = getValueOrCreateConstantIndexOp(b, loc, extent);
    Value size = getValueOrCreateConstantIndexOp(b, loc, step);
    Value rows = b.createOrFold<arith::CeilDivSIOp>(loc, all, size);
    Value lack = b.createOrFold<arith::SubIOp>(
        loc, b.createOrFold<arith::MulIOp>(loc, rows, size), all);
    lack = b.createOrFold<arith::MulIOp>(loc, lack, constant(8));
    Value isLarge = b.createOrFold<arith::CmpIOp>(
        loc, arith::CmpIPredicate::sgt, lack, all);
    Value areSeveral = b.createOrFold<arith::CmpIOp>(
        loc, arith::CmpIPredicate::sgt, rows, constant(1));
    Value both = b.createOrFold<arith::AndIOp>(loc, isLarge, areSeveral);
    are = are ? b.createOrFold<arith::OrIOp>(loc, are, both) : both;
  }
  return are && matchPattern(are, m_Zero()) ? Value() : are;
}

/// Where the part of the worker of a number begins in a row of so many tiles.
Value Dealer::share(Value total, Value number) {
  Value product = b.createOrFold<arith::MulIOp>(loc, total, number);
  return select(areFew, b.createOrFold<arith::MinSIOp>(loc, number, total),
                b.createOrFold<arith::DivUIOp>(loc, product, workers));
}

/// Where the tiles of worker number `number`, whose tiles of all spaces begin
/// at `begin`, do so in the space at hand.
Value Dealer::inRow(const Space &space, Value number, Value begin) {
  if (isAlone)
    return begin;
  Value own = b.createOrFold<arith::SubIOp>(loc, begin, space.before);
  own = b.createOrFold<arith::MaxSIOp>(loc, own, constant(0));
  own = b.createOrFold<arith::MinSIOp>(loc, own, space.count);
  return areApart ? select(areApart, share(space.count, number), own) : own;
}

/// The worker's first tile when all take turns.
Value Dealer::turnOf(const Space &space) {
  if (isConstantIntValue(space.beforeInTurn, 0))
    return worker;
  Value past = b.createOrFold<arith::RemUIOp>(loc, space.beforeInTurn, workers);
  Value turn = add(worker, b.createOrFold<arith::SubIOp>(loc, workers, past));
  return b.createOrFold<arith::RemUIOp>(loc, turn, workers);
}

//===----------------------------------------------------------------------===//
// Steps that each worker runs
//===----------------------------------------------------------------------===//

/// The numbers of the `steps` behind the one at `position` that read what it
/// writes; nothing if other things do as well, or if it checks something.
static std::optional<llvm::SetVector<unsigned>>
readersOf(ArrayRef<StageStep> steps, unsigned position) {
  llvm::SetVector<Value> written;
  bool hasCheck = false;
  steps[position].block->walk([&](Operation *op) {
    hasCheck |= isa<CheckOp>(op);
    if (auto access = dyn_cast<AccessOp>(op))
      if (access.mayWrite())
        written.insert(memref::skipViewLikeOps(access.getSource()));
  });
  if (hasCheck)
    return std::nullopt;
  llvm::SetVector<unsigned> readers;
  // Grows while it is followed.
  for (unsigned i = 0; i < written.size(); ++i)
    for (Operation *user : written[i].getUsers()) {
      if (isa<ViewLikeOpInterface>(user) && !isa<AccessOp>(user)) {
        written.insert(user->getResults().begin(), user->getResults().end());
        continue;
      }
      auto step = llvm::find_if(steps, [&](const StageStep &step) {
        return step.block->findAncestorOpInBlock(*user);
      });
      unsigned number = step - steps.begin();
      if (step == steps.end() || number < position)
        return std::nullopt;
      if (number > position)
        readers.insert(number);
    }
  return readers;
}

std::vector<Dealer> ingot::dealStage(OpBuilder &b, StageOp stage, Value worker,
                                     Value workers) {
  SmallVector<StageStep> steps = stage.getSteps();
  std::vector<Dealer> dealers;
  for (const StageStep &step : steps)
    dealers.emplace_back(b, stage.getLoc(), llvm::to_vector(step.getTiles()),
                         step.isPrologue, worker, workers);
  for (unsigned i = steps.size(); i-- > 0;) {
    if (!steps[i].each)
      continue;
    std::optional<llvm::SetVector<unsigned>> readers = readersOf(steps, i);
    Value among;
    if (readers)
      for (unsigned reader : *readers)
        among = moreWorkers(b, stage.getLoc(), among, dealers[reader].getBusy(),
                            workers);
    dealers[i].repeatWhere(steps[i].each, among ? among : workers);
  }
  return dealers;
}
