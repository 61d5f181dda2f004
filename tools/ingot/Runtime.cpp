//===- Runtime.cpp - the runtime's C API, as the driver uses it -----------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/Runtime.h"

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

std::vector<TensorInfo> Model::inputs() const {
  std::vector<TensorInfo> result;
  for (size_t i = 0, n = ingot_model_input_count(handle.get()); i < n; ++i) {
    ingot_tensor_info info;
    check(ingot_model_input(handle.get(), i, &info));
    result.push_back(convert(info));
  }
  return result;
}

std::vector<TensorInfo> Model::outputs() const {
  std::vector<TensorInfo> result;
  for (size_t i = 0, n = ingot_model_output_count(handle.get()); i < n; ++i) {
    ingot_tensor_info info;
    check(ingot_model_output(handle.get(), i, &info));
    result.push_back(convert(info));
  }
  return result;
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
    result.push_back({tensor.name.c_str(), dtypes[size_t(tensor.dtype)],
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

RunResult Session::run(const std::vector<Tensor> &inputs) const {
  std::vector<ingot_tensor> given = views(inputs);
  ingot_result *raw = nullptr;
  check(ingot_session_run(handle.get(), given.data(), given.size(), nullptr, 0,
                          nullptr, &raw));
  std::unique_ptr<ingot_result, decltype(&ingot_result_free)> result(
      raw, ingot_result_free);

  RunResult produced;
  for (size_t i = 0, n = ingot_result_output_count(raw); i < n; ++i) {
    ingot_tensor output;
    check(ingot_result_output(raw, i, &output));
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
  ingot_run_stats stats;
  check(ingot_result_stats(raw, &stats));
  produced.milliseconds = stats.milliseconds;
  produced.arenaBytes = stats.arena_bytes;
  produced.workers = stats.workers;
  return produced;
}
