//===- DimExpr.h - symbolic dimension expressions ---------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A DimExpr is the size of a tensor dimension as an integer expression over
// named symbols. It is kept in a normal form, a polynomial whose atoms are
// symbols, floor divisions, maxima, minima and undecided broadcasts, so that
// two expressions that are equal by ring arithmetic print and compare equal.
// Symbols are non-negative integers; divisors are positive.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/StringSet.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ingot {

class DimExpr {
public:
  /// What an atom of the polynomial is. Broadcast(a, b) is b where a is 1 and
  /// a otherwise: the extent of a numpy broadcast that is decided at run time.
  enum class AtomKind { Symbol, FloorDiv, Max, Min, Broadcast };

  struct Atom;
  using AtomRef = std::shared_ptr<const Atom>;

  /// A product of atoms (sorted by their text, repeats are powers) times a
  /// coefficient that is never zero.
  struct Term {
    int64_t coefficient = 0;
    std::vector<AtomRef> atoms;
  };

  /// Zero.
  DimExpr() = default;

  static DimExpr constant(int64_t value);
  static DimExpr symbol(llvm::StringRef name);
  static DimExpr floorDiv(const DimExpr &a, const DimExpr &b);
  static DimExpr ceilDiv(const DimExpr &a, const DimExpr &b);
  static DimExpr mod(const DimExpr &a, const DimExpr &b);
  static DimExpr max(const DimExpr &a, const DimExpr &b);
  static DimExpr min(const DimExpr &a, const DimExpr &b);
  static DimExpr broadcast(const DimExpr &a, const DimExpr &b);

  /// Parses `a * 2 + b floordiv 4`, with `//`, `ceildiv`, `mod`, `%`,
  /// max/min/broadcast calls and parentheses. Empty if the text is none.
  static std::optional<DimExpr> parse(llvm::StringRef text);

  DimExpr operator+(const DimExpr &other) const;
  DimExpr operator-(const DimExpr &other) const;
  DimExpr operator*(const DimExpr &other) const;
  bool operator==(const DimExpr &other) const;
  bool operator!=(const DimExpr &other) const { return !(*this == other); }

  bool isConstant() const;
  bool isConstant(int64_t value) const;
  std::optional<int64_t> getConstant() const;
  /// The symbol's name if the expression is one symbol.
  std::optional<std::string> getSymbol() const;
  llvm::ArrayRef<Term> getTerms() const { return terms; }

  /// The quotient if `divisor` divides this expression exactly as polynomials.
  std::optional<DimExpr> dividedBy(const DimExpr &divisor) const;

  /// A lower bound valid for all non-negative values of the symbols, if one
  /// is apparent; likewise an upper bound.
  std::optional<int64_t> lowerBound() const;
  std::optional<int64_t> upperBound() const;

  /// The value under the given symbol values; empty if a symbol is unknown,
  /// a divisor is not positive or the arithmetic overflows.
  std::optional<int64_t> evaluate(
      llvm::function_ref<std::optional<int64_t>(llvm::StringRef)> value) const;

  /// Replaces symbols; a symbol for which `value` is empty stays.
  DimExpr substitute(
      llvm::function_ref<std::optional<DimExpr>(llvm::StringRef)> value) const;

  /// Adds the names of all symbols in the expression to `names`.
  void collectSymbols(llvm::StringSet<> &names) const;

  /// Whether a number on the way here did not fit into 64 bits. Such an
  /// expression equals nothing that is known.
  bool hasOverflown() const;

  /// The canonical text, which parse() reads back.
  std::string str() const;

private:
  static DimExpr fromAtom(AtomKind kind, std::string name,
                          std::vector<DimExpr> args);
  /// Stands for what does not fit 64 bits: a symbol that nothing resolves, so
  /// that the value is unknown rather than wrong.
  static DimExpr overflow();
  void addTerm(int64_t coefficient, std::vector<AtomRef> atoms);

  /// Sorted by degree (highest first), then text; no two with equal atoms.
  std::vector<Term> terms;
};

struct DimExpr::Atom {
  AtomKind kind;
  std::string name;          // of a symbol
  std::vector<DimExpr> args; // of the other kinds: two
  std::string text;          // canonical, the sort key
  /// Bounds of its value, found once: they are asked for at every level of an
  /// expression. An empty side is unbounded.
  std::optional<int64_t> low, high;
};

/// The dims of a tensor.
using DimShape = llvm::SmallVector<DimExpr>;

/// The product of `dims`: a number of elements.
DimExpr product(llvm::ArrayRef<DimExpr> dims);

/// The tokens of a dimension expression; lets one grammar serve plain text and
/// MLIR's attribute parser.
class DimTokens {
public:
  virtual ~DimTokens() = default;
  /// Consumes the punctuation if it comes next.
  virtual bool consume(char punctuation) = 0;
  /// Consumes an identifier if one comes next.
  virtual std::optional<std::string> identifier() = 0;
  /// Consumes a non-negative integer if one comes next.
  virtual std::optional<int64_t> integer() = 0;
};

/// Parses one expression from `tokens`; empty on a syntax error.
std::optional<DimExpr> parseDimExpr(DimTokens &tokens);

} // namespace ingot
