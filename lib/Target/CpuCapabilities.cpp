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
#include "llvm/TargetParser/Triple.h"

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

/// What every 64-bit Arm CPU has: vectors of 128 bits, fused multiply-add and
/// conversions of halves. Products of codes are written out in plain vectors.
static constexpr llvm::StringLiteral armName = "aarch64";

static TargetInfo describeArm() {
  TargetInfo info;
  info.name = armName.str();
  info.triple = "aarch64-unknown-linux-gnu";
  info.cpu = info.tuneCpu = "generic";
  info.features = "+neon";
  info.vectorBits = 128;
  info.vectorRegisters = 32;
  info.isX86 = false;
  return info;
}

static TargetInfo describe(size_t index, bool extended) {
  TargetInfo info;
  info.name = info.cpu = info.tuneCpu = levels[index].name.str();
  info.triple = "x86_64-unknown-linux-gnu";
  llvm::StringLiteral extension = levels[index].extension;
  info.vectorBits = levels[index].vectorBits;
  info.vectorRegisters = levels[index].vectorBits == 512 ? 32 : 16;
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

static bool isHostArm() {
  return llvm::Triple(llvm::sys::getProcessTriple()).isAArch64();
}

bool ingot::runsHere(const TargetInfo &target) {
  if (target.isX86 == isHostArm())
    return false;
  llvm::StringMap<bool> host = llvm::sys::getHostCPUFeatures();
  return llvm::all_of(target.required, [&](const std::string &feature) {
    return host.lookup(feature);
  });
}

std::optional<TargetInfo> ingot::lookupTarget(llvm::StringRef name,
                                              std::string &error) {
  auto [base, extension] = name.split('+');
  for (size_t i = 0; i < std::size(levels); ++i)
    if (levels[i].name == base &&
        (base == name || extension == levels[i].extension))
      return describe(i, /*extended=*/base != name);
  if (name == armName)
    return describeArm();
  if (name != "native") {
    error = "unknown target CPU '" + name.str() + "'; known are native";
    for (const Level &level : levels)
      error += ", " + level.name.str() + ", " + level.name.str() + "+" +
               level.extension.str();
    error += ", " + armName.str();
    return std::nullopt;
  }

  if (isHostArm())
    return describeArm();
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
