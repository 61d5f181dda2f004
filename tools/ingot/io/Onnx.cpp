//===- Onnx.cpp - what the driver itself reads of ONNX's files ------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/io/Onnx.h"

#include "tools/ingot/io/Wire.h"

#include <cstring>
#include <optional>

using namespace ingot::cli;

using Kind = WireReader::Kind;

namespace {

/// TensorProto.DataType; `list` is the typed field that holds the elements.
struct OnnxDtype {
  std::string_view name;
  std::optional<Dtype> dtype;
  unsigned list;
};

constexpr unsigned floatData = 4, int32Data = 5, int64Data = 7, doubleData = 10,
                   uint64Data = 11;

const OnnxDtype onnxDtypes[] = {
    {"undefined", {}, 0},
    {"f32", Dtype::F32, floatData},
    {"u8", Dtype::U8, int32Data},
    {"i8", Dtype::I8, int32Data},
    {"u16", Dtype::U16, int32Data},
    {"i16", Dtype::I16, int32Data},
    {"i32", Dtype::I32, int32Data},
    {"i64", Dtype::I64, int64Data},
    {"string", {}, 0},
    {"bool", Dtype::Bool, int32Data},
    {"f16", Dtype::F16, int32Data},
    {"f64", Dtype::F64, doubleData},
    {"u32", Dtype::U32, uint64Data},
    {"u64", Dtype::U64, uint64Data},
    {"complex64", {}, 0},
    {"complex128", {}, 0},
    {"bf16", Dtype::BF16, int32Data},
    {"float8e4m3fn", {}, 0},
    {"float8e4m3fnuz", {}, 0},
    {"float8e5m2", {}, 0},
    {"float8e5m2fnuz", {}, 0},
    {"u4", Dtype::U4, int32Data},
    {"i4", Dtype::I4, int32Data},
    {"float4e2m1", {}, 0},
    {"float8e8m0", {}, 0},
    {"u2", Dtype::U2, int32Data},
    {"i2", Dtype::I2, int32Data},
};

} // namespace

/// The width of elements that are packed into bytes; 0 for others.
static unsigned bitsBelowByte(Dtype dtype) {
  if (dtype == Dtype::I4 || dtype == Dtype::U4)
    return 4;
  return dtype == Dtype::I2 || dtype == Dtype::U2 ? 2 : 0;
}

/// The tensor's elements, one a byte, from bytes that hold the first element in
/// the lowest bits.
static void unpack(Tensor &tensor, int64_t size, unsigned bits,
                   std::span<const std::byte> packed, const std::string &what) {
  size_t each = 8 / bits, need = (size_t(size) + each - 1) / each;
  if (packed.size() != need)
    throw Error(what + ": the shape " + shapeText(tensor.dims) + " of " +
                std::string(name(tensor.dtype)) + " needs " +
                std::to_string(need) + " bytes, the file has " +
                std::to_string(packed.size()));
  bool isSigned = tensor.dtype == Dtype::I4 || tensor.dtype == Dtype::I2;
  int half = 1 << (bits - 1);
  for (size_t i = 0; i < size_t(size); ++i) {
    int code =
        (uint8_t(packed[i / each]) >> (bits * (i % each))) & (2 * half - 1);
    if (isSigned && code >= half)
      code -= 2 * half;
    tensor.bytes.push_back(std::byte(code));
  }
}

/// The tensor's elements from its typed field: one number an element, whose
/// low bytes are the element (all formats here are little-endian).
static void fromNumbers(Tensor &tensor, int64_t size,
                        const std::vector<uint64_t> &numbers,
                        const std::string &what) {
  if (numbers.size() != size_t(size))
    throw Error(what + ": the shape " + shapeText(tensor.dims) + " needs " +
                std::to_string(size) + " elements, the file has " +
                std::to_string(numbers.size()));
  size_t width = byteSize(tensor.dtype);
  tensor.bytes.resize(size_t(size) * width);
  for (size_t i = 0; i < numbers.size(); ++i)
    std::memcpy(&tensor.bytes[i * width], &numbers[i], width);
}

