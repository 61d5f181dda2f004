//===- WeightFiles.cpp - the bytes of weights -----------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Analysis/WeightFiles.h"

using namespace mlir;

namespace ingot {

std::optional<StringRef> WeightFiles::bytes(StringRef file, uint64_t offset,
                                            uint64_t length,
                                            std::string &error) {
  std::unique_ptr<llvm::MemoryBuffer> &buffer = files[file];
  if (!buffer) {
    auto opened = llvm::MemoryBuffer::getFile(file, /*IsText=*/false,
                                              /*RequiresNullTerminator=*/false);
    if (!opened) {
      error =
          ("cannot read '" + file + "': " + opened.getError().message()).str();
      return std::nullopt;
    }
    buffer = std::move(*opened);
  }
  if (offset > buffer->getBufferSize() ||
      length > buffer->getBufferSize() - offset) {
    error = ("'" + file + "' is too short").str();
    return std::nullopt;
  }
  return buffer->getBuffer().substr(offset, length);
}

std::optional<StringRef> WeightFiles::bytes(WeightOp weight) {
  std::string error;
  return bytes(weight.getFile(), weight.getOffset(), weight.getLength(), error);
}

} // namespace ingot
