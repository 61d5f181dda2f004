//===- Compare.cpp - whether an output is close to the expected one -------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/Compare.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

using namespace ingot::cli;

/// "[1, 0, 7]": the position of a flat index.
static std::string positionText(int64_t index,
                                const std::vector<int64_t> &dims) {
  std::string text = "]";
  for (size_t i = dims.size(); i-- > 0; index /= dims[i])
    text.insert(0, (i ? ", " : "") + std::to_string(index % dims[i]));
  return text.insert(0, "[");
}

/// The element as text, exact for 64-bit integers too.
static std::string valueText(const Tensor &tensor, int64_t index) {
  if (tensor.dtype == Dtype::I64 || tensor.dtype == Dtype::U64) {
    int64_t bits;
    std::memcpy(&bits, &tensor.bytes[size_t(index) * 8], 8);
    return tensor.dtype == Dtype::I64 ? std::to_string(bits)
                                      : std::to_string(uint64_t(bits));
  }
  char text[40];
  std::snprintf(text, sizeof text, "%.9g", tensor.asDouble(index));
  return text;
}

static bool close(double got, double want, Tolerance tolerance) {
  if (std::isnan(got) || std::isnan(want))
    return std::isnan(got) && std::isnan(want);
  if (std::isinf(got) || std::isinf(want))
    return got == want;
  return std::abs(got - want) <=
         tolerance.atol + tolerance.rtol * std::abs(want);
}

Comparison ingot::cli::compare(const Tensor &got, const Tensor &want,
                               Tolerance tolerance) {
  Comparison result;
  if (got.dtype != want.dtype) {
    result.difference = "dtype " + std::string(name(got.dtype)) +
                        ", expected " + std::string(name(want.dtype));
    return result;
  }
  if (got.dims != want.dims) {
    result.difference =
        "shape " + shapeText(got.dims) + ", expected " + shapeText(want.dims);
    return result;
  }
  bool floats = isFloat(want.dtype);
  size_t width = byteSize(want.dtype);
  int64_t size = want.size(), wrong = 0, worst = -1;
  double worstBy = -1;
  for (int64_t i = 0; i < size; ++i) {
    double by = 0;
    bool good;
    if (floats) {
      double a = got.asDouble(i), b = want.asDouble(i);
      good = close(a, b, tolerance);
      if (std::isfinite(a) && std::isfinite(b)) {
        result.largest = std::max(result.largest, std::abs(a - b));
        by = std::abs(a - b) - tolerance.rtol * std::abs(b);
      } else {
        by = INFINITY;
      }
    } else {
      good = std::memcmp(&got.bytes[size_t(i) * width],
                         &want.bytes[size_t(i) * width], width) == 0;
    }
    if (good)
      continue;
    ++wrong;
    if (worst < 0 || by > worstBy) {
      worst = i;
      worstBy = by;
    }
  }
  if (wrong != 0)
    result.difference =
        std::to_string(wrong) + " of " + std::to_string(size) +
        " elements differ, most at " + positionText(worst, want.dims) + ": " +
        valueText(got, worst) + ", expected " + valueText(want, worst);
  return result;
}
