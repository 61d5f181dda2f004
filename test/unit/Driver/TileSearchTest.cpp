//===- TileSearchTest.cpp - tests of the search for tiles -----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Driver/TileSearch.h"

#include <functional>
#include <gtest/gtest.h>
#include <map>

using namespace ingot;

namespace {

/// A machine on which time passes only by what is done.
class FakeTrials : public TileTrials {
public:
  /// Seconds of the stages with a shape, by its tile and the size.
  std::function<double(size_t shape, const Tile &tile, size_t size)> cost;
  /// Seconds of what is in no stage with a shape.
  std::function<double(llvm::ArrayRef<Tile>)> rest = [](auto) { return 0.0; };
  double making = 0.1, time = 100;
  size_t mostRuns = 1 << 20;
  size_t cancelAfter = 1 << 20;
  /// Variants that cannot be made, and that fail when they are run.
  std::vector<size_t> unmakable, failing;

  std::map<size_t, std::vector<Tile>> made;
  std::vector<size_t> runs;
  double longest = 0;

  double now() override { return time; }
  bool isCancelled() override { return runs.size() >= cancelAfter; }
  bool prepare(size_t variant, llvm::ArrayRef<Tile> tiles) override {
    if (made.count(variant))
      return true;
    time += making;
    if (llvm::is_contained(unmakable, variant))
      return false;
    made[variant] = tiles.vec();
    return true;
  }
  std::optional<TrialRun> run(size_t variant, size_t size,
                              double limit) override {
    EXPECT_GT(limit, 0);
    runs.push_back(variant);
    if (llvm::is_contained(failing, variant))
      return std::nullopt;
    TrialRun run;
    for (auto [i, tile] : llvm::enumerate(made.at(variant))) {
      run.shapes.push_back(cost(i, tile, size));
      run.whole += run.shapes.back();
    }
    run.whole += rest(made.at(variant));
    // Whoever runs keeps to the limit.
    time += std::min(run.whole, limit);
    longest = std::max(longest, std::min(run.whole, limit));
    if (run.whole > limit)
      return std::nullopt;
    return run;
  }
};

const Tile usual = {24, 32, 512}, better = {64, 32, 512},
           worse = {128, 64, 512};

std::vector<ShapeTrial> twoShapes() {
  return {{"a", {usual, better, worse}}, {"b", {usual, worse}}};
}

/// The same on each run: `better` takes 0.8 of the time, `worse` 1.5.
double plain(size_t, const Tile &tile, size_t size) {
  double factor = tile == better ? 0.8 : tile == worse ? 1.5 : 1;
  return 0.001 * double(size + 1) * factor;
}

} // namespace

TEST(TileSearch, TakesTheFaster) {
  FakeTrials trials;
  trials.cost = plain;
  TileChoice choice = searchTiles(twoShapes(), 2, 10, trials);
  EXPECT_EQ(choice.tiles, (std::vector<Tile>{better, usual}));
  ASSERT_NE(choice.variant, 0u);
  EXPECT_EQ(trials.made[choice.variant], choice.tiles);
  ASSERT_EQ(choice.shapes.size(), 2u);
  EXPECT_EQ(choice.shapes[0].of, "a");
  EXPECT_EQ(choice.shapes[0].tile, better.str());
  ASSERT_EQ(choice.shapes[0].tried.size(), 3u);
  EXPECT_EQ(choice.shapes[0].tried[2].tile, worse.str());
  EXPECT_NEAR(choice.shapes[0].tried[2].seconds[1], 0.003, 1e-9);
  EXPECT_EQ(choice.shapes[1].tile, usual.str());
  ASSERT_EQ(choice.before.size(), 2u);
  EXPECT_NEAR(choice.before[0], 0.002, 1e-9);
  EXPECT_NEAR(choice.after[0], 0.0018, 1e-9);
}

TEST(TileSearch, NeverTakesASlower) {
  FakeTrials trials;
  trials.cost = [](size_t, const Tile &tile, size_t) {
    return tile == usual ? 0.001 : 0.0011;
  };
  TileChoice choice = searchTiles(twoShapes(), 1, 10, trials);
  EXPECT_EQ(choice.tiles, (std::vector<Tile>{usual, usual}));
  EXPECT_EQ(choice.variant, 0u);
  EXPECT_TRUE(choice.before.empty());
  EXPECT_EQ(choice.shapes[0].tile, usual.str());
}

TEST(TileSearch, NoiseIsNoGain) {
  FakeTrials trials;
  trials.cost = [](size_t, const Tile &tile, size_t) {
    return tile == usual ? 0.001 : 0.00099;
  };
  EXPECT_EQ(searchTiles(twoShapes(), 1, 10, trials).variant, 0u);
}

TEST(TileSearch, WhatIsFasterInPartsMustBeFasterAsAWhole) {
  FakeTrials trials;
  trials.cost = plain;
  // What the better tile saves, something else takes.
  trials.rest = [](llvm::ArrayRef<Tile> tiles) {
    return tiles[0] == better ? 0.001 : 0;
  };
  TileChoice choice = searchTiles(twoShapes(), 1, 10, trials);
  EXPECT_EQ(choice.variant, 0u);
  EXPECT_EQ(choice.tiles, (std::vector<Tile>{usual, usual}));
  EXPECT_EQ(choice.shapes[0].tile, usual.str());
}

