//===- Sampler.cpp - from logits to the next token ------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/core/Sampler.h"

#include "runtime/cpu/FloatEnvironment.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

using namespace ingot::rt;

// A fused multiply-add here and none there would give different tokens.
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#endif

static constexpr double infinity = std::numeric_limits<double>::infinity();

Status ingot::rt::checkSampler(const SamplerOptions &options) {
  auto bad = [](std::string_view name, double value, std::string_view range) {
    return failure(Code::InvalidArgument, name, " is ", value, ", expected ",
                   range);
  };
  if (!(options.temperature >= 0 && options.temperature < infinity))
    return bad("temperature", options.temperature, "0 or more");
  if (!(options.topP > 0 && options.topP <= 1))
    return bad("top_p", options.topP, "more than 0 and at most 1");
  if (!(options.minP >= 0 && options.minP <= 1))
    return bad("min_p", options.minP, "0 to 1");
  if (!(options.repetitionPenalty > 0 && options.repetitionPenalty < infinity))
    return bad("repetition_penalty", options.repetitionPenalty, "more than 0");
  return {};
}

//===----------------------------------------------------------------------===//
// Numbers that are the same everywhere
//===----------------------------------------------------------------------===//

double ingot::rt::decay(double x) {
  if (!(x > -745.2)) // Below the smallest denormal.
    return 0;
  // e^x = 2^k * e^r with |r| <= ln(2) / 2; ln(2) in two parts, so that k times
  // the first one is exact.
  constexpr double perLn2 = 0x1.71547652b82fep0;
  constexpr double ln2High = 0x1.62e42feep-1, ln2Low = 0x1.a39ef35793c76p-33;
  int k = static_cast<int>(x * perLn2 - 0.5);
  double r = (x - k * ln2High) - k * ln2Low;
  // The exponential series, as far as a double can tell.
  double sum = 1;
  for (int n = 13; n > 0; --n)
    sum = 1 + sum * r / n;
  auto powerOfTwo = [](int exponent) {
    return std::bit_cast<double>(static_cast<uint64_t>(exponent + 1023) << 52);
  };
  // In two steps where the result is denormal.
  return k >= -1022 ? sum * powerOfTwo(k)
                    : sum * powerOfTwo(k + 64) * powerOfTwo(-64);
}

/// A bijection of 64-bit numbers whose output bits depend on all input bits:
/// the finalizer of SplitMix64.
static uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

double ingot::rt::uniform(uint64_t seed, uint64_t position) {
  // The seed is mixed first, so that near seeds do not give shifted streams.
  constexpr uint64_t golden = 0x9E3779B97F4A7C15;
  uint64_t bits = mix(mix(seed + golden) + golden * (position + 1));
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

//===----------------------------------------------------------------------===//
// Choosing
//===----------------------------------------------------------------------===//

void Sampler::penalize(std::span<float> logits,
                       std::span<const int64_t> history, double penalty) {
  isSeen.assign(logits.size(), false);
  for (int64_t id : history) {
    auto index = static_cast<uint64_t>(id);
    if (index >= logits.size() || isSeen[index])
      continue;
    isSeen[index] = true;
    double l = logits[index];
    logits[index] = static_cast<float>(l > 0 ? l / penalty : l * penalty);
  }
}

/// Fills `kept` with the ids of the k largest logits, in order of ids.
void Sampler::keepTopK(std::span<const float> logits, uint64_t k) {
  kept.clear();
  for (size_t id = 0; id < logits.size(); ++id)
    if (logits[id] > -infinity)
      kept.push_back({logits[id], static_cast<uint32_t>(id)});
  if (k == 0 || k >= kept.size())
    return;
  std::nth_element(kept.begin(), kept.begin() + (k - 1), kept.end(),
                   [](const Candidate &a, const Candidate &b) {
                     return a.p != b.p ? a.p > b.p : a.id < b.id;
                   });
  kept.resize(k);
  std::sort(kept.begin(), kept.end(),
            [](const Candidate &a, const Candidate &b) { return a.id < b.id; });
}

/// Turns the logits of what is kept into probabilities.
void Sampler::softmax(double temperature) {
  double largest = -infinity;
  for (const Candidate &candidate : kept)
    largest = std::max(largest, candidate.p);
  double sum = 0;
  for (Candidate &candidate : kept) {
    candidate.p = decay((candidate.p - largest) / temperature);
    sum += candidate.p;
  }
  for (Candidate &candidate : kept)
    candidate.p /= sum;
}

void Sampler::keepTopP(double topP) {
  auto isBefore = [](const Candidate &a, const Candidate &b) {
    return a.p != b.p ? a.p > b.p : a.id < b.id;
  };
  // Few are wanted as a rule: sorted a piece at a time, each twice as long.
  double sum = 0;
  size_t sorted = 0, count = 0;
  for (size_t piece = 64; sum < topP && count < kept.size(); ++count) {
    if (count == sorted) {
      sorted = std::min(kept.size(), sorted + piece);
      piece *= 2;
      std::partial_sort(kept.begin() + count, kept.begin() + sorted, kept.end(),
                        isBefore);
    }
    sum += kept[count].p;
  }
  kept.resize(count);
  std::sort(kept.begin(), kept.end(),
            [](const Candidate &a, const Candidate &b) { return a.id < b.id; });
}

Result<int64_t> Sampler::sample(std::span<float> logits,
                                std::span<const int64_t> history,
                                const SamplerOptions &options,
                                uint64_t position) {
  // The host's thread may round as it likes.
  FloatEnvironment environment;
  return choose(logits, history, options, position);
}

// Not inlined: nothing of it may move out of the environment's scope.
[[gnu::noinline]] Result<int64_t>
Sampler::choose(std::span<float> logits, std::span<const int64_t> history,
                const SamplerOptions &options, uint64_t position) {
  if (options.repetitionPenalty != 1)
    penalize(logits, history, options.repetitionPenalty);
  size_t best = 0;
  for (size_t id = 0; id < logits.size(); ++id) {
    if (!(logits[id] < infinity))
      return failure(Code::RuntimeCheck, "the logit of token id ", id, " is ",
                     std::isnan(logits[id]) ? "not a number" : "infinite");
    if (logits[id] > logits[best])
      best = id;
  }
  if (logits.empty() || logits[best] == -infinity)
    return failure(Code::RuntimeCheck,
                   "no token is allowed: every logit is -infinity");
  if (options.temperature == 0)
    return static_cast<int64_t>(best);

  keepTopK(logits, options.topK);
  softmax(options.temperature);
  if (options.topP < 1)
    keepTopP(options.topP);
  if (options.minP > 0) {
    double largest = 0;
    for (const Candidate &candidate : kept)
      largest = std::max(largest, candidate.p);
    std::erase_if(kept, [&](const Candidate &candidate) {
      return candidate.p < options.minP * largest;
    });
  }
  double total = 0;
  for (const Candidate &candidate : kept)
    total += candidate.p;
  double u = uniform(options.seed, position) * total, sum = 0;
  for (const Candidate &candidate : kept) {
    sum += candidate.p;
    if (sum > u)
      return candidate.id;
  }
  // u * total may be rounded up to the total.
  return kept.back().id;
}
