//===- Outputs.cpp - where a run's outputs go -----------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/core/Outputs.h"

#include "runtime/core/Abi.h"

#include <new>
#include <utility>

using namespace ingot::rt;

namespace {
/// A buffer of the caller's, for the overlap check.
struct Buffer {
  std::string_view kind, name;
  uintptr_t start;
  size_t bytes;
};
} // namespace

template <typename... Parts> static Status invalid(const Parts &...parts) {
  return failure(Code::InvalidArgument, parts...);
}

void OutputDeleter::operator()(unsigned char *data) const {
  ::operator delete(data, std::align_val_t(INGOT_ALIGNMENT));
}

Status ingot::rt::allocateOutput(Output &output) {
  if (output.bytes == 0) {
    output.data = emptyData();
    return {};
  }
  output.owned.reset(static_cast<unsigned char *>(::operator new(
      output.bytes, std::align_val_t(INGOT_ALIGNMENT), std::nothrow)));
  output.data = output.owned.get();
  if (!output.data)
    return failure(Code::OutOfMemory, "cannot allocate ", output.bytes,
                   " bytes for output '", output.info->name, "'");
  return {};
}

static Status useCallersMemory(Output &output, const TensorView &buffer,
                               std::vector<Buffer> &taken) {
  const std::string &name = output.info->name;
  if (buffer.bytes < output.bytes)
    return invalid("the buffer of output '", name, "' has ", buffer.bytes,
                   " bytes, but ", dimsText(output.dims), " of ",
                   dtypeName(output.info->dtype), " needs ", output.bytes);
  auto start = reinterpret_cast<uintptr_t>(buffer.data);
  if (start % elementBytes(output.info->dtype) != 0)
    return invalid("the buffer of output '", name,
                   "' is not aligned to its elements");
  for (const Buffer &other : taken)
    if (output.bytes && start < other.start + other.bytes &&
        other.start < start + output.bytes)
      return invalid("the buffer of output '", name, "' overlaps ", other.kind,
                     " '", other.name, "'");
  taken.push_back({"output", name, start, output.bytes});
  output.data = output.bytes ? buffer.data : emptyData();
  return {};
}

Status ingot::rt::placeOutputs(std::span<const TensorView> wanted,
                               const BoundInputs &inputs,
                               std::vector<Output> &all) {
  std::vector<Buffer> taken;
  taken.reserve(inputs.data.size() + wanted.size());
  for (size_t i = 0; i < inputs.data.size(); ++i)
    taken.push_back({"input", inputs.names[i],
                     reinterpret_cast<uintptr_t>(inputs.data[i]),
                     inputs.bytes[i]});
  std::vector<bool> isNamed(all.size());
  for (const TensorView &buffer : wanted) {
    size_t index = 0;
    while (index < all.size() && all[index].info->name != buffer.name)
      ++index;
    if (index == all.size()) {
      std::string names;
      for (const Output &output : all)
        names += concat(names.empty() ? "'" : ", '", output.info->name, "'");
      return invalid("the model has no output '", buffer.name,
                     "'; its outputs are ", names);
    }
    if (isNamed[index])
      return invalid("output '", buffer.name, "' is asked for twice");
    isNamed[index] = true;
    if (!buffer.data)
      continue;
    if (Status status = useCallersMemory(all[index], buffer, taken);
        !status.ok())
      return status;
  }
  for (Output &output : all)
    if (!output.data)
      if (Status status = allocateOutput(output); !status.ok())
        return status;
  return {};
}

std::vector<Output> ingot::rt::takeWanted(std::span<const TensorView> wanted,
                                          std::vector<Output> &all) {
  if (wanted.empty())
    return std::move(all);
  std::vector<Output> chosen;
  for (const TensorView &buffer : wanted)
    for (Output &output : all)
      if (output.info && output.info->name == buffer.name) {
        chosen.push_back(std::exchange(output, {}));
        break;
      }
  return chosen;
}
