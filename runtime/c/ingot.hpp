//===- ingot.hpp - C++ over the C API -*- C++ -*- -------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// A header-only convenience over ingot.h, for C++17: handles that free
// themselves, exceptions instead of status codes.
//
//   ingot::Model model = ingot::Model::load("model.ingot");
//   ingot::Session session(model);
//   std::vector<int64_t> ids = {101, 7592, 102};
//   ingot::Result result = session.run({{"input_ids", {1, 3}, ids}});
//   const float *scores = result["scores"].as<float>();
#ifndef INGOT_HPP
#define INGOT_HPP

#include "ingot.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace ingot {

/// What every function here throws on failure.
class Error : public std::runtime_error {
public:
  Error(ingot_status status, const std::string &message)
      : std::runtime_error(message), code(status) {}
  ingot_status status() const { return code; }

private:
  ingot_status code;
};

namespace detail {
inline void check(ingot_status status) {
  if (status != INGOT_OK)
    throw Error(status, ingot_last_error());
}

template <typename T> struct DTypeOf;
template <ingot_dtype Number> struct DTypeIs {
  static constexpr ingot_dtype value = Number;
};
template <> struct DTypeOf<float> : DTypeIs<INGOT_F32> {};
template <> struct DTypeOf<double> : DTypeIs<INGOT_F64> {};
template <> struct DTypeOf<bool> : DTypeIs<INGOT_BOOL> {};
template <> struct DTypeOf<int8_t> : DTypeIs<INGOT_I8> {};
template <> struct DTypeOf<int16_t> : DTypeIs<INGOT_I16> {};
template <> struct DTypeOf<int32_t> : DTypeIs<INGOT_I32> {};
template <> struct DTypeOf<int64_t> : DTypeIs<INGOT_I64> {};
template <> struct DTypeOf<uint8_t> : DTypeIs<INGOT_U8> {};
template <> struct DTypeOf<uint16_t> : DTypeIs<INGOT_U16> {};
template <> struct DTypeOf<uint32_t> : DTypeIs<INGOT_U32> {};
template <> struct DTypeOf<uint64_t> : DTypeIs<INGOT_U64> {};

template <typename Handle, void (*Free)(Handle *)> struct Freer {
  void operator()(Handle *handle) const { Free(handle); }
};
} // namespace detail

/// An input or an output as the model declares it.
struct TensorInfo {
  std::string name;
  ingot_dtype dtype;
  /// -1 where symbolic.
  std::vector<int64_t> dims;
  std::vector<std::string> dimTexts;
};

/// A tensor over the caller's memory, given to a run as an input, or as an
/// output that should be written there. The memory must outlive the run.
class Tensor {
public:
  /// An input.
  template <typename T>
  Tensor(std::string name, std::vector<int64_t> dims,
         const std::vector<T> &elements)
      : Tensor(std::move(name), detail::DTypeOf<T>::value, std::move(dims),
               const_cast<T *>(elements.data()), elements.size() * sizeof(T)) {}

  /// An output that is written to memory of the caller's.
  template <typename T>
  Tensor(std::string name, std::vector<T> &elements)
      : Tensor(std::move(name), detail::DTypeOf<T>::value, {}, elements.data(),
               elements.size() * sizeof(T)) {}

  /// An output that the result shall own.
  Tensor(std::string name)
      : Tensor(std::move(name), INGOT_F32, {}, nullptr, 0) {}

  /// Any memory, any dtype (f16 and bf16 have no C++17 type).
  Tensor(std::string name, ingot_dtype dtype, std::vector<int64_t> dims,
         void *data, size_t bytes)
      : name(std::move(name)), dtype(dtype), dims(std::move(dims)), data(data),
        bytes(bytes) {}

private:
  friend class Session;
  friend class Sequence;
  static std::vector<ingot_tensor> lower(const std::vector<Tensor> &tensors) {
    std::vector<ingot_tensor> lowered;
    for (const Tensor &tensor : tensors)
      lowered.push_back({tensor.name.c_str(), tensor.dtype,
                         static_cast<int32_t>(tensor.dims.size()),
                         tensor.dims.data(), tensor.data, tensor.bytes});
    return lowered;
  }

  std::string name;
  ingot_dtype dtype;
  std::vector<int64_t> dims;
  void *data;
  size_t bytes;
};

/// A compiled model. Sessions keep it alive.
class Model {
public:
  static Model load(const std::string &path) {
    ingot_model *model = nullptr;
    detail::check(ingot_model_load(path.c_str(), nullptr, &model));
    return Model(model);
  }

  static Model load(const void *data, size_t size) {
    ingot_model *model = nullptr;
    detail::check(ingot_model_load_memory(data, size, nullptr, &model));
    return Model(model);
  }

  /// Compiles an ONNX file; needs the compiler library.
  static Model compile(const std::string &onnxPath,
                       const ingot_compile_options *options = nullptr) {
    ingot_model *model = nullptr;
    detail::check(ingot_model_compile(onnxPath.c_str(), options, &model));
    return Model(model);
  }

  std::vector<TensorInfo> inputs() const {
    return infos(ingot_model_input_count(get()), ingot_model_input);
  }
  std::vector<TensorInfo> outputs() const {
    return infos(ingot_model_output_count(get()), ingot_model_output);
  }

  /// What a Sequence needs before its first token.
  std::vector<TensorInfo> boundInputs() const {
    return infos(ingot_model_bound_count(get()), ingot_model_bound);
  }

