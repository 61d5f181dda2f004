//===- EmitEntry.cpp - the functions that the runtime calls ---------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Conversion/MegaToCpu/Passes.h"

#include "dialects/Ingot/IR/IngotOps.h"
#include "lib/Conversion/MegaToCpu/AbiAccess.h"
#include "lib/Conversion/MegaToCpu/EmitBarrier.h"
#include "lib/Conversion/MegaToCpu/EmitCall.h"
#include "lib/Conversion/MegaToCpu/EmitMark.h"
#include "lib/Conversion/MegaToCpu/EmitPrefetch.h"
#include "lib/Conversion/MegaToCpu/Program.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "llvm/ADT/StringSwitch.h"

namespace ingot {
#define GEN_PASS_DEF_EMITENTRY
#include "lib/Conversion/MegaToCpu/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot::mega;

namespace {

/// Builds the function of a worker and moves the program's body into it.
class EntryBuilder {
public:
  EntryBuilder(const ingot::Program &program, ingot::ErrorTable &errors,
               OpBuilder &b)
      : program(program), errors(errors), b(b), loc(program.main->getLoc()) {}

  LogicalResult run(func::FuncOp func) {
    Block *head = func.addEntryBlock();
    context = head->getArgument(0);
    exit = func.addBlock();
    b.setInsertionPointToStart(exit);
    // Whoever leaves early says no number: the caller leaves as well.
    bool isCalled = func.getNumResults() > 0;
    func::ReturnOp::create(
        b, loc, isCalled ? ingot::i64Constant(b, loc, 0) : ValueRange());
    b.setInsertionPointToStart(head);
    if (isCalled)
      expected = head->getArgument(3);
    worker = arith::IndexCastOp::create(b, loc, b.getIndexType(),
                                        head->getArgument(1));
    workers = arith::IndexCastOp::create(b, loc, b.getIndexType(),
                                         head->getArgument(2));
    ingot::AbiAccess access(b, loc);
    error = access.field(context, ingot::ContextField::Error);
    log = access.field(context, ingot::ContextField::Trace);
    ingot::emitMark(b, loc, log, ingot::markStart);
    Value symbols = access.field(context, ingot::ContextField::Symbols);
    for (auto [i, symbol] : llvm::enumerate(program.symbols))
      dims.bind(symbol.name, access.indexAt(symbols, i));
    if (failed(bindArguments()))
      return failure();

    ProgramOp main = program.main;
    for (Operation &op : main.getProgram().without_terminator())
      if (failed(place(op)))
        return failure();
    func::ReturnOp::create(b, loc, isCalled ? expected : ValueRange());
    return success();
  }

private:
  /// Gives every argument of the program its value.
  LogicalResult bindArguments() {
    ingot::AbiAccess access(b, loc);
    ProgramOp main = program.main;
    for (auto [i, arg] : llvm::enumerate(main.getArguments())) {
      StringRef role = program.roleOf(i);
      if (role == "input" || role == "output" || role == "shared")
        continue;
      if (Value given = llvm::StringSwitch<Value>(role)
                            .Case("worker", worker)
                            .Case("workers", workers)
                            .Case("error", error)
                            .Case("context", context)
                            .Default({})) {
        map.map(arg, given);
      } else if (role == "arena") {
        map.map(arg, access.bytes(
                         access.field(context, ingot::ContextField::Arena)));
      } else if (role == "weight") {
        auto offset =
            main.getArgAttrOfType<IntegerAttr>(i, "ingot.weight_offset");
        if (!offset)
          return main.emitError("weight argument ") << i << " has no place";
        Value base =
            access.bytes(access.field(context, ingot::ContextField::Weights));
        Value start = arith::ConstantIndexOp::create(b, loc, offset.getInt());
        map.map(arg,
                memref::ViewOp::create(b, loc, cast<MemRefType>(arg.getType()),
                                       base, start, ValueRange()));
      } else if (role == "cache") {
        // A loop makes the handle of the layer at hand itself.
        if (!arg.use_empty() &&
            llvm::all_of(arg.getUsers(), llvm::IsaPred<ingot::CacheMemberOp>))
          continue;
        Value handle = cacheHandle(i);
        if (!handle)
          return failure();
        map.map(arg, UnrealizedConversionCastOp::create(b, loc, arg.getType(),
                                                        handle)
                         .getResult(0));
      } else {
        return main.emitError("argument ") << i << " has no known role";
      }
    }
    Value inputs = access.field(context, ingot::ContextField::Inputs);
    for (auto [position, i] : llvm::enumerate(program.inputs)) {
      auto type = cast<MemRefType>(main.getArgument(i).getType());
      SmallVector<Value> sizes;
      for (int64_t dim = 0; dim < type.getRank(); ++dim)
        if (type.isDynamicDim(dim))
          sizes.push_back(dims.emit(b, loc, program.inputDims[position][dim]));
      Value pointer = access.pointerAt(inputs, position);
      pointers[main.getArgument(i)] = pointer;
      map.map(main.getArgument(i), access.buffer(pointer, type, sizes));
    }
    return bindOutputs();
  }

