//===- GenerateTest.cpp - token after token -------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "DecoderArtifact.h"

using namespace ingot::rt;
using namespace ingot::rt::test;

/// Greedy tokens by the reference.
static Ids greedy(Ids ids, size_t count) {
  size_t start = ids.size();
  for (size_t i = 0; i < count; ++i) {
    std::vector<float> logits = referenceLogits(ids);
    ids.push_back(std::max_element(logits.begin(), logits.end()) -
                  logits.begin());
  }
  return Ids(ids.begin() + start, ids.end());
}

/// A prompt whose greedy continuation never asks the program to spin.
static Ids somePrompt(size_t length, size_t count) {
  for (uint64_t seed = 0;; ++seed) {
    Ids prompt = someIds(length, seed), next = greedy(prompt, count);
    if (std::find(next.begin(), next.end(), DecoderSpinId) == next.end())
      return prompt;
  }
}

/// Step by step, and token after token in one run.
class Generate : public testing::TestWithParam<bool> {
protected:
  static std::shared_ptr<Session> newSession(int threads = 2) {
    return decoderSession(threads,
                          GetParam() ? loopManifest() : decoderManifest());
  }
};
INSTANTIATE_TEST_SUITE_P(BothWays, Generate, testing::Bool());

/// The spinning id is never chosen.
static bool forbidSpin(std::span<const int64_t>, std::span<float> logits) {
  logits[DecoderSpinId] = -std::numeric_limits<float>::infinity();
  return true;
}

static Generation generated(Sequence &sequence, const Ids &prompt,
                            const GenerateOptions &options) {
  Generation out;
  Status status = generate(sequence, prompt, options, out);
  EXPECT_TRUE(status.ok()) << status.message();
  return out;
}

TEST_P(Generate, GreedyIsTheReference) {
  auto session = newSession();
  Ids prompt = somePrompt(120, 30);
  auto sequence = makeSequence(session);
  Ids streamed;
  GenerateOptions options;
  options.maxNewTokens = 30;
  options.chunk = 50;
  options.onToken = [&](int64_t id) {
    streamed.push_back(id);
    // All but the last have been read.
    EXPECT_EQ(sequence->length(), 119u + streamed.size());
    return true;
  };
  Generation out = generated(*sequence, prompt, options);
  EXPECT_EQ(out.ids, greedy(prompt, 30));
  EXPECT_EQ(out.ids, streamed);
  EXPECT_EQ(out.finish, Finish::Length);
  EXPECT_EQ(out.stopTokens, 0u);
  EXPECT_EQ(out.promptTokens, 120u);
  EXPECT_GT(out.prefillMilliseconds, 0);
  EXPECT_GT(out.decodeMilliseconds, 0);
  // The last token is chosen, not read.
  EXPECT_EQ(sequence->length(), 149u);
}

TEST_P(Generate, GoesOnFromItsLastToken) {
  auto session = newSession();
  GenerateOptions options;
  options.sampling = {1.0, 0, 0.9, 0, 1.1, 77};
  options.process = forbidSpin;
  options.maxNewTokens = 20;
  auto whole = makeSequence(session), pieces = makeSequence(session);
  Ids prompt = someIds(10);
  Ids expected = generated(*whole, prompt, options).ids, got;
  options.maxNewTokens = 5;
  Ids next = prompt;
  for (int i = 0; i < 4; ++i) {
    Ids piece = generated(*pieces, next, options).ids;
    got = got + piece;
    next = {piece.back()};
  }
  EXPECT_EQ(got, expected);
  // Another seed, another text; the same seed, the same on any team.
  auto other = makeSequence(newSession(1)), same = makeSequence(session);
  options.maxNewTokens = 20;
  EXPECT_EQ(generated(*other, prompt, options).ids, expected);
  options.sampling.seed = 78;
  EXPECT_NE(generated(*same, prompt, options).ids, expected);
}

