//===- Cases.cpp - the ways that a program can go -------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Prove/Model.h"

#include "dialects/Ingot/IR/IngotOps.h"

using namespace mlir;
using namespace ingot;
using namespace ingot::prove;

namespace {

/// More ways than these are not followed.
constexpr size_t maxCases = 64;

/// Which conditions hold, in the order of the program, and what that says.
struct Case {
  SmallVector<bool> holds;
  std::vector<Formula> facts;
};

/// What decides who runs a stage, where buffers lie and where workers wait.
llvm::SetVector<Value> conditionsOf(mega::ProgramOp program) {
  llvm::SetVector<Value> conditions;
  for (Operation &op : program.getProgram()) {
    Value condition;
    if (auto stage = dyn_cast<mega::StageOp>(op))
      condition = stage.getEach();
    else if (auto barrier = dyn_cast<mega::BarrierOp>(op))
      condition = barrier.getUnless();
    else if (auto scratch = dyn_cast<mega::ScratchOp>(op))
      condition = scratch.getEach();
    if (condition)
      conditions.insert(condition);
  }
  return conditions;
}

} // namespace

LogicalResult Model::forEachCase(llvm::function_ref<LogicalResult()> check) {
  llvm::SetVector<Value> conditions = conditionsOf(program);
  std::vector<Case> cases(1);
  for (Value condition : conditions) {
    Formula holds = values.conditionOf(condition, {{}, ""});
    std::vector<Case> next;
    for (const Case &known : cases)
      for (bool isHeld : {true, false}) {
        Case longer = known;
        longer.holds.push_back(isHeld);
        longer.facts.push_back(isHeld ? holds : holds.negated());
        // Without an answer it may be.
        if (!solver.prove(longer.facts, Formula::any({})))
          next.push_back(longer);
      }
    cases = std::move(next);
    if (cases.size() > maxCases)
      return program.emitError("cannot be proved: its conditions hold in more "
                               "than ")
             << maxCases << " ways";
  }

  bool isPossible = false;
  for (const Case &one : cases) {
    llvm::DenseMap<Value, bool> assumed;
    for (auto [condition, holds] : llvm::zip_equal(conditions, one.holds))
      assumed[condition] = holds;
    values.assume(std::move(assumed));
    solver.assume(one.facts);
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
