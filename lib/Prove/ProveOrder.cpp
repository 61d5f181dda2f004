//===- ProveOrder.cpp - no race, no deadlock ------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/IngotOps.h"
#include "dialects/Mega/IR/CallOps.h"
#include "ingot/Prove.h"
#include "lib/Prove/Counters.h"

#include "mlir/Dialect/MemRef/Utils/MemRefUtils.h"

namespace ingot {
#define GEN_PASS_DEF_PROVEORDER
#include "lib/Prove/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot;
using namespace ingot::prove;

namespace {

class OrderChecker {
public:
  explicit OrderChecker(Model &model) : model(model), counters(model) {}

  LogicalResult run() {
    if (failed(checkUniform()) || failed(checkChecks()) ||
        failed(checkPrefetches()) || failed(checkCalls()) ||
        failed(counters.collect()))
      return failure();
    ArrayRef<Access> accesses = model.accesses;
    pairs = 0;
    first.clear();
    second.clear();
    for (const Access &access : accesses) {
      first.push_back(model.partOf(access, model.tileOf(access, "a")));
      second.push_back(model.partOf(access, model.tileOf(access, "b")));
    }
    bool isRight = true;
    for (size_t i = 0; i < accesses.size(); ++i) {
      isRight &= succeeded(checkAlone(accesses[i]));
      for (size_t j = i;
           j < accesses.size() && accesses[j].interval == accesses[i].interval;
           ++j)
        if (accesses[i].writes || accesses[j].writes)
          isRight &= succeeded(checkPair(accesses[i], accesses[j]));
    }
    return success(isRight);
  }

