//===- SamplerTest.cpp - choosing tokens, against closed forms ------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "DecoderArtifact.h"

#include <cmath>
#include <numeric>

using namespace ingot::rt;
using namespace ingot::rt::test;

static constexpr float inf = std::numeric_limits<float>::infinity();

/// The definition of Sampler.h, spelled out with sorts and long doubles. Says
/// nothing where the answer hangs on rounding.
static std::optional<int64_t> reference(std::vector<float> logits,
                                        const Ids &history,
                                        const SamplerOptions &options,
                                        uint64_t position) {
  Ids distinct = history;
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  for (int64_t id : distinct)
    logits[id] = logits[id] > 0
                     ? float(double(logits[id]) / options.repetitionPenalty)
                     : float(double(logits[id]) * options.repetitionPenalty);
  Ids order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
  });
  if (options.temperature == 0)
    return order[0];
  if (options.topK && options.topK < order.size())
    order.resize(options.topK);
  std::vector<long double> p(logits.size());
  long double sum = 0;
  for (int64_t id : order)
    sum += p[id] = expl(((long double)logits[id] - logits[order[0]]) /
                        options.temperature);
  for (long double &value : p)
    value /= sum;
  constexpr long double margin = 1e-12;
  if (options.topP < 1) {
    long double running = 0;
    size_t count = 0;
    while (count < order.size() && running < options.topP) {
      running += p[order[count++]];
      if (std::abs(running - options.topP) < margin)
        return {};
    }
    order.resize(count);
  }
  long double least = options.minP * p[order[0]];
  std::erase_if(order, [&](int64_t id) { return p[id] < least; });
  std::sort(order.begin(), order.end());
  sum = 0;
  for (int64_t id : order)
    sum += p[id];
  long double u = uniform(options.seed, position), running = 0;
  for (int64_t id : order) {
    running += p[id] / sum;
    if (std::abs(running - u) < margin)
      return {};
    if (running > u)
      return id;
  }
  return order.back();
}

static int64_t sample(std::vector<float> logits, const SamplerOptions &options,
                      uint64_t position = 0, const Ids &history = {}) {
  auto id = Sampler().sample(logits, history, options, position);
  EXPECT_TRUE(id.ok()) << id.status().message();
  return id.ok() ? *id : -1;
}

TEST(Sampler, FollowsTheDefinition) {
  Sampler sampler;
  size_t undecided = 0, cases = 0;
  for (size_t vocab : {1, 2, 5, 64, 1000, 5000})
    for (double temperature : {0.0, 0.1, 0.7, 1.0, 3.0})
      for (uint64_t topK : {0, 1, 3, 40, 4000})
        for (double topP : {1.0, 0.95, 0.5, 1e-9})
          for (double minP : {0.0, 0.05, 1.0}) {
            SamplerOptions options{temperature,           topK, topP, minP,
                                   cases % 2 ? 1.3 : 1.0, cases};
            std::vector<float> logits(vocab);
            for (size_t i = 0; i < vocab; ++i) // Some of them equal.
              logits[i] =
                  float(decoderMix(cases + 1, i) % 2000) / 100.0f - 10.0f;
            Ids history;
            for (size_t i = 0; i < 20; ++i)
              history.push_back(decoderMix(cases, i + 7) % vocab);
            auto expected = reference(logits, history, options, cases * 3);
            auto got = sampler.sample(logits, history, options, cases * 3);
            ASSERT_TRUE(got.ok()) << got.status().message();
            if (expected)
              EXPECT_EQ(*got, *expected) << "case " << cases;
            undecided += !expected;
            ++cases;
          }
  EXPECT_LT(undecided, cases / 100);
}

TEST(Sampler, TiesGoToTheLowestId) {
  std::vector<float> logits = {1, 3, 2, 3, 3};
  EXPECT_EQ(sample(logits, {}), 1);
  SamplerOptions two{1.0, 2};
  std::vector<int> counts(5);
  for (uint64_t position = 0; position < 200; ++position)
    ++counts[sample(logits, two, position)];
  EXPECT_EQ(counts[0] + counts[2] + counts[4], 0);
  EXPECT_GT(counts[1], 50);
  EXPECT_GT(counts[3], 50);
}

