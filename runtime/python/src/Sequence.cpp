//===- Sequence.cpp - sequences, steps and sampling -*- C++ -*- ---===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Bindings.h"

#include <exception>
#include <span>

using namespace ingot::python;

static std::unique_ptr<Sequence> create(Session &session, uint64_t capacity) {
  ingot_sequence_options options = INGOT_SEQUENCE_OPTIONS_INIT;
  options.capacity = capacity;
  ingot_sequence *sequence = nullptr;
  check(ingot_sequence_create(session.get(), &options, &sequence));
  return std::make_unique<Sequence>(sequence);
}

static std::unique_ptr<Sequence>
restore(Session &session, const nb::bytes &path, uint64_t capacity) {
  ingot_sequence_options options = INGOT_SEQUENCE_OPTIONS_INIT;
  options.capacity = capacity;
  ingot_sequence *sequence = nullptr;
  guarded({0, nullptr, false}, [&, name = path.c_str()](ingot_cancel *) {
    return ingot_sequence_restore(session.get(), name, &options, &sequence);
  });
  return std::make_unique<Sequence>(sequence);
}

static std::unique_ptr<Sequence> forkOf(Sequence &sequence) {
  ingot_sequence *copy = nullptr;
  check(ingot_sequence_fork(sequence.get(), &copy));
  return std::make_unique<Sequence>(copy);
}

static void save(Sequence &sequence, const nb::bytes &path) {
  guarded({0, nullptr, false}, [&, name = path.c_str()](ingot_cancel *) {
    return ingot_sequence_save(sequence.get(), name);
  });
}

static void
readIds(Sequence &sequence,
        const nb::ndarray<int64_t, nb::ndim<1>, nb::c_contig> &ids) {
  check(ingot_sequence_ids(sequence.get(), ids.data(), ids.size()));
}

/// `rows` holds (sequence, ids). The logits' place may be None.
static void step(const nb::list &rows, std::optional<Logits> logits,
                 bool allLogits, uint64_t chunk, double timeLimit,
                 Cancel *cancel, bool isInterruptible) {
  std::vector<ingot_row> lowered;
  std::vector<Ids> kept;
  for (nb::handle item : rows) {
    auto [object, ids] = nb::cast<std::tuple<nb::object, Ids>>(item);
    Sequence &sequence = nb::cast<Sequence &>(object);
    kept.push_back(ids);
    lowered.push_back({sequence.get(), ids.data(), ids.size()});
  }
  guarded({timeLimit, cancel, isInterruptible}, [&](ingot_cancel *token) {
    ingot_step_options options = INGOT_STEP_OPTIONS_INIT;
    options.time_limit = timeLimit;
    options.cancel = token;
    options.chunk = chunk;
    options.all_logits = allLogits;
    return ingot_step(lowered.data(), lowered.size(), &options,
                      logits ? logits->data() : nullptr,
                      logits ? logits->size() : 0, nullptr);
  });
}

static ingot_sampling samplingOf(double temperature, uint64_t topK, double topP,
                                 double minP, double repetitionPenalty,
                                 uint64_t seed) {
  ingot_sampling sampling = INGOT_SAMPLING_INIT;
  sampling.temperature = temperature;
  sampling.top_k = topK;
  sampling.top_p = topP;
  sampling.min_p = minP;
  sampling.repetition_penalty = repetitionPenalty;
  sampling.seed = seed;
  return sampling;
}

static void checkSampling(double temperature, uint64_t topK, double topP,
                          double minP, double repetitionPenalty,
                          uint64_t seed) {
  ingot_sampling sampling =
      samplingOf(temperature, topK, topP, minP, repetitionPenalty, seed);
  check(ingot_sampling_check(&sampling));
}

static int64_t sample(Session &session, ConstLogits logits, Ids history,
                      uint64_t position, double temperature, uint64_t topK,
                      double topP, double minP, double repetitionPenalty,
                      uint64_t seed) {
  ingot_sampling sampling =
      samplingOf(temperature, topK, topP, minP, repetitionPenalty, seed);
  int64_t id = 0;
  guarded({0, nullptr, false}, [&](ingot_cancel *) {
    return ingot_sample(session.get(), logits.data(), logits.size(),
                        history.data(), history.size(), position, &sampling,
                        &id);
  });
  return id;
}

