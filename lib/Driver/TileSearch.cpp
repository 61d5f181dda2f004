//===- TileSearch.cpp - the fastest of some tiles -------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Driver/TileSearch.h"

#include "lib/Machine/Samples.h"

#include <algorithm>
#include <cmath>

using namespace ingot;
using machine::median;

/// Shares of the time after which no further variant is made, and after which
/// measuring them ends: the rest is for what was chosen, as a whole.
static constexpr double makingShare = 0.4, measuringShare = 0.75;
/// Fewer rounds tell nothing, more tell nothing new.
static constexpr size_t leastRounds = 3, mostRounds = 25;
/// A tile has to be this much better than the usual one, and all of them
/// together in whole runs: less is noise.
static constexpr double neededGain = 0.98, neededWhole = 0.995;
/// No size may lose more than that for what others gain.
static constexpr double mostLoss = 1.01;

namespace {

class Search {
public:
  Search(llvm::ArrayRef<ShapeTrial> shapes, size_t sizes, double seconds,
         TileTrials &trials, llvm::ArrayRef<double> factors)
      : shapes(shapes), sizes(sizes), factors(factors), trials(trials),
        start(trials.now()), seconds(seconds) {}

  TileChoice run();

private:
  /// Runs of a variant: by size, then round.
  using Runs = std::vector<std::vector<TrialRun>>;

  bool isOver(double share) {
    return trials.isCancelled() || trials.now() - start >= share * seconds;
  }
  double left() { return start + seconds - trials.now(); }

  std::vector<Tile> tilesOf(size_t variant) const;
  void prepareVariants();
  bool playRound(llvm::ArrayRef<size_t> players, size_t round,
                 std::vector<Runs> &runs);
  size_t play(llvm::ArrayRef<size_t> players, double share,
              std::vector<Runs> &runs);
  void describe(const std::vector<Runs> &runs, TileChoice &choice) const;
  std::vector<Tile> chooseTiles(const std::vector<Runs> &runs) const;
  bool confirm(llvm::ArrayRef<Tile> tiles, TileChoice &choice);

  llvm::ArrayRef<ShapeTrial> shapes;
  size_t sizes;
  llvm::ArrayRef<double> factors;
  TileTrials &trials;
  double start, seconds;
  /// Variants that were made, 0 the usual one; and the next number for one.
  std::vector<size_t> prepared;
  size_t next = 0;
};

} // namespace

namespace {
/// How a variant's times compare with another's of the same rounds: logarithms
/// of what all sizes together say and of the largest.
struct Comparison {
  double all = 0, worst = 0;
};
} // namespace

template <typename Of>
static Comparison compare(const std::vector<std::vector<TrialRun>> &runs,
                          const std::vector<std::vector<TrialRun>> &usual,
                          llvm::ArrayRef<double> factors, Of of) {
  double product = 0, before = 0, after = 0, worst = -INFINITY;
  for (size_t size = 0; size < runs.size(); ++size) {
    std::vector<double> ratios, others;
    for (size_t round = 0; round < runs[size].size(); ++round) {
      double mine = of(runs[size][round]), other = of(usual[size][round]);
      if (mine > 0 && other > 0) {
        ratios.push_back(mine / other);
        others.push_back(other);
      }
    }
    // What has no time in most rounds at some size is not compared there.
    if (ratios.size() * 2 <= runs[size].size())
      continue;
    double ratio = median(std::move(ratios));
    product += std::log(ratio);
    worst = std::max(worst, std::log(ratio));
    if (factors.empty())
      continue;
    double seconds = factors[size] * median(std::move(others));
    before += seconds;
    // Rounds are compared with each other: both were disturbed alike.
    after += seconds * ratio;
  }
  if (factors.empty())
    return {product / double(std::max<size_t>(runs.size(), 1)), worst};
  return {before > 0 ? std::log(after / before) : 0, worst};
}

std::vector<Tile> Search::tilesOf(size_t variant) const {
  std::vector<Tile> tiles;
  for (const ShapeTrial &shape : shapes)
    tiles.push_back(variant < shape.tiles.size() ? shape.tiles[variant]
                                                 : shape.tiles.front());
  return tiles;
}

void Search::prepareVariants() {
  size_t most = 0;
  for (const ShapeTrial &shape : shapes)
    most = std::max(most, shape.tiles.size());
  for (size_t variant = 0; variant < most && !isOver(makingShare); ++variant) {
    if (trials.prepare(variant, tilesOf(variant)))
      prepared.push_back(variant);
    else if (variant == 0)
      break;
  }
  next = most;
}

