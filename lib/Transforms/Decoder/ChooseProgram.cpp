//===- ChooseProgram.cpp - of two programs the one with a past ------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Transforms/Decoder.h"
#include "ingot/Transforms/Entries.h"
#include "lib/Transforms/Decoder/DecoderModel.h"
#include "lib/Transforms/Decoder/Origin.h"
#include "lib/Transforms/Recognition/DimRewriting.h"
#include "lib/Transforms/Recognition/Matchers.h"

namespace ingot {
#define GEN_PASS_DEF_CHOOSEPROGRAM
#include "lib/Transforms/Decoder/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot;

namespace {

func::ReturnOp returnOf(func::FuncOp func) {
  return cast<func::ReturnOp>(func.getBody().front().getTerminator());
}

/// Lets the chosen program compute what it is given of the encoder as the other
/// one does, whose results a host would give it.
class PastFiller {
public:
  PastFiller(func::FuncOp chosen, func::FuncOp other)
      : chosen(chosen), other(other), caches(findCacheTensors(chosen)) {}

  /// The inputs that are computed now; none where one of them cannot be.
  SmallVector<BlockArgument> run() {
    SmallVector<BlockArgument> inputs;
    SmallVector<Value> values;
    findNames();
    for (BlockArgument input : chosen.getArguments()) {
      if (!isGiven(input))
        continue;
      std::optional<unsigned> result = resultOf(input);
      if (!result || !meet(input, returnOf(other).getOperand(*result)))
        return {};
      inputs.push_back(input);
      values.push_back(returnOf(other).getOperand(*result));
    }
    if (inputs.empty())
      return {};
    // What the chosen program does not read differs from no token to another.
    Origin origin(values);
    for (BlockArgument input : origin.inputs)
      if (!counterpart(input).use_empty())
        return {};
    replaceDims(chosen, [&](const DimExpr &dim) { return renamed(dim); });
    refineTypes(chosen);
    fill(inputs, values, origin);
    return inputs;
  }

private:
  BlockArgument counterpart(BlockArgument input) {
    return chosen.getArgument(input.getArgNumber());
  }

  /// Whether an input may be keys or values that no token extends.
  bool isGiven(BlockArgument input) {
    auto type = dyn_cast<RankedTensorType>(input.getType());
    return type && type.getRank() == 4 &&
           isa<FloatType>(type.getElementType()) && !input.use_empty() &&
           llvm::none_of(caches, [&](const CacheTensor &cache) {
             return cache.past == input;
           });
  }

  /// How names of pasts and presents begin where they end alike.
  void findNames() {
    for (const CacheTensor &cache : caches) {
      std::string past = inputName(cache.past),
                  present = outputName(chosen, cache.results.front());
      size_t same = 0;
      while (same < std::min(past.size(), present.size()) &&
             past[past.size() - 1 - same] == present[present.size() - 1 - same])
        ++same;
      std::pair<std::string, std::string> found = {
          past.substr(0, past.size() - same),
          present.substr(0, present.size() - same)};
      if (&cache != caches.begin() && found != beginnings) {
        beginnings = {};
        return;
      }
      beginnings = std::move(found);
    }
  }

  /// The result that a host gives back as `input`: one that is the input, or a
  /// stand-in of that name which says nothing.
  std::optional<unsigned> resultOf(BlockArgument input) {
    SmallVector<Value> results(returnOf(chosen).getOperands());
    for (auto [i, value] : llvm::enumerate(results))
      if (stripTensorCasts(value) == input)
        return i;
    std::string text = inputName(input);
    StringRef name = text;
    if (beginnings.first.empty() || !name.consume_front(beginnings.first))
      return std::nullopt;
    for (auto [i, value] : llvm::enumerate(results))
      if (outputName(chosen, i) == beginnings.second + name.str() &&
          Origin(value).inputs.empty())
        return i;
    return std::nullopt;
  }

  /// Notes what the dims of `input` are called where `value` takes its place.
  bool meet(BlockArgument input, Value value) {
    if (elementTypeOf(input) != elementTypeOf(value) ||
        Origin(value).inputs.empty())
      return false;
    const DimShape from = chosenShapes.shapeOf(input),
                   to = otherShapes.shapeOf(value);
    if (from.size() != to.size())
      return false;
    for (auto [a, b] : llvm::zip_equal(from, to)) {
      std::optional<std::string> symbol = a.getSymbol();
      if (a == b)
        continue;
      if (!symbol)
        return false;
      auto [known, isNew] = meaning.try_emplace(*symbol, b);
      if (!isNew && known->second != b)
        return false;
    }
    return true;
  }

