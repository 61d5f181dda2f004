//===- TileCosts.cpp - how long tiles of kernels take ---------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Conversion/MegaToCpu/TileCosts.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <tuple>

using namespace ingot;
using Kind = TileShape::Kind;

/// Rows whose sums are in registers at once, and as many rows as a group of
/// fewer takes time for: panels are loaded for it all the same.
static constexpr int64_t groupRows = 6, leastRows = 3;
/// Seconds from one tile to the next.
static constexpr double dealing = 150e-9;
/// How much of the shorter of computing and waiting for weights the longer one
/// does not hide; and of what comes from the worker's own cache.
static constexpr double unhidden = 0.25, unhiddenOwn = 0.1;
/// Columns that a kernel takes at once, over all rows of the tile.
static constexpr int64_t kernelColumns = 64;
/// With fewer columns a value of x, once loaded, serves fewer products:
/// measured on Zen 4, docs/benchmarks.md.
static constexpr double narrowTime = 1.04;
/// What is to stay in the own cache may take so much of it.
static constexpr double cacheShare = 0.76;

/// Rows of the inputs that a tile should be good for: a short text, a long one,
/// a batch of them. One row is the same for all tiles of as many columns.
static constexpr int64_t usualRows[] = {16, 128, 1024};

static constexpr int64_t rowChoices[] = {24, 48, 64, 96, 128};
static constexpr int64_t columnChoices[] = {32, 64, 128};
static constexpr int64_t depthChoices[] = {512, 1024, 2048};

/// Tiles of products with codes, where little is known of what bounds them:
/// few columns, so that workers get equal shares.
static constexpr Tile codedTiles[] = {{24, 32}, {48, 32}, {24, 64},
                                      {64, 32}, {48, 64}, {24, 16}};
/// Floats are multiplied by what the kernel makes of the codes, once for all
/// rows of the tile.
static constexpr Tile codedFloatTiles[] = {
    {128, 32}, {64, 32}, {48, 32}, {24, 32}};
/// Queries that share a pass over the keys: as many as the kernel takes, half
/// and twice as many.
static constexpr Tile attentionTiles[] = {{48}, {96}, {24}};
/// What serves products of unknown extents.
static constexpr Tile unknownTile = {24, 32, 1024};

std::string Tile::str() const {
  std::string text = std::to_string(rows);
  if (columns)
    text += "x" + std::to_string(columns);
  if (depth)
    text += "x" + std::to_string(depth);
  return text;
}

bool Tile::parse(const std::string &text, Tile &tile) {
  long long rows = 0, columns = 0, depth = 0;
  char rest = 0;
  int count = std::sscanf(text.c_str(), "%lldx%lldx%lld%c", &rows, &columns,
                          &depth, &rest);
  tile = {rows, count > 1 ? columns : 0, count > 2 ? depth : 0};
  // What it stands for is what was read.
  return count >= 1 && rows > 0 && tile.columns >= 0 && tile.depth >= 0 &&
         tile.str() == text;
}

std::string TileShape::str() const {
  auto number = [](int64_t n) { return n < 0 ? "?" : std::to_string(n); };
  switch (kind) {
  case Kind::Product:
  case Kind::Coded:
    return (kind == Kind::Product ? "product " : "coded product ") +
           number(depth) + "x" + number(columns) + " of " + number(weightBits) +
           (kind == Kind::Coded || inputBits != 32
                ? " by " + number(inputBits) + " bits"
                : " bits");
  case Kind::Attention:
    return "attention of " + number(depth);
  case Kind::PagedAttention:
    break;
  }
  return "paged attention of " + number(columns) + "x" + number(depth);
}

std::optional<TileShape> TileShape::parse(const std::string &text) {
  long long depth = -1, columns = -1, weights = 32, inputs = 32;
  TileShape shape;
  if (std::sscanf(text.c_str(), "coded product %lldx%lld of %lld by %lld",
                  &depth, &columns, &weights, &inputs) == 4)
    shape = {Kind::Coded, depth, columns, weights, inputs};
  else if (std::sscanf(text.c_str(), "product %lldx%lld of %lld by %lld",
                       &depth, &columns, &weights, &inputs) >= 3)
    shape = {Kind::Product, depth, columns, weights, inputs};
  else if (std::sscanf(text.c_str(), "attention of %lld", &depth) == 1)
    shape = {Kind::Attention, depth, 1, 32, 32};
  else if (std::sscanf(text.c_str(), "paged attention of %lldx%lld", &columns,
                       &depth) == 2)
    shape = {Kind::PagedAttention, depth, columns, 32, 32};
  // What it stands for is what was read; extents that are not known are not
  // read.
  if (shape.str() != text)
    return std::nullopt;
  return shape;
}

