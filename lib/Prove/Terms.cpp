//===- Terms.cpp - integers of a program as polynomials -------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Prove/Terms.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/MathExtras.h"

#include <set>

using namespace mlir;
using namespace ingot;
using namespace ingot::prove;

//===----------------------------------------------------------------------===//
// Poly
//===----------------------------------------------------------------------===//

Poly &Poly::add(const Monomial &atoms, int64_t coefficient) {
  if (coefficient == 0)
    return *this;
  int64_t &sum = terms[atoms];
  overflown |= bool(llvm::AddOverflow(sum, coefficient, sum));
  if (sum == 0)
    terms.erase(atoms);
  return *this;
}

Poly Poly::operator+(const Poly &other) const {
  Poly result = *this;
  for (const auto &[atoms, coefficient] : other.terms)
    result.add(atoms, coefficient);
  result.overflown |= other.overflown;
  return result;
}

Poly Poly::operator-(const Poly &other) const {
  return *this + other * Poly(-1);
}

Poly Poly::operator*(const Poly &other) const {
  Poly result;
  result.overflown = overflown || other.overflown;
  for (const auto &[mine, a] : terms)
    for (const auto &[theirs, b] : other.terms) {
      Monomial atoms = mine;
      llvm::append_range(atoms, theirs);
      llvm::sort(atoms);
      int64_t coefficient = 0;
      result.overflown |= bool(llvm::MulOverflow(a, b, coefficient));
      result.add(atoms, coefficient);
    }
  return result;
}

std::optional<int64_t> Poly::constant() const {
  if (overflown || terms.size() > 1)
    return std::nullopt;
  if (terms.empty())
    return 0;
  const auto &[atoms, coefficient] = *terms.begin();
  return atoms.empty() ? std::optional(coefficient) : std::nullopt;
}

//===----------------------------------------------------------------------===//
// Formula
//===----------------------------------------------------------------------===//

Formula Formula::compare(Kind kind, Poly poly) {
  std::optional<int64_t> value = poly.constant();
  if (!value)
    return {kind, poly, {}};
  bool holds = kind == Kind::Zero ? *value == 0 : *value >= 0;
  return {holds ? Kind::All : Kind::Any, 0, {}};
}

Formula Formula::join(Kind kind, std::vector<Formula> parts) {
  Formula result{kind, 0, {}};
  for (Formula &part : parts) {
    if (part.kind == Kind::NonNegative || part.kind == Kind::Zero ||
        !part.parts.empty()) {
      result.parts.push_back(std::move(part));
      continue;
    }
    // Of one that holds there is nothing to say in "and"; and the reverse.
    if (part.kind != kind)
      return {part.kind, 0, {}};
  }
  return result;
}

Formula Formula::negated() const {
  Poly below = Poly(-1) - poly;
  switch (kind) {
  case Kind::NonNegative:
    return compare(Kind::NonNegative, below);
  case Kind::Zero:
    return any({compare(Kind::NonNegative, poly - 1),
                compare(Kind::NonNegative, below)});
  case Kind::All:
  case Kind::Any:
    break;
  }
  std::vector<Formula> negatives;
  for (const Formula &part : parts)
    negatives.push_back(part.negated());
  return join(kind == Kind::All ? Kind::Any : Kind::All, std::move(negatives));
}

Formula Formula::times(const Poly &factor) const {
  Formula result{kind, poly * factor, {}};
  for (const Formula &part : parts)
    result.parts.push_back(part.times(factor));
  return result;
}

//===----------------------------------------------------------------------===//
// Terms
//===----------------------------------------------------------------------===//

Poly Terms::make(const std::string &key, const std::string &name, bool isShown,
                 llvm::function_ref<std::vector<Formula>(const Poly &)> facts,
                 Definition definition) {
  auto [entry, isNew] = ids.try_emplace(key, AtomId(atoms.size()));
  AtomId id = entry->second;
  Poly result = Poly::atom(id);
  if (isNew) {
    atoms.push_back({name, isShown, {}, std::move(definition)});
    std::vector<Formula> known = facts(result);
    atoms[id].facts = std::move(known);
  }
  return result;
}

std::string Terms::keyOf(const Formula &formula) {
  std::string key = std::to_string(unsigned(formula.kind)) + "(";
  key += keyOf(formula.poly);
  for (const Formula &part : formula.parts)
    key += keyOf(part);
  return key + ")";
}

std::string Terms::keyOf(const Poly &poly) {
  std::string key = poly.hasOverflown() ? "!" : "";
  for (const auto &[atoms, coefficient] : poly.getTerms()) {
    key += std::to_string(coefficient);
    for (AtomId id : atoms)
      key += "*" + std::to_string(id);
    key += "+";
  }
  return key;
}

Poly Terms::extremum(ArrayRef<Poly> values, bool isMin) {
  SmallVector<Poly> kept;
  for (const Poly &value : values) {
    bool isNeeded = true;
    for (Poly &other : kept) {
      std::optional<int64_t> difference = (value - other).constant();
      if (!difference)
        continue;
      isNeeded = false;
      if (isMin ? *difference < 0 : *difference > 0)
        other = value;
      break;
    }
    if (isNeeded)
      kept.push_back(value);
  }
  if (kept.size() == 1)
    return kept.front();
  llvm::sort(kept, [](const Poly &a, const Poly &b) {
    return a.getTerms() < b.getTerms();
  });
  std::string name = isMin ? "min(" : "max(", key = name;
  for (const Poly &value : kept) {
    name += (name.size() > 4 ? ", " : "") + text(value);
    key += keyOf(value) + ",";
  }
  auto factsOf = [&](const Poly &atom) {
    std::vector<Formula> facts, isOne;
    for (const Poly &value : kept) {
      facts.push_back(isMin ? atLeast(value, atom) : atLeast(atom, value));
      isOne.push_back(equal(atom, value));
    }
    facts.push_back(Formula::any(isOne));
    return facts;
  };
  return make(key, name + ")", false, factsOf,
              {isMin ? Definition::Kind::Minimum : Definition::Kind::Maximum,
               {kept.begin(), kept.end()}});
}

