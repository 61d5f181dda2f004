//===- LowerChecks.cpp - runtime checks to error ids ----------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/IngotOps.h"
#include "ingot/Conversion/MegaToCpu/Passes.h"
#include "lib/Conversion/MegaToCpu/Program.h"

namespace ingot {
#define GEN_PASS_DEF_LOWERCHECKS
#include "lib/Conversion/MegaToCpu/Passes.h.inc"
} // namespace ingot

using namespace mlir;

void ingot::emitCheck(OpBuilder &b, Location loc, Value condition, int32_t id,
                      Value error) {
  Value isTrue = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
  Value isFailed = arith::XOrIOp::create(b, loc, condition, isTrue);
  scf::IfOp::create(b, loc, isFailed, [&](OpBuilder &b, Location loc) {
    Value none = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(0));
    Value mine = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(id));
    LLVM::AtomicCmpXchgOp::create(b, loc, error, none, mine,
                                  LLVM::AtomicOrdering::monotonic,
                                  LLVM::AtomicOrdering::monotonic);
    scf::YieldOp::create(b, loc);
  });
}

namespace {

struct LowerChecksPass : ingot::impl::LowerChecksBase<LowerChecksPass> {
  void runOnOperation() override {
    ingot::ErrorTable errors(getOperation());
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      Value error;
      for (unsigned i = 0; i < func.getNumArguments(); ++i)
        if (auto role = func.getArgAttrOfType<StringAttr>(i, "ingot.role"))
          if (role.getValue() == "error")
            error = func.getArgument(i);
      WalkResult result = func.walk([&](ingot::CheckOp check) {
        if (!error) {
          check.emitError("is in a function without an error argument");
          return WalkResult::interrupt();
        }
        OpBuilder b(check);
        ingot::emitCheck(b, check.getLoc(), check.getCondition(),
                         errors.idOf(check.getMessage()), error);
        check.erase();
        return WalkResult::advance();
      });
      if (result.wasInterrupted())
        return signalPassFailure();
    }
  }
};

} // namespace
