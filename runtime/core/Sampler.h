//===- Sampler.h - from logits to the next token -*- C++ -*- --------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Chooses a token by logits l[0..n). In this order:
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
#ifndef INGOT_RUNTIME_CORE_SAMPLER_H
#define INGOT_RUNTIME_CORE_SAMPLER_H

#include "runtime/core/Status.h"

#include <cstdint>
#include <span>
#include <vector>

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

/// e^x for x <= 0, within a few units in the last place.
double decay(double x);

/// The random number in [0, 1) of a seed and a position.
double uniform(uint64_t seed, uint64_t position);

/// Keeps its scratch memory from token to token.
class Sampler {
public:
  /// Chooses a token. `options` have passed checkSampler. Overwrites `logits`.
  /// Fails if one of them is NaN or +infinity or all are -infinity.
  Result<int64_t> sample(std::span<float> logits,
                         std::span<const int64_t> history,
                         const SamplerOptions &options, uint64_t position);

private:
  struct Candidate {
    /// The logit, later the probability.
    double p;
    uint32_t id;
  };

  Result<int64_t> choose(std::span<float> logits,
                         std::span<const int64_t> history,
                         const SamplerOptions &options, uint64_t position);
  void penalize(std::span<float> logits, std::span<const int64_t> history,
                double penalty);
  void keepTopK(std::span<const float> logits, uint64_t k);
  void softmax(double temperature);
  void keepTopP(double topP);

  std::vector<Candidate> kept;
  std::vector<bool> isSeen;
};

} // namespace ingot::rt

#endif // INGOT_RUNTIME_CORE_SAMPLER_H
