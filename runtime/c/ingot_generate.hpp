//===- ingot_generate.hpp - C++: sequences and generation -*- C++ -*- -----===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The part of ingot.hpp that is about decoders; include that.
//
//   ingot::Model model = ingot::Model::load("chat.ingot");
//   ingot::Session session(model);
//   ingot::Sequence chat(session, /*capacity=*/2048);
//   ingot::GenerateOptions options;
//   options.maxNewTokens = 100;
//   options.onToken = [&](int64_t id) { print(id); return true; };
//   ingot::Generation reply = chat.generate(promptIds, options);
#ifndef INGOT_GENERATE_HPP
#define INGOT_GENERATE_HPP

#include "ingot.hpp"

#include <exception>
#include <functional>

namespace ingot {

/// See ingot_generate_options.
struct GenerateOptions {
  /// 0: as many as the sequence has room for.
  uint64_t maxNewTokens = 0;
  ingot_sampling sampling = INGOT_SAMPLING_INIT;
  std::vector<int64_t> stopIds;
  std::vector<std::vector<int64_t>> stopSequences;
  /// May change `vocab` logits before a token is chosen; `ids` are the `count`
  /// that were read. False ends the generation. What it throws, generate()
  /// throws.
  std::function<bool(const int64_t *ids, size_t count, float *logits,
                     size_t vocab)>
      processLogits;
  /// Receives each token at once. False ends the generation. What it throws,
  /// generate() throws.
  std::function<bool(int64_t id)> onToken;
  /// Seconds; 0 for no limit.
  double timeLimit = 0;
  Cancel *cancel = nullptr;
  /// Most tokens of the prompt in one pass; 0 for the default.
  uint64_t chunk = 0;
};

/// What was generated. The last id has not been read by the sequence yet.
struct Generation {
  std::vector<int64_t> ids;
  ingot_generation_stats stats;
};

namespace detail {
/// Keeps exceptions of the host's callbacks out of the C API.
struct Callbacks {
  const GenerateOptions &options;
  std::exception_ptr thrown;

  template <typename Body> int32_t guard(Body body) {
    try {
      return body() ? 0 : 1;
    } catch (...) {
      thrown = std::current_exception();
      return 1;
    }
  }
  static int32_t process(void *user, const int64_t *ids, size_t count,
                         float *logits, size_t vocab) {
    auto *self = static_cast<Callbacks *>(user);
    return self->guard(
        [&] { return self->options.processLogits(ids, count, logits, vocab); });
  }
  static int32_t token(void *user, int64_t id) {
    auto *self = static_cast<Callbacks *>(user);
    return self->guard([&] { return self->options.onToken(id); });
  }
};

/// One step of any number of rows; their logits.
inline std::vector<float> step(const std::vector<ingot_row> &rows,
                               const ingot_step_options *options) {
  ingot_result *made = nullptr;
  check(ingot_step(rows.data(), rows.size(), options, nullptr, 0, &made));
  std::unique_ptr<ingot_result, Freer<ingot_result, ingot_result_free>> result(
      made);
  ingot_tensor logits;
  check(ingot_result_output(made, 0, &logits));
  const float *data = static_cast<const float *>(logits.data);
  return {data, data + logits.bytes / sizeof(float)};
}
} // namespace detail

/// What a decoder has read so far. For one thread at a time.
class Sequence {
public:
  /// `capacity` 0: as many positions as the model and memory admit.
  explicit Sequence(const Session &session, uint64_t capacity = 0) {
    ingot_sequence_options options = INGOT_SEQUENCE_OPTIONS_INIT;
    options.capacity = capacity;
    ingot_sequence *sequence = nullptr;
    detail::check(ingot_sequence_create(session.get(), &options, &sequence));
    handle.reset(sequence);
  }

  /// Reads what save() wrote.
  static Sequence restore(const Session &session, const std::string &path,
                          uint64_t capacity = 0) {
    ingot_sequence_options options = INGOT_SEQUENCE_OPTIONS_INIT;
    options.capacity = capacity;
    ingot_sequence *sequence = nullptr;
    detail::check(ingot_sequence_restore(session.get(), path.c_str(), &options,
                                         &sequence));
    return Sequence(sequence);
  }

  uint64_t length() const { return ingot_sequence_length(get()); }
  uint64_t limit() const { return ingot_sequence_limit(get()); }
  std::vector<int64_t> ids() const {
    std::vector<int64_t> ids(length());
    detail::check(ingot_sequence_ids(get(), ids.data(), ids.size()));
    return ids;
  }

