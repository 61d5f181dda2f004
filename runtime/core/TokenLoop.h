//===- TokenLoop.h - token after token in one run -*- C++ -*- -------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// One run of the artifact's program "generate": it chooses a token by the
// logits of the last one, hands it out, looks whether it is the end, reads it,
// and so on. Everything that a turn changes is memory that the program and the
// runtime share; pages for all turns are there before it begins.
#ifndef INGOT_RUNTIME_CORE_TOKENLOOP_H
#define INGOT_RUNTIME_CORE_TOKENLOOP_H

#include "runtime/core/Sampling.h"
#include "runtime/core/Sequence.h"

namespace ingot::rt {

/// The model's program "generate", if it can run one sequence; else null.
const Program *tokenLoop(const Model &model);

struct TokenLoopOptions {
  SamplerOptions sampling;
  /// Rows of generated ids that end it, each with -1 behind it.
  std::span<const int64_t> stops;
  /// Most tokens of this run. Pages for all but the last are reserved.
  uint64_t count = 0;
  /// Receives each token; false ends it. May be empty.
  std::function<bool(int64_t)> onToken;
  RunOptions run;
};

/// How a run went.
struct TokenLoopEnd {
  /// onToken wanted no more.
  bool isHosts = false;
  uint64_t arenaBytes = 0;
};

/// Adds tokens to `ids`, which holds what was generated before. `logits` are of
/// the sequence's last token. The last one that is added has not been read; all
/// others are in the sequence, each from the moment that the next one is handed
/// out. That also holds on failure.
Status runTokenLoop(const Program &program, Sequence &sequence,
                    std::span<float> logits, std::vector<int64_t> &ids,
                    const TokenLoopOptions &options, TokenLoopEnd &end);

} // namespace ingot::rt

#endif // INGOT_RUNTIME_CORE_TOKENLOOP_H
