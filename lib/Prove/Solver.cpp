//===- Solver.cpp - queries to Z3 -----------------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Prove/Solver.h"

#include "lib/Prove/Query.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"

#include <z3.h>

using namespace mlir;
using namespace ingot;
using namespace ingot::prove;

namespace {

/// What a query may cost: Z3's own count of steps, which is the same on every
/// machine, and a time that stops a query even on a machine that is much
/// slower than ours.
constexpr unsigned stepLimit = 10'000'000, millisecondLimit = 120'000;

} // namespace

struct Solver::Impl {
  Impl() {
    Z3_config config = Z3_mk_config();
    context = Z3_mk_context(config);
    Z3_del_config(config);
    // Errors are answers that prove nothing; the default ends the process.
    Z3_set_error_handler(context, [](Z3_context, Z3_error_code) {});
    integers = Z3_mk_int_sort(context);
  }
  ~Impl() { Z3_del_context(context); }

  Z3_ast number(int64_t value) { return Z3_mk_int64(context, value, integers); }

  /// The unknown that stands for an atom, or for a product of some.
  Z3_ast variable(const Monomial &monomial) {
    std::string name;
    for (AtomId atom : monomial)
      name += "*" + std::to_string(atom);
    return Z3_mk_const(context, Z3_mk_string_symbol(context, name.c_str()),
                       integers);
  }
  Z3_ast variable(AtomId atom) { return variable(Monomial{atom}); }

  Z3_ast translate(const Poly &poly) {
    SmallVector<Z3_ast> sum;
    for (const auto &[monomial, coefficient] : poly.getTerms()) {
      if (monomial.empty()) {
        sum.push_back(number(coefficient));
        continue;
      }
      Z3_ast product[] = {number(coefficient), variable(monomial)};
      sum.push_back(coefficient == 1 ? product[1]
                                     : Z3_mk_mul(context, 2, product));
    }
    if (sum.empty())
      return number(0);
    return Z3_mk_add(context, sum.size(), sum.data());
  }

  Z3_ast translate(const Formula &formula) {
    switch (formula.kind) {
    case Formula::Kind::NonNegative:
      return Z3_mk_ge(context, translate(formula.poly), number(0));
    case Formula::Kind::Zero:
      return Z3_mk_eq(context, translate(formula.poly), number(0));
    case Formula::Kind::All:
    case Formula::Kind::Any:
      break;
    }
    SmallVector<Z3_ast> parts;
    for (const Formula &part : formula.parts)
      parts.push_back(translate(part));
    return formula.kind == Formula::Kind::All
               ? Z3_mk_and(context, parts.size(), parts.data())
               : Z3_mk_or(context, parts.size(), parts.data());
  }

  /// Z3's numbers of the atoms; empty if one is no number of 64 bits.
  std::map<AtomId, int64_t> valuesOf(const Query &query, Z3_model model) {
    std::map<AtomId, int64_t> values;
    for (const Monomial &monomial : query.getMonomials()) {
      if (monomial.size() != 1)
        continue;
      Z3_ast value = nullptr;
      int64_t number = 0;
      if (!Z3_model_eval(context, model, variable(monomial), true, &value) ||
          !Z3_get_numeral_int64(context, value, &number))
        return {};
      values[monomial[0]] = number;
    }
    return values;
  }

  Outcome refutation(const Query &query, Z3_model model) {
    return {Outcome::Kind::Refuted, "", valuesOf(query, model)};
  }

  /// Whether every product is the product of its factors.
  bool multipliesOut(const Query &query, Z3_model model) {
    for (const Monomial &product : query.products()) {
      Z3_ast value = nullptr;
      if (!Z3_model_eval(context, model, equation(product), true, &value) ||
          Z3_get_bool_value(context, value) != Z3_L_TRUE)
        return false;
    }
    return true;
  }

  /// That the unknown for `product` is the product of its factors.
  Z3_ast equation(const Monomial &product) {
    SmallVector<Z3_ast> factors;
    for (AtomId atom : product)
      factors.push_back(variable(atom));
    return Z3_mk_eq(context, variable(product),
                    Z3_mk_mul(context, factors.size(), factors.data()));
  }

