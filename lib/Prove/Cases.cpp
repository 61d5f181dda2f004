//===- Cases.cpp - the ways in which conditions hold ----------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Prove/Cases.h"

#include "dialects/Ingot/IR/IngotOps.h"
#include "lib/Prove/Model.h"

using namespace mlir;
using namespace ingot;
using namespace ingot::prove;

namespace {

/// Numbers that are tried before the solver is asked.
constexpr unsigned numSamples = 400;

/// What decides who runs a stage, where buffers lie and where workers wait.
llvm::SetVector<Value> conditionsOf(mega::ProgramOp program) {
  llvm::SetVector<Value> conditions;
  for (const Step &step : stepsOf(program)) {
    Value condition = step.each;
    if (auto barrier = step.getBarrier())
      condition = barrier.getUnless();
    else if (auto scratch = dyn_cast<mega::ScratchOp>(step.op))
      condition = scratch.getEach();
    if (condition)
      conditions.insert(condition);
  }
  return conditions;
}

} // namespace

void Case::assume(Values &values, Solver &solver) const {
  values.assume(holds);
  solver.assume(facts);
}

std::optional<std::vector<Case>>
ingot::prove::casesOf(ArrayRef<Value> conditions, Values &values,
                      Solver &solver, const Case &start) {
  Bounds bounds(values.terms);
  // Of each case, samples that it holds for: it is possible, then.
  std::vector<Case> cases = {start};
  std::vector<SmallVector<unsigned>> samples(1);
  llvm::copy_if(llvm::seq(numSamples), std::back_inserter(samples.front()),
                [&](unsigned sample) {
                  return bounds.holds(Formula::all(start.facts), sample) ==
                         true;
                });
  values.assume(llvm::DenseMap<Value, bool>());
  solver.assume({});
  for (Value condition : conditions) {
    Formula holds = values.conditionOf(condition, {{}, ""});
    std::vector<Case> next;
    std::vector<SmallVector<unsigned>> nextSamples;
    for (const auto &[known, old] : llvm::zip_equal(cases, samples))
      for (bool isHeld : {true, false}) {
        Case longer = known;
        longer.holds[condition] = isHeld;
        longer.facts.push_back(isHeld ? holds : holds.negated());
        SmallVector<unsigned> kept;
        llvm::copy_if(old, std::back_inserter(kept), [&](unsigned sample) {
          return bounds.holds(holds, sample) == isHeld;
        });
        if (kept.empty()) {
          // Without an answer it may be.
          Outcome outcome = solver.prove(longer.facts, Formula::any({}));
          if (outcome)
            continue;
          unsigned sample = bounds.addSample(outcome.values);
          if (bounds.holds(Formula::all(longer.facts), sample) == true)
            kept.push_back(sample);
        }
        next.push_back(std::move(longer));
        nextSamples.push_back(std::move(kept));
      }
    cases = std::move(next);
    samples = std::move(nextSamples);
    if (cases.size() > maxCases)
      return std::nullopt;
  }
  return cases;
}

LogicalResult Model::forEachCase(llvm::function_ref<LogicalResult()> check) {
  queriesBefore = solver.numQueries();
  if (!cases)
    cases = casesOf(conditionsOf(program).getArrayRef(), values, solver);
  if (!cases)
    return program.emitError("cannot be proved: its conditions hold in more "
                             "than ")
           << maxCases << " ways";
  for (const Case &one : *cases) {
    one.assume(values, solver);
    if (failed(collect()))
      return failure();
    isPossible = isPossible || mayHappen();
    if (failed(check()))
      return failure();
  }
  if (isPossible)
    return success();
  return program.emitError("cannot be proved: no sizes were found that meet "
                           "its checks and the ranges of its dims");
}

bool Model::mayHappen() {
  std::vector<Formula> all;
  for (const auto &[check, holds] : checks)
    all.push_back(holds);
  if (auto module = program->getParentOfType<ModuleOp>())
    for (auto dim : module.getOps<DimOp>())
      all.push_back(values.rangeOf(dim));
  return solver.prove(all, Formula::any({})).kind == Outcome::Kind::Refuted;
}
