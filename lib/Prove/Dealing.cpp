//===- Dealing.cpp - which worker runs which tile -------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Prove/Dealing.h"

#include "dialects/Mega/IR/CounterOps.h"
#include "lib/Prove/Cases.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace ingot;
using namespace ingot::prove;

namespace {

const Tile nowhere{{}, ""};

} // namespace

Dealing::Dealing(mega::ProgramOp before, mega::ProgramOp after,
                 std::optional<int64_t> count, Answers &answers)
    : before(before), after(after), values(after, terms),
      solver(terms, answers) {
  llvm::DenseMap<int64_t, Operation *> numbered;
  for (Operation &op : after.getProgram())
    if (auto number = op.getAttrOfType<IntegerAttr>(sameAttrName))
      numbered[number.getInt()] = &op;
  auto note = [&](Value mine, Value theirs) {
    same[mine] = theirs;
    if (isa<MemRefType>(mine.getType()))
      values.alias(mine, theirs);
  };
  for (auto [mine, theirs] :
       llvm::zip_equal(before.getArguments(), after.getArguments()))
    note(mine, theirs);
  for (Operation &op : before.getProgram()) {
    auto number = op.getAttrOfType<IntegerAttr>(sameAttrName);
    Operation *other = number ? numbered.lookup(number.getInt()) : nullptr;
    if (other)
      for (auto [mine, theirs] :
           llvm::zip_equal(op.getResults(), other->getResults()))
        note(mine, theirs);
  }
  for (Value argument : after.getArguments()) {
    if (values.roleOf(argument) == "worker")
      workerArgument = argument;
    if (values.roleOf(argument) == "workers" && count)
      values.define(argument, *count);
  }
  if (count)
    values.setWorkers(*count);
}

std::optional<Dealing::Problem> Dealing::check() {
  if (!workerArgument)
    return Problem{before, "has no worker: plan memory first"};
  SmallVector<func::CallOp> calls;
  // What is fetched ahead is read by nobody.
  for (auto call : after.getProgram().getOps<func::CallOp>())
    if (!call->hasAttr("ingot.prefetch"))
      calls.push_back(call);
  for (auto [mine, theirs] : same)
    if (mine.getType().isIndex())
      values.alias(mine, theirs);
  ArrayRef<func::CallOp> rest = calls;
  for (const Step &step : stepsOf(before)) {
    if (step.tiles.empty())
      continue;
    if (step.tiles.size() > rest.size())
      return Problem{step.op, "has tiles that nobody runs"};
    if (auto problem = find(step, rest.take_front(step.tiles.size())))
      return problem;
    rest = rest.drop_front(step.tiles.size());
  }
  if (!rest.empty())
    return Problem{before, "became more calls than it has spaces of tiles"};
  if (auto problem = checkMeetings())
    return problem;
  for (const Dealt &dealt : all)
    if (auto problem = checkStep(dealt))
      return problem;
  return std::nullopt;
}

void Dealing::enter(func::CallOp call, const std::string &tag) {
  auto func = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
      call, call.getCalleeAttr());
  for (auto [argument, operand] :
       llvm::zip_equal(func.getArguments(), call.getOperands()))
    if (isa<MemRefType>(argument.getType()))
      values.alias(argument, operand);
    else if (argument.getType().isIndex())
      values.define(argument, values.valueOf(operand, {{}, tag}), tag);
}

Dealing::Share Dealing::shareOf(const Space &space, const std::string &kind,
                                const Poly &worker) {
  std::string tag = space.tag + kind;
  values.define(workerArgument, worker, tag);
  enter(space.call, tag);
  scf::ForOp loop = space.loop;
  Tile tile{{}, tag};
  return {values.valueOf(loop.getLowerBound(), tile),
          values.valueOf(loop.getUpperBound(), tile),
          values.valueOf(loop.getStep(), tile)};
}

