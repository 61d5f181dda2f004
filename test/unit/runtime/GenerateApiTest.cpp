//===- GenerateApiTest.cpp - the C and C++ API of generation --------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "DecoderArtifact.h"

#include "runtime/c/ingot.hpp"

using namespace ingot::rt::test;

static ingot::Model decoder() {
  Bytes bytes = decoderBytes();
  return ingot::Model::load(bytes.data(), bytes.size());
}

/// Never lets the program spin.
static bool forbidSpin(const int64_t *, size_t, float *logits, size_t) {
  logits[DecoderSpinId] = -1000;
  return true;
}

TEST(GenerateApi, DescribesTheModel) {
  ingot::Model model = decoder();
  EXPECT_TRUE(model.isGenerator());
  ingot_generator_info info = model.generator();
  EXPECT_EQ(info.vocab_size, 64u);
  EXPECT_EQ(info.max_positions, 0u);
  EXPECT_EQ(info.page_positions, 128u);
  EXPECT_EQ(info.bytes_per_position, 10u * 4 + 5 * 4 + 6 * 2);
  EXPECT_EQ(info.cache_count, 3u);
  EXPECT_EQ(info.replaced_count, 1u);
  EXPECT_EQ(info.has_all_logits, 1);
  ingot_cache_info cache;
  ASSERT_EQ(ingot_model_cache(model.get(), 2, &cache), INGOT_OK);
  EXPECT_STREQ(cache.name, "layer.2");
  EXPECT_EQ(cache.dtype, INGOT_F16);
  EXPECT_EQ(cache.window, 200u);
  EXPECT_STREQ(cache.key_input, "past.2.key");
  EXPECT_STREQ(cache.value_output, "");
  EXPECT_EQ(ingot_model_cache(model.get(), 3, &cache), INGOT_INVALID_ARGUMENT);
  EXPECT_STREQ(ingot_model_replaced(model.get(), 0),
               "attention_mask: all ones");
  EXPECT_EQ(ingot_model_replaced(model.get(), 1), nullptr);

  Bytes bytes = artifactBytes();
  ingot::Model plain = ingot::Model::load(bytes.data(), bytes.size());
  EXPECT_FALSE(plain.isGenerator());
  EXPECT_THROW(plain.generator(), ingot::Error);
  EXPECT_EQ(ingot_model_replaced(plain.get(), 0), nullptr);
  ingot::Session session(plain);
  EXPECT_THROW(ingot::Sequence{session}, ingot::Error);
}

TEST(GenerateApi, StepsABatch) {
  ingot::Session session(decoder(), 2);
  ingot::Sequence one(session), two(session, 500);
  EXPECT_EQ(one.limit(), 0u);
  EXPECT_EQ(two.limit(), 500u);
  Ids a = someIds(3), b = someIds(140, 1);
  ingot_row rows[] = {{one.get(), a.data(), a.size()},
                      {two.get(), b.data(), b.size()}};
  ingot_result *result = nullptr;
  ASSERT_EQ(ingot_step(rows, 2, nullptr, nullptr, 0, &result), INGOT_OK)
      << ingot_last_error();
  ingot_tensor logits;
  ASSERT_EQ(ingot_result_output(result, 0, &logits), INGOT_OK);
  EXPECT_STREQ(logits.name, "logits");
  ASSERT_EQ(logits.rank, 2);
  EXPECT_EQ(logits.dims[0], 2);
  EXPECT_EQ(logits.dims[1], 64);
  const float *data = static_cast<const float *>(logits.data);
  EXPECT_EQ(std::vector<float>(data, data + 64), referenceLogits(a));
  EXPECT_EQ(std::vector<float>(data + 64, data + 128), referenceLogits(b));
  ingot_run_stats stats;
  ASSERT_EQ(ingot_result_stats(result, &stats), INGOT_OK);
  EXPECT_EQ(stats.workers, 2);
  ingot_result_free(result);

  // To the caller's memory, of all tokens.
  Ids c = {5, 6};
  ingot_row row = {one.get(), c.data(), c.size()};
  ingot_step_options options = INGOT_STEP_OPTIONS_INIT;
  options.all_logits = 1;
  std::vector<float> mine(128);
  EXPECT_EQ(ingot_step(&row, 1, &options, mine.data(), 64, nullptr),
            INGOT_INVALID_ARGUMENT);
  ASSERT_EQ(ingot_step(&row, 1, &options, mine.data(), 128, nullptr), INGOT_OK);
  EXPECT_EQ(std::vector<float>(mine.begin() + 64, mine.end()),
            referenceLogits(a + c));
  EXPECT_EQ(one.ids(), a + c);
  EXPECT_EQ(one.step({7}), referenceLogits(a + c + Ids{7}));
  ingot::Sequence fresh(session);
  std::vector<float> both = ingot::step({{&one, {8, 9}}, {&fresh, a}});
  ASSERT_EQ(both.size(), 128u);
  EXPECT_EQ(std::vector<float>(both.begin() + 64, both.end()),
            referenceLogits(a));
  EXPECT_EQ(std::vector<float>(both.begin(), both.begin() + 64),
            referenceLogits(a + c + Ids{7, 8, 9}));

  ingot_row twice[] = {row, row};
  EXPECT_EQ(ingot_step(twice, 2, nullptr, nullptr, 0, nullptr),
            INGOT_INVALID_ARGUMENT);
  EXPECT_STREQ(ingot_last_error(),
               "row 1: the sequence is in use by another call, or twice in "
               "this");
  Ids many = someIds(400);
  EXPECT_EQ(ingot_sequence_append(two.get(), many.data(), 400, nullptr),
            INGOT_SEQUENCE_FULL);
  EXPECT_STREQ(ingot_status_name(INGOT_SEQUENCE_FULL), "sequence full");
}

