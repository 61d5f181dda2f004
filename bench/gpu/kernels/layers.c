//===- layers.c - a small model as one kernel
//------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Each layer is y = A x, then x += B (norm(y) * gamma), with square matrices
// and a grid barrier behind either product. A warp of its own streams the
// weights of the whole model through a ring in shared memory, in the order in
// which they are used; the others multiply. Emitted once for each set of:
//   WIDTH    columns and rows of a matrix
//   ROWS     of a group, which one block computes at a time
//   COLUMNS  of a chunk, the part of a group that is fetched at once
//   SLOTS    chunks in the ring
//   BITS     16: weights are bfloat16. 4: codes, minus 8 times a bfloat16 for
//            each 32 of a row
//   WARPS    that multiply
//   AHEAD    chunks that are fetched before the barrier in front of their
//            product; 99: as many as the ring holds
//   FLIGHT   chunks that are under way at once; 99: as many as the ring holds
//   NAKED    1: there are no barriers
//   LAZY     1: nothing is multiplied
// Where there are no barriers, or nothing is multiplied, results are wrong: it
// shows what the rest costs.
#include "device.h"

#define THREADS (WARPS * 32)
#define PER_WARP (ROWS / WARPS)
#define CHUNKS (WIDTH / COLUMNS)
#define GROUPS (WIDTH / ROWS)
#define CODES (ROWS * COLUMNS * BITS / 8)
#define SCALES (BITS == 4 ? ROWS * COLUMNS / 16 : 0)
#define CHUNK (CODES + SCALES)

// What shared memory holds, behind the ring.
#define INPUT (SLOTS * CHUNK)
#define FULL (INPUT + WIDTH * 4)
#define FREE (FULL + 8 * SLOTS)
#define GATE (FREE + 8 * SLOTS)
#define PARTS (GATE + 16)

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

/// The bits of a bfloat16 between 2^-8 and 2^-7, of either sign: codes less 8
/// are negative more often than not, and sums should not be.
INLINE u32 scaleBits(u32 index) { return (hash(~index) & 0x807f) + (119 << 7); }

/// Weights as they are streamed: product by product, group by group, chunk by
/// chunk, and rows within; behind the codes of a chunk their scales.
KERNEL pack(GLOBAL u32 *words, u32 products) {
  u64 all = (u64)products * GROUPS * CHUNKS * (CHUNK / 4);
  for (u64 at = block() * 1024ull + thread(); at < all;
       at += blocks() * 1024ull) {
    u32 in = at % (CHUNK / 4), chunk = at / (CHUNK / 4) % CHUNKS;
    u64 group = at / (CHUNK / 4) / CHUNKS;
    bool isScale = in >= CODES / 4;
    // Words of a row, and values of a word.
    u32 perRow = isScale ? COLUMNS / 64 : COLUMNS * BITS / 32;
    u32 row = (isScale ? in - CODES / 4 : in) / perRow;
    u32 word = (isScale ? in - CODES / 4 : in) % perRow;
    u32 first = (u32)((group * ROWS + row) * WIDTH + chunk * COLUMNS);
    if (isScale)
      words[at] = scaleBits(first / 32 + 2 * word) |
                  scaleBits(first / 32 + 2 * word + 1) << 16;
    else if (BITS == 4)
      words[at] = hash(first / 8 + word);
    else
      words[at] =
          weightBits(first + 2 * word) | weightBits(first + 2 * word + 1) << 16;
  }
}

/// Where in the ring someone is.
struct Ring {
  u32 slot, phase;
};

INLINE void advance(struct Ring *ring) {
  if (++ring->slot == SLOTS)
    ring->slot = 0, ring->phase ^= 1;
}

/// Waits for the chunk that was asked for FLIGHT chunks ago.
INLINE void awaitLanding(const struct Ring *ring) {
  u32 slot = ring->slot + SLOTS - FLIGHT, phase = ring->phase;
  // The producer counts rounds of the ring from one, those who wait for full
  // slots from zero.
  if (slot >= SLOTS)
    slot -= SLOTS, phase ^= 1;
  barrierAwait(place(memory) + FULL + 8 * slot, phase);
}