/// Each player once at each size, another one first each time. False, and
/// nothing is kept of the round, if the time ends before.
bool Search::playRound(llvm::ArrayRef<size_t> players, size_t round,
                       std::vector<Runs> &runs) {
  std::vector<std::vector<TrialRun>> times(players.size(),
                                           std::vector<TrialRun>(sizes));
  for (size_t size = 0; size < sizes; ++size)
    for (size_t i = 0; i < players.size(); ++i) {
      size_t player = (i + round) % players.size();
      if (isOver(1))
        return false;
      std::optional<TrialRun> run = trials.run(players[player], size, left());
      if (!run || isOver(1))
        return false;
      times[player][size] = std::move(*run);
    }
  for (size_t player = 0; player < players.size(); ++player)
    for (size_t size = 0; size < sizes; ++size)
      runs[player][size].push_back(std::move(times[player][size]));
  return true;
}

/// Rounds until a share of the time is over; how many there were. The first
/// one warms up.
size_t Search::play(llvm::ArrayRef<size_t> players, double share,
                    std::vector<Runs> &runs) {
  runs.assign(players.size(), Runs(sizes));
  if (!playRound(players, 0, runs))
    return 0;
  runs.assign(players.size(), Runs(sizes));
  size_t round = 0;
  while (round < mostRounds && (round < leastRounds || !isOver(share)))
    if (!playRound(players, round, runs))
      break;
    else
      ++round;
  return round;
}

void Search::describe(const std::vector<Runs> &runs, TileChoice &choice) const {
  for (size_t i = 0; i < shapes.size(); ++i) {
    rt::TunedShape &shape = choice.shapes.emplace_back();
    shape.of = shapes[i].of;
    for (auto [player, variant] : llvm::enumerate(prepared)) {
      if (variant >= shapes[i].tiles.size())
        continue;
      rt::TriedTile tried{shapes[i].tiles[variant].str(), {}};
      for (const std::vector<TrialRun> &rounds : runs[player]) {
        std::vector<double> times;
        for (const TrialRun &run : rounds)
          times.push_back(run.shapes[i]);
        tried.seconds.push_back(median(std::move(times)));
      }
      shape.tried.push_back(std::move(tried));
    }
  }
}

std::vector<Tile> Search::chooseTiles(const std::vector<Runs> &runs) const {
  std::vector<Tile> chosen = tilesOf(0);
  for (size_t i = 0; i < shapes.size(); ++i) {
    double best = std::log(neededGain);
    for (size_t player = 1; player < prepared.size(); ++player) {
      size_t variant = prepared[player];
      if (variant >= shapes[i].tiles.size())
        continue;
      double score =
          compare(runs[player], runs[0], factors, [&](const TrialRun &run) {
            return run.shapes[i];
          }).all;
      if (score >= best)
        continue;
      best = score;
      chosen[i] = shapes[i].tiles[variant];
    }
  }
  return chosen;
}

/// Whether whole runs with these tiles are faster than with the usual ones.
bool Search::confirm(llvm::ArrayRef<Tile> tiles, TileChoice &choice) {
  if (isOver(1) || !trials.prepare(next, tiles))
    return false;
  std::vector<Runs> runs;
  if (play({size_t(0), next}, 1, runs) < leastRounds)
    return false;
  auto whole = [](const TrialRun &run) { return run.whole; };
  Comparison found = compare(runs[1], runs[0], factors, whole);
  if (found.all >= std::log(neededWhole) || found.worst > std::log(mostLoss))
    return false;
  for (auto [from, to] : {std::pair(0, &choice.before), {1, &choice.after}})
    for (const std::vector<TrialRun> &rounds : runs[from]) {
      std::vector<double> times;
      for (const TrialRun &run : rounds)
        times.push_back(run.whole);
      to->push_back(median(std::move(times)));
    }
  return true;
}

TileChoice Search::run() {
  TileChoice choice;
  choice.tiles = tilesOf(0);
  prepareVariants();
  std::vector<Runs> runs;
  if (prepared.size() >= 2 &&
      play(prepared, measuringShare, runs) >= leastRounds) {
    describe(runs, choice);
    std::vector<Tile> chosen = chooseTiles(runs);
    if (chosen != choice.tiles && confirm(chosen, choice)) {
      choice.tiles = std::move(chosen);
      choice.variant = next;
    }
  }
  for (auto [shape, tile] : llvm::zip(choice.shapes, choice.tiles))
    shape.tile = tile.str();
  return choice;
}

TileChoice ingot::searchTiles(llvm::ArrayRef<ShapeTrial> shapes, size_t sizes,
                              double seconds, TileTrials &trials,
                              llvm::ArrayRef<double> factors) {
  return Search(shapes, sizes, seconds, trials, factors).run();
}
