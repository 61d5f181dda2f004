//===- HoistWeightFunctions.cpp - compute with weights while compiling ----===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/IngotOps.h"
#include "ingot/Transforms/Passes.h"

#include "mlir/IR/Dominance.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/RegionUtils.h"

namespace ingot {
#define GEN_PASS_DEF_HOISTWEIGHTFUNCTIONS
#include "lib/Transforms/Passes.h.inc"
} // namespace ingot

using namespace mlir;

namespace {

/// Constants above this size are data, not code.
constexpr int64_t maxInlineBytes = 1024;
/// A result this many times larger than the weights it comes from is cheaper
/// to compute again than to store, unless it is small.
constexpr int64_t maxGrowth = 8;
constexpr int64_t alwaysStored = 1 << 20;

int64_t bytesOf(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.hasStaticShape() ||
      !tensor.getElementType().isIntOrFloat())
    return -1;
  return tensor.getNumElements() *
         llvm::divideCeil(tensor.getElementTypeBitWidth(), 8);
}

/// A constant that belongs to the weights.
bool isLargeConstant(Operation *op) {
  DenseElementsAttr elements;
  return op->getNumResults() == 1 && matchPattern(op, m_Constant(&elements)) &&
         !elements.isSplat() &&
         bytesOf(op->getResult(0).getType()) > maxInlineBytes;
}

/// Every value from above that `op` or its regions read.
SmallVector<Value> usedValues(Operation *op) {
  llvm::SetVector<Value> values(op->operand_begin(), op->operand_end());
  getUsedValuesDefinedAbove(op->getRegions(), values);
  return values.takeVector();
}

/// Finds which ops of a function depend on weights alone.
class WeightOnly {
public:
  explicit WeightOnly(Block &body) {
    for (Operation &op : body)
      classify(op);
    // An op whose scalar result the program needs stays in it, and so on.
    bool changed = true;
    while (changed) {
      changed = false;
      for (Operation &op : llvm::reverse(body))
        if (members.contains(&op) && mustStay(op)) {
          members.erase(&op);
          changed = true;
        }
    }
  }

  bool contains(Operation *op) const { return members.contains(op); }

  /// Needs no weight and can be had again anywhere.
  static bool isFree(Operation *op) {
    return isa<tensor::EmptyOp>(op) ||
           (op->hasTrait<OpTrait::ConstantLike>() && !isLargeConstant(op));
  }

  bool isFreeOrMember(Operation *op) const {
    return members.contains(op) || free.contains(op);
  }

private:
  void classify(Operation &op) {
    if (isa<ingot::WeightRefOp>(op) || isLargeConstant(&op)) {
      members.insert(&op);
      sourceBytes[&op] =
          std::max<int64_t>(bytesOf(op.getResult(0).getType()), 0);
      return;
    }
    if (op.getNumResults() == 0 || op.hasTrait<OpTrait::IsTerminator>() ||
        !isMemoryEffectFree(&op))
      return;
    bool hasWeight = false;
    int64_t bytes = 0;
    for (Value value : usedValues(&op)) {
      Operation *def = value.getDefiningOp();
      if (!def || !isFreeOrMember(def))
        return;
      hasWeight |= members.contains(def);
      bytes += sourceBytes.lookup(def);
    }
    if (!hasWeight) {
      // Sizes, constants, destinations: follow whoever needs them.
      if (isFree(&op) || llvm::all_of(usedValues(&op), [&](Value value) {
            return free.contains(value.getDefiningOp());
          }))
        if (!isa<ingot::SizeOp>(op))
          free.insert(&op);
      return;
    }
    for (Type type : op.getResultTypes()) {
      int64_t size = bytesOf(type);
      if (isa<ShapedType>(type) && size < 0)
        return;
    }
    members.insert(&op);
    sourceBytes[&op] = bytes;
  }

  /// Whether the program needs `op` and cannot have its results stored: they
  /// are no tensors, or much larger than the weights that they come from.
  bool mustStay(Operation &op) const {
    int64_t bytes = sourceBytes.lookup(&op);
    bool isStorable = llvm::all_of(op.getResultTypes(), [&](Type type) {
      int64_t size = bytesOf(type);
      return isa<RankedTensorType>(type) &&
             (size <= alwaysStored || size <= maxGrowth * bytes);
    });
    return !isStorable && llvm::any_of(op.getUsers(), [&](Operation *user) {
      Operation *top = op.getBlock()->findAncestorOpInBlock(*user);
      return !members.contains(top);
    });
  }

  llvm::DenseSet<Operation *> members, free;
  llvm::DenseMap<Operation *, int64_t> sourceBytes;
};

/// The function from weights to weights that all programs of a module share.
class WeightFunction {
public:
  explicit WeightFunction(ModuleOp module)
      : module(module), b(module.getContext()),
        inner(std::make_unique<Block>()) {}