  /// Asks whether nothing meets the query. A counterexample that does not
  /// multiply out is followed up if `isExact`.
  Outcome run(const Terms &terms, const Query &query, bool isExact) {
    switches.clear();
    needed.clear();
    Z3_solver solver = Z3_mk_simple_solver(context);
    Z3_solver_inc_ref(context, solver);
    Z3_params params = Z3_mk_params(context);
    Z3_params_inc_ref(context, params);
    Z3_params_set_uint(context, params, Z3_mk_string_symbol(context, "rlimit"),
                       stepLimit);
    Z3_params_set_uint(context, params, Z3_mk_string_symbol(context, "timeout"),
                       millisecondLimit);
    Z3_solver_set_params(context, solver, params);
    for (const Formula &formula : query.getFormulas())
      Z3_solver_assert(context, solver, translate(formula));
    for (const Formula &formula : query.getAssumptions()) {
      std::string name = "assumption " + std::to_string(switches.size());
      switches.push_back(Z3_mk_const(context,
                                     Z3_mk_string_symbol(context, name.c_str()),
                                     Z3_mk_bool_sort(context)));
      Z3_solver_assert(
          context, solver,
          Z3_mk_implies(context, switches.back(), translate(formula)));
    }
    Outcome outcome = ask(terms, query, solver, isExact);
    Z3_params_dec_ref(context, params);
    Z3_solver_dec_ref(context, solver);
    return outcome;
  }

  Z3_lbool check(Z3_solver solver) {
    return Z3_solver_check_assumptions(context, solver, switches.size(),
                                       switches.data());
  }

  Outcome ask(const Terms &terms, const Query &query, Z3_solver solver,
              bool isExact) {
    Outcome unknown{Outcome::Kind::Unknown, "no answer within a query's limit"};
    bool areProducts = query.products().empty();
    while (true) {
      Z3_lbool answer = check(solver);
      if (answer == Z3_L_FALSE) {
        Z3_ast_vector core = Z3_solver_get_unsat_core(context, solver);
        Z3_ast_vector_inc_ref(context, core);
        for (unsigned i = 0; i < Z3_ast_vector_size(context, core); ++i)
          needed.push_back(
              llvm::find(switches, Z3_ast_vector_get(context, core, i)) -
              switches.begin());
        Z3_ast_vector_dec_ref(context, core);
        llvm::sort(needed);
        return {Outcome::Kind::Proved, ""};
      }
      Z3_model model =
          answer == Z3_L_TRUE ? Z3_solver_get_model(context, solver) : nullptr;
      if (!model)
        return unknown;
      Z3_model_inc_ref(context, model);
      Outcome outcome = refutation(query, model);
      bool isReal = areProducts || multipliesOut(query, model);
      Z3_model_dec_ref(context, model);
      if (isReal)
        return outcome;
      // With these sizes, but true products?
      Z3_solver_push(context, solver);
      for (auto [atom, value] : outcome.values)
        if (terms.isShown(atom))
          Z3_solver_assert(context, solver,
                           Z3_mk_eq(context, variable(atom), number(value)));
      assertProducts(query, solver);
      if (check(solver) == Z3_L_TRUE)
        if (Z3_model sized = Z3_solver_get_model(context, solver)) {
          Z3_model_inc_ref(context, sized);
          outcome = refutation(query, sized);
          Z3_model_dec_ref(context, sized);
          return outcome;
        }
      Z3_solver_pop(context, solver, 1);
      if (!isExact)
        return unknown;
      assertProducts(query, solver);
      areProducts = true;
    }
  }

  void assertProducts(const Query &query, Z3_solver solver) {
    for (const Monomial &product : query.products())
      Z3_solver_assert(context, solver, equation(product));
  }

  Z3_context context;
  Z3_sort integers;
  /// One truth for each assumption of the query at hand: it is made if that is
  /// true.
  SmallVector<Z3_ast> switches;
  /// Under which of them the last proof is one.
  SmallVector<unsigned> needed;
};

Solver::Solver(const Terms &terms) : Solver(terms, own) {}

Solver::Solver(const Terms &terms, Answers &answers)
    : terms(terms), impl(std::make_unique<Impl>()), answers(answers) {}

