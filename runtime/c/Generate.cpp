//===- Generate.cpp - the C API: sampling and generation ------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/c/Handles.h"

#include <limits>

using namespace ingot::rt;

static_assert(int(Finish::Length) == INGOT_FINISH_LENGTH &&
              int(Finish::StopId) == INGOT_FINISH_STOP_ID &&
              int(Finish::StopSequence) == INGOT_FINISH_STOP_SEQUENCE &&
              int(Finish::Host) == INGOT_FINISH_HOST &&
              int(Finish::Full) == INGOT_FINISH_FULL &&
              int(Finish::Interrupted) == INGOT_FINISH_INTERRUPTED);

/// Refuses a null array that is said to have elements.
static Status requireArray(const void *pointer, size_t count,
                           std::string_view name) {
  return count > 0 ? require(pointer, name) : Status();
}

//===----------------------------------------------------------------------===//
// Sampling
//===----------------------------------------------------------------------===//

static Status readSampling(const ingot_sampling *given, SamplerOptions &out) {
  ingot_sampling options = INGOT_SAMPLING_INIT;
  if (Status status = readOptions(given, options); !status.ok())
    return status;
  out = {
      options.temperature,        options.top_k, options.top_p, options.min_p,
      options.repetition_penalty, options.seed};
  return checkSampler(out);
}

ingot_status ingot_sampling_check(const ingot_sampling *sampling) {
  return guarded([&]() -> Status {
    SamplerOptions options;
    return readSampling(sampling, options);
  });
}

ingot_status ingot_sample(ingot_session *session, const float *logits,
                          size_t vocab_size, const int64_t *history,
                          size_t history_count, uint64_t position,
                          const ingot_sampling *sampling, int64_t *id) {
  return guarded([&]() -> Status {
    if (Status status = require(session, "session"); !status.ok())
      return status;
    if (Status status = require(id, "id"); !status.ok())
      return status;
    if (Status status = require(logits, "logits"); !status.ok())
      return status;
    if (Status status = requireArray(history, history_count, "history");
        !status.ok())
      return status;
    SamplerOptions options;
    if (Status status = readSampling(sampling, options); !status.ok())
      return status;
    Result<int64_t> chosen =
        sample(*session->session, {logits, vocab_size},
               {history, history_count}, options, position);
    if (!chosen.ok())
      return chosen.status();
    *id = *chosen;
    return {};
  });
}

void ingot_mask_logits(float *logits, size_t vocab_size, const uint32_t *mask) {
  if (!logits || !mask)
    return;
  for (size_t id = 0; id < vocab_size; ++id)
    if ((mask[id / 32] >> id % 32 & 1) == 0)
      logits[id] = -std::numeric_limits<float>::infinity();
}

//===----------------------------------------------------------------------===//
// Generation
//===----------------------------------------------------------------------===//

static Status readStops(const ingot_generate_options &given,
                        GenerateOptions &out) {
  if (Status status =
          requireArray(given.stop_ids, given.stop_id_count, "stop_ids");
      !status.ok())
    return status;
  out.stopIds.assign(given.stop_ids, given.stop_ids + given.stop_id_count);
  if (Status status = requireArray(given.stop_sequences,
                                   given.stop_sequence_count, "stop_sequences");
      !status.ok())
    return status;
  for (size_t i = 0; i < given.stop_sequence_count; ++i) {
    const ingot_ids &stop = given.stop_sequences[i];
    if (Status status =
            requireArray(stop.ids, stop.count, concat("stop sequence ", i));
        !status.ok())
      return status;
    out.stopSequences.emplace_back(stop.ids, stop.ids + stop.count);
  }
  return {};
}

static Status readGenerateOptions(const ingot_generate_options *options,
                                  GenerateOptions &out) {
  ingot_generate_options given = INGOT_GENERATE_OPTIONS_INIT;
  if (Status status = readOptions(options, given); !status.ok())
    return status;
  if (Status status = readSampling(given.sampling, out.sampling); !status.ok())
    return status;
  if (Status status = readStops(given, out); !status.ok())
    return status;
  out.maxNewTokens = given.max_new_tokens;
  out.run = {given.time_limit, given.cancel ? &given.cancel->token : nullptr};
  out.chunk = given.chunk;
  void *user = given.user;
  if (ingot_logits_fn process = given.process_logits)
    out.process = [=](std::span<const int64_t> ids, std::span<float> logits) {
      return process(user, ids.data(), ids.size(), logits.data(),
                     logits.size()) == 0;
    };
  if (ingot_token_fn onToken = given.on_token)
    out.onToken = [=](int64_t id) { return onToken(user, id) == 0; };
  return {};
}

ingot_status ingot_generate(ingot_sequence *sequence, const int64_t *prompt,
                            size_t prompt_count,
                            const ingot_generate_options *options,
                            ingot_generation **generation) {
  return guarded([&]() -> Status {
    if (generation)
      *generation = nullptr;
    if (Status status = require(sequence, "sequence"); !status.ok())
      return status;
    if (Status status = requireArray(prompt, prompt_count, "prompt");
        !status.ok())
      return status;
    GenerateOptions wanted;
    if (Status status = readGenerateOptions(options, wanted); !status.ok())
      return status;
    SequenceUse use(*sequence->sequence);
    if (Status status = use.status(); !status.ok())
      return status;
    auto made = std::make_unique<ingot_generation>();
    Status status = generate(*sequence->sequence, {prompt, prompt_count},
                             wanted, made->generation);
    // A refusal has generated nothing, not even the prompt's reading.
    if (generation &&
        (status.ok() || made->generation.finish == Finish::Interrupted))
      *generation = made.release();
    return status;
  });
}

void ingot_generation_free(ingot_generation *generation) { delete generation; }

ingot_ids ingot_generation_ids(const ingot_generation *generation) {
  if (!generation)
    return {nullptr, 0};
  const std::vector<int64_t> &ids = generation->generation.ids;
  return {ids.data(), ids.size()};
}

ingot_status ingot_generation_get_stats(const ingot_generation *generation,
                                        ingot_generation_stats *stats) {
  return guarded([&]() -> Status {
    if (Status status = require(generation, "generation"); !status.ok())
      return status;
    if (Status status = require(stats, "stats"); !status.ok())
      return status;
    const Generation &from = generation->generation;
    *stats = {static_cast<ingot_finish>(from.finish),
              from.stopTokens,
              from.promptTokens,
              from.ids.size(),
              from.prefillMilliseconds,
              from.decodeMilliseconds};
    return {};
  });
}
