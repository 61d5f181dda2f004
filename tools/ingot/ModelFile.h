//===- ModelFile.h - a model argument: an artifact, or ONNX through the cache
//===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TOOLS_INGOT_MODELFILE_H
#define INGOT_TOOLS_INGOT_MODELFILE_H

#include "tools/ingot/Compiler.h"

namespace ingot::cli {

/// An artifact on disk that belongs to a MODEL argument.
class ModelFile {
public:
  /// An artifact is taken as it is. An ONNX file is compiled, unless the cache
  /// ($XDG_CACHE_HOME/ingot, ~/.cache/ingot) has the result of the same
  /// content, compiler and machine; the cache keeps 8 GiB of what was used
  /// last. Throws Error naming the file.
  static ModelFile open(const std::string &path,
                        const CompileOptions &options = {});
  ~ModelFile();
  ModelFile(ModelFile &&other) noexcept;
  ModelFile(const ModelFile &) = delete;

  const std::string &path() const { return artifact; }
  /// Seconds of compiling; negative when nothing had to be compiled.
  double compileSeconds() const { return seconds; }
  /// Whether its checksums have just been compared.
  bool verified() const { return checked; }

private:
  ModelFile(std::string artifact, bool temporary, double seconds)
      : artifact(std::move(artifact)), temporary(temporary), seconds(seconds) {}
  std::string artifact;
  bool temporary;
  double seconds;
  bool checked = false;
};

/// The key under which the cache keeps what `path` compiles to: 32 hex digits
/// over the model, its external data, the options, the compiler and the CPU.
std::string cacheKey(const std::string &path, const CompileOptions &options,
                     const std::string &compilerIdentity);

} // namespace ingot::cli

#endif // INGOT_TOOLS_INGOT_MODELFILE_H
