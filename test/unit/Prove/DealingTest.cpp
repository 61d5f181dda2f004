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
      %error: !llvm.ptr {ingot.role = "error"}, %y: memref<4xf32>) {
    %c0 = arith.constant 0 : index
    %zero = arith.constant 0.0 : f32
    %own = mega.scratch %arena[%c0][] each %few : memref<?xi8> to memref<4xf32>
    mega.stage prologue each %few {
      mega.tiles (%i) in (8) step (2) {
        %to = mega.access write %own : memref<4xf32> to memref<4xf32>
      }
      mega.barrier unless %few
    } {
      mega.tiles (%i) in (3) step (1) {
        %from = mega.access read %own : memref<4xf32> to memref<4xf32>
      }
    }
    mega.barrier
    mega.stage {
      mega.tiles (%i) in (2) step (1) {
      }
    }
    mega.single {
      memref.store %zero, %y[%c0] : memref<4xf32>
    }
    mega.barrier
    %0 = memref.load %y[%c0] : memref<4xf32>
    mega.barrier
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
    Answers answers;
    auto found =
        Dealing(programOf(*before), programOf(*after), 5, answers).check();
    return found ? found->text : "";
  }
  mega::BarrierOp barrier(unsigned number = 0) {
    auto all = programOf(*after).getProgram().getOps<mega::BarrierOp>();
    return *std::next(all.begin(), number);
  }
  /// Lets a barrier wait for so many workers.
  void waitFor(unsigned number, int64_t count) {
    OpBuilder b(barrier(number));
    Value busy = arith::ConstantIndexOp::create(b, b.getUnknownLoc(), count);
    barrier(number).getBusyMutable().assign(busy);
  }
  /// The choice of those who run the prologue, where each that reads it does.
  arith::SelectOp readersOfPrologue() {
    for (auto select : programOf(*after).getProgram().getOps<arith::SelectOp>())
      if (auto compare = select.getCondition().getDefiningOp<arith::CmpIOp>())
        if (compare.getLhs() == programOf(*after).getArgument(2))
          return select;
    return {};
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

// Three of five workers have a tile behind the prologue, and nobody else runs
// it.
TEST_F(DealingTest, PrologueIsForReaders) {
  ASSERT_TRUE(readersOfPrologue());
  EXPECT_TRUE(barrier(1).getBusy());
}

TEST_F(DealingTest, PrologueIsNotRun) {
  arith::SelectOp select = readersOfPrologue();
  ASSERT_TRUE(select);
  select.getTrueValueMutable().assign(select.getFalseValue());
  EXPECT_EQ(problem(), "is not run by every worker");
}

TEST_F(DealingTest, PrologueIsRunByTooFew) {
  arith::SelectOp select = readersOfPrologue();
  ASSERT_TRUE(select);
  auto compare = select.getCondition().getDefiningOp<arith::CmpIOp>();
  OpBuilder b(compare);
  Value two = arith::ConstantIndexOp::create(b, compare.getLoc(), 2);
  compare.getRhsMutable().assign(two);
  EXPECT_EQ(problem(), "is not run by every worker");
}

// With few rows nobody waits behind the prologue: the next barrier does.
TEST_F(DealingTest, BarrierForgetsTilesInFrontOfAnother) {
  waitFor(1, 2);
  EXPECT_EQ(problem(),
            "is run by a worker that the next barrier does not wait for");
}

TEST_F(DealingTest, BarrierWaitsForMoreThanItHasTo) {
  waitFor(1, 4);
  EXPECT_EQ(problem(), "");
}

TEST_F(DealingTest, BarrierWaitsForWhoIsNotThere) {
  waitFor(1, 6);
  EXPECT_EQ(problem(), "has a barrier that may wait for more workers than "
                       "there are, or for less than none");
}

TEST_F(DealingTest, BarrierForgetsTiles) {
  waitFor(2, 1);
  EXPECT_EQ(problem(),
            "is run by a worker that the next barrier does not wait for");
}

TEST_F(DealingTest, BarrierForgetsWorkerNone) {
  waitFor(2, 0);
  EXPECT_EQ(problem(), "does something outside of its stages that the next "
                       "barrier does not wait for");
}

TEST_F(DealingTest, BarrierForgetsWhatEachReads) {
  waitFor(3, 4);
  EXPECT_EQ(problem(), "does something outside of its stages that the next "
                       "barrier does not wait for");
}

TEST_F(DealingTest, WorkersWaitForDifferentNumbers) {
  barrier(1).getBusyMutable().assign(programOf(*after).getArgument(2));
  EXPECT_EQ(problem(), "has a barrier at which workers wait for different "
                       "numbers of others");
}

} // namespace