  DimExpr renamed(const DimExpr &dim) const {
    return dim.substitute([&](StringRef name) -> std::optional<DimExpr> {
      auto found = meaning.find(name);
      return found == meaning.end() ? std::nullopt
                                    : std::optional<DimExpr>(found->second);
    });
  }

  void fill(ArrayRef<BlockArgument> inputs, ArrayRef<Value> values,
            const Origin &origin) {
    IRMapping map;
    for (BlockArgument value : origin.inputs) {
      BlockArgument input = counterpart(value);
      input.setType(value.getType());
      chosen.setArgAttr(input.getArgNumber(), dimsAttrName,
                        other.getArgAttr(input.getArgNumber(), dimsAttrName));
      map.map(value, input);
    }
    OpBuilder b(chosen.getContext());
    b.setInsertionPointToStart(&chosen.getBody().front());
    for (Operation &op : other.getBody().front())
      if (origin.ops.contains(&op))
        b.clone(op, map);
    for (auto [input, value] : llvm::zip_equal(inputs, values)) {
      Value now = map.lookup(value);
      if (now.getType() != input.getType())
        now = tensor::CastOp::create(b, value.getLoc(), input.getType(), now);
      Value(input).replaceAllUsesWith(now);
    }
    chosen.setType(
        b.getFunctionType(chosen.getBody().front().getArgumentTypes(),
                          returnOf(chosen).getOperandTypes()));
  }

  func::FuncOp chosen, other;
  SmallVector<CacheTensor> caches;
  ShapeAnalysis chosenShapes, otherShapes;
  std::pair<std::string, std::string> beginnings;
  llvm::StringMap<DimExpr> meaning;
};

struct ChooseProgramPass : ingot::impl::ChooseProgramBase<ChooseProgramPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto input = module->getAttrOfType<StringAttr>(deciderAttrName);
    if (!input)
      return;
    auto chosen = module.lookupSymbol<func::FuncOp>(mainName),
         other = module.lookupSymbol<func::FuncOp>(otherwiseName);
    if (!chosen || !other ||
        chosen.getArgumentTypes().size() != other.getArgumentTypes().size()) {
      module.emitError("has no two programs for input '")
          << input.getValue() << "' to decide between";
      return signalPassFailure();
    }
    size_t whenTrue = findCacheTensors(chosen).size(),
           whenFalse = findCacheTensors(other).size();
    // Where neither has a cache, the reason is told of the main one.
    if (whenTrue && whenFalse) {
      chosen.emitError("the cache cannot become state: there is one whether "
                       "input '")
          << input.getValue() << "' is true or false; choose with --set "
          << input.getValue() << "=true or =false";
      return signalPassFailure();
    }
    bool value = whenTrue >= whenFalse;
    if (!value)
      std::swap(chosen, other);
    finish(chosen, other, input, value);
  }

  static void finish(func::FuncOp chosen, func::FuncOp other, StringAttr input,
                     bool value) {
    auto module = chosen->getParentOfType<ModuleOp>();
    Builder b(module.getContext());
    SmallVector<Attribute> replaced = {b.getStringAttr(
        input.getValue() + (value ? ": is true" : ": is false"))};
    llvm::BitVector gone(chosen.getNumArguments());
    for (BlockArgument filled : PastFiller(chosen, other).run()) {
      replaced.push_back(b.getStringAttr(
          inputName(filled) +
          ": computed when a sequence is bound, as where '" + input.getValue() +
          "' is " + (value ? "false" : "true")));
      gone.set(filled.getArgNumber());
    }
    for (BlockArgument argument : chosen.getArguments())
      if (inputName(argument) == input.getValue() && argument.use_empty())
        gone.set(argument.getArgNumber());
    (void)chosen.eraseArguments(gone);
    chosen->setAttr(replacedAttrName, b.getArrayAttr(replaced));
    other.erase();
    chosen.setSymName(mainName);
    module->removeAttr(deciderAttrName);

    llvm::StringSet<> used;
    module.walk([&](WeightRefOp ref) { used.insert(ref.getWeight()); });
    for (auto weight : llvm::make_early_inc_range(module.getOps<WeightOp>()))
      if (!used.contains(weight.getSymName()))
        weight.erase();
  }
};

} // namespace
