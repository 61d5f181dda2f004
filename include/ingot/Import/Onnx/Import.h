//===- Import.h - ONNX file to ingot dialect ----------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_IMPORT_ONNX_IMPORT_H
#define INGOT_IMPORT_ONNX_IMPORT_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/MemoryBuffer.h"
#include <functional>
#include <string>
#include <vector>

namespace ingot {

/// One reason why a model cannot be imported. Equal reasons at several nodes
/// are one error.
struct ImportError {
  /// The kind of what is not supported ("unsupported op:", "subgraph:", ...),
  /// or empty where the model itself is wrong.
  std::string tag;
  std::string message;
  /// The first nodes it was met at, and how many there were.
  std::vector<std::string> nodes;
  unsigned count = 0;

  /// One line: tag, message, number and names of nodes.
  std::string str() const;
};

struct OnnxImportOptions {
  /// Takes every input dim as unknown, whatever the file says of it; declared
  /// types of other values are then not checked.
  bool eraseDims = false;
  /// Inputs that are constants, as NAME=VALUE: each element of the input is
  /// this integer, `true` or `false`.
  std::vector<std::string> settings;
  /// Dims of inputs that are numbers, as NAME=NUMBER.
  std::vector<std::string> dims;
  /// The most ops that a module may have: refuses a small file of nested
  /// function calls that stands for an endless program.
  unsigned maxOps = 2'000'000;
};

/// Imports the ONNX model in the file `path` as a module with one function
/// `main`. Tensors above a few elements become `ingot.weight` symbols that
/// point into the file. On failure returns a null module and all reasons in
/// `errors`. Thread-safe for distinct contexts.
mlir::OwningOpRef<mlir::ModuleOp>
importOnnxFile(llvm::StringRef path, mlir::MLIRContext *context,
               const OnnxImportOptions &options,
               std::vector<ImportError> &errors);

/// The same for a model in memory, which can have no external data. `path` is
/// what weights are said to lie in.
mlir::OwningOpRef<mlir::ModuleOp>
importOnnxBuffer(std::unique_ptr<llvm::MemoryBuffer> buffer,
                 llvm::StringRef path, mlir::MLIRContext *context,
                 const OnnxImportOptions &options,
                 std::vector<ImportError> &errors);

/// Registers --onnx-to-ingot with mlir-translate's registry; `readOptions`, if
/// given, is asked when the translation runs.
void registerOnnxTranslation(
    std::function<OnnxImportOptions()> readOptions = {});

} // namespace ingot

#endif // INGOT_IMPORT_ONNX_IMPORT_H
