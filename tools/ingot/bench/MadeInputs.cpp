//===- MadeInputs.cpp - inputs that nobody has to give --------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/bench/MadeInputs.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <random>

using namespace ingot::cli;
namespace rt = ingot::rt;

static bool namesBatch(std::string name) {
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return std::tolower(c); });
  return name.find("batch") != std::string::npos || name == "b" || name == "n";
}

std::vector<std::string>
ingot::cli::addDefaultSizes(const std::vector<rt::Symbol> &symbols,
                            Symbols &values) {
  std::vector<std::string> added;
  for (const rt::Symbol &symbol : symbols) {
    int64_t size = namesBatch(symbol.name) ? 1 : 128;
    size = std::clamp(size, symbol.min, symbol.max);
    if (values.emplace(symbol.name, size).second)
      added.push_back(symbol.name);
  }
  return added;
}

/// The nearest number of a format of 16 bits whose exponent has `exponentBits`.
/// For numbers between -1 and 1; those too small for it become zero.
static uint16_t toSixteenBits(float value, int exponentBits) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  int mantissaBits = 15 - exponentBits, bias = (1 << (exponentBits - 1)) - 1;
  int exponent = int((bits >> 23) & 0xff) - 127 + bias;
  uint32_t sign = (bits >> 16) & 0x8000;
  if (exponent <= 0)
    return uint16_t(sign);
  // A carry of the rounding goes on into the exponent, where it belongs.
  uint32_t mantissa = (bits & 0x7fffff) + (1U << (22 - mantissaBits));
  return uint16_t(sign + (uint32_t(exponent) << mantissaBits) +
                  (mantissa >> (23 - mantissaBits)));
}

template <typename T, typename Make>
static void fillWith(std::vector<std::byte> &bytes, Make make) {
  for (size_t i = 0; i + sizeof(T) <= bytes.size(); i += sizeof(T)) {
    T value = T(make());
    std::memcpy(bytes.data() + i, &value, sizeof(T));
  }
}

void ingot::cli::fill(Tensor &tensor, int64_t integer) {
  int64_t count = checkedSize(tensor.dims, tensor.dtype,
                              "made-up input '" + tensor.name + "'");
  tensor.bytes.resize(size_t(count) * byteSize(tensor.dtype));
  std::seed_seq seed(tensor.name.begin(), tensor.name.end());
  std::mt19937 random(seed);
  auto uniform = [&] { return float(random() >> 8) * 0x1p-23F - 1; };
  auto constant = [&] { return integer; };
  switch (tensor.dtype) {
  case Dtype::F16:
    return fillWith<uint16_t>(tensor.bytes,
                              [&] { return toSixteenBits(uniform(), 5); });
  case Dtype::BF16:
    return fillWith<uint16_t>(tensor.bytes,
                              [&] { return toSixteenBits(uniform(), 8); });
  case Dtype::F32:
    return fillWith<float>(tensor.bytes, uniform);
  case Dtype::F64:
    return fillWith<double>(tensor.bytes, uniform);
  default:
    break;
  }
  switch (byteSize(tensor.dtype)) {
  case 1:
    return fillWith<int8_t>(tensor.bytes, constant);
  case 2:
    return fillWith<int16_t>(tensor.bytes, constant);
  case 4:
    return fillWith<int32_t>(tensor.bytes, constant);
  default:
    return fillWith<int64_t>(tensor.bytes, constant);
  }
}

std::vector<int64_t> ingot::cli::madePrompt(size_t length,
                                            uint64_t vocabulary) {
  std::vector<int64_t> ids(length);
  uint64_t few = std::clamp<uint64_t>(vocabulary, 1, 1000);
  for (size_t i = 0; i < length; ++i)
    ids[i] = int64_t((i * 37 + 1) % few);
  return ids;
}
