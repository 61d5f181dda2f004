//===- Session.cpp - running models on arrays -*- C++ -*- ---===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Bindings.h"

#include <cstring>

using namespace ingot::python;

using Input = nb::ndarray<nb::ro, nb::c_contig, nb::device::cpu>;
using Output = nb::ndarray<nb::c_contig, nb::device::cpu>;

/// The C API's dtype of an array; none if it has none.
static std::optional<ingot_dtype> dtypeOf(nb::dlpack::dtype dtype) {
  using nb::dlpack::dtype_code;
  if (dtype.lanes != 1)
    return std::nullopt;
  auto sized = [&](ingot_dtype of8, ingot_dtype of16, ingot_dtype of32,
                   ingot_dtype of64) -> std::optional<ingot_dtype> {
    switch (dtype.bits) {
    case 8:
      return of8;
    case 16:
      return of16;
    case 32:
      return of32;
    case 64:
      return of64;
    default:
      return std::nullopt;
    }
  };
  switch (dtype_code(dtype.code)) {
  case dtype_code::Float:
    if (dtype.bits == 8)
      return std::nullopt;
    return sized(INGOT_F32, INGOT_F16, INGOT_F32, INGOT_F64);
  case dtype_code::Int:
    return sized(INGOT_I8, INGOT_I16, INGOT_I32, INGOT_I64);
  case dtype_code::UInt:
    return sized(INGOT_U8, INGOT_U16, INGOT_U32, INGOT_U64);
  case dtype_code::Bool:
    if (dtype.bits == 8)
      return INGOT_BOOL;
    return std::nullopt;
  case dtype_code::Bfloat:
    if (dtype.bits == 16)
      return INGOT_BF16;
    return std::nullopt;
  default:
    return std::nullopt;
  }
}

/// The other way; bf16, which numpy does not know, as its bits.
static nb::dlpack::dtype dtypeOf(ingot_dtype dtype) {
  using nb::dlpack::dtype_code;
  dtype_code code = dtype_code::UInt;
  if (dtype == INGOT_F16 || dtype == INGOT_F32 || dtype == INGOT_F64)
    code = dtype_code::Float;
  else if (dtype == INGOT_BOOL)
    code = dtype_code::Bool;
  else if (dtype >= INGOT_I8 && dtype <= INGOT_I64)
    code = dtype_code::Int;
  return {uint8_t(code), uint8_t(ingot_dtype_bytes(dtype) * 8), 1};
}

namespace {
/// Tensors of a call and what they point to.
struct Tensors {
  std::vector<ingot_tensor> tensors;

  /// `items` holds (name, array, number of the dtype or 0 for the array's own).
  void addInputs(const nb::list &items) {
    for (nb::handle item : items) {
      auto [name, array, number] =
          nb::cast<std::tuple<std::string, nb::object, int>>(item);
      std::optional<Input> input = cast<Input>(array);
      if (!input)
        throw ApiError{INGOT_INVALID_ARGUMENT,
                       "input '" + name +
                           "' is not an array in this machine's memory"};
      inputs.push_back(*input);
      const void *data = input->data();
      if (uintptr_t(data) % std::max<size_t>(input->itemsize(), 1) != 0)
        data = alignedCopy(*input);
      add(std::move(name), number, *input, const_cast<void *>(data));
    }
  }

  /// `items` holds (name, array or None, number of the dtype or 0).
  void addOutputs(const nb::list &items) {
    for (nb::handle item : items) {
      auto [name, array, number] =
          nb::cast<std::tuple<std::string, nb::object, int>>(item);
      if (array.is_none()) {
        names.push_back(std::make_unique<std::string>(std::move(name)));
        tensors.push_back(
            {names.back()->c_str(), INGOT_F32, 0, nullptr, nullptr, 0});
        continue;
      }
      // No conversion: the caller's own memory, or nothing.
      Output output;
      if (!nb::try_cast<Output>(array, output, false) || !output.is_valid() ||
          uintptr_t(output.data()) % std::max<size_t>(output.itemsize(), 1))
        throw ApiError{INGOT_INVALID_ARGUMENT,
                       "output '" + name +
                           "' is not a writable, C-contiguous array in this "
                           "machine's memory"};
      outputs.push_back(output);
      add(std::move(name), number, output, output.data());
    }
  }

private:
  /// The array itself if it can be used as it is, else a dense copy.
  template <typename Array> static std::optional<Array> cast(nb::handle from) {
    Array array;
    if (!nb::try_cast<Array>(from, array, true) || !array.is_valid())
      return std::nullopt;
    return array;
  }

  const void *alignedCopy(const Input &input) {
    copies.emplace_back(new std::byte[input.nbytes()]);
    std::memcpy(copies.back().get(), input.data(), input.nbytes());
    return copies.back().get();
  }

  template <typename Array>
  void add(std::string name, int number, const Array &array, void *data) {
    std::optional<ingot_dtype> dtype =
        number ? ingot_dtype(number) : dtypeOf(array.dtype());
    if (!dtype)
      throw ApiError{INGOT_INVALID_ARGUMENT,
                     "'" + name + "' has an element type that no model has"};
    names.push_back(std::make_unique<std::string>(std::move(name)));
    dims.push_back(std::make_unique<std::vector<int64_t>>());
    for (size_t d = 0; d < array.ndim(); ++d)
      dims.back()->push_back(int64_t(array.shape(d)));
    tensors.push_back({names.back()->c_str(), *dtype, int32_t(array.ndim()),
                       dims.back()->data(), data, array.nbytes()});
  }

  std::vector<std::unique_ptr<std::string>> names;
  std::vector<std::unique_ptr<std::vector<int64_t>>> dims;
  std::vector<std::unique_ptr<std::byte[]>> copies;
  std::vector<Input> inputs;
  std::vector<Output> outputs;
};
} // namespace

