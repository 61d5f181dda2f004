//===- Abi.h - what compiled images and the runtime agree on --------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The calling convention of a compiled image. The compiler emits it and the
// runtime calls it; a change here is a change of ArtifactFormatVersion.
//
// The image is an ELF x86-64 shared object without undefined symbols. It
// exports two functions whose names stand in the manifest (IngotSizesFn and
// IngotEntryFn below).
//
// Barriers. Every worker passes the same sequence of barriers. Each is waited
// for by all, and tells of some of them, which all know: of those that touched
// memory since the one before. These add 1 to *barrier (acq_rel). Then every
// worker loads it (acquire) until it is at least the sum of how many each
// barrier so far told of, calling ctx->relax after some tens of pauses and then
// again after each further pause. It is the runtime that knows whether spinning
// on is worth while.
//
// Counters. Where a worker waits for tiles of others and not for all workers,
// the program counts them in its arena, which it has set to 0 itself. It calls
// ctx->relax as in a barrier, and goes on without what it waits for where
// *error is not 0.
//
// Stopping early. A program that wants to be cancellable loads *error
// (relaxed, atomic) after a barrier; if it is not zero, the worker adds
// INGOT_BARRIER_RELEASE to *barrier (release) and returns. The others
// then pass every barrier they come to, see the error there and return as
// well. Nobody can be left waiting, because whoever leaves has released
// everyone else; nothing is read that was not written, because whoever sees
// that release sees the error, too, and leaves. A program without these checks
// runs to its end and the runtime reports the stop then.
//
// Caches. A program of a decoder appends keys and values to pages that belong
// to the runtime. A page holds 128 positions of every cache of one group:
// cache after cache, each aligned to 64 bytes, keys (heads x key depth x 128)
// and then values (heads x 128 x value depth). The manifest's state says where.
#ifndef INGOT_RUNTIME_CORE_ABI_H
#define INGOT_RUNTIME_CORE_ABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Value that the runtime stores to *error to ask a program to stop (cancel
/// or time limit). Runtime checks use positive ids.
#define INGOT_ERROR_STOP (-1)

/// Added to the arrival counter by a worker that leaves early: larger than
/// any count of arrivals, and small enough that every worker may add it.
#define INGOT_BARRIER_RELEASE ((int64_t)1 << 48)

/// Alignment in bytes of the weights base, the arena and session-allocated
/// outputs. The caller's own input and output buffers are only aligned to
/// their element.
#define INGOT_ALIGNMENT 64

/// A point in time of a worker's run.
typedef struct IngotTraceMark {
  /// What ended here: a stage, by its number in the manifest's list of the
  /// program, or INGOT_TRACE_WAIT.
  int64_t what;
  /// The CPU's cycle counter.
  int64_t ticks;
} IngotTraceMark;

/// The start of the run, or a wait for the other workers, ended.
#define INGOT_TRACE_START (-2)
#define INGOT_TRACE_WAIT (-1)
/// Something that worker 0 does alone ended.
#define INGOT_TRACE_SINGLE (-3)
/// The call of number i begins: stages that end from here on are those of its
/// program.
#define INGOT_TRACE_CALL(i) (-4 - (i))

/// What one worker noted of a run.
typedef struct IngotTraceLog {
  IngotTraceMark *marks;
  int64_t capacity;
  /// Marks that were made; those beyond the capacity are not kept.
  int64_t count;
} IngotTraceLog;

/// What a program needs that another one calls, beside its inputs and outputs.
typedef struct IngotCall {
  /// As of a run of the called program. Calls may share one arena: workers meet
  /// between them.
  unsigned char *arena;
  const int64_t *symbols;
} IngotCall;

/// What one run gives to every worker. All pointers but page_tables, trace,
/// calls and tell are non-null, also those of tensors without elements. Inputs
/// and outputs do not overlap.
typedef struct IngotContext {
  /// Data of the inputs, in manifest order; dense, row-major.
  void *const *inputs;
  /// Data of the outputs, in manifest order; dense, row-major.
  void *const *outputs;
  /// The artifact's weights section. Read-only.
  const unsigned char *weights;
  /// Scratch memory of at least the arena_bytes that the sizes function
  /// answered. Its content is undefined at the start.
  unsigned char *arena;
  /// Values of the symbolic dims, in manifest order.
  const int64_t *symbols;
  /// Arrival counter on a cache line of its own; zero at the start.
  int64_t *barrier;
  /// 0; or the id of the first runtime check that failed, an index into the
  /// manifest's errors (index 0 is reserved); or INGOT_ERROR_STOP. Checks
  /// store with compare-exchange from 0, so that the first one wins.
  int32_t *error;
  /// Called by a worker that waits in a barrier, with the context that it was
  /// given: returns at once, or lets others run, or sleeps.
  void (*relax)(struct IngotContext *);
  /// Page tables of a program with caches: one for each cache group of the
  /// manifest, rows x pages_per_row addresses of pages. Null without caches.
  /// Page number p of a row holds its positions from p * 128 on; a page that
  /// the run neither writes nor can see has the address 0.
  const int64_t *const *page_tables;
  int64_t pages_per_row;
  /// The worker's own log: it makes a mark at its start and after each stage
  /// and each wait. Null: nothing is noted.
  IngotTraceLog *trace;
  /// Of a program that calls others, in the order of its calls. Such a program
  /// overwrites inputs, outputs, arena and symbols of the worker's context:
  /// each worker has one of its own. Barriers of the called programs count on.
  const IngotCall *calls;
  /// Called by worker 0 of such a program, with its context and a number for
  /// the host. Not 0: the host wants no more.
  int32_t (*tell)(struct IngotContext *, int64_t);
} IngotContext;

/// From the input dims (those of all inputs, concatenated in manifest order)
/// to the values of the symbols, the dims of all outputs (concatenated) and
/// the bytes of arena that a run by `workers` workers needs. Returns 0, or the
/// id of the check that the dims fail. Must accept every combination of
/// non-negative dims without undefined behaviour.
typedef int32_t (*IngotSizesFn)(const int64_t *in_dims, int64_t workers,
                                int64_t *symbols, int64_t *out_dims,
                                int64_t *arena_bytes);

/// The program: called once by every worker 0 .. workers - 1 of a team.
typedef void (*IngotEntryFn)(IngotContext *ctx, int64_t worker,
                             int64_t workers);

#ifdef __cplusplus
}
#endif

#endif // INGOT_RUNTIME_CORE_ABI_H