TEST(Sampler, FrequenciesAreTheSoftmax) {
  std::vector<float> logits = {0, 1, -1, -inf, 2.5f};
  for (double temperature : {0.5, 1.0, 2.0}) {
    SamplerOptions options;
    options.temperature = temperature;
    options.seed = 12345;
    std::vector<double> p, counts(5);
    double sum = 0;
    for (float logit : logits)
      sum += p.emplace_back(std::exp(logit / temperature));
    constexpr int draws = 20000;
    for (uint64_t position = 0; position < draws; ++position)
      ++counts[sample(logits, options, position)];
    EXPECT_EQ(counts[3], 0);
    for (size_t i = 0; i < 5; ++i) {
      double share = p[i] / sum;
      // Five standard deviations; the numbers are fixed by the seed.
      EXPECT_NEAR(counts[i] / draws, share,
                  5 * std::sqrt(share * (1 - share) / draws) + 1e-12);
    }
  }
}

TEST(Sampler, RepetitionPenalty) {
  SamplerOptions options;
  options.repetitionPenalty = 2;
  EXPECT_EQ(sample({4, 3, 1}, options, 0, {0, 0, 0}), 1); // 2 against 3, once.
  EXPECT_EQ(sample({-1, -1.5f}, options, 0, {0}), 1);     // -2 against -1.5.
  EXPECT_EQ(sample({4, 3, 1}, options, 0, {7, -3}), 0);   // Unknown ids.
  options.repetitionPenalty = 0.5;
  EXPECT_EQ(sample({4, 3, 1}, options, 0, {1}), 1);
}

TEST(Sampler, SeedsAndPositionsAreApart) {
  EXPECT_EQ(uniform(1, 2), uniform(1, 2));
  // The committed numbers: they must not change from build to build.
  EXPECT_EQ(uniform(0, 0), 0x1.4e0dba5e9a32fp-1);
  EXPECT_EQ(uniform(42, 1000), 0x1.63f919049aa49p-1);
  double sum = 0, squares = 0, products = 0;
  constexpr int count = 20000;
  for (int i = 0; i < count; ++i) {
    double u = uniform(i % 100, i / 100), next = uniform(i % 100 + 1, i / 100);
    ASSERT_TRUE(u >= 0 && u < 1);
    sum += u;
    squares += u * u;
    products += u * next;
  }
  EXPECT_NEAR(sum / count, 0.5, 0.01);
  EXPECT_NEAR(squares / count, 1.0 / 3, 0.01);
  EXPECT_NEAR(products / count, 0.25, 0.01);
}

TEST(Sampler, ItsExponential) {
  for (double x = 0; x > -740; x -= 0.0371)
    EXPECT_NEAR(decay(x) / std::exp(x), 1, x > -708 ? 1e-15 : 1e-2) << x;
  EXPECT_EQ(decay(0), 1);
  EXPECT_EQ(decay(-inf), 0);
  EXPECT_EQ(decay(-1e300), 0);
}

TEST(Sampler, RefusesWhatIsNoDistribution) {
  auto refuse = [](std::vector<float> logits, double temperature,
                   const char *part) {
    SamplerOptions options;
    options.temperature = temperature;
    expectFails(Sampler().sample(logits, {}, options, 0).status(),
                Code::RuntimeCheck, {part});
  };
  for (double temperature : {0.0, 1.0}) {
    refuse({0, NAN, 1}, temperature, "token id 1 is not a number");
    refuse({0, 1, inf}, temperature, "token id 2 is infinite");
    refuse({-inf, -inf}, temperature, "no token is allowed");
    refuse({}, temperature, "no token is allowed");
  }
  EXPECT_EQ(sample({-inf, -5, -inf}, {1.0}), 1);
}

TEST(Sampler, RefusesOptionsOutOfRange) {
  auto refuse = [](const SamplerOptions &options, const char *name) {
    expectFails(checkSampler(options), Code::InvalidArgument, {name});
  };
  EXPECT_TRUE(checkSampler({}).ok());
  refuse({-1}, "temperature");
  refuse({NAN}, "temperature");
  refuse({inf}, "temperature");
  refuse({1, 0, 0}, "top_p");
  refuse({1, 0, 1.01}, "top_p");
  refuse({1, 0, 1, -0.1}, "min_p");
  refuse({1, 0, 1, 0, 0}, "repetition_penalty");
}
