//===- Tensor.h - named arrays that the driver reads and writes -----------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TOOLS_INGOT_IO_TENSOR_H
#define INGOT_TOOLS_INGOT_IO_TENSOR_H

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::cli {

/// What a user did or gave wrong: printed to standard error, exit status 1.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Test data whose type is no tensor that Ingot represents (string, sequence,
/// optional, small floats...): `ingot check` skips such a case.
struct UnrepresentableError : Error {
  using Error::Error;
};

/// Element types of the tensors that cross the C API.
enum class Dtype : uint8_t {
  F16,
  BF16,
  F32,
  F64,
  I8,
  I16,
  I32,
  I64,
  U8,
  U16,
  U32,
  U64,
  Bool,
  I4,
  U4,
  I2,
  U2,
};

/// Bytes of one element; those smaller than a byte take one each.
size_t byteSize(Dtype dtype);
/// The name shown to people, the same as the runtime's ("f32", "bool"...).
std::string_view name(Dtype dtype);
/// Whether values are compared with tolerances (otherwise exactly).
bool isFloat(Dtype dtype);

/// A dense row-major array in memory of its own.
struct Tensor {
  std::string name;
  Dtype dtype = Dtype::F32;
  std::vector<int64_t> dims;
  std::vector<std::byte> bytes;

  int64_t size() const;
  /// The element at `index`, converted to double (exact for all types but
  /// 64-bit integers above 2^53).
  double asDouble(int64_t index) const;
};

/// Number of elements; throws Error naming `what` when a dim is negative or
/// the size in bytes does not fit.
int64_t checkedSize(const std::vector<int64_t> &dims, Dtype dtype,
                    const std::string &what);

/// "2x3x4", or "scalar".
std::string shapeText(const std::vector<int64_t> &dims);

/// Numbers in the 16-bit formats, to float.
float halfToFloat(uint16_t bits);
float bfloatToFloat(uint16_t bits);

/// The whole of a file; throws Error naming the file.
std::vector<std::byte> readFile(const std::string &path);

/// Writes a file beside `path` and renames it, so that nothing half-written
/// is ever seen under that name.
void writeFile(const std::string &path, std::string_view contents);

} // namespace ingot::cli

#endif // INGOT_TOOLS_INGOT_IO_TENSOR_H
