//===- TokenLoopTest.cpp - token after token in one run -------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "DecoderArtifact.h"

#include "runtime/core/TokenLoop.h"

#include <fstream>
#include <sstream>

using namespace ingot::rt;
using namespace ingot::rt::test;

/// What a generation gives without ever reading the id that lets the program
/// spin: with the first prompt for which that is so.
static Generation withoutSpin(const std::shared_ptr<Session> &session,
                              GenerateOptions options, size_t length) {
  for (uint64_t seed = 0;; ++seed) {
    bool isFine = true;
    options.onToken = [&](int64_t id) { return isFine = id != DecoderSpinId; };
    auto sequence = makeSequence(session);
    Generation out;
    Status status = generate(*sequence, someIds(length, seed), options, out);
    EXPECT_TRUE(status.ok()) << status.message();
    if (isFine || !status.ok())
      return out;
  }
}

TEST(TokenLoop, IsTheStepsToTheBit) {
  auto loop = decoderSession(2, loopManifest()), steps = decoderSession(2);
  SamplerOptions samplings[] = {{},
                                {0, 0, 1, 0, 1.2},
                                {1.0, 5, 0.9, 0, 1, 3},
                                {0.7, 0, 0.8, 0.05, 1.3, 4}};
  for (const SamplerOptions &sampling : samplings) {
    GenerateOptions options;
    options.sampling = sampling;
    options.maxNewTokens = 40;
    Generation one = withoutSpin(loop, options, 110);
    Generation other = withoutSpin(steps, options, 110);
    EXPECT_EQ(one.ids, other.ids);
    EXPECT_EQ(one.finish, other.finish);
  }
}

/// How many runs of programs there were since the trace was started.
static int runsOf(Session &session) {
  std::string path = testing::TempDir() + "token-loop-trace.json";
  Status status = session.tracer().write(session.runsModel(), path);
  EXPECT_TRUE(status.ok()) << status.message();
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  std::string key = "\"otherData\":{\"runs\":", all = text.str();
  size_t at = all.find(key);
  EXPECT_NE(at, std::string::npos);
  return std::atoi(all.c_str() + at + key.size());
}

TEST(TokenLoop, IsOneRun) {
  GenerateOptions options;
  options.maxNewTokens = 60;
  // No token has these.
  options.stopIds = {-1};
  options.stopSequences = {{3, -1, 4}, {-2}};
  auto loop = decoderSession(2, loopManifest());
  auto sequence = makeSequence(loop);
  Ids prompt;
  for (uint64_t seed = 0; prompt.empty(); ++seed) {
    Ids ids = someIds(20, seed), all = ids;
    while (all.size() < 80) {
      std::vector<float> logits = referenceLogits(all);
      all.push_back(std::max_element(logits.begin(), logits.end()) -
                    logits.begin());
    }
    if (std::find(all.begin(), all.end(), DecoderSpinId) == all.end())
      prompt = ids;
  }
  loop->tracer().start();
  Generation out;
  ASSERT_TRUE(generate(*sequence, prompt, options, out).ok());
  EXPECT_EQ(out.ids.size(), 60u);
  EXPECT_EQ(runsOf(*loop), 2); // The prompt, and all that follows.

  auto steps = decoderSession(2);
  steps->tracer().start();
  ASSERT_TRUE(generate(*makeSequence(steps), prompt, options, out).ok());
  EXPECT_EQ(runsOf(*steps), 1 + 60 + 59);
}

TEST(TokenLoop, HostsMayRunModelsMeanwhile) {
  auto session = decoderSession(2, loopManifest());
  GenerateOptions options;
  options.maxNewTokens = 3;
  auto other = makeSequence(session);
  Ids text = {1, 2, 3};
  std::vector<float> logits(DecoderVocab);
  options.onToken = [&](int64_t) {
    StepRow row = {other.get(), text};
    RunStats stats;
    Status status = step({&row, 1}, {}, logits, stats);
    EXPECT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(stats.workers, 1);
    return true;
  };
  for (uint64_t seed = 0; other->length() < 9; ++seed) {
    other = makeSequence(session);
    Generation out;
    options.stopIds = {DecoderSpinId};
    ASSERT_TRUE(
        generate(*makeSequence(session), someIds(4, seed), options, out).ok());
  }
  EXPECT_EQ(logits, referenceLogits(text + text + text));
}

TEST(TokenLoop, NeedsProgramsForOneRow) {
  auto has = [](Manifest m) {
    auto model = loadModel(decoderBytes(m));
    EXPECT_TRUE(model.ok()) << model.status().message();
    return tokenLoop(**model) != nullptr;
  };
  EXPECT_TRUE(has(loopManifest()));
  EXPECT_FALSE(has(decoderManifest()));
  Manifest batches = loopManifest();
  batches.entries[0].symbols[0].min = 2;
  EXPECT_FALSE(has(batches));
  Manifest none = loopManifest();
  none.entries.erase(none.entries.begin());
  expectFails(checkManifest(none, 4), Code::CorruptArtifact,
              {"no entry 'decode'"});
  Manifest wrong = loopManifest();
  wrong.entries.back().inputs.pop_back();
  expectFails(checkManifest(wrong, 4), Code::CorruptArtifact,
              {"no 'ingot.progress'"});
}
