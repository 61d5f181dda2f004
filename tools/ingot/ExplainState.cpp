//===- ExplainState.cpp - what explain says of a cache --------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/ExplainState.h"

#include "tools/ingot/Table.h"

using namespace ingot::cli;
namespace rt = ingot::rt;
using Json = nlohmann::ordered_json;

/// Bytes of one position of a cache.
static uint64_t bytesPerToken(const rt::CacheInfo &cache) {
  return cache.heads * (cache.keyDepth + cache.valueDepth) *
         (cache.dtype == rt::DType::F16 ? 2 : 4);
}

static uint64_t bytesPerToken(const rt::StateInfo &state) {
  uint64_t sum = 0;
  for (const rt::CacheInfo &cache : state.caches)
    sum += bytesPerToken(cache);
  return sum;
}

static std::string keptBy(const rt::CacheGroup &group) {
  return group.window == 0 ? "all" : "last " + std::to_string(group.window);
}

std::string ingot::cli::stateText(const rt::Manifest &manifest) {
  if (!manifest.state)
    return "";
  const rt::StateInfo &state = *manifest.state;
  Table caches({"cache", "keeps", ">heads", ">key depth", ">value depth",
                "dtype", ">bytes/token", "instead of inputs",
                "instead of outputs"});
  for (const rt::CacheInfo &cache : state.caches)
    caches.add({cache.name, keptBy(state.groups[cache.group]),
                std::to_string(cache.heads), std::to_string(cache.keyDepth),
                std::to_string(cache.valueDepth),
                std::string(rt::dtypeName(cache.dtype)),
                std::to_string(bytesPerToken(cache)),
                cache.keyInput + ", " + cache.valueInput,
                cache.keyOutput + ", " + cache.valueOutput});
  std::string out = "\nState\n" + caches.str();
  out += "  " + std::to_string(bytesPerToken(state)) +
         " bytes for each token of a sequence";
  out +=
      state.maxPositions == 0
          ? ", of any length\n"
          : ", of at most " + std::to_string(state.maxPositions) + " tokens\n";
  for (const rt::CacheGroup &group : state.groups)
    out += "  pages of " + std::to_string(state.pagePositions) +
           " positions, " + quantity(double(group.pageBytes), "B") +
           " each, for caches that keep " +
           (group.window == 0 ? "all positions"
                              : "the " + keptBy(group) + " positions") +
           "\n";
  if (state.replaced.empty())
    return out;
  Table replaced({"input", "is now"});
  for (const std::string &line : state.replaced) {
    size_t colon = line.rfind(": ");
    replaced.add({line.substr(0, colon),
                  colon == std::string::npos ? "" : line.substr(colon + 2)});
  }
  return out + "\nReplaced\n" + replaced.str();
}

Json ingot::cli::stateJson(const rt::StateInfo &state) {
  Json out = {{"tokens", state.tokensInput},
              {"past", state.pastInput},
              {"count", state.countInput},
              {"logits", state.logitsOutput},
              {"bytes_per_token", bytesPerToken(state)},
              {"page_positions", state.pagePositions},
              {"max_positions", state.maxPositions},
              {"replaced", state.replaced}};
  for (const rt::CacheGroup &group : state.groups)
    out["groups"].push_back(
        {{"window", group.window}, {"page_bytes", group.pageBytes}});
  for (const rt::CacheInfo &cache : state.caches)
    out["caches"].push_back(
        {{"name", cache.name},
         {"group", cache.group},
         {"heads", cache.heads},
         {"key_depth", cache.keyDepth},
         {"value_depth", cache.valueDepth},
         {"dtype", std::string(rt::dtypeName(cache.dtype))},
         {"bytes_per_token", bytesPerToken(cache)},
         {"inputs", {cache.keyInput, cache.valueInput}},
         {"outputs", {cache.keyOutput, cache.valueOutput}}});
  return out;
}
