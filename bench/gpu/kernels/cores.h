//===- cores.h - a matrix by a vector on tensor cores ---------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// For layers.c. The weights are the left operand of mma m16n8k16, packed as its
// lanes want them. An activation is three bfloat16 whose sum it is, in three of
// the eight columns of the right operand: nothing is rounded. Each warp takes
// its part of a chunk's columns, for all rows.
#ifndef INGOT_BENCH_GPU_CORES_H
#define INGOT_BENCH_GPU_CORES_H

#include "device.h"

typedef unsigned short u16x4 __attribute__((ext_vector_type(4)));

/// Blocks of 16 rows, and a warp's blocks of 16 columns in a chunk.
#define TALL (ROWS / 16)
#define WIDE (COLUMNS / 16 / WARPS)
/// What a lane adds up of a group.
#define SUMS (ROWS / 4)

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

/// The place of a lane's value in a block of 16 x 16: of the first or second
/// in register 0 to 3.
INLINE u32 placeInBlock(u32 lane, u32 reg, u32 second) {
  u32 row = lane / 4 + reg % 2 * 8,
      column = lane % 4 * 2 + reg / 2 * 8 + second;
  return row * WIDTH + column;
}

INLINE u32 codeOf(u32 at) { return hash(at / 8) >> at % 8 * 4 & 15; }

