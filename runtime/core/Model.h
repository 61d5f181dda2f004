//===- Model.h - an artifact ready to run -*- C++ -*- ---------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// A model: a verified artifact whose image is loaded and fits this machine.
#ifndef INGOT_RUNTIME_CORE_MODEL_H
#define INGOT_RUNTIME_CORE_MODEL_H

#include "runtime/core/Abi.h"
#include "runtime/core/Artifact.h"
#include "runtime/core/ElfImage.h"

namespace ingot::rt {

/// One program of an image: the main one, or an entry of the manifest. What it
/// points to belongs to the model.
struct Program {
  /// "main", or the entry's.
  std::string_view name = "main";
  const std::vector<StageInfo> *stages = nullptr;
  const std::vector<Symbol> *symbols = nullptr;
  const std::vector<TensorInfo> *inputs = nullptr, *outputs = nullptr;
  IngotSizesFn sizes = nullptr;
  IngotEntryFn entry = nullptr;
  /// The programs that it calls, by the numbers of the calls.
  std::vector<const Program *> calls = {};
};

/// Immutable; shared by the sessions over it.
class Model {
public:
  /// Checks the target and the CPU features, loads the image and finds its
  /// entry points.
  static Result<std::shared_ptr<const Model>>
  create(std::shared_ptr<const Artifact> artifact);

  const Artifact &artifact() const { return *source; }
  const Manifest &manifest() const { return source->manifest(); }
  const Program &program() const { return mainProgram; }
  /// The program of the manifest's entry of that name; null if there is none.
  const Program *entry(std::string_view name) const;

  /// The message of a runtime check's id.
  std::string errorMessage(int32_t id) const;

private:
  Model(std::shared_ptr<const Artifact> source, ElfImage image)
      : source(std::move(source)), image(std::move(image)) {}
  Status findPrograms();
  Status findFunctions(const std::string &sizes, const std::string &entry,
                       Program &program) const;

  std::shared_ptr<const Artifact> source;
  ElfImage image;
  Program mainProgram;
  /// In the manifest's order.
  std::vector<Program> entries;
};

} // namespace ingot::rt

#endif // INGOT_RUNTIME_CORE_MODEL_H