  /// Gives it what Model::boundInputs() lists, before the first token.
  void bind(const std::vector<Tensor> &inputs) {
    std::vector<ingot_tensor> given = Tensor::lower(inputs);
    detail::check(
        ingot_sequence_bind(get(), given.data(), given.size(), nullptr));
  }
  uint64_t boundLength() const { return ingot_sequence_bound_length(get()); }

  void truncate(uint64_t length) {
    detail::check(ingot_sequence_truncate(get(), length));
  }
  /// A sequence that goes on from here; pages are shared.
  Sequence fork() const {
    ingot_sequence *copy = nullptr;
    detail::check(ingot_sequence_fork(get(), &copy));
    return Sequence(copy);
  }
  void save(const std::string &path) const {
    detail::check(ingot_sequence_save(get(), path.c_str()));
  }

  /// Reads tokens; nobody wants their logits.
  void append(const std::vector<int64_t> &ids,
              const ingot_step_options *options = nullptr) {
    detail::check(
        ingot_sequence_append(get(), ids.data(), ids.size(), options));
  }
  /// Reads tokens and gives the logits of the last one.
  std::vector<float> step(const std::vector<int64_t> &ids,
                          const ingot_step_options *options = nullptr) {
    return detail::step({{get(), ids.data(), ids.size()}}, options);
  }

  /// See ingot_generate. Throws as well if it is cancelled or out of time.
  Generation generate(const std::vector<int64_t> &prompt,
                      const GenerateOptions &options = {}) {
    std::vector<ingot_ids> stops;
    for (const std::vector<int64_t> &stop : options.stopSequences)
      stops.push_back({stop.data(), stop.size()});
    detail::Callbacks callbacks{options, nullptr};
    ingot_generate_options given = INGOT_GENERATE_OPTIONS_INIT;
    given.max_new_tokens = options.maxNewTokens;
    given.sampling = &options.sampling;
    given.stop_ids = options.stopIds.data();
    given.stop_id_count = options.stopIds.size();
    given.stop_sequences = stops.data();
    given.stop_sequence_count = stops.size();
    if (options.processLogits)
      given.process_logits = detail::Callbacks::process;
    if (options.onToken)
      given.on_token = detail::Callbacks::token;
    given.user = &callbacks;
    given.time_limit = options.timeLimit;
    given.cancel = options.cancel ? options.cancel->get() : nullptr;
    given.chunk = options.chunk;

    ingot_generation *made = nullptr;
    ingot_status status =
        ingot_generate(get(), prompt.data(), prompt.size(), &given, &made);
    std::unique_ptr<ingot_generation,
                    detail::Freer<ingot_generation, ingot_generation_free>>
        generation(made);
    if (callbacks.thrown)
      std::rethrow_exception(callbacks.thrown);
    detail::check(status);
    Generation out;
    ingot_ids ids = ingot_generation_ids(generation.get());
    out.ids.assign(ids.ids, ids.ids + ids.count);
    detail::check(ingot_generation_get_stats(generation.get(), &out.stats));
    return out;
  }

  /// The C API's handle, for ingot_step over several sequences; stays this
  /// object's.
  ingot_sequence *get() const { return handle.get(); }

private:
  explicit Sequence(ingot_sequence *sequence) : handle(sequence) {}

  std::unique_ptr<ingot_sequence,
                  detail::Freer<ingot_sequence, ingot_sequence_free>>
      handle;
};

/// A sequence and the tokens that it reads next, at least one.
struct Row {
  const Sequence *sequence;
  std::vector<int64_t> ids;
};

/// Lets sequences of one session read together, see ingot_step. Gives the
/// logits of each row's last token, row after row; with all_logits those of
/// every token.
inline std::vector<float> step(const std::vector<Row> &rows,
                               const ingot_step_options *options = nullptr) {
  std::vector<ingot_row> given;
  given.reserve(rows.size());
  for (const Row &row : rows)
    given.push_back({row.sequence->get(), row.ids.data(), row.ids.size()});
  return detail::step(given, options);
}

/// Chooses a token for `position`, see ingot_sample.
inline int64_t sample(const Session &session, const float *logits, size_t vocab,
                      uint64_t position,
                      const ingot_sampling &sampling = INGOT_SAMPLING_INIT,
                      const std::vector<int64_t> &history = {}) {
  int64_t id = 0;
  detail::check(ingot_sample(session.get(), logits, vocab, history.data(),
                             history.size(), position, &sampling, &id));
  return id;
}

} // namespace ingot

#endif // INGOT_GENERATE_HPP
