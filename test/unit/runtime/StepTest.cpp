//===- StepTest.cpp - batches, passes, stopping, threads ------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "DecoderArtifact.h"

using namespace ingot::rt;
using namespace ingot::rt::test;

namespace {
/// Sequences that read together.
struct Batch {
  std::vector<std::unique_ptr<Sequence>> sequences;
  std::vector<Ids> read, next;
  RunStats stats;

  void add(const std::shared_ptr<Session> &session) {
    sequences.push_back(makeSequence(session));
    read.emplace_back();
    next.emplace_back();
  }

  /// Lets those read that have something next, and checks their logits.
  void step(const StepOptions &options = {}) {
    std::vector<StepRow> rows;
    std::vector<size_t> who;
    size_t wanted = 0;
    for (size_t i = 0; i < sequences.size(); ++i)
      if (!next[i].empty()) {
        rows.push_back({sequences[i].get(), next[i]});
        who.push_back(i);
        wanted += options.allLogits ? next[i].size() : 1;
      }
    std::vector<float> logits(wanted * DecoderVocab);
    Status status = ingot::rt::step(rows, options, logits, stats);
    ASSERT_TRUE(status.ok()) << status.message();
    const float *from = logits.data();
    for (size_t i : who) {
      size_t first = options.allLogits ? 1 : next[i].size();
      for (size_t count = first; count <= next[i].size(); ++count) {
        Ids ids = read[i] + Ids(next[i].begin(), next[i].begin() + count);
        EXPECT_EQ(std::vector<float>(from, from + DecoderVocab),
                  referenceLogits(ids))
            << "row " << i << ", token " << count;
        from += DecoderVocab;
      }
      read[i] = read[i] + next[i];
      EXPECT_EQ(sequences[i]->length(), read[i].size());
      next[i].clear();
    }
  }
};
} // namespace

static StepOptions inChunks(uint64_t chunk) {
  StepOptions options;
  options.chunk = chunk;
  return options;
}

TEST(Step, AnyLengthInAnyChunks) {
  for (int threads : {1, 3}) {
    auto session = decoderSession(threads);
    for (size_t length : {1, 2, 127, 128, 129, 260, 700})
      for (uint64_t chunk : {0, 1, 7, 128, 200}) {
        if (chunk == 1 && length > 300)
          continue; // Nothing new, and slow.
        auto sequence = makeSequence(session);
        expectReads(*sequence, {}, someIds(length), inChunks(chunk));
      }
  }
}

TEST(Step, ChunksBoundTheArena) {
  auto session = decoderSession();
  Batch batch;
  for (int i = 0; i < 5; ++i)
    batch.add(session);
  auto stepBytes = [&](uint64_t chunk, size_t length) {
    batch.next = std::vector<Ids>(5, someIds(length));
    batch.step(inChunks(chunk));
    return batch.stats.arenaBytes;
  };
  // 64 bytes a token: TestDecoder.c.
  EXPECT_LE(stepBytes(0, 600), 64u * 512);
  EXPECT_LE(stepBytes(50, 100), 64u * 50);
  EXPECT_EQ(stepBytes(2, 3), 16u * 5); // One token a row: "decode".
  EXPECT_GE(batch.stats.milliseconds, 0);
  EXPECT_EQ(batch.stats.workers, 2);
}

TEST(Step, RowsOfDifferentLengthsJoinAndLeave) {
  auto session = decoderSession();
  Batch batch;
  for (int i = 0; i < 4; ++i)
    batch.add(session);
  for (int round = 0; round < 12; ++round) {
    for (size_t i = 0; i < batch.sequences.size(); ++i)
      if ((round + i) % 3 != 0)
        batch.next[i] = someIds(1 + (round * 37 + i * 71) % 150, round + i);
    batch.step(inChunks(round % 2 ? 0 : 64));
    if (round == 5)
      batch.add(session);
    if (round == 8) {
      batch.sequences.erase(batch.sequences.begin() + 1);
      batch.read.erase(batch.read.begin() + 1);
      batch.next.erase(batch.next.begin() + 1);
    }
  }
}

TEST(Step, OneTokenEachIsADecode) {
  auto session = decoderSession();
  Batch batch;
  batch.add(session);
  batch.add(session);
  batch.next = {{1}, {2}};
  batch.step();
  EXPECT_EQ(batch.stats.arenaBytes, 16u * 2);
  batch.next = {{1}, {2, 3}};
  batch.step(inChunks(100));
  EXPECT_EQ(batch.stats.arenaBytes, 64u * 4);
  // Without such an entry the main program does it.
  Manifest plain = decoderManifest();
  plain.entries.erase(plain.entries.begin(), plain.entries.end() - 1);
  auto other = decoderSession(2, plain);
  Batch main;
  main.add(other);
  main.next = {{1}};
  main.step();
  EXPECT_EQ(main.stats.arenaBytes, 64u);
}

TEST(Step, LogitsOfAllTokens) {
  auto session = decoderSession();
  for (uint64_t chunk : {0, 3, 50}) {
    Batch batch;
    for (int i = 0; i < 3; ++i)
      batch.add(session);
    StepOptions options = inChunks(chunk);
    options.allLogits = true;
    batch.next = {someIds(1), someIds(90, 1), someIds(40, 2)};
    batch.step(options);
    batch.next = {someIds(7), {4}, {}};
    batch.step(options);
    batch.next = {{1}, {2}, {3}};
    batch.step(options);
  }
  Manifest without = decoderManifest();
  without.entries.erase(without.entries.begin() + 1);
  auto other = decoderSession(1, without);
  auto sequence = makeSequence(other);
  StepOptions options;
  options.allLogits = true;
  expectFails(readIds(*sequence, {1, 2}, options).status(),
              Code::InvalidArgument, {"no entry for the logits of all tokens"});
  expectReads(*sequence, {}, {1}, options);
}

