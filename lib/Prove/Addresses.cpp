//===- Addresses.cpp - what lies behind what in the arena -----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// A place in the arena is a sum of sizes of slots, each the largest of its
// tenants', whose own sizes are sums and maxima again. Asked about as a whole,
// all of that is in one query; here it is taken apart first.
#include "lib/Prove/Model.h"

using namespace mlir;
using namespace ingot;
using namespace ingot::prove;

/// What an atom, a maximum, is no less than; nothing for other atoms.
static SmallVector<Poly> boundsOf(const Terms &terms, AtomId id) {
  SmallVector<Poly> bounds;
  ArrayRef<Formula> facts = terms.factsOf(id);
  if (facts.size() < 2 || facts.back().kind != Formula::Kind::Any)
    return bounds;
  Poly atom = Poly::atom(id);
  for (const Formula &fact : facts.drop_back()) {
    if (fact.kind != Formula::Kind::NonNegative)
      return {};
    auto own = fact.poly.getTerms().find({id});
    if (own == fact.poly.getTerms().end() || own->second != 1)
      return {};
    Poly bound = atom - fact.poly;
    bounds.push_back(bound);
    // Of a maximum among them, what that is no less than, too.
    const auto &sum = bound.getTerms();
    if (sum.size() == 1 && sum.begin()->second == 1 &&
        sum.begin()->first.size() == 1)
      llvm::append_range(bounds, boundsOf(terms, sum.begin()->first.front()));
  }
  return bounds;
}

/// Whether `poly` is shown not to be negative, as a whole.
bool Model::isShown(const Poly &poly) {
  return bounds.isNonNegative(poly) ||
         (!bounds.isSeenNegative(poly) &&
          solver.prove({}, atLeast(poly, 0), /*isExact=*/false));
}

/// Whether `poly` is what each worker has of something times the number of
/// those behind this one, and something more.
bool Model::isShareNonNegative(const Poly &poly) {
  AtomId all = values.workers().getTerms().begin()->first.front();
  Poly share;
  for (const auto &[atoms, coefficient] : poly.getTerms()) {
    if (llvm::count(atoms, all) != 1)
      continue;
    Monomial others = atoms;
    others.erase(llvm::find(others, all));
    share = share + Poly::monomial(others) * coefficient;
  }
  if (share == Poly(0))
    return isShown(poly);
  for (StringRef tag : {"a", "b"}) {
    Poly behind = values.workers() - values.workerOf(tag) - 1;
    Poly rest = poly - share * behind;
    if (isShown(share) && isShown(rest))
      return true;
  }
  return false;
}

bool Model::isNonNegative(const Poly &poly) {
  if (bounds.isNonNegative(poly))
    return true;
  Poly core = poly;
  SmallVector<Poly> candidates;
  SmallVector<std::pair<Poly, SmallVector<Poly>>> maxima;
  for (const auto &[atoms, coefficient] : poly.getTerms()) {
    if (atoms.size() != 1 || coefficient <= 0)
      continue;
    SmallVector<Poly> bounds = boundsOf(terms, atoms.front());
    bool isNonNegative =
        llvm::any_of(bounds, [&](const Poly &bound) { return isShown(bound); });
    if (!isNonNegative)
      continue;
    core = core - Poly::monomial(atoms) * coefficient;
    for (Poly &bound : bounds)
      bound = bound * coefficient;
    maxima.push_back({Poly::monomial(atoms), bounds});
  }
  if (maxima.empty())
    return false;
  for (const auto &[atom, bounds] : maxima)
    for (const Poly &bound : bounds)
      if (isShareNonNegative(core + bound))
        return true;
  return isShareNonNegative(core);
}

bool Model::areInOrder(const Buffer &a, const Buffer &b) {
  Poly ahead = b.offset - a.offset - a.bytes;
  Poly behind = a.offset - b.offset - b.bytes;
  return bounds.isNonNegative(ahead) || bounds.isNonNegative(behind) ||
         (!bounds.isSeenNegative(ahead) && isNonNegative(ahead)) ||
         (!bounds.isSeenNegative(behind) && isNonNegative(behind));
}
