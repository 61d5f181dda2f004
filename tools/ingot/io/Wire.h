//===- Wire.h - bounds-checked reading of protobuf's wire format ----------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TOOLS_INGOT_IO_WIRE_H
#define INGOT_TOOLS_INGOT_IO_WIRE_H

#include "tools/ingot/io/Tensor.h"

#include <span>

namespace ingot::cli {

/// Walks the fields of one protobuf message without copying. Every access is
/// checked against the message's end; damage throws Error naming `what`.
class WireReader {
public:
  enum class Kind : uint8_t { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };

  WireReader(std::span<const std::byte> bytes, const std::string &what)
      : bytes(bytes), what(what) {}

  /// Moves to the next field; false at the end.
  bool next();

  uint32_t field() const { return number; }
  Kind kind() const { return wire; }
  /// The value of a varint or fixed field.
  uint64_t value() const { return scalar; }
  /// The contents of a length-delimited field.
  std::span<const std::byte> contents() const { return payload; }
  std::string_view text() const {
    return {reinterpret_cast<const char *>(payload.data()), payload.size()};
  }
  /// A reader of the nested message that the current field holds.
  WireReader nested() const { return WireReader(payload, what); }

  /// Appends the current field's numbers to `to`: a packed list or one
  /// element, of this kind.
  void appendNumbers(Kind element, std::vector<uint64_t> &to);

private:
  [[noreturn]] void fail() const;
  uint64_t varint(size_t &at) const;
  uint64_t fixed(size_t &at, size_t width) const;

  std::span<const std::byte> bytes, payload;
  const std::string &what;
  size_t position = 0;
  uint64_t scalar = 0;
  uint32_t number = 0;
  Kind wire = Kind::Varint;
};

} // namespace ingot::cli

#endif // INGOT_TOOLS_INGOT_IO_WIRE_H
