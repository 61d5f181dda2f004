//===- Sequence.cpp - the C API: sequences and steps ----------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/c/Handles.h"

#include <algorithm>

using namespace ingot::rt;

/// Runs the body of an API function that uses one sequence.
template <typename Body>
static ingot_status withSequence(ingot_sequence *handle, Body body) {
  return guarded([&]() -> Status {
    if (Status status = require(handle, "sequence"); !status.ok())
      return status;
    SequenceUse use(*handle->sequence);
    if (Status status = use.status(); !status.ok())
      return status;
    return body(*handle->sequence);
  });
}

/// Makes a handle of a sequence, or says why there is none.
static Status handOut(Result<std::unique_ptr<Sequence>> made,
                      ingot_sequence **handle) {
  if (!made.ok())
    return made.status();
  *handle = new ingot_sequence{std::move(*made)};
  return {};
}

/// Runs the body of an API function that makes a sequence of a session;
/// `make` takes the session and the options.
template <typename Make>
static ingot_status makeSequence(ingot_session *session,
                                 const ingot_sequence_options *options,
                                 ingot_sequence **sequence, Make make) {
  return guarded([&]() -> Status {
    if (Status status = require(sequence, "sequence"); !status.ok())
      return status;
    *sequence = nullptr;
    if (Status status = require(session, "session"); !status.ok())
      return status;
    ingot_sequence_options given = INGOT_SEQUENCE_OPTIONS_INIT;
    if (Status status = readOptions(options, given); !status.ok())
      return status;
    return handOut(make(session->session, given), sequence);
  });
}

//===----------------------------------------------------------------------===//
// Sequences
//===----------------------------------------------------------------------===//

ingot_status ingot_sequence_create(ingot_session *session,
                                   const ingot_sequence_options *options,
                                   ingot_sequence **sequence) {
  return makeSequence(session, options, sequence,
                      [](auto &owner, const ingot_sequence_options &given) {
                        return Sequence::create(owner, given.capacity);
                      });
}

void ingot_sequence_free(ingot_sequence *sequence) { delete sequence; }

ingot_status ingot_sequence_bind(ingot_sequence *sequence,
                                 const ingot_tensor *inputs, size_t input_count,
                                 const ingot_run_options *options) {
  return withSequence(sequence, [&](Sequence &used) -> Status {
    std::vector<TensorView> given;
    if (Status status =
            readTensors(inputs, input_count, "input", DimsUse::Read, given);
        !status.ok())
      return status;
    ingot_run_options run = INGOT_RUN_OPTIONS_INIT;
    if (Status status = readOptions(options, run); !status.ok())
      return status;
    return used.bind(
        given, {run.time_limit, run.cancel ? &run.cancel->token : nullptr});
  });
}

uint64_t ingot_sequence_bound_length(const ingot_sequence *sequence) {
  return sequence ? sequence->sequence->boundLength() : 0;
}

uint64_t ingot_sequence_length(const ingot_sequence *sequence) {
  return sequence ? sequence->sequence->length() : 0;
}

uint64_t ingot_sequence_limit(const ingot_sequence *sequence) {
  return sequence ? sequence->sequence->limit() : 0;
}

ingot_status ingot_sequence_ids(ingot_sequence *sequence, int64_t *ids,
                                size_t count) {
  return withSequence(sequence, [&](Sequence &used) -> Status {
    std::span<const int64_t> all = used.ids();
    if (count != all.size())
      return failure(Code::InvalidArgument, "the sequence has ", all.size(),
                     " ids, not ", count);
    if (count > 0)
      if (Status status = require(ids, "ids"); !status.ok())
        return status;
    std::ranges::copy(all, ids);
    return {};
  });
}

ingot_status ingot_sequence_truncate(ingot_sequence *sequence,
                                     uint64_t length) {
  return withSequence(sequence,
                      [&](Sequence &used) { return used.truncate(length); });
}

ingot_status ingot_sequence_fork(ingot_sequence *sequence,
                                 ingot_sequence **copy) {
  return withSequence(sequence, [&](Sequence &used) -> Status {
    if (Status status = require(copy, "copy"); !status.ok())
      return status;
    *copy = nullptr;
    return handOut(used.fork(), copy);
  });
}

ingot_status ingot_sequence_save(ingot_sequence *sequence, const char *path) {
  return withSequence(sequence, [&](Sequence &used) -> Status {
    if (Status status = require(path, "path"); !status.ok())
      return status;
    return used.save(path);
  });
}