  /// Copies what `func` computes from weights alone.
  void add(func::FuncOp func) {
    Block &body = func.getBody().front();
    WeightOnly weightOnly(body);
    // Values that the program takes from the weight functions.
    llvm::SetVector<Value> results;
    for (Operation &op : body) {
      if (weightOnly.contains(&op))
        continue;
      for (Value value : usedValues(&op)) {
        Operation *def = value.getDefiningOp();
        if (def && weightOnly.contains(def) && !isa<ingot::WeightRefOp>(def))
          results.insert(value);
      }
    }
    // The computation moves with all that it needs.
    llvm::SetVector<Operation *> needed;
    for (Value value : results)
      collect(value.getDefiningOp(), needed);
    IRMapping map;
    b.setInsertionPointToEnd(inner.get());
    for (Operation &op : body) {
      if (!needed.contains(&op))
        continue;
      auto ref = dyn_cast<ingot::WeightRefOp>(op);
      if (!ref) {
        b.clone(op, map);
        continue;
      }
      Value &argument = arguments[ref.getWeight()];
      if (!argument) {
        argument = inner->addArgument(ref.getType(), ref.getLoc());
        argAttrs.push_back(attrsFor(ref.getWeightAttr()));
      }
      map.map(ref.getResult(), argument);
    }
    for (Value value : results) {
      taken.push_back(value);
      computed.push_back(map.lookup(value));
    }
    moved.append(needed.begin(), needed.end());
  }

  /// Makes the nested module, unless no program computes with weights, and
  /// lets the programs read its results.
  void finish() {
    if (taken.empty())
      return;
    Location loc = taken.front().getParentRegion()->getLoc();
    b.setInsertionPointToEnd(module.getBody());
    auto nested = ModuleOp::create(b, loc, "weight_functions");
    b.setInsertionPointToStart(nested.getBody());
    auto function = func::FuncOp::create(
        b, loc, "main", b.getFunctionType(inner->getArgumentTypes(), {}));
    function.getBody().push_back(inner.release());
    b.setInsertionPointToEnd(&function.getBody().front());
    auto ret = func::ReturnOp::create(b, loc, computed);
    // What several programs need is computed and stored once.
    IRRewriter rewriter(b);
    DominanceInfo dominance(function);
    eliminateCommonSubExpressions(rewriter, dominance, function);

    llvm::MapVector<Value, FlatSymbolRefAttr> stored;
    SmallVector<Attribute> resultAttrs;
    SymbolTable symbols(module);
    OpBuilder top(*module.getOps<func::FuncOp>().begin());
    for (auto [value, result] : llvm::zip_equal(taken, ret.getOperands())) {
      FlatSymbolRefAttr &symbol = stored[result];
      if (!symbol) {
        auto weight = ingot::WeightOp::create(
            top, value.getLoc(), "computed_0",
            cast<RankedTensorType>(value.getType()), /*file=*/"",
            /*offset=*/0, bytesOf(value.getType()));
        symbols.insert(weight);
        symbol = FlatSymbolRefAttr::get(weight);
        resultAttrs.push_back(attrsFor(symbol));
      }
      OpBuilder at(value.getDefiningOp());
      value.replaceAllUsesWith(ingot::WeightRefOp::create(
          at, value.getLoc(), value.getType(), symbol));
    }
    SmallVector<Value> returned =
        llvm::to_vector(llvm::make_first_range(stored));
    ret.getOperandsMutable().assign(returned);
    function.setType(
        b.getFunctionType(function.getBody().front().getArgumentTypes(),
                          ValueRange(returned).getTypes()));
    function.setArgAttrsAttr(b.getArrayAttr(argAttrs));
    function.setResAttrsAttr(b.getArrayAttr(resultAttrs));
    for (Operation *op : llvm::reverse(moved))
      if (isOpTriviallyDead(op))
        op->erase();
  }

private:
  DictionaryAttr attrsFor(FlatSymbolRefAttr symbol) {
    return b.getDictionaryAttr(b.getNamedAttr("ingot.weight", symbol));
  }

  /// Adds `op` and what it depends on to `needed`, dependencies first.
  static void collect(Operation *op, llvm::SetVector<Operation *> &needed) {
    if (!op || needed.contains(op))
      return;
    for (Value value : usedValues(op))
      collect(value.getDefiningOp(), needed);
    needed.insert(op);
  }

  ModuleOp module;
  OpBuilder b;
  /// The function's body until it has one.
  std::unique_ptr<Block> inner;
  llvm::StringMap<Value> arguments;
  SmallVector<Attribute> argAttrs;
  /// Values of the programs, and what they are in the function.
  SmallVector<Value> taken, computed;
  SmallVector<Operation *> moved;
};

struct HoistWeightFunctionsPass
    : ingot::impl::HoistWeightFunctionsBase<HoistWeightFunctionsPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    WeightFunction shared(module);
    for (auto func : module.getOps<func::FuncOp>())
      if (func.isPublic() && !func.isExternal() && func.getBody().hasOneBlock())
        shared.add(func);
    shared.finish();
  }
};

} // namespace
