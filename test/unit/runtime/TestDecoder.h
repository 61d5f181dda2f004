//===- TestDecoder.h - what TestDecoder.c computes -*- C++ -*- ------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The function of a made-up decoder, for its image (in C) and for the tests'
// reference. Every token leaves numbers in three caches; logits are a hash of
// all numbers that the query sees, in order. Whatever is lost, swapped or
// overwritten changes them.
#ifndef INGOT_TEST_UNIT_RUNTIME_TESTDECODER_H
#define INGOT_TEST_UNIT_RUNTIME_TESTDECODER_H

#include <stdint.h>

enum {
  DecoderVocab = 64,
  /// The program passes barriers until it is stopped if it reads this id.
  DecoderSpinId = 62,
  DecoderWindow = 200,
  DecoderPage = 128,
};

/// One cache and where it lies in the pages of its group.
typedef struct DecoderCache {
  int64_t group, heads, keyDepth, valueDepth, element;
  int64_t keyOffset, valueOffset;
} DecoderCache;

enum { DecoderCaches = 3 };

/// The third one keeps a window only. Its 16-bit numbers stand for f16.
static const DecoderCache decoderCaches[DecoderCaches] = {
    {0, 2, 3, 2, 4, 0, 3072},
    {0, 1, 1, 4, 4, 5120, 5632},
    {1, 2, 2, 1, 2, 0, 1024},
};
static const int64_t decoderPageBytes[2] = {7680, 1536};

/// What a token leaves: depth counts through keys and then values.
static inline int64_t decoderNumber(int64_t id, int64_t position, int64_t cache,
                                    int64_t head, int64_t depth) {
  return (id * 311 + position * 7 + cache * 53 + head * 31 + depth * 3 + 1) %
         60000;
}

static inline uint64_t decoderMix(uint64_t hash, uint64_t number) {
  hash = (hash ^ number) * 0x100000001B3;
  return hash ^ (hash >> 29);
}

static inline float decoderLogit(uint64_t hash, int64_t id) {
  return (float)(decoderMix(decoderMix(hash, (uint64_t)id), 7) % 2000) /
             100.0f -
         10.0f;
}

#endif // INGOT_TEST_UNIT_RUNTIME_TESTDECODER_H
