//===- TunedRuns.h - runs of a program that is being compiled ---*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "lib/Driver/TileSearch.h"
#include "runtime/core/Session.h"

#include "llvm/ADT/STLFunctionalExtras.h"

#include <functional>

namespace ingot {

/// One variant of a program: its code, and what an artifact says of it.
struct TunedProgram {
  rt::Manifest manifest;
  llvm::SmallVector<char, 0> image;
};

/// Runs variants of a model on made-up inputs: a short text, a long one, a
/// batch of them, as far as the model's open dims go.
class TunedRuns : public TileTrials {
public:
  /// Makes a variant; nothing if that fails.
  using Make =
      std::function<std::optional<TunedProgram>(llvm::ArrayRef<Tile> tiles)>;

  /// `weights` stay where they are; `cancelled` may be empty.
  TunedRuns(llvm::ArrayRef<ShapeTrial> shapes,
            std::span<const unsigned char> weights, Make make,
            std::function<bool()> cancelled)
      : shapes(shapes), weights(weights), make(std::move(make)),
        cancelled(std::move(cancelled)) {}

  /// Chooses the sizes to run at, by a first variant with the usual tiles:
  /// those at which so many variants can be run a few times in `seconds`; none
  /// if there are none. Fails where the model cannot be run on made-up inputs.
  rt::Status begin(TunedProgram usual, double seconds, size_t variantCount);

  double now() override;
  bool isCancelled() override { return cancelled && cancelled(); }
  bool prepare(size_t variant, llvm::ArrayRef<Tile> tiles) override;
  std::optional<TrialRun> run(size_t variant, size_t size,
                              double limit) override;

  /// What is run, for people.
  const std::vector<std::string> &sizeTexts() const { return texts; }
  int workers() const { return threads; }
  /// The program of a variant that was prepared.
  TunedProgram &program(size_t variant);

private:
  /// An input and its data.
  struct Input {
    std::string name;
    rt::DType dtype;
    std::vector<int64_t> dims;
    std::vector<std::byte> data;
  };
  struct Variant {
    size_t number;
    TunedProgram program;
    std::unique_ptr<rt::Session> session;
    /// Shapes in each stage of the main program, as indices.
    std::vector<std::vector<size_t>> shapesOfStages;
  };

  rt::Status add(size_t number, TunedProgram program);
  Variant *find(size_t number);
  rt::Status chooseSizes(Variant &variant, double end, double longest);
  /// Made-up inputs for values of the symbols.
  rt::Result<std::vector<Input>>
  makeInputs(const rt::Manifest &manifest,
             const llvm::StringMap<int64_t> &values, int64_t integer) const;
  static rt::Result<rt::RunResult>
  runOnce(Variant &variant, const std::vector<Input> &inputs, double limit);

  llvm::ArrayRef<ShapeTrial> shapes;
  std::span<const unsigned char> weights;
  Make make;
  std::function<bool()> cancelled;
  std::vector<Variant> variants;
  /// The inputs at each size.
  std::vector<std::vector<Input>> sizes;
  std::vector<std::string> texts;
  int threads = 0;
};

} // namespace ingot