void Dealing::collectChoices(Value value, const Case &known,
                             llvm::SetVector<Value> &conditions,
                             llvm::SmallPtrSetImpl<Operation *> &seen) {
  Operation *op = value.getDefiningOp();
  if (!op || op->getBlock() != &after.getProgram() || !seen.insert(op).second)
    return;
  if (auto select = dyn_cast<arith::SelectOp>(op)) {
    if (auto way = known.holds.find(select.getCondition());
        way != known.holds.end())
      return collectChoices(way->second ? select.getTrueValue()
                                        : select.getFalseValue(),
                            known, conditions, seen);
    if (!values.dependsOnWorker(select.getCondition()))
      conditions.insert(select.getCondition());
  }
  for (Value operand : op->getOperands())
    if (operand.getType().isIndex())
      collectChoices(operand, known, conditions, seen);
}

/// The function that is called, if it is not only declared.
static func::FuncOp definedCallee(func::CallOp call) {
  auto func = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
      call, call.getCalleeAttr());
  return func && !func.isExternal() ? func : func::FuncOp();
}

/// Whether a number only says where memory lies, which is not dealt.
static bool isPlace(Value argument) {
  return llvm::all_of(argument.getUses(), [](OpOperand &use) {
    if (auto call = dyn_cast<func::CallOp>(use.getOwner())) {
      func::FuncOp callee = definedCallee(call);
      return callee && isPlace(callee.getArgument(use.getOperandNumber()));
    }
    if (auto view = dyn_cast<memref::ViewOp>(use.getOwner()))
      return &use == &view.getByteShiftMutable();
    auto scratch = dyn_cast<mega::ScratchOp>(use.getOwner());
    return scratch && &use == &scratch.getOffsetMutable();
  });
}

std::optional<Dealing::Problem> Dealing::find(const Step &step,
                                              ArrayRef<func::CallOp> calls) {
  Dealt dealt{step, {}};
  for (auto [tiles, made] : llvm::zip_equal(step.tiles, calls)) {
    func::CallOp call = made;
    func::FuncOp func = definedCallee(call);
    if (!func)
      return Problem{tiles, "became a call of nothing"};
    auto loops = llvm::to_vector(func.getBody().getOps<scf::ForOp>());
    if (loops.size() != 1)
      return Problem{tiles, "did not become a loop"};
    Space space{tiles, call, loops.front(), {}, {}, {}, 1};
    // Tiles that wait call a function for their work.
    loops.front().walk([&](func::CallOp inner) {
      if (definedCallee(inner))
        space.work = inner;
    });
    space.tag = "call " + std::to_string(spaces++);
    dealt.spaces.push_back(space);
  }
  all.push_back(std::move(dealt));
  return std::nullopt;
}

void Dealing::collectChoices(const Space &space, const Case &known,
                             llvm::SetVector<Value> &conditions) {
  llvm::SmallPtrSet<Operation *, 32> seen;
  auto func = space.loop->getParentOfType<func::FuncOp>();
  func::CallOp call = space.call;
  for (auto [argument, operand] :
       llvm::zip_equal(func.getArguments(), call.getOperands()))
    if (operand.getType().isIndex() && !isPlace(argument))
      collectChoices(operand, known, conditions, seen);
}

std::optional<Dealing::Problem> Dealing::checkStep(const Dealt &dealt) {
  const Step &step = dealt.step;
  if (!step.each)
    return checkStep(dealt, Case(), /*isEach=*/false);
  Value each = same.lookup(step.each);
  if (!each)
    return Problem{step.op, "depends on a condition that is gone"};
  values.assume(llvm::DenseMap<Value, bool>());
  solver.assume({});
  Formula holds = values.conditionOf(each, nowhere);
  for (bool isEach : {true, false}) {
    Case way;
    way.holds[each] = isEach;
    way.facts.push_back(isEach ? holds : holds.negated());
    if (auto problem = checkStep(dealt, way, isEach))
      return problem;
  }
  return std::nullopt;
}

