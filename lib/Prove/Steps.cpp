//===- Steps.cpp - what each worker does in turn --------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Prove/Steps.h"

using namespace mlir;
using namespace ingot;
using namespace ingot::prove;

std::vector<Step> ingot::prove::stepsOf(mega::ProgramOp program) {
  std::vector<Step> steps;
  unsigned number = 0;
  auto add = [&](mega::StageOp stage, Value each, unsigned prologue,
                 Block &block) {
    steps.push_back({stage, {}, each, number, prologue});
    for (Operation &op : block)
      if (auto tiles = dyn_cast<mega::TilesOp>(op))
        steps.back().tiles.push_back(tiles);
      else
        steps.push_back({&op, {}, {}});
  };
  for (Operation &op : program.getProgram().without_terminator()) {
    auto stage = dyn_cast<mega::StageOp>(op);
    if (!stage) {
      steps.push_back({&op, {}, {}});
      continue;
    }
    ++number;
    for (auto [i, region] : llvm::enumerate(stage.getPrologues()))
      add(stage, stage.getConditions()[i], i + 1, region.front());
    add(stage, stage.getEach(), 0, stage.getBody().front());
  }
  return steps;
}
