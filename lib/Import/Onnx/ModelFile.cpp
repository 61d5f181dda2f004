//===- ModelFile.cpp - an ONNX file and the tensor data it refers to ----===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ModelFile.h"

#include "Wire.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"
#include <cstring>

using namespace llvm;
using onnx::TensorProto;

namespace ingot::onnxin {
namespace {

/// Reads a regular file by mapping it; a device or pipe could block for ever.
std::unique_ptr<MemoryBuffer> mapFile(StringRef path, std::string &error) {
  sys::fs::file_status status;
  std::error_code code = sys::fs::status(path, status);
  if (!code && !sys::fs::is_regular_file(status))
    code = std::make_error_code(std::errc::invalid_argument);
  if (!code) {
    auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false,
                                        /*RequiresNullTerminator=*/false);
    if (buffer)
      return std::move(*buffer);
    code = buffer.getError();
  }
  error = code == std::errc::invalid_argument ? "it is not a regular file"
                                              : code.message();
  return nullptr;
}

/// Writes the elements that a typed field of `tensor` holds, one number each.
template <typename Element, typename Field>
void pack(const Field &field, std::vector<char> &out) {
  out.resize(field.size() * sizeof(Element));
  char *at = out.data();
  for (auto value : field) {
    auto element = static_cast<Element>(value);
    std::memcpy(at, &element, sizeof(Element));
    at += sizeof(Element);
  }
}

/// Gathers the typed fields into memory order; false where the element type
/// has no typed field.
bool packTyped(const TensorProto &tensor, std::vector<char> &out) {
  switch (tensor.data_type()) {
  case TensorProto::FLOAT:
    pack<float>(tensor.float_data(), out);
    return true;
  case TensorProto::DOUBLE:
    pack<double>(tensor.double_data(), out);
    return true;
  case TensorProto::INT64:
    pack<int64_t>(tensor.int64_data(), out);
    return true;
  case TensorProto::UINT64:
    pack<uint64_t>(tensor.uint64_data(), out);
    return true;
  case TensorProto::UINT32:
    pack<uint32_t>(tensor.uint64_data(), out);
    return true;
  case TensorProto::INT32:
    pack<int32_t>(tensor.int32_data(), out);
    return true;
  case TensorProto::INT16:
  case TensorProto::UINT16:
  case TensorProto::FLOAT16:
  case TensorProto::BFLOAT16:
    pack<uint16_t>(tensor.int32_data(), out);
    return true;
  case TensorProto::INT8:
  case TensorProto::UINT8:
  case TensorProto::BOOL:
  case TensorProto::INT4:
  case TensorProto::UINT4:
  case TensorProto::INT2:
  case TensorProto::UINT2:
    // Below a byte, an entry of the field is a byte of packed elements.
    pack<uint8_t>(tensor.int32_data(), out);
    return true;
  default:
    return false;
  }
}

/// The number of elements, or nothing when a dim is negative or the product
/// does not fit.
std::optional<int64_t> countElements(ArrayRef<int64_t> dims) {
  int64_t count = 1;
  for (int64_t dim : dims)
    if (dim < 0 || MulOverflow(count, dim, count))
      return std::nullopt;
  return count;
}

std::string quoted(const TensorProto &tensor) {
  return "tensor '" + tensor.name() + "'";
}

} // namespace

unsigned bitsOf(int dtype) {
  switch (dtype) {
  case TensorProto::INT2:
  case TensorProto::UINT2:
    return 2;
  case TensorProto::INT4:
  case TensorProto::UINT4:
    return 4;
  case TensorProto::BOOL:
  case TensorProto::INT8:
  case TensorProto::UINT8:
    return 8;
  case TensorProto::INT16:
  case TensorProto::UINT16:
  case TensorProto::FLOAT16:
  case TensorProto::BFLOAT16:
    return 16;
  case TensorProto::FLOAT:
  case TensorProto::INT32:
  case TensorProto::UINT32:
    return 32;
  case TensorProto::DOUBLE:
  case TensorProto::INT64:
  case TensorProto::UINT64:
    return 64;
  default:
    return 0;
  }
}

StringRef dtypeName(int dtype) {
  static constexpr const char *names[] = {
      "undefined",      "float",      "uint8",
      "int8",           "uint16",     "int16",
      "int32",          "int64",      "string",
      "bool",           "float16",    "double",
      "uint32",         "uint64",     "complex64",
      "complex128",     "bfloat16",   "float8e4m3fn",
      "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz",
      "uint4",          "int4",       "float4e2m1",
      "float8e8m0",     "uint2",      "int2"};
  if (dtype < 0 || dtype >= int(std::size(names)))
    return "unknown";
  return names[dtype];
}

std::unique_ptr<ModelFile> ModelFile::open(StringRef path, std::string &error) {
  std::unique_ptr<MemoryBuffer> buffer = mapFile(path, error);
  if (!buffer) {
    error = ("cannot read '" + path + "': " + error).str();
    return nullptr;
  }
  return parse(std::move(buffer), path, error);
}