std::optional<Dealing::Problem>
Dealing::checkStep(const Dealt &dealt, const Case &known, bool isEach) {
  llvm::SetVector<Value> conditions;
  for (const Space &space : dealt.spaces)
    collectChoices(space, known, conditions);
  Readers readers = isEach ? readersOf(dealt) : Readers();
  if (readers)
    for (const Space *reader : *readers)
      collectChoices(*reader, known, conditions);
  auto meetings = meetingsBehind(dealt.spaces.back().call);
  for (mega::BarrierOp barrier : meetings)
    if (barrier.getUnless() && !known.holds.contains(barrier.getUnless()))
      conditions.insert(barrier.getUnless());

  auto cases = casesOf(conditions.getArrayRef(), values, solver, known);
  if (!cases)
    return Problem{dealt.step.op, "is dealt in too many ways"};
  for (const Case &one : *cases) {
    one.assume(values, solver);
    for (Space space : dealt.spaces) {
      for (auto [extent, step] : llvm::zip_equal(space.tiles.getMixedExtents(),
                                                 space.tiles.getMixedSteps())) {
        space.counts.push_back(terms.ceilDiv(values.valueOf(extent, nowhere),
                                             values.valueOf(step, nowhere)));
        space.all = space.all * space.counts.back();
      }
      if (auto problem = checkSpace(space, isEach, readers))
        return problem;
      Poly worker = values.workerOf("w");
      Share mine = shareOf(space, " mine", worker);
      if (!areAwaited(meetings, worker + 1, {lessThan(mine.first, mine.end)}))
        return Problem{space.tiles, "is run by a worker that the next barrier "
                                    "does not wait for"};
    }
  }
  return std::nullopt;
}

std::vector<Formula> Dealing::factsAt(Operation *op) {
  std::vector<Formula> facts;
  for (auto check : after.getProgram().getOps<CheckOp>())
    if (check->isBeforeInBlock(op))
      facts.push_back(values.conditionOf(check.getCondition(), nowhere));
  return facts;
}

std::optional<Dealing::Problem>
Dealing::checkSpace(const Space &space, bool isEach, const Readers &readers) {
  auto problem = [&](StringRef text) {
    return Problem{space.tiles, text.str()};
  };
  // No tiles are none, but not less than none.
  mega::TilesOp tiles = space.tiles;
  std::vector<Formula> facts;
  for (unsigned dim = 0; dim < space.counts.size(); ++dim) {
    OpFoldResult step = tiles.getMixedSteps()[dim];
    if (!proves({}, atLeast(values.valueOf(step, nowhere), 1)))
      return problem("has a step that may not be positive");
    // An extent below nothing has none either, if the step is no less.
    facts.push_back(atLeast(space.counts[dim], 0));
    if (!proves({}, facts.back()) && !proves(factsAt(space.call), facts.back()))
      return problem("may have less than no tiles");
  }
  Poly worker = values.workerOf("w"), workers = values.workers();
  Share mine = shareOf(space, " mine", worker);
  if (isEach)
    return isRunByReaders(mine, space, readers, facts)
               ? checkOrigins(space)
               : problem("is not run by every worker");

  Share next = shareOf(space, " next", worker + 1);
  std::vector<Formula> notLast = facts;
  notLast.push_back(lessThan(worker + 1, workers));
  bool isDealtInTurn = !workers.constant() && mine.step == workers;
  if (!isDealtInTurn && proves(facts, equal(mine.step, 1))) {
    // Parts that follow each other, from the first tile to the last.
    Share first = shareOf(space, " first", 0);
    Share last = shareOf(space, " last", workers - 1);
    if (!proves(facts, equal(first.first, 0)))
      return problem("is not run from its first tile on");
    if (!proves(facts, equal(last.end, space.all)))
      return problem("is not run up to its last tile");
    if (!proves(notLast, equal(mine.end, next.first)))
      return problem("has tiles that no worker runs, or two");
    if (!proves(facts, atLeast(mine.end, mine.first)))
      return problem("is dealt in parts that may overlap");
    return checkOrigins(space);
  }
  if (!isDealtInTurn && !proves(facts, equal(mine.step, workers)))
    return problem("is dealt in a way that is not understood");
  // Every so many: no two workers begin at one remainder, and those are all.
  if (!proves(facts, equal(mine.end, space.all)))
    return problem("is not run up to its last tile");
  if (!proves(facts, Formula::all({atLeast(mine.first, 0),
                                   lessThan(mine.first, workers)})))
    return problem("is not run from its first tiles on");
  if (!proves(notLast,
              Formula::any({equal(next.first, mine.first + 1),
                            equal(next.first, mine.first + 1 - workers)})))
    return problem("has tiles that no worker runs, or two");
  return checkOrigins(space);
}

