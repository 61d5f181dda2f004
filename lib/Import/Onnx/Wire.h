//===- Wire.h - locate tensor bytes in an ONNX file ----------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_LIB_IMPORT_ONNX_WIRE_H
#define INGOT_LIB_IMPORT_ONNX_WIRE_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <string>

namespace ingot::onnxin {

/// What the scan of an ONNX file accepts and how much it may keep.
struct WireLimits {
  /// Graphs nested in attributes of nodes, counted in messages.
  unsigned maxDepth = 48;
  /// Tensor payloads of at least this many bytes are located, not copied: what
  /// is smaller has too few elements for a weight.
  uint64_t minLocatedBytes = 65;
  /// Everything that is not a located payload must fit in here.
  uint64_t maxKeptBytes = uint64_t(1) << 30;
};

/// Copies the serialized ModelProto in `file` to `kept`, without the payloads
/// of large tensors, doc strings and metadata. A tensor whose payload was left
/// out carries its place in the file as `segment { begin, end }`; a file that
/// holds a segment of its own is refused. Returns false and sets `error` when
/// the bytes are not a well-formed message or exceed `limits`.
bool stripTensors(llvm::StringRef file, const WireLimits &limits,
                  std::string &kept, std::string &error);

} // namespace ingot::onnxin

#endif // INGOT_LIB_IMPORT_ONNX_WIRE_H