/// A word of a chunk: for each warp and each block of 16 rows the blocks of 16
/// columns, four words of bfloat16 a lane for each, or of codes for four. Then
/// for each warp and row the scales, WIDE / 2 in a row.
INLINE u32 wordOf(u32 in, u32 first) {
  if (in >= CODES / 4) {
    u32 at = 2 * (in - CODES / 4), column = at % (WIDE / 2) * 32,
        rest = at / (WIDE / 2);
    u32 row = rest % ROWS, warp = rest / ROWS;
    u32 place = first + row * WIDTH + warp * WIDE * 16 + column;
    return scaleBits(place / 32) | scaleBits(place / 32 + 1) << 16;
  }
  u32 word = in % 4, lane = in / 4 % 32, rest = in / 128;
  u32 perBlock = BITS == 4 ? 4 : 1,
      column = rest % (WIDE / perBlock) * perBlock;
  u32 tall = rest / (WIDE / perBlock) % TALL,
      warp = rest / (WIDE / perBlock) / TALL;
  u32 place = first + tall * 16 * WIDTH + (warp * WIDE + column) * 16;
  if (BITS == 16)
    return weightBits(place + placeInBlock(lane, word, 0)) |
           weightBits(place + placeInBlock(lane, word, 1)) << 16;
  u32 codes = 0;
  for (u32 i = 0; i < 8; ++i)
    codes |= codeOf(place + word * 16 + placeInBlock(lane, i % 4, i / 4))
             << 4 * i;
  return codes;
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

/// The upper half of a float is a bfloat16; takes it off.
INLINE u32 takeUpper(float *value) {
  u32 upper = __builtin_bit_cast(u32, *value) & 0xffff0000u;
  *value -= __builtin_bit_cast(float, upper);
  return upper;
}

/// Puts eight values where lanes look for them: for each 16 columns the three
/// parts, of each the pairs, and of each pair the one 8 columns further.
INLINE void keep(u32 at, f32x4 low, f32x4 high) {
  SHARED u32 *x = (SHARED u32 *)(memory + INPUT) + at / 16 * 24 + at / 8 % 2;
  float values[8] = {low.x,  low.y,  low.z,  low.w,
                     high.x, high.y, high.z, high.w};
#pragma unroll
  for (u32 part = 0; part < 3; ++part)
#pragma unroll
    for (u32 pair = 0; pair < 4; ++pair) {
      u32 first = takeUpper(&values[2 * pair]);
      x[part * 8 + pair * 2] = first >> 16 | takeUpper(&values[2 * pair + 1]);
    }
}

/// A lane's right operand for a block of 16 columns.
INLINE u32x2 activations(u32 block16) {
  const SHARED u32x2 *x = (const SHARED u32x2 *)(memory + INPUT) + block16 * 12;
  u32 lane = thread() % 32;
  return lane < 12 ? x[lane] : (u32x2){0, 0};
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// Eight codes of a lane, less 8, as bfloat16.
INLINE u32x4 unpacked(u32 codes) {
  u32x4 pairs = raised(codes);
#pragma unroll
  for (u32 i = 0; i < 4; ++i) {
    u32 pair = pairs[i];
    // Times 1, less 136.
    asm("fma.rn.bf16x2 %0, %1, %2, %3;"
        : "=r"(pair)
        : "r"(pair), "r"(0x3f803f80), "r"(0xc308c308));
    pairs[i] = pair;
  }
  return pairs;
}

/// Adds a warp's part of a chunk to four sums of each 16 rows.
INLINE void multiply(const SHARED unsigned char *codes, u32 chunk,
                     float *sums) {
  u32 warp = thread() / 32, lane = thread() % 32;
  u32 block16 = chunk * (COLUMNS / 16) + warp * WIDE;
  const SHARED u32x4 *words = (const SHARED u32x4 *)codes + lane;
#if BITS == 16
#pragma unroll
  for (u32 wide = 0; wide < WIDE; ++wide) {
    u32x2 x = activations(block16 + wide);
#pragma unroll
    for (u32 tall = 0; tall < TALL; ++tall)
      mma(sums + 4 * tall, words[((warp * TALL + tall) * WIDE + wide) * 32], x);
  }
#else
  const SHARED u16x4 *scales =
      (const SHARED u16x4 *)(codes + CODES) + warp * ROWS;
  u32x2 x[WIDE];
#pragma unroll
  for (u32 wide = 0; wide < WIDE; ++wide)
    x[wide] = activations(block16 + wide);
#pragma unroll
  for (u32 tall = 0; tall < TALL; ++tall) {
    u16x4 upper = scales[tall * 16 + lane / 4],
          lower = scales[tall * 16 + lane / 4 + 8];
#pragma unroll
    for (u32 wide = 0; wide < WIDE; wide += 2) {
      u32x4 w = words[((warp * TALL + tall) * (WIDE / 4) + wide / 4) * 32];
      float d[4] = {0, 0, 0, 0};
      mma(d, unpacked(w[wide % 4]), x[wide]);
      mma(d, unpacked(w[wide % 4 + 1]), x[wide + 1]);
#pragma unroll
      for (u32 i = 0; i < 4; ++i) {
        u32 scale = (u32)(i < 2 ? upper : lower)[wide / 2] << 16;
        float *to = sums + 4 * tall + i;
        *to = __builtin_fmaf(__builtin_bit_cast(float, scale), d[i], *to);
      }
    }
  }
#endif
}

/// Adds up what lanes and warps have of a group's rows, and writes them. A
/// row's sum is in neighbouring columns and lanes, one for each part of the
/// activations.
INLINE void write(u32 group, GLOBAL float *out, bool add, const float *sums) {
  u32 warp = thread() / 32, lane = thread() % 32;
  SHARED float *partials = (SHARED float *)(memory + PARTIALS);
#pragma unroll
  for (u32 i = 0; i < ROWS / 8; ++i) {
    float part = sums[2 * i] + sums[2 * i + 1];
    part += shuffled(part, 1);
    if (lane % 4 == 0)
      partials[warp * ROWS + i * 8 + lane / 4] = part;
  }
  meetMultipliers();
  if (thread() < ROWS) {
    float total = 0;
    for (u32 i = 0; i < WARPS; ++i)
      total += partials[i * ROWS + thread()];
    GLOBAL float *to = out + group * ROWS + thread();
    *to = add ? *to + total : total;
  }
  meetMultipliers();
}

#endif // INGOT_BENCH_GPU_CORES_H
