//===- TileLeader.h - the op that decides how a stage is cut ----*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A stage may hold a contraction and what is done to each element or row of its
// result. The contraction says how large its tiles should be; tiles of what
// follows are multiples of that, as its own whole dims ask for.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "mlir/Interfaces/TilingInterface.h"

namespace ingot {

/// A tile of a value that the contraction behind it would like.
struct LeaderTile {
  /// By dim of the value; 0 takes a dim whole.
  llvm::SmallVector<int64_t> sizes;
  /// What offsets have to be multiples of.
  llvm::SmallVector<int64_t> units;
  /// In how many dims the contraction is cut. Who takes larger tiles computes
  /// what other tiles need too, or leaves others nothing to do.
  int64_t cutDims = 0;
};

/// The tile of `op`'s result, if `op` is a contraction or computes element by
/// element from one that nothing else uses.
std::optional<LeaderTile> leaderTile(mlir::Operation *op);

/// Tile sizes for a stage whose last op is `root`: those of its leader where
/// the leader can join it, else its own; which of them, `followsLeader` tells.
llvm::SmallVector<int64_t> stageTileSizes(mlir::TilingInterface root,
                                          bool &followsLeader);

} // namespace ingot
