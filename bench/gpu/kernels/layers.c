//===- layers.c - a small model as one kernel -----------------------------===//
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
//   CORES    1: tensor cores multiply, with 8 warps (cores.h)
// Where there are no barriers, or nothing is multiplied, results are wrong: it
// shows what the rest costs.
#include "device.h"

#define THREADS (WARPS * 32)
#define CHUNKS (WIDTH / COLUMNS)
#define GROUPS (WIDTH / ROWS)
#define CODES (ROWS * COLUMNS * BITS / 8)
#define SCALES (BITS == 4 ? ROWS * COLUMNS / 16 : 0)
#define CHUNK (CODES + SCALES)

// What shared memory holds, behind the ring.
#define INPUT (SLOTS * CHUNK)
#define FULL (INPUT + WIDTH * (CORES ? 6 : 4))
#define FREE (FULL + 8 * SLOTS)
#define GATE (FREE + 8 * SLOTS)
#define PARTS (GATE + 16)
#define PARTIALS (PARTS + 64)

/// Waits for all threads that multiply.
INLINE void meetMultipliers(void) {
  asm volatile("bar.sync 1, %0;" ::"n"(THREADS) : "memory");
}

#if CORES
#include "cores.h"
#else
#include "lanes.h"
#endif

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

/// Weights as they are streamed: product by product, group by group, chunk by
/// chunk.
KERNEL pack(GLOBAL u32 *words, u32 products) {
  u64 all = (u64)products * GROUPS * CHUNKS * (CHUNK / 4);
  for (u64 at = block() * 1024ull + thread(); at < all;
       at += blocks() * 1024ull) {
    u64 chunk = at / (CHUNK / 4), group = chunk / CHUNKS;
    u32 first = (u32)(group * ROWS * WIDTH + chunk % CHUNKS * COLUMNS);
    words[at] = wordOf(at % (CHUNK / 4), first);
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

/// This block's groups of a product, added to `out` or written there.
INLINE void product(struct Ring *ring, GLOBAL float *out, bool add) {
  u32 base = place(memory);
  for (u32 group = block(); group < GROUPS; group += blocks()) {
    float sums[SUMS];
#pragma unroll
    for (u32 i = 0; i < SUMS; ++i)
      sums[i] = 0;
#pragma nounroll
    for (u32 chunk = 0; chunk < CHUNKS; ++chunk) {
      barrierAwait(base + FULL + 8 * ring->slot, ring->phase);
      if (!LAZY)
        multiply(memory + ring->slot * CHUNK, chunk, sums);
      asm volatile("bar.warp.sync -1;" ::: "memory");
      if (thread() % 32 == 0)
        barrierArrive(base + FREE + 8 * ring->slot);
      advance(ring);
    }
    write(group, out, add, sums);
  }
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

#define EACH (WIDTH / (THREADS * 8))

/// The place of the values that a thread brings to shared memory, eight in a
/// row of each of EACH parts.
INLINE u32 mine(u32 part) { return (part * THREADS + thread()) * 8; }

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
