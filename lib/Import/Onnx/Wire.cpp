//===- Wire.cpp - locate tensor bytes in an ONNX file --------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An ONNX file is one protobuf message. Its wire format is a sequence of
// (field number, wire type, payload) records, which is enough to find tensor
// payloads without decoding anything else. Only the fields named in the table
// below are looked into; all others are copied as they are for protobuf to
// parse, or dropped where nothing reads them.
//
//===----------------------------------------------------------------------===//
#include "Wire.h"

#include "llvm/ADT/Twine.h"

using namespace llvm;

namespace ingot::onnxin {
namespace {

enum class Message { Model, Graph, Node, Attribute, Tensor, Sparse, Function };

enum class Action { Copy, Drop, Enter };

struct Rule {
  Action action = Action::Copy;
  Message message = Message::Model;
};

constexpr Rule enter(Message message) { return {Action::Enter, message}; }
constexpr Rule drop() { return {Action::Drop}; }

/// What to do with field `field` of a message of kind `parent`; the numbers
/// are those of onnx-ml.proto.
Rule ruleFor(Message parent, uint64_t field) {
  switch (parent) {
  case Message::Model:
    switch (field) {
    case 7:
      return enter(Message::Graph);
    case 25:
      return enter(Message::Function);
    case 6:  // doc_string
    case 14: // metadata_props
    case 20: // training_info
    case 26: // configuration
      return drop();
    default:
      return {};
    }
  case Message::Graph:
    switch (field) {
    case 1:
      return enter(Message::Node);
    case 5:
      return enter(Message::Tensor);
    case 15:
      return enter(Message::Sparse);
    case 10: // doc_string
    case 13: // value_info: hints, which exporters get wrong
    case 14: // quantization_annotation
    case 16: // metadata_props
      return drop();
    default:
      return {};
    }
  case Message::Node:
    switch (field) {
    case 5:
      return enter(Message::Attribute);
    case 6:  // doc_string
    case 9:  // metadata_props
    case 10: // device_configurations
      return drop();
    default:
      return {};
    }
  case Message::Attribute:
    switch (field) {
    case 5:
    case 10:
      return enter(Message::Tensor);
    case 6:
    case 11:
      return enter(Message::Graph);
    case 22:
    case 23:
      return enter(Message::Sparse);
    case 13: // doc_string
      return drop();
    default:
      return {};
    }
  case Message::Sparse:
    return field <= 2 ? enter(Message::Tensor) : Rule{};
  case Message::Function:
    switch (field) {
    case 7:
      return enter(Message::Node);
    case 11:
      return enter(Message::Attribute);
    case 8:  // doc_string
    case 14: // metadata_props
      return drop();
    default:
      return {};
    }
  case Message::Tensor:
    // doc_string and metadata_props; payloads are treated by the caller.
    return field == 12 || field == 16 ? drop() : Rule{};
  }
  return {};
}

enum WireType : unsigned { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };

/// One record of a message: where it starts, its payload and its end.
struct Record {
  uint64_t field = 0;
  unsigned type = 0;
  uint64_t start = 0; ///< Of the tag.
  uint64_t begin = 0; ///< Of the payload.
  uint64_t end = 0;   ///< Of payload and record.
  uint64_t value = 0; ///< Of a varint.
};

class Scanner {
public:
  Scanner(StringRef file, const WireLimits &limits, std::string &out)
      : file(file), limits(limits), out(out) {}

  bool message(Message kind, uint64_t begin, uint64_t end, unsigned depth);

  std::string error;

private:
  bool fail(const Twine &text, uint64_t at) {
    if (error.empty())
      error = (text + " at byte " + Twine(at)).str();
    return false;
  }
  bool varint(uint64_t &pos, uint64_t end, uint64_t &value);
  bool next(uint64_t &pos, uint64_t end, Record &record);
  bool copy(uint64_t begin, uint64_t end);
  bool child(Message kind, const Record &record, unsigned depth);
  bool tensor(uint64_t begin, uint64_t end);
  void writeVarint(uint64_t value);