TEST_P(Generate, StopsAtIdsAndSequences) {
  auto session = newSession();
  Ids prompt = somePrompt(9, 12), text = greedy(prompt, 12);
  auto run = [&](const GenerateOptions &options) {
    auto sequence = makeSequence(session);
    return generated(*sequence, prompt, options);
  };
  GenerateOptions options;
  options.maxNewTokens = 12;
  options.stopIds = {1000, text[4]};
  size_t at = std::find(text.begin(), text.end(), text[4]) - text.begin();
  Generation out = run(options);
  EXPECT_EQ(out.finish, Finish::StopId);
  EXPECT_EQ(out.stopTokens, 1u);
  EXPECT_EQ(out.ids, Ids(text.begin(), text.begin() + at + 1));

  options.stopIds.clear();
  options.stopSequences = {{text[6], text[8]},
                           {text[6], text[7]},
                           {text[5], text[6], text[7]},
                           {prompt.back(), text[0]}}; // Not generated.
  out = run(options);
  EXPECT_EQ(out.finish, Finish::StopSequence);
  EXPECT_EQ(out.stopTokens, 3u);
  EXPECT_EQ(out.ids, Ids(text.begin(), text.begin() + 8));

  options.stopSequences.clear();
  size_t seen = 0;
  options.onToken = [&](int64_t) { return ++seen < 3; };
  out = run(options);
  EXPECT_EQ(out.finish, Finish::Host);
  EXPECT_EQ(out.ids.size(), 3u);
}

TEST_P(Generate, UntilTheSequenceIsFull) {
  auto session = newSession();
  Ids prompt = somePrompt(10, 10);
  auto sequence = makeSequence(session, 16);
  Generation out = generated(*sequence, prompt, {});
  EXPECT_EQ(out.finish, Finish::Full);
  EXPECT_EQ(out.ids, greedy(prompt, 7)); // The last is not read.
  EXPECT_EQ(sequence->length(), 16u);
  expectFails(generate(*sequence, prompt, {}, out), Code::SequenceFull,
              {"16 of at most 16"});
  EXPECT_TRUE(out.ids.empty());
  auto endless = makeSequence(session);
  expectFails(generate(*endless, prompt, {}, out), Code::InvalidArgument,
              {"nothing limits the generation"});
  EXPECT_EQ(endless->length(), 0u);
}

TEST_P(Generate, ProcessorsDecide) {
  auto session = newSession();
  Ids prompt = someIds(5), wanted = {3, 1, 4, 1, 5};
  auto sequence = makeSequence(session);
  GenerateOptions options;
  options.maxNewTokens = 10;
  options.sampling.temperature = 1;
  // Allows one id a step, by where the text stands, then ends.
  options.process = [&](std::span<const int64_t> ids, std::span<float> logits) {
    Ids before(ids.begin(), ids.end());
    EXPECT_EQ(std::vector<float>(logits.begin(), logits.end()),
              referenceLogits(before));
    size_t step = ids.size() - prompt.size();
    if (step == wanted.size())
      return false;
    for (size_t id = 0; id < logits.size(); ++id)
      if (int64_t(id) != wanted[step])
        logits[id] = -std::numeric_limits<float>::infinity();
    return true;
  };
  Generation out = generated(*sequence, prompt, options);
  EXPECT_EQ(out.ids, wanted);
  EXPECT_EQ(out.finish, Finish::Host);

  options.process = [](std::span<const int64_t>, std::span<float> logits) {
    std::fill(logits.begin(), logits.end(),
              -std::numeric_limits<float>::infinity());
    return true;
  };
  expectFails(generate(*makeSequence(session), prompt, options, out),
              Code::RuntimeCheck, {"no token is allowed"});
}

