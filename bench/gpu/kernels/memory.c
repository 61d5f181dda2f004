//===- memory.c - how fast weights come -----------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "device.h"

/// Words whose sum the host knows.
KERNEL fill(GLOBAL u32 *words, u64 count) {
  for (u64 at = block() * 1024ull + thread(); at < count;
       at += blocks() * 1024ull)
    words[at] = hash((u32)at);
}

INLINE u32x4 streamed(const GLOBAL u32x4 *from) {
  u32x4 v;
  asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
               : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
               : "l"(from));
  return v;
}

/// Reads all words by loads of 16 bytes, eight in flight a thread, and adds
/// them up. `count` of 16 bytes is a multiple of the step.
KERNEL readAll(const GLOBAL u32x4 *words, u64 count, GLOBAL u32 *total) {
  u64 step = blocks() * 1024ull;
  u32x4 sum = 0;
  for (u64 at = block() * 1024ull + thread(); at < count; at += 8 * step) {
    u32x4 part[8];
#pragma unroll
    for (int i = 0; i < 8; ++i)
      part[i] = at + i * step < count ? streamed(words + at + i * step) : 0;
#pragma unroll
    for (int i = 0; i < 8; ++i)
      sum += part[i];
  }
  asm volatile("red.global.add.u32 [%0], %1;" ::"l"(total),
               "r"(sum.x + sum.y + sum.z + sum.w)
               : "memory");
}

/// Every block streams its own chunks through a ring of `slots` in shared
/// memory, chunk by chunk, and adds up the first word of each.
KERNEL stream(const GLOBAL unsigned char *bytes, u32 chunks, u32 chunkBytes,
              u32 slots, u32 perBlock, GLOBAL u32 *total) {
  u32 ring = place(memory), full = ring + slots * chunkBytes,
      free = full + 8 * slots;
  if (thread() == 0) {
    for (u32 slot = 0; slot < slots; ++slot) {
      barrierInit(full + 8 * slot, 1);
      barrierInit(free + 8 * slot, 1);
    }
    barrierInitFence();
  }
  meet();
  // In one piece a block, or in turns with the others.
  u64 first = perBlock ? (u64)block() * chunks : block();
  u64 step = perBlock ? 1 : blocks();
  if (thread() == 0) {
    u64 policy = readOncePolicy();
    u32 slot = 0, phase = 1;
    for (u32 chunk = 0; chunk < chunks; ++chunk) {
      barrierAwait(free + 8 * slot, phase);
      fetch(ring + slot * chunkBytes,
            bytes + (first + chunk * step) * chunkBytes, chunkBytes,
            full + 8 * slot, policy);
      if (++slot == slots)
        slot = 0, phase ^= 1;
    }
  } else if (thread() == 32) {
    u32 sum = 0, slot = 0, phase = 0;
    for (u32 chunk = 0; chunk < chunks; ++chunk) {
      barrierAwait(full + 8 * slot, phase);
      sum += *(volatile SHARED u32 *)(memory + slot * chunkBytes);
      barrierArrive(free + 8 * slot);
      if (++slot == slots)
        slot = 0, phase ^= 1;
    }
    asm volatile("red.global.add.u32 [%0], %1;" ::"l"(total), "r"(sum)
                 : "memory");
  }
}
