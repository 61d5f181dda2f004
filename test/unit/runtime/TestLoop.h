//===- TestLoop.h - the entry "generate" of the test decoder ----*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Token after token in one run, as lib/Transforms/Schedule/AddTokenLoop.cpp
// makes it of a model's programs: turns over run() of TestDecoder.c and the
// sampler of TestSampler.h.
#ifndef INGOT_TEST_UNIT_RUNTIME_TESTLOOP_H
#define INGOT_TEST_UNIT_RUNTIME_TESTLOOP_H

/// Inputs, in the manifest's order.
enum {
  LoopTokens,
  LoopPast,
  LoopCount,
  LoopLogits,
  LoopHistory,
  LoopReals,
  LoopNumbers,
  LoopToken,
  LoopStops,
  LoopChosen,
  LoopProgress,
  LoopInputs
};

EXPORT int32_t generate_sizes(const int64_t *dims, int64_t workers,
                              int64_t *symbols, int64_t *outDims,
                              int64_t *arenaBytes) {
  // Of what has an extent of its own: history, stops, chosen.
  symbols[0] = dims[6];
  symbols[1] = dims[10];
  symbols[2] = dims[11];
  *arenaBytes = 0;
  return 0;
}

/// Whether the chosen ids end in one of the stops.
static int isStop(const int64_t *chosen, int64_t count, const int64_t *stops,
                  int64_t all) {
  int64_t start = 0;
  for (int64_t j = 0; j < all; ++j) {
    if (stops[j] >= 0)
      continue;
    int64_t length = j - start, same = 0;
    while (length <= count && same < length &&
           stops[start + same] == chosen[count - length + same])
      ++same;
    if (same == length)
      return 1;
    start = j + 1;
  }
  return 0;
}

/// What worker 0 does between choosing a token and reading it.
static void advance(IngotContext *ctx, void *const *own,
                    const int64_t *extents) {
  int64_t *numbers = own[LoopNumbers], *progress = own[LoopProgress];
  int64_t *history = own[LoopHistory], *chosen = own[LoopChosen];
  const int64_t *token = own[LoopToken];
  if (token[1] != 0) {
    progress[0] = 4;
    return;
  }
  *(TOKEN *)own[LoopTokens] = token[0];
  *(int64_t *)own[LoopPast] = numbers[2]++;
  chosen[progress[1]++] = token[0];
  if (numbers[3] < extents[0])
    history[numbers[3]++] = token[0];
  int isLast = progress[1] >= progress[2];
  int stops = isStop(chosen, progress[1], own[LoopStops], extents[1]);
  int isEnough = ctx->tell(ctx, token[0]) != 0;
  progress[0] = stops ? 1 : isEnough ? 2 : isLast ? 3 : 0;
}

EXPORT void generate_entry(IngotContext *ctx, int64_t worker, int64_t workers) {
  void *const *own = ctx->inputs;
  const int64_t *extents = ctx->symbols;
  const int64_t *progress = own[LoopProgress];
  void *sampleInputs[] = {own[LoopLogits], own[LoopHistory], own[LoopReals],
                          own[LoopNumbers]};
  void *sampleOutputs[] = {own[LoopToken]};
  void *decodeInputs[] = {own[LoopTokens], own[LoopPast], own[LoopCount]};
  void *decodeOutputs[] = {own[LoopLogits]};
  for (int64_t arrivals = 0;;) {
    ctx->inputs = sampleInputs;
    ctx->outputs = sampleOutputs;
    ctx->arena = ctx->calls[0].arena;
    ctx->symbols = ctx->calls[0].symbols;
    if (worker == 0)
      chooseToken(ctx);
    if (barrier(ctx, arrivals += workers))
      return;
    if (worker == 0)
      advance(ctx, own, extents);
    if (barrier(ctx, arrivals += workers) || progress[0] != 0)
      return;
    ctx->inputs = decodeInputs;
    ctx->outputs = decodeOutputs;
    ctx->arena = ctx->calls[1].arena;
    ctx->symbols = ctx->calls[1].symbols;
    arrivals = run(ctx, worker, workers, /*isAll=*/0, arrivals);
    if (barrier(ctx, arrivals += workers))
      return;
  }
}

#endif // INGOT_TEST_UNIT_RUNTIME_TESTLOOP_H
