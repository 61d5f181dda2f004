//===- ProveDealing.cpp - each tile is run by one worker ------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Conversion/MegaToCpu/Passes.h"
#include "ingot/Prove.h"
#include "lib/Prove/Dealing.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Pass/PassManager.h"

namespace ingot {
#define GEN_PASS_DEF_PROVEDEALING
#include "lib/Prove/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot;
using namespace ingot::prove;

namespace {

/// Where numbers of workers are tried one by one, these are.
constexpr int64_t maxWorkers = 64;

struct ProveDealingPass : ingot::impl::ProveDealingBase<ProveDealingPass> {
  using ProveDealingBase::ProveDealingBase;

  void runOnOperation() override {
    markAllAnalysesPreserved();
    OwningOpRef<ModuleOp> before = getOperation().clone();
    Builder b(&getContext());
    int64_t number = 0;
    for (auto program : before->getOps<mega::ProgramOp>())
      for (Operation &op : program.getProgram())
        if (!isa<mega::StageOp>(op))
          op.setAttr(sameAttrName, b.getI64IntegerAttr(number++));
    OwningOpRef<ModuleOp> after = before->clone();
    PassManager passes(&getContext());
    passes.addPass(createOutlineTiles());
    if (failed(passes.run(*after)))
      return signalPassFailure();
    // Programs of one model are much alike.
    Answers answers;
    for (auto [given, one, other] :
         llvm::zip_equal(getOperation().getOps<mega::ProgramOp>(),
                         before->getOps<mega::ProgramOp>(),
                         after->getOps<mega::ProgramOp>()))
      if (failed(prove(given, one, other, answers)))
        return signalPassFailure();
  }

private:
  LogicalResult prove(mega::ProgramOp given, mega::ProgramOp before,
                      mega::ProgramOp after, Answers &answers) {
    Dealing any(before, after, std::nullopt, answers);
    std::string who = "any number of workers";
    unsigned queries = 0;
    if (any.check()) {
      who = "1 to " + std::to_string(maxWorkers) + " workers";
      for (int64_t workers = 1; workers <= maxWorkers; ++workers) {
        Dealing some(before, after, workers, answers);
        if (std::optional<Dealing::Problem> problem = some.check())
          return problem->op->emitError(problem->text)
                 << " among " << workers << " workers; in program '"
                 << given.getSymName() << "'";
        queries += some.numQueries();
      }
    }
    if (remarks) {
      std::string module =
          getOperation().getName() ? getOperation().getName()->str() + "." : "";
      emitRemark(given.getLoc())
          << "program '" << module << given.getSymName()
          << "': each tile is run by one worker: " << any.spaces << " spaces, "
          << any.numQueries() + queries << " queries, " << who;
    }
    return success();
  }
};

} // namespace
