//===- Steps.h - what bench/gpu measures ------------------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// A step prints its lines to standard output and ends the program where
// something is wrong. `folder` is where emit.py put the PTX files.
#ifndef INGOT_BENCH_GPU_STEPS_H
#define INGOT_BENCH_GPU_STEPS_H

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace gpu {

/// Copies and reads, with loads and through a ring in shared memory.
void measureMemory(const std::string &folder);
/// What it costs to start a kernel.
void measureLaunches(const std::string &folder);
/// Barriers of the whole grid and of clusters.
void measureBarriers(const std::string &folder);
/// Barriers of the grid while memory is busy.
void measureLoadedBarriers(const std::string &folder);
/// From one multiprocessor to others.
void measureHandOvers(const std::string &folder);
/// Checks and times the small model of one PTX file, `layers-...`.
void measureLayers(const std::string &folder, const std::string &file);
/// Checks how the tensor cores take matrices, and what they do at most.
void measureMatrices(const std::string &folder);

/// The numbers that kernels make up (kernels/device.h).
inline uint32_t hash(uint32_t x) {
  x = (x ^ (x >> 16)) * 0x7feb352du;
  x = (x ^ (x >> 15)) * 0x846ca68bu;
  return x ^ (x >> 16);
}
inline uint32_t weightBits(uint32_t index) {
  return (hash(index) & 0x80ff) + (120 << 7);
}

inline float ofBfloat16(uint32_t bits) {
  return __builtin_bit_cast(float, bits << 16);
}

/// |got - want| / |want|; not a number where an element is none.
inline double difference(const std::vector<float> &got,
                         const std::vector<double> &want) {
  double off = 0, all = 0;
  for (size_t i = 0; i < want.size(); ++i)
    off += (got[i] - want[i]) * (got[i] - want[i]), all += want[i] * want[i];
  return std::sqrt(off / all);
}

} // namespace gpu

#endif // INGOT_BENCH_GPU_STEPS_H
