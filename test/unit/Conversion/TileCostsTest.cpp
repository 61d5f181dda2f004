//===- TileCostsTest.cpp - tests of the cost model of tiles ---------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Conversion/MegaToCpu/TileCosts.h"

#include <algorithm>
#include <gtest/gtest.h>

using namespace ingot;
using Kind = TileShape::Kind;

static TileShape product(int64_t depth, int64_t columns) {
  return {Kind::Product, depth, columns, 32};
}

TEST(Tile, IsItsText) {
  for (Tile tile : {Tile{64, 32, 1024}, Tile{24, 32, 0}, Tile{48, 0, 0}}) {
    Tile read;
    EXPECT_TRUE(Tile::parse(tile.str(), read)) << tile.str();
    EXPECT_EQ(read, tile);
  }
  Tile tile;
  for (const char *text :
       {"", "x", "0x4", "-3", "4x", "4x4x4x", "4x4x4x4", "4x-4", " 4", "4 ",
        "04", "4x0", "99999999999999999999"})
    EXPECT_FALSE(Tile::parse(text, tile)) << text;
}

TEST(TileCosts, TeamsWantAsManyTilesAsWorkers) {
  TileMachine few, many;
  few.workers = 2;
  many.workers = 64;
  Tile large = chooseTile(product(768, 768), few);
  Tile small = chooseTile(product(768, 768), many);
  EXPECT_GT(large.rows * large.columns, small.rows * small.columns);
  // With equal shares no worker waits: half the work takes half as long.
  Tile tile = {64, 32, 1024};
  EXPECT_DOUBLE_EQ(secondsOf(product(768, 3072), 1024, tile, few),
                   2 * secondsOf(product(768, 3072), 512, tile, few));
}

TEST(TileCosts, SlowMemoryWantsMoreRows) {
  TileMachine fast, slow;
  fast.workers = slow.workers = 1;
  fast.memoryReads = fast.lastReads = fast.ownReads = 1e12;
  slow.memoryReads = slow.lastReads = 1e9;
  EXPECT_GE(chooseTile(product(1024, 4096), slow).rows, 128);
  double ratio = secondsOf(product(1024, 4096), 1024, {24, 64, 1024}, fast) /
                 secondsOf(product(1024, 4096), 1024, {128, 64, 1024}, fast);
  EXPECT_NEAR(ratio, 1, 0.05);
}

TEST(TileCosts, BlocksStayInTheCache) {
  TileMachine small, large;
  small.ownCache = 96 << 10;
  large.ownCache = 8 << 20;
  Tile tile = chooseTile(product(4096, 1024), small);
  EXPECT_LE(tile.columns * tile.depth * 4, 128 << 10);
  EXPECT_GT(chooseTile(product(4096, 1024), large).depth, tile.depth);
}

TEST(TileCosts, PairsTakeHalfTheTime) {
  TileShape floats = product(3072, 768);
  TileShape pairs = floats;
  pairs.weightBits = pairs.inputBits = 16;
  EXPECT_EQ(pairs.str(), "product 3072x768 of 16 by 16 bits");
  EXPECT_EQ(TileShape::parse(pairs.str()), pairs);
  EXPECT_EQ(TileShape::parse(floats.str()), floats);
  Tile tile = {96, 64, 1024};
  double ratio =
      secondsOf(floats, 1024, tile, {}) / secondsOf(pairs, 1024, tile, {});
  EXPECT_GT(ratio, 1.7);
  EXPECT_LT(ratio, 2.3);
}

TEST(TileCosts, OthersAreOthers) {
  for (Kind kind :
       {Kind::Product, Kind::Coded, Kind::Attention, Kind::PagedAttention}) {
    TileShape shape = {kind, 768, 3072, 32};
    Tile taken = chooseTile(shape);
    std::vector<Tile> others = otherTiles(shape, {}, taken, 4);
    EXPECT_GE(others.size(), 2u);
    EXPECT_LE(others.size(), 4u);
    EXPECT_EQ(std::ranges::count(others, taken), 0);
  }
  EXPECT_TRUE(
      otherTiles(product(-1, 4), {}, chooseTile(product(-1, 4)), 4).empty());
}

TEST(TileCosts, ExtremesAreNoTrouble) {
  for (int64_t depth : {1, 16, 1 << 20})
    for (int64_t columns : {1, 17, 1 << 20}) {
      Tile tile = chooseTile(product(depth, columns));
      EXPECT_GT(tile.rows, 0);
      EXPECT_EQ(tile.columns % 16, 0);
    }
}
