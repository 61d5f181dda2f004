//===- ManifestCheck.cpp - what a manifest must fulfil --------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/core/Abi.h"
#include "runtime/core/Manifest.h"

#include <algorithm>
#include <set>
#include <tuple>

using namespace ingot::rt;

/// No page is this large: sums of pages stay far from overflow.
static constexpr uint64_t maxPageBytes = uint64_t(1) << 40;
static constexpr std::string_view bindEntry = "bind";
static constexpr std::string_view sampleEntry = "sample";
static constexpr std::string_view loopEntry = "generate";

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

static Status checkSymbols(const std::vector<Symbol> &symbols) {
  std::set<std::string_view> names;
  for (const Symbol &symbol : symbols) {
    if (symbol.name.empty() || !names.insert(symbol.name).second)
      return bad("the symbol name '", symbol.name, "' is empty or used twice");
    if (symbol.min < 0 || symbol.min > symbol.max)
      return bad("symbol '", symbol.name, "' has bounds ", symbol.min, " to ",
                 symbol.max);
  }
  return {};
}

/// Checks what the main program and every entry have.
static Status checkProgram(const std::string &sizes, const std::string &entry,
                           const std::vector<Symbol> &symbols,
                           const std::vector<TensorInfo> &inputs,
                           const std::vector<TensorInfo> &outputs) {
  if (sizes.empty() || entry.empty())
    return bad("an entry symbol has no name");
  if (Status status = checkSymbols(symbols); !status.ok())
    return status;
  if (Status status = checkTensors(inputs, "input"); !status.ok())
    return status;
  return checkTensors(outputs, "output");
}

//===----------------------------------------------------------------------===//
// State
//===----------------------------------------------------------------------===//

namespace {
/// Bytes of a page that one cache's keys or values take.
struct Part {
  uint32_t group;
  uint64_t start, size;
  const CacheInfo *cache;
};
} // namespace

/// The product of the extents; fails if it is more than `limit`.
static bool product(std::initializer_list<uint64_t> extents, uint64_t limit,
                    uint64_t &out) {
  out = 1;
  for (uint64_t extent : extents)
    if (__builtin_mul_overflow(out, extent, &out) || out > limit)
      return false;
  return true;
}

static Status checkCache(const StateInfo &state, const CacheInfo &cache,
                         std::vector<Part> &parts) {
  if (cache.group >= state.groups.size())
    return bad("cache '", cache.name, "' is of group ", cache.group, " of ",
               state.groups.size());
  if (cache.dtype != DType::F32 && cache.dtype != DType::F16)
    return bad("cache '", cache.name, "' is neither f32 nor f16");
  uint64_t pageBytes = state.groups[cache.group].pageBytes;
  for (auto [offset, depth] :
       {std::pair(cache.keyOffset, cache.keyDepth),
        std::pair(cache.valueOffset, cache.valueDepth)}) {
    uint64_t size = 0;
    if (!product({cache.heads, depth, state.pagePositions,
                  elementBytes(cache.dtype)},
                 pageBytes, size) ||
        size == 0 || offset > pageBytes || size > pageBytes - offset)
      return bad("cache '", cache.name, "' is empty or ends outside its page");
    if (offset % INGOT_ALIGNMENT != 0)
      return bad("cache '", cache.name, "' is not aligned to ", INGOT_ALIGNMENT,
                 " bytes");
    parts.push_back({cache.group, offset, size, &cache});
  }
  return {};
}

