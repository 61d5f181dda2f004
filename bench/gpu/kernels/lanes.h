//===- lanes.h - a matrix by a vector, each lane for itself ---------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// For layers.c. A warp takes its part of a group's rows, and a lane its part of
// their columns, in f32.
#ifndef INGOT_BENCH_GPU_LANES_H
#define INGOT_BENCH_GPU_LANES_H

#include "device.h"

#define PER_WARP (ROWS / WARPS)
/// What a lane adds up of a group.
#define SUMS PER_WARP

/// A word of a chunk: rows, and behind the codes of all rows their scales.
/// `first` is the place of the chunk's first value in all matrices.
INLINE u32 wordOf(u32 in, u32 first) {
  bool isScale = in >= CODES / 4;
  // Words of a row, and values of a word.
  u32 perRow = isScale ? COLUMNS / 64 : COLUMNS * BITS / 32;
  in -= isScale ? CODES / 4 : 0;
  u32 row = first + in / perRow * WIDTH, word = in % perRow;
  if (isScale)
    return scaleBits(row / 32 + 2 * word) | scaleBits(row / 32 + 2 * word + 1)
                                                << 16;
  return BITS == 4 ? hash(row / 8 + word)
                   : weightBits(row + 2 * word) | weightBits(row + 2 * word + 1)
                                                      << 16;
}
/// Puts eight values where lanes look for them: of every 256 the even ones and
/// then the odd ones; with codes four of each lane's 32 columns after others.
INLINE void keep(u32 at, f32x4 low, f32x4 high) {
  SHARED f32x4 *x = (SHARED f32x4 *)(memory + INPUT);
  if (BITS == 4) {
    u32 to = at / 1024 * 256 + at % 32 / 4 * 32 + at % 1024 / 32;
    x[to] = low;
    x[to + 32] = high;
  } else {
    u32 to = at / 256 * 64 + at % 256 / 8;
    x[to] = (f32x4){low.x, low.z, high.x, high.z};
    x[to + 32] = (f32x4){low.y, low.w, high.y, high.w};
  }
}
/// Adds what two bfloat16 give.
INLINE float times(u32 pair, float low, float high, float sum) {
  sum = __builtin_fmaf(__builtin_bit_cast(float, pair << 16), low, sum);
  return __builtin_fmaf(__builtin_bit_cast(float, pair & 0xffff0000u), high,
                        sum);
}

/// Multiplies one chunk: a lane takes 8 columns of every 256.
INLINE void multiply16(const SHARED unsigned char *rows, const SHARED f32x4 *x,
                       float *sums) {
  u32 lane = thread() % 32;
#pragma unroll
  for (u32 part = 0; part < COLUMNS / 256; ++part) {
    f32x4 even = x[part * 64 + lane], odd = x[part * 64 + 32 + lane];
#pragma unroll
    for (u32 row = 0; row < PER_WARP; ++row) {
      u32x4 w =
          *(SHARED u32x4 *)(rows + (row * COLUMNS + part * 256 + lane * 8) * 2);
#pragma unroll
      for (u32 i = 0; i < 4; ++i)
        sums[row] = times(w[i], even[i], odd[i], sums[row]);
    }
  }
}

/// Multiplies one chunk: a lane takes 32 columns of every 1024, which share a
/// scale. A code becomes 128 + code; what is too much comes off for all.
INLINE void multiply4(const SHARED unsigned char *rows,
                      const SHARED unsigned short *scales,
                      const SHARED f32x4 *x, float *sums) {
  u32 lane = thread() % 32, mask = 0x000f000f, ones = 0x43004300;
#pragma unroll
  for (u32 part = 0; part < COLUMNS / 1024; ++part) {
    f32x4 in[8], all = 0;
#pragma unroll
    for (u32 i = 0; i < 8; ++i) {
      in[i] = x[part * 256 + i * 32 + lane];
      all += in[i];
    }
    float excess = -136 * (all.x + all.y + all.z + all.w);
#pragma unroll
    for (u32 row = 0; row < PER_WARP; ++row) {
      u32x4 w =
          *(SHARED u32x4 *)(rows + row * COLUMNS / 2 + part * 512 + lane * 16);
      u32 scale = scales[row * COLUMNS / 32 + part * 32 + lane];
      float dot = excess;
#pragma unroll
      for (u32 i = 0; i < 4; ++i)
#pragma unroll
        for (u32 k = 0; k < 4; ++k) {
          u32 pair;
          asm("lop3.b32 %0, %1, %2, %3, 0xea;"
              : "=r"(pair)
              : "r"(w[i] >> 4 * k), "r"(mask), "r"(ones));
          dot = times(pair, in[2 * i][k], in[2 * i + 1][k], dot);
        }
      sums[row] = __builtin_fmaf(__builtin_bit_cast(float, scale << 16), dot,
                                 sums[row]);
    }
  }
}

/// Multiplies one chunk.
INLINE void multiply(const SHARED unsigned char *codes, u32 chunk,
                     float *sums) {
  u32 warp = thread() / 32;
  const SHARED unsigned char *rows = codes + warp * (CODES / WARPS);
  const SHARED unsigned char *scales = codes + CODES + warp * (SCALES / WARPS);
  const SHARED f32x4 *x =
      (const SHARED f32x4 *)(memory + INPUT + chunk * COLUMNS * 4);
  if (BITS == 4)
    multiply4(rows, (const SHARED unsigned short *)scales, x, sums);
  else
    multiply16(rows, x, sums);
}

/// Adds up what lanes have of a group's rows, and writes them.
INLINE void write(u32 group, GLOBAL float *out, bool add, const float *sums) {
  u32 warp = thread() / 32;
#pragma unroll
  for (u32 row = 0; row < PER_WARP; ++row) {
    float total = sum(sums[row]);
    GLOBAL float *to = out + group * ROWS + warp * PER_WARP + row;
    if (thread() % 32 == 0)
      *to = add ? *to + total : total;
  }
}

#endif // INGOT_BENCH_GPU_LANES_H
