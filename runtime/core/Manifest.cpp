//===- Manifest.cpp - checking, encoding and decoding a manifest ----------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/core/Manifest.h"

#include "manifest_generated.h"

#include <set>

using namespace ingot::rt;
namespace fb = ingot::rt::fb;

namespace {
struct DTypeRow {
  std::string_view name;
  unsigned bytes;
};
} // namespace

// Indexed by the number of DType; 0 is no type.
static constexpr DTypeRow dtypeTable[] = {
    {"none", 0}, {"f32", 4}, {"f64", 8}, {"f16", 2}, {"bf16", 2},
    {"bool", 1}, {"i8", 1},  {"i16", 2}, {"i32", 4}, {"i64", 8},
    {"u8", 1},   {"u16", 2}, {"u32", 4}, {"u64", 8}};

bool ingot::rt::isDType(unsigned number) {
  return number > 0 && number < std::size(dtypeTable);
}

unsigned ingot::rt::elementBytes(DType dtype) {
  return dtypeTable[static_cast<unsigned>(dtype)].bytes;
}

std::string_view ingot::rt::dtypeName(DType dtype) {
  return dtypeTable[static_cast<unsigned>(dtype)].name;
}

//===----------------------------------------------------------------------===//
// Checking
//===----------------------------------------------------------------------===//

template <typename... Parts> static Status bad(const Parts &...parts) {
  return failure(Code::CorruptArtifact,
                 "the manifest is not valid: ", parts...);
}

static Status checkTensors(const std::vector<TensorInfo> &tensors,
                           std::string_view kind) {
  std::set<std::string_view> names;
  for (const TensorInfo &tensor : tensors) {
    if (tensor.name.empty())
      return bad("an ", kind, " has no name");
    if (!names.insert(tensor.name).second)
      return bad("two ", kind, "s are called '", tensor.name, "'");
    if (!isDType(static_cast<unsigned>(tensor.dtype)))
      return bad(kind, " '", tensor.name, "' has an unknown dtype");
    for (const Dim &dim : tensor.dims)
      if (!dim.isStatic() && dim.text.empty())
        return bad(kind, " '", tensor.name, "' has a dim without extent");
  }
  return {};
}

static Status checkWeights(const std::vector<WeightInfo> &weights,
                           uint64_t sectionBytes) {
  for (const WeightInfo &weight : weights) {
    if (!isDType(static_cast<unsigned>(weight.dtype)))
      return bad("weight '", weight.name, "' has an unknown dtype");
    if (weight.offset > sectionBytes ||
        weight.size > sectionBytes - weight.offset)
      return bad("weight '", weight.name, "' ends outside the weights section");
  }
  return {};
}

Status ingot::rt::checkManifest(const Manifest &manifest,
                                uint64_t weightsBytes) {
  if (manifest.sizesSymbol.empty() || manifest.entrySymbol.empty())
    return bad("an entry symbol has no name");
  std::set<std::string_view> names;
  for (const Symbol &symbol : manifest.symbols) {
    if (symbol.name.empty() || !names.insert(symbol.name).second)
      return bad("the symbol name '", symbol.name, "' is empty or used twice");
    if (symbol.min < 0 || symbol.min > symbol.max)
      return bad("symbol '", symbol.name, "' has bounds ", symbol.min, " to ",
                 symbol.max);
  }
  if (Status status = checkTensors(manifest.inputs, "input"); !status.ok())
    return status;
  if (Status status = checkTensors(manifest.outputs, "output"); !status.ok())
    return status;
  if (!manifest.errors.empty() && !manifest.errors.front().empty())
    return bad("error id 0 is reserved, its message must be empty");
  return checkWeights(manifest.weights, weightsBytes);
}

//===----------------------------------------------------------------------===//
// Encoding
//===----------------------------------------------------------------------===//

static flatbuffers::Offset<fb::Tensor>
encodeTensor(flatbuffers::FlatBufferBuilder &builder,
             const TensorInfo &tensor) {
  std::vector<flatbuffers::Offset<fb::Dim>> dims;
  for (const Dim &dim : tensor.dims)
    dims.push_back(fb::CreateDim(
        builder, dim.value,
        dim.isStatic() ? flatbuffers::Offset<flatbuffers::String>()
                       : builder.CreateString(dim.text)));
  return fb::CreateTensorDirect(builder, tensor.name.c_str(),
                                static_cast<uint8_t>(tensor.dtype), &dims);
}