/// Views in the order of the body, each with what it begins at and extends to.
static SmallVector<OffsetSizeAndStrideOpInterface> viewsIn(Operation *root) {
  SmallVector<OffsetSizeAndStrideOpInterface> views;
  root->walk([&](memref::SubViewOp view) { views.push_back(view); });
  return views;
}

bool Dealing::collectCounting(const Space &space, const Tile &tile,
                              SmallVectorImpl<std::pair<Poly, Poly>> &pairs) {
  SmallVector<Poly> wanted, found;
  mega::TilesOp tiles = space.tiles;
  for (Operation &op : tiles.getBody().front())
    if (auto await = dyn_cast<mega::AwaitOp>(op))
      for (Value number :
           {await.getFirst(), await.getCount(), await.getTarget()})
        wanted.push_back(values.valueOf(number, tile));
    else if (isa<mega::SignalOp>(op))
      llvm::append_values(wanted, values.numberOf(tile, 0), Poly(0), Poly(1));
  scf::ForOp loop = space.loop;
  loop.walk([&](Operation *op) {
    ValueRange numbers;
    // Those behind the run and the counters.
    if (auto call = dyn_cast<func::CallOp>(op); call && call != space.work)
      numbers = call.getOperands().drop_front(
          std::min<size_t>(call.getNumOperands(), 2));
    else if (auto add = dyn_cast<memref::AtomicRMWOp>(op))
      numbers = add.getIndices();
    for (Value number : numbers)
      found.push_back(values.valueOf(number, {{}, tile.tag}));
    if (auto add = dyn_cast<memref::AtomicRMWOp>(op))
      found.push_back(values.valueOf(add.getValue(), {{}, tile.tag}));
  });
  if (wanted.size() != found.size())
    return false;
  for (auto [want, have] : llvm::zip_equal(wanted, found))
    pairs.emplace_back(want, have);
  return true;
}

Dealing::Digits Dealing::digitsOf(const Space &space, const Tile &tile) {
  Digits digits;
  Poly number = 0;
  for (unsigned dim = 0; dim < space.counts.size(); ++dim) {
    Poly digit = values.numberOf(tile, dim), count = space.counts[dim];
    digits.facts.push_back(atLeast(digit, 0));
    digits.facts.push_back(lessThan(digit, count));
    if (dim != 0 && !number.constant()) {
      // Products take one unknown each.
      std::string name = tile.tag + " up to " + std::to_string(dim);
      Poly so = number;
      number = terms.make(name, name, false, [&](const Poly &atom) {
        return std::vector<Formula>{equal(atom, so), atLeast(atom, 0)};
      });
    }
    digits.before.push_back(number);
    digits.own.push_back(digit);
    number = number * count + digit;
  }
  digits.number = number;
  return digits;
}

