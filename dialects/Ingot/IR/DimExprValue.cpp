//===- DimExprValue.cpp - values of dimension expressions -----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Bounds for all values of the symbols, the value for given ones, and what is
// left when some are replaced.
#include "dialects/Ingot/IR/DimExpr.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace ingot;

/// Nothing if a factor is nothing or the product does not fit.
static std::optional<int64_t> productOf(std::optional<int64_t> a,
                                        std::optional<int64_t> b) {
  int64_t product = 0;
  if (!a || !b || llvm::MulOverflow(*a, *b, product))
    return std::nullopt;
  return product;
}

/// The least value of the sum of terms times `sign`.
static std::optional<int64_t> leastOfTerms(llvm::ArrayRef<DimExpr::Term> terms,
                                           int64_t sign) {
  int64_t total = 0;
  for (const DimExpr::Term &term : terms) {
    int64_t coefficient = term.coefficient * sign;
    std::optional<int64_t> low = 1, high = 1;
    for (const DimExpr::AtomRef &atom : term.atoms) {
      if (!atom->low || *atom->low < 0)
        return std::nullopt;
      low = productOf(low, atom->low);
      high = productOf(high, atom->high);
    }
    std::optional<int64_t> bound = coefficient > 0 ? low : high;
    if (!bound || llvm::MulOverflow(coefficient, *bound, *bound) ||
        llvm::AddOverflow(total, *bound, total))
      return std::nullopt;
  }
  return total;
}

std::optional<int64_t> DimExpr::lowerBound() const {
  return leastOfTerms(terms, 1);
}

std::optional<int64_t> DimExpr::upperBound() const {
  std::optional<int64_t> least = leastOfTerms(terms, -1);
  return least ? std::optional(-*least) : std::nullopt;
}

static std::optional<int64_t> evaluateAtom(
    const DimExpr::Atom &atom,
    llvm::function_ref<std::optional<int64_t>(llvm::StringRef)> value) {
  using Kind = DimExpr::AtomKind;
  if (atom.kind == Kind::Symbol)
    return value(atom.name);
  std::optional<int64_t> a = atom.args[0].evaluate(value),
                         b = atom.args[1].evaluate(value);
  if (!a || !b)
    return std::nullopt;
  switch (atom.kind) {
  case Kind::FloorDiv:
    return *b > 0 ? std::optional(llvm::divideFloorSigned(*a, *b))
                  : std::nullopt;
  case Kind::Max:
    return std::max(*a, *b);
  case Kind::Min:
    return std::min(*a, *b);
  default:
    return *a == 1 ? *b : *a;
  }
}

std::optional<int64_t> DimExpr::evaluate(
    llvm::function_ref<std::optional<int64_t>(llvm::StringRef)> value) const {
  int64_t total = 0;
  for (const Term &term : terms) {
    int64_t result = term.coefficient;
    for (const AtomRef &atom : term.atoms) {
      std::optional<int64_t> factor = evaluateAtom(*atom, value);
      if (!factor || llvm::MulOverflow(result, *factor, result))
        return std::nullopt;
    }
    if (llvm::AddOverflow(total, result, total))
      return std::nullopt;
  }
  return total;
}

DimExpr DimExpr::substitute(
    llvm::function_ref<std::optional<DimExpr>(llvm::StringRef)> value) const {
  DimExpr total;
  for (const Term &term : terms) {
    DimExpr result = constant(term.coefficient);
    for (const AtomRef &atom : term.atoms) {
      if (atom->kind == AtomKind::Symbol) {
        std::optional<DimExpr> replacement = value(atom->name);
        result = result * (replacement ? *replacement : symbol(atom->name));
        continue;
      }
      DimExpr a = atom->args[0].substitute(value),
              b = atom->args[1].substitute(value);
      result = result * (atom->kind == AtomKind::FloorDiv ? floorDiv(a, b)
                         : atom->kind == AtomKind::Max    ? max(a, b)
                         : atom->kind == AtomKind::Min    ? min(a, b)
                                                          : broadcast(a, b));
    }
    total = total + result;
  }
  return total;
}

void DimExpr::collectSymbols(llvm::StringSet<> &names) const {
  for (const Term &term : terms)
    for (const AtomRef &atom : term.atoms) {
      if (atom->kind == AtomKind::Symbol)
        names.insert(atom->name);
      for (const DimExpr &arg : atom->args)
        arg.collectSymbols(names);
    }
}
