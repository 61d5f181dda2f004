//===- TileCosts.h - how long tiles of kernels take -------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The cost model that tiles are chosen by. A tile of a product is so many rows
// by so many columns of the result; a worker keeps the sums of a few rows in
// registers over a block of K and comes back to the block's weights for the
// next rows. So weights come from afar once a tile, and from the worker's own
// cache for each further group of rows, if the block fits there.
//
//===----------------------------------------------------------------------===//
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ingot {

/// What the model knows of a machine. The defaults are those of a named target:
/// a core of Zen 4 as it was measured, and a team large enough that
/// small products want small tiles.
struct TileMachine {
  int64_t workers = 16;
  /// Bytes of a worker's own cache, and of the last one.
  int64_t ownCache = 1 << 20;
  int64_t lastCache = 32 << 20;
  /// Of one worker: operations per second (a product and a sum are two), and
  /// bytes read per second from its own cache, the last one, and memory.
  double flops = 120e9;
  double ownReads = 115e9;
  double lastReads = 65e9;
  double memoryReads = 15e9;
};

/// How an op is cut.
struct Tile {
  int64_t rows = 0, columns = 0;
  /// Most of K at once; 0 where K is not blocked.
  int64_t depth = 0;

  bool operator==(const Tile &) const = default;
  /// "128x64x1024"; "48" where only rows are cut.
  std::string str() const;
  /// The tile of such a text; false if it is not one.
  static bool parse(const std::string &text, Tile &tile);
};

/// An op that tiles are chosen for, as far as that matters.
struct TileShape {
  /// A product with floats or with codes, attention with all keys at hand, or
  /// over a cache.
  enum class Kind { Product, Coded, Attention, PagedAttention };
  Kind kind = Kind::Product;
  /// Of a product: extent of the sums, columns of the result. Negative: not
  /// known while compiling. Of attention: size of a head, and heads that share
  /// keys.
  int64_t depth = -1, columns = -1;
  /// Bits of a weight, and of what it is multiplied by: of 16 both, pairs of
  /// bf16 are multiplied at once.
  int64_t weightBits = 32, inputBits = 32;

  /// What people and files call it: "product 384x1536 of 32 bits", "product
  /// 384x1536 of 16 by 16 bits".
  std::string str() const;
  /// The shape of such a text; nothing if it is none.
  static std::optional<TileShape> parse(const std::string &text);

  bool operator==(const TileShape &) const = default;
};

/// Seconds that a product of so many rows takes, by the model.
double secondsOf(const TileShape &shape, int64_t rows, const Tile &tile,
                 const TileMachine &machine);

/// The tile to take.
Tile chooseTile(const TileShape &shape, const TileMachine &machine = {});

/// Tiles that may be faster than the one that was taken, by the model the best
/// first. All give the same bits.
std::vector<Tile> otherTiles(const TileShape &shape, const TileMachine &machine,
                             const Tile &taken, size_t most);

} // namespace ingot