Tensor ingot::cli::decodeTensorProto(std::span<const std::byte> bytes,
                                     const std::string &what) {
  Tensor tensor;
  uint64_t type = 0;
  bool external = false;
  std::optional<std::span<const std::byte>> raw;
  std::vector<uint64_t> dims, numbers;
  unsigned numbersField = 0;

  // A SequenceProto or OptionalProto has other types in the same fields, and
  // files do not say which message they hold.
  auto notTensor = [&]() {
    throw UnrepresentableError(what + ": not a tensor (a sequence, optional or "
                                      "map)");
  };
  WireReader reader(bytes, what);
  while (reader.next()) {
    switch (reader.field()) {
    case 1: // dims; a string (the name) in the other messages
      if (reader.kind() != Kind::Varint && reader.kind() != Kind::Bytes)
        notTensor();
      try {
        reader.appendNumbers(Kind::Varint, dims);
      } catch (const Error &) {
        notTensor();
      }
      break;
    case 2:
      if (reader.kind() != Kind::Varint)
        notTensor();
      type = reader.value();
      break;
    case 3: // segment (never written for tensors); elements in the others
      notTensor();
      break;
    case floatData:
      // Messages here make it the second kind of elements of a sequence.
      if (reader.kind() == Kind::Bytes && reader.contents().size() % 4)
        notTensor();
      numbersField = reader.field();
      reader.appendNumbers(Kind::Fixed32, numbers);
      break;
    case doubleData:
      numbersField = reader.field();
      reader.appendNumbers(Kind::Fixed64, numbers);
      break;
    case int32Data:
    case int64Data:
    case uint64Data:
      numbersField = reader.field();
      reader.appendNumbers(Kind::Varint, numbers);
      break;
    case 8:
      tensor.name = reader.text();
      break;
    case 9:
      if (reader.kind() != Kind::Bytes)
        throw Error(what + ": raw_data is not a string of bytes");
      raw = reader.contents();
      break;
    case 14:
      external = reader.value() == 1;
      break;
    default:
      break;
    }
  }

  if (type >= std::size(onnxDtypes))
    throw UnrepresentableError(what + ": unknown element type " +
                               std::to_string(type));
  const OnnxDtype &entry = onnxDtypes[type];
  if (!entry.dtype)
    throw UnrepresentableError(what + ": elements of type " +
                               std::string(entry.name) + " are not supported");
  if (external)
    throw Error(what + ": test data with external data is not supported");
  tensor.dtype = *entry.dtype;
  tensor.dims.assign(dims.begin(), dims.end());
  int64_t size = checkedSize(tensor.dims, tensor.dtype, what);
  if (unsigned bits = bitsBelowByte(tensor.dtype)) {
    // A number of the typed field is a byte of packed elements.
    std::vector<std::byte> typed;
    if (!raw)
      for (uint64_t number : numbers)
        typed.push_back(std::byte(number));
    unpack(tensor, size, bits, raw ? *raw : std::span<const std::byte>(typed),
           what);
    return tensor;
  }
  if (!raw) {
    if (numbersField != 0 && numbersField != entry.list)
      throw Error(what + ": the elements of a " + std::string(entry.name) +
                  " tensor are in another type's field");
    fromNumbers(tensor, size, numbers, what);
    return tensor;
  }
  size_t need = size_t(size) * byteSize(tensor.dtype);
  if (raw->size() != need)
    throw Error(what + ": the shape " + shapeText(tensor.dims) + " of " +
                std::string(entry.name) + " needs " + std::to_string(need) +
                " bytes, the file has " + std::to_string(raw->size()));
  tensor.bytes.assign(raw->begin(), raw->end());
  return tensor;
}

Tensor ingot::cli::readTensorProto(const std::string &path) {
  return decodeTensorProto(readFile(path), path);
}

namespace {

/// Walks ModelProto -> graphs -> nodes -> attributes -> subgraphs.
class ModelScanner {
public:
  ModelScan scan;

  void model(WireReader reader) {
    while (reader.next()) {
      if (reader.field() == 7 && reader.kind() == Kind::Bytes)
        graph(reader.nested(), 0);
      else if (reader.field() == 25 && reader.kind() == Kind::Bytes)
        function(reader.nested());
    }
  }

private:
  // protobuf's own parsers stop at 100 nested messages.
  static constexpr int maxDepth = 32;

  void graph(WireReader reader, int depth) {
    while (reader.next()) {
      if (reader.kind() != Kind::Bytes)
        continue;
      if (reader.field() == 1)
        node(reader.nested(), depth);
      else if (reader.field() == 5)
        tensor(reader.nested());
      else if (reader.field() == 15)
        sparse(reader.nested());
    }
  }

  void function(WireReader reader) {
    while (reader.next())
      if (reader.field() == 7 && reader.kind() == Kind::Bytes)
        node(reader.nested(), 0);
  }

  void node(WireReader reader, int depth) {
    std::string type, domain;
    while (reader.next()) {
      if (reader.field() == 4)
        type = reader.text();
      else if (reader.field() == 7)
        domain = reader.text();
      else if (reader.field() == 5 && reader.kind() == Kind::Bytes)
        attribute(reader.nested(), depth);
    }
    if (!domain.empty() && domain != "ai.onnx")
      type = domain + "::" + type;
    scan.ops.insert(type);
  }

  void attribute(WireReader reader, int depth) {
    while (reader.next()) {
      if (reader.kind() != Kind::Bytes)
        continue;
      bool isGraph = reader.field() == 6 || reader.field() == 11;
      if (isGraph && depth < maxDepth)
        graph(reader.nested(), depth + 1);
      else if (reader.field() == 5 || reader.field() == 10)
        tensor(reader.nested());
      else if (reader.field() == 22 || reader.field() == 23)
        sparse(reader.nested());
    }
  }

  void sparse(WireReader reader) {
    while (reader.next())
      if ((reader.field() == 1 || reader.field() == 2) &&
          reader.kind() == Kind::Bytes)
        tensor(reader.nested());
  }

  void tensor(WireReader reader) {
    while (reader.next())
      if (reader.field() == 13 && reader.kind() == Kind::Bytes)
        externalEntry(reader.nested());
  }

  void externalEntry(WireReader reader) {
    std::string_view key, value;
    while (reader.next()) {
      if (reader.field() == 1)
        key = reader.text();
      else if (reader.field() == 2)
        value = reader.text();
    }
    if (key == "location")
      scan.externalFiles.emplace(value);
  }
};

} // namespace

ModelScan ingot::cli::scanModel(std::span<const std::byte> bytes,
                                const std::string &what) {
  ModelScanner scanner;
  scanner.model(WireReader(bytes, what));
  return std::move(scanner.scan);
}
