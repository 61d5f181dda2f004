//===- Steps.h - what each worker does in turn ------------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dialects/Mega/IR/MegaOps.h"

namespace ingot::prove {

/// What a program does between two of its meetings, or a meeting: as a list of
/// these, prologues and what follows them are alike.
struct Step {
  /// A barrier, a stage, or what each worker does for itself.
  mlir::Operation *op;
  /// Of a stage: the tiles, and where each worker runs all of them.
  llvm::SmallVector<mega::TilesOp> tiles;
  mlir::Value each;
  /// The number of the stage, counted from 1, and of its prologue; 0 for none.
  unsigned stage = 0, prologue = 0;

  mega::BarrierOp getBarrier() const {
    return llvm::dyn_cast<mega::BarrierOp>(op);
  }
};

/// In the order in which each worker comes to them.
std::vector<Step> stepsOf(mega::ProgramOp program);

} // namespace ingot::prove
