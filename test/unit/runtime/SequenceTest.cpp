//===- SequenceTest.cpp - length, room, rewinding, forking, windows -------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "DecoderArtifact.h"

using namespace ingot::rt;
using namespace ingot::rt::test;

static uint64_t bytesInUse(const std::shared_ptr<Session> &session) {
  return session->pages()->stats().bytesInUse;
}

TEST(Sequence, NeedsAModelWithState) {
  expectFails(Sequence::create(makeSession(), 0).status(),
              Code::InvalidArgument, {"not compiled for generation"});
  auto session = decoderSession();
  Feeds feeds(1, 1, Add);
  expectFails(session->run(feeds.views, {}).status(), Code::InvalidArgument,
              {"compiled for generation", "ingot_generate"});
}

TEST(Sequence, RemembersIds) {
  auto sequence = makeSequence(decoderSession());
  EXPECT_EQ(sequence->length(), 0u);
  Ids first = someIds(5), second = someIds(140, 1);
  expectReads(*sequence, {}, first);
  expectReads(*sequence, first, second);
  EXPECT_EQ(Ids(sequence->ids().begin(), sequence->ids().end()),
            first + second);
}

TEST(Sequence, OverflowIsRefusedBeforeAnythingIsWritten) {
  auto session = decoderSession();
  auto sequence = makeSequence(session, 130);
  EXPECT_EQ(sequence->limit(), 130u);
  Ids start = someIds(120);
  expectReads(*sequence, {}, start);
  uint64_t bytes = bytesInUse(session);
  StepOptions small;
  small.chunk = 4; // It could begin.
  expectFails(
      readIds(*sequence, someIds(11, 1), small).status(), Code::SequenceFull,
      {"holds 120 of at most 130 positions (its capacity): 11 more do not"});
  EXPECT_EQ(sequence->length(), 120u);
  EXPECT_EQ(bytesInUse(session), bytes);
  expectReads(*sequence, start, someIds(10, 2));
  expectFails(readIds(*sequence, {1}).status(), Code::SequenceFull, {"130"});
}

TEST(Sequence, TheModelHasALimitToo) {
  Manifest manifest = decoderManifest();
  manifest.state->maxPositions = 50;
  auto session = decoderSession(1, manifest);
  EXPECT_EQ(makeSequence(session, 60)->limit(), 50u);
  EXPECT_EQ(makeSequence(session, 40)->limit(), 40u);
  auto sequence = makeSequence(session);
  expectReads(*sequence, {}, someIds(50));
  expectFails(readIds(*sequence, {1}).status(), Code::SequenceFull,
              {"all that the model admits"});
}

TEST(Sequence, TruncatesAndGoesOn) {
  auto session = decoderSession();
  for (size_t length : {299, 257, 256, 255, 128, 100, 0}) {
    auto sequence = makeSequence(session);
    // Within the window, so that every length is allowed.
    Ids ids = someIds(std::min<size_t>(300, length + 60));
    expectReads(*sequence, {}, ids);
    Status status = sequence->truncate(length);
    if (!status.ok()) {
      // Only where the page that is needed again is gone.
      EXPECT_GT(ids.size() + 1 - DecoderWindow, 128u);
      continue;
    }
    ids.resize(length);
    expectReads(*sequence, ids, someIds(77, length));
  }
  EXPECT_EQ(bytesInUse(session), 0u);
}

TEST(Sequence, WindowsLetGoOfTheirPages) {
  auto session = decoderSession();
  auto sequence = makeSequence(session);
  Ids ids = someIds(1000);
  StepOptions options;
  options.chunk = 100;
  expectReads(*sequence, {}, ids, options);
  // 8 pages keep all; positions 801 to 999 are seen again: pages 6 and 7.
  EXPECT_EQ(bytesInUse(session),
            8u * decoderPageBytes[0] + 2u * decoderPageBytes[1]);
  std::vector<int64_t> table(8);
  sequence->writeTable(1, table);
  for (int i = 0; i < 8; ++i)
    EXPECT_EQ(table[i] != 0, i >= 6) << i;

  expectFails(sequence->truncate(900), Code::InvalidArgument,
              {"cannot truncate to 900", "window of 200"});
  EXPECT_EQ(sequence->length(), 1000u);
  expectFails(sequence->truncate(1001), Code::InvalidArgument,
              {"1000 positions to 1001"});
  ASSERT_TRUE(sequence->truncate(968).ok()); // Sees 769 on: page 6.
  ids.resize(968);
  expectReads(*sequence, ids, someIds(300, 3), options);
  ASSERT_TRUE(sequence->truncate(0).ok());
  EXPECT_EQ(bytesInUse(session), 0u);
  expectReads(*sequence, {}, someIds(5));
}

