//===- ExplainState.cpp - what explain says of a cache --------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/explain/ExplainState.h"

#include "tools/ingot/Costs.h"
#include "tools/ingot/NameList.h"
#include "tools/ingot/Table.h"

#include <algorithm>
#include <tuple>

using namespace ingot::cli;
namespace rt = ingot::rt;
using Json = nlohmann::ordered_json;

/// Of all caches that grow with the tokens, or of those that do not.
static uint64_t bytesPerPosition(const rt::StateInfo &state, bool isBound) {
  uint64_t sum = 0;
  for (const rt::CacheInfo &cache : state.caches)
    if (state.groups[cache.group].isBound == isBound)
      sum += bytesPerToken(cache);
  return sum;
}

static std::string keptBy(const rt::CacheGroup &group) {
  if (group.isBound)
    return "bound";
  return group.window == 0 ? "all" : "last " + std::to_string(group.window);
}

static std::string heldBy(const rt::CacheGroup &group) {
  if (group.isBound)
    return "are bound";
  return group.window == 0 ? "keep all positions"
                           : "keep the " + keptBy(group) + " positions";
}

/// Joins what is there.
static std::string both(const std::string &a, const std::string &b) {
  return a + (a.empty() || b.empty() || a == b ? "" : ", ") + (a == b ? "" : b);
}

/// A row for each kind of cache.
static std::string cacheTable(const rt::StateInfo &state) {
  auto kindOf = [](const rt::CacheInfo &cache) {
    return std::tuple(cache.group, cache.heads, cache.keyDepth,
                      cache.valueDepth, cache.dtype);
  };
  std::vector<std::vector<const rt::CacheInfo *>> kinds;
  for (const rt::CacheInfo &cache : state.caches) {
    auto known = std::ranges::find_if(kinds, [&](auto &kind) {
      return kindOf(*kind.front()) == kindOf(cache);
    });
    if (known == kinds.end())
      kinds.push_back({&cache});
    else
      known->push_back(&cache);
  }
  Table table({"cache", ">number", "keeps", ">heads", ">key depth",
               ">value depth", "dtype", ">bytes/token", "instead of inputs",
               "instead of outputs"});
  for (const std::vector<const rt::CacheInfo *> &kind : kinds) {
    auto names = [&](std::string rt::CacheInfo::*name) {
      std::vector<std::string> all;
      all.reserve(kind.size());
      for (const rt::CacheInfo *cache : kind)
        all.push_back(cache->*name);
      return nameList(all);
    };
    const rt::CacheInfo &first = *kind.front();
    table.add({names(&rt::CacheInfo::name), std::to_string(kind.size()),
               keptBy(state.groups[first.group]), std::to_string(first.heads),
               std::to_string(first.keyDepth), std::to_string(first.valueDepth),
               std::string(rt::dtypeName(first.dtype)),
               std::to_string(kind.size() * bytesPerToken(first)),
               both(names(&rt::CacheInfo::keyInput),
                    names(&rt::CacheInfo::valueInput)),
               both(names(&rt::CacheInfo::keyOutput),
                    names(&rt::CacheInfo::valueOutput))});
  }
  return table.str();
}

/// What became of other inputs; those of which the same became together.
static std::string replacedTable(const rt::StateInfo &state) {
  Table table({"input", "is now"});
  std::vector<std::string> names;
  std::string now;
  auto flush = [&] {
    if (!names.empty())
      table.add({nameList(names), now});
    names.clear();
  };
  for (const std::string &line : state.replaced) {
    size_t colon = line.rfind(": ");
    std::string next = colon == std::string::npos ? "" : line.substr(colon + 2);
    names.push_back(line.substr(0, colon));
    // Only names that differ in a number make one.
    bool isOne =
        names.size() == 1 ||
        (next == now && nameList(names).find('{') != std::string::npos);
    if (!isOne) {
      std::string last = names.back();
      names.pop_back();
      flush();
      names.push_back(last);
    }
    now = next;
  }
  flush();
  return table.str();
}

std::string ingot::cli::stateText(const rt::Manifest &manifest) {
  if (!manifest.state)
    return "";
  const rt::StateInfo &state = *manifest.state;
  std::string out = "\nState\n" + cacheTable(state);
  if (!state.boundInput.empty())
    out += "  " + std::to_string(bytesPerPosition(state, /*isBound=*/true)) +
           " bytes for each position of what is bound before the first token\n";
  out += "  " + std::to_string(bytesPerPosition(state, /*isBound=*/false)) +
         " bytes for each token of a sequence";
  out +=
      state.maxPositions == 0
          ? ", of any length\n"
          : ", of at most " + std::to_string(state.maxPositions) + " tokens\n";
  for (const rt::CacheGroup &group : state.groups)
    out += "  pages of " + std::to_string(state.pagePositions) +
           " positions, " + quantity(double(group.pageBytes), "B") +
           " each, for caches that " + heldBy(group) + "\n";
  if (state.replaced.empty())
    return out;
  return out + "\nReplaced\n" + replacedTable(state);
}

Json ingot::cli::stateJson(const rt::StateInfo &state) {
  Json out = {{"tokens", state.tokensInput},
              {"past", state.pastInput},
              {"count", state.countInput},
              {"logits", state.logitsOutput},
              {"bytes_per_token", bytesPerPosition(state, false)},
              {"page_positions", state.pagePositions},
              {"max_positions", state.maxPositions},
              {"replaced", state.replaced}};
  for (const rt::CacheGroup &group : state.groups)
    out["groups"].push_back({{"window", group.window},
                             {"bound", group.isBound},
                             {"page_bytes", group.pageBytes}});
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
