//===- CpuCapabilities.h - what a target CPU can do -------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The one table of CPUs that code is made for. Kernels choose their tiles from
// it, object code is emitted for it, and the artifact records what it requires.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <optional>
#include <string>

namespace ingot {

/// One row of the capability table.
struct TargetInfo {
  /// The level's name, "x86-64-v3", "x86-64-v4" or "aarch64", with the
  /// extensions above it that kernels use ("x86-64-v4+avx512vnni+avx512bf16"),
  /// also when asked by "native".
  std::string name;
  /// LLVM's name of the machine and its system.
  std::string triple;
  /// What LLVM's TargetMachine takes as its CPU.
  std::string cpu;
  /// What LLVM's "tune-cpu" function attribute takes; changes no instruction
  /// set, only scheduling.
  std::string tuneCpu;
  /// LLVM's feature string, with a sign before every feature.
  std::string features;
  /// The CPU features the code may use; the loader refuses a machine without
  /// one of them.
  llvm::SmallVector<std::string> required;
  /// Width of the widest vector register, and how many there are.
  unsigned vectorBits = 256;
  unsigned vectorRegisters = 16;
  bool isX86 = true;
  bool hasFma = true;
  bool hasF16c = true;
  bool hasAvx512f = false;
  bool hasAvx512bw = false;
  /// vpdpwssd and vpdpbusd on 512-bit and on 256-bit registers.
  bool hasAvx512Vnni = false;
  bool hasAvxVnni = false;
  /// vdpbf16ps on 512-bit registers.
  bool hasAvx512Bf16 = false;

  /// f32 lanes in one register.
  unsigned f32Lanes() const { return vectorBits / 32; }
  /// Rows of the GEMM micro-tile: as many as the registers hold without spills.
  unsigned gemmRows() const { return hasAvx512f ? 12 : 6; }
  /// Panels of 16 columns in the GEMM micro-tile.
  unsigned gemmPanels() const { return hasAvx512f ? 2 : 1; }
  /// Steps of K in one turn of the micro-tile's loop: where vectors are short,
  /// counting and jumping take a part of what a core decodes.
  unsigned gemmSteps() const { return isX86 && !hasAvx512f ? 4 : 1; }
};

/// Looks up "x86-64-v3", "x86-64-v3+avxvnni", "x86-64-v4",
/// "x86-64-v4+avx512vnni", "x86-64-v4+avx512vnni+avx512bf16", "aarch64" or
/// "native" (the highest level that this machine has, with its extensions). On
/// failure the answer is empty and `error` says why.
std::optional<TargetInfo> lookupTarget(llvm::StringRef name,
                                       std::string &error);

/// Whether this machine can run what is compiled for `target`.
bool runsHere(const TargetInfo &target);

} // namespace ingot
