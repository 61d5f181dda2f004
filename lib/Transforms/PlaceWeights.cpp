//===- PlaceWeights.cpp - the layout of the weights section ---------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/IngotOps.h"
#include "ingot/Transforms/Passes.h"

namespace ingot {
#define GEN_PASS_DEF_PLACEWEIGHTS
#include "lib/Transforms/Passes.h.inc"
} // namespace ingot

using namespace mlir;

namespace {

constexpr int64_t alignment = 64;

struct PlaceWeightsPass : ingot::impl::PlaceWeightsBase<PlaceWeightsPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    SymbolTable symbols(module);
    weights = &symbols;
    next = 0;
    families.clear();
    groups.clear();
    findFamilies();
    for (auto func : module.getOps<func::FuncOp>())
      if (failed(takeWeights(func)))
        return signalPassFailure();
    module->setAttr("ingot.weights_bytes",
                    Builder(module.getContext()).getI64IntegerAttr(next));
  }

private:
  /// What an argument stands for: a weight, or the list of a family's.
  using Arguments = llvm::MapVector<Attribute, Value>;

  /// Notes which families each loop reads, in the order in which it does, and
  /// which of these groups a weight belongs to. The longest list that has a
  /// weight decides.
  void findFamilies() {
    llvm::MapVector<ArrayAttr, Operation *> lists;
    for (auto func : getOperation().getOps<func::FuncOp>())
      func.walk([&](ingot::WeightMemberOp op) {
        lists.insert({op.getWeights(), op->getParentOp()});
      });
    auto order = llvm::to_vector(lists);
    auto numbers = llvm::to_vector(llvm::seq(order.size()));
    llvm::sort(numbers, [&](size_t a, size_t b) {
      size_t mine = order[a].first.size(), other = order[b].first.size();
      return mine != other ? mine > other : a < b;
    });
    llvm::MapVector<std::pair<Operation *, size_t>, size_t> known;
    for (size_t number : numbers) {
      auto [list, loop] = order[number];
      if (families.contains(list[0]))
        continue;
      auto [group, isNew] = known.insert({{loop, list.size()}, groups.size()});
      if (isNew)
        groups.emplace_back();
      groups[group->second].push_back(list);
      for (Attribute member : list)
        families.try_emplace(member, group->second);
    }
  }

  // The verifiers of its users have seen to it that it is declared.
  ingot::WeightOp weightOf(Attribute symbol) {
    return cast<ingot::WeightOp>(
        weights->lookup(cast<FlatSymbolRefAttr>(symbol).getAttr()));
  }

  /// Where a weight lies: beside what the same time of a loop reads, and as far
  /// from the next of its family as those are from theirs.
  int64_t placeOf(Attribute symbol) {
    auto group = families.find(symbol);
    if (group == families.end()) {
      place(symbol);
    } else {
      ArrayRef<ArrayAttr> lists = groups[group->second];
      for (size_t i = 0; i < lists.front().size(); ++i)
        for (ArrayAttr list : lists)
          place(list[i]);
    }
    return weightOf(symbol)->getAttrOfType<IntegerAttr>("ingot.place").getInt();
  }

  /// Gives a weight the next place, unless it has one.
  void place(Attribute symbol) {
    ingot::WeightOp weight = weightOf(symbol);
    if (weight->hasAttr("ingot.place"))
      return;
    weight->setAttr("ingot.place",
                    Builder(&getContext()).getI64IntegerAttr(next));
    next = llvm::alignTo(next + weight.getLength(), alignment);
  }

  LogicalResult takeWeights(func::FuncOp func) {
    Arguments arguments;
    WalkResult result = func.walk([&](Operation *op) {
      OpBuilder b(op);
      if (auto ref = dyn_cast<ingot::WeightRefOp>(op)) {
        Value argument =
            argumentFor(func, ref.getWeightAttr(), ref.getType(),
                        placeOf(ref.getWeightAttr()), ref.getLoc(), arguments);
        if (!argument)
          return WalkResult::interrupt();
        ref.replaceAllUsesWith(argument);
        ref.erase();
      } else if (auto member = dyn_cast<ingot::WeightMemberOp>(op)) {
        if (failed(takeFamily(func, member, arguments)))
          return WalkResult::interrupt();
      }
      return WalkResult::advance();
    });
    return failure(result.wasInterrupted());
  }

  LogicalResult takeFamily(func::FuncOp func, ingot::WeightMemberOp member,
                           Arguments &arguments) {
    ArrayAttr list = member.getWeights();
    int64_t first = placeOf(list[0]), length = weightOf(list[0]).getLength();
    int64_t stride = list.size() > 1 ? placeOf(list[1]) - first : length;
    for (auto [i, symbol] : llvm::enumerate(list))
      if (stride < length || placeOf(symbol) != first + int64_t(i) * stride)
        return member.emitError("members do not lie equally far from each "
                                "other: they are of several families");
    OpBuilder b(member);
    auto bytes = RankedTensorType::get(
        {stride * int64_t(list.size() - 1) + length}, b.getI8Type());
    Value argument =
        argumentFor(func, list, bytes, first, member.getLoc(), arguments);
    if (!argument)
      return failure();
    member.replaceAllUsesWith(
        ingot::WeightViewOp::create(b, member.getLoc(), member.getType(),
                                    argument, member.getNumber(), stride)
            .getResult());
    member.erase();
    return success();
  }

  /// The argument of `func` for what lies at `place`; null with an error.
  static Value argumentFor(func::FuncOp func, Attribute key, Type type,
                           int64_t place, Location loc, Arguments &arguments) {
    Value &argument = arguments[key];
    if (argument)
      return argument;
    Builder b(func.getContext());
    auto attrs = b.getDictionaryAttr(
        {b.getNamedAttr("ingot.role", b.getStringAttr("weight")),
         b.getNamedAttr("ingot.weight_offset", b.getI64IntegerAttr(place))});
    unsigned index = func.getNumArguments();
    if (succeeded(func.insertArgument(index, type, attrs, loc)))
      argument = func.getArgument(index);
    return argument;
  }

  SymbolTable *weights = nullptr;
  /// Families of equal length that one loop reads.
  std::vector<SmallVector<ArrayAttr>> groups;
  /// The group of each weight that is a member of a family.
  llvm::DenseMap<Attribute, size_t> families;
  /// Where the next weight begins.
  int64_t next = 0;
};

} // namespace
