//===- TileSearch.h - the fastest of some tiles -----------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A variant of a program has one tile for each shape of its kernels; all
// variants give the same bits. Variant number v has each shape's v-th tile, so
// that few programs try many tiles, and the time of the stages with a shape
// tells which of its tiles is best. Runs of the variants take turns. What was
// chosen is put together and must beat the usual tiles once more, as a whole.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ingot/Conversion/MegaToCpu/TileCosts.h"
#include "runtime/core/Manifest.h"

#include "llvm/ADT/ArrayRef.h"

#include <optional>
#include <string>
#include <vector>

namespace ingot {

/// A shape, and the tiles to try: the usual one first.
struct ShapeTrial {
  std::string of;
  std::vector<Tile> tiles;
};

/// Seconds of a run: the whole of it, and of the stages with each shape.
struct TrialRun {
  double whole = 0;
  std::vector<double> shapes;
};

/// What the search measures with. Tests have a clock of their own.
class TileTrials {
public:
  virtual ~TileTrials() = default;

  /// Seconds since any point in time.
  virtual double now() = 0;
  /// Whether nobody wants the result any more.
  virtual bool isCancelled() = 0;
  /// Makes the program with these tiles, one a shape; it is `variant` from now
  /// on. False if that is not possible.
  virtual bool prepare(size_t variant, llvm::ArrayRef<Tile> tiles) = 0;
  /// Runs a variant once at one of the sizes, for at most `limit` seconds.
  /// Nothing if it did not end within them, or failed.
  virtual std::optional<TrialRun> run(size_t variant, size_t size,
                                      double limit) = 0;
};

/// What was found.
struct TileChoice {
  /// The tile of each shape.
  std::vector<Tile> tiles;
  /// The variant with these tiles, as it was prepared: 0 for the usual ones.
  size_t variant = 0;
  /// Medians of the tiles that were tried, and of whole runs; for people.
  std::vector<rt::TunedShape> shapes;
  std::vector<double> before, after;
};

/// Searches for at most `seconds`, in which programs are made, too. A tile that
/// was measured as slower than the usual one is never chosen; without the time
/// for a fair comparison the usual ones are. What has to become less is the
/// geometric mean over all sizes, or with `factors`, one a size, the sum of the
/// sizes' seconds times these.
TileChoice searchTiles(llvm::ArrayRef<ShapeTrial> shapes, size_t sizes,
                       double seconds, TileTrials &trials,
                       llvm::ArrayRef<double> factors = {});

} // namespace ingot