static std::unique_ptr<Session> create(Model &model, int threads,
                                       uint64_t maxArenaBytes,
                                       uint64_t maxCacheBytes) {
  ingot_session_options options = INGOT_SESSION_OPTIONS_INIT;
  options.threads = threads;
  options.max_arena_bytes = maxArenaBytes;
  options.max_cache_bytes = maxCacheBytes;
  ingot_session *session = nullptr;
  check(ingot_session_create(model.get(), &options, &session));
  return std::make_unique<Session>(session);
}

static std::unique_ptr<RunResult> run(Session &session, const nb::list &inputs,
                                      const nb::list &outputs, double timeLimit,
                                      Cancel *cancel, bool isInterruptible) {
  Tensors in, out;
  in.addInputs(inputs);
  out.addOutputs(outputs);
  std::unique_ptr<RunResult> made;
  guarded({timeLimit, cancel, isInterruptible}, [&](ingot_cancel *token) {
    ingot_run_options options = INGOT_RUN_OPTIONS_INIT;
    options.time_limit = timeLimit;
    options.cancel = token;
    ingot_result *result = nullptr;
    ingot_status status = ingot_session_run(
        session.get(), in.tensors.data(), in.tensors.size(), out.tensors.data(),
        out.tensors.size(), &options, &result);
    // Owned before a late Ctrl-C can raise.
    if (status == INGOT_OK)
      made = std::make_unique<RunResult>(result);
    return status;
  });
  return made;
}

/// Fills a sequence's bound caches.
static void bind(Sequence &sequence, const nb::list &inputs, double timeLimit,
                 Cancel *cancel, bool isInterruptible) {
  Tensors in;
  in.addInputs(inputs);
  guarded({timeLimit, cancel, isInterruptible}, [&](ingot_cancel *token) {
    ingot_run_options options = INGOT_RUN_OPTIONS_INIT;
    options.time_limit = timeLimit;
    options.cancel = token;
    return ingot_sequence_bind(sequence.get(), in.tensors.data(),
                               in.tensors.size(), &options);
  });
}

/// (name, dims) of every output for the inputs' sizes, and the arena's bytes.
static nb::tuple shapes(Session &session, const nb::list &inputs) {
  Tensors in;
  in.addInputs(inputs);
  ingot_result *result = nullptr;
  check(ingot_session_shapes(session.get(), in.tensors.data(),
                             in.tensors.size(), &result));
  RunResult owner(result);
  nb::list all;
  for (size_t i = 0; i < ingot_result_output_count(result); ++i) {
    ingot_tensor tensor;
    check(ingot_result_output(result, i, &tensor));
    nb::list dims;
    for (int32_t d = 0; d < tensor.rank; ++d)
      dims.append(tensor.dims[d]);
    all.append(nb::make_tuple(tensor.name, dims));
  }
  ingot_run_stats stats;
  check(ingot_result_stats(result, &stats));
  return nb::make_tuple(all, stats.arena_bytes);
}

nb::list ingot::python::outputsOf(const nb::object &owner) {
  ingot_result *result = nb::cast<RunResult &>(owner).get();
  // numpy wants an address even where there is no element.
  static uint64_t nothing = 0;
  nb::list all;
  for (size_t i = 0; i < ingot_result_output_count(result); ++i) {
    ingot_tensor tensor;
    check(ingot_result_output(result, i, &tensor));
    std::vector<size_t> shape(tensor.dims, tensor.dims + tensor.rank);
    nb::ndarray<nb::numpy> array(tensor.data ? tensor.data : &nothing,
                                 shape.size(), shape.data(), owner, nullptr,
                                 dtypeOf(tensor.dtype));
    all.append(nb::make_tuple(tensor.name, int(tensor.dtype), array));
  }
  return all;
}

static nb::tuple statsOf(const RunResult &result) {
  ingot_run_stats stats;
  check(ingot_result_stats(result.get(), &stats));
  return nb::make_tuple(stats.milliseconds, stats.wait_milliseconds,
                        stats.arena_bytes, stats.workers);
}

void ingot::python::bindSession(nb::module_ &module) {
  nb::class_<Cancel>(module, "Cancel")
      .def(nb::init<>())
      .def("request", &Cancel::request)
      .def("reset", &Cancel::reset)
      .def("requested", &Cancel::requested);
  nb::class_<RunResult>(module, "RunResult")
      .def("outputs",
           [](nb::handle_t<RunResult> self) {
             return outputsOf(nb::borrow(self));
           })
      .def("stats", statsOf);
  nb::class_<Session>(module, "Session")
      .def("threads",
           [](const Session &session) {
             return ingot_session_threads(session.get());
           })
      .def("run", run, nb::arg("inputs"), nb::arg("outputs"),
           nb::arg("time_limit"), nb::arg("cancel").none(),
           nb::arg("interruptible"))
      .def("shapes", shapes)
      .def("start_trace",
           [](Session &session) {
             check(ingot_session_start_trace(session.get()));
           })
      .def("write_trace",
           [](Session &session, const nb::bytes &path) {
             check(ingot_session_write_trace(session.get(), path.c_str()));
           })
      .def("cache_stats", [](const Session &session) {
        ingot_cache_stats stats;
        check(ingot_session_cache_stats(session.get(), &stats));
        return nb::make_tuple(stats.bytes_in_use, stats.bytes_reserved,
                              stats.peak_bytes);
      });
  module.def("create_session", create);
  module.def("bind_sequence", bind, nb::arg("sequence"), nb::arg("inputs"),
             nb::arg("time_limit"), nb::arg("cancel").none(),
             nb::arg("interruptible"));
}
