//===- ShareWeightFunctions.cpp - what is alike is computed by one --------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Analysis/SameBody.h"
#include "ingot/Transforms/Entries.h"
#include "ingot/Transforms/Passes.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/EquivalenceClasses.h"

namespace ingot {
#define GEN_PASS_DEF_SHAREWEIGHTFUNCTIONS
#include "lib/Transforms/Passes.h.inc"
} // namespace ingot

using namespace mlir;

namespace {

/// Every value from above that `op` or its regions read.
SmallVector<Value> usedValues(Operation *op) {
  llvm::SetVector<Value> values(op->operand_begin(), op->operand_end());
  getUsedValuesDefinedAbove(op->getRegions(), values);
  return values.takeVector();
}

/// Ops of a function, and the results of the function that they make.
struct Part {
  SmallVector<Operation *> ops;
  SmallVector<unsigned> results;
};

/// Takes a function from weights to weights apart.
class Splitter {
public:
  explicit Splitter(func::FuncOp whole) : whole(whole) {
    for (Operation &op : body().without_terminator())
      if (needsWeights(&op))
        classes.insert(&op);
    for (Operation &op : body().without_terminator())
      if (classes.contains(&op))
        for (Value value : usedValues(&op))
          if (Operation *def = value.getDefiningOp(); classes.contains(def))
            classes.unionSets(&op, def);
  }

  /// Replaces the function by one for each kind of part; gives the calls.
  ArrayAttr run() {
    llvm::MapVector<Operation *, Part> parts;
    for (Operation &op : body().without_terminator())
      if (classes.contains(&op))
        parts[classes.getLeaderValue(&op)].ops.push_back(&op);
    Operation *ret = body().getTerminator();
    for (auto [i, value] : llvm::enumerate(ret->getOperands())) {
      Operation *def = value.getDefiningOp();
      // What comes from no weight is a part of its own.
      Operation *key =
          classes.contains(def) ? classes.getLeaderValue(def) : def;
      parts[key].results.push_back(i);
    }
    auto module = cast<ModuleOp>(whole->getParentOp());
    SmallVector<Attribute> calls;
    llvm::DenseMap<func::FuncOp, func::FuncOp, ingot::SameBody> unique;
    SmallVector<func::FuncOp> made;
    for (auto &[key, part] : parts) {
      if (part.results.empty())
        continue;
      SmallVector<Attribute> inputs, outputs;
      func::FuncOp func = build(part, inputs, outputs);
      auto [entry, isNew] = unique.try_emplace(func, func);
      if (isNew) {
        func.setSymName(
            made.empty() ? std::string(ingot::mainName)
                         : (ingot::mainName + "_" + Twine(made.size())).str());
        made.push_back(func);
      } else {
        func.erase();
      }
      Builder b(module.getContext());
      calls.push_back(b.getDictionaryAttr(
          {b.getNamedAttr("function", FlatSymbolRefAttr::get(entry->second)),
           b.getNamedAttr("inputs", b.getArrayAttr(inputs)),
           b.getNamedAttr("outputs", b.getArrayAttr(outputs))}));
    }
    whole.erase();
    for (func::FuncOp func : made)
      module.push_back(func);
    return ArrayAttr::get(module.getContext(), calls);
  }

private:
  Block &body() { return whole.getBody().front(); }

  /// Whether an argument has something to do with `op`.
  bool needsWeights(Operation *op) {
    return llvm::any_of(usedValues(op), [&](Value value) {
      Operation *def = value.getDefiningOp();
      return !def || classes.contains(def);
    });
  }

  /// Copies `op`, and before it what it needs that is no part's own.
  void place(Operation *op, OpBuilder &b, IRMapping &map) {
    for (Value value : usedValues(op))
      if (Operation *def = value.getDefiningOp(); def && !map.contains(value))
        place(def, b, map);
    b.clone(*op, map);
  }

  func::FuncOp build(const Part &part, SmallVectorImpl<Attribute> &inputs,
                     SmallVectorImpl<Attribute> &outputs) {
    OpBuilder b(whole.getContext());
    auto func =
        func::FuncOp::create(whole.getLoc(), "part", b.getFunctionType({}, {}));
    Block *block = func.addEntryBlock();
    b.setInsertionPointToStart(block);
    IRMapping map;
    for (Operation *op : part.ops) {
      for (Value value : usedValues(op)) {
        auto argument = dyn_cast<BlockArgument>(value);
        if (!argument || map.contains(value))
          continue;
        map.map(value, block->addArgument(value.getType(), value.getLoc()));
        inputs.push_back(
            whole.getArgAttr(argument.getArgNumber(), "ingot.weight"));
      }
      place(op, b, map);
    }
    SmallVector<Value> results;
    for (unsigned i : part.results) {
      Value value = body().getTerminator()->getOperand(i);
      if (!map.contains(value))
        place(value.getDefiningOp(), b, map);
      results.push_back(map.lookup(value));
      outputs.push_back(whole.getResultAttr(i, "ingot.weight"));
    }
    func::ReturnOp::create(b, whole.getLoc(), results);
    func.setType(b.getFunctionType(block->getArgumentTypes(),
                                   ValueRange(results).getTypes()));
    return func;
  }

  func::FuncOp whole;
  /// Ops that have values in common, made from weights.
  llvm::EquivalenceClasses<Operation *> classes;
};

struct ShareWeightFunctionsPass
    : ingot::impl::ShareWeightFunctionsBase<ShareWeightFunctionsPass> {
  void runOnOperation() override {
    auto nested = getOperation().lookupSymbol<ModuleOp>("weight_functions");
    auto whole =
        nested ? nested.lookupSymbol<func::FuncOp>(ingot::mainName) : nullptr;
    if (!whole || !whole.getBody().hasOneBlock())
      return;
    nested->setAttr(ingot::callsAttrName, Splitter(whole).run());
  }
};

} // namespace