ingot_status ingot_sequence_restore(ingot_session *session, const char *path,
                                    const ingot_sequence_options *options,
                                    ingot_sequence **sequence) {
  return makeSequence(session, options, sequence,
                      [&](auto &owner, const ingot_sequence_options &given)
                          -> Result<std::unique_ptr<Sequence>> {
                        if (Status status = require(path, "path"); !status.ok())
                          return status;
                        return Sequence::restore(owner, path, given.capacity);
                      });
}

ingot_status ingot_session_cache_stats(const ingot_session *session,
                                       ingot_cache_stats *stats) {
  return guarded([&]() -> Status {
    if (Status status = require(session, "session"); !status.ok())
      return status;
    if (Status status = require(stats, "stats"); !status.ok())
      return status;
    *stats = {};
    if (const auto &pool = session->session->pages()) {
      PagePool::Stats numbers = pool->stats();
      *stats = {numbers.bytesInUse, numbers.bytesReserved, numbers.peakBytes};
    }
    return {};
  });
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

/// Reads the caller's rows and takes the use of their sequences.
static Status readRows(const ingot_row *rows, size_t count,
                       std::vector<StepRow> &out,
                       std::vector<SequenceUse> &uses) {
  if (count == 0)
    return failure(Code::InvalidArgument, "a step without rows");
  if (Status status = require(rows, "rows"); !status.ok())
    return status;
  uses.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    const ingot_row &row = rows[i];
    if (!row.sequence || (row.count > 0 && !row.ids))
      return failure(Code::InvalidArgument, "row ", i, " has no ",
                     row.sequence ? "ids" : "sequence");
    uses.emplace_back(*row.sequence->sequence);
    if (Status status = uses.back().status(); !status.ok())
      return failure(status.code(), "row ", i, ": ", status.message());
    out.push_back({row.sequence->sequence.get(), {row.ids, row.count}});
  }
  return {};
}

/// Makes the result's output for the logits.
static Status makeLogits(const std::vector<StepRow> &rows, bool ofAllTokens,
                         RunResult &result) {
  const Model &model = rows[0].sequence->runsOn().runsModel();
  Result<uint64_t> vocab = vocabulary(model);
  if (!vocab.ok())
    return vocab.status();
  size_t count = rows.size();
  if (ofAllTokens) {
    count = 0;
    for (const StepRow &row : rows)
      count += row.tokens.size();
  }
  Output output;
  for (const TensorInfo &info : model.manifest().outputs)
    if (info.name == rows[0].sequence->state().logitsOutput)
      output.info = &info;
  output.dims = {static_cast<int64_t>(count), static_cast<int64_t>(*vocab)};
  Result<size_t> bytes =
      tensorBytes(output.info->name, DType::F32, output.dims);
  if (!bytes.ok())
    return bytes.status();
  output.bytes = *bytes;
  if (Status status = allocateOutput(output); !status.ok())
    return status;
  result.outputs.push_back(std::move(output));
  return {};
}

ingot_status ingot_step(const ingot_row *rows, size_t row_count,
                        const ingot_step_options *options, float *logits,
                        size_t logit_count, ingot_result **result) {
  return guarded([&]() -> Status {
    if (result)
      *result = nullptr;
    ingot_step_options given = INGOT_STEP_OPTIONS_INIT;
    if (Status status = readOptions(options, given); !status.ok())
      return status;
    std::vector<StepRow> wanted;
    std::vector<SequenceUse> uses;
    if (Status status = readRows(rows, row_count, wanted, uses); !status.ok())
      return status;

    StepOptions step;
    step.run = {given.time_limit,
                given.cancel ? &given.cancel->token : nullptr};
    step.chunk = given.chunk;
    step.allLogits = given.all_logits != 0;
    std::span<float> target;
    if (logits && logit_count == 0)
      return failure(Code::InvalidArgument, "room for 0 logits");
    if (logits)
      target = {logits, logit_count};
    // Made before the step, so that nothing can fail behind it.
    std::unique_ptr<ingot_result> made;
    if (result) {
      made = std::make_unique<ingot_result>();
      made->result.model = wanted[0].sequence->runsOn().sharedModel();
      if (!logits) {
        if (Status status = makeLogits(wanted, step.allLogits, made->result);
            !status.ok())
          return status;
        const Output &output = made->result.outputs[0];
        target = {static_cast<float *>(output.data),
                  output.bytes / sizeof(float)};
      }
    }
    RunStats stats;
    if (Status status = ingot::rt::step(wanted, step, target, stats);
        !status.ok())
      return status;
    if (result) {
      made->result.stats = stats;
      *result = made.release();
    }
    return {};
  });
}

ingot_status ingot_sequence_append(ingot_sequence *sequence, const int64_t *ids,
                                   size_t count,
                                   const ingot_step_options *options) {
  ingot_row row = {sequence, ids, count};
  return ingot_step(&row, 1, options, nullptr, 0, nullptr);
}
