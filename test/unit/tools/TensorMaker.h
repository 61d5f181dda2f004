//===- TensorMaker.h - tensors for tests ----------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TEST_UNIT_TOOLS_TENSORMAKER_H
#define INGOT_TEST_UNIT_TOOLS_TENSORMAKER_H

#include "tools/ingot/io/Tensor.h"

#include <cstring>
#include <span>

namespace ingot::cli {

/// A tensor of the given elements, copied bit by bit.
template <typename T>
Tensor makeTensor(Dtype dtype, std::vector<int64_t> dims,
                  const std::vector<T> &elements, std::string name = "t") {
  Tensor tensor;
  tensor.name = std::move(name);
  tensor.dtype = dtype;
  tensor.dims = std::move(dims);
  tensor.bytes.resize(elements.size() * sizeof(T));
  if (!elements.empty())
    std::memcpy(tensor.bytes.data(), elements.data(), tensor.bytes.size());
  return tensor;
}

/// The bytes of a string, literal zeros included.
inline std::span<const std::byte> bytesOf(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// Numbers and fields of protobuf's wire format.
inline std::string wireVarint(uint64_t value) {
  std::string out;
  for (; value > 127; value >>= 7)
    out += char(value | 128);
  return out + char(value);
}
inline std::string wireField(unsigned number, uint64_t value) {
  return wireVarint(number << 3) + wireVarint(value);
}
inline std::string wireField(unsigned number, std::string_view contents) {
  return wireVarint(number << 3 | 2) + wireVarint(contents.size()) +
         std::string(contents);
}

} // namespace ingot::cli

#endif // INGOT_TEST_UNIT_TOOLS_TENSORMAKER_H