void Dealing::enterLoop(scf::ForOp loop, const Space &space,
                        const Digits &digits, const std::string &tag) {
  values.define(loop.getInductionVar(), digits.number, tag);
  // What the loop divides it by gives one digit after the other, from the last.
  auto rank = int64_t(space.counts.size()), dim = rank;
  for (Operation &op : loop.getBody()->without_terminator()) {
    bool isRest = isa<arith::RemSIOp>(op);
    if (isRest) // Where there is one tile, nothing is divided.
      do
        --dim;
      while (dim > 0 && space.counts[dim] == Poly(1));
    else if (!isa<arith::DivSIOp>(op) || dim == rank)
      continue;
    if (dim <= 0)
      return;
    const Poly &is = isRest ? digits.own[dim] : digits.before[dim];
    Value value = op.getResult(0);
    if (proves(digits.facts, equal(values.valueOf(value, {{}, tag}), is)))
      values.define(value, is, tag);
  }
}

std::optional<Dealing::Problem> Dealing::enterWork(const Space &space,
                                                   const Digits &digits,
                                                   const std::string &tag) {
  mega::TilesOp tiles = space.tiles;
  auto loops =
      llvm::to_vector(definedCallee(space.work).getBody().getOps<scf::ForOp>());
  if (loops.size() != 1)
    return Problem{tiles, "did not become a loop"};
  enter(space.work, tag);
  scf::ForOp loop = loops.front();
  const Poly &number = digits.number;
  std::pair<Value, Poly> bounds[] = {{loop.getLowerBound(), number},
                                     {loop.getUpperBound(), number + 1},
                                     {loop.getStep(), 1}};
  for (auto &[have, want] : bounds)
    if (!proves({}, equal(values.valueOf(have, {{}, tag}), want)))
      return Problem{tiles, "does the work of other tiles"};
  enterLoop(loop, space, digits, tag);
  return std::nullopt;
}

std::optional<Dealing::Problem> Dealing::checkOrigins(const Space &space) {
  // The number of a tile has its numbers along the dims for digits.
  mega::TilesOp tiles = space.tiles;
  std::string tag = space.tag + " tile";
  Tile tile{tiles, tag, /*isWitness=*/true};
  Digits digits = digitsOf(space, tile);
  const std::vector<Formula> &facts = digits.facts;
  values.define(workerArgument, values.workerOf("w"), tag);
  enter(space.call, tag);
  scf::ForOp loop = space.loop;
  enterLoop(loop, space, digits, tag);
  if (space.work)
    if (auto problem = enterWork(space, digits, tag))
      return problem;

  SmallVector<std::array<SmallVector<OpFoldResult>, 2>> wanted;
  tiles.getBody().walk([&](Operation *op) {
    if (auto access = dyn_cast<mega::AccessOp>(op)) {
      if (!access.isWhole())
        wanted.push_back({access.getMixedOffsets(), access.getMixedSizes()});
    } else if (auto view = dyn_cast<memref::SubViewOp>(op)) {
      wanted.push_back({view.getMixedOffsets(), view.getMixedSizes()});
    }
  });
  auto found = viewsIn(space.work ? definedCallee(space.work).getOperation()
                                  : loop.getOperation());
  if (found.size() != wanted.size())
    return Problem{tiles, "has another body than the loop that runs it"};
  for (auto [view, parts] : llvm::zip_equal(found, wanted)) {
    SmallVector<OpFoldResult> got[] = {view.getMixedOffsets(),
                                       view.getMixedSizes()};
    for (auto [mine, theirs] : llvm::zip_equal(parts, got))
      for (auto [a, b] : llvm::zip_equal(mine, theirs)) {
        Poly want = values.valueOf(a, tile),
             have = values.valueOf(b, {{}, tag});
        if (!proves(facts, equal(want, have)))
          return Problem{tiles, "touches another part than its loop does: " +
                                    terms.text(want) + ", not " +
                                    terms.text(have)};
      }
  }
  SmallVector<std::pair<Poly, Poly>> counting;
  if (!collectCounting(space, tile, counting))
    return Problem{tiles, "counts or waits in another way than its loop does"};
  for (auto &[want, have] : counting)
    if (!proves(facts, equal(want, have)))
      return Problem{tiles, "counts or waits for other tiles than its loop "
                            "does: " +
                                terms.text(want) + ", not " + terms.text(have)};

  return std::nullopt;
}
