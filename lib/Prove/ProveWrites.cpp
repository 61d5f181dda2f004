//===- ProveWrites.cpp - every element of every output is written ---------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Prove.h"
#include "lib/Prove/Model.h"

namespace ingot {
#define GEN_PASS_DEF_PROVEWRITES
#include "lib/Prove/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot;
using namespace ingot::prove;

namespace {

/// Whether all of the output is written.
LogicalResult checkOutput(Model &model, BlockArgument output) {
  SmallVector<const Access *> all, last;
  Part target;
  for (const Access &access : model.accesses) {
    if (!access.writes)
      continue;
    Part part = model.partOf(access, model.tileOf(access, "a"));
    if (part.buffer.value != output)
      continue;
    target = part;
    if (!last.empty() && last.back()->interval != access.interval)
      last.clear();
    last.push_back(&access);
    all.push_back(&access);
  }
  std::string name =
      model.memory.nameOf({Buffer::Kind::Argument, output, {}, 0, 0});
  if (all.empty()) {
    // One that has no element needs no write.
    Poly count = 1;
    for (const Poly &extent : model.values.shapeOf(output, {{}, ""}))
      count = count * extent;
    if (model.solver.prove({}, equal(count, 0)))
      return success();
    return model.program.emitError() << name << " is never written";
  }
  Outcome outcome = model.cover(last, target, /*isWhole=*/true);
  if (!outcome && all.size() != last.size())
    outcome = model.cover(all, target, /*isWhole=*/true);
  return outcome ? success()
                 : report(model, *last.back(), "not every element is written",
                          outcome);
}

struct ProveWritesPass : ingot::impl::ProveWritesBase<ProveWritesPass> {
  using ProveWritesBase::ProveWritesBase;

  void runOnOperation() override {
    Model &model = getAnalysis<Model>();
    SmallVector<BlockArgument> outputs;
    for (BlockArgument arg : getOperation().getArguments())
      if (model.values.roleOf(arg) == "output")
        outputs.push_back(arg);
    auto check = [&] {
      bool isRight = succeeded(checkOperands(model));
      for (BlockArgument output : outputs)
        isRight &= succeeded(checkOutput(model, output));
      return success(isRight);
    };
    if (failed(model.forEachCase(check)))
      return signalPassFailure();
    markAllAnalysesPreserved();
    if (remarks)
      emitRemark(getOperation().getLoc())
          << "program '" << model.name()
          << "': every element is written: " << outputs.size() << " outputs, "
          << model.describeWork();
  }
};

} // namespace