std::optional<AtomId> Terms::positiveAtom(const Poly &poly) const {
  if (poly.hasOverflown() || poly.getTerms().size() != 1)
    return std::nullopt;
  const auto &[product, coefficient] = *poly.getTerms().begin();
  if (coefficient != 1 || product.size() != 1)
    return std::nullopt;
  bool isPositive =
      llvm::any_of(factsOf(product.front()), [&](const Formula &fact) {
        return fact.kind == Formula::Kind::NonNegative && fact.poly == poly - 1;
      });
  return isPositive ? std::optional(product.front()) : std::nullopt;
}

Poly Terms::floorDiv(const Poly &a, const Poly &b) {
  if (a.hasOverflown() || b.hasOverflown())
    return a + b;
  Poly whole, rest = a;
  std::optional<int64_t> divisor = b.constant();
  if (divisor && *divisor > 0) {
    // What is divided exactly leaves the quotient.
    rest = 0;
    for (const auto &[atoms, coefficient] : a.getTerms()) {
      int64_t quotient = llvm::divideFloorSigned(coefficient, *divisor);
      bool isExact = quotient * *divisor == coefficient;
      Poly product = Poly::monomial(atoms);
      if (isExact || atoms.empty())
        whole = whole + product * quotient;
      rest =
          rest + product * (isExact         ? 0
                            : atoms.empty() ? coefficient - quotient * *divisor
                                            : coefficient);
    }
    if (rest.constant())
      return whole;
  }
  // So does what is a multiple of a positive atom.
  if (std::optional<AtomId> atom = positiveAtom(b)) {
    rest = 0;
    for (const auto &[atoms, coefficient] : a.getTerms()) {
      auto at = llvm::find(atoms, *atom);
      Monomial others = atoms;
      if (at != atoms.end())
        others.erase(others.begin() + (at - atoms.begin()));
      Poly &part = at != atoms.end() ? whole : rest;
      part = part + Poly::monomial(others) * coefficient;
    }
    if (rest == Poly(0))
      return whole;
  }
  std::string name = "(" + text(rest) + ") floordiv (" + text(b) + ")";
  std::string key = "div" + keyOf(rest) + "/" + keyOf(b);
  auto factsOf = [&](const Poly &atom) {
    Formula isQuotient =
        Formula::all({atLeast(rest, b * atom), lessThan(rest, b * atom + b)});
    return std::vector<Formula>{
        Formula::any({atLeast(Poly(0), b), isQuotient})};
  };
  return whole + make(key, name, false, factsOf,
                      {Definition::Kind::Quotient, {rest, b}});
}

Poly Terms::broadcast(const Poly &a, const Poly &b) {
  if (a == b)
    return a;
  std::string name = "broadcast(" + text(a) + ", " + text(b) + ")";
  std::string key = "broadcast" + keyOf(a) + "," + keyOf(b);
  auto factsOf = [&](const Poly &atom) {
    Formula isOne = equal(a, 1);
    return std::vector<Formula>{Formula::any({isOne.negated(), equal(atom, b)}),
                                Formula::any({isOne, equal(atom, a)})};
  };
  return make(key, name, false, factsOf, {Definition::Kind::Broadcast, {a, b}});
}

static void collectAtoms(const Terms &terms, const Formula &formula,
                         std::set<AtomId> &found) {
  for (const Formula &part : formula.parts)
    collectAtoms(terms, part, found);
  for (const auto &[atoms, coefficient] : formula.poly.getTerms())
    for (AtomId atom : atoms)
      if (found.insert(atom).second)
        for (const Formula &fact : terms.factsOf(atom))
          collectAtoms(terms, fact, found);
}

bool Terms::mentions(const Poly &poly, ArrayRef<Poly> atoms) const {
  std::set<AtomId> found;
  collectAtoms(*this, equal(poly, 0), found);
  return llvm::any_of(atoms, [&](const Poly &atom) {
    return llvm::any_of(atom.getTerms(), [&](const auto &term) {
      return llvm::any_of(term.first,
                          [&](AtomId id) { return found.contains(id); });
    });
  });
}

std::string Terms::text(const Poly &poly) const {
  if (poly.hasOverflown())
    return "overflow";
  std::string result;
  for (const auto &[atoms, coefficient] : llvm::reverse(poly.getTerms())) {
    int64_t shown = coefficient;
    if (!result.empty()) {
      result += coefficient < 0 ? " - " : " + ";
      shown = coefficient < 0 ? -coefficient : coefficient;
    }
    std::string product;
    for (AtomId id : atoms)
      product += (product.empty() ? "" : " * ") + nameOf(id);
    if (product.empty())
      result += std::to_string(shown);
    else if (shown == 1)
      result += product;
    else
      result += product + " * " + std::to_string(shown);
  }
  return result.empty() ? "0" : result;
}

std::string Terms::text(const Formula &formula) const {
  switch (formula.kind) {
  case Formula::Kind::NonNegative:
    return text(formula.poly) + " >= 0";
  case Formula::Kind::Zero:
    return text(formula.poly) + " == 0";
  case Formula::Kind::All:
  case Formula::Kind::Any:
    break;
  }
  std::string result = formula.kind == Formula::Kind::All ? "all(" : "any(";
  for (const Formula &part : formula.parts)
    result += text(part) + "; ";
  return result + ")";
}
