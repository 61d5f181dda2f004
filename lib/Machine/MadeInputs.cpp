//===- MadeInputs.cpp - inputs that nobody has to give --------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Machine/MadeInputs.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <random>

using namespace ingot::machine;
namespace rt = ingot::rt;

bool ingot::machine::namesBatch(std::string name) {
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return std::tolower(c); });
  return name.find("batch") != std::string::npos || name == "b" || name == "n";
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
static void fillWith(std::span<std::byte> bytes, Make make) {
  for (size_t i = 0; i + sizeof(T) <= bytes.size(); i += sizeof(T)) {
    T value = T(make());
    std::memcpy(bytes.data() + i, &value, sizeof(T));
  }
}

void ingot::machine::fill(std::span<std::byte> data, rt::DType dtype,
                          std::string_view name, int64_t integer) {
  std::seed_seq seed(name.begin(), name.end());
  std::mt19937 random(seed);
  auto uniform = [&] { return float(random() >> 8) * 0x1p-23F - 1; };
  auto constant = [&] { return integer; };
  switch (dtype) {
  case rt::DType::F16:
    return fillWith<uint16_t>(data,
                              [&] { return toSixteenBits(uniform(), 5); });
  case rt::DType::BF16:
    return fillWith<uint16_t>(data,
                              [&] { return toSixteenBits(uniform(), 8); });
  case rt::DType::F32:
    return fillWith<float>(data, uniform);
  case rt::DType::F64:
    return fillWith<double>(data, uniform);
  default:
    break;
  }
  switch (rt::elementBytes(dtype)) {
  case 1:
    return fillWith<int8_t>(data, constant);
  case 2:
    return fillWith<int16_t>(data, constant);
  case 4:
    return fillWith<int32_t>(data, constant);
  default:
    return fillWith<int64_t>(data, constant);
  }
}
