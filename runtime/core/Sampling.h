//===- Sampling.h - from logits to the next token -*- C++ -*- -------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Lets the artifact's own program choose a token by logits l[0..n). It does, in
// this order:
//
//  1. Repetition penalty r, for each id that occurs in the history: l / r if
//     l > 0, else l * r, rounded to f32.
//  2. Temperature T. 0 is greedy: the largest l, of equal ones the lowest id,
//     and nothing of the rest applies. Else l / T.
//  3. Top-k: the k largest, of equal ones the lowest ids.
//  4. p = softmax over what is left. Top-p: sorted from the largest on (equal
//     ones by id), the shortest beginning whose p sum up to at least top_p.
//  5. Min-p: those with p >= min_p * the largest p.
//  6. What is left is scaled to a sum of 1 and drawn from, in order of ids: the
//     first whose running sum exceeds the random number u.
//
// u in [0, 1) is a function of seed and position alone. Sums are taken in
// double, in the order stated (the softmax's in order of ids), with an
// exponential of our own: the same logits give the same token everywhere.
// lib/Transforms/Schedule/Sampler.mlir is the program.
#ifndef INGOT_RUNTIME_CORE_SAMPLING_H
#define INGOT_RUNTIME_CORE_SAMPLING_H

#include "runtime/core/Session.h"

namespace ingot::rt {

struct SamplerOptions {
  double temperature = 0;
  /// 0: all.
  uint64_t topK = 0;
  /// 1: all.
  double topP = 1;
  /// 0: all.
  double minP = 0;
  /// 1: none.
  double repetitionPenalty = 1;
  uint64_t seed = 0;
};

/// Refuses options out of range, naming the first.
Status checkSampler(const SamplerOptions &options);

/// The options as the program has them.
struct SamplerNumbers {
  SamplerNumbers(const SamplerOptions &options, uint64_t position,
                 uint64_t historyCount);

  double reals[4];
  int64_t integers[4];
};

/// What it means that the program chose `id` and a `kind` that is not 0.
Status samplerRefusal(int64_t id, int64_t kind);

/// Chooses a token, by one run of the entry "sample" of the session's model.
/// `options` have passed checkSampler. Fails if the model was not compiled for
/// generation, if a logit is NaN or +infinity, or if all are -infinity.
Result<int64_t> sample(Session &session, std::span<const float> logits,
                       std::span<const int64_t> history,
                       const SamplerOptions &options, uint64_t position,
                       const RunOptions &run = {});

} // namespace ingot::rt

#endif // INGOT_RUNTIME_CORE_SAMPLING_H
