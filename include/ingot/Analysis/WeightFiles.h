//===- WeightFiles.h - the bytes of weights ---------------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dialects/Ingot/IR/IngotOps.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>
#include <optional>
#include <string>

namespace ingot {

/// The files that weights lie in, mapped.
class WeightFiles {
public:
  /// The bytes [offset, offset + length) of `file`; empty with `error` set if
  /// the file cannot be read or is too short.
  std::optional<llvm::StringRef> bytes(llvm::StringRef file, uint64_t offset,
                                       uint64_t length, std::string &error);
  /// Those of a declared weight; nothing if they cannot be read, which is an
  /// error only where they are needed.
  std::optional<llvm::StringRef> bytes(WeightOp weight);

private:
  llvm::StringMap<std::unique_ptr<llvm::MemoryBuffer>> files;
};

} // namespace ingot
