//===- Model.cpp - an artifact ready to run -------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/core/Model.h"

#include "runtime/cpu/CpuFeatures.h"

using namespace ingot::rt;

static Status inContext(const Artifact &artifact, const Status &status) {
  return failure(status.code(), "cannot load '", artifact.name(),
                 "': ", status.message());
}

Result<std::shared_ptr<const Model>>
Model::create(std::shared_ptr<const Artifact> artifact) {
  const Manifest &manifest = artifact->manifest();
  if (Status status = checkTriple(manifest.triple); !status.ok())
    return inContext(*artifact, status);
  if (Status status = checkCpuFeatures(manifest.cpuFeatures); !status.ok())
    return inContext(*artifact, status);

  Result<ElfImage> image = ElfImage::load(artifact->image());
  if (!image.ok())
    return inContext(*artifact, image.status());
  std::shared_ptr<Model> model(
      new Model(std::move(artifact), std::move(*image)));
  if (Status status = model->findPrograms(); !status.ok())
    return inContext(model->artifact(), status);
  return std::shared_ptr<const Model>(std::move(model));
}

Status Model::findFunctions(const std::string &sizes, const std::string &entry,
                            Program &program) const {
  Result<void *> sizesFn = image.function(sizes);
  if (!sizesFn.ok())
    return sizesFn.status();
  Result<void *> entryFn = image.function(entry);
  if (!entryFn.ok())
    return entryFn.status();
  program.sizes = reinterpret_cast<IngotSizesFn>(*sizesFn);
  program.entry = reinterpret_cast<IngotEntryFn>(*entryFn);
  return {};
}

Status Model::findPrograms() {
  const Manifest &content = manifest();
  mainProgram = {.stages = &content.stages,
                 .symbols = &content.symbols,
                 .inputs = &content.inputs,
                 .outputs = &content.outputs};
  if (Status status =
          findFunctions(content.sizesSymbol, content.entrySymbol, mainProgram);
      !status.ok())
    return status;
  for (const EntryInfo &info : content.entries) {
    Program program = {.name = info.name,
                       .stages = &info.stages,
                       .symbols = &info.symbols,
                       .inputs = &info.inputs,
                       .outputs = &info.outputs};
    if (Status status =
            findFunctions(info.sizesSymbol, info.entrySymbol, program);
        !status.ok())
      return status;
    entries.push_back(program);
  }
  for (Program &program : entries)
    if (program.name == "generate")
      program.calls = {entry("sample"), entry("decode")};
  return {};
}

const Program *Model::entry(std::string_view name) const {
  for (size_t i = 0; i < entries.size(); ++i)
    if (manifest().entries[i].name == name)
      return &entries[i];
  return nullptr;
}

std::string Model::errorMessage(int32_t id) const {
  const std::vector<std::string> &errors = manifest().errors;
  if (id > 0 && static_cast<size_t>(id) < errors.size())
    return errors[id];
  return concat("the model reported the unknown error ", id);
}
