//===- DecoderArtifact.h - a decoder for tests, and its reference -*- C++ -*-//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The artifact over TestDecoder.c, and what it computes by a reference that
// knows nothing of pages.
#ifndef INGOT_TEST_UNIT_RUNTIME_DECODERARTIFACT_H
#define INGOT_TEST_UNIT_RUNTIME_DECODERARTIFACT_H

#include "TestArtifact.h"
#include "TestDecoder.h"

#include "runtime/core/Generator.h"

namespace ingot::rt::test {

using Ids = std::vector<int64_t>;

/// The manifest of TestDecoder.c.
inline Manifest decoderManifest() {
  Manifest m;
  m.version = "test";
  m.source = "decoder.onnx";
  m.cpuFeatures = {"sse2"};
  m.symbols = {{"batch"}, {"seq", 1}};
  Dim rows = Dim::symbolic("batch"), seq = Dim::symbolic("seq"),
      vocab = Dim::fixed(DecoderVocab);
  m.inputs = {{"input_ids", DType::I64, {rows, seq}},
              {"ingot.past", DType::I64, {rows}},
              {"ingot.count", DType::I64, {rows}}};
  m.outputs = {{"logits", DType::F32, {rows, vocab}}};
  m.errors = {"", "the token id is out of range", "too many tokens"};
  m.weights = {{"shift", 0, 4, DType::U8, {4}}};
  StateInfo state;
  state.groups = {{0, uint64_t(decoderPageBytes[0])},
                  {DecoderWindow, uint64_t(decoderPageBytes[1])}};
  for (const DecoderCache &from : decoderCaches) {
    CacheInfo cache;
    cache.name = concat("layer.", state.caches.size());
    cache.group = from.group;
    cache.heads = from.heads;
    cache.keyDepth = from.keyDepth;
    cache.valueDepth = from.valueDepth;
    cache.dtype = from.element == 4 ? DType::F32 : DType::F16;
    cache.keyOffset = from.keyOffset;
    cache.valueOffset = from.valueOffset;
    cache.keyInput = concat("past.", state.caches.size(), ".key");
    state.caches.push_back(cache);
  }
  state.tokensInput = "input_ids";
  state.pastInput = "ingot.past";
  state.countInput = "ingot.count";
  state.logitsOutput = "logits";
  state.replaced = {"attention_mask: all ones"};
  m.state = state;
  StageInfo stage;
  stage.name = "stage0";
  EntryInfo decode{"decode",  "decode_sizes", "decode_entry",
                   m.symbols, m.inputs,       m.outputs,
                   {stage},   "16 * batch",   {}};
  decode.symbols[1] = {"seq", 1, 1};
  EntryInfo all{"all",     "all_sizes", "all_entry",        m.symbols, m.inputs,
                m.outputs, {},          "64 * batch * seq", {}};
  all.outputs[0].dims = {rows, seq, vocab};
  Dim two = Dim::fixed(2), four = Dim::fixed(4);
  Dim logits = Dim::symbolic("in0_0"), history = Dim::symbolic("in1_0");
  EntryInfo sample{"sample",
                   "sample_sizes",
                   "sample_entry",
                   {{"in0_0"}, {"in1_0"}},
                   {{"logits", DType::F32, {logits}},
                    {"history", DType::I64, {history}},
                    {"reals", DType::F64, {four}},
                    {"numbers", DType::I64, {four}}},
                   {{"token", DType::I64, {two}}},
                   {},
                   "",
                   {}};
  m.entries = {decode, all, sample};
  return m;
}

/// The same with the program that runs token after token.
inline Manifest loopManifest() {
  Manifest m = decoderManifest();
  Dim one = Dim::fixed(1), two = Dim::fixed(2), four = Dim::fixed(4);
  std::vector<Symbol> symbols = {{"history"}, {"stops"}, {"chosen"}};
  auto numbers = [](const char *name, Dim dim) {
    return TensorInfo{name, DType::I64, {dim}};
  };
  m.entries.push_back({"generate",
                       "generate_sizes",
                       "generate_entry",
                       symbols,
                       {{"input_ids", DType::I64, {one, one}},
                        numbers("ingot.past", one),
                        numbers("ingot.count", one),
                        {"logits", DType::F32, {one, Dim::fixed(DecoderVocab)}},
                        numbers("ingot.history", Dim::symbolic("history")),
                        {"ingot.reals", DType::F64, {four}},
                        numbers("ingot.numbers", four),
                        numbers("ingot.token", two),
                        numbers("ingot.stops", Dim::symbolic("stops")),
                        numbers("ingot.chosen", Dim::symbolic("chosen")),
                        numbers("ingot.progress", four)},
                       {},
                       {},
                       "",
                       {}});
  return m;
}

inline Bytes decoderBytes(const Manifest &manifest = decoderManifest(),
                          const std::string &variant = "decoder") {
  return artifactBytes(manifest, image(variant), weights());
}

inline std::shared_ptr<Session> decoderSession(SessionOptions options,
                                               const Bytes &bytes) {
  auto model = loadModel(bytes);
  EXPECT_TRUE(model.ok()) << model.status().message();
  auto session = Session::create(*model, std::move(options));
  EXPECT_TRUE(session.ok()) << session.status().message();
  return std::move(*session);
}

inline std::shared_ptr<Session>
decoderSession(int threads = 2, const Manifest &manifest = decoderManifest()) {
  SessionOptions options;
  options.threads = threads;
  return decoderSession(std::move(options), decoderBytes(manifest));
}

inline std::unique_ptr<Sequence>
makeSequence(const std::shared_ptr<Session> &session, uint64_t capacity = 0) {
  auto sequence = Sequence::create(session, capacity);
  EXPECT_TRUE(sequence.ok()) << sequence.status().message();
  return std::move(*sequence);
}

/// Some ids; different seeds give different ones.
inline Ids someIds(size_t count, uint64_t seed = 0) {
  Ids ids;
  for (size_t i = 0; i < count; ++i)
    ids.push_back(decoderMix(decoderMix(9, seed), i) % DecoderSpinId);
  return ids;
}

inline Ids operator+(Ids a, const Ids &b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// The logits behind the last of the ids.
inline std::vector<float> referenceLogits(const Ids &ids) {
  uint64_t hash = 1;
  for (int64_t c = 0; c < DecoderCaches; ++c) {
    const DecoderCache &cache = decoderCaches[c];
    size_t kept = cache.group == 1 ? DecoderWindow : ids.size();
    for (size_t p = ids.size() - std::min(kept, ids.size()); p < ids.size();
         ++p)
      for (int64_t h = 0; h < cache.heads; ++h)
        for (int64_t d = 0; d < cache.keyDepth + cache.valueDepth; ++d)
          hash = decoderMix(hash, decoderNumber(ids[p], p, c, h, d));
  }
  std::vector<float> logits;
  for (int64_t id = 0; id < DecoderVocab; ++id)
    logits.push_back(decoderLogit(hash, id));
  return logits;
}

/// Lets one sequence read ids; the logits behind the last.
inline Result<std::vector<float>> readIds(Sequence &sequence, const Ids &ids,
                                          const StepOptions &options = {}) {
  StepRow row{&sequence, ids};
  std::vector<float> logits((options.allLogits ? ids.size() : 1) *
                            DecoderVocab);
  RunStats stats;
  if (Status status = step({&row, 1}, options, logits, stats); !status.ok())
    return status;
  return logits;
}

/// Reads ids and checks the logits, given what was read before.
inline void expectReads(Sequence &sequence, const Ids &before, const Ids &ids,
                        const StepOptions &options = {}) {
  auto logits = readIds(sequence, ids, options);
  ASSERT_TRUE(logits.ok()) << logits.status().message();
  EXPECT_EQ(*logits, referenceLogits(before + ids));
  EXPECT_EQ(sequence.length(), before.size() + ids.size());
}

inline void expectFails(const Status &status, Code code,
                        std::initializer_list<const char *> parts) {
  EXPECT_EQ(status.code(), code) << status.message();
  for (const char *part : parts)
    EXPECT_NE(status.message().find(part), std::string::npos)
        << "'" << part << "' is not in: " << status.message();
}

} // namespace ingot::rt::test

#endif // INGOT_TEST_UNIT_RUNTIME_DECODERARTIFACT_H