  unsigned pairs = 0;

private:
  /// What differs between workers decides nothing but where scratch lies, and
  /// not that where it is one buffer for all.
  LogicalResult checkUniform() {
    auto result = model.program.getBody().walk([&](Operation *op) {
      bool isComputed = isPure(op) && op->getNumRegions() == 0 &&
                        op->getNumResults() == 1 &&
                        op->getResult(0).getType().isIndex() &&
                        op->getBlock() == &model.program.getProgram();
      for (OpOperand &operand : op->getOpOperands()) {
        if (isComputed || !model.values.dependsOnWorker(operand.get()))
          continue;
        auto scratch = dyn_cast<mega::ScratchOp>(op);
        if (scratch && operand.get() == scratch.getOffset())
          continue;
        op->emitError("not every worker does the same: operand ")
            << operand.getOperandNumber() << " depends on the worker";
        return WalkResult::interrupt();
      }
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      return failure();
    for (auto scratch : model.program.getProgram().getOps<mega::ScratchOp>()) {
      if (model.values.holds(scratch.getEach()))
        continue;
      Poly here = model.values.valueOf(scratch.getOffset(), {{}, "a"});
      Poly there = model.values.valueOf(scratch.getOffset(), {{}, "b"});
      if (!model.solver.prove({}, equal(here, there)))
        return scratch.emitError("is not the same buffer for all workers where "
                                 "its condition does not hold");
    }
    return success();
  }

  /// Nothing stands beside a stage that checks something and after it.
  LogicalResult checkChecks() {
    Operation *last = nullptr;
    for (const Step &step : stepsOf(model.program)) {
      auto barrier = step.getBarrier();
      if (barrier && !model.values.holds(barrier.getUnless()))
        last = nullptr;
      if (isa<mega::PrefetchOp>(step.op))
        continue;
      if (last && !barrier &&
          (step.stage || !(isPure(step.op) || isa<CheckOp>(step.op)))) {
        InFlightDiagnostic diagnostic = step.op->emitError(
            "does not wait for the checks of an earlier stage");
        diagnostic.attachNote(last->getLoc()) << "the stage";
        return diagnostic;
      }
      for (mega::TilesOp tiles : step.tiles)
        if (tiles.walk([](CheckOp) { return WalkResult::interrupt(); })
                .wasInterrupted())
          last = step.op;
    }
    return success();
  }

  /// What is fetched ahead, whenever that happens, nobody writes.
  LogicalResult checkPrefetches() {
    auto result = model.program.getBody().walk([&](mega::PrefetchOp prefetch) {
      return prefetch.walk([&](mega::AccessOp fetched) {
        Value source = memref::skipViewLikeOps(fetched.getSource());
        StringRef role = model.values.roleOf(source);
        bool isWritten = llvm::any_of(model.accesses, [&](const Access &a) {
          auto buffer = dyn_cast_if_present<MemrefValue>(a.memref);
          return a.writes && buffer &&
                 memref::skipViewLikeOps(buffer) == source;
        });
        if (!isWritten && (role == "weight" || role == "input"))
          return WalkResult::advance();
        fetched.emitError("fetches ahead what the program may write");
        return WalkResult::interrupt();
      });
    });
    return failure(result.wasInterrupted());
  }

  /// A called program has all workers, its memory and the caches for itself.
  LogicalResult checkCalls() {
    Operation *open = nullptr;
    for (Operation &op : model.program.getProgram()) {
      if (auto barrier = dyn_cast<mega::BarrierOp>(op)) {
        if (!model.values.holds(barrier.getUnless()))
          open = nullptr;
        continue;
      }
      if (!isa<mega::CallOp, mega::StageOp, mega::SingleOp>(op))
        continue;
      if (open && (isa<mega::CallOp>(op) || isa<mega::CallOp>(open))) {
        InFlightDiagnostic diagnostic = op.emitError(
            "no barrier is between a program that is called and this");
        diagnostic.attachNote(open->getLoc()) << "what comes before";
        return diagnostic;
      }
      open = &op;
    }
    return success();
  }

  LogicalResult checkAlone(const Access &access) {
    if (!access.writes)
      return success();
    Buffer buffer = model.partOf(access, model.tileOf(access, "a")).buffer;
    StringRef role = model.values.roleOf(buffer.value);
    if (buffer.kind == Buffer::Kind::Argument && role != "output" &&
        role != "shared")
      return report(model, access, "writes to what is no output",
                    {Outcome::Kind::Proved, ""});
    bool isOwn = buffer.kind == Buffer::Kind::Own ||
                 buffer.kind == Buffer::Kind::Scratch;
    if (access.isSingle || access.isCall)
      return success();
    if (!access.tiles || (access.isEach && !isOwn))
      return report(model, access, "races with itself on other workers",
                    {Outcome::Kind::Proved, ""});
    return success();
  }

  /// That `a` and `b` are of two tiles of one index space, or of the same dim.
  Formula areDistinct(const Access &a, const Access &b) {
    std::vector<Formula> differ;
    mega::TilesOp tiles = a.tiles;
    for (int64_t dim = 0; dim < tiles.getRank(); ++dim)
      differ.push_back(equal(model.values.numberOf(model.tileOf(a, "a"), dim),
                             model.values.numberOf(model.tileOf(b, "b"), dim))
                           .negated());
    return Formula::any(differ);
  }

  LogicalResult checkPair(const Access &a, const Access &b) {
    // What every worker does outside of stages is no write; worker 0 does one
    // thing after the other, and a called program is proved by itself.
    auto isOpen = [](const Access &access) {
      return access.tiles || access.isSingle || access.isCall;
    };
    if ((!isOpen(a) && !isOpen(b)) || (a.isSingle && b.isSingle) ||
        (a.isCall && a.op == b.op) || (a.isCounting && b.isCounting))
      return success();
    const Part &one = first[&a - model.accesses.data()];
    const Part &other = second[&b - model.accesses.data()];
    bool areOwn = one.buffer.kind == Buffer::Kind::Own &&
                  other.buffer.kind == Buffer::Kind::Own;
    bool areSame = isSameBuffer(one.buffer, other.buffer);
    if (!areSame && !(one.buffer.isInArena() && other.buffer.isInArena()))
      return success();
    ++pairs;
    constexpr StringLiteral problem = "may race";
    if (areOwn || (one.buffer.kind == Buffer::Kind::Scratch &&
                   other.buffer.kind == Buffer::Kind::Scratch))
      return checkScratch(a, b, one.buffer, other.buffer, areOwn);
    if (!areSame) {
      const Outcome &outcome = model.areApart(one.buffer, other.buffer);
      return outcome ? success() : reportPair(model, a, b, problem, outcome);
    }

    std::vector<Formula> facts = model.factsAt(a);
    if (a.tiles && a.tiles == b.tiles && !a.isEach)
      facts.push_back(areDistinct(a, b));
    llvm::append_range(facts, counters.factsOf(a, b));
    // A cache's positions are counted from what its rows hold.
    if (one.shape != other.shape) {
      bool isAll = one.isWhole() || other.isWhole();
      Outcome outcome = model.solver.prove(facts, isAll ? Formula::any({})
                                                        : apart(one, other));
      return outcome ? success() : reportPair(model, a, b, problem, outcome);
    }
    SmallVector<Poly> position;
    for (unsigned dim = 0; dim < one.shape.size(); ++dim) {
      std::string name = "element[" + std::to_string(dim) + "]";
      position.push_back(model.terms.make(name, name, true, [](const Poly &) {
        return std::vector<Formula>{};
      }));
    }
    facts.push_back(Part::isInside(position, one.shape));
    facts.push_back(one.contains(position));
    Outcome outcome =
        model.solver.prove(facts, other.contains(position).negated());
    return outcome ? success() : reportPair(model, a, b, problem, outcome);
  }

  /// That two parts, of differently shaped views of one buffer, are apart:
  /// the last element of one is before the first of the other.
  static Formula apart(const Part &a, const Part &b) {
    auto endsOf = [](const Part &part) {
      Poly first = 0, last = 0;
      for (unsigned dim = 0; dim < part.shape.size(); ++dim) {
        Poly end =
            part.offsets[dim] + (part.sizes[dim] - 1) * part.strides[dim];
        first = first * part.shape[dim] + part.offsets[dim];
        last = last * part.shape[dim] + end;
      }
      return std::make_pair(first, last);
    };
    auto [firstA, lastA] = endsOf(a);
    auto [firstB, lastB] = endsOf(b);
    return Formula::any({lessThan(lastA, firstB), lessThan(lastB, firstA)});
  }

  /// That the scratch of two workers is apart. Of one worker, its tiles come
  /// one after the other, and what a tile has at once is apart too. What
  /// outlives the tile is in the order of the program.
  LogicalResult checkScratch(const Access &a, const Access &b,
                             const Buffer &one, const Buffer &other,
                             bool areOwn) {
    bool areTwo = areOwn || &a == &b || a.tiles != b.tiles;
    if (model.areInOrder(one, other) || (areTwo && areInTurn(one, other)))
      return success();
    Formula goal =
        Formula::any({atLeast(other.offset, one.offset + one.bytes),
                      atLeast(one.offset, other.offset + other.bytes),
                      lessThan(one.bytes, 1), lessThan(other.bytes, 1)});
    std::vector<Formula> facts;
    if (areTwo)
      facts.push_back(
          equal(model.values.workerOf("a"), model.values.workerOf("b"))
              .negated());
    Outcome outcome = model.solver.prove(facts, goal);
    return outcome ? success()
                   : reportPair(model, a, b, "scratch overlaps", outcome);
  }

  /// Whether buffers of two workers lie as many steps apart as the workers do,
  /// each step no less than either takes.
  bool areInTurn(const Buffer &one, const Buffer &other) {
    Poly here = model.values.workerOf("a"), there = model.values.workerOf("b");
    AtomId worker = here.getTerms().begin()->first.front();
    Poly apart = one.offset - other.offset, step;
    for (const auto &[atoms, coefficient] : apart.getTerms()) {
      Monomial others = atoms;
      if (auto at = llvm::find(others, worker); at != others.end()) {
        others.erase(at);
        step = step + Poly::monomial(others) * coefficient;
      }
    }
    return apart == step * (here - there) && model.isNonNegative(step) &&
           model.isNonNegative(step - one.bytes) &&
           model.isNonNegative(step - other.bytes);
  }

  Model &model;
  Counters counters;
  /// What each access touches, for one tile and for another.
  std::vector<Part> first, second;
};

struct ProveOrderPass : ingot::impl::ProveOrderBase<ProveOrderPass> {
  using ProveOrderBase::ProveOrderBase;

  void runOnOperation() override {
    Model &model = getAnalysis<Model>();
    OrderChecker checker(model);
    if (failed(model.forEachCase([&] { return checker.run(); })))
      return signalPassFailure();
    markAllAnalysesPreserved();
    if (remarks)
      emitRemark(getOperation().getLoc())
          << "program '" << model.name()
          << "': no race and no deadlock: " << checker.pairs
          << " pairs of accesses, " << model.describeWork();
  }
};

} // namespace
