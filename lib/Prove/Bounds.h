//===- Bounds.h - what is no less than nothing ------------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "lib/Prove/Terms.h"

namespace ingot::prove {

/// Shows that sums of sizes are not negative by writing them in other ways: a
/// maximum that is added is no less than each of what it is of, what is rounded
/// up is no less than what it was, and a worker's number is less than how many
/// there are. What is left is a sum of products of numbers that are none less
/// than their least values. It asks nobody and takes no time to speak of.
class Bounds {
public:
  explicit Bounds(const Terms &terms) : terms(terms) {}

  /// Whether `poly` is shown not to be negative.
  bool isNonNegative(const Poly &poly);
  /// Whether `poly` is negative for one of a few numbers that were tried, of
  /// which nothing is known but that each atom may have it.
  bool isSeenNegative(const Poly &poly);
  /// Whether `formula` holds for the numbers of a sample; nothing if some have
  /// no value there.
  std::optional<bool> holds(const Formula &formula, unsigned sample);
  /// A sample in which atoms that are not computed have these values.
  unsigned addSample(const std::map<AtomId, int64_t> &values);

private:
  std::optional<int64_t> leastOf(AtomId atom);
  std::optional<int64_t> computeLeast(AtomId atom);
  /// The least value of `poly`, if that is where all of its atoms have theirs,
  /// or what is subtracted is as large as is known.
  std::optional<int64_t> leastOf(const Poly &poly);
  /// `poly` in terms of how much more each atom is than its least value.
  std::optional<Poly> shifted(const Poly &poly);
  bool isClear(const Poly &poly);
  bool search(const Poly &poly, unsigned splits);
  std::vector<Poly> operandsOf(const Definition &definition);
  /// Sums that are no more than `poly`.
  void addLesser(const Poly &poly, std::vector<Poly> &lesser);
  bool areNonNegative(const Monomial &atoms);
  /// The atom that `atom` is known to be less than.
  std::optional<AtomId> limitOf(AtomId atom) const;
  std::optional<int64_t> valueOf(const Poly &poly, unsigned sample);
  std::optional<int64_t> valueOf(AtomId atom, unsigned sample);
  /// A number for an atom that is not computed, at which what is known of it
  /// holds.
  std::optional<int64_t> chosenValue(AtomId atom, unsigned sample);

  const Terms &terms;
  std::map<AtomId, std::optional<int64_t>> least;
  std::map<std::pair<AtomId, unsigned>, std::optional<int64_t>> sampled;
  /// Those that are made of numbers given; others have lower numbers.
  unsigned nextSample = 1 << 16;
  std::map<std::string, bool> known;
};

} // namespace ingot::prove
