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

#include "mlir/IR/AttrTypeSubElements.h"

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
  DimExpr apply(const DimExpr &expr) const {
    return expr.substitute([&](StringRef name) -> std::optional<DimExpr> {
      auto found = meaning.find(name);
      return found == meaning.end() ? std::nullopt
                                    : std::optional<DimExpr>(found->second);
    });
  }

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
  bool empty() const { return meaning.empty(); }

private:
  llvm::StringMap<DimExpr> meaning;
};

struct UnifyDecoderDimsPass
    : ingot::impl::UnifyDecoderDimsBase<UnifyDecoderDimsPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    Renaming renaming;
    for (auto func : module.getOps<func::FuncOp>())
      if (!func.isExternal() && func.isPublic())
        collect(func, renaming);
    if (renaming.empty())
      return;
    AttrTypeReplacer replacer;
    replacer.addReplacement([&](DimsAttr attr) -> std::optional<Attribute> {
      DimShape dims = attr.getDims();
      for (DimExpr &dim : dims)
        dim = renaming.apply(dim);
      return DimsAttr::get(attr.getContext(), dims);
    });
    replacer.recursivelyReplaceElementsIn(module, /*replaceAttrs=*/true,
                                          /*replaceLocs=*/false,
                                          /*replaceTypes=*/false);
    for (auto dim : llvm::make_early_inc_range(module.getOps<DimOp>()))
      if (renaming.contains(dim.getSymName()))
        dim.erase();
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
        rows = added[0];
        seq = added[tensor.axis];
      }
      renaming.unify(old[tensor.axis], *past);
      renaming.unify(old[0], *rows);
    }
    if (!past)
      return;
    // Symbols that other inputs have in common with a mask are no lengths of
    // it alone.
    for (BlockArgument argument : func.getArguments()) {
      auto type = dyn_cast<RankedTensorType>(argument.getType());
      if (!type || pasts.contains(argument) || type.getRank() != 2 ||
          !type.getElementType().isIntOrIndex())
        continue;
      const DimShape shape = shapes.shapeOf(argument);
      renaming.unify(shape[0], *rows);
      DimExpr length = renaming.apply(shape[1]);
      if (length != renaming.apply(*seq) && length != renaming.apply(*past) &&
          length != renaming.apply(*rows))
        renaming.unify(shape[1], *past + *seq);
    }
  }
};

} // namespace