double ingot::secondsOf(const TileShape &shape, int64_t rows, const Tile &tile,
                        const TileMachine &machine) {
  double depth = double(shape.depth);
  int64_t height = std::min(rows, tile.rows);
  int64_t width = std::min(shape.columns, tile.columns);
  int64_t tiles = llvm::divideCeil(rows, tile.rows) *
                  llvm::divideCeil(shape.columns, width);

  int64_t left = height % groupRows, groups = height / groupRows;
  int64_t rowTime = groups * groupRows;
  for (int64_t part = 1; part < groupRows; part *= 2)
    if (left & part)
      rowTime += std::max(part, leastRows);
  groups += std::popcount(uint64_t(left));
  // An instruction multiplies as many pairs of bf16 as floats.
  bool hasPairs = shape.weightBits == 16 && shape.inputBits == 16;
  double compute =
      (hasPairs ? 1 : 2) * double(rowTime * width) * depth / machine.flops;
  if (width < kernelColumns)
    compute *= narrowTime;

  double weightBytes = double(shape.weightBits) / 8;
  double all = depth * double(shape.columns) * weightBytes;
  double weights = depth * double(width) * weightBytes;
  double far = all <= double(machine.ownCache) / 2    ? machine.ownReads
               : all <= double(machine.lastCache) / 2 ? machine.lastReads
                                                      : machine.memoryReads;
  double waiting = weights / far;

  int64_t blocks = llvm::divideCeil(shape.depth, tile.depth);
  double inputBytes = hasPairs ? 2 : 4;
  double block = double(llvm::divideCeil(shape.depth, blocks)) * inputBytes;
  double cache = cacheShare * double(machine.ownCache);
  // Rows are read for each tile, from the own cache if both stay there.
  double own = double(height) * depth * inputBytes /
               (double(height + width) * block <= cache ? machine.ownReads
                                                        : machine.lastReads);
  // Weights are read for each group of rows.
  if (double(std::min(width, kernelColumns)) * block > cache)
    waiting += weights * double(groups - 1) / machine.lastReads;
  // Between blocks the sums wait in the result.
  double sums =
      2 * double((blocks - 1) * height * width) * 4 / machine.ownReads;
  double seconds = std::max(compute, waiting) +
                   unhidden * std::min(compute, waiting) + unhiddenOwn * own +
                   sums + dealing;
  return double(llvm::divideCeil(tiles, machine.workers)) * seconds;
}

/// All tiles of a product, the best first.
static std::vector<Tile> rank(const TileShape &shape,
                              const TileMachine &machine) {
  struct Scored {
    Tile tile;
    double score = 0;
  };
  std::vector<Scored> all;
  for (int64_t depth : depthChoices)
    for (int64_t columns : columnChoices)
      for (int64_t rows : rowChoices)
        // A depth beyond K is as good as one of K.
        if (depth == depthChoices[0] || depth < 2 * shape.depth)
          all.push_back({{rows, columns, depth}});
  for (int64_t rows : usualRows) {
    double best = INFINITY;
    for (const Scored &one : all)
      best = std::min(best, secondsOf(shape, rows, one.tile, machine));
    for (Scored &one : all)
      one.score += std::log(secondsOf(shape, rows, one.tile, machine) / best);
  }
  // Of equal ones the smaller is taken, so that a team has more of them.
  std::sort(all.begin(), all.end(), [](const Scored &a, const Scored &b) {
    return std::tie(a.score, a.tile.rows, a.tile.columns, a.tile.depth) <
           std::tie(b.score, b.tile.rows, b.tile.columns, b.tile.depth);
  });
  std::vector<Tile> tiles;
  tiles.reserve(all.size());
  for (const Scored &one : all)
    tiles.push_back(one.tile);
  return tiles;
}

/// All tiles that a shape may have, the best first.
static std::vector<Tile> allTiles(const TileShape &shape,
                                  const TileMachine &machine) {
  switch (shape.kind) {
  case Kind::Product:
    if (shape.depth <= 0 || shape.columns <= 0)
      return {unknownTile};
    return rank(shape, machine);
  case Kind::Coded:
    if (shape.inputBits == 32)
      return {std::begin(codedFloatTiles), std::end(codedFloatTiles)};
    return {std::begin(codedTiles), std::end(codedTiles)};
  case Kind::Attention:
  case Kind::PagedAttention:
    break;
  }
  return {std::begin(attentionTiles), std::end(attentionTiles)};
}

Tile ingot::chooseTile(const TileShape &shape, const TileMachine &machine) {
  return allTiles(shape, machine).front();
}

std::vector<Tile> ingot::otherTiles(const TileShape &shape,
                                    const TileMachine &machine,
                                    const Tile &taken, size_t most) {
  std::vector<Tile> tiles = allTiles(shape, machine);
  std::erase(tiles, taken);
  tiles.resize(std::min(tiles.size(), most));
  return tiles;
}
