//===- TunedRuns.h - runs of a program that is being compiled ---*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "lib/Driver/TileSearch.h"
#include "runtime/core/Session.h"

#include <functional>

namespace ingot {

/// One variant of a program: its code, and what an artifact says of it.
struct TunedProgram {
  rt::Manifest manifest;
  llvm::SmallVector<char, 0> image;
};

/// What runs of every kind are made with.
struct TunedRunsOptions {
  llvm::ArrayRef<ShapeTrial> shapes;
  /// They stay where they are.
  std::span<const unsigned char> weights;
  /// Makes a variant; nothing if that fails.
  std::function<std::optional<TunedProgram>(llvm::ArrayRef<Tile>)> make;
  /// May be empty.
  std::function<bool()> cancelled;
};

/// Runs variants of a model at some sizes; what a size is, subclasses know.
class TunedRuns : public TileTrials {
public:
  explicit TunedRuns(TunedRunsOptions options) : options(std::move(options)) {}

  /// Chooses the sizes to run at, by a first variant with the usual tiles:
  /// those at which so many variants can be run a few times in `seconds`; none
  /// if there are none. Fails where the model cannot be run on made-up inputs.
  rt::Status begin(TunedProgram usual, double seconds, size_t variantCount);

  double now() override;
  bool isCancelled() override {
    return options.cancelled && options.cancelled();
  }
  bool prepare(size_t variant, llvm::ArrayRef<Tile> tiles) override;
  std::optional<TrialRun> run(size_t variant, size_t size,
                              double limit) override;

  /// What is run, for people.
  const std::vector<std::string> &sizeTexts() const { return texts; }
  /// How the sizes count, as searchTiles takes it.
  virtual std::vector<double> sizeFactors() const { return {}; }
  int workers() const { return threads; }
  /// The program of a variant that was prepared.
  TunedProgram &program(size_t variant);

protected:
  struct Variant {
    size_t number;
    TunedProgram program;
    std::shared_ptr<rt::Session> session;
  };

  /// Adds to `texts` what can be run until `end`: at each size one run takes at
  /// most `longest` seconds.
  virtual rt::Status chooseSizes(Variant &variant, double end,
                                 double longest) = 0;
  /// Runs a variant once; what counts of it is what follows the start of the
  /// session's tracer.
  virtual rt::Status runOnce(Variant &variant, size_t size, double limit) = 0;
  /// How many times a run does what the size is called after.
  virtual size_t timesIn(size_t /*size*/) const { return 1; }

  std::vector<std::string> texts;

private:
  rt::Status add(size_t number, TunedProgram program);
  Variant *find(size_t number);
  /// Adds to a run what one of its programs took.
  void addTimes(const rt::StageTimes &times, TrialRun &run) const;

  TunedRunsOptions options;
  std::vector<Variant> variants;
  int threads = 0;
};

} // namespace ingot