std::vector<unsigned char> ingot::rt::encodeManifest(const Manifest &manifest) {
  flatbuffers::FlatBufferBuilder builder;
  std::vector<flatbuffers::Offset<fb::Symbol>> symbols;
  for (const Symbol &symbol : manifest.symbols)
    symbols.push_back(fb::CreateSymbolDirect(builder, symbol.name.c_str(),
                                             symbol.min, symbol.max));
  std::vector<flatbuffers::Offset<fb::Tensor>> inputs, outputs;
  for (const TensorInfo &tensor : manifest.inputs)
    inputs.push_back(encodeTensor(builder, tensor));
  for (const TensorInfo &tensor : manifest.outputs)
    outputs.push_back(encodeTensor(builder, tensor));
  std::vector<flatbuffers::Offset<fb::Weight>> weights;
  for (const WeightInfo &weight : manifest.weights)
    weights.push_back(fb::CreateWeightDirect(
        builder, weight.name.c_str(), weight.offset, weight.size,
        static_cast<uint8_t>(weight.dtype), &weight.dims));
  std::vector<flatbuffers::Offset<fb::Stage>> stages;
  for (const StageInfo &stage : manifest.stages)
    stages.push_back(fb::CreateStageDirect(
        builder, stage.name.c_str(), stage.ops.c_str(), stage.nodes.c_str(),
        stage.flops.c_str(), stage.bytes.c_str(), stage.tiles.c_str()));
  std::vector<flatbuffers::Offset<fb::OpCount>> ops;
  for (const OpCount &op : manifest.ops)
    ops.push_back(fb::CreateOpCountDirect(builder, op.name.c_str(), op.count));

  auto features = builder.CreateVectorOfStrings(manifest.cpuFeatures);
  auto errors = builder.CreateVectorOfStrings(manifest.errors);
  auto root = fb::CreateManifest(
      builder, builder.CreateString(manifest.producer),
      builder.CreateString(manifest.version),
      builder.CreateString(manifest.source),
      builder.CreateString(manifest.options),
      builder.CreateString(manifest.triple), features,
      builder.CreateString(manifest.sizesSymbol),
      builder.CreateString(manifest.entrySymbol), builder.CreateVector(symbols),
      builder.CreateVector(inputs), builder.CreateVector(outputs), errors,
      builder.CreateVector(weights), builder.CreateVector(stages),
      builder.CreateString(manifest.arena), builder.CreateVector(ops));
  fb::FinishManifestBuffer(builder, root);
  return {builder.GetBufferPointer(),
          builder.GetBufferPointer() + builder.GetSize()};
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

static std::string text(const flatbuffers::String *string) {
  return string ? string->str() : std::string();
}

/// Applies `decode` to each element of a vector that may be absent.
template <typename Out, typename Vector, typename Fn>
static void decodeEach(std::vector<Out> &out, const Vector *in, Fn decode) {
  if (!in)
    return;
  out.reserve(in->size());
  for (auto element : *in)
    out.push_back(decode(element));
}

static TensorInfo decodeTensor(const fb::Tensor *in) {
  TensorInfo out{text(in->name()), static_cast<DType>(in->dtype()), {}};
  decodeEach(out.dims, in->dims(), [](const fb::Dim *dim) {
    return Dim{dim->value() < 0 ? -1 : dim->value(), text(dim->text())};
  });
  return out;
}

static WeightInfo decodeWeight(const fb::Weight *in) {
  WeightInfo out{text(in->name()),
                 in->offset(),
                 in->size(),
                 static_cast<DType>(in->dtype()),
                 {}};
  decodeEach(out.dims, in->dims(), [](int64_t dim) { return dim; });
  return out;
}

Result<Manifest>
ingot::rt::decodeManifest(std::span<const unsigned char> bytes) {
  flatbuffers::Verifier verifier(bytes.data(), bytes.size());
  if (!fb::VerifyManifestBuffer(verifier))
    return failure(Code::CorruptArtifact,
                   "the manifest is not a valid FlatBuffer");
  const fb::Manifest *in = fb::GetManifest(bytes.data());
  auto decodeString = [](const flatbuffers::String *s) { return text(s); };

  Manifest out;
  out.producer = text(in->producer());
  out.version = text(in->version());
  out.source = text(in->source());
  out.options = text(in->options());
  out.triple = text(in->triple());
  out.sizesSymbol = text(in->sizes_symbol());
  out.entrySymbol = text(in->entry_symbol());
  out.arena = text(in->arena());
  decodeEach(out.cpuFeatures, in->cpu_features(), decodeString);
  decodeEach(out.errors, in->errors(), decodeString);
  decodeEach(out.inputs, in->inputs(), decodeTensor);
  decodeEach(out.outputs, in->outputs(), decodeTensor);
  decodeEach(out.weights, in->weights(), decodeWeight);
  decodeEach(out.symbols, in->symbols(), [](const fb::Symbol *symbol) {
    return Symbol{text(symbol->name()), symbol->min(), symbol->max()};
  });
  decodeEach(out.stages, in->stages(), [](const fb::Stage *stage) {
    return StageInfo{text(stage->name()),  text(stage->ops()),
                     text(stage->nodes()), text(stage->flops()),
                     text(stage->bytes()), text(stage->tiles())};
  });
  decodeEach(out.ops, in->ops(), [](const fb::OpCount *op) {
    return OpCount{text(op->name()), op->count()};
  });
  return out;
}
