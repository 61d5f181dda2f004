//===- Compiler.h - the compiler library, opened when it is needed --------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TOOLS_INGOT_COMPILER_H
#define INGOT_TOOLS_INGOT_COMPILER_H

#include "tools/ingot/Progress.h"
#include "tools/ingot/io/Tensor.h"

#include "ingot-c/Compiler.h"

namespace ingot::cli {

/// The compiler refused a model; the message has one reason a line.
struct CompileError : Error {
  using Error::Error;
};

/// What a user may ask of the compiler.
struct CompileOptions {
  std::string target = "native";
  bool verifyEach = false;
  bool eraseDims = false;
  bool timing = false;
  bool prove = false;
  std::string dumpDir;
  /// For tests: planned programs in place of the model's own.
  std::string stagesFrom;
  /// Keep a decoder's cache as state; of this element type, or the model's own
  /// if empty.
  bool generate = false;
  std::string kvType;
  /// Inputs that are constants, as NAME=VALUE.
  std::vector<std::string> settings;
  /// Dims of inputs that are numbers, as NAME=NUMBER.
  std::vector<std::string> dims;
  /// Tiles of kernels, as SHAPE=TILE.
  std::vector<std::string> tiles;
  /// Seconds to try tiles for, and a tuned artifact to take them from.
  double tuneSeconds = 0;
  std::string tuneFrom;
  /// Zero for what the model asks.
  int activationBits = 0;
};

/// libIngotCompiler.so: looked for beside the program (../lib), then where
/// dlopen looks. Never closed.
class Compiler {
public:
  /// Opens it at the first call; throws Error when it is not installed.
  static const Compiler &get();

  /// Compiles to a file that appears only when whole. Throws CompileError.
  void compile(const std::string &onnxPath, const std::string &outPath,
               const CompileOptions &options, Progress *progress) const;

  /// Text that differs between builds of the library.
  const std::string &identity() const { return id; }

private:
  Compiler();
  decltype(&ingot_compiler_compile) entry = nullptr;
  std::string id;
};

} // namespace ingot::cli

#endif // INGOT_TOOLS_INGOT_COMPILER_H
