//===- TunedDecoderRuns.h - runs of a decoder -------------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "lib/Driver/TunedRuns.h"
#include "runtime/core/Step.h"

#include <map>

namespace ingot {

/// Runs variants of a decoder: tokens one by one behind a few others, and a
/// prompt at once. What counts is the sum of both.
class TunedDecoderRuns : public TunedRuns {
public:
  using TunedRuns::TunedRuns;

  std::vector<double> sizeFactors() const override;

protected:
  rt::Status chooseSizes(Variant &variant, double end, double longest) override;
  rt::Status runOnce(Variant &variant, size_t size, double limit) override;
  size_t timesIn(size_t size) const override;

private:
  /// Where a variant's runs begin.
  struct Start {
    /// Without a token, but bound; and behind the few.
    std::unique_ptr<rt::Sequence> empty, begun;
  };

  /// A run that ends there; fails if that is now.
  rt::Result<rt::RunOptions> until(double end);
  rt::Result<Start *> startOf(Variant &variant, double end);
  rt::Status bind(rt::Sequence &sequence, double end);
  /// Reads so many tokens at once; nothing goes on after `end`.
  rt::Status read(rt::Sequence &sequence, size_t count, double end);

  /// By the variants' numbers.
  std::map<size_t, Start> starts;
  /// The ids to read at each position.
  std::vector<int64_t> ids;
  /// Tokens that others are read behind, that are read one by one, and that are
  /// read at once; the last is 0 if none are.
  size_t few = 0, single = 1, prompt = 0;
};

} // namespace ingot
