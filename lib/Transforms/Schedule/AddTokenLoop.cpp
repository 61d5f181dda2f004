//===- AddTokenLoop.cpp - a decoder's program for token after token -------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Mega/IR/CallOps.h"
#include "ingot/Analysis/ShapeAnalysis.h"
#include "ingot/Transforms/DecoderNames.h"
#include "ingot/Transforms/Entries.h"
#include "ingot/Transforms/Schedule.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Parser/Parser.h"

namespace ingot {
#define GEN_PASS_DEF_ADDTOKENLOOP
#include "lib/Transforms/Schedule/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot;
using namespace ingot::mega;

namespace {

constexpr llvm::StringLiteral advanceText =
#include "lib/Transforms/Schedule/TokenLoop.inc"
    ;

/// Builds the program from the two that it calls.
class LoopBuilder {
public:
  LoopBuilder(ProgramOp decode, ProgramOp sample, DictionaryAttr state)
      : decode(decode), sample(sample), state(state), b(decode->getContext()),
        loc(decode->getLoc()) {
    b.setInsertionPointAfter(sample);
  }

  /// Null if a program does not have the arguments that it should have.
  ProgramOp run(ProgramOp advance) {
    take(decode, /*isSampler=*/false);
    for (StringRef name : {"tokens", "past", "logits"})
      if (!indexOf(nameOf(name)))
        return {};
    take(sample, /*isSampler=*/true);
    auto numbers = [&](int64_t extent) {
      return MemRefType::get({extent}, b.getI64Type());
    };
    add("ingot.stops", numbers(ShapedType::kDynamic), {});
    add("ingot.chosen", numbers(ShapedType::kDynamic), {});
    add("ingot.progress", numbers(4), {});
    for (BlockArgument arg : advance.getArguments())
      if (!argumentFor(arg.getArgNumber()))
        return {};
    auto loop =
        ProgramOp::create(b, loc, loopEntryName, b.getFunctionType(types, {}));
    for (auto [i, attributes] : llvm::enumerate(attrs))
      loop.setArgAttrs(i, attributes);
    program = loop;
    b.setInsertionPointToStart(&loop.getProgram());
    auto turns = LoopOp::create(b, loc, std::numeric_limits<int64_t>::max());
    ReturnOp::create(b, loc, ValueRange());
    b.setInsertionPointToStart(&turns.getBody().front());
    fill(advance);
    return loop;
  }

private:
  StringRef nameOf(StringRef role) {
    auto name = state.getAs<StringAttr>(role);
    return name ? name.getValue() : StringRef();
  }

  /// Makes arguments of the loop of those of a callee that are no state and no
  /// weights. The logits that the decoder writes are those that the sampler
  /// reads.
  void take(ProgramOp from, bool isSampler) {
    for (BlockArgument arg : from.getArguments()) {
      unsigned number = arg.getArgNumber();
      auto role = from.getArgAttrOfType<StringAttr>(number, roleName);
      if (!role || (role.getValue() != "input" && role.getValue() != "output"))
        continue;
      StringRef name;
      if (auto attr = from.getArgAttrOfType<StringAttr>(number, nameAttrName))
        name = attr.getValue();
      unsigned index = isSampler && name == "logits"
                           ? *indexOf(nameOf("logits"))
                           : add((isSampler ? "ingot." : "") + name.str(),
                                 arg.getType(), from.getArgAttrDict(number));
      Given &own = given[from];
      (role.getValue() == "output" ? own.outputs : own.inputs).push_back(index);
    }
  }

  unsigned add(const std::string &name, Type type, DictionaryAttr known) {
    NamedAttrList list(known);
    list.set(nameAttrName, b.getStringAttr(name));
    list.set(roleName, b.getStringAttr("shared"));
    names.push_back(name);
    types.push_back(type);
    attrs.push_back(list.getDictionary(b.getContext()));
    return names.size() - 1;
  }

  std::optional<unsigned> indexOf(StringRef name) {
    auto found = llvm::find(names, name);
    if (found == names.end())
      return std::nullopt;
    return found - names.begin();
  }

