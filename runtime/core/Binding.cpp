//===- Binding.cpp - a caller's tensors against a model's signature -------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/core/Binding.h"

#include "runtime/core/Abi.h"

using namespace ingot::rt;

namespace {
/// A symbol's value and who gave it.
struct SymbolValue {
  int64_t value = 0;
  const TensorInfo *input = nullptr;
  size_t axis = 0;
};

/// Checks inputs one by one and remembers what they say about symbols.
class Binder {
public:
  Binder(const std::vector<Symbol> &declared, BindMode mode)
      : declared(declared), mode(mode), symbols(declared.size()) {}

  /// Appends a tensor that is given for `info`.
  Status bind(const TensorInfo &info, const TensorView &tensor);
  BoundInputs take() { return std::move(bound); }

private:
  Status checkDim(const TensorInfo &info, size_t axis, int64_t value);
  Status bindSymbol(size_t index, const TensorInfo &info, size_t axis,
                    int64_t value);

  const std::vector<Symbol> &declared;
  BindMode mode;
  std::vector<SymbolValue> symbols;
  BoundInputs bound;
};
} // namespace

template <typename... Parts> static Status invalid(const Parts &...parts) {
  return failure(Code::InvalidArgument, parts...);
}

std::string ingot::rt::dimsText(std::span<const int64_t> dims) {
  std::string text = "[";
  for (int64_t dim : dims)
    text += concat(text.size() > 1 ? ", " : "", dim);
  return text + "]";
}

std::string ingot::rt::namesText(const std::vector<TensorInfo> &tensors) {
  std::string text;
  for (const TensorInfo &tensor : tensors)
    text += concat(text.empty() ? "'" : ", '", tensor.name, "'");
  return text.empty() ? "none" : text;
}

void *ingot::rt::emptyData() {
  alignas(INGOT_ALIGNMENT) static unsigned char nothing[INGOT_ALIGNMENT];
  return nothing;
}

static std::string declaredDims(const TensorInfo &info) {
  std::string text = "[";
  for (const Dim &dim : info.dims)
    text += (text.size() > 1 ? ", " : "") + dim.str();
  return text + "]";
}

Result<size_t> ingot::rt::tensorBytes(std::string_view name, DType dtype,
                                      std::span<const int64_t> dims) {
  // A zero anywhere makes the tensor empty, whatever the others say.
  for (int64_t dim : dims)
    if (dim == 0)
      return size_t(0);
  int64_t bytes = elementBytes(dtype);
  for (int64_t dim : dims)
    if (__builtin_mul_overflow(bytes, dim, &bytes))
      return invalid("'", name, "' with dims ", dimsText(dims),
                     " is too large to address");
  return static_cast<size_t>(bytes);
}

Status Binder::bindSymbol(size_t index, const TensorInfo &info, size_t axis,
                          int64_t value) {
  const Symbol &symbol = declared[index];
  if (value < symbol.min || value > symbol.max)
    return invalid("dim ", axis, " of input '", info.name, "' is ", value,
                   ", but '", symbol.name, "' must be in ", symbol.min, " to ",
                   symbol.max);
  SymbolValue &known = symbols[index];
  if (!known.input) {
    known = {value, &info, axis};
    return {};
  }
  if (known.value == value)
    return {};
  return invalid("dim '", symbol.name, "' has two values: ", known.value,
                 " (dim ", known.axis, " of input '", known.input->name,
                 "') and ", value, " (dim ", axis, " of input '", info.name,
                 "')");
}

Status Binder::checkDim(const TensorInfo &info, size_t axis, int64_t value) {
  const Dim &dim = info.dims[axis];
  if (value < 0)
    return invalid("dim ", axis, " of input '", info.name, "' is ", value);
  if (dim.isStatic()) {
    if (value == dim.value)
      return {};
    return invalid("dim ", axis, " of input '", info.name, "' is ", value,
                   ", expected ", dim.value);
  }
  for (size_t i = 0; i < declared.size(); ++i)
    if (declared[i].name == dim.text)
      return bindSymbol(i, info, axis, value);
  // An expression over symbols: the program's own sizes function checks it.
  return {};
}

Status Binder::bind(const TensorInfo &info, const TensorView &tensor) {
  if (tensor.dtype != static_cast<unsigned>(info.dtype))
    return invalid("input '", info.name, "' has dtype ",
                   isDType(tensor.dtype)
                       ? dtypeName(static_cast<DType>(tensor.dtype))
                       : "unknown",
                   ", expected ", dtypeName(info.dtype));
  if (tensor.dims.size() != info.dims.size())
    return invalid("input '", info.name, "' has rank ", tensor.dims.size(),
                   ", expected ", info.dims.size(), " ", declaredDims(info));
  for (size_t axis = 0; axis < tensor.dims.size(); ++axis)
    if (Status status = checkDim(info, axis, tensor.dims[axis]); !status.ok())
      return status;
  Result<size_t> bytes = tensorBytes(info.name, info.dtype, tensor.dims);
  if (!bytes.ok())
    return bytes.status();

  bound.dims.insert(bound.dims.end(), tensor.dims.begin(), tensor.dims.end());
  bound.names.push_back(info.name);
  bound.bytes.push_back(*bytes);
  if (*bytes == 0 || mode == BindMode::DimsOnly) {
    bound.data.push_back(emptyData());
    return {};
  }
  if (!tensor.data)
    return invalid("input '", info.name, "' has no data");
  if (tensor.bytes < *bytes)
    return invalid("input '", info.name, "' has ", tensor.bytes, " bytes, but ",
                   dimsText(tensor.dims), " of ", dtypeName(info.dtype),
                   " needs ", *bytes);
  if (reinterpret_cast<uintptr_t>(tensor.data) % elementBytes(info.dtype) != 0)
    return invalid("the data of input '", info.name,
                   "' is not aligned to its elements");
  bound.data.push_back(tensor.data);
  return {};
}

Result<BoundInputs> ingot::rt::bindInputs(const std::vector<TensorInfo> &inputs,
                                          const std::vector<Symbol> &declared,
                                          std::span<const TensorView> tensors,
                                          BindMode mode) {
  std::vector<const TensorView *> given(inputs.size());
  for (const TensorView &tensor : tensors) {
    size_t index = 0;
    while (index < given.size() && inputs[index].name != tensor.name)
      ++index;
    if (index == given.size())
      return invalid("the model has no input '", tensor.name,
                     "'; its inputs are ", namesText(inputs));
    if (given[index])
      return invalid("input '", tensor.name, "' is given twice");
    given[index] = &tensor;
  }
  Binder binder(declared, mode);
  for (size_t i = 0; i < given.size(); ++i) {
    const TensorInfo &info = inputs[i];
    if (!given[i])
      return invalid("input '", info.name, "' (", dtypeName(info.dtype), " ",
                     declaredDims(info), ") is missing");
    if (Status status = binder.bind(info, *given[i]); !status.ok())
      return status;
  }
  return binder.take();
}