static Status checkCaches(const StateInfo &state) {
  if (state.pagePositions == 0 || state.groups.empty() || state.caches.empty())
    return bad("a state without caches");
  for (const CacheGroup &group : state.groups) {
    if (group.pageBytes == 0 || group.pageBytes > maxPageBytes ||
        group.pageBytes % INGOT_ALIGNMENT != 0)
      return bad("a page of ", group.pageBytes, " bytes");
    if (group.isBound && (group.window != 0 || state.boundInput.empty()))
      return bad("a bound cache with ",
                 group.window ? "a window" : "no input of its length");
  }
  std::set<std::string_view> names;
  std::vector<Part> parts;
  for (const CacheInfo &cache : state.caches) {
    if (cache.name.empty() || !names.insert(cache.name).second)
      return bad("the cache name '", cache.name, "' is empty or used twice");
    if (Status status = checkCache(state, cache, parts); !status.ok())
      return status;
  }
  std::sort(parts.begin(), parts.end(), [](const Part &a, const Part &b) {
    return std::pair(a.group, a.start) < std::pair(b.group, b.start);
  });
  for (size_t i = 1; i < parts.size(); ++i)
    if (parts[i].group == parts[i - 1].group &&
        parts[i].start - parts[i - 1].start < parts[i - 1].size)
      return bad("caches '", parts[i - 1].cache->name, "' and '",
                 parts[i].cache->name, "' overlap");
  return {};
}

/// Checks that `tensors` has `name` with one of the dtypes and the rank.
static Status checkRole(const std::vector<TensorInfo> &tensors,
                        const std::string &name, std::string_view role,
                        std::initializer_list<DType> dtypes, size_t rank) {
  for (const TensorInfo &tensor : tensors) {
    if (tensor.name != name)
      continue;
    if (std::ranges::find(dtypes, tensor.dtype) == dtypes.end() ||
        tensor.dims.size() != rank)
      return bad("'", name, "' is of dtype ", dtypeName(tensor.dtype),
                 " and rank ", tensor.dims.size(), ", which does not fit ",
                 role);
    return {};
  }
  return bad("there is no '", name, "' for ", role);
}

/// Checks a program over the state: the main one or an entry.
static Status checkStep(const StateInfo &state,
                        const std::vector<TensorInfo> &inputs,
                        const std::vector<TensorInfo> &outputs,
                        size_t logitsRank) {
  if (Status status = checkRole(inputs, state.tokensInput, "the tokens",
                                {DType::I32, DType::I64}, 2);
      !status.ok())
    return status;
  for (const std::string &name : {state.pastInput, state.countInput})
    if (Status status = checkRole(inputs, name, "a length", {DType::I64}, 1);
        !status.ok())
      return status;
  if (!state.boundInput.empty())
    if (Status status =
            checkRole(inputs, state.boundInput, "a length", {DType::I64}, 1);
        !status.ok())
      return status;
  size_t expected = state.boundInput.empty() ? 3 : 4;
  if (inputs.size() != expected)
    return bad("a program with a state has ", inputs.size(),
               " inputs, expected ", expected);
  if (Status status = checkRole(outputs, state.logitsOutput, "the logits",
                                {DType::F32}, logitsRank);
      !status.ok())
    return status;
  for (const TensorInfo &tensor : outputs)
    if (tensor.name == state.logitsOutput &&
        (!tensor.dims.back().isStatic() || tensor.dims.back().value == 0))
      return bad("the size of the vocabulary is not known ('", tensor.name,
                 "' has the dim ", tensor.dims.back().str(), ")");
  return {};
}

/// Checks the program that fills bound caches.
static Status checkBind(const StateInfo &state, const EntryInfo &entry) {
  for (const std::string &name : {state.pastInput, state.countInput})
    if (Status status =
            checkRole(entry.inputs, name, "a length", {DType::I64}, 1);
        !status.ok())
      return status;
  if (!entry.outputs.empty())
    return bad("the entry '", entry.name, "' has outputs");
  if (state.boundLength.isStatic())
    return {};
  for (const TensorInfo &input : entry.inputs)
    for (const Dim &dim : input.dims)
      if (!dim.isStatic() && dim.text == state.boundLength.text)
        return {};
  return bad("no input of the entry '", entry.name, "' has the dim '",
             state.boundLength.text, "'");
}

