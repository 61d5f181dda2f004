//===- TuneTiles.cpp - tiles by measuring ---------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Conversion/MegaToCpu/TileCosts.h"
#include "ingot/Transforms/DecoderNames.h"
#include "lib/Driver/Compilation.h"
#include "lib/Driver/MachineTiles.h"
#include "lib/Driver/ManifestBuilder.h"
#include "lib/Driver/TunedDecoderRuns.h"
#include "lib/Driver/TunedModelRuns.h"
#include "runtime/core/Artifact.h"

#include <cmath>

using namespace mlir;

namespace ingot {

/// Tiles that are tried beside the usual one: each is another program.
static constexpr size_t mostOthers = 4;

LogicalResult Compilation::checkTuning() {
  if (options.tune_seconds == 0)
    return success();
  if (!(options.tune_seconds > 0) || !std::isfinite(options.tune_seconds))
    addError("tiles are tried for a positive number of seconds, not for " +
             std::to_string(options.tune_seconds));
  else if (!runsHere(target))
    addError("tiles for " + target.name +
             " cannot be tried: this machine's CPU does not run its code");
  else
    return success();
  return failure();
}

LogicalResult Compilation::takeTiles() {
  if (!options.tune_from)
    return success();
  auto artifact =
      rt::Artifact::open(options.tune_from, {.verifyWeights = false});
  if (!artifact.ok()) {
    addError(artifact.status().message());
    return failure();
  }
  const std::optional<rt::TuningInfo> &tuning = (*artifact)->manifest().tuning;
  if (!tuning) {
    addError(std::string(options.tune_from) + ": was not tuned");
    return failure();
  }
  // A tile that was given by hand comes later and counts.
  for (const rt::TunedShape &shape : tuning->shapes)
    tiles.given.insert(tiles.given.begin(), shape.of + "=" + shape.tile);
  return success();
}

std::vector<ShapeTrial> Compilation::shapesToTune() {
  std::vector<ShapeTrial> shapes;
  // It is measured if it was not, but that is not kept: other compilations
  // would depend on it. Without a measurement the usual machine tells what to
  // try.
  TileMachine known = tiles.machine;
  if (auto kept = machine::stored(machine::Identity::here()))
    known = tileMachineOf(*kept);
  else if (auto measured = machine::measure(); measured.ok())
    known = tileMachineOf(*measured);
  // Of the programs that are run.
  std::vector<rt::StageInfo> stages = manifest.stages;
  for (const rt::EntryInfo &entry : manifest.entries)
    if (entry.name == decodeEntryName)
      llvm::append_range(stages, entry.stages);
  for (const rt::StageInfo &stage : stages)
    for (const rt::CutInfo &cut : stage.cuts) {
      if (llvm::any_of(shapes, [&](const ShapeTrial &shape) {
            return shape.of == cut.of;
          }))
        continue;
      ShapeTrial trial{cut.of, {}};
      Tile usual;
      std::optional<TileShape> shape = TileShape::parse(cut.of);
      if (!shape || !Tile::parse(cut.tile, usual))
        continue;
      // What was given is not changed.
      if (llvm::none_of(tiles.given, [&](const std::string &given) {
            return StringRef(given).rsplit('=').first == cut.of;
          }))
        trial.tiles = otherTiles(*shape, known, usual, mostOthers);
      trial.tiles.insert(trial.tiles.begin(), usual);
      shapes.push_back(std::move(trial));
    }
  return shapes;
}

std::optional<TunedProgram> Compilation::variant(ArrayRef<ShapeTrial> shapes,
                                                 ArrayRef<Tile> chosen) {
  OwningOpRef<ModuleOp> copy = untiled->clone();
  // Those that were given stay; these are of the other shapes, too.
  TileChoices before = tiles;
  for (auto [shape, tile] : llvm::zip_equal(shapes, chosen))
    tiles.given.push_back(shape.of + "=" + tile.str());
  FailureOr<Image> made = compileModule(*copy, target);
  tiles = std::move(before);
  if (failed(made))
    return std::nullopt;
  TunedProgram program{undescribed, std::move(*made)};
  describeCode(*copy, target, program.manifest);
  return program;
}

LogicalResult Compilation::tuneTiles(std::span<unsigned char> section) {
  report("tune", 0.95);
  std::vector<ShapeTrial> shapes = shapesToTune();
  std::function<bool()> cancelled;
  if (options.cancelled)
    cancelled = [this] { return options.cancelled(options.user) != 0; };
  // The dumps and the progress are those of the usual program.
  IngotCompileOptions given = options;
  options.dump_dir = nullptr;
  options.progress = nullptr;
  options.timing = 0;
  options.prove = 0;
  TunedRunsOptions how{
      shapes, section,
      [&](ArrayRef<Tile> chosen) { return variant(shapes, chosen); },
      std::move(cancelled)};
  std::unique_ptr<TunedRuns> made;
  if (manifest.state)
    made = std::make_unique<TunedDecoderRuns>(std::move(how));
  else
    made = std::make_unique<TunedModelRuns>(std::move(how));
  TunedRuns &runs = *made;
  double start = runs.now();
  rt::Status status =
      runs.begin({manifest, image}, options.tune_seconds, mostOthers + 1);
  if (!status.ok()) {
    addError("the model cannot be run on made-up inputs to try tiles: " +
             status.message());
    return failure();
  }
  TileChoice choice;
  if (!runs.sizeTexts().empty())
    choice = searchTiles(shapes, runs.sizeTexts().size(),
                         options.tune_seconds - (runs.now() - start), runs,
                         runs.sizeFactors());
  options.prove = given.prove;
  // The usual program is proved already.
  bool isProved = choice.variant == 0 || !options.prove ||
                  variant(shapes, choice.tiles).has_value();
  options = given;
  if (runs.isCancelled()) {
    addError("cancelled while tiles were tried");
    return failure();
  }
  if (!isProved)
    return failure();
  if (choice.variant != 0) {
    TunedProgram &best = runs.program(choice.variant);
    // What an artifact is called stays.
    manifest.stages = best.manifest.stages;
    manifest.buffers = best.manifest.buffers;
    manifest.arena = best.manifest.arena;
    manifest.errors = best.manifest.errors;
    manifest.entries = best.manifest.entries;
    image = std::move(best.image);
  }
  rt::TuningInfo tuning;
  tuning.workers = uint32_t(runs.workers());
  tuning.sizes = runs.sizeTexts();
  tuning.shapes = std::move(choice.shapes);
  tuning.before = std::move(choice.before);
  tuning.after = std::move(choice.after);
  manifest.options += ", tuned";
  manifest.tuning = std::move(tuning);
  return success();
}

} // namespace ingot
