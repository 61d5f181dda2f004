//===- matrix.c - the tensor cores' layouts -------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "device.h"

#define OUT4(i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3])
#define OUT16(i) OUT4(i), OUT4(i + 4), OUT4(i + 8), OUT4(i + 12)
#define OUT32(i) OUT16(i), OUT16(i + 16)

/// The registers of ten results.
#define TEN(t)                                                                 \
  "%" #t "0, %" #t "1, %" #t "2, %" #t "3, %" #t "4, "                         \
  "%" #t "5, %" #t "6, %" #t "7, %" #t "8, %" #t "9, "

/// A matrix in shared memory, as wgmma takes it: where it begins, how many
/// bytes lie between neighbouring blocks of 8 rows by 16 bytes in one direction
/// and in the other, and how 16 bytes are swapped within lines (0: not, 1: in
/// lines of 128 bytes, 2: of 64, 3: of 32).
INLINE u64 descriptor(u32 at, u32 leading, u32 stride, u32 swizzle) {
  return (u64)(at >> 4 & 0x3fff) | (u64)(leading >> 4 & 0x3fff) << 16 |
         (u64)(stride >> 4 & 0x3fff) << 32 | (u64)swizzle << 62;
}

INLINE void wgmmaFence(void) {
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}

INLINE void wgmmaFinish(void) {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
  asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
}

/// 64 x 64 of A B', both 64 x 64 of bfloat16. Their images are copied to shared
/// memory as they are; `step` bytes lead to the next 16 columns, `pair` to the
/// next 32.
KERNEL wgmmaTile(const GLOBAL void *a, const GLOBAL void *b, GLOBAL float *out,
                 u32 leading, u32 stride, u32 swizzle, u32 step, u32 pair) {
  u32 base = place(memory), barrier = base + 2 * 8192;
  if (thread() == 0) {
    barrierInit(barrier, 2);
    barrierInitFence();
  }
  meet();
  if (thread() == 0) {
    fetch(base, a, 8192, barrier, readOncePolicy());
    fetch(base + 8192, b, 8192, barrier, readOncePolicy());
  }
  barrierAwait(barrier, 0);
  float d[32];
#pragma unroll
  for (u32 i = 0; i < 32; ++i)
    d[i] = 0;
  wgmmaFence();
#pragma unroll
  for (u32 k = 0; k < 4; ++k)
    asm volatile("wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 "
                 "{" TEN() TEN(1) TEN(2) "%30, %31}, %32, %33, 1, 1, 1, 0, 0;"
                 : OUT32(0)
                 : "l"(descriptor(base + k % 2 * step + k / 2 * pair, leading,
                                  stride, swizzle)),
                   "l"(descriptor(base + 8192 + k % 2 * step + k / 2 * pair,
                                  leading, stride, swizzle)));
  wgmmaFinish();
  u32 row = thread() / 32 * 16 + thread() % 32 / 4, column = thread() % 4 * 2;
#pragma unroll
  for (u32 i = 0; i < 32; ++i)
    out[(row + i / 2 % 2 * 8) * 64 + i / 4 * 8 + column + i % 2] = d[i];
}

/// Products of 64 x 256 x 16 from shared memory, again and again: what the
/// tensor cores do at most. Every group of 128 threads has rows of its own, and
/// waits for its results after so many products.
#define PEAK(name, products)                                                   \
  KERNEL name(GLOBAL float *out, u32 rounds) {                                 \
    u32 base = place(memory), a = base + 32768 + thread() / 128 * 8192;        \
    for (u32 i = thread(); i < 65536 / 4; i += 256)                            \
      ((SHARED u32 *)memory)[i] = weightBits(i) << 16 | weightBits(~i);        \
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");               \
    meet();                                                                    \
    float d[128];                                                              \
    _Pragma("unroll") for (u32 i = 0; i < 128; ++i) d[i] = 0;                  \
    for (u32 round = 0; round < rounds; ++round) {                             \
      wgmmaFence();                                                            \
      _Pragma("unroll") for (u32 k = 0; k < products; ++k)                     \
          multiplyWide(a + k % 4 * 32, base + k % 4 * 32, d);                  \
      wgmmaFinish();                                                           \
    }                                                                          \
    float total = 0;                                                           \
    _Pragma("unroll") for (u32 i = 0; i < 128; ++i) total += d[i];             \
    out[block() * 256 + thread()] = total;                                     \
  }

INLINE void multiplyWide(u32 a, u32 b, float *d) {
  asm volatile(
      "wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16 "
      "{" TEN() TEN(1) TEN(2) TEN(3) TEN(4) TEN(5) TEN(6) TEN(7) TEN(8) TEN(9)
          TEN(10) TEN(11) "%120, %121, %122, %123, %124, %125, "
                          "%126, %127}, %128, %129, 1, 1, 1, 0, 0;"
      : OUT32(0), OUT32(32), OUT32(64), OUT32(96)
      : "l"(descriptor(a, 16, 1024, 1)), "l"(descriptor(b, 16, 1024, 1)));
}

PEAK(wgmmaPeak4, 4)
PEAK(wgmmaPeak16, 16)

/// 16 x 8 of A B' + 1 with A of 16 x 16 and B of 8 x 16, one warp.
KERNEL mmaTile(const GLOBAL u32 *a, const GLOBAL u32 *b, GLOBAL float *out) {
  u32 row = thread() / 4, pair = thread() % 4;
  u32x4 x = {a[row * 8 + pair], a[(row + 8) * 8 + pair], a[row * 8 + pair + 4],
             a[(row + 8) * 8 + pair + 4]};
  u32x2 y = {b[row * 8 + pair], b[row * 8 + pair + 4]};
  float d[4] = {1, 1, 1, 1};
  mma(d, x, y);
#pragma unroll
  for (u32 i = 0; i < 4; ++i)
    out[(row + i / 2 * 8) * 8 + pair * 2 + i % 2] = d[i];
}

KERNEL unpack4(const GLOBAL u32 *codes, GLOBAL u32x4 *out) {
  u32 at = block() * 256 + thread();
  out[at] = raised(codes[at]);
}
