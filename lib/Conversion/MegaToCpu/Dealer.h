//===- Dealer.h - which worker runs which tiles -----------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dialects/Mega/IR/MegaOps.h"

#include <array>
#include <vector>

namespace ingot {

/// Deals the tiles of a step of a stage. A worker takes tiles that follow each
/// other: what it reads is one stream, and rows that it wrote in one stage it
/// mostly reads in the next. Tiles of several spaces, but for those of a
/// prologue, are dealt space by space, so that of all of them a worker has the
/// same rows, unless it would have fewer if they were numbered in a row. Where
/// later tiles may cost more, or the last rows far less, all are numbered in a
/// row of their own, and a worker takes every so many. Where there are fewer
/// tiles than workers, those of the first numbers get one each.
class Dealer {
public:
  Dealer(mlir::OpBuilder &b, mlir::Location loc,
         llvm::ArrayRef<mega::TilesOp> all, bool isPrologue, mlir::Value worker,
         mlir::Value workers);

  /// Where `condition` holds, each of the first `among` workers runs all tiles,
  /// and nobody else any.
  void repeatWhere(mlir::Value condition, mlir::Value among);

  /// First, end and step of the worker's tiles of the space at `position`.
  std::array<mlir::Value, 3> tilesOf(unsigned position);

  /// The same of the one tile that the worker runs first of all, where that is
  /// of the space at `position`; else of none.
  std::array<mlir::Value, 3> firstOf(unsigned position);

  /// How many workers, those of the first numbers, run a tile at most.
  mlir::Value getBusy() const { return busy; }

private:
  struct Space {
    mlir::Value count;
    /// Tiles before it that are in a row, and that workers take turns with.
    mlir::Value before, beforeInTurn;
    /// Whether workers always take turns.
    bool takesTurns;
  };

  mlir::Value constant(int64_t value);
  mlir::Value add(mlir::Value lhs, mlir::Value rhs);
  mlir::Value divideUp(mlir::Value total);
  mlir::Value select(mlir::Value condition, mlir::Value yes, mlir::Value no);
  mlir::Value share(mlir::Value total, mlir::Value number);
  mlir::Value areUnevenRows(mega::TilesOp tiles);
  mlir::Value inRow(const Space &space, mlir::Value number, mlir::Value begin);
  mlir::Value turnOf(const Space &space);

  mlir::OpBuilder &b;
  mlir::Location loc;
  mlir::Value worker, workers;
  /// Where it holds, workers run all tiles, this one if it `repeats`; null for
  /// never, and for always.
  mlir::Value each, repeats;
  mlir::SmallVector<Space> spaces;
  /// Whether workers take turns with all, as the last rows are too few; null
  /// for never.
  mlir::Value areUneven;
  /// Whether only one space has its tiles in a row.
  bool isAlone = false;
  /// Whether there are fewer tiles in a row than workers, and whether spaces
  /// are dealt each by itself; null for never.
  mlir::Value areFew, areApart;
  /// The number of the next worker, and where the two begin in the row.
  mlir::Value next, begin, end;
  mlir::Value busy;
  /// Whether a tile of an earlier space is the worker's first; null for none.
  mlir::Value isPast;
};

/// Deals each step of `stage`. Where each worker runs a step, those do who run
/// something that reads what it writes.
std::vector<Dealer> dealStage(mlir::OpBuilder &b, mega::StageOp stage,
                              mlir::Value worker, mlir::Value workers);

} // namespace ingot
