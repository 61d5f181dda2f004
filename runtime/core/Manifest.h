//===- Manifest.h - what an artifact says about itself -*- C++ -*- --------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The manifest as plain C++: the compiler fills one in, the writer encodes it
// (manifest.fbs), the reader verifies and decodes it.
#ifndef INGOT_RUNTIME_CORE_MANIFEST_H
#define INGOT_RUNTIME_CORE_MANIFEST_H

#include "runtime/core/Status.h"

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::rt {

/// Element types. The values are those of ingot_dtype in ingot.h and are part
/// of the file format.
enum class DType : uint8_t {
  F32 = 1,
  F64 = 2,
  F16 = 3,
  BF16 = 4,
  Bool = 5,
  I8 = 6,
  I16 = 7,
  I32 = 8,
  I64 = 9,
  U8 = 10,
  U16 = 11,
  U32 = 12,
  U64 = 13,
};

/// True if the number is that of a DType.
bool isDType(unsigned number);

/// Bytes of one element.
unsigned elementBytes(DType dtype);

/// The name that messages use: "f32", "i64", "bool", ...
std::string_view dtypeName(DType dtype);

/// A static extent, or an expression over the manifest's symbols.
struct Dim {
  /// The extent; negative if symbolic.
  int64_t value = -1;
  /// The expression's text if symbolic ("batch", "seq * 2").
  std::string text;

  static Dim fixed(int64_t value) { return Dim{value, {}}; }
  static Dim symbolic(std::string text) { return Dim{-1, std::move(text)}; }
  bool isStatic() const { return value >= 0; }
  /// "12" or "seq * 2".
  std::string str() const { return isStatic() ? std::to_string(value) : text; }
};

/// A symbolic dim and the values that it may take, bounds included.
struct Symbol {
  std::string name;
  int64_t min = 0;
  int64_t max = std::numeric_limits<int64_t>::max();
};

/// An input or an output.
struct TensorInfo {
  std::string name;
  DType dtype = DType::F32;
  std::vector<Dim> dims;
};

/// A packed weight inside the weights section.
struct WeightInfo {
  std::string name;
  uint64_t offset = 0;
  uint64_t size = 0;
  DType dtype = DType::F32;
  std::vector<int64_t> dims;
};

/// One stage of the program, for people.
struct StageInfo {
  std::string name;
  /// The ops fused into it.
  std::string ops;
  /// The model's own nodes that they came from.
  std::string nodes;
  /// Expressions over the symbols.
  std::string flops, bytes, tiles;
};

/// How often an op was recognised.
struct OpCount {
  std::string name;
  uint64_t count = 0;
};

/// Everything an artifact says about itself.
struct Manifest {
  std::string producer = "ingot";
  std::string version;
  /// The model's file name, and the options that it was compiled with.
  std::string source, options;
  std::string triple = "x86_64-unknown-linux-gnu";
  /// LLVM's names of what the CPU must have ("avx2", "fma", "avx512f").
  std::vector<std::string> cpuFeatures;
  /// Names of the image's exported functions (Abi.h).
  std::string sizesSymbol = "ingot_sizes";
  std::string entrySymbol = "ingot_entry";
  std::vector<Symbol> symbols;
  std::vector<TensorInfo> inputs, outputs;
  /// Message of each error id. Id 0 means no error: errors[0] is "".
  std::vector<std::string> errors;
  std::vector<WeightInfo> weights;
  std::vector<StageInfo> stages;
  /// The arena's size as an expression over the symbols.
  std::string arena;
  std::vector<OpCount> ops;
};

/// Checks what both sides rely on: names given and unique, dtypes known, dims
/// non-negative or with text, symbol bounds in order, errors[0] empty, weights
/// inside a section of `weightsBytes`.
Status checkManifest(const Manifest &manifest, uint64_t weightsBytes);

/// The manifest section's bytes.
std::vector<unsigned char> encodeManifest(const Manifest &manifest);

/// Verifies and decodes bytes that may come from anywhere. `bytes` must be
/// aligned to 16.
Result<Manifest> decodeManifest(std::span<const unsigned char> bytes);

} // namespace ingot::rt

#endif // INGOT_RUNTIME_CORE_MANIFEST_H
