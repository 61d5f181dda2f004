//===- Tensor.cpp - named arrays that the driver reads and writes ---------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/io/Tensor.h"

#include <bit>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace ingot::cli;

size_t ingot::cli::byteSize(Dtype dtype) {
  switch (dtype) {
  case Dtype::I8:
  case Dtype::U8:
  case Dtype::Bool:
  case Dtype::I4:
  case Dtype::U4:
  case Dtype::I2:
  case Dtype::U2:
    return 1;
  case Dtype::F16:
  case Dtype::BF16:
  case Dtype::I16:
  case Dtype::U16:
    return 2;
  case Dtype::F32:
  case Dtype::I32:
  case Dtype::U32:
    return 4;
  case Dtype::F64:
  case Dtype::I64:
  case Dtype::U64:
    break;
  }
  return 8;
}

std::string_view ingot::cli::name(Dtype dtype) {
  constexpr std::string_view names[] = {
      "f16", "bf16", "f32", "f64",  "i8", "i16", "i32", "i64", "u8",
      "u16", "u32",  "u64", "bool", "i4", "u4",  "i2",  "u2"};
  return names[static_cast<size_t>(dtype)];
}

bool ingot::cli::isFloat(Dtype dtype) {
  return dtype == Dtype::F16 || dtype == Dtype::BF16 || dtype == Dtype::F32 ||
         dtype == Dtype::F64;
}

float ingot::cli::halfToFloat(uint16_t bits) {
  uint32_t sign = uint32_t(bits & 0x8000) << 16;
  uint32_t exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent == 0) {
    float magnitude = std::ldexp(float(fraction), -24);
    return sign ? -magnitude : magnitude;
  }
  uint32_t wide = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

float ingot::cli::bfloatToFloat(uint16_t bits) {
  return std::bit_cast<float>(uint32_t(bits) << 16);
}

int64_t Tensor::size() const {
  int64_t count = 1;
  for (int64_t dim : dims)
    count *= dim;
  return count;
}

template <typename T> static T load(const std::byte *from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

double Tensor::asDouble(int64_t index) const {
  const std::byte *at = bytes.data() + size_t(index) * byteSize(dtype);
  switch (dtype) {
  case Dtype::F16:
    return halfToFloat(load<uint16_t>(at));
  case Dtype::BF16:
    return bfloatToFloat(load<uint16_t>(at));
  case Dtype::F32:
    return load<float>(at);
  case Dtype::F64:
    return load<double>(at);
  case Dtype::I8:
  case Dtype::I4:
  case Dtype::I2:
    return load<int8_t>(at);
  case Dtype::I16:
    return load<int16_t>(at);
  case Dtype::I32:
    return load<int32_t>(at);
  case Dtype::I64:
    return double(load<int64_t>(at));
  case Dtype::U8:
  case Dtype::U4:
  case Dtype::U2:
    return load<uint8_t>(at);
  case Dtype::U16:
    return load<uint16_t>(at);
  case Dtype::U32:
    return load<uint32_t>(at);
  case Dtype::U64:
    return double(load<uint64_t>(at));
  case Dtype::Bool:
    break;
  }
  return load<uint8_t>(at) != 0;
}

int64_t ingot::cli::checkedSize(const std::vector<int64_t> &dims, Dtype dtype,
                                const std::string &what) {
  // Zero-sized dims must not hide a product that overflows without them.
  int64_t bytes = byteSize(dtype), count = 1;
  bool empty = false;
  for (int64_t dim : dims) {
    if (dim < 0)
      throw Error(what + ": negative dim " + std::to_string(dim));
    empty |= dim == 0;
    int64_t factor = dim == 0 ? 1 : dim;
    if (__builtin_mul_overflow(bytes, factor, &bytes))
      throw Error(what + ": the shape " + shapeText(dims) + " is too large");
    count *= factor;
  }
  return empty ? 0 : count;
}

std::string ingot::cli::shapeText(const std::vector<int64_t> &dims) {
  if (dims.empty())
    return "scalar";
  std::string text;
  for (int64_t dim : dims)
    text += (text.empty() ? "" : "x") + std::to_string(dim);
  return text;
}

std::vector<std::byte> ingot::cli::readFile(const std::string &path) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    throw Error(path + ": " + std::strerror(errno));
  struct stat info{};
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    close(fd);
    throw Error(path + ": not a regular file");
  }
  std::vector<std::byte> bytes(size_t(info.st_size));
  size_t done = 0;
  while (done < bytes.size()) {
    ssize_t got = read(fd, bytes.data() + done, bytes.size() - done);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      break;
    done += size_t(got);
  }
  close(fd);
  if (done != bytes.size())
    throw Error(path + ": cannot be read to its end");
  return bytes;
}

void ingot::cli::writeFile(const std::string &path, std::string_view contents) {
  std::string temporary = path + ".tmp-" + std::to_string(getpid());
  FILE *file = std::fopen(temporary.c_str(), "wbe");
  if (!file)
    throw Error(path + ": cannot be written: " + std::strerror(errno));
  bool ok =
      std::fwrite(contents.data(), 1, contents.size(), file) == contents.size();
  ok &= std::fclose(file) == 0;
  if (ok && std::rename(temporary.c_str(), path.c_str()) == 0)
    return;
  int reason = errno;
  std::remove(temporary.c_str());
  throw Error(path + ": cannot be written: " + std::strerror(reason));
}
