//===- Weights.h - what the artifact keeps of the model's weights *- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>
#include <span>
#include <string>

namespace ingot {

/// The files that weights lie in, mapped.
class WeightFiles {
public:
  /// The bytes [offset, offset + length) of `file`; empty with `error` set if
  /// the file cannot be read or is too short.
  std::optional<llvm::StringRef> bytes(llvm::StringRef file, uint64_t offset,
                                       uint64_t length, std::string &error);

private:
  llvm::StringMap<std::unique_ptr<llvm::MemoryBuffer>> files;
};

/// Copies the weights that the program uses as they are to their places in
/// `section`.
mlir::LogicalResult copyWeights(mlir::ModuleOp module, WeightFiles &files,
                                std::span<unsigned char> section);

/// The signature of the weight functions: names of the weights that they read
/// and of those that they make.
struct WeightFunctions {
  llvm::SmallVector<std::string> inputs, outputs;
  explicit WeightFunctions(mlir::ModuleOp nested);
};

/// Runs the weight functions' image: reads weights from their files and writes
/// new ones to their places in `section`.
mlir::LogicalResult runWeightFunctions(mlir::ModuleOp module,
                                       const WeightFunctions &functions,
                                       llvm::ArrayRef<char> image,
                                       WeightFiles &files,
                                       std::span<unsigned char> section);

} // namespace ingot
