//===- Query.h - what Z3 is told in one query -------------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "lib/Prove/Terms.h"

#include <set>

namespace ingot::prove {

/// Formulas that shall not hold together, and what is known of their atoms.
class Query {
public:
  /// Of whether `goal` follows from `facts`.
  Query(const Terms &terms, ArrayRef<Formula> facts, const Formula &goal);

  /// Adds what a proof may turn out not to need.
  void assume(const Formula &formula);

  /// Adds of what sign products of atoms are.
  void addSigns();
  /// Adds what else is known of products of atoms. What of that comes from
  /// assumptions is one more.
  void addProductFacts();

  std::vector<Monomial> products() const;
  bool hasOverflown() const { return overflown; }
  const std::set<Monomial> &getMonomials() const { return monomials; }
  ArrayRef<Formula> getFormulas() const { return formulas; }
  ArrayRef<Formula> getAssumptions() const { return assumptions; }

  /// A text of the query in which atoms are called by numbers: those of
  /// `atoms`, in that order. Queries of one text have the same answer.
  std::string key(std::vector<AtomId> &atoms) const;

  /// Appends a text of `formula`, in which atoms are called by numbers.
  static void write(const Formula &formula,
                    llvm::function_ref<unsigned(AtomId)> numberOf,
                    std::string &result);

private:
  void add(const Formula &formula);
  void addFactsOf(const Monomial &product, std::vector<Formula> &assumed);
  void addSign(const Monomial &product);
  void addOrder(const Monomial &a, const Monomial &b);
  void visit(const Formula &formula, llvm::function_ref<void(AtomId)> onAtom);

  const Terms &terms;
  std::vector<Formula> formulas, assumptions;
  std::set<Monomial> monomials;
  /// Whose facts are among the formulas, and whose are among assumptions.
  std::set<AtomId> atoms, assumedAtoms;
  bool overflown = false;
};

} // namespace ingot::prove