  /// Which argument of the loop is the template's: their order is this.
  std::optional<unsigned> argumentFor(unsigned number) {
    constexpr llvm::StringLiteral wanted[] = {
        "ingot.token", "ingot.history", "ingot.numbers",
        "ingot.stops", "ingot.chosen",  "ingot.progress"};
    return number < std::size(wanted) ? indexOf(wanted[number]) : std::nullopt;
  }

  Value argument(StringRef name) { return program.getArgument(*indexOf(name)); }

  void call(ProgramOp callee) {
    auto argumentsOf = [&](ArrayRef<unsigned> indices) {
      return llvm::map_to_vector(
          indices, [&](unsigned i) -> Value { return program.getArgument(i); });
    };
    const Given &own = given[callee];
    CallOp::create(b, loc, callee.getSymName(), argumentsOf(own.inputs),
                   argumentsOf(own.outputs));
    BarrierOp::create(b, loc, /*unless=*/Value());
  }

  /// A turn: a token is chosen, told and read.
  void fill(ProgramOp advance) {
    call(sample);
    auto single = SingleOp::create(b, loc);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(&single.getBody().front());
      handOver();
      IRMapping map;
      for (BlockArgument arg : advance.getArguments())
        map.map(arg, program.getArgument(*argumentFor(arg.getArgNumber())));
      auto from = *advance.getProgram().getOps<SingleOp>().begin();
      for (Operation &op : from.getBody().front())
        b.clone(op, map);
    }
    BarrierOp::create(b, loc, /*unless=*/Value());
    Value zero = arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(0));
    Value isOver =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne,
                              load(argument("ingot.progress"), 0), zero);
    UntilOp::create(b, loc, isOver);
    call(decode);
  }

  /// The chosen token becomes what the decoder reads next.
  void handOver() {
    Value id = load(argument("ingot.token"), 0);
    store(id, argument(nameOf("tokens")));
    store(load(argument("ingot.numbers"), 2), argument(nameOf("past")));
  }

  Value load(Value buffer, int64_t place) {
    Value at = arith::ConstantIndexOp::create(b, loc, place);
    return memref::LoadOp::create(b, loc, buffer, at);
  }

  /// Stores a number to the first element.
  void store(Value number, Value buffer) {
    auto type = cast<MemRefType>(buffer.getType());
    if (type.getElementType() != number.getType())
      number = arith::TruncIOp::create(b, loc, type.getElementType(), number);
    Value zero = arith::ConstantIndexOp::create(b, loc, 0);
    SmallVector<Value> first(type.getRank(), zero);
    memref::StoreOp::create(b, loc, number, buffer, first);
  }

  static constexpr llvm::StringLiteral roleName = "ingot.role";

  ProgramOp decode, sample, program;
  DictionaryAttr state;
  OpBuilder b;
  Location loc;
  std::vector<std::string> names;
  SmallVector<Type> types;
  SmallVector<DictionaryAttr> attrs;
  /// Which arguments of the loop a callee's inputs and outputs are.
  struct Given {
    SmallVector<unsigned> inputs, outputs;
  };
  llvm::DenseMap<Operation *, Given> given;
};

struct AddTokenLoopPass : ingot::impl::AddTokenLoopBase<AddTokenLoopPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto main = module.lookupSymbol<ProgramOp>(mainName);
    auto decode = module.lookupSymbol<ProgramOp>(decodeEntryName);
    auto sample = module.lookupSymbol<ProgramOp>(sampleEntryName);
    auto state = main ? main->getAttrOfType<DictionaryAttr>(stateAttrName)
                      : DictionaryAttr();
    if (!state || !decode || !sample)
      return;
    OwningOpRef<ModuleOp> library = parseSourceString<ModuleOp>(
        advanceText, ParserConfig(&getContext()), "TokenLoop.mlir");
    if (!library)
      return signalPassFailure();
    auto advance = *library->getOps<ProgramOp>().begin();
    if (LoopBuilder(decode, sample, state).run(advance))
      return;
    decode.emitError("has not what a loop over tokens needs");
    signalPassFailure();
  }
};

} // namespace