/// Checks the program that chooses tokens.
static Status checkSample(const EntryInfo &entry) {
  const std::tuple<const char *, DType, int64_t> inputs[] = {
      {"logits", DType::F32, -1},
      {"history", DType::I64, -1},
      {"reals", DType::F64, 4},
      {"numbers", DType::I64, 4}};
  auto check = [&](const std::vector<TensorInfo> &tensors, const char *name,
                   DType dtype, int64_t extent) -> Status {
    if (Status status =
            checkRole(tensors, name, "choosing a token", {dtype}, 1);
        !status.ok())
      return status;
    auto tensor = std::ranges::find(tensors, name, &TensorInfo::name);
    if (extent >= 0 && tensor->dims[0].value != extent)
      return bad("'", name, "' has ", tensor->dims[0].str(),
                 " elements, expected ", extent);
    return {};
  };
  if (entry.inputs.size() != std::size(inputs) || entry.outputs.size() != 1)
    return bad("the entry '", entry.name, "' has ", entry.inputs.size(),
               " inputs and ", entry.outputs.size(), " outputs");
  for (const auto &[name, dtype, extent] : inputs)
    if (Status status = check(entry.inputs, name, dtype, extent); !status.ok())
      return status;
  return check(entry.outputs, "token", DType::I64, 2);
}

/// Checks the program that does token after token.
static Status checkLoop(const StateInfo &state, const EntryInfo &entry,
                        const std::set<std::string_view> &names) {
  if (!names.contains("decode"))
    return bad("the entry '", entry.name, "' has no entry 'decode' to call");
  auto check = [&](const std::string &name, std::initializer_list<DType> dtypes,
                   size_t rank) {
    return checkRole(entry.inputs, name, "a loop over tokens", dtypes, rank);
  };
  if (Status status = check(state.tokensInput, {DType::I32, DType::I64}, 2);
      !status.ok())
    return status;
  if (Status status = check(state.logitsOutput, {DType::F32}, 2); !status.ok())
    return status;
  for (const std::string &name :
       {state.pastInput, state.countInput, std::string("ingot.history"),
        std::string("ingot.numbers"), std::string("ingot.token"),
        std::string("ingot.stops"), std::string("ingot.chosen"),
        std::string("ingot.progress")})
    if (Status status = check(name, {DType::I64}, 1); !status.ok())
      return status;
  return check("ingot.reals", {DType::F64}, 1);
}

/// Checks that stages name buffers that there are.
static Status checkStages(const std::vector<StageInfo> &stages,
                          const std::vector<BufferInfo> &buffers) {
  for (const StageInfo &stage : stages)
    for (const std::vector<uint32_t> *list : {&stage.reads, &stage.writes})
      for (uint32_t number : *list)
        if (number >= buffers.size())
          return bad("stage '", stage.name, "' touches the buffer ", number,
                     " of ", buffers.size());
  return {};
}

static Status checkEntries(const Manifest &manifest) {
  std::set<std::string_view> names;
  for (const EntryInfo &entry : manifest.entries) {
    if (entry.name.empty() || !names.insert(entry.name).second)
      return bad("the entry name '", entry.name, "' is empty or used twice");
    if (Status status =
            checkProgram(entry.sizesSymbol, entry.entrySymbol, entry.symbols,
                         entry.inputs, entry.outputs);
        !status.ok())
      return status;
    if (Status status = checkStages(entry.stages, entry.buffers); !status.ok())
      return status;
    if (!manifest.state)
      continue;
    if (entry.name == bindEntry) {
      if (Status status = checkBind(*manifest.state, entry); !status.ok())
        return status;
      continue;
    }
    if (entry.name == sampleEntry) {
      if (Status status = checkSample(entry); !status.ok())
        return status;
      continue;
    }
    if (entry.name == loopEntry)
      continue;
    if (Status status = checkStep(*manifest.state, entry.inputs, entry.outputs,
                                  entry.name == "all" ? 3 : 2);
        !status.ok())
      return status;
  }
  if (manifest.state && !names.contains(sampleEntry))
    return bad("there is no entry '", sampleEntry, "' to choose tokens");
  for (const EntryInfo &entry : manifest.entries)
    if (manifest.state && entry.name == loopEntry)
      if (Status status = checkLoop(*manifest.state, entry, names);
          !status.ok())
        return status;
  if (manifest.state && !manifest.state->boundInput.empty() &&
      !names.contains(bindEntry))
    return bad("there is no entry '", bindEntry, "' for bound caches");
  return {};
}