  StringRef file;
  const WireLimits &limits;
  std::string &out;
};

bool Scanner::varint(uint64_t &pos, uint64_t end, uint64_t &value) {
  value = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    if (pos >= end)
      return fail("the file ends inside a number", pos);
    auto byte = static_cast<unsigned char>(file[pos++]);
    if (shift == 63 && byte > 1)
      return fail("a number has more than 64 bits", pos);
    value |= uint64_t(byte & 0x7f) << shift;
    if (!(byte & 0x80))
      return true;
  }
  return fail("a number has more than 10 bytes", pos);
}

bool Scanner::next(uint64_t &pos, uint64_t end, Record &record) {
  record.start = pos;
  uint64_t tag = 0;
  if (!varint(pos, end, tag))
    return false;
  record.field = tag >> 3;
  record.type = tag & 7;
  if (record.field == 0)
    return fail("field number 0", record.start);
  record.begin = pos;
  uint64_t length = 0;
  switch (record.type) {
  case Varint:
    if (!varint(pos, end, record.value))
      return false;
    record.end = pos;
    return true;
  case Fixed64:
    length = 8;
    break;
  case Fixed32:
    length = 4;
    break;
  case Bytes:
    if (!varint(pos, end, length))
      return false;
    record.begin = pos;
    break;
  default:
    return fail("wire type " + Twine(record.type), record.start);
  }
  if (length > end - pos)
    return fail("a field of " + Twine(length) + " bytes reaches over the end",
                record.start);
  pos += length;
  record.end = pos;
  return true;
}

bool Scanner::copy(uint64_t begin, uint64_t end) {
  if (out.size() + (end - begin) > limits.maxKeptBytes)
    return fail("more than " + Twine(limits.maxKeptBytes) +
                    " bytes that are not tensor data",
                begin);
  out.append(file.data() + begin, end - begin);
  return true;
}

void Scanner::writeVarint(uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

bool Scanner::child(Message kind, const Record &record, unsigned depth) {
  if (depth >= limits.maxDepth)
    return fail("messages nested deeper than " + Twine(limits.maxDepth),
                record.start);
  writeVarint(record.field << 3 | Bytes);
  // The child's new length is known only afterwards: five bytes hold it.
  size_t hole = out.size();
  out.append(5, '\0');
  if (!(kind == Message::Tensor
            ? tensor(record.begin, record.end)
            : message(kind, record.begin, record.end, depth + 1)))
    return false;
  uint64_t length = out.size() - hole - 5;
  for (unsigned i = 0; i != 5; ++i)
    out[hole + i] =
        static_cast<char>((length >> (7 * i) & 0x7f) | (i == 4 ? 0 : 0x80));
  return true;
}

bool Scanner::message(Message kind, uint64_t begin, uint64_t end,
                      unsigned depth) {
  for (uint64_t pos = begin; pos < end;) {
    Record record;
    if (!next(pos, end, record))
      return false;
    Rule rule = ruleFor(kind, record.field);
    if (rule.action == Action::Drop)
      continue;
    bool enters = rule.action == Action::Enter && record.type == Bytes;
    if (!(enters ? child(rule.message, record, depth)
                 : copy(record.start, record.end)))
      return false;
  }
  return true;
}

bool Scanner::tensor(uint64_t begin, uint64_t end) {
  constexpr uint64_t kSegment = 3, kFloats = 4, kRaw = 9, kDoubles = 10;
  // raw_data, and packed floats and doubles, are the elements in memory order.
  uint64_t payloads = 0;
  Record payload;
  for (uint64_t pos = begin; pos < end;) {
    Record record;
    if (!next(pos, end, record))
      return false;
    if (record.field == kSegment)
      return fail("a segmented tensor", record.start);
    if (record.field == kRaw || record.field == kFloats ||
        record.field == kDoubles) {
      ++payloads;
      payload = record;
    }
  }
  bool located = payloads == 1 && payload.type == Bytes &&
                 payload.end - payload.begin >= limits.minLocatedBytes;
  for (uint64_t pos = begin; pos < end;) {
    Record record;
    if (!next(pos, end, record))
      return false;
    if (ruleFor(Message::Tensor, record.field).action == Action::Drop ||
        (located && record.start == payload.start))
      continue;
    if (!copy(record.start, record.end))
      return false;
  }
  if (!located)
    return true;
  std::string segment;
  std::swap(segment, out);
  writeVarint(1 << 3 | Varint);
  writeVarint(payload.begin);
  writeVarint(2 << 3 | Varint);
  writeVarint(payload.end);
  std::swap(segment, out);
  writeVarint(kSegment << 3 | Bytes);
  writeVarint(segment.size());
  out += segment;
  return true;
}

} // namespace

bool stripTensors(StringRef file, const WireLimits &limits, std::string &kept,
                  std::string &error) {
  kept.clear();
  Scanner scanner(file, limits, kept);
  bool ok = scanner.message(Message::Model, 0, file.size(), 0);
  error = scanner.error;
  return ok;
}

} // namespace ingot::onnxin
