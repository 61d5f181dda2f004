//===- DealingTest.cpp - what becomes of stages ---------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Prove/Dealing.h"

#include "dialects/Ingot/IR/IngotDialect.h"
#include "dialects/Mega/IR/MegaDialect.h"
#include "ingot/Conversion/MegaToCpu/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace ingot;
using namespace ingot::prove;

namespace {

constexpr StringLiteral text = R"(
  mega.program @main(%few: i1, %arena: memref<?xi8> {ingot.role = "arena"},
      %worker: index {ingot.role = "worker"},
      %workers: index {ingot.role = "workers"},
      %error: !llvm.ptr {ingot.role = "error"}) {
    mega.stage prologue each %few {
      mega.tiles (%i) in (8) step (2) {
      }
      mega.barrier unless %few
    } {
      mega.tiles (%i) in (8) step (1) {
      }
    }
    mega.return
  })";

class DealingTest : public testing::Test {
protected:
  DealingTest() {
    context.loadDialect<IngotDialect, mega::MegaDialect, arith::ArithDialect,
                        func::FuncDialect, scf::SCFDialect,
                        memref::MemRefDialect, LLVM::LLVMDialect>();
    before = parseSourceString<ModuleOp>(text, &context);
    after = before->clone();
    PassManager passes(&context);
    passes.addPass(createOutlineTiles());
    EXPECT_TRUE(succeeded(passes.run(*after)));
  }

  static mega::ProgramOp programOf(ModuleOp module) {
    return *module.getOps<mega::ProgramOp>().begin();
  }
  /// What is wrong with what became of the program.
  std::string problem() {
    auto found = Dealing(programOf(*before), programOf(*after), 3).check();
    return found ? found->text : "";
  }
  mega::BarrierOp barrier() {
    return *programOf(*after).getProgram().getOps<mega::BarrierOp>().begin();
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> before, after;
};

TEST_F(DealingTest, BarriersStay) { EXPECT_EQ(problem(), ""); }

TEST_F(DealingTest, BarrierIsGone) {
  barrier().erase();
  EXPECT_EQ(problem(), "has other barriers than what became of it");
}

TEST_F(DealingTest, BarrierIsElsewhere) {
  Block &program = programOf(*after).getProgram();
  barrier()->moveBefore(&program, program.begin());
  EXPECT_EQ(problem(), "has other barriers than what became of it");
}

TEST_F(DealingTest, EveryWorkerWaits) {
  barrier().getUnlessMutable().clear();
  EXPECT_EQ(problem(), "has other barriers than what became of it");
}

} // namespace
