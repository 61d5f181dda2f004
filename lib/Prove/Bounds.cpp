//===- Bounds.cpp - what is no less than nothing --------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Prove/Bounds.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <random>
#include <set>

using namespace mlir;
using namespace ingot;
using namespace ingot::prove;

namespace {

/// Sums that are looked at, and how often cases are told apart.
constexpr unsigned maxSteps = 120, maxSplits = 3;
/// How many numbers are tried.
constexpr unsigned numSamples = 6;

} // namespace

static Monomial without(Monomial atoms, AtomId atom) {
  atoms.erase(llvm::find(atoms, atom));
  return atoms;
}

/// `poly` with `value` in place of `atom`.
static Poly substitute(const Poly &poly, AtomId atom, const Poly &value) {
  Poly result;
  for (const auto &[atoms, coefficient] : poly.getTerms()) {
    Poly product = coefficient;
    for (AtomId factor : atoms)
      product = product * (factor == atom ? value : Poly::atom(factor));
    result = result + product;
  }
  return result;
}

static bool has(const Poly &poly, AtomId atom) {
  return llvm::any_of(poly.getTerms(), [&](const auto &term) {
    return llvm::is_contained(term.first, atom);
  });
}

static unsigned countNegative(const Poly &poly) {
  return llvm::count_if(poly.getTerms(),
                        [](const auto &term) { return term.second < 0; });
}

//===----------------------------------------------------------------------===//
// Least values
//===----------------------------------------------------------------------===//

std::optional<int64_t> Bounds::leastOf(AtomId atom) {
  // Until it is known, none is.
  auto [entry, isNew] = least.try_emplace(atom, std::nullopt);
  if (!isNew)
    return entry->second;
  std::optional<int64_t> value = computeLeast(atom);
  return least[atom] = value;
}

std::optional<int64_t> Bounds::computeLeast(AtomId atom) {
  const Definition &definition = terms.definitionOf(atom);
  SmallVector<std::optional<int64_t>> values;
  for (const Poly &operand : definition.operands)
    values.push_back(leastOf(operand));
  std::optional<int64_t> result;
  switch (definition.kind) {
  case Definition::Kind::Minimum:
  case Definition::Kind::Broadcast:
    if (llvm::all_of(values, [](auto value) { return value.has_value(); }))
      result = **llvm::min_element(values);
    break;
  case Definition::Kind::Maximum:
    // None is less than any.
    result = *llvm::max_element(values);
    break;
  case Definition::Kind::Quotient: {
    std::optional<int64_t> divisor = definition.operands[1].constant();
    if (values[0] && divisor && *divisor > 0)
      result = llvm::divideFloorSigned(*values[0], *divisor);
    else if (values[0] && *values[0] >= 0 && values[1] && *values[1] > 0)
      result = 0;
    break;
  }
  case Definition::Kind::None:
    for (const Formula &fact : terms.factsOf(atom)) {
      std::optional<int64_t> rest = (Poly::atom(atom) - fact.poly).constant();
      if (fact.kind == Formula::Kind::NonNegative && rest)
        result = std::max(result.value_or(*rest), *rest);
    }
    break;
  }
  return result;
}

/// Whether `a` is no less than `b` wherever their atoms are not negative: it is
/// `b` times some of the atoms that are in `b`, which is zero if one of them
/// is.
static bool dominates(const Monomial &a, const Monomial &b) {
  return std::includes(a.begin(), a.end(), b.begin(), b.end()) &&
         llvm::all_of(a,
                      [&](AtomId atom) { return llvm::is_contained(b, atom); });
}

/// Takes what is subtracted from terms that are no less, if there are such.
static Poly settled(const Poly &poly) {
  Poly result = poly;
  for (const auto &[less, coefficient] : poly.getTerms())
    for (const auto &[more, other] : poly.getTerms()) {
      auto debt = result.getTerms().find(less),
           rest = result.getTerms().find(more);
      if (less.empty() || debt == result.getTerms().end() ||
          rest == result.getTerms().end() || debt->second >= 0 ||
          rest->second <= 0 || !dominates(more, less))
        continue;
      int64_t paid = std::min(-debt->second, rest->second);
      result =
          result + Poly::monomial(less) * paid - Poly::monomial(more) * paid;
    }
  return result;
}

