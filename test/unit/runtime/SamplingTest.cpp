//===- SamplingTest.cpp - asking the artifact for a token -----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "DecoderArtifact.h"

#include <cmath>

using namespace ingot::rt;
using namespace ingot::rt::test;

static constexpr float inf = std::numeric_limits<float>::infinity();

static Result<int64_t> choose(const std::vector<float> &logits,
                              const SamplerOptions &options = {},
                              const Ids &history = {}, uint64_t position = 0) {
  static std::shared_ptr<Session> session = decoderSession();
  return sample(*session, logits, history, options, position);
}

TEST(Sampling, HandsEverythingOver) {
  std::vector<float> logits = {1, 3, 2, 3, 3};
  EXPECT_EQ(*choose(logits), 1);
  SamplerOptions options;
  options.repetitionPenalty = 2;
  EXPECT_EQ(*choose({4, 3, 1}, options, {0, 0, 0}), 1);
  EXPECT_EQ(*choose({4, 3, 1}, options, {7, -3}), 0); // Unknown ids.
  options = {1.0, 2};
  std::vector<int> counts(5), others(5);
  for (uint64_t position = 0; position < 200; ++position) {
    options.seed = 0;
    ++counts[*choose(logits, options, {}, position)];
    options.seed = position;
    ++others[*choose(logits, options)];
  }
  for (const std::vector<int> &found : {counts, others}) {
    EXPECT_EQ(found[0] + found[2] + found[4], 0);
    EXPECT_GT(found[1], 50);
    EXPECT_GT(found[3], 50);
  }
  options.topP = 1e-9;
  options.topK = 0;
  EXPECT_EQ(*choose(logits, options), 1);
  options = {1.0, 0, 1, 1};
  EXPECT_EQ(*choose({0, 5, 1}, options), 1);
}

TEST(Sampling, RefusesWhatIsNoDistribution) {
  for (double temperature : {0.0, 1.0}) {
    SamplerOptions options;
    options.temperature = temperature;
    auto refuse = [&](const std::vector<float> &logits, const char *part) {
      expectFails(choose(logits, options).status(), Code::RuntimeCheck, {part});
    };
    refuse({0, NAN, 1}, "token id 1 is not a number");
    refuse({0, 1, inf}, "token id 2 is infinite");
    refuse({-inf, -inf}, "no token is allowed");
    refuse({}, "no token is allowed");
  }
}

TEST(Sampling, RefusesModelsThatChooseNothing) {
  auto model = loadModel(artifactBytes());
  ASSERT_TRUE(model.ok()) << model.status().message();
  auto session = Session::create(*model, {});
  ASSERT_TRUE(session.ok());
  std::vector<float> logits = {1};
  expectFails(sample(**session, logits, {}, {}, 0).status(),
              Code::InvalidArgument, {"not compiled for generation"});
}

TEST(Sampling, RefusesOptionsOutOfRange) {
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