Solver::~Solver() = default;

void Solver::assume(std::vector<Formula> facts) {
  assumed = std::move(facts);
  knownHere.clear();
}

/// An outcome whose atoms are numbers, with the atoms that those are of.
static Outcome named(const Outcome &outcome, ArrayRef<AtomId> atoms,
                     const Terms &terms) {
  Outcome result{outcome.kind, outcome.text};
  for (auto [number, value] : outcome.values)
    result.values[atoms[number]] = value;
  for (auto [atom, value] : result.values)
    if (terms.isShown(atom))
      result.text += (result.text.empty() ? "" : ", ") + terms.nameOf(atom) +
                     " = " + std::to_string(value);
  return result;
}

/// The reverse.
static Outcome numbered(const Outcome &outcome, ArrayRef<AtomId> atoms) {
  Outcome result = outcome;
  result.values.clear();
  for (auto [number, atom] : llvm::enumerate(atoms))
    if (auto found = outcome.values.find(atom); found != outcome.values.end())
      result.values[number] = found->second;
  return result;
}

Outcome Solver::ask(Query query, const std::string &key, ArrayRef<AtomId> atoms,
                    bool isExact) {
  ++queries;
  Outcome outcome{Outcome::Kind::Unknown, ""};
  // Most products need no more than their signs.
  if (!query.products().empty()) {
    Query simple = query;
    simple.addSigns();
    outcome = impl->run(terms, simple, /*isExact=*/false);
    if (outcome.kind == Outcome::Kind::Unknown)
      query.addProductFacts();
  }
  if (outcome.kind == Outcome::Kind::Unknown)
    outcome = impl->run(terms, query, isExact);
  answers.known[key] = numbered(outcome, atoms);
  return named(answers.known[key], atoms, terms);
}

Outcome Solver::prove(ArrayRef<Formula> facts, const Formula &goal,
                      bool isExact) {
  // Of these very atoms, or else of others of which the same is known.
  std::string here;
  for (const Formula &fact : facts)
    Query::write(fact, [](AtomId atom) { return atom; }, here);
  here += isExact ? "=>" : "~>";
  Query::write(goal, [](AtomId atom) { return atom; }, here);
  if (auto found = knownHere.find(here); found != knownHere.end())
    return found->second;
  return knownHere[here] = decide(facts, goal, isExact);
}

Outcome Solver::decide(ArrayRef<Formula> facts, const Formula &goal,
                       bool isExact) {
  Query plain(terms, facts, goal);
  std::vector<AtomId> atoms;
  auto keyOf = [&](const Query &query) {
    return query.key(atoms) + (isExact ? "" : "~");
  };
  auto under = [&](ArrayRef<unsigned> numbers) {
    Query query = plain;
    for (unsigned number : numbers)
      query.assume(assumed[number]);
    return query;
  };
  Query query = under(llvm::to_vector(llvm::seq<unsigned>(0, assumed.size())));
  if (query.hasOverflown())
    return {Outcome::Kind::Unknown, "a number does not fit 64 bits"};

  // A proof that needs less than what is assumed is one whatever else is.
  std::string plainKey = keyOf(plain);
  SmallVector<SmallVector<unsigned>> &enough = answers.enough[plainKey];
  for (ArrayRef<unsigned> numbers : enough)
    if (numbers.empty() || numbers.back() < assumed.size())
      if (auto found = answers.known.find(keyOf(under(numbers)));
          found != answers.known.end() && found->second)
        return {Outcome::Kind::Proved, ""};

  std::string key = keyOf(query);
  if (auto found = answers.known.find(key); found != answers.known.end())
    return named(found->second, atoms, terms);
  Outcome outcome = ask(query, key, atoms, isExact);
  if (!outcome)
    return outcome;
  SmallVector<unsigned> numbers = impl->needed;
  // What follows from all assumptions together is one more.
  if (numbers.size() == assumed.size() ||
      (!numbers.empty() && numbers.back() >= assumed.size()))
    return outcome;
  answers.known[keyOf(under(numbers))] = {Outcome::Kind::Proved, ""};
  if (!llvm::is_contained(enough, numbers))
    enough.push_back(numbers);
  return outcome;
}
