//===- Model.cpp - what a program does, as checkers see it ----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Prove/Model.h"

#include "dialects/Ingot/IR/IngotOps.h"
#include "dialects/Mega/IR/CallOps.h"
#include "dialects/Mega/IR/CounterOps.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace ingot;
using namespace ingot::prove;

Model::Model(mega::ProgramOp program)
    : program(program), values(program, terms), memory(values), solver(terms),
      bounds(terms) {}

//===----------------------------------------------------------------------===//
// Collecting
//===----------------------------------------------------------------------===//

LogicalResult Model::collect() {
  accesses.clear();
  checks.clear();
  apart.clear();
  parts.clear();
  interval = 0;
  for (const Step &step : stepsOf(program)) {
    if (auto barrier = step.getBarrier()) {
      interval += !values.holds(barrier.getUnless());
      continue;
    }
    if (isa<mega::LoopOp>(step.op))
      return step.op->emitError("cannot be proved: write out the loop first");
    LogicalResult result =
        llvm::TypeSwitch<Operation *, LogicalResult>(step.op)
            // It touches nothing; that its memory is nobody's is ProveOrder's,
            // and that all workers end at the same.
            .Case<mega::PrefetchOp, mega::UntilOp>(
                [&](auto) { return success(); })
            .Case([&](mega::CallOp call) { return addCall(call); })
            .Case([&](mega::SingleOp single) { return addSingle(single); })
            .Default([&](Operation *op) {
              return step.stage == 0 ? addOutside(op) : success();
            });
    if (failed(result))
      return failure();
    for (mega::TilesOp tiles : step.tiles)
      if (failed(addTiles(step, tiles)))
        return failure();
  }
  return success();
}

LogicalResult Model::add(Access access) {
  Tile tile = tileOf(access, "a");
  std::optional<Part> part = access.memref
                                 ? memory.partOf(access.memref, tile)
                                 : memory.cachePartOf(access.op, tile);
  if (!part)
    return access.op->emitError("cannot be proved: what it is a part of is "
                                "not understood");
  if (part->buffer.kind != Buffer::Kind::Private)
    accesses.push_back(access);
  else if (access.writes &&
           part->buffer.value.getDefiningOp<memref::GetGlobalOp>())
    return access.op->emitError("cannot be proved: writes to a constant");
  return success();
}

/// What a called program does with what it is given; the rest of it is proved
/// where it stands.
LogicalResult Model::addCall(mega::CallOp op) {
  auto add = [&](OperandRange given, bool isWrite) {
    return llvm::all_of(given, [&](Value buffer) {
      return succeeded(this->add({op,
                                  buffer,
                                  {},
                                  0,
                                  0,
                                  interval,
                                  !isWrite,
                                  isWrite,
                                  /*isEach=*/false,
                                  /*isSingle=*/false,
                                  /*isCall=*/true}));
    });
  };
  return success(add(op.getInputs(), false) && add(op.getOutputs(), true));
}

LogicalResult Model::addSingle(mega::SingleOp op) {
  auto result = op.getBody().walk([&](Operation *inner) -> WalkResult {
    if (isMemoryEffectFree(inner) || isa<mega::TellOp>(inner) ||
        inner->hasTrait<OpTrait::HasRecursiveMemoryEffects>())
      return WalkResult::advance();
    bool isLoad = isa<memref::LoadOp>(inner);
    if (!isLoad && !isa<memref::StoreOp>(inner)) {
      inner->emitError("cannot be proved: its effects are not known");
      return WalkResult::interrupt();
    }
    Value buffer = inner->getOperand(isLoad ? 0 : 1);
    return add({inner,
                buffer,
                {},
                0,
                0,
                interval,
                isLoad,
                !isLoad,
                /*isEach=*/false,
                /*isSingle=*/true});
  });
  return failure(result.wasInterrupted());
}

LogicalResult Model::addOutside(Operation *op) {
  if (auto check = dyn_cast<CheckOp>(op)) {
    // All workers leave where it fails.
    checks.push_back({op, values.conditionOf(check.getCondition(), {{}, ""})});
    return success();
  }
  if (isMemoryEffectFree(op))
    return success();
  auto effects = dyn_cast<MemoryEffectOpInterface>(op);
  SmallVector<MemoryEffects::EffectInstance> instances;
  if (effects)
    effects.getEffects(instances);
  if (instances.empty() || op->getNumRegions() != 0)
    return op->emitError("cannot be proved: its effects are not known");
  for (const MemoryEffects::EffectInstance &effect : instances) {
    Value value = effect.getValue();
    if (!value || !isa<MemRefType>(value.getType()))
      return op->emitError("cannot be proved: its effects are not known");
    bool isWrite = !isa<MemoryEffects::Read>(effect.getEffect());
    if (failed(add({op, value, {}, 0, 0, interval, !isWrite, isWrite})))
      return failure();
  }
  return success();
}

