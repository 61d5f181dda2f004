//===- Step.h - sequences read tokens -*- C++ -*- -------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// One step gives any number of sequences any number of new tokens each. It is
// cut into passes of the program, so that the arena stays bounded.
#ifndef INGOT_RUNTIME_CORE_STEP_H
#define INGOT_RUNTIME_CORE_STEP_H

#include "runtime/core/Sequence.h"

namespace ingot::rt {

/// A sequence and what it reads next.
struct StepRow {
  Sequence *sequence = nullptr;
  std::span<const int64_t> tokens;
};

struct StepOptions {
  /// The time limit is that of the whole step.
  RunOptions run;
  /// Most tokens of a pass, all rows together and padding included, but at
  /// least one a row. 0 for the default.
  uint64_t chunk = 0;
  /// Logits of every token instead of each row's last one.
  bool allLogits = false;
};

inline constexpr uint64_t defaultChunk = 512;

/// Number of logits of a token. Fails if the model has no state.
Result<uint64_t> vocabulary(const Model &model);

/// Appends every row's tokens to its sequence and writes logits: row after row
/// the vocabulary's, or with allLogits token after token. `logits` may be empty
/// if they are not wanted, else has exactly that size. The rows' sequences are
/// of one session, and the caller has the use of them (SequenceUse).
///
/// Room is checked before anything is written. If a later pass fails or is
/// stopped, the tokens of finished passes stay: each sequence's length says how
/// many.
Status step(std::span<const StepRow> rows, const StepOptions &options,
            std::span<float> logits, RunStats &stats);

} // namespace ingot::rt

#endif // INGOT_RUNTIME_CORE_STEP_H
