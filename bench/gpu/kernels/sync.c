//===- sync.c - how blocks wait for each other ----------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "device.h"

/// Counters lie this many words apart, each in lines of its own.
#define APART 64

KERNEL empty(void) {}

/// Members of a group, blocks being dealt to groups in turns.
INLINE u32 members(u32 group, u32 groups) {
  return (blocks() - group + groups - 1) / groups;
}

// Each is called by all threads of a block, after they have met.

/// One counter, at which everyone arrives and looks.
INLINE void meetAtOne(GLOBAL u32 *counters, u32 round, u32 groups,
                      enum How how) {
  if (thread() != 0)
    return;
  signal(counters);
  await(counters, round * blocks(), how);
}

/// As before, but the last one to arrive says so in another line.
INLINE void meetAtFlag(GLOBAL u32 *counters, u32 round, u32 groups,
                       enum How how) {
  if (thread() != 0)
    return;
  if (count(counters) == round * blocks() - 1)
    publish(counters + APART, round);
  else
    await(counters + APART, round, how);
}

/// A counter for each group; the last of a group arrives at the one for all.
INLINE void meetInGroups(GLOBAL u32 *counters, u32 round, u32 groups,
                         enum How how) {
  if (thread() != 0)
    return;
  u32 group = block() % groups;
  if (count(counters + (1 + group) * APART) ==
      round * members(group, groups) - 1)
    signal(counters);
  await(counters, round * groups, how);
}

/// A counter for each group, and a thread that looks at each.
INLINE void meetSpread(GLOBAL u32 *counters, u32 round, u32 groups,
                       enum How how) {
  if (thread() == 128)
    signal(counters + block() % groups * APART);
  if (thread() < groups)
    await(counters + thread() * APART, round * members(thread(), groups), how);
}

/// A word for each block, and a thread that looks at each: nobody adds.
INLINE void meetByWords(GLOBAL u32 *words, u32 round, u32 groups,
                        enum How how) {
  if (thread() == 255)
    publish(words + block(), round);
  if (thread() < blocks())
    await(words + thread(), round, how);
}

/// The threads of a block, and the grid, meet so many times. With `slots`
/// every block checks that it sees what its neighbour wrote before.
#define BARRIER(name, way, how)                                                \
  KERNEL name(GLOBAL u32 *counters, u32 rounds, u32 groups, GLOBAL u32 *slots, \
              GLOBAL u32 *errors) {                                            \
    for (u32 round = 1; round <= rounds; ++round) {                            \
      if (slots)                                                               \
        slots[(round & 1) * 4096 + block() * 4] = round;                       \
      meet();                                                                  \
      way(counters, round, groups, how);                                       \
      meet();                                                                  \
      u32 other = (block() + round) % blocks();                                \
      if (slots && slots[(round & 1) * 4096 + other * 4] != round)             \
        *errors = round;                                                       \
    }                                                                          \
  }

BARRIER(barrierOne, meetAtOne, Acquire)
BARRIER(barrierOneRelaxed, meetAtOne, Relaxed)
BARRIER(barrierOneSleeping, meetAtOne, Sleeping)
BARRIER(barrierFlag, meetAtFlag, Acquire)
BARRIER(barrierGroups, meetInGroups, Acquire)
BARRIER(barrierSpread, meetSpread, Acquire)
BARRIER(barrierWords, meetByWords, Acquire)

/// Block 0 and another hand words to each other: each waits for the other's
/// counter, reads what it wrote, and writes. `words` a thread travel each time.
#define HAND_OVER(name, how)                                                   \
  KERNEL name(GLOBAL u32 *counters, u32 rounds, u32 partner, u32 words,        \
              GLOBAL u32x4 *data, GLOBAL u32 *errors, GLOBAL u32 *places) {    \
    if (thread() == 0)                                                         \
      places[block()] = multiprocessor();                                      \
    if (block() != 0 && block() != partner)                                    \
      return;                                                                  \
    bool first = block() == 0;                                                 \
    GLOBAL u32 *mine = counters + (first ? 0 : APART);                         \
    GLOBAL u32 *theirs = counters + (first ? APART : 0);                       \
    GLOBAL u32x4 *given = data + (first ? 0 : 4096) + thread();                \
    GLOBAL u32x4 *taken = data + (first ? 4096 : 0) + thread();                \
    for (u32 round = 1; round <= rounds; ++round) {                            \
      if (!first || round > 1) {                                               \
        if (thread() == 0)                                                     \
          await(theirs, first ? round - 1 : round, how);                       \
        if (words) {                                                           \
          meet();                                                              \
          u32x4 value = *taken;                                                \
          if (value.x != round - first || value.w != thread())                 \
            *errors = round;                                                   \
        }                                                                      \
      }                                                                        \
      if (words) {                                                             \
        *given = (u32x4){round, round, round, thread()};                       \
        meet();                                                                \
      }                                                                        \
      if (thread() == 0)                                                       \
        signal(mine);                                                          \
    }                                                                          \
  }