/// Checks that hosts see one signature, whichever program runs.
static Status checkAlike(const std::vector<TensorInfo> &tensors,
                         const std::vector<TensorInfo> &others) {
  bool same = tensors.size() == others.size();
  for (size_t i = 0; same && i < tensors.size(); ++i)
    same = tensors[i].name == others[i].name &&
           tensors[i].dtype == others[i].dtype &&
           tensors[i].dims.size() == others[i].dims.size();
  return same ? Status() : bad("two programs have different signatures");
}

static Status checkDecider(const Manifest &manifest) {
  if (!manifest.decider)
    return {};
  const auto &[input, name] = *manifest.decider;
  if (manifest.state)
    return bad("a state, and an input that decides between programs");
  for (const TensorInfo &tensor : manifest.inputs)
    if (tensor.name == input)
      for (const Dim &dim : tensor.dims)
        if (dim.value != 1)
          return bad("the input '", input, "' decides with several elements");
  auto entry = std::ranges::find(manifest.entries, name, &EntryInfo::name);
  if (entry == manifest.entries.end())
    return bad("there is no entry '", name, "' for an input to decide");
  if (Status status = checkAlike(manifest.inputs, entry->inputs); !status.ok())
    return status;
  if (Status status = checkAlike(manifest.outputs, entry->outputs);
      !status.ok())
    return status;
  for (const TensorInfo &tensor : manifest.inputs)
    if (tensor.name == input && tensor.dtype == DType::Bool)
      return {};
  return bad("there is no boolean input '", input, "' to decide");
}

/// Checks that there is a time for each size.
static Status checkTuning(const Manifest &manifest) {
  if (!manifest.tuning)
    return {};
  const TuningInfo &tuning = *manifest.tuning;
  auto isWhole = [&](const std::vector<double> &seconds) {
    return seconds.size() == tuning.sizes.size();
  };
  for (const TunedShape &shape : tuning.shapes)
    for (const TriedTile &tried : shape.tried)
      if (!isWhole(tried.seconds))
        return bad("the tile ", tried.tile, " of '", shape.of, "' has ",
                   tried.seconds.size(), " times for ", tuning.sizes.size(),
                   " sizes");
  if (!tuning.before.empty() || !tuning.after.empty())
    if (!isWhole(tuning.before) || !isWhole(tuning.after))
      return bad("a tuning has not a time for each of its sizes");
  return {};
}

Status ingot::rt::checkManifest(const Manifest &manifest,
                                uint64_t weightsBytes) {
  if (Status status =
          checkProgram(manifest.sizesSymbol, manifest.entrySymbol,
                       manifest.symbols, manifest.inputs, manifest.outputs);
      !status.ok())
    return status;
  if (!manifest.errors.empty() && !manifest.errors.front().empty())
    return bad("error id 0 is reserved, its message must be empty");
  if (manifest.state) {
    if (Status status = checkCaches(*manifest.state); !status.ok())
      return status;
    if (Status status =
            checkStep(*manifest.state, manifest.inputs, manifest.outputs, 2);
        !status.ok())
      return status;
  }
  if (Status status = checkStages(manifest.stages, manifest.buffers);
      !status.ok())
    return status;
  if (Status status = checkEntries(manifest); !status.ok())
    return status;
  if (Status status = checkDecider(manifest); !status.ok())
    return status;
  if (Status status = checkTuning(manifest); !status.ok())
    return status;
  return checkWeights(manifest.weights, weightsBytes);
}