TEST(TileSearch, AllSizesCount) {
  FakeTrials trials;
  // A little better at one size, much worse at the other.
  trials.cost = [](size_t, const Tile &tile, size_t size) {
    return tile == better ? (size == 0 ? 0.0009 : 0.002) : 0.001;
  };
  EXPECT_EQ(searchTiles(twoShapes(), 2, 10, trials).variant, 0u);
  EXPECT_NE(searchTiles(twoShapes(), 1, 10, trials).variant, 0u);
}

TEST(TileSearch, NoSizeLosesForAnother) {
  FakeTrials trials;
  trials.cost = [](size_t, const Tile &tile, size_t size) {
    return tile == better ? (size == 0 ? 0.0005 : 0.0011) : 0.001;
  };
  TileChoice choice = searchTiles(twoShapes(), 2, 10, trials);
  EXPECT_EQ(choice.variant, 0u);
  EXPECT_TRUE(choice.after.empty());
}

TEST(TileSearch, FactorsMakeASum) {
  FakeTrials trials;
  // 3 % better of a second at one size, twice as fast of a millisecond at the
  // other: as a mean much, as a sum little.
  trials.cost = [](size_t, const Tile &tile, size_t size) {
    double usually = size == 0 ? 1 : 0.001;
    double share = tile == usual    ? 1
                   : tile == better ? (size == 0 ? 0.97 : 1)
                                    : (size == 0 ? 1 : 0.5);
    return usually * share;
  };
  std::vector<ShapeTrial> shapes = {{"a", {usual, better, worse}}};
  EXPECT_EQ(searchTiles(shapes, 2, 1000, trials).tiles[0], worse);
  trials.made.clear();
  std::vector<double> factors = {1, 1};
  EXPECT_EQ(searchTiles(shapes, 2, 1000, trials, factors).tiles[0], better);
  // What is done often counts as often.
  trials.made.clear();
  factors[1] = 1000;
  EXPECT_EQ(searchTiles(shapes, 2, 1000, trials, factors).tiles[0], worse);
}

TEST(TileSearch, OneDisturbanceIsForgiven) {
  FakeTrials trials;
  trials.cost = [&](size_t shape, const Tile &tile, size_t size) {
    // Somebody else has the machine now and then.
    return plain(shape, tile, size) * (trials.runs.size() % 7 == 0 ? 50 : 1);
  };
  EXPECT_EQ(searchTiles(twoShapes(), 1, 100, trials).tiles[0], better);
}

TEST(TileSearch, KeepsToTheTime) {
  for (double seconds : {0.01, 0.15, 0.5, 1.0, 3.0}) {
    FakeTrials trials;
    trials.cost = [](size_t, const Tile &tile, size_t) {
      return tile == better ? 0.05 : 0.06;
    };
    searchTiles(twoShapes(), 3, seconds, trials);
    // A program that is being made is made; no run goes on.
    EXPECT_LE(trials.time, 100 + seconds + trials.making + 1e-9) << seconds;
  }
}

TEST(TileSearch, WithoutTimeTheUsualTilesStay) {
  FakeTrials trials;
  trials.cost = [](size_t, const Tile &tile, size_t) {
    return tile == usual ? 5.0 : 0.1;
  };
  // The usual one does not even end.
  TileChoice choice = searchTiles(twoShapes(), 1, 2, trials);
  EXPECT_EQ(choice.variant, 0u);
  EXPECT_TRUE(choice.shapes.empty());
  EXPECT_LE(trials.time, 102 + trials.making);
}

TEST(TileSearch, WhatCannotBeMadeIsLeftOut) {
  FakeTrials trials;
  trials.cost = plain;
  trials.unmakable = {1};
  TileChoice choice = searchTiles(twoShapes(), 1, 10, trials);
  EXPECT_EQ(choice.variant, 0u);
  EXPECT_EQ(choice.shapes[0].tried.size(), 2u);
  trials.unmakable = {0};
  trials.made.clear();
  EXPECT_TRUE(searchTiles(twoShapes(), 1, 10, trials).shapes.empty());
}

TEST(TileSearch, CancelEndsIt) {
  FakeTrials trials;
  trials.cost = plain;
  trials.cancelAfter = 5;
  TileChoice choice = searchTiles(twoShapes(), 1, 1000, trials);
  EXPECT_EQ(choice.variant, 0u);
  EXPECT_EQ(trials.runs.size(), 5u);
}

TEST(TileSearch, VariantsTakeTurns) {
  FakeTrials trials;
  trials.cost = plain;
  searchTiles({{"a", {usual, worse}}}, 1, 10, trials);
  ASSERT_GE(trials.runs.size(), 6u);
  // The first one of a round is another one each time.
  EXPECT_EQ(llvm::ArrayRef(trials.runs).slice(2, 4).vec(),
            (std::vector<size_t>{0, 1, 1, 0}));
}

TEST(TileSearch, NothingToTry) {
  FakeTrials trials;
  trials.cost = plain;
  EXPECT_EQ(searchTiles({}, 1, 1, trials).variant, 0u);
  EXPECT_EQ(searchTiles({{"a", {usual}}}, 1, 1, trials).variant, 0u);
}
