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
  Result<void *> sizes = image->function(manifest.sizesSymbol);
  if (!sizes.ok())
    return inContext(*artifact, sizes.status());
  Result<void *> entry = image->function(manifest.entrySymbol);
  if (!entry.ok())
    return inContext(*artifact, entry.status());

  std::shared_ptr<Model> model(
      new Model(std::move(artifact), std::move(*image)));
  model->sizesFn = reinterpret_cast<IngotSizesFn>(*sizes);
  model->entryFn = reinterpret_cast<IngotEntryFn>(*entry);
  return std::shared_ptr<const Model>(std::move(model));
}

std::string Model::errorMessage(int32_t id) const {
  const std::vector<std::string> &errors = manifest().errors;
  if (id > 0 && static_cast<size_t>(id) < errors.size())
    return errors[id];
  return concat("the model reported the unknown error ", id);
}
