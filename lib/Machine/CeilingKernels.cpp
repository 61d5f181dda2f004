//===- CeilingKernels.cpp - loops that only compute or only read ----------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Machine/CeilingKernels.h"

#include "runtime/cpu/CpuFeatures.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

using namespace ingot::machine;

/// Fixed numbers that the compiler must not know.
static volatile float seedFloat = 0.75F;
static volatile int seedInt = 3;

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

// Twelve chains: two instructions a cycle with a latency of five need ten. A
// chain is x -> c - x, which neither settles nor leaves the normal numbers, so
// that the multipliers see changing bits as they do at work.
constexpr int chains = 12;

/// Four floats are what every machine of ours has; the compiler makes a fused
/// instruction of it where it may.
typedef float Floats __attribute__((vector_size(16)));

static uint64_t runPortable(uint64_t steps) {
  Floats sums[chains], minus, one;
  for (int lane = 0; lane < 4; ++lane) {
    minus[lane] = -(seedFloat + 0.25F);
    one[lane] = seedFloat;
    for (int i = 0; i < chains; ++i)
      sums[i][lane] = seedFloat + float(i);
  }
  for (uint64_t step = 0; step < steps; ++step)
    for (Floats &sum : sums)
      sum = sum * minus + one;
  float all = 0;
  for (const Floats &sum : sums)
    all += sum[0];
  return uint64_t(int64_t(all));
}

#if defined(__x86_64__)

__attribute__((target("avx2,fma"))) static uint64_t runFma256(uint64_t steps) {
  __m256 sums[chains], minus = _mm256_set1_ps(-(seedFloat + 0.25F)),
                       one = _mm256_set1_ps(seedFloat);
  for (int i = 0; i < chains; ++i)
    sums[i] = _mm256_set1_ps(seedFloat + float(i));
  for (uint64_t step = 0; step < steps; ++step)
    for (__m256 &sum : sums)
      sum = _mm256_fmadd_ps(sum, minus, one);
  for (int i = 1; i < chains; ++i)
    sums[0] = _mm256_add_ps(sums[0], sums[i]);
  return uint64_t(int64_t(_mm256_cvtss_f32(sums[0])));
}

__attribute__((target("avx512f"))) static uint64_t runFma512(uint64_t steps) {
  __m512 sums[chains], minus = _mm512_set1_ps(-(seedFloat + 0.25F)),
                       one = _mm512_set1_ps(seedFloat);
  for (int i = 0; i < chains; ++i)
    sums[i] = _mm512_set1_ps(seedFloat + float(i));
  for (uint64_t step = 0; step < steps; ++step)
    for (__m512 &sum : sums)
      sum = _mm512_fmadd_ps(sum, minus, one);
  for (int i = 1; i < chains; ++i)
    sums[0] = _mm512_add_ps(sums[0], sums[i]);
  return uint64_t(int64_t(_mm512_cvtss_f32(sums[0])));
}

__attribute__((target("avx2,avxvnni"))) static uint64_t
runDot256(uint64_t steps) {
  __m256i sums[chains], a = _mm256_set1_epi32(seedInt),
                        b = _mm256_set1_epi32(-seedInt);
  for (int i = 0; i < chains; ++i)
    sums[i] = _mm256_set1_epi32(seedInt + i);
  for (uint64_t step = 0; step < steps; ++step)
    for (__m256i &sum : sums)
      sum = _mm256_dpbusd_avx_epi32(sum, a, b);
  for (int i = 1; i < chains; ++i)
    sums[0] = _mm256_add_epi32(sums[0], sums[i]);
  return uint64_t(_mm256_extract_epi32(sums[0], 0));
}

__attribute__((target("avx512f,avx512vnni"))) static uint64_t
runDot512(uint64_t steps) {
  __m512i sums[chains], a = _mm512_set1_epi32(seedInt),
                        b = _mm512_set1_epi32(-seedInt);
  for (int i = 0; i < chains; ++i)
    sums[i] = _mm512_set1_epi32(seedInt + i);
  for (uint64_t step = 0; step < steps; ++step)
    for (__m512i &sum : sums)
      sum = _mm512_dpbusd_epi32(sum, a, b);
  for (int i = 1; i < chains; ++i)
    sums[0] = _mm512_add_epi32(sums[0], sums[i]);
  alignas(64) int32_t lanes[16];
  _mm512_store_si512(lanes, sums[0]);
  return uint64_t(lanes[0]);
}

#endif

const ComputeKernel &ingot::machine::floatKernel() {
#if defined(__x86_64__)
  static constexpr ComputeKernel wide = {"avx512f", 16, chains, runFma512},
                                 narrow = {"avx2 with fma", 8, chains,
                                           runFma256};
  if (rt::cpuHas("avx512f"))
    return wide;
  if (rt::cpuHas("avx2") && rt::cpuHas("fma"))
    return narrow;
#endif
  static constexpr ComputeKernel portable = {"vectors of four", 4, chains,
                                             runPortable};
  return portable;
}

