//===- Terms.h - integers of a program as polynomials -----------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ingot::prove {

using namespace mlir;

/// An integer that is no polynomial of others: a symbol, a minimum, a quotient.
using AtomId = unsigned;
/// Atoms in order, repeats are powers.
using Monomial = std::vector<AtomId>;

/// An integer polynomial over atoms.
class Poly {
public:
  Poly(int64_t constant = 0) { add({}, constant); }
  static Poly atom(AtomId id) { return Poly().add({id}, 1); }
  static Poly monomial(const Monomial &atoms) { return Poly().add(atoms, 1); }

  Poly operator+(const Poly &other) const;
  Poly operator-(const Poly &other) const;
  Poly operator*(const Poly &other) const;
  bool operator==(const Poly &other) const {
    return terms == other.terms && overflown == other.overflown;
  }

  /// Its value if it has no atoms.
  std::optional<int64_t> constant() const;
  const std::map<Monomial, int64_t> &getTerms() const { return terms; }
  /// Whether a coefficient did not fit; nothing is known of such a one.
  bool hasOverflown() const { return overflown; }

private:
  Poly &add(const Monomial &atoms, int64_t coefficient);

  std::map<Monomial, int64_t> terms;
  bool overflown = false;
};

/// Comparisons of polynomials, joined by "and" and "or".
struct Formula {
  enum class Kind { NonNegative, Zero, All, Any };
  Kind kind = Kind::All;
  Poly poly;
  std::vector<Formula> parts;

  /// Of numbers alone, these are what always or never holds.
  static Formula compare(Kind kind, Poly poly);
  static Formula all(std::vector<Formula> parts) {
    return join(Kind::All, std::move(parts));
  }
  static Formula any(std::vector<Formula> parts) {
    return join(Kind::Any, std::move(parts));
  }
  static Formula always() { return all({}); }

  Formula negated() const;
  /// What follows where `factor`, which is not negative, multiplies each side.
  Formula times(const Poly &factor) const;

private:
  static Formula join(Kind kind, std::vector<Formula> parts);
};

inline Formula atLeast(const Poly &a, const Poly &b) {
  return Formula::compare(Formula::Kind::NonNegative, a - b);
}
inline Formula lessThan(const Poly &a, const Poly &b) {
  return atLeast(b, a + 1);
}
inline Formula equal(const Poly &a, const Poly &b) {
  return Formula::compare(Formula::Kind::Zero, a - b);
}

/// What an atom is, where it is computed.
struct Definition {
  enum class Kind { None, Minimum, Maximum, Quotient, Broadcast };
  Kind kind = Kind::None;
  std::vector<Poly> operands;
};

/// The atoms of a program and what defines each.
class Terms {
public:
  /// An atom of its own: two of one `key` are the same. `facts` tells what
  /// holds of it. Its name stands in counterexamples if it is `shown`.
  Poly make(const std::string &key, const std::string &name, bool isShown,
            llvm::function_ref<std::vector<Formula>(const Poly &)> facts,
            Definition definition = {});

  Poly min(ArrayRef<Poly> values) { return extremum(values, true); }
  Poly max(ArrayRef<Poly> values) { return extremum(values, false); }
  /// Rounded down; nothing is known of it where `b` is not positive.
  Poly floorDiv(const Poly &a, const Poly &b);
  Poly ceilDiv(const Poly &a, const Poly &b) { return floorDiv(a + b - 1, b); }
  Poly mod(const Poly &a, const Poly &b) { return a - b * floorDiv(a, b); }
  /// `b` where `a` is 1, else `a`.
  Poly broadcast(const Poly &a, const Poly &b);

  const std::string &nameOf(AtomId id) const { return atoms[id].name; }
  bool isShown(AtomId id) const { return atoms[id].isShown; }
  ArrayRef<Formula> factsOf(AtomId id) const { return atoms[id].facts; }
  const Definition &definitionOf(AtomId id) const {
    return atoms[id].definition;
  }

  /// Whether `poly`, or what defines an atom in it, has an atom of `atoms`.
  bool mentions(const Poly &poly, ArrayRef<Poly> atoms) const;

  /// Tells polynomials apart, also where atoms of one name are in both.
  static std::string keyOf(const Poly &poly);
  static std::string keyOf(const Formula &formula);

  std::string text(const Poly &poly) const;
  std::string text(const Formula &formula) const;

private:
  /// The atom that `poly` is, if that is known to be positive.
  std::optional<AtomId> positiveAtom(const Poly &poly) const;
  Poly extremum(ArrayRef<Poly> values, bool isMin);

  struct Atom {
    std::string name;
    bool isShown;
    std::vector<Formula> facts;
    Definition definition;
  };
  std::vector<Atom> atoms;
  std::map<std::string, AtomId> ids;
};

} // namespace ingot::prove
