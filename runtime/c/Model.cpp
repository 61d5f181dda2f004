//===- Model.cpp - models in the C API ------------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/c/Handles.h"

using namespace ingot::rt;

IngotTensorInfoStorage::IngotTensorInfoStorage(const TensorInfo &info)
    : info(&info) {
  for (const Dim &dim : info.dims) {
    dims.push_back(dim.isStatic() ? dim.value : -1);
    texts.push_back(dim.str());
  }
  for (const std::string &text : texts)
    textPointers.push_back(text.c_str());
}

ingot_model::ingot_model(std::shared_ptr<const Model> loaded)
    : model(std::move(loaded)) {
  // Reserved, because the texts' addresses are handed out.
  inputs.reserve(model->manifest().inputs.size());
  for (const TensorInfo &input : model->manifest().inputs)
    inputs.emplace_back(input);
  outputs.reserve(model->manifest().outputs.size());
  for (const TensorInfo &output : model->manifest().outputs)
    outputs.emplace_back(output);
  const std::optional<StateInfo> &state = model->manifest().state;
  const Program *bind = model->entry("bind");
  if (!state || !bind)
    return;
  bound.reserve(bind->inputs->size());
  for (const TensorInfo &input : *bind->inputs)
    if (input.name != state->pastInput && input.name != state->countInput)
      bound.emplace_back(input);
}

/// From an opened artifact to a handle.
static Status makeModel(Result<std::shared_ptr<const Artifact>> artifact,
                        ingot_model **handle) {
  if (!artifact.ok())
    return artifact.status();
  Result<std::shared_ptr<const Model>> model =
      Model::create(std::move(*artifact));
  if (!model.ok())
    return model.status();
  *handle = new ingot_model(std::move(*model));
  return {};
}

static Status openOptions(const ingot_load_options *given, OpenOptions &open) {
  ingot_load_options options = INGOT_LOAD_OPTIONS_INIT;
  if (Status status = readOptions(given, options); !status.ok())
    return status;
  open.verifyWeights = !options.skip_weights_checksum;
  return {};
}

ingot_status ingot_model_load(const char *path,
                              const ingot_load_options *options,
                              ingot_model **model) {
  return guarded([&]() -> Status {
    if (Status status = require(model, "model"); !status.ok())
      return status;
    *model = nullptr;
    if (Status status = require(path, "path"); !status.ok())
      return status;
    OpenOptions open;
    if (Status status = openOptions(options, open); !status.ok())
      return status;
    return makeModel(Artifact::open(path, open), model);
  });
}

ingot_status ingot_model_load_memory(const void *data, size_t size,
                                     const ingot_load_options *options,
                                     ingot_model **model) {
  return guarded([&]() -> Status {
    if (Status status = require(model, "model"); !status.ok())
      return status;
    *model = nullptr;
    if (Status status = require(data, "data"); !status.ok())
      return status;
    OpenOptions open;
    if (Status status = openOptions(options, open); !status.ok())
      return status;
    return makeModel(
        Artifact::fromMemory({static_cast<const unsigned char *>(data), size},
                             open),
        model);
  });
}

void ingot_model_free(ingot_model *model) { delete model; }

size_t ingot_model_input_count(const ingot_model *model) {
  return model ? model->inputs.size() : 0;
}

size_t ingot_model_output_count(const ingot_model *model) {
  return model ? model->outputs.size() : 0;
}

static Status describe(const std::vector<IngotTensorInfoStorage> &tensors,
                       std::string_view kind, size_t index,
                       ingot_tensor_info *info) {
  if (Status status = require(info, "info"); !status.ok())
    return status;
  if (index >= tensors.size())
    return failure(Code::InvalidArgument, "the model has ", tensors.size(), " ",
                   kind, "s, there is no number ", index);
  const IngotTensorInfoStorage &tensor = tensors[index];
  *info = {tensor.info->name.c_str(),
           static_cast<ingot_dtype>(tensor.info->dtype),
           static_cast<int32_t>(tensor.dims.size()), tensor.dims.data(),
           tensor.textPointers.data()};
  return {};
}

