//===- BandWaits.h - tiles that wait for a part of a stage ------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dialects/Mega/IR/CounterOps.h"

namespace ingot {

/// What tiles and workers cost, by which counters or a barrier is chosen.
struct SyncCosts {
  /// How many workers share the tiles.
  int64_t workers;
  /// Operations of one of them in a second.
  double flops;
};

/// That tiles of `later` wait for those tiles of `earlier` that touch the same
/// rows: a band is what the tiles of one number along the first dim touch.
struct BandWait {
  mega::TilesOp earlier, later;
  /// The part that a tile of `later` touches, in the leading dims of what that
  /// is a view of, which together are the rows.
  mlir::SmallVector<mlir::OpFoldResult> offsets, sizes, extents;
  /// Rows of a band: the product of these.
  mlir::SmallVector<mlir::OpFoldResult> bandRows;

  bool operator==(const BandWait &) const = default;
};

/// How tiles with the access `later` would wait for those with `earlier`, of
/// one buffer; nothing where these do not go along its rows.
std::optional<BandWait> bandWaitOf(mega::AccessOp earlier,
                                   mega::AccessOp later);

/// Whether that is expected to take less time than if all workers met.
bool paysOff(const BandWait &wait, const SyncCosts &costs);

/// Puts counters in the place of barriers.
class CounterMaker {
public:
  /// Where counters are set to 0: a stage, with a barrier between it and all
  /// tiles that signal. Null for none.
  void setCleared(mega::StageOp stage) { cleared = stage; }

  /// Whether counters of the tiles can be made.
  bool canMake(const BandWait &wait) const;
  /// Makes them, and lets the tiles wait, unless they do already.
  void make(const BandWait &wait);

private:
  mlir::Value countersOf(mega::TilesOp earlier);

  mega::StageOp cleared;
  /// The tile that sets counters to 0, by the stage that it follows.
  llvm::DenseMap<mlir::Operation *, mega::TilesOp> clearing;
  llvm::DenseMap<mlir::Operation *, mlir::Value> counters;
  std::vector<BandWait> made;
};

} // namespace ingot