  /// Where the cache of an argument lies: its group, and where keys and values
  /// begin in a page of that. Nothing, with an error, if it has no place.
  std::optional<std::array<int64_t, 3>> cachePlace(unsigned argument) {
    ProgramOp main = program.main;
    std::array<int64_t, 3> place;
    constexpr StringRef names[] = {"ingot.cache_group", "ingot.key_offset",
                                   "ingot.value_offset"};
    for (auto [name, number] : llvm::zip_equal(names, place)) {
      auto attr = main.getArgAttrOfType<IntegerAttr>(argument, name);
      if (!attr) {
        main.emitError("cache argument ") << argument << " has no place";
        return std::nullopt;
      }
      number = attr.getInt();
    }
    return place;
  }

  /// The handle of an argument's cache.
  Value cacheHandle(unsigned argument) {
    std::optional<std::array<int64_t, 3>> place = cachePlace(argument);
    if (!place)
      return {};
    return cacheHandle((*place)[0], ingot::i64Constant(b, loc, (*place)[1]),
                       ingot::i64Constant(b, loc, (*place)[2]));
  }

  /// The handle of the cache that a loop's number picks, of some that lie
  /// equally far from each other.
  Value memberHandle(ingot::CacheMemberOp member) {
    SmallVector<std::array<int64_t, 3>> places;
    for (Value cache : member.getCaches()) {
      auto argument = dyn_cast<BlockArgument>(cache);
      auto place = argument ? cachePlace(argument.getArgNumber())
                            : std::optional<std::array<int64_t, 3>>();
      if (!place)
        return {};
      places.push_back(*place);
    }
    Value number = arith::IndexCastOp::create(b, loc, b.getI64Type(),
                                              map.lookup(member.getNumber()));
    auto offset = [&](unsigned field) -> Value {
      int64_t first = places.front()[field];
      int64_t step = places.size() > 1 ? places[1][field] - first : 0;
      for (auto [i, place] : llvm::enumerate(places))
        if (place[0] != places.front()[0] ||
            place[field] != first + int64_t(i) * step)
          return {};
      Value moved = arith::MulIOp::create(b, loc, number,
                                          ingot::i64Constant(b, loc, step));
      return arith::AddIOp::create(b, loc, ingot::i64Constant(b, loc, first),
                                   moved);
    };
    Value keys = offset(1), values = offset(2);
    if (!keys || !values) {
      member.emitError("caches do not lie equally far from each other");
      return {};
    }
    return cacheHandle(places.front()[0], keys, values);
  }

  /// A handle: the page table of a group, the pages in a row of it, and where
  /// keys and values are in a page.
  Value cacheHandle(int64_t group, Value keys, Value values) {
    ingot::AbiAccess access(b, loc);
    Value tables = access.field(context, ingot::ContextField::PageTables);
    Value pages = arith::IndexCastOp::create(
        b, loc, b.getI64Type(),
        access.indexAt(context, int64_t(ingot::ContextField::PagesPerRow) / 8));
    Value fields[] = {access.pointerAt(tables, group), pages, keys, values};
    SmallVector<Type> types(ValueRange(fields).getTypes());
    Value handle = LLVM::PoisonOp::create(
        b, loc, LLVM::LLVMStructType::getLiteral(b.getContext(), types));
    for (auto [i, field] : llvm::enumerate(fields))
      handle = LLVM::InsertValueOp::create(b, loc, handle, field, i);
    return handle;
  }