ingot_status ingot_model_input(const ingot_model *model, size_t index,
                               ingot_tensor_info *info) {
  return guarded([&]() -> Status {
    if (Status status = require(model, "model"); !status.ok())
      return status;
    return describe(model->inputs, "input", index, info);
  });
}

ingot_status ingot_model_output(const ingot_model *model, size_t index,
                                ingot_tensor_info *info) {
  return guarded([&]() -> Status {
    if (Status status = require(model, "model"); !status.ok())
      return status;
    return describe(model->outputs, "output", index, info);
  });
}

size_t ingot_model_bound_count(const ingot_model *model) {
  return model ? model->bound.size() : 0;
}

ingot_status ingot_model_bound(const ingot_model *model, size_t index,
                               ingot_tensor_info *info) {
  return guarded([&]() -> Status {
    if (Status status = require(model, "model"); !status.ok())
      return status;
    return describe(model->bound, "bound input", index, info);
  });
}

//===----------------------------------------------------------------------===//
// Generators
//===----------------------------------------------------------------------===//

/// The state of a model compiled for generation, else null.
static const StateInfo *stateOf(const ingot_model *model) {
  if (!model || !model->model->manifest().state)
    return nullptr;
  return &*model->model->manifest().state;
}

static Status requireState(const ingot_model *model) {
  if (Status status = require(model, "model"); !status.ok())
    return status;
  if (stateOf(model))
    return {};
  return failure(Code::InvalidArgument,
                 "the model was not compiled for generation");
}

int32_t ingot_model_is_generator(const ingot_model *model) {
  return stateOf(model) != nullptr;
}

ingot_status ingot_model_generator(const ingot_model *model,
                                   ingot_generator_info *info) {
  return guarded([&]() -> Status {
    if (Status status = require(info, "info"); !status.ok())
      return status;
    if (Status status = requireState(model); !status.ok())
      return status;
    const StateInfo &state = *stateOf(model);
    Result<uint64_t> vocab = vocabulary(*model->model);
    if (!vocab.ok())
      return vocab.status();
    uint64_t bytes = 0;
    for (const CacheInfo &cache : state.caches)
      if (!state.groups[cache.group].isBound)
        bytes += cache.heads * (cache.keyDepth + cache.valueDepth) *
                 elementBytes(cache.dtype);
    *info = {*vocab,
             state.maxPositions,
             state.pagePositions,
             bytes,
             state.caches.size(),
             state.replaced.size(),
             model->model->entry("all") != nullptr};
    return {};
  });
}

ingot_status ingot_model_cache(const ingot_model *model, size_t index,
                               ingot_cache_info *info) {
  return guarded([&]() -> Status {
    if (Status status = require(info, "info"); !status.ok())
      return status;
    if (Status status = requireState(model); !status.ok())
      return status;
    const StateInfo &state = *stateOf(model);
    if (index >= state.caches.size())
      return failure(Code::InvalidArgument, "the model has ",
                     state.caches.size(), " caches, there is no number ",
                     index);
    const CacheInfo &cache = state.caches[index];
    *info = {cache.name.c_str(),
             static_cast<ingot_dtype>(cache.dtype),
             cache.heads,
             cache.keyDepth,
             cache.valueDepth,
             state.groups[cache.group].window,
             cache.keyInput.c_str(),
             cache.valueInput.c_str(),
             cache.keyOutput.c_str(),
             cache.valueOutput.c_str()};
    return {};
  });
}

const char *ingot_model_replaced(const ingot_model *model, size_t index) {
  const StateInfo *state = stateOf(model);
  return state && index < state->replaced.size()
             ? state->replaced[index].c_str()
             : nullptr;
}
