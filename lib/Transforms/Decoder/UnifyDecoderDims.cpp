//===- UnifyDecoderDims.cpp - one symbol for equal dims of a decoder ------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/IngotOps.h"
#include "ingot/Analysis/ShapeAnalysis.h"
#include "ingot/Transforms/Decoder.h"
#include "lib/Transforms/Decoder/DecoderModel.h"
#include "lib/Transforms/Recognition/DimRewriting.h"

namespace ingot {
#define GEN_PASS_DEF_UNIFYDECODERDIMS
#include "lib/Transforms/Decoder/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot;

namespace {

/// What symbols stand for.
class Renaming {
public:
  DimExpr apply(const DimExpr &expr) {
    DimExpr renamed =
        expr.substitute([&](StringRef name) -> std::optional<DimExpr> {
          auto found = meaning.find(name);
          return found == meaning.end() ? std::nullopt
                                        : std::optional<DimExpr>(found->second);
        });
    return replaceMinima(renamed, [&](const DimExpr &a, const DimExpr &b) {
      std::optional<DimExpr> position = positionOf(a, b);
      return position ? position : positionOf(b, a);
    });
  }

  /// Takes the length of the past, and what is that much or more, for less than
  /// any constant that it is cut at, such as the rows of a table of positions.
  void limitPositions(const DimExpr &length) { past = length; }
  /// Takes the number of new tokens for one or more.
  void expectTokens(const DimExpr &tokens) { seq = tokens; }
  /// The least such constant that there was; 0 for none.
  int64_t limit = 0;

  /// Lets `expr` mean `other` if it is a symbol that does not occur there.
  void unify(const DimExpr &expr, const DimExpr &other) {
    std::optional<std::string> symbol = apply(expr).getSymbol();
    DimExpr target = apply(other);
    llvm::StringSet<> names;
    target.collectSymbols(names);
    if (!symbol || names.contains(*symbol))
      return;
    for (const auto &name : names)
      if (name.getKey().starts_with("?"))
        return;
    meaning[*symbol] = target;
    // Earlier meanings may have used the symbol.
    for (auto &entry : meaning)
      entry.second = apply(entry.second);
  }

  bool contains(StringRef name) const { return meaning.contains(name); }

private:
  /// `length` if it is a position and `bound` a number.
  std::optional<DimExpr> positionOf(const DimExpr &length,
                                    const DimExpr &bound) {
    if (std::optional<int64_t> more = (bound - length).lowerBound();
        more && *more >= 0)
      return length;
    std::optional<int64_t> most = bound.getConstant();
    if (seq && length == *seq && most == 1)
      return bound;
    if (!past || !most || *most <= 0)
      return std::nullopt;
    DimExpr tokens = length - *past;
    // The first dim asked for is that of the new tokens.
    bool isNew = seq ? tokens == *seq : tokens.getSymbol().has_value();
    if (!isNew && !tokens.isConstant(0) && !tokens.isConstant(1))
      return std::nullopt;
    limit = limit ? std::min(limit, *most) : *most;
    return length;
  }

  llvm::StringMap<DimExpr> meaning;
  std::optional<DimExpr> past, seq;
};

struct UnifyDecoderDimsPass
    : ingot::impl::UnifyDecoderDimsBase<UnifyDecoderDimsPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    Renaming renaming;
    for (auto func : module.getOps<func::FuncOp>())
      if (!func.isExternal() && func.isPublic())
        collect(func, renaming);
    replaceDims(module,
                [&](const DimExpr &dim) { return renaming.apply(dim); });
    for (auto func : module.getOps<func::FuncOp>())
      if (!func.isExternal())
        refineTypes(func);
    if (renaming.limit > 0)
      limitPositions(module, renaming.limit);
    for (auto dim : llvm::make_early_inc_range(module.getOps<DimOp>()))
      if (renaming.contains(dim.getSymName()))
        dim.erase();
  }

  /// The length, one of `lengths`, of the keys whose scores a mask of another
  /// length is added to or compared with; empty if there are none.
  static std::optional<DimExpr>
  keysOf(Value mask, const llvm::StringSet<> &lengths, ShapeAnalysis &shapes) {
    constexpr size_t maxSteps = 200;
    SmallVector<Value> worklist = {mask};
    llvm::SmallDenseSet<Value> seen = {mask};
    auto last = [&](Value value) {
      auto type = dyn_cast<RankedTensorType>(value.getType());
      return type && type.getRank() > 0 ? shapes.shapeOf(value).back()
                                        : DimExpr::constant(1);
    };
    while (!worklist.empty() && seen.size() < maxSteps) {
      Value value = worklist.pop_back_val();
      for (Operation *user : value.getUsers()) {
        if (user->getNumResults() != 1 ||
            !(user->hasTrait<Elementwise>() ||
              isa<ReshapeOp, TransposeOp, BroadcastToOp>(user)))
          continue;
        for (Value other : user->getOperands()) {
          std::optional<std::string> keys = last(other).getSymbol();
          if (user->hasTrait<Elementwise>() && !seen.contains(other) && keys &&
              lengths.contains(*keys) && last(other) != last(value))
            return last(other);
        }
        if (seen.insert(user->getResult(0)).second)
          worklist.push_back(user->getResult(0));
      }
    }
    return std::nullopt;
  }

  static void collect(func::FuncOp func, Renaming &renaming) {
    ShapeAnalysis shapes;
    llvm::SmallDenseSet<Value> pasts;
    std::optional<DimExpr> past, rows, seq;
    for (const CacheTensor &tensor : findCacheTensors(func)) {
      pasts.insert(tensor.past);
      const DimShape old = shapes.shapeOf(tensor.past);
      const DimShape added = shapes.shapeOf(tensor.added);
      if (!past) {
        past = old[tensor.axis];
        if (past->getSymbol())
          renaming.limitPositions(*past);
        rows = added[0];
        seq = renaming.apply(added[tensor.axis]);
        if (seq->getSymbol())
          renaming.expectTokens(*seq);
      }
      renaming.unify(old[tensor.axis], *past);
      renaming.unify(old[0], *rows);
    }
    if (!past)
      return;
    // Lengths that other inputs have, too, are not those of past and new
    // tokens.
    SmallVector<BlockArgument> masks;
    llvm::StringSet<> others;
    for (BlockArgument argument : func.getArguments()) {
      auto type = dyn_cast<RankedTensorType>(argument.getType());
      if (!type || pasts.contains(argument))
        continue;
      if (type.getRank() == 2 && type.getElementType().isIntOrIndex()) {
        masks.push_back(argument);
        continue;
      }
      for (const DimExpr &dim : shapes.shapeOf(argument))
        dim.collectSymbols(others);
    }
    for (BlockArgument argument : masks) {
      const DimShape shape = shapes.shapeOf(argument);
      renaming.unify(shape[0], *rows);
      DimExpr length = renaming.apply(shape[1]);
      std::optional<std::string> symbol = shape[1].getSymbol();
      if (std::optional<DimExpr> keys = keysOf(argument, others, shapes))
        renaming.unify(shape[1], *keys);
      else if (symbol && others.contains(*symbol))
        continue;
      else if (length != renaming.apply(*seq) &&
               length != renaming.apply(*past) &&
               length != renaming.apply(*rows))
        renaming.unify(shape[1], *past + *seq);
    }
  }
};

} // namespace
