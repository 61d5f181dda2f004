//===- Manifest.cpp - encoding and decoding a manifest --------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/core/Manifest.h"

#include "manifest_generated.h"

#include <functional>

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
    {"none", 0}, {"f32", 4}, {"f64", 8}, {"f16", 2}, {"bf16", 2}, {"bool", 1},
    {"i8", 1},   {"i16", 2}, {"i32", 4}, {"i64", 8}, {"u8", 1},   {"u16", 2},
    {"u32", 4},  {"u64", 8}, {"i4", 1},  {"u4", 1},  {"i2", 1},   {"u2", 1}};

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
// Encoding
//===----------------------------------------------------------------------===//

static flatbuffers::Offset<fb::Dim>
encodeDim(flatbuffers::FlatBufferBuilder &builder, const Dim &dim) {
  return fb::CreateDim(builder, dim.value,
                       dim.isStatic()
                           ? flatbuffers::Offset<flatbuffers::String>()
                           : builder.CreateString(dim.text));
}

static flatbuffers::Offset<fb::Tensor>
encodeTensor(flatbuffers::FlatBufferBuilder &builder,
             const TensorInfo &tensor) {
  std::vector<flatbuffers::Offset<fb::Dim>> dims;
  dims.reserve(tensor.dims.size());
  for (const Dim &dim : tensor.dims)
    dims.push_back(encodeDim(builder, dim));
  return fb::CreateTensorDirect(builder, tensor.name.c_str(),
                                static_cast<uint8_t>(tensor.dtype), &dims);
}

namespace {
using Builder = flatbuffers::FlatBufferBuilder;
template <typename Table>
using Offsets = std::vector<flatbuffers::Offset<Table>>;
} // namespace

static Offsets<fb::Tensor> encodeTensors(Builder &builder,
                                         const std::vector<TensorInfo> &in) {
  Offsets<fb::Tensor> out;
  for (const TensorInfo &tensor : in)
    out.push_back(encodeTensor(builder, tensor));
  return out;
}

static Offsets<fb::Symbol> encodeSymbols(Builder &builder,
                                         const std::vector<Symbol> &in) {
  Offsets<fb::Symbol> out;
  for (const Symbol &symbol : in)
    out.push_back(fb::CreateSymbolDirect(builder, symbol.name.c_str(),
                                         symbol.min, symbol.max));
  return out;
}

static Offsets<fb::Cut> encodeCuts(Builder &builder,
                                   const std::vector<CutInfo> &in) {
  Offsets<fb::Cut> out;
  for (const CutInfo &cut : in)
    out.push_back(fb::CreateCut(builder, builder.CreateSharedString(cut.of),
                                builder.CreateSharedString(cut.tile)));
  return out;
}

static flatbuffers::Offset<fb::Tuning> encodeTuning(Builder &builder,
                                                    const TuningInfo &tuning) {
  Offsets<flatbuffers::String> sizes;
  for (const std::string &size : tuning.sizes)
    sizes.push_back(builder.CreateString(size));
  Offsets<fb::TunedShape> shapes;
  for (const TunedShape &shape : tuning.shapes) {
    Offsets<fb::TriedTile> tried;
    for (const TriedTile &one : shape.tried)
      tried.push_back(
          fb::CreateTriedTileDirect(builder, one.tile.c_str(), &one.seconds));
    shapes.push_back(fb::CreateTunedShapeDirect(builder, shape.of.c_str(),
                                                shape.tile.c_str(), &tried));
  }
  return fb::CreateTuningDirect(builder, tuning.workers, &sizes, &shapes,
                                &tuning.before, &tuning.after);
}

static Offsets<fb::Stage> encodeStages(Builder &builder,
                                       const std::vector<StageInfo> &in) {
  Offsets<fb::Stage> out;
  for (const StageInfo &stage : in) {
    Offsets<fb::Cut> cuts = encodeCuts(builder, stage.cuts);
    out.push_back(fb::CreateStageDirect(
        builder, stage.name.c_str(), stage.ops.c_str(), stage.nodes.c_str(),
        stage.flops.c_str(), stage.bytes.c_str(), stage.tiles.c_str(),
        stage.sync.c_str(), &stage.reads, &stage.writes, stage.times, &cuts));
  }
  return out;
}

static Offsets<fb::Buffer> encodeBuffers(Builder &builder,
                                         const std::vector<BufferInfo> &in) {
  Offsets<fb::Buffer> out;
  // Many begin at one place.
  for (const BufferInfo &buffer : in)
    out.push_back(fb::CreateBuffer(
        builder, builder.CreateSharedString(buffer.name),
        builder.CreateSharedString(buffer.offset),
        builder.CreateSharedString(buffer.bytes), buffer.isEach));
  return out;
}

