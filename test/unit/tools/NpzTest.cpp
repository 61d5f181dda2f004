//===- NpzTest.cpp - tests of .npz files ----------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/io/Npy.h"

#include "test/unit/tools/TensorMaker.h"

#include <gtest/gtest.h>
#include <zlib.h>

using namespace ingot::cli;

static std::string failure(const std::string &contents) {
  try {
    decodeNpz(bytesOf(contents), "x.npz");
  } catch (const Error &error) {
    return error.what();
  }
  return "";
}

static void put(std::string &out, uint64_t value, unsigned width) {
  out.append(reinterpret_cast<const char *>(&value), width);
}

/// An archive of one deflated member, as numpy.savez_compressed writes it.
static std::string deflated(const std::string &data, uint64_t claimedSize,
                            uint32_t crcFlip = 0) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
  std::string packed(compressBound(data.size()), '\0');
  stream.next_in = (Bytef *)data.data();
  stream.avail_in = uInt(data.size());
  stream.next_out = (Bytef *)packed.data();
  stream.avail_out = uInt(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  uint32_t crc =
      uint32_t(crc32(0, (const Bytef *)data.data(), uInt(data.size()))) ^
      crcFlip;

  std::string name = "a.npy", common;
  put(common, 20, 2);
  put(common, 0, 2);
  put(common, 8, 2);
  put(common, 0, 4);
  put(common, crc, 4);
  put(common, packed.size(), 4);
  put(common, claimedSize, 4);
  put(common, name.size(), 2);
  put(common, 0, 2);
  std::string out = "PK\3\4" + common + name + packed;
  std::string central =
      std::string("PK\1\2") + std::string("\x14\0", 2) + common;
  put(central, 0, 8);
  put(central, 0, 2);
  put(central, 0, 4);
  central += name;
  uint64_t at = out.size();
  out += central + "PK\5\6";
  put(out, 0, 4);
  put(out, 1, 2);
  put(out, 1, 2);
  put(out, central.size(), 4);
  put(out, at, 4);
  put(out, 0, 2);
  return out;
}

TEST(Npz, RoundTrip) {
  std::string text =
      encodeNpz({makeTensor<float>(Dtype::F32, {2}, {1, 2}, "first"),
                 makeTensor<uint8_t>(Dtype::Bool, {}, {1}, "x/second")});
  std::vector<Tensor> back = decodeNpz(bytesOf(text), "x.npz");
  ASSERT_EQ(back.size(), 2u);
  EXPECT_EQ(back[0].name, "first");
  EXPECT_EQ(back[0].asDouble(1), 2);
  EXPECT_EQ(back[1].name, "x/second");
  EXPECT_EQ(back[1].dtype, Dtype::Bool);
  EXPECT_TRUE(decodeNpz(bytesOf(encodeNpz({})), "x").empty());
}

TEST(Npz, Deflated) {
  Tensor tensor =
      makeTensor<int32_t>(Dtype::I32, {5000}, std::vector<int32_t>(5000, 7));
  std::string npy = encodeNpy(tensor);
  std::string text = deflated(npy, npy.size());
  EXPECT_LT(text.size(), 1000u);
  std::vector<Tensor> back = decodeNpz(bytesOf(text), "x");
  ASSERT_EQ(back.size(), 1u);
  EXPECT_EQ(back[0].name, "a");
  EXPECT_EQ(back[0].bytes, tensor.bytes);
}

TEST(Npz, Lies) {
  std::string npy = encodeNpy(makeTensor<int32_t>(Dtype::I32, {1}, {7}));
  EXPECT_NE(failure(deflated(npy, npy.size() - 1)), "");
  EXPECT_NE(failure(deflated(npy, npy.size() + 1)), "");
  EXPECT_NE(failure(deflated(npy, 0xfffffff0)).find("impossible size"),
            std::string::npos);
  EXPECT_NE(failure(deflated(npy, npy.size(), 1)).find("checksum"),
            std::string::npos);
}

TEST(Npz, Damaged) {
  EXPECT_NE(failure("").find("x.npz: not a valid .npz file"),
            std::string::npos);
  EXPECT_NE(failure(std::string(500, 'x')), "");
  std::string good = encodeNpz({makeTensor<float>(Dtype::F32, {2}, {1, 2})});
  for (size_t length = 0; length < good.size(); ++length)
    EXPECT_NE(failure(good.substr(0, length)), "") << length;
  // Whatever byte is damaged, the reader ends with an error or a tensor.
  for (size_t at = 0; at < good.size(); ++at)
    for (int flip : {1, 0x80, 0xff}) {
      std::string bad = good;
      bad[at] = char(bad[at] ^ flip);
      failure(bad);
    }
  std::string twice = encodeNpz({makeTensor<float>(Dtype::F32, {}, {1}),
                                 makeTensor<float>(Dtype::F32, {}, {1})});
  EXPECT_NE(failure(twice).find("two members are named 't'"),
            std::string::npos);
}
