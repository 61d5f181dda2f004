//===- Runtime.cpp - the runtime's C API, as the driver uses it -----------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/Runtime.h"

#include <chrono>
#include <cstring>

using namespace ingot::cli;

static void check(ingot_status status) {
  if (status != INGOT_OK)
    throw RuntimeError(status, ingot_last_error());
}

/// Dtypes of the driver in the order of its enum.
constexpr ingot_dtype dtypes[] = {
    INGOT_F16,  INGOT_BF16, INGOT_F32, INGOT_F64, INGOT_I8,  INGOT_I16,
    INGOT_I32,  INGOT_I64,  INGOT_U8,  INGOT_U16, INGOT_U32, INGOT_U64,
    INGOT_BOOL, INGOT_I4,   INGOT_U4,  INGOT_I2,  INGOT_U2};

ingot_dtype ingot::cli::toRuntime(Dtype dtype) { return dtypes[size_t(dtype)]; }

Dtype ingot::cli::fromRuntime(ingot_dtype dtype) {
  for (size_t i = 0; i < std::size(dtypes); ++i)
    if (dtypes[i] == dtype)
      return Dtype(i);
  throw Error("the runtime gave an unknown dtype");
}

Model Model::load(const std::string &path, bool verify) {
  ingot_load_options options = INGOT_LOAD_OPTIONS_INIT;
  options.skip_weights_checksum = !verify;
  ingot_model *model = nullptr;
  check(ingot_model_load(path.c_str(), &options, &model));
  Model result;
  result.handle.reset(model, ingot_model_free);
  return result;
}

static TensorInfo convert(const ingot_tensor_info &info) {
  TensorInfo result{info.name, fromRuntime(info.dtype), {}};
  for (int32_t i = 0; i < info.rank; ++i)
    result.dims.push_back(info.dim_texts[i]);
  return result;
}

/// The `count` tensors that a function of the C API describes one by one.
static std::vector<TensorInfo>
describe(const ingot_model *model, size_t count,
         decltype(&ingot_model_input) describeOne) {
  std::vector<TensorInfo> result;
  for (size_t i = 0; i < count; ++i) {
    ingot_tensor_info info;
    check(describeOne(model, i, &info));
    result.push_back(convert(info));
  }
  return result;
}

std::vector<TensorInfo> Model::inputs() const {
  return describe(handle.get(), ingot_model_input_count(handle.get()),
                  ingot_model_input);
}

std::vector<TensorInfo> Model::outputs() const {
  return describe(handle.get(), ingot_model_output_count(handle.get()),
                  ingot_model_output);
}

std::vector<TensorInfo> Model::boundInputs() const {
  return describe(handle.get(), ingot_model_bound_count(handle.get()),
                  ingot_model_bound);
}

ingot_generator_info Model::generator() const {
  ingot_generator_info info;
  check(ingot_model_generator(handle.get(), &info));
  return info;
}

bool Model::isGenerator() const {
  return ingot_model_is_generator(handle.get()) != 0;
}

Session::Session(const Model &model, int threads) {
  ingot_session_options options = INGOT_SESSION_OPTIONS_INIT;
  options.threads = threads;
  ingot_session *session = nullptr;
  check(ingot_session_create(model.handle.get(), &options, &session));
  handle.reset(session, ingot_session_free);
}

/// Views of the tensors, for as long as they live.
static std::vector<ingot_tensor> views(const std::vector<Tensor> &tensors) {
  std::vector<ingot_tensor> result;
  result.reserve(tensors.size());
  for (const Tensor &tensor : tensors)
    result.push_back({tensor.name.c_str(), toRuntime(tensor.dtype),
                      int32_t(tensor.dims.size()), tensor.dims.data(),
                      const_cast<std::byte *>(tensor.bytes.data()),
                      tensor.bytes.size()});
  return result;
}

int Session::threads() const { return ingot_session_threads(handle.get()); }