TEST(Step, ProgramsOfFixedSizes) {
  Manifest fixed = decoderManifest();
  fixed.entries.erase(fixed.entries.begin(), fixed.entries.end() - 1);
  fixed.inputs[0].dims = {Dim::fixed(2), Dim::fixed(4)};
  fixed.inputs[1].dims = fixed.inputs[2].dims = {Dim::fixed(2)};
  fixed.outputs[0].dims[0] = Dim::fixed(2);
  auto session = decoderSession(2, fixed);
  Batch batch;
  for (int i = 0; i < 5; ++i)
    batch.add(session);
  batch.next = {someIds(3), someIds(9, 1), {}, someIds(130, 2), {5}};
  batch.step();
  batch.next = {{}, {}, {6}, {}, {}};
  batch.step();
}

TEST(Step, BoundedSymbols) {
  Manifest bounded = decoderManifest();
  bounded.entries.erase(bounded.entries.begin(), bounded.entries.end() - 1);
  bounded.symbols = {{"batch", 1, 2}, {"seq", 1, 16}};
  auto session = decoderSession(2, bounded);
  Batch batch;
  for (int i = 0; i < 3; ++i)
    batch.add(session);
  batch.next = {someIds(100), someIds(9, 1), someIds(17, 2)};
  batch.step();
}

TEST(Step, NarrowIds) {
  Manifest narrow = decoderManifest();
  narrow.inputs[0].dtype = DType::I32;
  for (EntryInfo &entry : narrow.entries)
    if (entry.name != "sample")
      entry.inputs[0].dtype = DType::I32;
  SessionOptions options;
  options.threads = 2;
  auto session =
      decoderSession(std::move(options), decoderBytes(narrow, "decoder-i32"));
  auto sequence = makeSequence(session);
  expectReads(*sequence, {}, someIds(200));
  expectFails(readIds(*sequence, {int64_t(1) << 32}).status(),
              Code::InvalidArgument, {"token id 4294967296"});
}

TEST(Step, RefusesWhatIsWrong) {
  auto session = decoderSession();
  auto one = makeSequence(session), other = makeSequence(decoderSession());
  RunStats stats;
  std::vector<float> logits(DecoderVocab);
  Ids ids = {1, 2};
  auto refuse = [&](std::vector<StepRow> rows, const StepOptions &options,
                    const char *part) {
    expectFails(step(rows, options, logits, stats), Code::InvalidArgument,
                {part});
  };
  refuse({}, {}, "without rows");
  refuse({{one.get(), {}}}, {}, "row 0 has no tokens");
  refuse({{one.get(), ids}, {other.get(), ids}}, {}, "different sessions");
  Ids negative = {-1};
  refuse({{one.get(), negative}}, {}, "the token id -1");
  StepOptions options;
  options.allLogits = true;
  refuse({{one.get(), ids}}, options, "room for 64 logits, expected 128");
  options = {};
  options.run.timeLimit = -1;
  refuse({{one.get(), ids}}, options, "time limit");
  // The program's own check.
  Ids tooLarge = {1, DecoderVocab};
  StepRow row{one.get(), tooLarge};
  expectFails(step({&row, 1}, {}, {}, stats), Code::RuntimeCheck,
              {"out of range"});
  EXPECT_EQ(one->length(), 0u);
  EXPECT_EQ(session->pages()->stats().bytesInUse, 0u);
  expectReads(*one, {}, ids);
}

TEST(Step, StopsAndStaysUsable) {
  auto session = decoderSession();
  auto sequence = makeSequence(session);
  Ids start = someIds(20);
  expectReads(*sequence, {}, start);
  StepOptions options;
  options.run.timeLimit = 0.02;
  expectFails(readIds(*sequence, {DecoderSpinId}, options).status(),
              Code::TimeLimit, {"time limit"});
  EXPECT_EQ(sequence->length(), 20u);

  CancelToken token;
  options = {};
  options.run.cancel = &token;
  // The first pass is finished and stays, the second is stopped. On a busy
  // machine the stop may come before the end of the first: then it waits
  // longer.
  options.chunk = 10;
  Ids first = someIds(10, 1);
  for (std::chrono::milliseconds wait(20);
       sequence->length() == 20 && wait < std::chrono::minutes(1); wait *= 4) {
    std::thread canceller([&] {
      std::this_thread::sleep_for(wait);
      token.request();
    });
    expectFails(
        readIds(*sequence, first + Ids{DecoderSpinId, 1}, options).status(),
        Code::Cancelled, {"cancelled"});
    canceller.join();
    token.reset();
  }
  EXPECT_EQ(sequence->length(), 30u);
  expectReads(*sequence, start + first, someIds(5, 2), options);
}

TEST(Step, FromManyThreads) {
  auto session = decoderSession(2);
  auto prompt = makeSequence(session);
  Ids ids = someIds(150);
  expectReads(*prompt, {}, ids);
  std::vector<std::unique_ptr<Sequence>> sequences;
  for (int i = 0; i < 4; ++i)
    sequences.push_back(std::move(*prompt->fork()));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      Ids read = ids;
      for (int round = 0; round < 6; ++round) {
        Ids next = someIds(1 + 20 * round, i * 100 + round);
        expectReads(*sequences[i], read, next);
        read = read + next;
        auto copy = sequences[i]->fork();
        ASSERT_TRUE(copy.ok());
        expectReads(**copy, read, {9});
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  sequences.clear();
  prompt.reset();
  EXPECT_EQ(session->pages()->stats().bytesInUse, 0u);
}