HAND_OVER(handOver, Acquire)
HAND_OVER(handOverRelaxed, Relaxed)

/// Block 0 tells `readers` others, each of which answers in one counter.
KERNEL fan(GLOBAL u32 *counters, u32 rounds, u32 readers) {
  if (block() > readers || thread() != 0)
    return;
  for (u32 round = 1; round <= rounds; ++round)
    if (block() == 0) {
      publish(counters, round);
      await(counters + APART, round * readers, Acquire);
    } else {
      await(counters, round, Acquire);
      signal(counters + APART);
    }
}

/// The blocks of a cluster meet so many times.
KERNEL clusterBarrier(u32 rounds) {
  for (u32 round = 0; round < rounds; ++round) {
    asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory");
    asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory");
  }
}

/// A grid barrier at which one block of each cluster arrives.
KERNEL clusterGrid(GLOBAL u32 *counters, u32 rounds, u32 perCluster) {
  for (u32 round = 1; round <= rounds; ++round) {
    asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory");
    asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory");
    u32 rank;
    asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
    if (thread() == 0) {
      if (rank == 0)
        signal(counters);
      await(counters, round * (blocks() / perCluster), Acquire);
    }
    meet();
  }
}

/// Grid barriers while bulk copies keep memory busy: in the first `loaders`
/// blocks thread 0 holds `slots` chunks under way, round and round in the
/// block's part of `bytes`. With
/// `values` the other threads read 16 KiB of them behind each barrier, which
/// all blocks share.
KERNEL barrierUnderLoad(GLOBAL u32 *counters, u32 rounds,
                        const GLOBAL unsigned char *bytes, u32 chunkBytes,
                        u32 slots, u32 chunks, const GLOBAL f32x4 *values,
                        GLOBAL u32 *moved, u32 loaders) {
  slots = block() < loaders ? slots : 0;
  u32 ring = place(memory), full = ring + slots * chunkBytes,
      done = full + 8 * slots;
  volatile SHARED u32 *isDone = (volatile SHARED u32 *)(memory + (done - ring));
  if (thread() == 0) {
    for (u32 slot = 0; slot < slots; ++slot)
      barrierInit(full + 8 * slot, 1);
    barrierInitFence();
    *isDone = 0;
  }
  meet();
  if (thread() == 0) {
    u64 policy = readOncePolicy();
    const GLOBAL unsigned char *mine =
        bytes + (u64)block() * chunks * chunkBytes;
    u32 started = 0, slot = 0, phase = 1;
    for (; slots && !*isDone; ++started) {
      if (started >= slots)
        barrierAwait(full + 8 * slot, phase);
      fetch(ring + slot * chunkBytes,
            mine + (u64)(started % chunks) * chunkBytes, chunkBytes,
            full + 8 * slot, policy);
      if (++slot == slots)
        slot = 0, phase ^= 1;
    }
    // What is under way must land before the block ends.
    for (u32 left = started < slots ? started : slots; left; --left) {
      u32 oldest = (started - left) % slots;
      barrierAwait(full + 8 * oldest, (started - left) / slots);
    }
    asm volatile("red.global.add.u32 [%0], %1;" ::"l"(moved), "r"(started)
                 : "memory");
  } else if (thread() >= 32) {
    float sum = 0;
    for (u32 round = 1; round <= rounds; ++round) {
      meet256();
      if (thread() == 32) {
        signal(counters);
        await(counters, round * blocks(), Acquire);
      }
      meet256();
      for (u32 i = 0; values && i < 4; ++i) {
        f32x4 value = values[i * 256 + thread() - 32];
        sum += value.x + value.y + value.z + value.w;
      }
    }
    if (sum == 1)
      *moved = 0; // never, but the compiler cannot know
    if (thread() == 32)
      *isDone = 1;
  }
}