  /// Outputs take the sizes that the program returns for them.
  LogicalResult bindOutputs() {
    ingot::AbiAccess access(b, loc);
    ProgramOp main = program.main;
    Value outputs = access.field(context, ingot::ContextField::Outputs);
    auto ret = cast<ReturnOp>(main.getProgram().getTerminator());
    unsigned next = 0;
    IRMapping sizesMap = map;
    for (auto [position, i] : llvm::enumerate(program.outputs)) {
      auto type = cast<MemRefType>(main.getArgument(i).getType());
      SmallVector<Value> sizes;
      for (int64_t dim = 0; dim < type.getRank(); ++dim, ++next) {
        if (!type.isDynamicDim(dim))
          continue;
        Value size =
            ingot::cloneSize(b, program, dims, ret.getOperand(next), sizesMap);
        if (!size)
          return failure();
        sizes.push_back(size);
      }
      Value pointer = access.pointerAt(outputs, position);
      pointers[main.getArgument(i)] = pointer;
      map.map(main.getArgument(i), access.buffer(pointer, type, sizes));
    }
    return success();
  }

  /// Adds one op of the program.
  LogicalResult place(Operation &op) {
    if (auto size = dyn_cast<ingot::SizeOp>(op)) {
      Value value = ingot::cloneSize(b, program, dims, size.getResult(), map);
      return success(bool(value));
    }
    if (auto barrier = dyn_cast<BarrierOp>(op)) {
      waitFor(map.lookupOrNull(barrier.getBusy()),
              map.lookupOrNull(barrier.getUnless()));
      ingot::emitMark(b, loc, log, ingot::markWait);
      return success();
    }
    // What is fetched ahead is fetched in the barrier behind it.
    if (op.hasAttr(ingot::prefetchAttrName)) {
      fetched.push_back(&op);
      return success();
    }
    if (isa<LoopOp, func::CallOp>(op))
      fetchAhead();
    if (auto loop = dyn_cast<LoopOp>(op))
      return placeLoop(loop);
    if (auto until = dyn_cast<UntilOp>(op)) {
      auto [here, next] = startBlock();
      b.setInsertionPointToEnd(here);
      cf::CondBranchOp::create(
          b, loc, map.lookup(until.getCondition()), behind ? behind : exit,
          behind ? ValueRange(expected) : ValueRange(), next, ValueRange());
      b.setInsertionPointToStart(next);
      return success();
    }
    if (auto call = dyn_cast<CallOp>(op)) {
      expected =
          ingot::emitCall(b, loc, {context, worker, workers, expected, log},
                          numCalls++, call, pointers);
      return success();
    }
    if (auto single = dyn_cast<SingleOp>(op)) {
      ingot::emitSingle(b, loc, context, worker, log, single, map);
      return success();
    }
    if (auto member = dyn_cast<ingot::CacheMemberOp>(op)) {
      Value handle = memberHandle(member);
      if (handle)
        map.map(member.getResult(), UnrealizedConversionCastOp::create(
                                        b, loc, member.getType(), handle)
                                        .getResult(0));
      return success(bool(handle));
    }
    if (auto check = dyn_cast<ingot::CheckOp>(op)) {
      // What follows may rely on it: every worker finds the same and leaves.
      Value holds = map.lookupOrDefault(check.getCondition());
      ingot::emitCheck(b, loc, holds, errors.idOf(check.getMessage()), error);
      auto [here, next] = startBlock();
      b.setInsertionPointToEnd(here);
      cf::CondBranchOp::create(b, loc, holds, next, exit);
      b.setInsertionPointToStart(next);
      return success();
    }
    Operation *clone = b.clone(op, map);
    auto number = op.getAttrOfType<IntegerAttr>(ingot::stageNumberAttrName);
    if (number) {
      clone->removeAttr(ingot::stageNumberAttrName);
      ingot::emitMark(b, loc, log, number.getInt());
    }
    return success();
  }