uint64_t Session::arenaBytes(const std::vector<Tensor> &inputs) const {
  std::vector<ingot_tensor> given = views(inputs);
  ingot_result *raw = nullptr;
  check(ingot_session_shapes(handle.get(), given.data(), given.size(), &raw));
  std::unique_ptr<ingot_result, decltype(&ingot_result_free)> result(
      raw, ingot_result_free);
  ingot_run_stats stats;
  check(ingot_result_stats(raw, &stats));
  return stats.arena_bytes;
}

using Result = std::unique_ptr<ingot_result, decltype(&ingot_result_free)>;

/// Runs once, and keeps the statistics in `produced`.
static Result runOnce(ingot_session *session, const std::vector<Tensor> &inputs,
                      RunResult &produced) {
  std::vector<ingot_tensor> given = views(inputs);
  ingot_result *raw = nullptr;
  check(ingot_session_run(session, given.data(), given.size(), nullptr, 0,
                          nullptr, &raw));
  Result result(raw, ingot_result_free);
  ingot_run_stats stats;
  check(ingot_result_stats(raw, &stats));
  produced.milliseconds = stats.milliseconds;
  produced.arenaBytes = stats.arena_bytes;
  produced.workers = stats.workers;
  return result;
}

RunResult Session::measure(const std::vector<Tensor> &inputs) const {
  RunResult produced;
  runOnce(handle.get(), inputs, produced);
  return produced;
}

RunResult Session::run(const std::vector<Tensor> &inputs) const {
  RunResult produced;
  Result result = runOnce(handle.get(), inputs, produced);
  for (size_t i = 0, n = ingot_result_output_count(result.get()); i < n; ++i) {
    ingot_tensor output;
    check(ingot_result_output(result.get(), i, &output));
    Tensor tensor;
    tensor.name = output.name;
    tensor.dtype = fromRuntime(output.dtype);
    if (output.rank)
      tensor.dims.assign(output.dims, output.dims + output.rank);
    tensor.bytes.resize(output.bytes);
    if (output.bytes)
      std::memcpy(tensor.bytes.data(), output.data, output.bytes);
    produced.outputs.push_back(std::move(tensor));
  }
  return produced;
}

void Session::startTrace() const {
  check(ingot_session_start_trace(handle.get()));
}

void Session::writeTrace(const std::string &path) const {
  check(ingot_session_write_trace(handle.get(), path.c_str()));
}

Generation Session::generate(const std::vector<Tensor> &bound,
                             const std::vector<int64_t> &prompt,
                             size_t count) const {
  ingot_sequence *raw = nullptr;
  check(ingot_sequence_create(handle.get(), nullptr, &raw));
  std::unique_ptr<ingot_sequence, decltype(&ingot_sequence_free)> sequence(
      raw, ingot_sequence_free);
  if (!bound.empty()) {
    std::vector<ingot_tensor> given = views(bound);
    check(ingot_sequence_bind(raw, given.data(), given.size(), nullptr));
  }

  using Clock = std::chrono::steady_clock;
  std::vector<Clock::time_point> moments;
  moments.reserve(count + 1);
  ingot_generate_options options = INGOT_GENERATE_OPTIONS_INIT;
  options.max_new_tokens = count + 1;
  options.user = &moments;
  options.on_token = [](void *user, int64_t) -> int32_t {
    static_cast<std::vector<Clock::time_point> *>(user)->push_back(
        Clock::now());
    return 0;
  };
  ingot_generation *made = nullptr;
  ingot_status status =
      ingot_generate(raw, prompt.data(), prompt.size(), &options, &made);
  std::unique_ptr<ingot_generation, decltype(&ingot_generation_free)> owned(
      made, ingot_generation_free);
  check(status);
  ingot_generation_stats stats;
  check(ingot_generation_get_stats(made, &stats));

  Generation result;
  result.prefillSeconds = stats.prefill_milliseconds * 1e-3;
  for (size_t i = 1; i < moments.size(); ++i)
    result.tokenSeconds.push_back(
        std::chrono::duration<double>(moments[i] - moments[i - 1]).count());
  return result;
}
