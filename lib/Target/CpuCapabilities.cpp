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
  /// What kernels can use above the level, each with those before it.
  llvm::ArrayRef<llvm::StringLiteral> extensions;

  /// Its name with the first `count` extensions.
  std::string nameWith(size_t count) const {
    std::string text = name.str();
    for (llvm::StringLiteral extension : extensions.take_front(count))
      text += "+" + extension.str();
    return text;
  }
};
} // namespace

static constexpr llvm::StringLiteral v3Features[] = {
    "avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe", "popcnt"};
static constexpr llvm::StringLiteral v4Features[] = {
    "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"};
static constexpr llvm::StringLiteral v3Extensions[] = {"avxvnni"};
static constexpr llvm::StringLiteral v4Extensions[] = {"avx512vnni",
                                                       "avx512bf16"};

/// From the lowest level to the highest.
static const Level levels[] = {{"x86-64-v3", v3Features, 256, v3Extensions},
                               {"x86-64-v4", v4Features, 512, v4Extensions}};

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

/// A level with the first `extensions` of its extensions.
static TargetInfo describe(size_t index, size_t extensions) {
  TargetInfo info;
  info.name = levels[index].nameWith(extensions);
  info.cpu = info.tuneCpu = levels[index].name.str();
  info.triple = "x86_64-unknown-linux-gnu";
  info.vectorBits = levels[index].vectorBits;
  info.vectorRegisters = levels[index].vectorBits == 512 ? 32 : 16;
  for (const Level &level : llvm::ArrayRef(levels).take_front(index + 1)) {
    for (llvm::StringLiteral feature : level.adds) {
      info.required.push_back(feature.str());
      info.features += (info.features.empty() ? "+" : ",+") + feature.str();
    }
  }
  for (llvm::StringLiteral extension :
       levels[index].extensions.take_front(extensions)) {
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
  info.hasAvx512Bf16 = has("avx512bf16");
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
  for (size_t i = 0; i < std::size(levels); ++i)
    for (size_t count = 0; count <= levels[i].extensions.size(); ++count)
      if (levels[i].nameWith(count) == name)
        return describe(i, count);
  if (name == armName)
    return describeArm();
  if (name != "native") {
    error = "unknown target CPU '" + name.str() + "'; known are native";
    for (const Level &level : levels)
      for (size_t count = 0; count <= level.extensions.size(); ++count)
        error += ", " + level.nameWith(count);
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
  const auto *lacking =
      llvm::find_if(levels[*best].extensions, [&](llvm::StringRef extension) {
        return !host.lookup(extension);
      });
  TargetInfo info =
      describe(*best, size_t(lacking - levels[*best].extensions.begin()));
  info.tuneCpu = llvm::sys::getHostCPUName().str();
  return info;
}