TEST_P(Generate, IsStopped) {
  auto session = newSession();
  auto sequence = makeSequence(session);
  GenerateOptions options;
  options.maxNewTokens = 50;
  // From the third token on the program spins.
  options.process = [](std::span<const int64_t> ids, std::span<float> logits) {
    logits[ids.size() < 7 ? 1 : DecoderSpinId] = 1000;
    return true;
  };
  // Long enough for two tokens on a busy machine.
  options.run.timeLimit = 1;
  Generation out;
  expectFails(generate(*sequence, someIds(5), options, out), Code::TimeLimit,
              {"time limit"});
  EXPECT_EQ(out.ids, (Ids{1, 1, DecoderSpinId}));
  EXPECT_EQ(out.finish, Finish::Interrupted);
  EXPECT_EQ(sequence->length(), 7u);

  CancelToken token;
  options.run = {0, &token};
  options.process = forbidSpin;
  options.onToken = [&, count = 0](int64_t) mutable {
    if (++count == 4)
      token.request();
    return true;
  };
  expectFails(generate(*makeSequence(session), someIds(5), options, out),
              Code::Cancelled, {"cancelled"});
  EXPECT_EQ(out.ids.size(), 4u);
}

TEST_P(Generate, IsStoppedInTheMiddle) {
  auto session = newSession();
  // The third token lets the program spin.
  Ids prompt;
  for (uint64_t seed = 0; prompt.empty(); ++seed)
    if (Ids ids = someIds(5, seed), next = greedy(ids, 3);
        next[2] == DecoderSpinId && next[0] != next[2] && next[1] != next[2])
      prompt = ids;
  auto sequence = makeSequence(session);
  GenerateOptions options;
  options.maxNewTokens = 50;
  options.run.timeLimit = 1;
  Generation out;
  expectFails(generate(*sequence, prompt, options, out), Code::TimeLimit,
              {"time limit"});
  EXPECT_EQ(out.ids, greedy(prompt, 3));
  EXPECT_EQ(out.finish, Finish::Interrupted);
  EXPECT_EQ(sequence->length(), 7u);

  CancelToken token;
  options.run = {0, &token};
  options.onToken = [&, count = 0](int64_t) mutable {
    if (++count == 4)
      token.request();
    return true;
  };
  auto other = makeSequence(session);
  prompt = somePrompt(5, 10);
  expectFails(generate(*other, prompt, options, out), Code::Cancelled,
              {"cancelled"});
  EXPECT_EQ(out.ids, greedy(prompt, 4));
  EXPECT_EQ(other->length(), 8u);
}

TEST_P(Generate, GrowsWhileThereIsMemory) {
  SessionOptions limited;
  limited.threads = 2;
  limited.maxCacheBytes = decoderPageBytes[0] + decoderPageBytes[1];
  auto session = decoderSession(
      std::move(limited),
      decoderBytes(GetParam() ? loopManifest() : decoderManifest()));
  Ids prompt = somePrompt(120, 20);
  GenerateOptions options;
  options.maxNewTokens = 20;
  auto sequence = makeSequence(session);
  Generation out;
  expectFails(generate(*sequence, prompt, options, out), Code::OutOfMemory, {});
  EXPECT_EQ(out.ids, greedy(prompt, 9));
  EXPECT_EQ(sequence->length(), 128u);
}

TEST_P(Generate, RefusesWhatIsWrong) {
  auto session = newSession();
  auto sequence = makeSequence(session, 100);
  Generation out;
  auto refuse = [&](const Ids &prompt, const GenerateOptions &options,
                    const char *part) {
    expectFails(generate(*sequence, prompt, options, out),
                Code::InvalidArgument, {part});
  };
  refuse({}, {}, "the prompt has no tokens");
  GenerateOptions options;
  options.stopSequences = {{}};
  refuse({1}, options, "a stop sequence has no ids");
  options = {};
  options.sampling.topP = 2;
  refuse({1}, options, "top_p is 2");
  options = {};
  options.run.timeLimit = -1;
  refuse({1}, options, "time limit");
  EXPECT_EQ(sequence->length(), 0u);
}