  /// Adds a loop: a block that begins it anew, and the body.
  LogicalResult placeLoop(LoopOp loop) {
    if (!expected)
      expected = ingot::i64Constant(b, loc, 0);
    Value zero = arith::ConstantIndexOp::create(b, loc, 0);
    auto [before, head] = startBlock();
    Value number = head->addArgument(b.getIndexType(), loc);
    Value arrivals = head->addArgument(b.getI64Type(), loc);
    b.setInsertionPointToEnd(before);
    cf::BranchOp::create(b, loc, head, ValueRange{zero, expected});
    b.setInsertionPointToStart(head);
    map.map(loop.getNumber(), number);
    expected = arrivals;
    // Where it ends early, nobody knows after how many barriers.
    if (!loop.getBody().getOps<UntilOp>().empty()) {
      behind = b.createBlock(exit);
      behind->addArgument(b.getI64Type(), loc);
      b.setInsertionPointToEnd(head);
    }
    for (Operation &op : loop.getBody().front())
      if (failed(place(op)))
        return failure();
    Value one = arith::ConstantIndexOp::create(b, loc, 1);
    Value count = arith::ConstantIndexOp::create(b, loc, loop.getCount());
    Value next = arith::AddIOp::create(b, loc, number, one);
    Value isMore =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, next, count);
    Block *after = std::exchange(behind, nullptr);
    Block *last = b.getInsertionBlock();
    if (!after)
      after = startBlock().second;
    b.setInsertionPointToEnd(last);
    bool isCounted = after->getNumArguments() > 0;
    cf::CondBranchOp::create(b, loc, isMore, head, ValueRange{next, expected},
                             after,
                             isCounted ? ValueRange(expected) : ValueRange());
    if (isCounted)
      expected = after->getArgument(0);
    b.setInsertionPointToStart(after);
    return success();
  }

  /// Makes the block in which the program goes on; gives this one and that.
  std::pair<Block *, Block *> startBlock() {
    Block *here = b.getInsertionBlock();
    return {here, b.createBlock(exit)};
  }

  /// Waits for the workers of the first numbers, all if `busy` is null, unless
  /// `unless` is given and holds.
  void waitFor(Value busy, Value unless) {
    Value last = busy ? busy : workers;
    Value isBusy = b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::slt,
                                                 worker, last);
    Value arrivals = arith::IndexCastOp::create(b, loc, b.getI64Type(), last);
    if (unless) // How often they are counted is known at run time alone.
      arrivals = arith::SelectOp::create(
          b, loc, unless, ingot::i64Constant(b, loc, 0), arrivals);
    expected =
        expected ? arith::AddIOp::create(b, loc, expected, arrivals) : arrivals;
    if (!unless)
      return emitWait(isBusy, nullptr);
    auto [here, wait] = startBlock();
    Block *next = b.createBlock(exit);
    b.setInsertionPointToEnd(here);
    cf::CondBranchOp::create(b, loc, unless, next, wait);
    b.setInsertionPointToStart(wait);
    emitWait(isBusy, next);
  }

  /// Fetches what is to be fetched ahead.
  void fetchAhead() {
    for (Operation *op : fetched)
      b.clone(*op, map)->removeAttr(ingot::prefetchAttrName);
    fetched.clear();
  }

  /// Calls the barrier, and goes on in `next`, a new block if it is null.
  void emitWait(Value arrives, Block *next) {
    if (!fetched.empty()) {
      // Whoever comes last does not wait, and has no time to fill.
      Value isEarly = ingot::emitArrival(b, loc, context, expected, arrives);
      arrives = arith::ConstantOp::create(b, loc, b.getBoolAttr(false));
      Block *here = b.getInsertionBlock();
      Block *fetch = startBlock().second;
      fetchAhead();
      Block *wait = startBlock().second;
      b.setInsertionPointToEnd(fetch);
      cf::BranchOp::create(b, loc, wait);
      b.setInsertionPointToEnd(here);
      cf::CondBranchOp::create(b, loc, isEarly, fetch, wait);
      b.setInsertionPointToStart(wait);
    }
    Value isStopped = func::CallOp::create(
                          b, loc, ingot::barrierName, TypeRange{b.getI1Type()},
                          ValueRange{context, expected, arrives})
                          .getResult(0);
    Block *here = b.getInsertionBlock();
    if (!next)
      next = startBlock().second;
    b.setInsertionPointToEnd(here);
    cf::CondBranchOp::create(b, loc, isStopped, exit, next);
    b.setInsertionPointToStart(next);
  }

