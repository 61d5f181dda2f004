//===- TestDecoder.c - a small decoder for the runtime's tests ------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// A program with caches, as the compiler emits them (Abi.h), over the function
// of TestDecoder.h. TOKEN is the type of the token ids.
//
// Inputs: tokens [rows, seq]; past, count i64[rows]. Output: logits
// f32[rows, vocab], of entry "all" f32[rows, seq, vocab].
#include "TestDecoder.h"
#include "TestProgram.h"
#include "TestSampler.h"

#if !defined(TOKEN)
#define TOKEN int64_t
#endif

enum { ErrorBadId = 1, ErrorTooLong = 2 };

static int32_t sizes(const int64_t *dims, int64_t *symbols) {
  symbols[0] = dims[0];
  symbols[1] = dims[1];
  return dims[1] > 1 << 16 ? ErrorTooLong : 0;
}

EXPORT int32_t ingot_sizes(const int64_t *dims, int64_t workers,
                           int64_t *symbols, int64_t *outDims,
                           int64_t *arenaBytes) {
  outDims[0] = dims[0];
  outDims[1] = DecoderVocab;
  *arenaBytes = 64 * dims[0] * dims[1];
  return sizes(dims, symbols);
}

EXPORT int32_t decode_sizes(const int64_t *dims, int64_t workers,
                            int64_t *symbols, int64_t *outDims,
                            int64_t *arenaBytes) {
  int32_t error = ingot_sizes(dims, workers, symbols, outDims, arenaBytes);
  *arenaBytes = 16 * dims[0]; // How the tests tell that it was used.
  return error;
}

EXPORT int32_t all_sizes(const int64_t *dims, int64_t workers, int64_t *symbols,
                         int64_t *outDims, int64_t *arenaBytes) {
  outDims[0] = dims[0];
  outDims[1] = dims[1];
  outDims[2] = DecoderVocab;
  *arenaBytes = 64 * dims[0] * dims[1];
  return sizes(dims, symbols);
}

/// The place of one number of a cache in a row.
static unsigned char *place(IngotContext *ctx, int64_t row,
                            const DecoderCache *cache, int64_t position,
                            int64_t head, int64_t depth) {
  const int64_t *table =
      ctx->page_tables[cache->group] + row * ctx->pages_per_row;
  unsigned char *page = (unsigned char *)table[position / DecoderPage];
  int64_t inPage = position % DecoderPage;
  if (depth < cache->keyDepth)
    return page + cache->keyOffset +
           ((head * cache->keyDepth + depth) * DecoderPage + inPage) *
               cache->element;
  return page + cache->valueOffset +
         ((head * DecoderPage + inPage) * cache->valueDepth + depth -
          cache->keyDepth) *
             cache->element;
}

static void append(IngotContext *ctx, int64_t row, int64_t position,
                   int64_t id) {
  for (int64_t c = 0; c < DecoderCaches; ++c) {
    const DecoderCache *cache = &decoderCaches[c];
    for (int64_t h = 0; h < cache->heads; ++h)
      for (int64_t d = 0; d < cache->keyDepth + cache->valueDepth; ++d) {
        unsigned char *to = place(ctx, row, cache, position, h, d);
        int64_t number = decoderNumber(id, position, c, h, d);
        if (cache->element == 4)
          *(float *)to = (float)number;
        else
          *(uint16_t *)to = (uint16_t)number;
      }
  }
}

static void query(IngotContext *ctx, int64_t row, int64_t position,
                  float *logits) {
  uint64_t hash = 1;
  for (int64_t c = 0; c < DecoderCaches; ++c) {
    const DecoderCache *cache = &decoderCaches[c];
    int64_t first = cache->group == 1 ? position + 1 - DecoderWindow : 0;
    for (int64_t p = first < 0 ? 0 : first; p <= position; ++p)
      for (int64_t h = 0; h < cache->heads; ++h)
        for (int64_t d = 0; d < cache->keyDepth + cache->valueDepth; ++d) {
          const unsigned char *from = place(ctx, row, cache, p, h, d);
          hash = decoderMix(hash, cache->element == 4
                                      ? (uint64_t)*(const float *)from
                                      : (uint64_t)*(const uint16_t *)from);
        }
  }
  for (int64_t id = 0; id < DecoderVocab; ++id)
    logits[id] = decoderLogit(hash, id);
}

/// Counts arrivals at barriers from `arrivals` on; those at the end.
static int64_t run(IngotContext *ctx, int64_t worker, int64_t workers,
                   int isAll, int64_t arrivals) {
  int64_t rows = ctx->symbols[0], seq = ctx->symbols[1];
  const TOKEN *tokens = ctx->inputs[0];
  const int64_t *past = ctx->inputs[1], *count = ctx->inputs[2];
  float *logits = ctx->outputs[0];
  int64_t spins = 0;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t s = 0; s < count[row]; ++s) {
      int64_t id = tokens[row * seq + s];
      spins |= id == DecoderSpinId;
      if ((id < 0 || id >= DecoderVocab) && worker == 0)
        setError(ctx, ErrorBadId);
    }
  do {
    if (barrier(ctx, arrivals += workers))
      return 0;
  } while (spins);
  for (int64_t row = worker; row < rows; row += workers)
    for (int64_t s = 0; s < count[row]; ++s)
      append(ctx, row, past[row] + s, tokens[row * seq + s]);
  if (barrier(ctx, arrivals += workers))
    return 0;
  for (int64_t i = worker; i < rows * seq; i += workers) {
    int64_t row = i / seq, s = i % seq;
    if (s < count[row] && (isAll || s == count[row] - 1))
      query(ctx, row, past[row] + s, logits + (isAll ? i : row) * DecoderVocab);
  }
  return arrivals;
}

EXPORT void ingot_entry(IngotContext *ctx, int64_t worker, int64_t workers) {
  run(ctx, worker, workers, 0, 0);
}

EXPORT void decode_entry(IngotContext *ctx, int64_t worker, int64_t workers) {
  run(ctx, worker, workers, 0, 0);
}

EXPORT void all_entry(IngotContext *ctx, int64_t worker, int64_t workers) {
  run(ctx, worker, workers, 1, 0);
}

#include "TestLoop.h"
