//===- TestProgram.h - what the test images' programs share -----*- C -*---===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TEST_UNIT_RUNTIME_TESTPROGRAM_H
#define INGOT_TEST_UNIT_RUNTIME_TESTPROGRAM_H

#include "runtime/core/Abi.h"

#define EXPORT __attribute__((visibility("default")))

/// Passes a barrier; not 0 if the program shall stop (Abi.h).
static int barrier(IngotContext *ctx, int64_t target) {
  __atomic_fetch_add(ctx->barrier, 1, __ATOMIC_ACQ_REL);
  for (int64_t spins = 0;
       __atomic_load_n(ctx->barrier, __ATOMIC_ACQUIRE) < target; ++spins) {
    if (spins > 2000)
      ctx->relax(ctx);
    __builtin_ia32_pause();
  }
  if (__atomic_load_n(ctx->error, __ATOMIC_RELAXED) == 0)
    return 0;
  __atomic_fetch_add(ctx->barrier, INGOT_BARRIER_RELEASE, __ATOMIC_RELEASE);
  return 1;
}

/// Makes `error` the program's, unless it has one.
static void setError(IngotContext *ctx, int32_t error) {
  int32_t none = 0;
  __atomic_compare_exchange_n(ctx->error, &none, error, 0, __ATOMIC_RELAXED,
                              __ATOMIC_RELAXED);
}

#endif // INGOT_TEST_UNIT_RUNTIME_TESTPROGRAM_H