std::unique_ptr<ModelFile>
ModelFile::parse(std::unique_ptr<MemoryBuffer> buffer, StringRef path,
                 std::string &error) {
  StringRef shown = path.empty() ? StringRef("the model") : path;
  auto fail = [&](const Twine &why) {
    error = ("'" + shown + "' is not a valid ONNX file: " + why).str();
    return nullptr;
  };
  if (buffer->getBufferSize() == 0)
    return fail("it is empty");
  std::unique_ptr<ModelFile> result(new ModelFile);
  result->modelPath = path.str();
  std::string kept, why;
  if (!stripTensors(buffer->getBuffer(), WireLimits(), kept, why))
    return fail(why);
  result->proto = std::make_unique<onnx::ModelProto>();
  if (!result->proto->ParseFromArray(kept.data(), kept.size()))
    return fail("a message in it is malformed");
  if (!result->proto->has_graph())
    return fail("it holds no graph");
  result->file = std::move(buffer);
  return result;
}

const MemoryBuffer *ModelFile::external(StringRef location,
                                        std::string &error) {
  auto [entry, isNew] = externals.try_emplace(location);
  if (!isNew && entry->second)
    return entry->second.get();
  if (modelPath.empty()) {
    error = "a model in memory has no folder for external data";
    return nullptr;
  }
  if (location.empty() || sys::path::is_absolute(location) ||
      llvm::is_contained(llvm::make_range(sys::path::begin(location),
                                          sys::path::end(location)),
                         "..") ||
      location.contains('\0')) {
    error = "external data must lie in the model's folder";
    return nullptr;
  }
  StringRef parent = sys::path::parent_path(modelPath);
  SmallString<256> folder, target, path(parent.empty() ? "." : parent);
  sys::path::append(path, location);
  std::error_code code = sys::fs::real_path(path, target);
  if (!code)
    code = sys::fs::real_path(parent.empty() ? "." : parent, folder);
  if (code) {
    error = code.message();
    return nullptr;
  }
  // A link may lead elsewhere although the name does not.
  StringRef inside = target.str();
  if (folder != "/" &&
      (!inside.consume_front(folder) || !inside.starts_with("/"))) {
    error = "external data must lie in the model's folder, but it leads to '" +
            target.str().str() + "'";
    return nullptr;
  }
  entry->second = mapFile(target, error);
  return entry->second.get();
}

bool ModelFile::resolveExternal(const TensorProto &tensor, uint64_t wanted,
                                TensorData &data, std::string &error) {
  StringRef location;
  uint64_t offset = 0, length = wanted;
  for (const onnx::StringStringEntryProto &entry : tensor.external_data()) {
    StringRef key = entry.key(), value = entry.value();
    bool bad = false;
    if (key == "location")
      location = value;
    else if (key == "offset")
      bad = value.getAsInteger(10, offset);
    else if (key == "length")
      bad = value.getAsInteger(10, length);
    if (bad) {
      error = (quoted(tensor) + ": external data with " + key + " '" + value +
               "', which is no number of bytes")
                  .str();
      return false;
    }
  }
  std::string why;
  const MemoryBuffer *buffer = external(location, why);
  auto fail = [&](const Twine &text) {
    error =
        (quoted(tensor) + ": external data '" + location + "': " + text).str();
    return false;
  };
  if (!buffer)
    return fail(why);
  uint64_t size = buffer->getBufferSize();
  if (length != wanted)
    return fail("its length is " + Twine(length) +
                " bytes, but type and dims ask for " + Twine(wanted));
  if (offset > size || length > size - offset)
    return fail("bytes " + Twine(offset) + " to " + Twine(offset) + " + " +
                Twine(length) + " lie outside the file, which has " +
                Twine(size));
  data.file = location.str();
  data.offset = offset;
  data.bytes = ArrayRef<char>(buffer->getBufferStart() + offset, length);
  return true;
}

bool ModelFile::resolve(const TensorProto &tensor, TensorData &data,
                        std::string &error) {
  auto fail = [&](const Twine &text) {
    error = (quoted(tensor) + ": " + text).str();
    return false;
  };
  data = TensorData();
  data.dtype = tensor.data_type();
  data.dims.assign(tensor.dims().begin(), tensor.dims().end());
  std::optional<int64_t> count = countElements(data.dims);
  unsigned bits = bitsOf(data.dtype);
  int64_t wanted = 0;
  if (!count || MulOverflow<int64_t>(*count, std::max(bits, 8u) / 8, wanted))
    return fail("its dims are negative or too large");
  if (bits < 8)
    wanted = packedBytes(*count, bits);
  data.elements = *count;
  if (!bits)
    return fail(Twine("elements of type ") + dtypeName(data.dtype));
  if (tensor.data_location() == TensorProto::EXTERNAL)
    return resolveExternal(tensor, wanted, data, error);
  if (tensor.has_segment()) {
    // Written by our own scan, which has checked it against the file's size.
    uint64_t begin = tensor.segment().begin(), end = tensor.segment().end();
    data.file = sys::path::filename(modelPath).str();
    data.offset = begin;
    data.bytes = ArrayRef<char>(file->getBufferStart() + begin, end - begin);
  } else if (tensor.has_raw_data()) {
    data.bytes =
        ArrayRef<char>(tensor.raw_data().data(), tensor.raw_data().size());
  } else {
    data.owned = std::make_shared<std::vector<char>>();
    if (!packTyped(tensor, *data.owned))
      return fail(Twine("elements of type ") + dtypeName(data.dtype));
    data.bytes = *data.owned;
  }
  if (data.bytes.size() != size_t(wanted))
    return fail("it holds " + Twine(data.bytes.size()) +
                " bytes, but type and dims ask for " + Twine(wanted));
  return true;
}

} // namespace ingot::onnxin