static flatbuffers::Offset<fb::State> encodeState(Builder &builder,
                                                  const StateInfo &state) {
  Offsets<fb::CacheGroup> groups;
  for (const CacheGroup &group : state.groups)
    groups.push_back(fb::CreateCacheGroup(builder, group.window,
                                          group.pageBytes, group.isBound));
  Offsets<fb::Cache> caches;
  for (const CacheInfo &cache : state.caches)
    caches.push_back(fb::CreateCacheDirect(
        builder, cache.name.c_str(), cache.group, cache.heads, cache.keyDepth,
        cache.valueDepth, static_cast<uint8_t>(cache.dtype), cache.keyOffset,
        cache.valueOffset, cache.keyInput.c_str(), cache.valueInput.c_str(),
        cache.keyOutput.c_str(), cache.valueOutput.c_str()));
  return fb::CreateState(builder, state.pagePositions, state.maxPositions,
                         builder.CreateVector(groups),
                         builder.CreateVector(caches),
                         builder.CreateString(state.tokensInput),
                         builder.CreateString(state.pastInput),
                         builder.CreateString(state.countInput),
                         builder.CreateString(state.logitsOutput),
                         builder.CreateVectorOfStrings(state.replaced),
                         builder.CreateString(state.boundInput),
                         encodeDim(builder, state.boundLength));
}

static flatbuffers::Offset<fb::Entry> encodeEntry(Builder &builder,
                                                  const EntryInfo &entry) {
  Offsets<fb::Symbol> symbols = encodeSymbols(builder, entry.symbols);
  Offsets<fb::Tensor> inputs = encodeTensors(builder, entry.inputs);
  Offsets<fb::Tensor> outputs = encodeTensors(builder, entry.outputs);
  Offsets<fb::Stage> stages = encodeStages(builder, entry.stages);
  Offsets<fb::Buffer> buffers = encodeBuffers(builder, entry.buffers);
  return fb::CreateEntryDirect(
      builder, entry.name.c_str(), entry.sizesSymbol.c_str(),
      entry.entrySymbol.c_str(), &symbols, &inputs, &outputs, &stages,
      entry.arena.c_str(), &buffers);
}

std::vector<unsigned char> ingot::rt::encodeManifest(const Manifest &manifest) {
  Builder builder;
  Offsets<fb::Symbol> symbols = encodeSymbols(builder, manifest.symbols);
  Offsets<fb::Tensor> inputs = encodeTensors(builder, manifest.inputs);
  Offsets<fb::Tensor> outputs = encodeTensors(builder, manifest.outputs);
  Offsets<fb::Weight> weights;
  for (const WeightInfo &weight : manifest.weights)
    weights.push_back(fb::CreateWeightDirect(
        builder, weight.name.c_str(), weight.offset, weight.size,
        static_cast<uint8_t>(weight.dtype), &weight.dims));
  Offsets<fb::Stage> stages = encodeStages(builder, manifest.stages);
  Offsets<fb::OpCount> ops;
  for (const OpCount &op : manifest.ops)
    ops.push_back(fb::CreateOpCountDirect(builder, op.name.c_str(), op.count));
  flatbuffers::Offset<fb::State> state;
  if (manifest.state)
    state = encodeState(builder, *manifest.state);
  flatbuffers::Offset<fb::Decider> decider;
  if (manifest.decider)
    decider = fb::CreateDeciderDirect(builder, manifest.decider->input.c_str(),
                                      manifest.decider->entry.c_str());
  Offsets<fb::Entry> entries;
  for (const EntryInfo &entry : manifest.entries)
    entries.push_back(encodeEntry(builder, entry));

  Offsets<fb::Buffer> buffers = encodeBuffers(builder, manifest.buffers);
  flatbuffers::Offset<fb::Tuning> tuning;
  if (manifest.tuning)
    tuning = encodeTuning(builder, *manifest.tuning);
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
      builder.CreateString(manifest.arena), builder.CreateVector(ops), state,
      builder.CreateVector(entries), decider, builder.CreateVector(buffers),
      tuning);
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

static Dim decodeDim(const fb::Dim *in) {
  return {in->value() < 0 ? -1 : in->value(), text(in->text())};
}

