//===- TunedRuns.cpp - runs of a program that is being compiled -----------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Driver/TunedRuns.h"

#include <algorithm>
#include <chrono>

using namespace ingot;

/// Share of the time in which variants are run to compare them, and how often
/// each should be run in it.
static constexpr double runsShare = 0.3;
static constexpr size_t leastRuns = 4;

double TunedRuns::now() {
  return std::chrono::duration<double>(rt::Clock::now().time_since_epoch())
      .count();
}

TunedRuns::Variant *TunedRuns::find(size_t number) {
  auto found = std::ranges::find(variants, number, &Variant::number);
  return found == variants.end() ? nullptr : &*found;
}

TunedProgram &TunedRuns::program(size_t variant) {
  return find(variant)->program;
}

rt::Status TunedRuns::add(size_t number, TunedProgram program) {
  auto image =
      std::span(reinterpret_cast<const unsigned char *>(program.image.data()),
                program.image.size());
  auto artifact =
      rt::Artifact::fromParts(program.manifest, image, options.weights);
  if (!artifact.ok())
    return artifact.status();
  auto model = rt::Model::create(*artifact);
  if (!model.ok())
    return model.status();
  auto session = rt::Session::create(*model, {});
  if (!session.ok())
    return session.status();
  threads = (*session)->threads();
  variants.push_back({number, std::move(program), std::move(*session)});
  return {};
}

bool TunedRuns::prepare(size_t variant, llvm::ArrayRef<Tile> tiles) {
  // The usual one is there from the beginning.
  if (find(variant))
    return true;
  std::optional<TunedProgram> program = options.make(tiles);
  return program && add(variant, std::move(*program)).ok();
}

rt::Status TunedRuns::begin(TunedProgram usual, double seconds,
                            size_t variantCount) {
  double end = now() + seconds;
  if (rt::Status status = add(0, std::move(usual)); !status.ok())
    return status;
  return chooseSizes(variants.front(), end,
                     runsShare * seconds / double(leastRuns * variantCount));
}

void TunedRuns::addTimes(const rt::StageTimes &times, TrialRun &run) const {
  run.whole += times.whole;
  for (auto [stage, seconds] :
       llvm::zip_equal(*times.program->stages, times.stages))
    for (auto [i, shape] : llvm::enumerate(options.shapes))
      if (llvm::any_of(stage.cuts, [&, &of = shape.of](const rt::CutInfo &cut) {
            return cut.of == of;
          }))
        run.shapes[i] += seconds;
}

std::optional<TrialRun> TunedRuns::run(size_t number, size_t size,
                                       double limit) {
  Variant *variant = find(number);
  if (!variant || limit <= 0)
    return std::nullopt;
  bool isDone = runOnce(*variant, size, limit).ok();
  std::vector<rt::StageTimes> all = variant->session->tracer().takeTimes();
  if (!isDone || all.empty())
    return std::nullopt;
  TrialRun run{0, std::vector<double>(options.shapes.size())};
  for (const rt::StageTimes &times : all)
    addTimes(times, run);
  auto share = double(timesIn(size));
  run.whole /= share;
  for (double &seconds : run.shapes)
    seconds /= share;
  return run;
}
