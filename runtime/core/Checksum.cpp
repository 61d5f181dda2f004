//===- Checksum.cpp - the artifact's checksum -----------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "runtime/core/Format.h"

using namespace ingot::rt;

// An odd multiplier makes each step below a bijection of the lane's state, so
// a change of one word always changes the result.
static constexpr uint64_t multiplier = 0xD1B54A32D192ED03u;
static constexpr unsigned laneCount = 8;

static uint64_t mix(uint64_t state, uint64_t word) {
  state = (state ^ word) * multiplier;
  return state ^ (state >> 32);
}

uint64_t ingot::rt::checksum(std::span<const unsigned char> bytes) {
  uint64_t lanes[laneCount];
  for (unsigned i = 0; i < laneCount; ++i)
    lanes[i] = (i + 1) * multiplier;

  // Independent lanes keep the multiplier busy.
  const unsigned char *p = bytes.data();
  size_t left = bytes.size();
  constexpr size_t step = laneCount * sizeof(uint64_t);
  for (; left >= step; left -= step, p += step) {
    uint64_t words[laneCount];
    std::memcpy(words, p, step);
    for (unsigned i = 0; i < laneCount; ++i)
      lanes[i] = mix(lanes[i], words[i]);
  }

  // The tail is padded with zeros; the length below tells them from data.
  uint64_t tail[laneCount] = {};
  if (left)
    std::memcpy(tail, p, left);
  uint64_t state = mix(multiplier, bytes.size());
  for (unsigned i = 0; i < laneCount; ++i)
    state = mix(state, mix(lanes[i], tail[i]));
  return mix(state, 0);
}
