//===- Session.cpp - sessions and runs in the C API -----------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/c/Handles.h"

using namespace ingot::rt;

//===----------------------------------------------------------------------===//
// Sessions
//===----------------------------------------------------------------------===//

ingot_status ingot_session_create(ingot_model *model,
                                  const ingot_session_options *options,
                                  ingot_session **session) {
  return guarded([&]() -> Status {
    if (Status status = require(session, "session"); !status.ok())
      return status;
    *session = nullptr;
    if (Status status = require(model, "model"); !status.ok())
      return status;
    ingot_session_options given = INGOT_SESSION_OPTIONS_INIT;
    if (Status status = readOptions(options, given); !status.ok())
      return status;

    SessionOptions wanted;
    wanted.threads = given.threads;
    wanted.maxArenaBytes = given.max_arena_bytes;
    wanted.maxCacheBytes = given.max_cache_bytes;
    if (given.log)
      wanted.log = [log = given.log, user = given.log_user](
                       LogLevel level, const std::string &message) {
        log(user, static_cast<ingot_log_level>(level), message.c_str());
      };
    auto made = Session::create(model->model, std::move(wanted));
    if (!made.ok())
      return made.status();
    *session = new ingot_session{std::move(*made)};
    return {};
  });
}

void ingot_session_free(ingot_session *session) { delete session; }

int32_t ingot_session_threads(const ingot_session *session) {
  return session ? session->session->threads() : 0;
}

//===----------------------------------------------------------------------===//
// Cancelling
//===----------------------------------------------------------------------===//

ingot_status ingot_cancel_create(ingot_cancel **cancel) {
  return guarded([&]() -> Status {
    if (Status status = require(cancel, "cancel"); !status.ok())
      return status;
    *cancel = new ingot_cancel;
    return {};
  });
}

void ingot_cancel_free(ingot_cancel *cancel) { delete cancel; }

void ingot_cancel_request(ingot_cancel *cancel) {
  if (cancel)
    cancel->token.request();
}

void ingot_cancel_reset(ingot_cancel *cancel) {
  if (cancel)
    cancel->token.reset();
}

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

Status ingot::rt::readTensors(const ingot_tensor *tensors, size_t count,
                              std::string_view kind, DimsUse use,
                              std::vector<TensorView> &views) {
  if (count > 0)
    if (Status status = require(tensors, concat(kind, "s")); !status.ok())
      return status;
  for (size_t i = 0; i < count; ++i) {
    const ingot_tensor &tensor = tensors[i];
    if (!tensor.name)
      return failure(Code::InvalidArgument, kind, " number ", i,
                     " has no name");
    TensorView view;
    view.name = tensor.name;
    view.dtype = static_cast<unsigned>(tensor.dtype);
    view.data = tensor.data;
    view.bytes = tensor.bytes;
    if (use == DimsUse::Read) {
      if (tensor.rank < 0 || (tensor.rank > 0 && !tensor.dims))
        return failure(Code::InvalidArgument, kind, " '", tensor.name,
                       "' has rank ", tensor.rank, " and no dims");
      view.dims = {tensor.dims, static_cast<size_t>(tensor.rank)};
    }
    views.push_back(view);
  }
  return {};
}

ingot_status ingot_session_run(ingot_session *session,
                               const ingot_tensor *inputs, size_t input_count,
                               const ingot_tensor *outputs, size_t output_count,
                               const ingot_run_options *options,
                               ingot_result **result) {
  return guarded([&]() -> Status {
    if (result)
      *result = nullptr;
    if (Status status = require(session, "session"); !status.ok())
      return status;
    std::vector<TensorView> given, wanted;
    if (Status status =
            readTensors(inputs, input_count, "input", DimsUse::Read, given);
        !status.ok())
      return status;
    if (Status status = readTensors(outputs, output_count, "output",
                                    DimsUse::Ignore, wanted);
        !status.ok())
      return status;
    ingot_run_options run = INGOT_RUN_OPTIONS_INIT;
    if (Status status = readOptions(options, run); !status.ok())
      return status;
    if (!result) {
      bool isPlaced = output_count > 0;
      for (const TensorView &output : wanted)
        isPlaced &= output.data != nullptr;
      if (!isPlaced)
        return failure(Code::InvalidArgument,
                       "result is null, but not every output has a buffer");
    }

    auto done = session->session->run(
        given, wanted,
        {run.time_limit, run.cancel ? &run.cancel->token : nullptr});
    if (!done.ok())
      return done.status();
    if (result)
      *result = new ingot_result{std::move(*done)};
    return {};
  });
}

ingot_status ingot_session_shapes(ingot_session *session,
                                  const ingot_tensor *inputs,
                                  size_t input_count, ingot_result **result) {
  return guarded([&]() -> Status {
    if (Status status = require(result, "result"); !status.ok())
      return status;
    *result = nullptr;
    if (Status status = require(session, "session"); !status.ok())
      return status;
    std::vector<TensorView> given;
    if (Status status =
            readTensors(inputs, input_count, "input", DimsUse::Read, given);
        !status.ok())
      return status;
    auto shapes = session->session->shapes(given);
    if (!shapes.ok())
      return shapes.status();
    *result = new ingot_result{std::move(*shapes)};
    return {};
  });
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

void ingot_result_free(ingot_result *result) { delete result; }

size_t ingot_result_output_count(const ingot_result *result) {
  return result ? result->result.outputs.size() : 0;
}

ingot_status ingot_result_output(const ingot_result *result, size_t index,
                                 ingot_tensor *output) {
  return guarded([&]() -> Status {
    if (Status status = require(result, "result"); !status.ok())
      return status;
    if (Status status = require(output, "output"); !status.ok())
      return status;
    const std::vector<Output> &outputs = result->result.outputs;
    if (index >= outputs.size())
      return failure(Code::InvalidArgument, "the result has ", outputs.size(),
                     " outputs, there is no number ", index);
    const Output &found = outputs[index];
    *output = {found.info->name.c_str(),
               static_cast<ingot_dtype>(found.info->dtype),
               static_cast<int32_t>(found.dims.size()),
               found.dims.data(),
               found.data,
               found.bytes};
    return {};
  });
}

ingot_status ingot_result_stats(const ingot_result *result,
                                ingot_run_stats *stats) {
  return guarded([&]() -> Status {
    if (Status status = require(result, "result"); !status.ok())
      return status;
    if (Status status = require(stats, "stats"); !status.ok())
      return status;
    const RunStats &from = result->result.stats;
    *stats = {from.milliseconds, from.waitMilliseconds, from.arenaBytes,
              from.workers};
    return {};
  });
}

//===----------------------------------------------------------------------===//
// Tracing
//===----------------------------------------------------------------------===//

ingot_status ingot_session_start_trace(ingot_session *session) {
  return guarded([&]() -> Status {
    if (Status status = require(session, "session"); !status.ok())
      return status;
    session->session->tracer().start();
    return {};
  });
}

ingot_status ingot_session_write_trace(ingot_session *session,
                                       const char *path) {
  return guarded([&]() -> Status {
    if (Status status = require(session, "session"); !status.ok())
      return status;
    if (Status status = require(path, "path"); !status.ok())
      return status;
    return session->session->tracer().write(session->session->runsModel(),
                                            path);
  });
}