namespace {
/// Hands tokens to a Python function and keeps what it raises until the call is
/// over.
struct TokenCallback {
  nb::object function;
  std::exception_ptr thrown;

  static int32_t call(void *user, int64_t id) {
    auto *self = static_cast<TokenCallback *>(user);
    nb::gil_scoped_acquire locked;
    try {
      nb::object answer = self->function(id);
      return answer.is(nb::bool_(true)) ? 1 : 0;
    } catch (...) {
      self->thrown = std::current_exception();
      return 1;
    }
  }
};
} // namespace

/// The generated ids, why it ended and how many of them are the stop.
static std::tuple<std::vector<int64_t>, int, uint64_t>
complete(Sequence &sequence, Ids prompt, uint64_t maxNewTokens,
         const std::vector<std::vector<int64_t>> &stops, nb::object onToken,
         uint64_t chunk, double timeLimit, Cancel *cancel, bool isInterruptible,
         double temperature, uint64_t topK, double topP, double minP,
         double repetitionPenalty, uint64_t seed) {
  ingot_sampling sampling =
      samplingOf(temperature, topK, topP, minP, repetitionPenalty, seed);
  std::vector<ingot_ids> lowered;
  lowered.reserve(stops.size());
  for (const std::vector<int64_t> &stop : stops)
    lowered.push_back({stop.data(), stop.size()});
  TokenCallback callback{onToken, nullptr};
  ingot_generation *made = nullptr;
  auto run = [&] {
    guarded({timeLimit, cancel, isInterruptible}, [&](ingot_cancel *token) {
      ingot_generate_options options = INGOT_GENERATE_OPTIONS_INIT;
      options.max_new_tokens = maxNewTokens;
      options.sampling = &sampling;
      options.stop_sequences = lowered.data();
      options.stop_sequence_count = lowered.size();
      if (!onToken.is_none())
        options.on_token = TokenCallback::call;
      options.user = &callback;
      options.time_limit = timeLimit;
      options.cancel = token;
      options.chunk = chunk;
      return ingot_generate(sequence.get(), prompt.data(), prompt.size(),
                            &options, &made);
    });
  };
  struct Free {
    ingot_generation *&made;
    ~Free() { ingot_generation_free(made); }
  } free{made};
  try {
    run();
  } catch (...) {
    // An interrupt of what the function runs stops this run, too.
    if (!callback.thrown)
      throw;
  }
  if (callback.thrown)
    std::rethrow_exception(callback.thrown);
  ingot_ids ids = ingot_generation_ids(made);
  ingot_generation_stats stats;
  check(ingot_generation_get_stats(made, &stats));
  return {{ids.ids, ids.ids + ids.count}, stats.finish, stats.stop_tokens};
}

void ingot::python::bindSequence(nb::module_ &module) {
  nb::class_<Sequence>(module, "Sequence")
      .def("length",
           [](const Sequence &sequence) {
             return ingot_sequence_length(sequence.get());
           })
      .def("limit",
           [](const Sequence &sequence) {
             return ingot_sequence_limit(sequence.get());
           })
      .def("bound_length",
           [](const Sequence &sequence) {
             return ingot_sequence_bound_length(sequence.get());
           })
      .def("truncate",
           [](Sequence &sequence, uint64_t length) {
             check(ingot_sequence_truncate(sequence.get(), length));
           })
      .def("read_ids", readIds)
      .def("fork", forkOf)
      .def("save", save);
  module.def("create_sequence", create);
  module.def("restore_sequence", restore);
  module.def("step", step, nb::arg("rows"), nb::arg("logits").none(),
             nb::arg("all_logits"), nb::arg("chunk"), nb::arg("time_limit"),
             nb::arg("cancel").none(), nb::arg("interruptible"));
  module.def("check_sampling", checkSampling);
  module.def("sample", sample);
  module.def("complete", complete, nb::arg("sequence"), nb::arg("prompt"),
             nb::arg("max_new_tokens"), nb::arg("stops"),
             nb::arg("on_token").none(), nb::arg("chunk"),
             nb::arg("time_limit"), nb::arg("cancel").none(),
             nb::arg("interruptible"), nb::arg("temperature"), nb::arg("top_k"),
             nb::arg("top_p"), nb::arg("min_p"), nb::arg("repetition_penalty"),
             nb::arg("seed"));
}