/// Fetches all chunks of this block's groups of a product. Where
/// gated, the barrier number `gate` is in front of it.
INLINE void fetchProduct(struct Ring *ring, const GLOBAL unsigned char *weights,
                         u64 policy, bool gated, u32 gate) {
  u32 base = place(memory), ahead = 0;
  for (u32 group = block(); group < GROUPS; group += blocks()) {
    const GLOBAL unsigned char *from = weights + (u64)group * CHUNKS * CHUNK;
#pragma nounroll
    for (u32 chunk = 0; chunk < CHUNKS; ++chunk) {
      if (AHEAD != 99 && gated && ahead++ == AHEAD)
        barrierAwait(base + GATE, gate);
      barrierAwait(base + FREE + 8 * ring->slot, ring->phase);
      if (FLIGHT < SLOTS)
        awaitLanding(ring);
      fetch(base + ring->slot * CHUNK, from + chunk * CHUNK, CHUNK,
            base + FULL + 8 * ring->slot, policy);
      advance(ring);
    }
  }
}

INLINE void initRing(void) {
  u32 base = place(memory);
  if (thread() == 0) {
    for (u32 slot = 0; slot < SLOTS; ++slot) {
      barrierInit(base + FULL + 8 * slot, 1);
      barrierInit(base + FREE + 8 * slot, WARPS);
    }
    barrierInit(base + GATE, 1);
    barrierInitFence();
  }
  meet();
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// Waits for all threads that multiply.
INLINE void meetMultipliers(void) {
  asm volatile("bar.sync 1, %0;" ::"n"(THREADS) : "memory");
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

/// This block's groups of a product, added to `out` or written there.
INLINE void product(struct Ring *ring, GLOBAL float *out, bool add) {
  u32 base = place(memory), warp = thread() / 32, lane = thread() % 32;
  for (u32 group = block(); group < GROUPS; group += blocks()) {
    float sums[PER_WARP];
#pragma unroll
    for (u32 row = 0; row < PER_WARP; ++row)
      sums[row] = 0;
#pragma nounroll
    for (u32 chunk = 0; chunk < CHUNKS; ++chunk) {
      barrierAwait(base + FULL + 8 * ring->slot, ring->phase);
      const SHARED unsigned char *codes = memory + ring->slot * CHUNK;
      const SHARED unsigned char *rows = codes + warp * (CODES / WARPS);
      const SHARED f32x4 *x =
          (const SHARED f32x4 *)(memory + INPUT + chunk * COLUMNS * 4);
      if (BITS == 4 && !LAZY)
        multiply4(rows,
                  (const SHARED unsigned short *)(codes + CODES +
                                                  warp * (SCALES / WARPS)),
                  x, sums);
      else if (!LAZY)
        multiply16(rows, x, sums);
      asm volatile("bar.warp.sync -1;" ::: "memory");
      if (lane == 0)
        barrierArrive(base + FREE + 8 * ring->slot);
      advance(ring);
    }
#pragma unroll
    for (u32 row = 0; row < PER_WARP; ++row) {
      float total = sum(sums[row]);
      GLOBAL float *to = out + group * ROWS + warp * PER_WARP + row;
      if (lane == 0)
        *to = add ? *to + total : total;
    }
  }
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

#define EACH (WIDTH / (THREADS * 8))

/// The place of the values that a thread brings to shared memory, eight in a
/// row of each of EACH parts.
INLINE u32 mine(u32 part) { return (part * THREADS + thread()) * 8; }

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

INLINE void keepPlain(const GLOBAL float *x) {
#pragma unroll
  for (u32 i = 0; i < EACH; ++i)
    keep(mine(i), *(const GLOBAL f32x4 *)(x + mine(i)),
         *(const GLOBAL f32x4 *)(x + mine(i) + 4));
  meetMultipliers();
}

/// Every block computes the norm for itself.
INLINE void keepNormed(const GLOBAL float *y, const GLOBAL float *gamma) {
  SHARED float *parts = (SHARED float *)(memory + PARTS);
  f32x4 low[EACH], high[EACH], square = 0;
#pragma unroll
  for (u32 i = 0; i < EACH; ++i) {
    low[i] = *(const GLOBAL f32x4 *)(y + mine(i));
    high[i] = *(const GLOBAL f32x4 *)(y + mine(i) + 4);
    square += low[i] * low[i] + high[i] * high[i];
  }
  float part = sum(square.x + square.y + square.z + square.w);
  if (thread() % 32 == 0)
    parts[thread() / 32] = part;
  meetMultipliers();
  float total = 0;
#pragma unroll
  for (u32 warp = 0; warp < WARPS; ++warp)
    total += parts[warp];
  float scale = __nvvm_rsqrt_approx_ftz_f(total * (1.0f / WIDTH) + 1e-5f);
#pragma unroll
  for (u32 i = 0; i < EACH; ++i)
    keep(mine(i), low[i] * scale * *(const GLOBAL f32x4 *)(gamma + mine(i)),
         high[i] * scale * *(const GLOBAL f32x4 *)(gamma + mine(i) + 4));
  meetMultipliers();
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

#define PRODUCT_BYTES ((u64)GROUPS * CHUNKS * CHUNK)

INLINE void gridBarrier(GLOBAL u32 *counter, u32 round) {
  meetMultipliers();
  if (thread() == 0 && !NAKED) {
    signal(counter);
    await(counter, round * blocks(), Acquire);
    if (AHEAD != 99)
      barrierArrive(place(memory) + GATE);
  }
  meetMultipliers();
}

/// Cycles that a block has spent so far: activations, products, barriers.
struct Phases {
  u64 spent[3], since;
};

INLINE void spend(struct Phases *phases, u32 which) {
  u64 now = __nvvm_read_ptx_sreg_clock64();
  phases->spent[which] += now - phases->since;
  phases->since = now;
}

/// The whole model. `cycles` has room for the phases of each block.
KERNEL layers(const GLOBAL unsigned char *weights, GLOBAL float *x,
              GLOBAL float *y, const GLOBAL float *gamma, GLOBAL u32 *counter,
              u32 count, GLOBAL u64 *cycles) {
  initRing();
  if (thread() >= THREADS) {
    if (thread() == THREADS) {
      struct Ring ring = {0, 1};
      u64 policy = readOncePolicy();
      for (u32 at = 0; at < 2 * count; ++at)
        fetchProduct(&ring, weights + at * PRODUCT_BYTES, policy, at != 0,
                     at - 1);
    }
    return;
  }
  struct Ring ring = {0, 0};
  struct Phases phases = {{0, 0, 0}, __nvvm_read_ptx_sreg_clock64()};
  for (u32 at = 0; at < 2 * count; ++at) {
    bool second = at % 2;
    if (second)
      keepNormed(y, gamma + at / 2 * WIDTH);
    else
      keepPlain(x);
    spend(&phases, 0);
    product(&ring, second ? x : y, second);
    spend(&phases, 1);
    gridBarrier(counter, at + 1);
    spend(&phases, 2);
  }
  if (thread() == 0)
    for (u32 i = 0; i < 3; ++i)
      cycles[block() * 3 + i] = phases.spent[i];
}

/// One product as a kernel of its own: `out` += with the norm, `out` = without
/// (`gamma` is null). With `early` it was started while the one before runs,
/// and fetches weights meanwhile.
KERNEL step(const GLOBAL unsigned char *weights, const GLOBAL float *in,
            GLOBAL float *out, const GLOBAL float *gamma, u32 early) {
  initRing();
  if (early)
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
  if (thread() >= THREADS) {
    if (thread() == THREADS) {
      struct Ring ring = {0, 1};
      fetchProduct(&ring, weights, readOncePolicy(), false, 0);
    }
    return;
  }
  struct Ring ring = {0, 0};
  if (early)
    asm volatile("griddepcontrol.wait;" ::: "memory");
  if (gamma)
    keepNormed(in, gamma);
  else
    keepPlain(in);
  product(&ring, out, gamma);
}