std::optional<Poly> Bounds::shifted(const Poly &poly) {
  if (poly.hasOverflown())
    return std::nullopt;
  Poly result;
  for (const auto &[atoms, coefficient] : poly.getTerms()) {
    Poly product = coefficient;
    for (AtomId atom : atoms) {
      std::optional<int64_t> value = leastOf(atom);
      if (!value)
        return std::nullopt;
      product = product * (Poly::atom(atom) + *value);
    }
    result = result + product;
  }
  result = settled(result);
  return result.hasOverflown() ? std::nullopt : std::optional(result);
}

std::optional<int64_t> Bounds::leastOf(const Poly &poly) {
  if (std::optional<Poly> more = shifted(poly)) {
    int64_t constant = 0;
    bool isLeast = true;
    for (const auto &[atoms, coefficient] : more->getTerms())
      if (atoms.empty())
        constant = coefficient;
      else
        isLeast &= coefficient > 0;
    if (isLeast)
      return constant;
  }
  // What is subtracted may be known not to be more than something.
  for (const auto &[atoms, coefficient] : poly.getTerms()) {
    if (atoms.size() != 1 || coefficient >= 0)
      continue;
    for (const Formula &fact : terms.factsOf(atoms.front())) {
      if (fact.kind != Formula::Kind::NonNegative)
        continue;
      Poly rest = poly - fact.poly;
      if (!has(rest, atoms.front()))
        if (std::optional<int64_t> value = leastOf(rest))
          return value;
    }
  }
  return std::nullopt;
}

std::optional<AtomId> Bounds::limitOf(AtomId atom) const {
  for (const Formula &fact : terms.factsOf(atom)) {
    if (fact.kind != Formula::Kind::NonNegative)
      continue;
    Poly limit = fact.poly + Poly::atom(atom) + 1;
    if (limit.getTerms().size() != 1)
      continue;
    const auto &[atoms, coefficient] = *limit.getTerms().begin();
    if (atoms.size() == 1 && coefficient == 1)
      return atoms.front();
  }
  return std::nullopt;
}

/// Whether least values show it, or that some atom is less than another.
bool Bounds::isClear(const Poly &poly) {
  auto isLeast = [&](const Poly &sum) {
    std::optional<int64_t> value = leastOf(sum);
    return value && *value >= 0;
  };
  if (isLeast(poly))
    return true;
  std::set<AtomId> atoms;
  for (const auto &[factors, coefficient] : poly.getTerms())
    atoms.insert(factors.begin(), factors.end());
  return llvm::any_of(atoms, [&](AtomId atom) {
    std::optional<AtomId> limit = limitOf(atom);
    std::optional<int64_t> own = leastOf(atom);
    if (!limit || !own || !atoms.contains(*limit))
      return false;
    // The limit is the atom, one and some more, for which it stands here.
    Poly all = Poly::atom(atom) + *own + 1 + Poly::atom(*limit), sum;
    for (const auto &[factors, coefficient] : poly.getTerms()) {
      Poly product = coefficient;
      for (AtomId factor : factors) {
        std::optional<int64_t> value = leastOf(factor);
        if (!value)
          return false;
        product =
            product * (factor == *limit ? all : Poly::atom(factor) + *value);
      }
      sum = sum + product;
    }
    return !sum.hasOverflown() && countNegative(settled(sum)) == 0;
  });
}

//===----------------------------------------------------------------------===//
// Other ways to write a sum
//===----------------------------------------------------------------------===//

bool Bounds::areNonNegative(const Monomial &atoms) {
  return llvm::all_of(atoms, [&](AtomId atom) {
    std::optional<int64_t> value = leastOf(atom);
    return value && *value >= 0;
  });
}

/// What a minimum or maximum is of, and what that is of if it is one too.
std::vector<Poly> Bounds::operandsOf(const Definition &definition) {
  std::vector<Poly> operands;
  for (const Poly &operand : definition.operands) {
    const auto &sum = operand.getTerms();
    bool isAtom = sum.size() == 1 && sum.begin()->second == 1 &&
                  sum.begin()->first.size() == 1;
    if (isAtom)
      if (const Definition &inner = terms.definitionOf(sum.begin()->first[0]);
          inner.kind == definition.kind) {
        llvm::append_range(operands, operandsOf(inner));
        continue;
      }
    operands.push_back(operand);
  }
  return operands;
}

