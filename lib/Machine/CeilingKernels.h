//===- CeilingKernels.h - loops that only compute or only read ------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Each is the widest form that this machine's CPU has, chosen when it is asked
// for. They touch nothing but registers, or nothing but what they read, and
// leave a result that nobody can optimise away.
#ifndef INGOT_MACHINE_CEILINGKERNELS_H
#define INGOT_MACHINE_CEILINGKERNELS_H

#include <cstddef>
#include <cstdint>
#include <span>

namespace ingot::machine {

/// Independent chains of multiply-and-add, as many as hide their latency.
struct ComputeKernel {
  /// The instructions that it consists of: "avx512f".
  const char *isa;
  /// Products, each added to a sum, of one instruction, and instructions of one
  /// step.
  uint64_t lanes, instructions;
  uint64_t (*run)(uint64_t steps);

  /// A product and a sum are two.
  double operations(uint64_t steps) const {
    return 2.0 * double(lanes) * double(instructions) * double(steps);
  }
};

/// Products of f32.
const ComputeKernel &floatKernel();

/// Products of bytes summed up in 32 bits; null if the CPU has no instruction
/// for them.
const ComputeKernel *byteKernel();

/// Sums 64-bit words.
struct ReadKernel {
  const char *isa;
  /// Places that are read in turns.
  size_t streams;
  /// `words` is rounded down to a multiple of readGranule.
  uint64_t (*run)(const uint64_t *data, size_t words);
};
constexpr size_t readGranule = 64;

/// The ways to read; which is the fastest depends on a CPU's prefetchers and on
/// how many threads read.
std::span<const ReadKernel> readKernels();

/// Additions that wait for each other: one a cycle on every CPU that runs this.
/// Null where we know no such instruction.
struct ClockKernel {
  uint64_t cycles;
  uint64_t (*run)(uint64_t steps);
};
const ClockKernel *clockKernel();

} // namespace ingot::machine

#endif // INGOT_MACHINE_CEILINGKERNELS_H
