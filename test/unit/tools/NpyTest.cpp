//===- NpyTest.cpp - tests of .npy files ----------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/io/Npy.h"

#include "test/unit/tools/TensorMaker.h"

#include <gtest/gtest.h>

using namespace ingot::cli;

/// A version 1 file with this header and data.
static std::string file(const std::string &header, const std::string &data) {
  std::string out("\x93NUMPY\x01\x00", 8);
  out += char(header.size() & 255);
  out += char(header.size() >> 8);
  return out + header + data;
}

static std::string header(const std::string &descr, const std::string &shape,
                          const std::string &fortran = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + fortran +
         ", 'shape': " + shape + ", }          \n";
}

static std::string failure(const std::string &contents) {
  try {
    decodeNpy(bytesOf(contents), "x.npy");
  } catch (const Error &error) {
    return error.what();
  }
  return "";
}

TEST(Npy, RoundTrip) {
  for (int i = 0; i <= int(Dtype::Bool); ++i)
    for (std::vector<int64_t> dims :
         {std::vector<int64_t>{}, {3}, {2, 3}, {0, 4}}) {
      Tensor tensor;
      tensor.dtype = Dtype(i);
      tensor.dims = dims;
      tensor.bytes.resize(size_t(tensor.size()) * byteSize(tensor.dtype));
      for (size_t b = 0; b < tensor.bytes.size(); ++b)
        tensor.bytes[b] = std::byte(b * 7 + 1);
      std::string encoded = encodeNpy(tensor);
      EXPECT_EQ((encoded.size() - tensor.bytes.size()) % 64, 0u);
      Tensor back = decodeNpy(bytesOf(encoded), "x");
      EXPECT_EQ(back.dtype, tensor.dtype);
      EXPECT_EQ(back.dims, tensor.dims);
      EXPECT_EQ(back.bytes, tensor.bytes);
    }
}

TEST(Npy, FortranOrder) {
  std::string text = file(header("|u1", "(2, 3)", "True"), "abcdef");
  Tensor tensor = decodeNpy(bytesOf(text), "x");
  EXPECT_EQ(
      tensor.bytes,
      makeTensor<char>(Dtype::U8, {6}, {'a', 'c', 'e', 'b', 'd', 'f'}).bytes);
}

TEST(Npy, BigEndian) {
  std::string text = file(header(">i4", "(1,)"), std::string("\0\0\1\2", 4));
  Tensor tensor = decodeNpy(bytesOf(text), "x");
  EXPECT_EQ(tensor.asDouble(0), 258);
}

TEST(Npy, LaterVersions) {
  std::string head = header("<i2", "(1,)");
  std::string text("\x93NUMPY\x03\x00", 8);
  text += char(head.size());
  text += std::string(3, '\0') + head + "\x05" + std::string(1, '\0');
  EXPECT_EQ(decodeNpy(bytesOf(text), "x").asDouble(0), 5);
}

TEST(Npy, Damaged) {
  EXPECT_NE(failure("").find("x.npy: not a valid .npy file"),
            std::string::npos);
  EXPECT_NE(failure(std::string(200, 'a')), "");
  std::string good = file(header("<f4", "(2,)"), std::string(8, '\0'));
  EXPECT_EQ(failure(good), "");
  for (size_t length = 0; length < good.size(); ++length)
    EXPECT_NE(failure(good.substr(0, length)), "") << length;
  EXPECT_NE(failure(good + "x").find("needs 8 bytes, the file has 9"),
            std::string::npos);
  for (const char *shape :
       {"(-1,)", "(1", "(a,)", "7", "(9223372036854775807, 9)",
        "(0, 9223372036854775807, 9223372036854775807)"})
    EXPECT_NE(failure(file(header("<f4", shape), "")), "") << shape;
  EXPECT_NE(failure(file(header("|O", "(1,)"), "x")).find("'|O'"),
            std::string::npos);
  EXPECT_NE(failure(file("{'descr': [('a', '<f4')], 'fortran_order': False, "
                         "'shape': (1,)}",
                         "")),
            "");
  EXPECT_NE(failure(file("{'descr': '<f4'}", "")), "");
}
