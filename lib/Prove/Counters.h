//===- Counters.h - tiles that wait for tiles -------------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dialects/Mega/IR/CounterOps.h"
#include "lib/Prove/Model.h"

namespace ingot::prove {

/// Which tiles wait for which. A counter that has reached its target tells that
/// all tiles of one number along the first dim are done if it was 0 when the
/// first of them began, if only they count in it, and if the target is how many
/// they are. It reaches it for sure if they come before whoever waits: each
/// worker runs what it was dealt in the order of the program.
class Counters {
public:
  explicit Counters(Model &model) : model(model) {}

  /// Finds who waits for whom, in the case at hand. An error where a counter
  /// counts something else, or may never reach what is waited for.
  LogicalResult collect();

  /// What is known of the tile "a" of one access if it is not done before the
  /// tile "b" of another begins.
  std::vector<Formula> factsOf(const Access &a, const Access &b);

private:
  /// A buffer of counters, at one point in the program.
  struct State {
    Buffer buffer;
    /// Whether all are 0 or count tiles of `counting`.
    bool isClear;
    mega::TilesOp counting;
    /// Whether each worker runs all of these that reads what they write.
    bool isEach = false;
  };
  struct Wait {
    mega::AwaitOp op;
    mega::TilesOp earlier;
  };

  LogicalResult note(const Access &access);
  LogicalResult noteSignal(const Access &access, State *state);
  LogicalResult noteAwait(const Access &access, State *state);
  /// Whether tiles read what others write.
  bool isReader(const Access &later, mega::TilesOp earlier);
  /// How many tiles there are along a dim.
  Poly countOf(const Tile &tile, unsigned dim);

  Model &model;
  std::vector<State> states;
  /// By the tiles that wait.
  std::map<void *, std::vector<Wait>> waits;
};

} // namespace ingot::prove
