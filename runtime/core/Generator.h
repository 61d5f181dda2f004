//===- Generator.h - token after token -*- C++ -*- ------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The loop of generation: read the prompt, then choose a token, hand it to the
// host and read it, until something says stop.
#ifndef INGOT_RUNTIME_CORE_GENERATOR_H
#define INGOT_RUNTIME_CORE_GENERATOR_H

#include "runtime/core/Sampling.h"
#include "runtime/core/Step.h"

namespace ingot::rt {

/// Why a generation ended. The values are those of ingot_finish in ingot.h.
enum class Finish {
  /// As many tokens as were asked for.
  Length = 0,
  StopId = 1,
  StopSequence = 2,
  /// A callback said so.
  Host = 3,
  /// The sequence has no room for a further token.
  Full = 4,
  /// generate() failed: cancelled, out of time, or an error.
  Interrupted = 5,
};

struct GenerateOptions {
  /// 0: as many as the sequence has room for.
  uint64_t maxNewTokens = 0;
  SamplerOptions sampling;
  std::vector<int64_t> stopIds;
  std::vector<std::vector<int64_t>> stopSequences;
  /// May change the logits before a token is chosen, given all ids so far;
  /// false ends the generation. May be empty.
  std::function<bool(std::span<const int64_t>, std::span<float>)> process;
  /// Receives each token; false ends the generation. May be empty.
  std::function<bool(int64_t)> onToken;
  /// The time limit is that of the whole generation.
  RunOptions run;
  /// As in StepOptions.
  uint64_t chunk = 0;
};

struct Generation {
  /// The new tokens, those of a stop included.
  std::vector<int64_t> ids;
  Finish finish = Finish::Length;
  /// How many of the last ids are the stop id or stop sequence.
  size_t stopTokens = 0;
  size_t promptTokens = 0;
  /// Reading the prompt; then everything until the end.
  double prefillMilliseconds = 0, decodeMilliseconds = 0;
};

/// Appends the prompt to the sequence and generates. The last token of the
/// result has not been read: it is not in the sequence yet. The caller has the
/// use of the sequence (SequenceUse). On failure `out` holds what was generated
/// before.
Status generate(Sequence &sequence, std::span<const int64_t> prompt,
                const GenerateOptions &options, Generation &out);

} // namespace ingot::rt

#endif // INGOT_RUNTIME_CORE_GENERATOR_H
