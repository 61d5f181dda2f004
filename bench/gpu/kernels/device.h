//===- device.h - what the kernels of bench/gpu share ---------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// C for LLVM's NVPTX backend, without CUDA's headers: an instruction that C
// has no word for is a line of assembly here. Every loop that waits ends after
// a while, whatever happens: a kernel that hangs would hang the card.
#ifndef INGOT_BENCH_GPU_DEVICE_H
#define INGOT_BENCH_GPU_DEVICE_H

#define GLOBAL __attribute__((address_space(1)))
#define SHARED __attribute__((address_space(3)))
#define KERNEL __attribute__((nvptx_kernel)) void
#define INLINE static inline __attribute__((always_inline))

typedef unsigned u32;
typedef unsigned long long u64;
typedef float f32x4 __attribute__((ext_vector_type(4)));
typedef u32 u32x4 __attribute__((ext_vector_type(4)));

/// The shared memory that a launch asks for.
extern SHARED _Alignas(1024) unsigned char memory[];

INLINE u32 thread(void) { return __nvvm_read_ptx_sreg_tid_x(); }
INLINE u32 block(void) { return __nvvm_read_ptx_sreg_ctaid_x(); }
INLINE u32 blocks(void) { return __nvvm_read_ptx_sreg_nctaid_x(); }

INLINE u32 multiprocessor(void) {
  u32 id;
  asm volatile("mov.u32 %0, %%smid;" : "=r"(id));
  return id;
}

INLINE u64 nanoseconds(void) {
  u64 time;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(time)::"memory");
  return time;
}

/// Where an object lies within shared memory.
INLINE u32 place(const SHARED void *object) { return (u32)(u64)object; }

//===----------------------------------------------------------------------===//
// Waiting
//===----------------------------------------------------------------------===//

/// How long a wait may take.
#define LIMIT 1000000000ull

/// Counts the polls of one wait, and ends the kernel once it takes too long.
/// The clock is only read now and then, since that takes longer than a poll.
INLINE void patience(u32 *polls, u64 *since) {
  if (++*polls & 1023)
    return;
  u64 now = nanoseconds();
  if (!*since)
    *since = now;
  if (now - *since > LIMIT)
    asm volatile("trap;");
}

/// How to look at a counter: loads that acquire, or plain ones with a fence
/// behind the last; at once, or a while later.
enum How { Acquire, Relaxed, Sleeping };

INLINE u32 look(GLOBAL u32 *counter, enum How how) {
  u32 value;
  if (how == Acquire)
    asm volatile("ld.acquire.gpu.global.u32 %0, [%1];"
                 : "=r"(value)
                 : "l"(counter)
                 : "memory");
  else
    asm volatile("ld.relaxed.gpu.global.u32 %0, [%1];"
                 : "=r"(value)
                 : "l"(counter)
                 : "memory");
  return value;
}

INLINE void fence(void) { asm volatile("fence.acq_rel.gpu;" ::: "memory"); }

/// Waits until a counter, which only grows, has come to `target`.
INLINE void await(GLOBAL u32 *counter, u32 target, enum How how) {
  u32 polls = 0;
  u64 since = 0;
  while ((int)(look(counter, how) - target) < 0) {
    if (how == Sleeping)
      asm volatile("nanosleep.u32 20;");
    patience(&polls, &since);
  }
  if (how != Acquire)
    fence();
}

/// Adds one, behind all that this thread wrote or saw.
INLINE void signal(GLOBAL u32 *counter) {
  asm volatile("red.release.gpu.global.add.u32 [%0], 1;" ::"l"(counter)
               : "memory");
}

/// As signal, but also acquires, and returns what the counter was before.
INLINE u32 count(GLOBAL u32 *counter) {
  u32 before;
  asm volatile("atom.acq_rel.gpu.global.add.u32 %0, [%1], 1;"
               : "=r"(before)
               : "l"(counter)
               : "memory");
  return before;
}

INLINE void publish(GLOBAL u32 *flag, u32 value) {
  asm volatile("st.release.gpu.global.u32 [%0], %1;" ::"l"(flag), "r"(value)
               : "memory");
}

//===----------------------------------------------------------------------===//
// Within a block
//===----------------------------------------------------------------------===//

/// Waits for all threads of the block.
INLINE void meet(void) { __syncthreads(); }

/// Waits for the first 256 threads: those that compute.
INLINE void meet256(void) { asm volatile("bar.sync 1, 256;" ::: "memory"); }

