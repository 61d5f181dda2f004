//===- Wire.cpp - bounds-checked reading of protobuf's wire format --------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/io/Wire.h"

#include <cstring>

using namespace ingot::cli;

void WireReader::fail() const {
  throw Error(what + ": not a valid protobuf message (truncated or damaged)");
}

uint64_t WireReader::varint(size_t &at) const {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (at >= bytes.size())
      fail();
    uint64_t byte = uint64_t(bytes[at++]);
    value |= (byte & 127) << shift;
    if (byte < 128)
      return value;
  }
  fail();
}

uint64_t WireReader::fixed(size_t &at, size_t width) const {
  if (bytes.size() - at < width)
    fail();
  uint64_t value = 0;
  std::memcpy(&value, bytes.data() + at, width);
  at += width;
  return value;
}

bool WireReader::next() {
  if (position >= bytes.size())
    return false;
  uint64_t tag = varint(position);
  if (tag >> 3 == 0 || tag >> 3 > 0x1fffffff)
    fail();
  number = uint32_t(tag >> 3);
  wire = Kind(tag & 7);
  payload = {};
  switch (wire) {
  case Kind::Varint:
    scalar = varint(position);
    return true;
  case Kind::Fixed64:
    scalar = fixed(position, 8);
    return true;
  case Kind::Fixed32:
    scalar = fixed(position, 4);
    return true;
  case Kind::Bytes: {
    uint64_t length = varint(position);
    if (length > bytes.size() - position)
      fail();
    payload = bytes.subspan(position, length);
    position += length;
    return true;
  }
  }
  fail();
}

void WireReader::appendNumbers(Kind element, std::vector<uint64_t> &to) {
  if (wire == element) {
    to.push_back(scalar);
    return;
  }
  if (wire != Kind::Bytes)
    fail();
  WireReader list(payload, what);
  for (size_t at = 0; at < payload.size();)
    to.push_back(element == Kind::Varint
                     ? list.varint(at)
                     : list.fixed(at, element == Kind::Fixed64 ? 8 : 4));
}