  /// The C API's handle; stays this object's.
  ingot_model *get() const { return handle.get(); }

  /// Whether it was compiled for generation (ingot_generate.hpp).
  bool isGenerator() const { return ingot_model_is_generator(get()) != 0; }

  /// Throws if it was not.
  ingot_generator_info generator() const {
    ingot_generator_info info;
    detail::check(ingot_model_generator(get(), &info));
    return info;
  }

private:
  explicit Model(ingot_model *model) : handle(model) {}

  template <typename Ask>
  std::vector<TensorInfo> infos(size_t count, Ask ask) const {
    std::vector<TensorInfo> all;
    for (size_t i = 0; i < count; ++i) {
      ingot_tensor_info info;
      detail::check(ask(get(), i, &info));
      all.push_back({info.name,
                     info.dtype,
                     {info.dims, info.dims + info.rank},
                     {info.dim_texts, info.dim_texts + info.rank}});
    }
    return all;
  }

  std::unique_ptr<ingot_model, detail::Freer<ingot_model, ingot_model_free>>
      handle;
};

/// An output of a run, valid as long as its Result.
class Output {
public:
  explicit Output(const ingot_tensor &tensor) : tensor(tensor) {}

  std::string name() const { return tensor.name; }
  ingot_dtype dtype() const { return tensor.dtype; }
  std::vector<int64_t> dims() const {
    return {tensor.dims, tensor.dims + tensor.rank};
  }
  /// Number of elements.
  size_t size() const { return tensor.bytes / ingot_dtype_bytes(dtype()); }
  const void *data() const { return tensor.data; }

  /// The elements, dense and row-major. Throws if they are not of type T.
  template <typename T> const T *as() const {
    if (detail::DTypeOf<T>::value != tensor.dtype)
      throw Error(INGOT_INVALID_ARGUMENT, "output '" + name() +
                                              "' is of type " +
                                              ingot_dtype_name(tensor.dtype));
    return static_cast<const T *>(tensor.data);
  }

private:
  ingot_tensor tensor;
};

/// What a run produced.
class Result {
public:
  size_t size() const { return ingot_result_output_count(handle.get()); }

  Output operator[](size_t index) const {
    ingot_tensor output;
    detail::check(ingot_result_output(handle.get(), index, &output));
    return Output(output);
  }

  Output operator[](const std::string &name) const {
    for (size_t i = 0; i < size(); ++i)
      if (Output output = (*this)[i]; output.name() == name)
        return output;
    throw Error(INGOT_INVALID_ARGUMENT, "there is no output '" + name + "'");
  }
  Output operator[](const char *name) const {
    return (*this)[std::string(name)];
  }
  Output operator[](int index) const {
    return (*this)[static_cast<size_t>(index)];
  }

  ingot_run_stats stats() const {
    ingot_run_stats stats;
    detail::check(ingot_result_stats(handle.get(), &stats));
    return stats;
  }

private:
  friend class Session;
  explicit Result(ingot_result *result) : handle(result) {}

  std::unique_ptr<ingot_result, detail::Freer<ingot_result, ingot_result_free>>
      handle;
};

/// Stops runs from another thread.
class Cancel {
public:
  Cancel() {
    ingot_cancel *cancel = nullptr;
    detail::check(ingot_cancel_create(&cancel));
    handle.reset(cancel);
  }
  void request() { ingot_cancel_request(handle.get()); }
  void reset() { ingot_cancel_reset(handle.get()); }
  /// For ingot_run_options.
  ingot_cancel *get() const { return handle.get(); }

private:
  std::unique_ptr<ingot_cancel, detail::Freer<ingot_cancel, ingot_cancel_free>>
      handle;
};

/// Runs a model; usable from several threads at once.
class Session {
public:
  /// `threads` 0: as many as the process may use.
  explicit Session(const Model &model, int threads = 0) {
    ingot_session_options options = INGOT_SESSION_OPTIONS_INIT;
    options.threads = threads;
    create(model, options);
  }
  Session(const Model &model, const ingot_session_options &options) {
    create(model, options);
  }

  int threads() const { return ingot_session_threads(handle.get()); }

  /// The C API's handle; stays this object's.
  ingot_session *get() const { return handle.get(); }

  /// Runs on `inputs`, in any order. With no `outputs`, the result has all.
  Result run(const std::vector<Tensor> &inputs,
             const std::vector<Tensor> &outputs = {},
             const ingot_run_options *options = nullptr) {
    std::vector<ingot_tensor> in = Tensor::lower(inputs);
    std::vector<ingot_tensor> out = Tensor::lower(outputs);
    ingot_result *result = nullptr;
    detail::check(ingot_session_run(handle.get(), in.data(), in.size(),
                                    out.data(), out.size(), options, &result));
    return Result(result);
  }

  /// Notes what workers do from now on (ingot_session_start_trace).
  void startTrace() { detail::check(ingot_session_start_trace(get())); }
  /// Writes it for a trace viewer, and stops.
  void writeTrace(const std::string &path) {
    detail::check(ingot_session_write_trace(get(), path.c_str()));
  }

private:
  void create(const Model &model, const ingot_session_options &options) {
    ingot_session *session = nullptr;
    detail::check(ingot_session_create(model.get(), &options, &session));
    handle.reset(session);
  }

  std::unique_ptr<ingot_session,
                  detail::Freer<ingot_session, ingot_session_free>>
      handle;
};

} // namespace ingot

#include "ingot_generate.hpp"

#endif // INGOT_HPP
