//===- CpuCapabilities.cpp - what a target CPU can do ---------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Target/CpuCapabilities.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/TargetParser/Host.h"

using namespace ingot;

namespace {
/// A level of the x86-64 psABI: the features it adds to the level below it.
struct Level {
  llvm::StringLiteral name;
  llvm::ArrayRef<llvm::StringLiteral> adds;
  unsigned vectorBits;
};
} // namespace

static constexpr llvm::StringLiteral v3Features[] = {
    "avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe", "popcnt"};
static constexpr llvm::StringLiteral v4Features[] = {
    "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"};

/// From the lowest level to the highest.
static const Level levels[] = {{"x86-64-v3", v3Features, 256},
                               {"x86-64-v4", v4Features, 512}};

static TargetInfo describe(size_t index) {
  TargetInfo info;
  info.name = info.cpu = info.tuneCpu = levels[index].name.str();
  info.vectorBits = levels[index].vectorBits;
  for (const Level &level : llvm::ArrayRef(levels).take_front(index + 1)) {
    for (llvm::StringLiteral feature : level.adds) {
      info.required.push_back(feature.str());
      info.features += (info.features.empty() ? "+" : ",+") + feature.str();
    }
  }
  auto has = [&](llvm::StringRef feature) {
    return llvm::is_contained(info.required, feature);
  };
  info.hasFma = has("fma");
  info.hasF16c = has("f16c");
  info.hasAvx512f = has("avx512f");
  return info;
}

std::optional<TargetInfo> ingot::lookupTarget(llvm::StringRef name,
                                              std::string &error) {
  for (size_t i = 0; i < std::size(levels); ++i)
    if (levels[i].name == name)
      return describe(i);
  if (name != "native") {
    error = "unknown target CPU '" + name.str() + "'; known are native";
    for (const Level &level : levels)
      error += ", " + level.name.str();
    return std::nullopt;
  }

  llvm::StringMap<bool> host = llvm::sys::getHostCPUFeatures();
  std::optional<TargetInfo> best;
  for (size_t i = 0; i < std::size(levels); ++i) {
    for (llvm::StringLiteral feature : levels[i].adds) {
      if (host.lookup(feature))
        continue;
      if (!best)
        error = "this machine's CPU lacks " + feature.str() +
                ", which the lowest supported level (" + levels[0].name.str() +
                ") needs";
      else
        best->tuneCpu = llvm::sys::getHostCPUName().str();
      return best;
    }
    best = describe(i);
  }
  best->tuneCpu = llvm::sys::getHostCPUName().str();
  return best;
}