TEST(GenerateApi, SequencesForkTruncateAndPersist) {
  TemporaryFolder folder;
  ingot_session *raw = nullptr;
  ingot_session_options options = INGOT_SESSION_OPTIONS_INIT;
  options.max_cache_bytes = 1 << 20;
  ASSERT_EQ(ingot_session_create(decoder().get(), &options, &raw), INGOT_OK);
  ingot_sequence *made = nullptr;
  ASSERT_EQ(ingot_sequence_create(raw, nullptr, &made), INGOT_OK);
  Ids ids = someIds(100);
  ASSERT_EQ(ingot_sequence_append(made, ids.data(), 100, nullptr), INGOT_OK);
  ingot_cache_stats stats;
  ASSERT_EQ(ingot_session_cache_stats(raw, &stats), INGOT_OK);
  EXPECT_EQ(stats.bytes_in_use,
            uint64_t(decoderPageBytes[0] + decoderPageBytes[1]));
  EXPECT_LE(stats.bytes_reserved, 1u << 20);
  ingot_session_free(raw); // The sequence keeps what it needs.
  ASSERT_EQ(ingot_sequence_append(made, ids.data(), 5, nullptr), INGOT_OK);
  EXPECT_EQ(ingot_sequence_length(made), 105u);
  ingot_sequence_free(made);

  ingot::Session session(decoder(), 2);
  ingot::Sequence sequence(session);
  sequence.append(ids);
  ingot::Sequence fork = sequence.fork();
  fork.truncate(50);
  Ids half(ids.begin(), ids.begin() + 50);
  EXPECT_EQ(fork.step({1}), referenceLogits(half + Ids{1}));
  EXPECT_THROW(fork.truncate(52), ingot::Error);
  sequence.save(folder.file("state"));
  ingot::Sequence restored =
      ingot::Sequence::restore(session, folder.file("state"), 200);
  EXPECT_EQ(restored.ids(), ids);
  EXPECT_EQ(restored.limit(), 200u);
  EXPECT_EQ(restored.step({2}), referenceLogits(ids + Ids{2}));
  EXPECT_THROW(ingot::Sequence::restore(session, folder.file("no")),
               ingot::Error);
}

TEST(GenerateApi, Generates) {
  ingot::Session session(decoder(), 2);
  ingot::Sequence sequence(session, 1000);
  ingot::GenerateOptions options;
  options.maxNewTokens = 8;
  options.sampling.temperature = 0.8;
  options.sampling.seed = 3;
  options.processLogits = forbidSpin;
  Ids streamed;
  options.onToken = [&](int64_t id) {
    // The sequence is busy, but has a length.
    EXPECT_EQ(sequence.length(), 10 + streamed.size());
    EXPECT_THROW(sequence.truncate(0), ingot::Error);
    streamed.push_back(id);
    return true;
  };
  ingot::Generation out = sequence.generate(someIds(10), options);
  EXPECT_EQ(out.ids, streamed);
  EXPECT_EQ(out.stats.finish, INGOT_FINISH_LENGTH);
  EXPECT_EQ(out.stats.new_tokens, 8u);
  EXPECT_EQ(out.stats.prompt_tokens, 10u);

  // The host's own loop gives the same.
  ingot::Sequence other(session);
  std::vector<float> logits = other.step(someIds(10));
  for (int64_t expected : out.ids) {
    forbidSpin(nullptr, 0, logits.data(), 0);
    int64_t id = ingot::sample(session, logits.data(), logits.size(),
                               other.length(), options.sampling);
    EXPECT_EQ(id, expected);
    logits = other.step({id});
  }

  // Stops, by the C structs.
  options.stopIds = {out.ids[2]};
  options.stopSequences = {{out.ids[0], out.ids[1]}};
  options.onToken = nullptr;
  ingot::Sequence third(session);
  ingot::Generation stopped = third.generate(someIds(10), options);
  EXPECT_EQ(stopped.stats.finish, INGOT_FINISH_STOP_SEQUENCE);
  EXPECT_EQ(stopped.stats.stop_tokens, 2u);
  EXPECT_EQ(stopped.ids.size(), 2u);
}

