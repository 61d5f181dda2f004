//===- BoundDims.cpp - bounds of dims that a model implies ----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "DimRewriting.h"
#include "Matchers.h"
#include "ingot/Transforms/Recognition.h"

namespace ingot {
#define GEN_PASS_DEF_BOUNDDIMS
#include "lib/Transforms/Recognition/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot;

namespace {

using Bounds = llvm::StringMap<int64_t>;

/// The symbol and the constant where the expression is min(constant, symbol).
std::optional<std::pair<std::string, int64_t>>
matchMinimum(const DimExpr &expr) {
  if (expr.getTerms().size() != 1)
    return std::nullopt;
  const DimExpr::Term &term = expr.getTerms()[0];
  if (term.coefficient != 1 || term.atoms.size() != 1 ||
      term.atoms[0]->kind != DimExpr::AtomKind::Min)
    return std::nullopt;
  const std::vector<DimExpr> &args = term.atoms[0]->args;
  for (unsigned i : {0, 1})
    if (std::optional<std::string> symbol = args[i].getSymbol())
      if (std::optional<int64_t> limit = args[1 - i].getConstant())
        return std::make_pair(*symbol, *limit);
  return std::nullopt;
}

/// Two dims that an op broadcasts against each other are equal or one: min(c,
/// s) meets s only where s <= c, since c is not one.
void collectBounds(Operation *op, ShapeAnalysis &shapes, Bounds &bounds) {
  size_t rank = 0;
  SmallVector<DimShape> operands;
  for (Value operand : op->getOperands()) {
    operands.push_back(shapes.shapeOf(operand));
    rank = std::max(rank, operands.back().size());
  }
  if (auto broadcast = dyn_cast<BroadcastToOp>(op)) {
    operands.push_back(broadcast.getTo().getDims());
    rank = std::max(rank, operands.back().size());
  }
  for (size_t i = 0; i < rank; ++i) {
    SmallVector<DimExpr> dims;
    for (const DimShape &shape : operands)
      if (i < shape.size())
        dims.push_back(shape[shape.size() - 1 - i]);
    for (const DimExpr &dim : dims) {
      auto minimum = matchMinimum(dim);
      if (!minimum || minimum->second < 2 ||
          !llvm::is_contained(dims, DimExpr::symbol(minimum->first)))
        continue;
      auto [entry, isNew] = bounds.insert(*minimum);
      entry->second = std::min(entry->second, minimum->second);
    }
  }
}

using Equalities = llvm::StringMap<DimExpr>;

/// Whether the expression is a sum of products of symbols, none subtracted.
bool isSum(const DimExpr &expr) {
  return expr.getTerms().size() > 1 &&
         llvm::all_of(expr.getTerms(), [](const DimExpr::Term &term) {
           return term.coefficient > 0;
         });
}

/// A symbol that an op broadcasts against a sum of others is that sum: it
/// could only be one besides, and what is then meant is no longer a mask of as
/// many positions.
void collectEqualities(Operation *op, ShapeAnalysis &shapes,
                       Equalities &equalities) {
  DimShape result = shapes.shapeOf(op->getResult(0));
  SmallVector<DimShape> operands;
  for (Value operand : op->getOperands())
    operands.push_back(shapes.shapeOf(operand));
  for (size_t i = 0; i < result.size(); ++i) {
    SmallVector<DimExpr> dims;
    for (const DimShape &shape : operands)
      if (i < shape.size())
        dims.push_back(shape[shape.size() - 1 - i]);
    const auto *sum = llvm::find_if(dims, isSum);
    if (sum == dims.end())
      continue;
    llvm::StringSet<> names;
    sum->collectSymbols(names);
    // Neither side may depend on another equality.
    if (llvm::any_of(names, [&](const auto &name) {
          return equalities.contains(name.getKey());
        }))
      continue;
    for (const DimExpr &dim : dims) {
      std::optional<std::string> symbol = dim.getSymbol();
      if (!symbol || names.contains(*symbol) ||
          llvm::any_of(equalities, [&](const auto &entry) {
            llvm::StringSet<> used;
            entry.second.collectSymbols(used);
            return used.contains(*symbol);
          }))
        continue;
      equalities.insert({*symbol, *sum});
    }
  }
}

/// The expression under the bounds.
DimExpr simplify(const DimExpr &expr, const Bounds &bounds) {
  return replaceMinima(
      expr, [&](const DimExpr &a, const DimExpr &b) -> std::optional<DimExpr> {
        auto minimum = matchMinimum(DimExpr::min(a, b));
        if (!minimum)
          return std::nullopt;
        auto bound = bounds.find(minimum->first);
        if (bound == bounds.end() || bound->second > minimum->second)
          return std::nullopt;
        return DimExpr::symbol(minimum->first);
      });
}

struct BoundDimsPass : ingot::impl::BoundDimsBase<BoundDimsPass> {
  void unifyDims() {
    Equalities equalities;
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      ShapeAnalysis shapes;
      function.walk([&](Operation *op) {
        if (op->hasTrait<Elementwise>() && op->getNumResults() == 1)
          collectEqualities(op, shapes, equalities);
      });
    }
    // A dim with bounds of its own keeps them.
    SmallVector<DimOp> redundant;
    for (auto dim : getOperation().getOps<DimOp>()) {
      if (!equalities.contains(dim.getSymName()))
        continue;
      if (dim.getMin() > 1 || dim.getMax())
        equalities.erase(dim.getSymName());
      else
        redundant.push_back(dim);
    }
    if (equalities.empty())
      return;
    replaceDims(getOperation(), [&](const DimExpr &dim) {
      return dim.substitute([&](StringRef name) -> std::optional<DimExpr> {
        auto found = equalities.find(name);
        return found == equalities.end() ? std::nullopt
                                         : std::optional(found->second);
      });
    });
    for (DimOp dim : redundant)
      dim.erase();
  }

  void runOnOperation() override {
    unifyDims();
    Bounds bounds;
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      ShapeAnalysis shapes;
      function.walk([&](Operation *op) {
        if (op->hasTrait<Elementwise>() || isa<BroadcastToOp>(op))
          collectBounds(op, shapes, bounds);
      });
    }
    if (bounds.empty())
      return;
    Bounds declared;
    for (auto dim : getOperation().getOps<DimOp>()) {
      auto bound = bounds.find(dim.getSymName());
      // A bound below the declared minimum would leave no valid input.
      if (bound == bounds.end() ||
          bound->second < static_cast<int64_t>(dim.getMin()))
        continue;
      int64_t max = bound->second;
      if (dim.getMax())
        max = std::min(max, static_cast<int64_t>(*dim.getMax()));
      dim.setMax(max);
      declared[dim.getSymName()] = max;
    }
    replaceDims(getOperation(),
                [&](const DimExpr &dim) { return simplify(dim, declared); });
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal())
        refineTypes(function);
  }
};

} // namespace
