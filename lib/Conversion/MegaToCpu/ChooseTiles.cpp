//===- ChooseTiles.cpp - tiles of ops with kernels ------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Conversion/MegaToCpu/Passes.h"
#include "ingot/Conversion/MegaToCpu/TileHints.h"

#include "llvm/ADT/StringMap.h"

namespace ingot {
#define GEN_PASS_DEF_CHOOSETILES
#include "lib/Conversion/MegaToCpu/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot;

namespace {

struct ChooseTilesPass : ingot::impl::ChooseTilesBase<ChooseTilesPass> {
  using ChooseTilesBase::ChooseTilesBase;

  void runOnOperation() override {
    llvm::StringMap<Tile> chosen;
    for (const std::string &choice : choices) {
      // The shape may hold anything; the tile holds no such sign.
      auto [shape, text] = StringRef(choice).rsplit('=');
      Tile tile;
      if (!Tile::parse(text.str(), tile)) {
        getOperation().emitError("'")
            << choice << "' is not SHAPE=TILE with a tile such as 64x32x1024";
        return signalPassFailure();
      }
      chosen[shape] = tile;
    }
    TileMachine machine{workers,  ownCache,  lastCache,  flops,
                        ownReads, lastReads, memoryReads};
    getOperation().walk([&](Operation *op) {
      std::optional<TileShape> shape = tileShapeOf(op);
      if (!shape)
        return;
      auto given = chosen.find(shape->str());
      setTile(op, *shape,
              given != chosen.end() ? given->second
                                    : chooseTile(*shape, machine));
    });
  }
};

} // namespace