static TensorInfo decodeTensor(const fb::Tensor *in) {
  TensorInfo out{text(in->name()), static_cast<DType>(in->dtype()), {}};
  decodeEach(out.dims, in->dims(), decodeDim);
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

static std::string decodeString(const flatbuffers::String *in) {
  return text(in);
}

static Symbol decodeSymbol(const fb::Symbol *in) {
  return {text(in->name()), in->min(), in->max()};
}

static StageInfo decodeStage(const fb::Stage *in) {
  StageInfo out = {text(in->name()),
                   text(in->ops()),
                   text(in->nodes()),
                   text(in->flops()),
                   text(in->bytes()),
                   text(in->tiles()),
                   text(in->sync()),
                   {},
                   {},
                   in->times(),
                   {}};
  auto number = [](uint32_t number) { return number; };
  decodeEach(out.reads, in->reads(), number);
  decodeEach(out.writes, in->writes(), number);
  decodeEach(out.cuts, in->cuts(), [](const fb::Cut *cut) {
    return CutInfo{text(cut->of()), text(cut->tile())};
  });
  return out;
}

static TunedShape decodeTunedShape(const fb::TunedShape *in) {
  TunedShape out{text(in->of()), text(in->tile()), {}};
  decodeEach(out.tried, in->tried(), [](const fb::TriedTile *tried) {
    TriedTile tile{text(tried->tile()), {}};
    decodeEach(tile.seconds, tried->seconds(), std::identity());
    return tile;
  });
  return out;
}

static TuningInfo decodeTuning(const fb::Tuning *in) {
  TuningInfo out;
  out.workers = in->workers();
  decodeEach(out.sizes, in->sizes(), decodeString);
  decodeEach(out.shapes, in->shapes(), decodeTunedShape);
  decodeEach(out.before, in->before(), std::identity());
  decodeEach(out.after, in->after(), std::identity());
  return out;
}

static BufferInfo decodeBuffer(const fb::Buffer *in) {
  return {text(in->name()), text(in->offset()), text(in->bytes()), in->each()};
}

static CacheInfo decodeCache(const fb::Cache *in) {
  CacheInfo out;
  out.name = text(in->name());
  out.group = in->group();
  out.heads = in->heads();
  out.keyDepth = in->key_depth();
  out.valueDepth = in->value_depth();
  out.dtype = static_cast<DType>(in->dtype());
  out.keyOffset = in->key_offset();
  out.valueOffset = in->value_offset();
  out.keyInput = text(in->key_input());
  out.valueInput = text(in->value_input());
  out.keyOutput = text(in->key_output());
  out.valueOutput = text(in->value_output());
  return out;
}

static StateInfo decodeState(const fb::State *in) {
  StateInfo out;
  out.pagePositions = in->page_positions();
  out.maxPositions = in->max_positions();
  decodeEach(out.groups, in->groups(), [](const fb::CacheGroup *group) {
    return CacheGroup{group->window(), group->page_bytes(), group->bound()};
  });
  decodeEach(out.caches, in->caches(), decodeCache);
  out.tokensInput = text(in->tokens_input());
  out.pastInput = text(in->past_input());
  out.countInput = text(in->count_input());
  out.logitsOutput = text(in->logits_output());
  decodeEach(out.replaced, in->replaced(), decodeString);
  out.boundInput = text(in->bound_input());
  if (in->bound_length())
    out.boundLength = decodeDim(in->bound_length());
  return out;
}

static EntryInfo decodeEntry(const fb::Entry *in) {
  EntryInfo out;
  out.name = text(in->name());
  out.sizesSymbol = text(in->sizes_symbol());
  out.entrySymbol = text(in->entry_symbol());
  out.arena = text(in->arena());
  decodeEach(out.symbols, in->symbols(), decodeSymbol);
  decodeEach(out.inputs, in->inputs(), decodeTensor);
  decodeEach(out.outputs, in->outputs(), decodeTensor);
  decodeEach(out.stages, in->stages(), decodeStage);
  decodeEach(out.buffers, in->buffers(), decodeBuffer);
  return out;
}

/// Whether the elements of a vector may be read: the verifier looks at where
/// its length stands, which needs less alignment than numbers of 64 bits.
static bool isAligned(const flatbuffers::Vector<int64_t> *vector) {
  return !vector ||
         reinterpret_cast<uintptr_t>(vector->Data()) % alignof(int64_t) == 0;
}

Result<Manifest>
ingot::rt::decodeManifest(std::span<const unsigned char> bytes) {
  flatbuffers::Verifier verifier(bytes.data(), bytes.size());
  if (!fb::VerifyManifestBuffer(verifier))
    return failure(Code::CorruptArtifact,
                   "the manifest is not a valid FlatBuffer");
  const fb::Manifest *in = fb::GetManifest(bytes.data());
  if (in->weights())
    for (const fb::Weight *weight : *in->weights())
      if (!isAligned(weight->dims()))
        return failure(Code::CorruptArtifact,
                       "the manifest holds numbers at odd places");

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
  decodeEach(out.symbols, in->symbols(), decodeSymbol);
  decodeEach(out.stages, in->stages(), decodeStage);
  decodeEach(out.buffers, in->buffers(), decodeBuffer);
  decodeEach(out.ops, in->ops(), [](const fb::OpCount *op) {
    return OpCount{text(op->name()), op->count()};
  });
  if (in->state())
    out.state = decodeState(in->state());
  decodeEach(out.entries, in->entries(), decodeEntry);
  if (in->decider())
    out.decider =
        DeciderInfo{text(in->decider()->input()), text(in->decider()->entry())};
  if (in->tuning())
    out.tuning = decodeTuning(in->tuning());
  return out;
}
