//===- Npy.cpp - numpy's .npy files ---------------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/io/Npy.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>
#include <optional>

using namespace ingot::cli;

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

namespace {

/// Reads the dict literal of an .npy header: exactly the keys descr,
/// fortran_order and shape.
class HeaderParser {
public:
  HeaderParser(std::string_view text, const std::string &what)
      : text(text), what(what) {}

  std::string descr;
  bool fortran = false;
  std::vector<int64_t> shape;

  void parse() {
    bool seen[3] = {};
    expect('{');
    while (!accept('}')) {
      std::string key = quoted();
      expect(':');
      if (key == "descr") {
        descr = quoted();
        seen[0] = true;
      } else if (key == "fortran_order") {
        fortran = boolean();
        seen[1] = true;
      } else if (key == "shape") {
        tuple();
        seen[2] = true;
      } else {
        fail("unknown header key '" + key + "'");
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    if (!seen[0] || !seen[1] || !seen[2])
      fail("the header lacks descr, fortran_order or shape");
  }

private:
  [[noreturn]] void fail(const std::string &reason) {
    throw Error(what + ": not a valid .npy file: " + reason);
  }
  void space() {
    while (at < text.size() && std::isspace((unsigned char)text[at]))
      ++at;
  }
  bool accept(char c) {
    space();
    if (at >= text.size() || text[at] != c)
      return false;
    ++at;
    return true;
  }
  void expect(char c) {
    if (!accept(c))
      fail(std::string("expected '") + c + "' in the header");
  }
  std::string quoted() {
    space();
    if (at < text.size() && text[at] == '[')
      throw Error(what + ": arrays of records are not tensors");
    char quote = at < text.size() ? text[at] : 0;
    if (quote != '\'' && quote != '"')
      fail("expected a quoted string in the header");
    size_t end = text.find(quote, at + 1);
    if (end == std::string_view::npos)
      fail("unterminated string in the header");
    std::string value(text.substr(at + 1, end - at - 1));
    at = end + 1;
    return value;
  }
  bool boolean() {
    space();
    for (std::string_view word : {"True", "False"})
      if (text.substr(at, word.size()) == word) {
        at += word.size();
        return word == "True";
      }
    fail("fortran_order is neither True nor False");
  }
  void tuple() {
    expect('(');
    while (!accept(')')) {
      space();
      int64_t dim = 0;
      const char *begin = text.data() + at, *end = text.data() + text.size();
      auto [next, status] = std::from_chars(begin, end, dim);
      if (status != std::errc())
        fail("the shape is not a tuple of numbers");
      at += size_t(next - begin);
      accept('L');
      shape.push_back(dim);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    if (shape.size() > 64)
      fail("more than 64 dims");
  }

  std::string_view text;
  const std::string &what;
  size_t at = 0;
};

struct NpyDtype {
  const char *code;
  Dtype dtype;
};

constexpr NpyDtype npyDtypes[] = {{"f2", Dtype::F16},
                                  {"V2", Dtype::BF16},
                                  {"f4", Dtype::F32},
                                  {"f8", Dtype::F64},
                                  {"i1", Dtype::I8},
                                  {"i2", Dtype::I16},
                                  {"i4", Dtype::I32},
                                  {"i8", Dtype::I64},
                                  {"u1", Dtype::U8},
                                  {"u2", Dtype::U16},
                                  {"u4", Dtype::U32},
                                  {"u8", Dtype::U64},
                                  {"b1", Dtype::Bool},
                                  // Only written: numpy has no such types.
                                  {"i1", Dtype::I4},
                                  {"u1", Dtype::U4},
                                  {"i1", Dtype::I2},
                                  {"u1", Dtype::U2}};

} // namespace

static std::optional<Dtype> dtypeOf(std::string_view descr) {
  if (descr == "bfloat16")
    return Dtype::BF16;
  if (!descr.empty() && std::strchr("<>|=", descr[0]))
    descr.remove_prefix(1);
  for (const NpyDtype &entry : npyDtypes)
    if (descr == entry.code)
      return entry.dtype;
  return std::nullopt;
}

/// Reorders column-major data; `shape` is not empty.
static std::vector<std::byte> fromFortran(const std::vector<std::byte> &data,
                                          const std::vector<int64_t> &shape,
                                          size_t width) {
  std::vector<std::byte> result(data.size());
  std::vector<int64_t> strides(shape.size()), index(shape.size());
  int64_t stride = 1;
  for (size_t i = 0; i < shape.size(); stride *= shape[i++])
    strides[i] = stride;
  for (size_t to = 0; to < data.size(); to += width) {
    int64_t from = 0;
    for (size_t i = 0; i < shape.size(); ++i)
      from += index[i] * strides[i];
    std::memcpy(&result[to], &data[size_t(from) * width], width);
    for (size_t i = shape.size(); i-- > 0;) {
      if (++index[i] < shape[i])
        break;
      index[i] = 0;
    }
  }
  return result;
}

Tensor ingot::cli::decodeNpy(std::span<const std::byte> bytes,
                             const std::string &what) {
  auto fail = [&](const char *reason) {
    throw Error(what + ": not a valid .npy file: " + reason);
  };
  auto byteAt = [&](size_t i) { return size_t(bytes[i]); };
  if (bytes.size() < 10 || std::memcmp(bytes.data(), "\x93NUMPY", 6) != 0)
    fail("it does not start with numpy's magic bytes");
  size_t version = byteAt(6);
  if (version < 1 || version > 3)
    fail("unknown format version");
  size_t start = version == 1 ? 10 : 12;
  if (bytes.size() < start)
    fail("it ends inside the header");
  size_t length = byteAt(8) | byteAt(9) << 8;
  if (version > 1)
    length |= byteAt(10) << 16 | byteAt(11) << 24;
  if (length > bytes.size() - start)
    fail("it ends inside the header");

  HeaderParser header(
      {reinterpret_cast<const char *>(bytes.data()) + start, length}, what);
  header.parse();
  std::optional<Dtype> dtype = dtypeOf(header.descr);
  if (!dtype)
    throw Error(what + ": elements of type '" + header.descr +
                "' are not supported");

  Tensor tensor;
  tensor.dtype = *dtype;
  tensor.dims = header.shape;
  size_t width = byteSize(*dtype);
  size_t need = size_t(checkedSize(tensor.dims, *dtype, what)) * width;
  size_t have = bytes.size() - start - length;
  if (have != need)
    throw Error(what + ": the shape " + shapeText(tensor.dims) + " of " +
                std::string(name(*dtype)) + " needs " + std::to_string(need) +
                " bytes, the file has " + std::to_string(have));
  auto data = bytes.subspan(start + length);
  tensor.bytes.assign(data.begin(), data.end());
  if (header.descr[0] == '>')
    for (size_t i = 0; i < need; i += width)
      std::reverse(&tensor.bytes[i], &tensor.bytes[i] + width);
  if (header.fortran && tensor.dims.size() > 1 && need != 0)
    tensor.bytes = fromFortran(tensor.bytes, tensor.dims, width);
  return tensor;
}

std::string ingot::cli::encodeNpy(const Tensor &tensor) {
  std::string descr = byteSize(tensor.dtype) == 1 ? "|" : "<";
  for (const NpyDtype &entry : npyDtypes)
    if (entry.dtype == tensor.dtype)
      descr += entry.code;
  std::string header =
      "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (";
  for (size_t i = 0; i < tensor.dims.size(); ++i)
    header += (i ? ", " : "") + std::to_string(tensor.dims[i]);
  header += tensor.dims.size() == 1 ? ",), }" : "), }";
  // Data starts at a multiple of 64, as numpy writes it.
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';

  std::string out("\x93NUMPY\x01\x00", 8);
  out += char(header.size() & 255);
  out += char(header.size() >> 8);
  out += header;
  out.append(reinterpret_cast<const char *>(tensor.bytes.data()),
             tensor.bytes.size());
  return out;
}

Tensor ingot::cli::readNpy(const std::string &path) {
  return decodeNpy(readFile(path), path);
}
