//===- OnnxTest.cpp - tests of reading ONNX tensors and models ------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/io/Onnx.h"

#include "test/unit/tools/TensorMaker.h"

#include <gtest/gtest.h>

using namespace ingot::cli;

enum : unsigned { DIMS = 1, TYPE = 2, RAW = 9, NAME = 8 };

static Tensor decode(const std::string &text) {
  return decodeTensorProto(bytesOf(text), "x.pb");
}

static std::string failure(const std::string &text) {
  try {
    decode(text);
  } catch (const Error &error) {
    return error.what();
  }
  return "";
}

static std::string le(uint64_t value, size_t width) {
  return {reinterpret_cast<const char *>(&value), width};
}

TEST(TensorProto, Raw) {
  Tensor tensor =
      decode(wireField(DIMS, 2) + wireField(DIMS, 1) + wireField(TYPE, 16) +
             wireField(NAME, "in") + wireField(RAW, "\x80\x3f\xc0\x3f"));
  EXPECT_EQ(tensor.name, "in");
  EXPECT_EQ(tensor.dtype, Dtype::BF16);
  EXPECT_EQ(tensor.dims, (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(tensor.asDouble(1), 1.5);
}

TEST(TensorProto, TypedFields) {
  // Packed floats, with packed dims.
  Tensor floats = decode(wireField(DIMS, wireVarint(2)) + wireField(TYPE, 1) +
                         wireField(4, le(0x3f800000, 4) + le(0x40000000, 4)));
  EXPECT_EQ(floats.asDouble(0), 1);
  EXPECT_EQ(floats.asDouble(1), 2);
  // One float16, as int32_data holds it; unpacked.
  EXPECT_EQ(decode(wireField(TYPE, 10) + wireField(5, 0x3c00)).asDouble(0), 1);
  // Negative int8 as a sign-extended varint.
  EXPECT_EQ(decode(wireField(TYPE, 3) + wireField(5, uint64_t(-5))).asDouble(0),
            -5);
  EXPECT_EQ(decode(wireField(TYPE, 9) + wireField(5, 1)).dtype, Dtype::Bool);
  EXPECT_EQ(decode(wireField(DIMS, 2) + wireField(TYPE, 7) +
                   wireField(7, wireVarint(3) + wireVarint(uint64_t(-4))))
                .asDouble(1),
            -4);
  EXPECT_EQ(decode(wireField(TYPE, 12) + wireField(11, 9)).dtype, Dtype::U32);
  EXPECT_EQ(
      decode(wireField(TYPE, 11) + wireField(10, le(0x3ff0000000000000, 8)))
          .asDouble(0),
      1);
  EXPECT_EQ(decode(wireField(DIMS, uint64_t(0)) + wireField(TYPE, 1)).size(),
            0);
}

TEST(TensorProto, Unrepresentable) {
  for (unsigned type : {0u, 8u, 14u, 15u, 17u, 20u, 23u, 24u, 99u})
    EXPECT_THROW(decode(wireField(TYPE, type) + wireField(RAW, "1234")),
                 UnrepresentableError)
        << type;
  EXPECT_NE(failure(wireField(TYPE, 23)).find("float4"), std::string::npos);
  // A SequenceProto: name, elem_type, tensor_values.
  EXPECT_THROW(decode(wireField(1, "seq") + wireField(2, 1) +
                      wireField(3, wireField(TYPE, 1))),
               UnrepresentableError);
}

TEST(TensorProto, Damaged) {
  std::string good = wireField(DIMS, 2) + wireField(TYPE, 6) +
                     wireField(RAW, std::string(8, '\1'));
  EXPECT_EQ(failure(good), "");
  for (size_t length = 0; length < good.size(); ++length)
    EXPECT_NE(failure(good.substr(0, length)), "") << length;
  EXPECT_NE(failure(wireField(DIMS, 3) + wireField(TYPE, 6) +
                    wireField(RAW, std::string(8, '\1')))
                .find("x.pb: the shape 3 of i32 needs 12 bytes"),
            std::string::npos);
  EXPECT_NE(failure(wireField(DIMS, uint64_t(-1)) + wireField(TYPE, 6)), "");
  EXPECT_NE(failure(wireField(DIMS, uint64_t(1) << 62) +
                    wireField(DIMS, uint64_t(1) << 62) + wireField(TYPE, 6)),
            "");
  EXPECT_NE(failure(wireField(DIMS, 3) + wireField(TYPE, 6) + wireField(5, 1)),
            "");
  EXPECT_NE(failure(wireField(TYPE, 6) + wireField(7, 1)), "");
  EXPECT_NE(failure(wireField(TYPE, 6) + wireField(5, 1) + wireField(14, 1)),
            "");
}

TEST(ModelScan, ExternalFilesAndOps) {
  auto external = [](const char *location) {
    return wireField(13, wireField(1, "location") + wireField(2, location));
  };
  std::string inner = wireField(
      1, wireField(4, "Relu") +
             wireField(5, wireField(5, external("attr.bin")))); // attribute t
  std::string node = wireField(4, "Fancy") + wireField(7, "com.example") +
                     wireField(5, wireField(6, inner)); // attribute g
  std::string graph =
      wireField(1, node) + wireField(5, external("weights.bin"));
  std::string function = wireField(7, wireField(4, "Mul"));
  std::string model = wireField(7, graph) + wireField(25, function);
  ModelScan scan = scanModel(bytesOf(model), "m.onnx");
  EXPECT_EQ(scan.externalFiles,
            (std::set<std::string>{"attr.bin", "weights.bin"}));
  EXPECT_EQ(scan.ops,
            (std::set<std::string>{"Relu", "com.example::Fancy", "Mul"}));
  EXPECT_THROW(scanModel(bytesOf(model.substr(0, model.size() - 1)), "m"),
               Error);
}
