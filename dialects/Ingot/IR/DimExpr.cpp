//===- DimExpr.cpp - symbolic dimension expressions -----------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/DimExpr.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace ingot;

//===----------------------------------------------------------------------===//
// Normal form
//===----------------------------------------------------------------------===//

namespace {

/// No shape multiplies more extents; bounds what a hostile file can ask for.
constexpr size_t maxDegree = 64;

std::string textOfAtoms(llvm::ArrayRef<DimExpr::AtomRef> atoms) {
  std::string text;
  for (const DimExpr::AtomRef &atom : atoms) {
    if (!text.empty())
      text += " * ";
    text += atom->text;
  }
  return text;
}

bool sameAtoms(const DimExpr::Term &term,
               llvm::ArrayRef<DimExpr::AtomRef> atoms) {
  return term.atoms.size() == atoms.size() &&
         llvm::equal(term.atoms, atoms, [](const auto &a, const auto &b) {
           return a->text == b->text;
         });
}

bool termBefore(const DimExpr::Term &term,
                llvm::ArrayRef<DimExpr::AtomRef> atoms) {
  if (term.atoms.size() != atoms.size())
    return term.atoms.size() > atoms.size();
  return textOfAtoms(term.atoms) < textOfAtoms(atoms);
}

/// Removes the atoms of `divisor` from `atoms`; false if one is missing.
bool removeAtoms(std::vector<DimExpr::AtomRef> &atoms,
                 llvm::ArrayRef<DimExpr::AtomRef> divisor) {
  for (const DimExpr::AtomRef &atom : divisor) {
    auto it = llvm::find_if(
        atoms, [&](const auto &other) { return other->text == atom->text; });
    if (it == atoms.end())
      return false;
    atoms.erase(it);
  }
  return true;
}

} // namespace

void DimExpr::addTerm(int64_t coefficient, std::vector<AtomRef> atoms) {
  if (coefficient == 0)
    return;
  llvm::sort(atoms, [](const AtomRef &a, const AtomRef &b) {
    return a->text < b->text;
  });
  auto it = terms.begin();
  while (it != terms.end() && termBefore(*it, atoms))
    ++it;
  if (it != terms.end() && sameAtoms(*it, atoms)) {
    if (llvm::AddOverflow(it->coefficient, coefficient, it->coefficient))
      *this = overflow();
    else if (it->coefficient == 0)
      terms.erase(it);
    return;
  }
  terms.insert(it, Term{coefficient, std::move(atoms)});
}

/// Bounds of an atom from those of its arguments.
static std::pair<std::optional<int64_t>, std::optional<int64_t>>
boundsOfAtom(const DimExpr::Atom &atom) {
  using Kind = DimExpr::AtomKind;
  if (atom.kind == Kind::Symbol)
    return {0, std::nullopt};
  std::optional<int64_t> low0 = atom.args[0].lowerBound(),
                         high0 = atom.args[0].upperBound(),
                         low1 = atom.args[1].lowerBound(),
                         high1 = atom.args[1].upperBound();
  switch (atom.kind) {
  case Kind::FloorDiv: {
    std::optional<int64_t> divisor = atom.args[1].getConstant();
    if (divisor && *divisor > 0)
      return {low0 ? std::optional(llvm::divideFloorSigned(*low0, *divisor))
                   : std::nullopt,
              high0 ? std::optional(llvm::divideFloorSigned(*high0, *divisor))
                    : std::nullopt};
    if (low0 && *low0 >= 0)
      return {0, high0};
    return {};
  }
  case Kind::Max:
    return {low0 && low1 ? std::optional(std::max(*low0, *low1))
                         : (low0 ? low0 : low1),
            high0 && high1 ? std::optional(std::max(*high0, *high1))
                           : std::nullopt};
  case Kind::Min:
    return {low0 && low1 ? std::optional(std::min(*low0, *low1)) : std::nullopt,
            high0 && high1 ? std::optional(std::min(*high0, *high1))
                           : (high0 ? high0 : high1)};
  default:
    return {0, std::nullopt};
  }
}

DimExpr DimExpr::fromAtom(AtomKind kind, std::string name,
                          std::vector<DimExpr> args) {
  auto atom = std::make_shared<Atom>();
  atom->kind = kind;
  atom->name = std::move(name);
  atom->args = std::move(args);
  switch (kind) {
  case AtomKind::Symbol:
    atom->text = atom->name;
    break;
  case AtomKind::FloorDiv: {
    auto grouped = [](const DimExpr &e) {
      bool simple = e.isConstant() || e.getSymbol();
      return simple ? e.str() : "(" + e.str() + ")";
    };
    atom->text = "(" + grouped(atom->args[0]) + " floordiv " +
                 grouped(atom->args[1]) + ")";
    break;
  }
  case AtomKind::Max:
  case AtomKind::Min:
  case AtomKind::Broadcast: {
    const char *call = kind == AtomKind::Max   ? "max"
                       : kind == AtomKind::Min ? "min"
                                               : "broadcast";
    atom->text = std::string(call) + "(" + atom->args[0].str() + ", " +
                 atom->args[1].str() + ")";
    break;
  }
  }
  std::tie(atom->low, atom->high) = boundsOfAtom(*atom);
  DimExpr result;
  result.addTerm(1, {std::move(atom)});
  return result;
}