/// Whether the views inside of tiles that checkers follow are all there is.
static bool isKnownInTile(Operation *op) {
  for (Value result : op->getResults())
    if (isa<BaseMemRefType>(result.getType()) &&
        !isa<mega::AccessOp, mega::ScratchOp, memref::AllocaOp, memref::CastOp,
             memref::CollapseShapeOp, memref::ExpandShapeOp,
             memref::GetGlobalOp, memref::SubViewOp, memref::ViewOp>(op))
      return false;
  if (isMemoryEffectFree(op) ||
      isa<CheckOp, mega::SignalOp, mega::AwaitOp>(op) ||
      op->hasTrait<OpTrait::HasRecursiveMemoryEffects>())
    return true;
  auto effects = dyn_cast<MemoryEffectOpInterface>(op);
  if (!effects)
    return false;
  SmallVector<MemoryEffects::EffectInstance> instances;
  effects.getEffects(instances);
  return llvm::all_of(instances, [](const MemoryEffects::EffectInstance &e) {
    return e.getValue() &&
           isa<BaseMemRefType, CacheType>(e.getValue().getType());
  });
}

LogicalResult Model::addTiles(const Step &step, mega::TilesOp tiles) {
  bool isEach = values.holds(step.each);
  auto accessOf = [&](Operation *op, Value memref, bool reads, bool writes) {
    return Access{op,       memref, tiles,  step.stage, step.prologue,
                  interval, reads,  writes, isEach};
  };
  auto result = tiles.getBody().walk([&](Operation *op) -> WalkResult {
    if (!isKnownInTile(op)) {
      op->emitError("cannot be proved: its effects are not known");
      return WalkResult::interrupt();
    }
    if (auto access = dyn_cast<mega::AccessOp>(op))
      return add(accessOf(op, access.getResult(), access.mayRead(),
                          access.mayWrite()));
    if (isa<mega::ScratchOp>(op))
      return add(accessOf(op, op->getResult(0), true, true));
    // What it adds to has to be there, as for one that only looks.
    if (isa<mega::SignalOp, mega::AwaitOp>(op)) {
      Access access = accessOf(op, op->getOperand(0), true, false);
      access.isCounting = true;
      return add(access);
    }
    auto effects = dyn_cast<MemoryEffectOpInterface>(op);
    if (!effects)
      return WalkResult::advance();
    SmallVector<MemoryEffects::EffectInstance> instances;
    effects.getEffects(instances);
    bool reads = false, writes = false;
    for (const MemoryEffects::EffectInstance &effect : instances)
      if (isa<CacheType>(effect.getValue().getType())) {
        bool isRead = isa<MemoryEffects::Read>(effect.getEffect());
        reads |= isRead;
        writes |= !isRead;
      }
    if (reads || writes)
      return add(accessOf(op, {}, reads, writes));
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

//===----------------------------------------------------------------------===//
// Questions
//===----------------------------------------------------------------------===//

const Part &Model::partOf(const Access &access, const Tile &tile) {
  auto key = std::make_tuple((void *)access.op,
                             access.memref.getAsOpaquePointer(), tile.tag);
  auto found = parts.find(key);
  if (found == parts.end())
    found =
        parts
            .emplace(key, access.memref ? *memory.partOf(access.memref, tile)
                                        : *memory.cachePartOf(access.op, tile))
            .first;
  return found->second;
}

std::vector<Formula> Model::factsAt(Operation *op) {
  std::vector<Formula> facts;
  Operation *top = program.getProgram().findAncestorOpInBlock(*op);
  for (const auto &[check, holds] : checks)
    if (check->isBeforeInBlock(top))
      facts.push_back(holds);
  return facts;
}

const Outcome &Model::areApart(const Buffer &a, const Buffer &b) {
  auto key = std::make_pair(a.value.getAsOpaquePointer(),
                            b.value.getAsOpaquePointer());
  auto found = apart.find(key);
  if (found != apart.end())
    return found->second;
  if (areInOrder(a, b))
    return apart[key] = {Outcome::Kind::Proved, ""};
  // Nothing overlaps what takes no byte.
  Formula goal = Formula::any({atLeast(b.offset, a.offset + a.bytes),
                               atLeast(a.offset, b.offset + b.bytes),
                               lessThan(a.bytes, 1), lessThan(b.bytes, 1)});
  return apart[key] = solver.prove({}, goal);
}

/// Whether the op of `use` writes all of the buffer that is used: its loops go
/// as far as that (checkOperands).
static bool writesEntirely(OpOperand &use) {
  auto op = dyn_cast<DestinationStyleOpInterface>(use.getOwner());
  if (!op || !op.isDpsInit(&use))
    return false;
  auto generic = dyn_cast<linalg::LinalgOp>(use.getOwner());
  return !generic ||
         generic.getMatchingIndexingMap(&use).isProjectedPermutation();
}

bool Model::isWrittenEntirely(const Access &access) {
  mega::TilesOp tiles = access.tiles;
  return llvm::any_of(access.memref.getUses(), [&](OpOperand &use) {
    return use.getOwner()->getBlock() == &tiles.getBody().front() &&
           writesEntirely(use);
  });
}

Operation *Model::firstWriter(const Access &access) {
  if (!access.memref || !access.tiles)
    return nullptr;
  mega::TilesOp tiles = access.tiles;
  Block &body = tiles.getBody().front();
  OpOperand *first = nullptr;
  for (OpOperand &use : access.memref.getUses()) {
    Operation *user = body.findAncestorOpInBlock(*use.getOwner());
    Operation *before =
        first ? body.findAncestorOpInBlock(*first->getOwner()) : nullptr;
    // An op that has it twice reads it perhaps.
    if (user == before)
      return nullptr;
    if (!before || user->isBeforeInBlock(before))
      first = &use;
  }
  if (!first || first->getOwner()->getBlock() != &body ||
      !writesEntirely(*first))
    return nullptr;
  SmallVector<MemoryEffects::EffectInstance> effects;
  cast<MemoryEffectOpInterface>(first->getOwner())
      .getEffectsOnValue(access.memref, effects);
  bool isRead =
      llvm::any_of(effects, [](const MemoryEffects::EffectInstance &effect) {
        return isa<MemoryEffects::Read>(effect.getEffect());
      });
  return isRead ? nullptr : first->getOwner();
}

std::optional<Formula> Model::covering(const Access &write, unsigned number,
                                       ArrayRef<Poly> position,
                                       ArrayRef<Poly> shape,
                                       std::vector<Formula> &facts) {
  if (!write.memref || !write.tiles)
    return std::nullopt;
  Tile tile = tileOf(write, "w" + std::to_string(number), /*isWitness=*/true);
  Part part = partOf(write, tile);
  // A worker's own buffer has what the worker wrote, not what others did.
  if (part.buffer.kind == Buffer::Kind::Own && !write.isEach)
    return std::nullopt;
  if (!part.isExact || ArrayRef<Poly>(part.shape) != shape)
    return std::nullopt;
  for (unsigned dim = 0; dim < part.shape.size(); ++dim)
    if (!(part.strides[dim] == Poly(1)))
      return std::nullopt;
  if (!isWrittenEntirely(write))
    return std::nullopt;
  std::vector<Formula> goal = {part.contains(position)};
  mega::TilesOp tiles = write.tiles;
  SmallVector<Poly> numbers;
  for (int64_t j = 0; j < tiles.getRank(); ++j) {
    numbers.push_back(values.numberOf(tile, j));
    Poly extent = values.extentOf(tile, j);
    goal.push_back(atLeast(numbers[j], 0));
    goal.push_back(lessThan(numbers[j] * values.stepOf(tile, j), extent));
  }
  // Which tile writes the element: the one whose part begins last before it.
  for (const Poly &tileNumber : numbers) {
    Monomial atom = tileNumber.getTerms().begin()->first;
    Formula isWitness = equal(tileNumber, 0);
    for (unsigned dim = 0; dim < part.shape.size(); ++dim) {
      auto term = part.offsets[dim].getTerms().find(atom);
      if (term == part.offsets[dim].getTerms().end() || term->second <= 0)
        continue;
      Poly step = term->second;
      Poly rest = part.offsets[dim] - step * tileNumber;
      if (terms.mentions(rest, numbers))
        continue;
      isWitness = Formula::all(
          {atLeast(position[dim], rest + step * tileNumber),
           lessThan(position[dim], rest + step * (tileNumber + 1))});
      break;
    }
    facts.push_back(isWitness);
  }
  return Formula::all(goal);
}

Outcome Model::cover(ArrayRef<const Access *> writes, const Part &target,
                     bool isWhole) {
  Outcome last{Outcome::Kind::Unknown, "nothing is known to write all of its "
                                       "part"};
  SmallVector<SmallVector<Poly>> shapes;
  if (isWhole)
    for (const Access *write : writes) {
      Part part = partOf(*write, tileOf(*write, "w0", true));
      if (!llvm::is_contained(shapes, part.shape))
        shapes.push_back(part.shape);
    }
  else
    shapes.push_back(target.shape);
  for (ArrayRef<Poly> shape : shapes) {
    SmallVector<Poly> position;
    for (unsigned dim = 0; dim < shape.size(); ++dim) {
      std::string name = "element[" + std::to_string(dim) + "]";
      position.push_back(terms.make(name, name, true, [](const Poly &) {
        return std::vector<Formula>{};
      }));
    }
    std::vector<Formula> facts = {Part::isInside(position, shape)}, goals;
    if (!isWhole)
      facts.push_back(target.contains(position));
    for (auto [number, write] : llvm::enumerate(writes)) {
      std::vector<Formula> own = factsAt(*write);
      facts.insert(facts.end(), own.begin(), own.end());
      if (auto goal = covering(*write, number, position, shape, facts))
        goals.push_back(*goal);
    }
    if (goals.empty())
      continue;
    last = solver.prove(facts, Formula::any(goals));
    if (last)
      return last;
  }
  return last;
}

//===----------------------------------------------------------------------===//
// Diagnostics
//===----------------------------------------------------------------------===//

std::string Model::describe(const Access &access) {
  std::string verb = access.reads && access.writes ? "touches"
                     : access.writes               ? "writes"
                                                   : "reads";
  Buffer buffer = partOf(access, tileOf(access, "a")).buffer;
  std::string subject =
      access.stage      ? "stage " + std::to_string(access.stage)
      : access.isSingle ? "worker 0"
      : access.isCall
          ? "program '" + cast<mega::CallOp>(access.op).getCallee().str() + "'"
          : "every worker";
  if (access.prologue)
    subject = "prologue " + std::to_string(access.prologue) + " of " + subject;
  if (access.isEach)
    subject = "each worker's " + subject;
  return subject + " " + verb + " " + memory.nameOf(buffer);
}

std::string Model::name() {
  auto module = program->getParentOfType<ModuleOp>();
  std::string prefix =
      module && module.getName() ? module.getName()->str() + "." : "";
  return prefix + program.getSymName().str();
}

void ingot::prove::attach(Model &model, InFlightDiagnostic &diagnostic,
                          const Outcome &outcome) {
  if (outcome.kind == Outcome::Kind::Refuted)
    diagnostic << (outcome.text.empty() ? "" : ", as with ") << outcome.text;
  else if (outcome.kind == Outcome::Kind::Unknown)
    diagnostic << " (not proved: " << outcome.text << ")";
  diagnostic << "; in program '" << model.name() << "'";
}

std::string Model::describeWork() const {
  std::string text =
      std::to_string(solver.numQueries() - queriesBefore) + " queries";
  if (cases->size() > 1)
    text += ", " + std::to_string(cases->size()) + " cases";
  return text;
}

LogicalResult ingot::prove::reportPair(Model &model, const Access &a,
                                       const Access &b, StringRef problem,
                                       const Outcome &outcome) {
  InFlightDiagnostic diagnostic = a.op->emitError(problem);
  diagnostic << ": " << model.describe(a) << ", " << model.describe(b);
  attach(model, diagnostic, outcome);
  diagnostic.attachNote(b.op->getLoc()) << "the other";
  return diagnostic;
}

LogicalResult ingot::prove::report(Model &model, const Access &access,
                                   StringRef problem, const Outcome &outcome) {
  InFlightDiagnostic diagnostic = access.op->emitError(problem);
  diagnostic << ": " << model.describe(access);
  attach(model, diagnostic, outcome);
  return diagnostic;
}
