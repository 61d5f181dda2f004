//===- Solver.cpp - queries to Z3 -----------------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Prove/Solver.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"

#include <set>
#include <z3.h>

using namespace mlir;
using namespace ingot;
using namespace ingot::prove;

namespace {

/// What a query may cost: Z3's own count of steps, which is the same on every
/// machine, and a time that stops a query even on a machine that is much
/// slower than ours.
constexpr unsigned stepLimit = 10'000'000, millisecondLimit = 120'000;
/// Products in a query about whose factors more is told.
constexpr size_t maxProducts = 48;

/// Everything that is told to Z3 in one query.
class Query {
public:
  Query(const Terms &terms) : terms(terms) {}

  void add(const Formula &formula) {
    formulas.push_back(formula);
    visit(formula);
  }

  /// Adds what a proof may turn out not to need.
  void assume(const Formula &formula) {
    assumptions.push_back(formula);
    visit(formula);
  }

  /// Adds of what sign products of atoms are.
  void addSigns() {
    for (const Monomial &product : products())
      addSign(product);
  }

  /// Adds what else is known of products of atoms.
  void addProductFacts() {
    // The products of these facts are new products, which take no further ones.
    for (const Monomial &product : products())
      addFactsOf(product);
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

  std::vector<Monomial> products() const {
    std::vector<Monomial> result;
    for (const Monomial &monomial : monomials)
      if (monomial.size() > 1)
        result.push_back(monomial);
    return result;
  }

  bool hasOverflown() const { return overflown; }
  const std::set<Monomial> &getMonomials() const { return monomials; }
  ArrayRef<Formula> getFormulas() const { return formulas; }
  ArrayRef<Formula> getAssumptions() const { return assumptions; }

  /// Two queries of one key are the same but for the numbers of their atoms,
  /// and counterexamples call those by the same names.
  std::string key() const {
    llvm::DenseMap<AtomId, unsigned> numbers;
    std::string result, names;
    auto numberOf = [&](AtomId atom) {
      auto [entry, isNew] = numbers.try_emplace(atom, numbers.size());
      if (isNew && terms.isShown(atom))
        names += "\n" + std::to_string(entry->second) + terms.nameOf(atom);
      return entry->second;
    };
    for (const Formula &formula : formulas)
      write(formula, numberOf, result);
    return result + names;
  }

  /// Appends a text of `formula`, in which atoms are called by numbers.
  static void write(const Formula &formula,
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

private:
  static bool fits(const Formula &formula) {
    return !formula.poly.hasOverflown() && llvm::all_of(formula.parts, fits);
  }

  /// Adds what follows from other formulas, if its numbers fit.
  void addDerived(const Formula &formula) {
    if (fits(formula))
      add(formula);
  }

  void visit(const Formula &formula) {
    for (const Formula &part : formula.parts)
      visit(part);
    overflown |= formula.poly.hasOverflown();
    for (const auto &[monomial, coefficient] : formula.poly.getTerms()) {
      if (monomial.empty() || !monomials.insert(monomial).second)
        continue;
      for (AtomId atom : monomial) {
        monomials.insert({atom});
        if (atoms.insert(atom).second)
          for (const Formula &fact : terms.factsOf(atom))
            add(fact);
      }
    }
  }

  static Poly without(Monomial monomial, AtomId atom) {
    monomial.erase(llvm::find(monomial, atom));
    return Poly::monomial(monomial);
  }

  /// Each fact of each factor, times the other factors.
  void addFactsOf(const Monomial &product) {
    for (AtomId atom : std::set<AtomId>(product.begin(), product.end())) {
      Poly rest = without(product, atom);
      for (const Formula &fact : terms.factsOf(atom))
        addDerived(Formula::any({lessThan(rest, 0), fact.times(rest)}));
    }
  }

  void addSign(const Monomial &product) {
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
  void addOrder(const Monomial &a, const Monomial &b) {
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
    add(Formula::any({lessThan(by, 0), atLeast(lesser, greater),
                      atLeast(large, small + by)}));
  }

  const Terms &terms;
  std::vector<Formula> formulas, assumptions;
  std::set<Monomial> monomials;
  std::set<AtomId> atoms;
  bool overflown = false;
};

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
    needsAssumptions = false;
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
        needsAssumptions = Z3_ast_vector_size(context, core) != 0;
        return {Outcome::Kind::Proved, ""};
      }
      Z3_model model =
          answer == Z3_L_TRUE ? Z3_solver_get_model(context, solver) : nullptr;
      if (!model)
        return unknown;
      Z3_model_inc_ref(context, model);
      Outcome outcome = refutation(terms, query, model);
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
          outcome = refutation(terms, query, sized);
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

  /// The numbers of a counterexample.
  Outcome refutation(const Terms &terms, const Query &query, Z3_model model) {
    Outcome outcome{Outcome::Kind::Refuted, "", valuesOf(query, model)};
    for (auto [atom, value] : outcome.values)
      if (terms.isShown(atom))
        outcome.text += (outcome.text.empty() ? "" : ", ") +
                        terms.nameOf(atom) + " = " + std::to_string(value);
    return outcome;
  }

  Z3_context context;
  Z3_sort integers;
  /// One truth for each assumption of the query at hand: it is made if that is
  /// true.
  SmallVector<Z3_ast> switches;
  /// Whether the last proof is one under the assumptions alone.
  bool needsAssumptions = false;
};

Solver::Solver(const Terms &terms)
    : terms(terms), impl(std::make_unique<Impl>()) {}

Solver::~Solver() = default;

void Solver::assume(std::vector<Formula> facts) {
  assumed = std::move(facts);
  knownHere.clear();
}

Outcome Solver::prove(ArrayRef<Formula> facts, const Formula &goal,
                      bool isExact) {
  auto find = [&](StringRef key) -> const Outcome * {
    for (const auto *answers : {&known, &knownHere})
      if (auto found = answers->find(key); found != answers->end())
        return &found->second;
    return nullptr;
  };
  // Of these very atoms, or else of others of which the same is known.
  std::string exactKey;
  for (const Formula &fact : facts)
    Query::write(fact, [](AtomId atom) { return atom; }, exactKey);
  exactKey += isExact ? "=>" : "~>";
  Query::write(goal, [](AtomId atom) { return atom; }, exactKey);
  if (const Outcome *outcome = find(exactKey))
    return *outcome;
  Query query(terms);
  for (const Formula &fact : facts)
    query.add(fact);
  query.add(goal.negated());
  std::string key = query.key() + (isExact ? "" : "~");
  for (const Formula &fact : assumed)
    query.assume(fact);
  if (query.hasOverflown())
    return {Outcome::Kind::Unknown, "a number does not fit 64 bits"};
  if (const Outcome *outcome = find(key)) {
    bool isGeneral = known.contains(key);
    return (isGeneral ? known : knownHere)[exactKey] = Outcome(*outcome);
  }
  ++queries;
  auto note = [&](const Outcome &outcome) {
    bool isGeneral = outcome && !impl->needsAssumptions;
    llvm::StringMap<Outcome> &answers = isGeneral ? known : knownHere;
    answers[exactKey] = outcome;
    return answers[key] = outcome;
  };
  // Most products need no more than their signs.
  if (!query.products().empty()) {
    Query simple = query;
    simple.addSigns();
    Outcome outcome = impl->run(terms, simple, /*isExact=*/false);
    if (outcome.kind != Outcome::Kind::Unknown)
      return note(outcome);
    query.addProductFacts();
  }
  return note(impl->run(terms, query, isExact));
}