  const ingot::Program &program;
  ingot::ErrorTable &errors;
  OpBuilder &b;
  Location loc;
  ingot::DimArith dims;
  IRMapping map;
  Value context, worker, workers, error;
  Value log; // What the worker notes of the run; null if nobody asked.
  /// The end, and what comes after the loop at hand if it may end early.
  Block *exit = nullptr, *behind = nullptr;
  /// Where the data of an input or output is.
  llvm::DenseMap<Value, Value> pointers;
  /// Calls of programs so far.
  int64_t numCalls = 0;
  /// Arrivals at barriers so far, of all workers.
  Value expected;
  /// Calls that fetch what is read behind the next barrier.
  SmallVector<Operation *> fetched;
};

struct EmitEntryPass : ingot::impl::EmitEntryBase<EmitEntryPass> {
  using EmitEntryBase::EmitEntryBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto programs = llvm::to_vector(module.getOps<ProgramOp>());
    if (programs.empty()) {
      module.emitError("expected a program, found none");
      return signalPassFailure();
    }
    std::string error;
    std::optional<ingot::TargetInfo> cpu = ingot::lookupTarget(target, error);
    if (!cpu) {
      module.emitError(error);
      return signalPassFailure();
    }
    auto isMain = [&](ProgramOp op) {
      return programs.size() == 1 || op.getSymName() == ingot::mainName;
    };
    if (llvm::none_of(programs, isMain)) {
      module.emitError("expected a program 'main' among ") << programs.size();
      return signalPassFailure();
    }
    ingot::ErrorTable errors(module);
    OpBuilder b(programs.front());
    ingot::emitWaitFunctions(b, programs.front().getLoc(), *cpu);
    ingot::emitMarkFunction(b, programs.front().getLoc(), *cpu);
    NamedAttrList entries;
    llvm::StringSet<> called;
    module.walk([&](CallOp call) { called.insert(call.getCallee()); });
    for (ProgramOp op : programs) {
      FailureOr<ingot::Program> program = ingot::Program::create(
          op, isMain(op) ? "" : "_" + op.getSymName().str());
      if (failed(program) || failed(ingot::emitSizes(*program, errors)) ||
          failed(ingot::emitEntry(*program, called.contains(op.getSymName()),
                                  errors)))
        return signalPassFailure();
      // What was found out about a program outlives it.
      NamedAttrList known;
      for (StringRef name : {ingot::arenaAttrName, ingot::stagesAttrName,
                             ingot::buffersAttrName})
        if (Attribute attr = op->getAttr(name))
          known.set(name, attr);
      if (!isMain(op))
        entries.set(op.getSymName(), known.getDictionary(&getContext()));
      else
        for (NamedAttribute attr : known)
          module->setAttr(attr.getName(), attr.getValue());
      op.erase();
    }
    if (!entries.empty())
      module->setAttr(ingot::entriesAttrName,
                      entries.getDictionary(&getContext()));
    // Symbols and weights are addresses from here on.
    for (Operation &op : llvm::make_early_inc_range(*module.getBody()))
      if (isa<ingot::DimOp, ingot::WeightOp>(op))
        op.erase();
  }
};

} // namespace

LogicalResult ingot::emitEntry(const Program &program, bool isCalled,
                               ErrorTable &errors) {
  OpBuilder b(program.main);
  Location loc = program.main->getLoc();
  Type ptr = LLVM::LLVMPointerType::get(b.getContext());
  auto func = func::FuncOp::create(
      b, loc, (Twine(entryName) + program.suffix).str(),
      b.getFunctionType({ptr, b.getI64Type(), b.getI64Type()}, {}));
  if (isCalled)
    func = emitBodyFunction(b, loc, func, program.suffix);
  return EntryBuilder(program, errors, b).run(func);
}
