//===- Solver.h - queries to Z3 ---------------------------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "lib/Prove/Terms.h"

#include "llvm/ADT/StringMap.h"

#include <memory>

namespace ingot::prove {

class Query;

/// The answer to "does the goal follow?".
struct Outcome {
  enum class Kind { Proved, Refuted, Unknown };
  Kind kind;
  /// The numbers of a counterexample, or why there is no answer.
  std::string text;
  /// Those of its atoms.
  std::map<AtomId, int64_t> values = {};

  explicit operator bool() const { return kind == Kind::Proved; }
};

/// What was found, by the texts of queries. It holds of every program.
struct Answers {
  /// The atoms of outcomes are the numbers in the text.
  llvm::StringMap<Outcome> known;
  /// Of queries without what is assumed: which parts of that were enough.
  llvm::StringMap<SmallVector<SmallVector<unsigned>>> enough;
};

/// Asks whether goals hold for all integers. A product of atoms is one unknown
/// at first, about which products of what is known of its factors are told; if
/// a counterexample does not multiply out, products are what they are. A query
/// that runs out of its limit is unknown, which proves nothing. Atoms are told
/// apart by their numbers, whatever they are called.
class Solver {
public:
  explicit Solver(const Terms &terms);
  /// Shares answers with others.
  Solver(const Terms &terms, Answers &answers);
  ~Solver();

  /// What is a fact of every query from now on, in place of what was before.
  void assume(std::vector<Formula> facts);

  /// Whether `goal` follows from `facts`, what is assumed, and what is known of
  /// the atoms in them. If not `isExact`, products stay unknowns, and what
  /// needs more has no answer.
  Outcome prove(ArrayRef<Formula> facts, const Formula &goal,
                bool isExact = true);

  unsigned numQueries() const { return queries; }

private:
  struct Impl;

  const Terms &terms;
  std::unique_ptr<Impl> impl;
  Outcome decide(ArrayRef<Formula> facts, const Formula &goal, bool isExact);
  Outcome ask(Query query, const std::string &key, ArrayRef<AtomId> atoms,
              bool isExact);

  Answers own, &answers;
  std::vector<Formula> assumed;
  /// Answers that may depend on what is assumed, of these very atoms.
  llvm::StringMap<Outcome> knownHere;
  unsigned queries = 0;
};

} // namespace ingot::prove