void Bounds::addLesser(const Poly &poly, std::vector<Poly> &lesser) {
  for (const auto &[atoms, coefficient] : poly.getTerms())
    for (AtomId atom : std::set<AtomId>(atoms.begin(), atoms.end())) {
      const Definition &definition = terms.definitionOf(atom);
      Monomial others = without(atoms, atom);
      if (!areNonNegative(others))
        continue;
      Poly rest = poly - Poly::monomial(atoms) * coefficient;
      Poly factor = Poly::monomial(others) * coefficient;
      bool isAdded = coefficient > 0;
      if (std::optional<AtomId> limit = limitOf(atom); limit && !isAdded)
        lesser.push_back(rest + factor * (Poly::atom(*limit) - 1));
      if (definition.kind == Definition::Kind::Quotient) {
        // What is rounded down to a multiple lost less than the divisor.
        std::optional<int64_t> divisor = definition.operands[1].constant();
        if (!divisor || *divisor <= 0 || coefficient % *divisor != 0)
          continue;
        Poly whole = definition.operands[0] - (isAdded ? *divisor - 1 : 0);
        lesser.push_back(rest + Poly::monomial(others) *
                                    (coefficient / *divisor) * whole);
      } else if (definition.kind == (isAdded ? Definition::Kind::Maximum
                                             : Definition::Kind::Minimum)) {
        for (const Poly &operand : operandsOf(definition))
          lesser.push_back(rest + factor * operand);
      }
    }
}

bool Bounds::search(const Poly &poly, unsigned splits) {
  // Of all sums that are no more, the one with the fewest negative terms first.
  std::vector<Poly> sums;
  std::set<std::pair<unsigned, size_t>> queue;
  std::set<std::string> met;
  auto add = [&](const Poly &sum) {
    if (sum.hasOverflown() || !met.insert(Terms::keyOf(sum)).second)
      return;
    // Terms of which nothing is known may vanish yet.
    std::optional<Poly> more = shifted(sum);
    unsigned count = more ? countNegative(*more) : sum.getTerms().size();
    queue.insert({count, sums.size()});
    sums.push_back(sum);
  };
  add(poly);
  for (unsigned step = 0; step < maxSteps && !queue.empty(); ++step) {
    Poly best = sums[queue.begin()->second];
    queue.erase(queue.begin());
    if (isClear(best))
      return true;
    std::vector<Poly> lesser;
    addLesser(best, lesser);
    llvm::for_each(lesser, add);
  }
  if (splits == maxSplits)
    return false;
  // A minimum or maximum is one of those that it is of.
  for (const auto &[atoms, coefficient] : poly.getTerms())
    for (AtomId atom : atoms) {
      const Definition &definition = terms.definitionOf(atom);
      if (definition.kind == (coefficient < 0 ? Definition::Kind::Maximum
                                              : Definition::Kind::Minimum))
        return llvm::all_of(definition.operands, [&](const Poly &operand) {
          return search(substitute(poly, atom, operand), splits + 1);
        });
    }
  return false;
}

bool Bounds::isNonNegative(const Poly &poly) {
  std::string key = Terms::keyOf(poly);
  auto found = known.find(key);
  if (found != known.end())
    return found->second;
  return known[key] = !isSeenNegative(poly) && search(poly, 0);
}

//===----------------------------------------------------------------------===//
// Samples
//===----------------------------------------------------------------------===//

/// Numbers that samples take, beside the least: those at which something is
/// likely to change, and some between.
static int64_t moreOf(AtomId atom, unsigned sample) {
  constexpr int64_t few[] = {0, 1, 2, 9, 40, 300};
  if (sample < numSamples)
    return few[(sample + (atom % 3)) % numSamples];
  constexpr int64_t many[] = {0,  1,  2,   3,   5,   8,   13,
                              24, 60, 110, 250, 600, 5000};
  std::minstd_rand random(atom * 4096 + sample);
  random.discard(2);
  return many[random() % std::size(many)];
}