/// No model's symbol has such a name.
static constexpr llvm::StringLiteral overflowName = "?overflow";
DimExpr DimExpr::overflow() { return symbol(overflowName); }

bool DimExpr::hasOverflown() const {
  llvm::StringSet<> names;
  collectSymbols(names);
  return names.contains(overflowName);
}

DimExpr DimExpr::constant(int64_t value) {
  DimExpr result;
  result.addTerm(value, {});
  return result;
}

DimExpr DimExpr::symbol(llvm::StringRef name) {
  return fromAtom(AtomKind::Symbol, name.str(), {});
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

DimExpr DimExpr::operator+(const DimExpr &other) const {
  DimExpr result = *this;
  for (const Term &term : other.terms)
    result.addTerm(term.coefficient, term.atoms);
  return result;
}

DimExpr DimExpr::operator-(const DimExpr &other) const {
  DimExpr result = *this;
  for (const Term &term : other.terms)
    result.addTerm(-term.coefficient, term.atoms);
  return result;
}

DimExpr DimExpr::operator*(const DimExpr &other) const {
  DimExpr result;
  for (const Term &a : terms)
    for (const Term &b : other.terms) {
      std::vector<AtomRef> atoms = a.atoms;
      llvm::append_range(atoms, b.atoms);
      int64_t coefficient;
      if (llvm::MulOverflow(a.coefficient, b.coefficient, coefficient) ||
          atoms.size() > maxDegree)
        return overflow();
      result.addTerm(coefficient, std::move(atoms));
    }
  return result;
}

bool DimExpr::operator==(const DimExpr &other) const {
  return terms.size() == other.terms.size() &&
         llvm::equal(terms, other.terms, [](const Term &a, const Term &b) {
           return a.coefficient == b.coefficient && sameAtoms(a, b.atoms);
         });
}

bool DimExpr::isConstant() const { return getConstant().has_value(); }

bool DimExpr::isConstant(int64_t value) const {
  return getConstant() == std::optional<int64_t>(value);
}

std::optional<int64_t> DimExpr::getConstant() const {
  if (terms.empty())
    return 0;
  if (terms.size() == 1 && terms[0].atoms.empty())
    return terms[0].coefficient;
  return std::nullopt;
}

std::optional<std::string> DimExpr::getSymbol() const {
  if (terms.size() != 1 || terms[0].coefficient != 1 ||
      terms[0].atoms.size() != 1 || terms[0].atoms[0]->kind != AtomKind::Symbol)
    return std::nullopt;
  return terms[0].atoms[0]->name;
}

std::optional<DimExpr> DimExpr::dividedBy(const DimExpr &divisor) const {
  if (divisor.terms.empty())
    return std::nullopt;
  // Long division by the leading term; each step removes the highest one.
  const Term &lead = divisor.terms[0];
  DimExpr rest = *this, quotient;
  while (!rest.terms.empty()) {
    Term term = rest.terms[0];
    if (term.coefficient % lead.coefficient != 0 ||
        !removeAtoms(term.atoms, lead.atoms))
      return std::nullopt;
    DimExpr factor;
    factor.addTerm(term.coefficient / lead.coefficient, term.atoms);
    quotient = quotient + factor;
    DimExpr next = rest - factor * divisor;
    if (next.terms.size() > rest.terms.size() + divisor.terms.size() ||
        quotient.terms.size() > 64)
      return std::nullopt;
    rest = next;
  }
  return quotient;
}

DimExpr DimExpr::floorDiv(const DimExpr &a, const DimExpr &b) {
  if (b.isConstant(1))
    return a;
  std::optional<int64_t> ca = a.getConstant(), cb = b.getConstant();
  if (ca && cb && *cb > 0)
    return constant(llvm::divideFloorSigned(*ca, *cb));
  if (std::optional<DimExpr> exact = a.dividedBy(b))
    return *exact;

  // floor((b*q + r) / b) = q + floor(r / b): take out every divisible term.
  DimExpr quotient, rest;
  for (const Term &term : a.terms) {
    DimExpr single;
    single.addTerm(term.coefficient, term.atoms);
    if (std::optional<DimExpr> exact = single.dividedBy(b))
      quotient = quotient + *exact;
    else if (cb && *cb > 0 && term.atoms.empty()) {
      int64_t q = llvm::divideFloorSigned(term.coefficient, *cb);
      quotient = quotient + constant(q);
      rest = rest + constant(term.coefficient - q * *cb);
    } else {
      rest = rest + single;
    }
  }
  if (std::optional<int64_t> cr = rest.getConstant(); cr && cb && *cb > 0)
    return quotient + constant(llvm::divideFloorSigned(*cr, *cb));
  // A remainder that stays below the divisor contributes nothing.
  if (cb && *cb > 0) {
    std::optional<int64_t> low = rest.lowerBound(), high = rest.upperBound();
    if (low && high && *low >= 0 && *high < *cb)
      return quotient;
  }
  // floor((floor(x / m) + c) / n) = floor((x + m*c) / (m*n)).
  if (cb && *cb > 0) {
    DimExpr offset, divided;
    bool single = true;
    for (const Term &term : rest.terms) {
      if (term.atoms.empty())
        offset = constant(term.coefficient);
      else if (term.coefficient == 1 && term.atoms.size() == 1 &&
               term.atoms[0]->kind == AtomKind::FloorDiv &&
               term.atoms[0]->args[1].isConstant() && divided.terms.empty())
        divided.addTerm(1, term.atoms);
      else
        single = false;
    }
    if (single && !divided.terms.empty()) {
      const Atom &inner = *divided.terms[0].atoms[0];
      const DimExpr &m = inner.args[1];
      return quotient + floorDiv(inner.args[0] + m * offset, m * b);
    }
  }
  return quotient + fromAtom(AtomKind::FloorDiv, "", {rest, b});
}

DimExpr DimExpr::ceilDiv(const DimExpr &a, const DimExpr &b) {
  return floorDiv(a + b - constant(1), b);
}

DimExpr DimExpr::mod(const DimExpr &a, const DimExpr &b) {
  return a - b * floorDiv(a, b);
}

/// Whether `whole` is just an atom of `kind` and `part` one of its arguments.
static bool isArgumentOf(const DimExpr &part, const DimExpr &whole,
                         DimExpr::AtomKind kind) {
  llvm::ArrayRef<DimExpr::Term> terms = whole.getTerms();
  return terms.size() == 1 && terms[0].coefficient == 1 &&
         terms[0].atoms.size() == 1 && terms[0].atoms[0]->kind == kind &&
         llvm::is_contained(terms[0].atoms[0]->args, part);
}

DimExpr DimExpr::max(const DimExpr &a, const DimExpr &b) {
  if (isArgumentOf(b, a, AtomKind::Max))
    return a;
  if (isArgumentOf(a, b, AtomKind::Max))
    return b;
  if (std::optional<int64_t> low = (a - b).lowerBound(); low && *low >= 0)
    return a;
  if (std::optional<int64_t> low = (b - a).lowerBound(); low && *low >= 0)
    return b;
  return a.str() < b.str() ? fromAtom(AtomKind::Max, "", {a, b})
                           : fromAtom(AtomKind::Max, "", {b, a});
}

DimExpr DimExpr::min(const DimExpr &a, const DimExpr &b) {
  if (isArgumentOf(b, a, AtomKind::Min))
    return a;
  if (isArgumentOf(a, b, AtomKind::Min))
    return b;
  if (std::optional<int64_t> low = (a - b).lowerBound(); low && *low >= 0)
    return b;
  if (std::optional<int64_t> low = (b - a).lowerBound(); low && *low >= 0)
    return a;
  return a.str() < b.str() ? fromAtom(AtomKind::Min, "", {a, b})
                           : fromAtom(AtomKind::Min, "", {b, a});
}

DimExpr DimExpr::broadcast(const DimExpr &a, const DimExpr &b) {
  if (a == b || b.isConstant(1))
    return a;
  if (a.isConstant(1))
    return b;
  // An extent other than one wins; the checks of the op reject the rest.
  if (a.isConstant())
    return a;
  if (b.isConstant())
    return b;
  if (isArgumentOf(b, a, AtomKind::Broadcast))
    return a;
  if (isArgumentOf(a, b, AtomKind::Broadcast))
    return b;
  return a.str() < b.str() ? fromAtom(AtomKind::Broadcast, "", {a, b})
                           : fromAtom(AtomKind::Broadcast, "", {b, a});
}

DimExpr ingot::product(llvm::ArrayRef<DimExpr> dims) {
  DimExpr result = DimExpr::constant(1);
  for (const DimExpr &dim : dims)
    result = result * dim;
  return result;
}

std::string DimExpr::str() const {
  if (terms.empty())
    return "0";
  std::string text;
  for (const Term &term : terms) {
    int64_t coefficient = term.coefficient;
    if (!text.empty()) {
      text += coefficient < 0 ? " - " : " + ";
      coefficient = coefficient < 0 ? -coefficient : coefficient;
    } else if (coefficient < 0 && !term.atoms.empty()) {
      text += "-";
      coefficient = -coefficient;
    }
    if (term.atoms.empty()) {
      text += std::to_string(coefficient);
      continue;
    }
    text += textOfAtoms(term.atoms);
    if (coefficient != 1)
      text += " * " + std::to_string(coefficient);
  }
  return text;
}
