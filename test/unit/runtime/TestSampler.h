//===- TestSampler.h - the entry "sample" of the test decoder -*- C++ -*- -===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The definition of Sampling.h, spelled out: what is next is looked for among
// all, as often as it takes. test/python/test_sampling.py tests the compiler's.
#ifndef INGOT_TEST_UNIT_RUNTIME_TESTSAMPLER_H
#define INGOT_TEST_UNIT_RUNTIME_TESTSAMPLER_H

#include "TestProgram.h"

enum { KindNan = 1, KindInfinite = 2, KindNothing = 3 };

EXPORT int32_t sample_sizes(const int64_t *dims, int64_t workers,
                            int64_t *symbols, int64_t *outDims,
                            int64_t *arenaBytes) {
  symbols[0] = dims[0];
  symbols[1] = dims[1];
  outDims[0] = 2;
  *arenaBytes = 32 * dims[0];
  return 0;
}

/// e^x of x <= 0.
static double powerOfE(double x) {
  double sum = 1;
  int halvings = 0;
  for (; x < -0.25; x /= 2)
    if (++halvings > 20)
      return 0;
  for (int n = 16; n > 0; --n)
    sum = 1 + sum * x / n;
  while (halvings-- > 0)
    sum *= sum;
  return sum;
}

static uint64_t mixBits(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

/// The largest number of `of` that is not taken, of equal ones the first; n if
/// there is none.
static int64_t nextOf(const double *of, const char *isTaken, int64_t n) {
  int64_t best = n;
  for (int64_t i = 0; i < n; ++i)
    if (!isTaken[i] && (best == n || of[i] > of[best]))
      best = i;
  return best;
}

static int64_t draw(double *p, char *isKept, int64_t n, const double *reals,
                    const int64_t *numbers) {
  const double temperature = reals[0], topP = reals[1], minP = reals[2];
  uint64_t k = (uint64_t)numbers[0];
  int64_t first = nextOf(p, isKept, n), count = 0;
  double largest = p[first], sum = 0;
  for (int64_t i; (k == 0 || (uint64_t)count < k) &&
                  (i = nextOf(p, isKept, n)) < n && p[i] > -__builtin_inf();
       ++count)
    isKept[i] = 1;
  for (int64_t i = 0; i < n; ++i) {
    p[i] = isKept[i] ? powerOfE((p[i] - largest) / temperature) : -1;
    sum += isKept[i] ? p[i] : 0;
    isKept[i] = 0;
  }
  double reached = 0;
  for (int64_t i; count-- > 0 && (topP == 1 || reached < topP);
       reached += p[i] / sum) {
    i = nextOf(p, isKept, n);
    isKept[i] = 1;
  }
  double total = 0, running = 0;
  for (int64_t i = 0; i < n; ++i) {
    isKept[i] = isKept[i] && p[i] >= minP * p[first];
    total += isKept[i] ? p[i] : 0;
  }
  uint64_t golden = 0x9E3779B97F4A7C15;
  uint64_t bits = mixBits(mixBits((uint64_t)numbers[1] + golden) +
                          golden * ((uint64_t)numbers[2] + 1));
  double u = (double)(bits >> 11) * 0x1p-53 * total;
  int64_t last = first;
  for (int64_t i = 0; i < n && running <= u; ++i)
    if (isKept[i]) {
      running += p[i];
      last = i;
    }
  return last;
}

/// What worker 0 does; the others do nothing.
static void chooseToken(IngotContext *ctx) {
  int64_t n = ctx->symbols[0];
  const float *logits = ctx->inputs[0];
  const int64_t *history = ctx->inputs[1];
  const double *reals = ctx->inputs[2];
  const int64_t *numbers = ctx->inputs[3];
  int64_t *token = ctx->outputs[0];
  double *p = (double *)ctx->arena;
  char *isKept = (char *)(p + n);
  for (int64_t i = 0; i < n; ++i) {
    p[i] = logits[i];
    isKept[i] = 0;
  }
  for (int64_t h = 0; h < ctx->symbols[1] && h < numbers[3]; ++h) {
    uint64_t id = (uint64_t)history[h];
    if (id < (uint64_t)n)
      p[id] = (float)(logits[id] > 0 ? logits[id] / reals[3]
                                     : logits[id] * reals[3]);
  }
  for (int64_t i = 0; i < n; ++i)
    if (!(p[i] < __builtin_inf())) {
      token[0] = i;
      token[1] = p[i] != p[i] ? KindNan : KindInfinite;
      return;
    }
  int64_t best = nextOf(p, isKept, n);
  token[1] = best == n || p[best] == -__builtin_inf() ? KindNothing : 0;
  token[0] = token[1] ? -1 : best;
  if (!token[1] && reals[0] != 0)
    token[0] = draw(p, isKept, n, reals, numbers);
}

EXPORT void sample_entry(IngotContext *ctx, int64_t worker, int64_t workers) {
  if (worker == 0)
    chooseToken(ctx);
}

#endif // INGOT_TEST_UNIT_RUNTIME_TESTSAMPLER_H
