//===- TestImage.c - a small image for the runtime's tests ----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Compiled freestanding and linked like a compiled model. It adds two tensors
// and does a few odd things on request. With a VARIANT_ macro it becomes an
// image that the loader must refuse.
//
// Inputs: a, b f32[batch, n]; mode i32[1]. Outputs: sum f32[batch, n];
// report i64[1].
#include "TestProgram.h"

enum {
  ErrorTooWide = 1,
  ErrorOnRequest = 2,
};

#if defined(VARIANT_UNDEFINED)
extern int somewhereElse(void);
#elif defined(VARIANT_TLS)
static _Thread_local int perThread = 7;
#elif defined(VARIANT_CONSTRUCTOR)
static volatile int constructed;
__attribute__((constructor)) static void construct(void) { constructed = 1; }
#endif

EXPORT int32_t ingot_sizes(const int64_t *dims, int64_t workers,
                           int64_t *symbols, int64_t *outDims,
                           int64_t *arenaBytes) {
  int64_t batch = dims[0], n = dims[1];
  if (n > 1 << 20)
    return ErrorTooWide;
  symbols[0] = batch;
  symbols[1] = n;
  outDims[0] = batch;
  outDims[1] = n;
  outDims[2] = 1;
  *arenaBytes = workers * (int64_t)sizeof(int64_t);
  return 0;
}

typedef void (*Mode)(IngotContext *ctx, int64_t worker, int64_t workers);

/// Notes that something ended, as Abi.h says.
static void mark(IngotContext *ctx, int64_t what) {
  IngotTraceLog *log = ctx->trace;
  if (log && log->count < log->capacity) {
    log->marks[log->count].what = what;
    log->marks[log->count].ticks = (int64_t)__builtin_ia32_rdtsc();
  }
  if (log)
    ++log->count;
}

/// Adds rows, counts elements in the arena, and sums the counts up behind a
/// barrier. Its manifest knows a stage 0 and no stage 7.
static void add(IngotContext *ctx, int64_t worker, int64_t workers) {
  const float *a = ctx->inputs[0], *b = ctx->inputs[1];
  float *sum = ctx->outputs[0];
  int64_t *counts = (int64_t *)ctx->arena;
  int64_t total = ctx->symbols[0] * ctx->symbols[1];
  counts[worker] = 0;
  mark(ctx, INGOT_TRACE_START);
  for (int64_t i = worker; i < total; i += workers) {
    sum[i] = a[i] + b[i] + (float)ctx->weights[0];
    ++counts[worker];
  }
  mark(ctx, 0);
  if (barrier(ctx, workers))
    return;
  mark(ctx, INGOT_TRACE_WAIT);
  mark(ctx, 7);
  if (worker == 0) {
    int64_t *report = ctx->outputs[1];
    *report = 0;
    for (int64_t i = 0; i < workers; ++i)
      *report += counts[i];
  }
}

/// A runtime check that fails in the last worker.
static void fail(IngotContext *ctx, int64_t worker, int64_t workers) {
  if (worker == workers - 1)
    setError(ctx, ErrorOnRequest);
  barrier(ctx, workers);
}

/// Passes barriers until it is stopped.
static void spin(IngotContext *ctx, int64_t worker, int64_t workers) {
  for (int64_t episode = 1; !barrier(ctx, episode * workers); ++episode)
    mark(ctx, INGOT_TRACE_WAIT);
}

/// Reports the state of the floating-point unit.
static void rounding(IngotContext *ctx, int64_t worker, int64_t workers) {
  if (worker == 0)
    *(int64_t *)ctx->outputs[1] = __builtin_ia32_stmxcsr();
}

// Function pointers need relative relocations.
static Mode volatile modes[] = {add, add, fail, spin, rounding, add, add, add};

#if !defined(VARIANT_NO_ENTRY)
EXPORT void ingot_entry(IngotContext *ctx, int64_t worker, int64_t workers) {
  int32_t mode = *(const int32_t *)ctx->inputs[2];
#if defined(VARIANT_UNDEFINED)
  mode += somewhereElse();
#elif defined(VARIANT_TLS)
  mode += perThread++;
#endif
  modes[mode & 7](ctx, worker, workers);
}
#else
EXPORT Mode *ingot_other(void) { return (Mode *)modes; }
#endif