INLINE float shuffled(float value, u32 distance) {
  float other;
  asm volatile("shfl.sync.bfly.b32 %0, %1, %2, 31, -1;"
               : "=f"(other)
               : "f"(value), "r"(distance));
  return other;
}

/// The sum over a warp, in every lane.
INLINE float sum(float value) {
#pragma unroll
  for (u32 distance = 16; distance; distance /= 2)
    value += shuffled(value, distance);
  return value;
}

//===----------------------------------------------------------------------===//
// Bulk copies
//===----------------------------------------------------------------------===//

INLINE void barrierInit(u32 barrier, u32 arrivals) {
  asm volatile("mbarrier.init.shared.b64 [%0], %1;" ::"r"(barrier),
               "r"(arrivals)
               : "memory");
}

/// Behind the last barrierInit, before others use the barriers.
INLINE void barrierInitFence(void) {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}

INLINE void barrierArrive(u32 barrier) {
  asm volatile(
      "{ .reg .b64 state; mbarrier.arrive.shared.b64 state, [%0]; }" ::"r"(
          barrier)
      : "memory");
}

/// Waits for the end of a phase, of which only the lowest bit counts.
INLINE void barrierAwait(u32 barrier, u32 phase) {
  u32 polls = 0, done;
  u64 since = 0;
  for (;;) {
    asm volatile("{ .reg .pred p; mbarrier.try_wait.parity.shared.b64 p, [%1], "
                 "%2; selp.u32 %0, 1, 0, p; }"
                 : "=r"(done)
                 : "r"(barrier), "r"(phase & 1)
                 : "memory");
    if (done)
      return;
    patience(&polls, &since);
  }
}

INLINE u64 readOncePolicy(void) {
  u64 policy;
  asm("createpolicy.fractional.L2::evict_first.b64 %0, 1.0;" : "=l"(policy));
  return policy;
}

/// Fetches bytes into shared memory; the barrier's phase ends once they are
/// there. One thread does it for all.
INLINE void fetch(u32 to, const GLOBAL void *from, u32 bytes, u32 barrier,
                  u64 policy) {
  asm volatile("{ .reg .b64 state; mbarrier.arrive.expect_tx.shared.b64 state, "
               "[%0], %1; }" ::"r"(barrier),
               "r"(bytes)
               : "memory");
  asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::"
               "bytes.L2::cache_hint [%0], [%1], %2, [%3], %4;" ::"r"(to),
               "l"(from), "r"(bytes), "r"(barrier), "l"(policy)
               : "memory");
}

//===----------------------------------------------------------------------===//
// Tensor cores
//===----------------------------------------------------------------------===//

typedef u32 u32x2 __attribute__((ext_vector_type(2)));

INLINE void mma(float *d, u32x4 a, u32x2 b) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, "
      "{%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a.x), "r"(a.y), "r"(a.z), "r"(a.w), "r"(b.x), "r"(b.y));
}

/// Eight codes of 4 bits as bfloat16 of 128 + code: codes 0 and 4, 1 and 5, 2
/// and 6, 3 and 7 of a word side by side.
INLINE u32x4 raised(u32 codes) {
  u32x4 pairs;
#pragma unroll
  for (u32 i = 0; i < 4; ++i) {
    u32 pair;
    asm("lop3.b32 %0, %1, %2, %3, 0xea;"
        : "=r"(pair)
        : "r"(codes >> 4 * i), "r"(0x000f000f), "r"(0x43004300));
    pairs[i] = pair;
  }
  return pairs;
}

//===----------------------------------------------------------------------===//
// Made-up data, which the host makes up alike
//===----------------------------------------------------------------------===//

INLINE u32 hash(u32 x) {
  x = (x ^ (x >> 16)) * 0x7feb352du;
  x = (x ^ (x >> 15)) * 0x846ca68bu;
  return x ^ (x >> 16);
}

/// The bits of a bfloat16 between 2^-7 and 2^-5, of either sign.
INLINE u32 weightBits(u32 index) {
  u32 bits = hash(index);
  return (bits & 0x80ff) + (120 << 7);
}

/// The bits of a bfloat16 between 2^-8 and 2^-7, of either sign: codes less 8
/// are negative more often than not, and sums should not be.
INLINE u32 scaleBits(u32 index) { return (hash(~index) & 0x807f) + (119 << 7); }

#endif // INGOT_BENCH_GPU_DEVICE_H
