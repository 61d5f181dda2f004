//===- Onnx.h - what the driver itself reads of ONNX's files --------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TOOLS_INGOT_IO_ONNX_H
#define INGOT_TOOLS_INGOT_IO_ONNX_H

#include "tools/ingot/io/Tensor.h"

#include <set>
#include <span>

namespace ingot::cli {

/// Decodes one TensorProto (raw or typed data). Throws UnrepresentableError
/// for strings, sequences, complex and sub-byte or 8-bit float elements, and
/// Error for damage; both name `what`.
Tensor decodeTensorProto(std::span<const std::byte> bytes,
                         const std::string &what);

/// Reads a .pb file of ONNX's test data.
Tensor readTensorProto(const std::string &path);

/// What a scan of a ModelProto finds, subgraphs and functions included.
struct ModelScan {
  /// External data files, as the model spells them.
  std::set<std::string> externalFiles;
  /// Op types of all nodes: "Add", or "com.microsoft::FusedMatMul".
  std::set<std::string> ops;
};

/// Scans a model without parsing its tensors. Throws Error for damage.
ModelScan scanModel(std::span<const std::byte> bytes, const std::string &what);

} // namespace ingot::cli

#endif // INGOT_TOOLS_INGOT_IO_ONNX_H