TEST(GenerateApi, ExceptionsPassTheCallbacks) {
  ingot::Session session(decoder(), 1);
  ingot::Sequence sequence(session, 100);
  ingot::GenerateOptions options;
  options.onToken = [](int64_t) -> bool { throw std::runtime_error("mine"); };
  EXPECT_THROW(sequence.generate({1, 2}, options), std::runtime_error);
  options.onToken = nullptr;
  options.processLogits = [](auto...) -> bool { throw 5; };
  EXPECT_THROW(sequence.generate({1, 2}, options), int);
  EXPECT_EQ(sequence.length(), 4u);
}

TEST(GenerateApi, AnInterruptedGenerationIsNotLost) {
  ingot::Session session(decoder(), 2);
  ingot::Sequence sequence(session, 100);
  ingot_generate_options options = INGOT_GENERATE_OPTIONS_INIT;
  ingot::Cancel cancel;
  options.cancel = cancel.get();
  options.user = cancel.get();
  options.on_token = [](void *user, int64_t) -> int32_t {
    ingot_cancel_request(static_cast<ingot_cancel *>(user));
    return 0;
  };
  options.process_logits = [](void *, const int64_t *ids, size_t count,
                              float *l, size_t vocab) -> int32_t {
    return forbidSpin(ids, count, l, vocab) ? 0 : 1;
  };
  int64_t prompt[] = {1, 2, 3};
  ingot_generation *generation = nullptr;
  EXPECT_EQ(ingot_generate(sequence.get(), prompt, 3, &options, &generation),
            INGOT_CANCELLED);
  ASSERT_NE(generation, nullptr);
  EXPECT_EQ(ingot_generation_ids(generation).count, 1u);
  ingot_generation_stats stats;
  ASSERT_EQ(ingot_generation_get_stats(generation, &stats), INGOT_OK);
  EXPECT_EQ(stats.finish, INGOT_FINISH_INTERRUPTED);
  ingot_generation_free(generation);

  cancel.reset();
  options.stop_id_count = 2;
  EXPECT_EQ(ingot_generate(sequence.get(), prompt, 3, &options, &generation),
            INGOT_INVALID_ARGUMENT);
  EXPECT_STREQ(ingot_last_error(), "stop_ids is null");
  EXPECT_EQ(generation, nullptr);
}

TEST(GenerateApi, Masks) {
  std::vector<float> logits(70, 1);
  uint32_t mask[] = {0x80000001, 0, 0x2};
  ingot_mask_logits(logits.data(), logits.size(), mask);
  for (size_t id = 0; id < logits.size(); ++id)
    EXPECT_EQ(logits[id] == 1, id == 0 || id == 31 || id == 65) << id;
  ingot_mask_logits(nullptr, 5, mask);
}

TEST(GenerateApi, NullIsRefusedEverywhere) {
  ingot_status invalid = INGOT_INVALID_ARGUMENT;
  ingot_sequence *sequence = nullptr;
  ingot_generation *generation = nullptr;
  int64_t id = 0;
  EXPECT_EQ(ingot_sequence_create(nullptr, nullptr, &sequence), invalid);
  EXPECT_EQ(ingot_sequence_create(nullptr, nullptr, nullptr), invalid);
  EXPECT_EQ(ingot_sequence_restore(nullptr, "x", nullptr, &sequence), invalid);
  EXPECT_EQ(ingot_sequence_append(nullptr, &id, 1, nullptr), invalid);
  EXPECT_EQ(ingot_sequence_truncate(nullptr, 0), invalid);
  EXPECT_EQ(ingot_sequence_fork(nullptr, &sequence), invalid);
  EXPECT_EQ(ingot_sequence_save(nullptr, "x"), invalid);
  EXPECT_EQ(ingot_sequence_ids(nullptr, &id, 1), invalid);
  EXPECT_EQ(ingot_step(nullptr, 1, nullptr, nullptr, 0, nullptr), invalid);
  EXPECT_EQ(ingot_generate(nullptr, &id, 1, nullptr, &generation), invalid);
  EXPECT_EQ(ingot_generation_get_stats(nullptr, nullptr), invalid);
  EXPECT_EQ(ingot_sample(nullptr, nullptr, 1, nullptr, 0, 0, nullptr, &id),
            invalid);
  EXPECT_EQ(ingot_session_cache_stats(nullptr, nullptr), invalid);
  EXPECT_EQ(ingot_model_generator(nullptr, nullptr), invalid);
  EXPECT_EQ(ingot_model_cache(nullptr, 0, nullptr), invalid);
  EXPECT_EQ(ingot_sequence_length(nullptr), 0u);
  EXPECT_EQ(ingot_model_is_generator(nullptr), 0);
  EXPECT_EQ(ingot_generation_ids(nullptr).count, 0u);
  ingot_sequence_free(nullptr);
  ingot_generation_free(nullptr);
}
