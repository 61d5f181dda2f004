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
  /// What kernels can use above the level.
  llvm::StringLiteral extension;
};
} // namespace

static constexpr llvm::StringLiteral v3Features[] = {
    "avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe", "popcnt"};
static constexpr llvm::StringLiteral v4Features[] = {
    "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"};

/// From the lowest level to the highest.
static const Level levels[] = {{"x86-64-v3", v3Features, 256, "avxvnni"},
                               {"x86-64-v4", v4Features, 512, "avx512vnni"}};

static TargetInfo describe(size_t index, bool extended) {
  TargetInfo info;
  info.name = info.cpu = info.tuneCpu = levels[index].name.str();
  llvm::StringLiteral extension = levels[index].extension;
  info.vectorBits = levels[index].vectorBits;
  for (const Level &level : llvm::ArrayRef(levels).take_front(index + 1)) {
    for (llvm::StringLiteral feature : level.adds) {
      info.required.push_back(feature.str());
      info.features += (info.features.empty() ? "+" : ",+") + feature.str();
    }
  }
  if (extended) {
    info.name += "+" + extension.str();
    info.required.push_back(extension.str());
    info.features += ",+" + extension.str();
  }
  auto has = [&](llvm::StringRef feature) {
    return llvm::is_contained(info.required, feature);
  };
  info.hasFma = has("fma");
  info.hasF16c = has("f16c");
  info.hasAvx512f = has("avx512f");
  info.hasAvx512bw = has("avx512bw");
  info.hasAvx512Vnni = has("avx512vnni");
  info.hasAvxVnni = has("avxvnni");
  return info;
}

std::optional<TargetInfo> ingot::lookupTarget(llvm::StringRef name,
                                              std::string &error) {
  auto [base, extension] = name.split('+');
  for (size_t i = 0; i < std::size(levels); ++i)
    if (levels[i].name == base &&
        (base == name || extension == levels[i].extension))
      return describe(i, /*extended=*/base != name);
  if (name != "native") {
    error = "unknown target CPU '" + name.str() + "'; known are native";
    for (const Level &level : levels)
      error += ", " + level.name.str() + ", " + level.name.str() + "+" +
               level.extension.str();
    return std::nullopt;
  }

  llvm::StringMap<bool> host = llvm::sys::getHostCPUFeatures();
  std::optional<size_t> best;
  for (size_t i = 0; i < std::size(levels); ++i) {
    const auto *missing =
        llvm::find_if(levels[i].adds, [&](llvm::StringRef feature) {
          return !host.lookup(feature);
        });
    if (missing != levels[i].adds.end()) {
      if (!best)
        error = "this machine's CPU lacks " + missing->str() +
                ", which the lowest supported level (" + levels[0].name.str() +
                ") needs";
      break;
    }
    best = i;
  }
  if (!best)
    return std::nullopt;
  TargetInfo info = describe(*best, host.lookup(levels[*best].extension));
  info.tuneCpu = llvm::sys::getHostCPUName().str();
  return info;
}
