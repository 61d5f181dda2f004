//===- Query.cpp - what Z3 is told in one query ---------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Prove/Query.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace ingot;
using namespace ingot::prove;

namespace {

/// Products in a query about whose factors more is told.
constexpr size_t maxProducts = 48;

} // namespace

Query::Query(const Terms &terms, ArrayRef<Formula> facts, const Formula &goal)
    : terms(terms) {
  for (const Formula &fact : facts)
    add(fact);
  add(goal.negated());
}

void Query::add(const Formula &formula) {
  formulas.push_back(formula);
  visit(formula, [&](AtomId atom) {
    if (!assumedAtoms.contains(atom) && atoms.insert(atom).second)
      for (const Formula &fact : terms.factsOf(atom))
        add(fact);
  });
}

void Query::assume(const Formula &formula) {
  // Facts of atoms that nothing else needs are a part of it.
  std::vector<Formula> parts = {formula};
  std::set<AtomId> own;
  for (size_t i = 0; i < parts.size(); ++i) {
    Formula part = parts[i];
    visit(part, [&](AtomId atom) {
      if (!atoms.contains(atom) && own.insert(atom).second)
        llvm::append_range(parts, terms.factsOf(atom));
    });
  }
  assumedAtoms.insert(own.begin(), own.end());
  assumptions.push_back(Formula::all(std::move(parts)));
}

void Query::addSigns() {
  for (const Monomial &product : products())
    addSign(product);
}

void Query::addProductFacts() {
  // The products of these facts are new products, which take no further ones.
  std::vector<Formula> assumed;
  for (const Monomial &product : products())
    addFactsOf(product, assumed);
  if (!assumed.empty())
    assumptions.push_back(Formula::all(std::move(assumed)));
  std::vector<Monomial> all = products();
  if (all.size() > maxProducts)
    all.resize(maxProducts);
  for (size_t i = 0; i < all.size(); ++i) {
    addSign(all[i]);
    for (size_t j = 0; j < all.size(); ++j)
      if (i != j)
        addOrder(all[i], all[j]);
  }
}

std::vector<Monomial> Query::products() const {
  std::vector<Monomial> result;
  for (const Monomial &monomial : monomials)
    if (monomial.size() > 1)
      result.push_back(monomial);
  return result;
}

std::string Query::key(std::vector<AtomId> &atoms) const {
  llvm::DenseMap<AtomId, unsigned> numbers;
  atoms.clear();
  auto numberOf = [&](AtomId atom) {
    auto [entry, isNew] = numbers.try_emplace(atom, numbers.size());
    if (isNew)
      atoms.push_back(atom);
    return entry->second;
  };
  std::string result;
  for (const Formula &formula : formulas)
    write(formula, numberOf, result);
  result += "?";
  for (const Formula &formula : assumptions)
    write(formula, numberOf, result);
  // Sizes of shown atoms are kept where products do not multiply out.
  for (auto [number, atom] : llvm::enumerate(atoms))
    if (terms.isShown(atom))
      result += " " + std::to_string(number);
  return result;
}

void Query::write(const Formula &formula,
                  llvm::function_ref<unsigned(AtomId)> numberOf,
                  std::string &result) {
  result += "(" + std::to_string(unsigned(formula.kind));
  if (formula.poly.hasOverflown())
    result += "!";
  for (const auto &[monomial, coefficient] : formula.poly.getTerms()) {
    result += " " + std::to_string(coefficient);
    for (AtomId atom : monomial)
      result += "*" + std::to_string(numberOf(atom));
  }
  for (const Formula &part : formula.parts)
    write(part, numberOf, result);
  result += ")";
}

static bool fits(const Formula &formula) {
  return !formula.poly.hasOverflown() && llvm::all_of(formula.parts, fits);
}

void Query::visit(const Formula &formula,
                  llvm::function_ref<void(AtomId)> onAtom) {
  for (const Formula &part : formula.parts)
    visit(part, onAtom);
  overflown |= formula.poly.hasOverflown();
  for (const auto &[monomial, coefficient] : formula.poly.getTerms())
    for (AtomId atom : monomial) {
      monomials.insert(monomial);
      monomials.insert({atom});
      onAtom(atom);
    }
}

static Poly without(Monomial monomial, AtomId atom) {
  monomial.erase(llvm::find(monomial, atom));
  return Poly::monomial(monomial);
}

/// Each fact of each factor, times the other factors. What follows from facts
/// of assumptions is one more.
void Query::addFactsOf(const Monomial &product, std::vector<Formula> &assumed) {
  for (AtomId atom : std::set<AtomId>(product.begin(), product.end())) {
    Poly rest = without(product, atom);
    for (const Formula &fact : terms.factsOf(atom)) {
      Formula derived = Formula::any({lessThan(rest, 0), fact.times(rest)});
      if (!fits(derived))
        continue;
      if (assumedAtoms.contains(atom)) {
        visit(derived, [](AtomId) {});
        assumed.push_back(derived);
      } else {
        add(derived);
      }
    }
  }
}

void Query::addSign(const Monomial &product) {
  AtomId atom = product.front();
  Poly rest = without(product, atom), value = Poly::monomial(product);
  Poly factor = Poly::atom(atom);
  add(Formula::any(
      {lessThan(factor, 0), lessThan(rest, 0), atLeast(value, 0)}));
  // Of two positive factors the product is no less than either.
  add(Formula::any(
      {lessThan(factor, 1), lessThan(rest, 1),
       Formula::all({atLeast(value, factor), atLeast(value, rest)})}));
  add(Formula::any(
      {Formula::all({equal(value, 0).negated(), equal(factor, 0).negated(),
                     equal(rest, 0).negated()}),
       Formula::all({equal(value, 0),
                     Formula::any({equal(factor, 0), equal(rest, 0)})})}));
}

/// Of two products with a common factor, the one with the lesser rest is
/// less, by the common factor at least.
void Query::addOrder(const Monomial &a, const Monomial &b) {
  Monomial common, restA, restB;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(),
                        std::back_inserter(common));
  if (common.empty())
    return;
  std::set_difference(a.begin(), a.end(), common.begin(), common.end(),
                      std::back_inserter(restA));
  std::set_difference(b.begin(), b.end(), common.begin(), common.end(),
                      std::back_inserter(restB));
  Poly lesser = Poly::monomial(restA), greater = Poly::monomial(restB);
  Poly by = Poly::monomial(common);
  Poly small = Poly::monomial(a), large = Poly::monomial(b);
  add(Formula::any(
      {lessThan(by, 0), lessThan(greater, lesser), atLeast(large, small)}));
  add(Formula::any(
      {lessThan(by, 0), atLeast(lesser, greater), atLeast(large, small + by)}));
}