const ComputeKernel *ingot::machine::byteKernel() {
#if defined(__x86_64__)
  static constexpr ComputeKernel wide = {"avx512vnni", 64, chains, runDot512},
                                 narrow = {"avxvnni", 32, chains, runDot256};
  if (rt::cpuHas("avx512f") && rt::cpuHas("avx512vnni"))
    return &wide;
  if (rt::cpuHas("avx2") && rt::cpuHas("avxvnni"))
    return &narrow;
#endif
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

// A sum needs no store: this is what code that reads weights once may hope for.

/// Sums up with vectors of type V, a line of each stream in turn, and asks for
/// what comes later. As many sums as there are parts of lines: no chain of
/// additions is longer than what memory takes.
template <typename V, size_t streams>
[[gnu::always_inline]] static inline uint64_t sumStreams(const uint64_t *data,
                                                         size_t words) {
  constexpr size_t line = 64, perLine = line / sizeof(V),
                   perGranule = readGranule * sizeof(uint64_t) / sizeof(V),
                   ahead = 64 / streams * perLine;
  const V *vectors = reinterpret_cast<const V *>(data);
  size_t length = words / readGranule * (perGranule / streams);
  V sums[streams * perLine] = {};
  for (size_t i = 0; i < length; i += perLine)
    for (size_t stream = 0; stream < streams; ++stream) {
      const V *from = vectors + stream * length + i;
      __builtin_prefetch(from + ahead);
      for (size_t part = 0; part < perLine; ++part)
        sums[stream * perLine + part] += from[part];
    }
  for (size_t i = 1; i < streams * perLine; ++i)
    sums[0] += sums[i];
  uint64_t sum = 0;
  for (size_t word = 0; word < sizeof(V) / sizeof(uint64_t); ++word)
    sum += sums[0][word];
  return sum;
}

typedef uint64_t Words128 __attribute__((vector_size(16)));

template <size_t streams>
static uint64_t readPortable(const uint64_t *data, size_t words) {
  return sumStreams<Words128, streams>(data, words);
}

#if defined(__x86_64__)

typedef uint64_t Words256 __attribute__((vector_size(32)));
typedef uint64_t Words512 __attribute__((vector_size(64)));

template <size_t streams>
__attribute__((target("avx2"))) static uint64_t read256(const uint64_t *data,
                                                        size_t words) {
  return sumStreams<Words256, streams>(data, words);
}

template <size_t streams>
__attribute__((target("avx512f"))) static uint64_t read512(const uint64_t *data,
                                                           size_t words) {
  return sumStreams<Words512, streams>(data, words);
}

#endif

std::span<const ReadKernel> ingot::machine::readKernels() {
#if defined(__x86_64__)
  static constexpr ReadKernel wide[] = {{"avx512f", 1, read512<1>},
                                        {"avx512f", 2, read512<2>},
                                        {"avx512f", 4, read512<4>},
                                        {"avx512f", 8, read512<8>}},
                              narrow[] = {{"avx2", 1, read256<1>},
                                          {"avx2", 2, read256<2>},
                                          {"avx2", 4, read256<4>}};
  if (rt::cpuHas("avx512f"))
    return wide;
  if (rt::cpuHas("avx2"))
    return narrow;
#endif
  static constexpr ReadKernel portable[] = {
      {"vectors of two", 1, readPortable<1>},
      {"vectors of two", 2, readPortable<2>}};
  return portable;
}

//===----------------------------------------------------------------------===//
// The clock
//===----------------------------------------------------------------------===//

#if defined(__x86_64__) || defined(__aarch64__)

/// Additions of a step. Both operands are registers: some CPUs do additions of
/// constants while they rename registers, in no time.
constexpr uint64_t additions = 64;

static uint64_t addUp(uint64_t steps) {
  uint64_t sum = 0, one = uint64_t(seedInt);
  for (uint64_t step = 0; step < steps; ++step)
    for (uint64_t i = 0; i < additions; ++i)
#if defined(__x86_64__)
      __asm__ volatile("add %1, %0" : "+r"(sum) : "r"(one) : "cc");
#else
      __asm__ volatile("add %0, %0, %1" : "+r"(sum) : "r"(one));
#endif
  return sum;
}

const ClockKernel *ingot::machine::clockKernel() {
  static constexpr ClockKernel kernel = {additions, addUp};
  return &kernel;
}

#else

const ClockKernel *ingot::machine::clockKernel() { return nullptr; }

#endif
