//===- CpuFeatures.cpp - what this machine's CPU can do -------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/cpu/CpuFeatures.h"

#if defined(__x86_64__)
#include <array>
#include <cpuid.h>
#include <cstdint>
#endif

using namespace ingot::rt;

#if defined(__x86_64__)

static constexpr std::string_view thisArchitecture = "x86_64";

namespace {
enum Register { EAX, EBX, ECX, EDX };

/// Bits of XCR0 that must be set for the registers of a feature to be saved.
enum RegisterState : uint64_t { Any = 0, Ymm = 0x6, Zmm = 0xE6 };

struct Feature {
  std::string_view name;
  uint32_t leaf, subleaf;
  Register reg;
  unsigned bit;
  RegisterState state;
};
} // namespace

static constexpr Feature featureTable[] = {
    {"64bit", 0x80000001, 0, EDX, 29, Any},
    {"x87", 1, 0, EDX, 0, Any},
    {"cx8", 1, 0, EDX, 8, Any},
    {"cmov", 1, 0, EDX, 15, Any},
    {"mmx", 1, 0, EDX, 23, Any},
    {"fxsr", 1, 0, EDX, 24, Any},
    {"sse", 1, 0, EDX, 25, Any},
    {"sse2", 1, 0, EDX, 26, Any},
    {"sse3", 1, 0, ECX, 0, Any},
    {"pclmul", 1, 0, ECX, 1, Any},
    {"ssse3", 1, 0, ECX, 9, Any},
    {"fma", 1, 0, ECX, 12, Ymm},
    {"cx16", 1, 0, ECX, 13, Any},
    {"sse4.1", 1, 0, ECX, 19, Any},
    {"sse4.2", 1, 0, ECX, 20, Any},
    {"crc32", 1, 0, ECX, 20, Any},
    {"movbe", 1, 0, ECX, 22, Any},
    {"popcnt", 1, 0, ECX, 23, Any},
    {"aes", 1, 0, ECX, 25, Any},
    {"xsave", 1, 0, ECX, 27, Any},
    {"avx", 1, 0, ECX, 28, Ymm},
    {"f16c", 1, 0, ECX, 29, Ymm},
    {"rdrnd", 1, 0, ECX, 30, Any},
    {"fsgsbase", 7, 0, EBX, 0, Any},
    {"bmi", 7, 0, EBX, 3, Any},
    {"avx2", 7, 0, EBX, 5, Ymm},
    {"bmi2", 7, 0, EBX, 8, Any},
    {"avx512f", 7, 0, EBX, 16, Zmm},
    {"avx512dq", 7, 0, EBX, 17, Zmm},
    {"rdseed", 7, 0, EBX, 18, Any},
    {"adx", 7, 0, EBX, 19, Any},
    {"avx512ifma", 7, 0, EBX, 21, Zmm},
    {"clflushopt", 7, 0, EBX, 23, Any},
    {"clwb", 7, 0, EBX, 24, Any},
    {"avx512cd", 7, 0, EBX, 28, Zmm},
    {"sha", 7, 0, EBX, 29, Any},
    {"avx512bw", 7, 0, EBX, 30, Zmm},
    {"avx512vl", 7, 0, EBX, 31, Zmm},
    {"avx512vbmi", 7, 0, ECX, 1, Zmm},
    {"avx512vbmi2", 7, 0, ECX, 6, Zmm},
    {"gfni", 7, 0, ECX, 8, Any},
    {"vaes", 7, 0, ECX, 9, Ymm},
    {"vpclmulqdq", 7, 0, ECX, 10, Ymm},
    {"avx512vnni", 7, 0, ECX, 11, Zmm},
    {"avx512bitalg", 7, 0, ECX, 12, Zmm},
    {"avx512vpopcntdq", 7, 0, ECX, 14, Zmm},
    {"rdpid", 7, 0, ECX, 22, Any},
    {"avx512vp2intersect", 7, 0, EDX, 8, Zmm},
    {"avx512fp16", 7, 0, EDX, 23, Zmm},
    {"avxvnni", 7, 1, EAX, 4, Ymm},
    {"avx512bf16", 7, 1, EAX, 5, Zmm},
    {"avxifma", 7, 1, EAX, 23, Ymm},
    {"avxvnniint8", 7, 1, EDX, 4, Ymm},
    {"avxneconvert", 7, 1, EDX, 5, Ymm},
    {"avxvnniint16", 7, 1, EDX, 10, Ymm},
    {"xsaveopt", 0xD, 1, EAX, 0, Any},
    {"xsavec", 0xD, 1, EAX, 1, Any},
    {"xsaves", 0xD, 1, EAX, 3, Any},
    {"sahf", 0x80000001, 0, ECX, 0, Any},
    {"lzcnt", 0x80000001, 0, ECX, 5, Any},
    {"sse4a", 0x80000001, 0, ECX, 6, Any},
    {"prfchw", 0x80000001, 0, ECX, 8, Any},
};

/// The registers of one cpuid leaf; zeros if the CPU does not have it.
static std::array<uint32_t, 4> cpuid(uint32_t leaf, uint32_t subleaf) {
  std::array<uint32_t, 4> regs{};
  if (!__get_cpuid_count(leaf, subleaf, &regs[EAX], &regs[EBX], &regs[ECX],
                         &regs[EDX]))
    return {};
  return regs;
}

/// The register state that the operating system saves (XCR0).
static uint64_t enabledState() {
  constexpr unsigned osxsaveBit = 27;
  if (!((cpuid(1, 0)[ECX] >> osxsaveBit) & 1))
    return 0;
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t(high) << 32) | low;
}

bool ingot::rt::cpuHas(std::string_view feature) {
  for (const Feature &row : featureTable)
    if (row.name == feature)
      return ((cpuid(row.leaf, row.subleaf)[row.reg] >> row.bit) & 1) &&
             (enabledState() & row.state) == row.state;
  return false;
}

#elif defined(__aarch64__)

static constexpr std::string_view thisArchitecture = "aarch64";

// Code is made for what all 64-bit Arm CPUs have.
bool ingot::rt::cpuHas(std::string_view feature) { return feature == "neon"; }

#endif

Status ingot::rt::checkCpuFeatures(std::span<const std::string> features) {
  std::string missing;
  for (const std::string &feature : features)
    if (!cpuHas(feature))
      missing += (missing.empty() ? "" : ", ") + feature;
  if (missing.empty())
    return {};
  return failure(Code::UnsupportedCpu,
                 "the artifact was compiled for a CPU with features that this "
                 "machine lacks: ",
                 missing, "; compile the model for this machine");
}

Status ingot::rt::checkTriple(std::string_view triple) {
  if (triple.substr(0, triple.find('-')) == thisArchitecture)
    return {};
  return failure(Code::UnsupportedCpu, "the artifact was compiled for '",
                 triple, "', this machine is ", thisArchitecture);
}