TEST(Sequence, ForksShareAndDiffer) {
  auto session = decoderSession();
  for (size_t length : {1, 127, 128, 200, 300}) {
    auto one = makeSequence(session);
    Ids ids = someIds(length);
    expectReads(*one, {}, ids);
    uint64_t bytes = bytesInUse(session);
    auto two = one->fork();
    ASSERT_TRUE(two.ok());
    EXPECT_EQ(bytesInUse(session), bytes);
    EXPECT_EQ((*two)->length(), length);
    Ids left = someIds(5, 1), right = someIds(9, 2);
    expectReads(*one, ids, left);
    expectReads(**two, ids, right);
    expectReads(*one, ids + left, {3});
    auto three = (*two)->fork();
    two->reset();
    expectReads(**three, ids + right, left);
    expectReads(*one, ids + left + Ids{3}, right);
  }
  EXPECT_EQ(bytesInUse(session), 0u);
}

TEST(Sequence, AForkMayBeTruncatedIntoASharedPage) {
  auto session = decoderSession();
  auto one = makeSequence(session);
  Ids ids = someIds(250);
  expectReads(*one, {}, ids);
  auto two = one->fork();
  ASSERT_TRUE(two.ok());
  ASSERT_TRUE((*two)->truncate(100).ok());
  expectReads(**two, Ids(ids.begin(), ids.begin() + 100), someIds(60, 1));
  expectReads(*one, ids, someIds(3, 2));
}

TEST(Sequence, ManyForksOfALongPrompt) {
  auto session = decoderSession();
  auto prompt = makeSequence(session);
  Ids ids = someIds(2000);
  expectReads(*prompt, {}, ids);
  uint64_t bytes = bytesInUse(session);
  std::vector<std::unique_ptr<Sequence>> forks;
  for (int i = 0; i < 64; ++i)
    forks.push_back(std::move(*prompt->fork()));
  EXPECT_EQ(bytesInUse(session), bytes);
  for (int i = 0; i < 64; ++i)
    expectReads(*forks[i], ids, someIds(3, i));
  // A page of each group for each fork, which is all that differs.
  EXPECT_EQ(bytesInUse(session),
            bytes + 64 * (decoderPageBytes[0] + decoderPageBytes[1]));
  prompt.reset();
  for (int i = 0; i < 64; ++i)
    expectReads(*forks[i], ids + someIds(3, i), {7});
  forks.clear();
  EXPECT_EQ(bytesInUse(session), 0u);
}

TEST(Sequence, OneCallAtATime) {
  auto sequence = makeSequence(decoderSession());
  SequenceUse use(*sequence);
  EXPECT_TRUE(use.status().ok());
  expectFails(SequenceUse(*sequence).status(), Code::InvalidArgument,
              {"in use"});
  SequenceUse moved(std::move(use));
  EXPECT_FALSE(SequenceUse(*sequence).status().ok());
}

TEST(Sequence, WantOfMemoryChangesNothing) {
  SessionOptions options;
  options.threads = 2;
  options.maxCacheBytes = 4 * (decoderPageBytes[0] + decoderPageBytes[1]);
  auto session = decoderSession(std::move(options), decoderBytes());
  auto sequence = makeSequence(session);
  Ids ids = someIds(100);
  expectReads(*sequence, {}, ids);
  expectFails(readIds(*sequence, someIds(2000)).status(), Code::OutOfMemory,
              {"the limit of"});
  EXPECT_EQ(sequence->length(), 100u);
  EXPECT_EQ(bytesInUse(session),
            uint64_t(decoderPageBytes[0] + decoderPageBytes[1]));
  expectReads(*sequence, ids, someIds(20, 1));
}
