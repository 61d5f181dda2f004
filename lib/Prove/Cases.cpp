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
                      Solver &solver) {
  std::vector<Case> cases(1);
  cases.front().assume(values, solver);
  for (Value condition : conditions) {
    Formula holds = values.conditionOf(condition, {{}, ""});
    std::vector<Case> next;
    for (const Case &known : cases)
      for (bool isHeld : {true, false}) {
        Case longer = known;
        longer.holds[condition] = isHeld;
        longer.facts.push_back(isHeld ? holds : holds.negated());
        // Without an answer it may be.
        if (!solver.prove(longer.facts, Formula::any({})))
          next.push_back(std::move(longer));
      }
    cases = std::move(next);
    if (cases.size() > maxCases)
      return std::nullopt;
  }
  return cases;
}

LogicalResult Model::forEachCase(llvm::function_ref<LogicalResult()> check) {
  auto cases = casesOf(conditionsOf(program).getArrayRef(), values, solver);
  if (!cases)
    return program.emitError("cannot be proved: its conditions hold in more "
                             "than ")
           << maxCases << " ways";
  bool isPossible = false;
  for (const Case &one : *cases) {
    one.assume(values, solver);
    ++numCases;
    if (failed(collect()))
      return failure();
    isPossible |= mayHappen();
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