std::optional<int64_t> Bounds::chosenValue(AtomId atom, unsigned sample) {
  SmallVector<int64_t> choices;
  if (std::optional<AtomId> limit = limitOf(atom)) {
    // The first or the last, each with either of two.
    std::optional<int64_t> all = valueOf(*limit, sample);
    bool isFirst = (atom ^ sample) & 1;
    if (all)
      choices.push_back(isFirst ? 0 : *all - 1);
  }
  std::optional<int64_t> value = leastOf(atom);
  if (value && choices.empty())
    choices.push_back(*value + moreOf(atom, sample));
  if (value)
    choices.push_back(*value);
  for (int64_t choice : choices) {
    sampled[{atom, sample}] = choice;
    if (llvm::all_of(terms.factsOf(atom), [&](const Formula &fact) {
          return holds(fact, sample).value_or(true);
        }))
      return choice;
  }
  return sampled[{atom, sample}] = std::nullopt;
}

unsigned Bounds::addSample(const std::map<AtomId, int64_t> &values) {
  for (auto [atom, value] : values)
    if (terms.definitionOf(atom).kind == Definition::Kind::None)
      sampled[{atom, nextSample}] = value;
  return nextSample++;
}

std::optional<bool> Bounds::holds(const Formula &formula, unsigned sample) {
  bool isAll = formula.kind == Formula::Kind::All;
  switch (formula.kind) {
  case Formula::Kind::NonNegative:
  case Formula::Kind::Zero: {
    std::optional<int64_t> value = valueOf(formula.poly, sample);
    if (!value)
      return std::nullopt;
    return formula.kind == Formula::Kind::Zero ? *value == 0 : *value >= 0;
  }
  case Formula::Kind::All:
  case Formula::Kind::Any:
    break;
  }
  std::optional<bool> result = isAll;
  for (const Formula &part : formula.parts) {
    std::optional<bool> own = holds(part, sample);
    if (own && *own != isAll)
      return own;
    if (!own)
      result = std::nullopt;
  }
  return result;
}

std::optional<int64_t> Bounds::valueOf(AtomId atom, unsigned sample) {
  auto [entry, isNew] =
      sampled.try_emplace(std::make_pair(atom, sample), std::nullopt);
  if (!isNew)
    return entry->second;
  const Definition &definition = terms.definitionOf(atom);
  SmallVector<int64_t> values;
  for (const Poly &operand : definition.operands) {
    std::optional<int64_t> value = valueOf(operand, sample);
    if (!value)
      return std::nullopt;
    values.push_back(*value);
  }
  std::optional<int64_t> result;
  switch (definition.kind) {
  case Definition::Kind::Minimum:
    result = *llvm::min_element(values);
    break;
  case Definition::Kind::Maximum:
    result = *llvm::max_element(values);
    break;
  case Definition::Kind::Broadcast:
    result = values[0] == 1 ? values[1] : values[0];
    break;
  case Definition::Kind::Quotient:
    if (values[1] > 0)
      result = llvm::divideFloorSigned(values[0], values[1]);
    break;
  case Definition::Kind::None:
    return chosenValue(atom, sample);
  }
  return sampled[{atom, sample}] = result;
}

std::optional<int64_t> Bounds::valueOf(const Poly &poly, unsigned sample) {
  int64_t sum = 0;
  for (const auto &[atoms, coefficient] : poly.getTerms()) {
    int64_t product = coefficient;
    for (AtomId atom : atoms) {
      std::optional<int64_t> value = valueOf(atom, sample);
      if (!value || llvm::MulOverflow(product, *value, product))
        return std::nullopt;
    }
    if (llvm::AddOverflow(sum, product, sum))
      return std::nullopt;
  }
  return poly.hasOverflown() ? std::nullopt : std::optional(sum);
}

bool Bounds::isSeenNegative(const Poly &poly) {
  for (unsigned sample = 0; sample < numSamples; ++sample) {
    std::optional<int64_t> value = valueOf(poly, sample);
    if (value && *value < 0)
      return true;
  }
  return false;
}
