//===- CompareTest.cpp - tests of comparing outputs -----------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/Compare.h"

#include "test/unit/tools/TensorMaker.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

using namespace ingot::cli;

static Tensor floats(const std::vector<float> &values) {
  return makeTensor(Dtype::F32, {int64_t(values.size())}, values);
}

TEST(Compare, FloatsWithinTolerance) {
  EXPECT_EQ(compare(floats({1.0009f, 0}), floats({1, 0}), {}).difference, "");
  Comparison far = compare(floats({1, 1.1f}), floats({1, 1}), {});
  EXPECT_EQ(far.difference,
            "1 of 2 elements differ, most at [1]: 1.10000002, expected 1");
  EXPECT_NEAR(far.largest, 0.1, 1e-6);
  EXPECT_EQ(compare(floats({1.1f}), floats({1}), {0, 0.2}).difference, "");
}

TEST(Compare, NotFinite) {
  float nan = std::nanf(""), inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(compare(floats({nan, inf, -inf}), floats({nan, inf, -inf}), {})
                .difference,
            "");
  EXPECT_NE(compare(floats({nan}), floats({0}), {}).difference, "");
  EXPECT_NE(compare(floats({0}), floats({nan}), {1, 1}).difference, "");
  EXPECT_NE(compare(floats({-inf}), floats({inf}), {}).difference, "");
  EXPECT_NE(compare(floats({1e30f}), floats({inf}), {1, 1}).difference, "");
}

TEST(Compare, IntegersExactly) {
  Tensor want = makeTensor<int64_t>(Dtype::I64, {1, 2}, {1, INT64_MAX});
  Tensor got = makeTensor<int64_t>(Dtype::I64, {1, 2}, {1, INT64_MAX - 1});
  EXPECT_EQ(compare(want, want, {}).difference, "");
  EXPECT_EQ(compare(got, want, {1, 1e9}).difference,
            "1 of 2 elements differ, most at [0, 1]: 9223372036854775806, "
            "expected 9223372036854775807");
}

TEST(Compare, SixteenBitFloatsByValue) {
  Tensor one = makeTensor<uint16_t>(Dtype::F16, {}, {0x3c00});
  Tensor next = makeTensor<uint16_t>(Dtype::F16, {}, {0x3c01});
  EXPECT_EQ(compare(next, one, {}).difference, "");
  EXPECT_NE(compare(next, one, {0, 1e-4}).difference, "");
  Tensor zero = makeTensor<uint16_t>(Dtype::BF16, {}, {0});
  Tensor minus = makeTensor<uint16_t>(Dtype::BF16, {}, {0x8000});
  EXPECT_EQ(compare(zero, minus, {0, 0}).difference, "");
}

TEST(Compare, DtypeAndShape) {
  Tensor row = makeTensor<float>(Dtype::F32, {1, 2}, {1, 2});
  EXPECT_EQ(compare(row, floats({1, 2}), {}).difference,
            "shape 1x2, expected 2");
  EXPECT_EQ(
      compare(makeTensor<int32_t>(Dtype::I32, {2}, {1, 2}), floats({1, 2}), {})
          .difference,
      "dtype i32, expected f32");
  Tensor empty = makeTensor<float>(Dtype::F32, {2, 0}, {});
  EXPECT_EQ(compare(empty, empty, {}).difference, "");
}

TEST(Tensor, Halves) {
  EXPECT_EQ(halfToFloat(0x0001), std::ldexp(1.0f, -24));
  EXPECT_EQ(halfToFloat(0x7bff), 65504.0f);
  EXPECT_EQ(halfToFloat(0xc000), -2.0f);
  EXPECT_TRUE(std::isinf(halfToFloat(0xfc00)));
  EXPECT_TRUE(std::isnan(halfToFloat(0x7e00)));
  EXPECT_EQ(bfloatToFloat(0x3fc0), 1.5f);
}
