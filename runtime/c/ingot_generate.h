//===- ingot_generate.h - the C API: sequences and generation -------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The part of ingot.h that is about decoders; include that. Needs a model that
// was compiled with `generate` (ingot_model_is_generator).
//
// A sequence is what a model has read so far: token ids and their keys and
// values in pages. Any number of sequences live in one session and share its
// memory; ingot_step lets some of them read tokens together, ingot_generate
// drives one of them. What a sequence computes does not depend on how its
// tokens were cut into steps, nor on which sequences shared a step with it.
//
// Different sequences may be used from several threads at once. One sequence is
// for one call at a time; a second one is refused. Only its length may be asked
// at any time.
#ifndef INGOT_GENERATE_H
#define INGOT_GENERATE_H

#include "ingot.h"

#ifdef __cplusplus
extern "C" {
#endif

//===----------------------------------------------------------------------===//
// Sequences
//===----------------------------------------------------------------------===//

typedef struct ingot_sequence ingot_sequence;

typedef struct ingot_sequence_options {
  size_t struct_size;
  /// Most positions; 0: as many as the model and memory admit. Memory is taken
  /// as tokens come, not for the capacity.
  uint64_t capacity;
} ingot_sequence_options;
#define INGOT_SEQUENCE_OPTIONS_INIT {sizeof(ingot_sequence_options), 0}

/// Makes an empty sequence. It keeps the session alive. `options` may be null.
INGOT_API ingot_status ingot_sequence_create(
    ingot_session *session, const ingot_sequence_options *options,
    ingot_sequence **sequence);

INGOT_API void ingot_sequence_free(ingot_sequence *sequence);

/// Gives a sequence what the model needs besides tokens and what no token
/// changes, such as the states of an encoder: the inputs that ingot_model_bound
/// lists, in any order, each for one row. What the model computes from them
/// alone, such as the keys and values of cross-attention, is computed here,
/// once, and kept in the sequence's memory; forks share it. To be called before
/// the first token; a sequence that is truncated to none may be bound anew. On
/// failure nothing has changed. `options` may be null.
INGOT_API ingot_status ingot_sequence_bind(ingot_sequence *sequence,
                                           const ingot_tensor *inputs,
                                           size_t input_count,
                                           const ingot_run_options *options);

/// How many positions of what was bound attention sees; 0 before it is.
INGOT_API uint64_t ingot_sequence_bound_length(const ingot_sequence *sequence);

/// How many tokens have been read.
INGOT_API uint64_t ingot_sequence_length(const ingot_sequence *sequence);

/// The most that it may come to hold: the smaller of its capacity and what the
/// model admits; 0 for no limit.
INGOT_API uint64_t ingot_sequence_limit(const ingot_sequence *sequence);

/// Copies the ids that have been read; `count` is the sequence's length.
INGOT_API ingot_status ingot_sequence_ids(ingot_sequence *sequence,
                                          int64_t *ids, size_t count);

/// Forgets all tokens but the first `length`. Where a sliding window has let go
/// of what they would need again, this is refused and nothing is changed.
INGOT_API ingot_status ingot_sequence_truncate(ingot_sequence *sequence,
                                               uint64_t length);

/// Makes a sequence that goes on from where this one is. The two share all
/// pages until one of them writes to the last, which is then copied.
INGOT_API ingot_status ingot_sequence_fork(ingot_sequence *sequence,
                                           ingot_sequence **copy);

/// Writes the sequence to a file, which appears under its name only when it is
/// complete.
INGOT_API ingot_status ingot_sequence_save(ingot_sequence *sequence,
                                           const char *path);

/// Reads such a file, for a session over the very same artifact. A damaged file
/// is refused (INGOT_CORRUPT_ARTIFACT), as is one of another artifact
/// (INGOT_INVALID_ARGUMENT).
INGOT_API ingot_status ingot_sequence_restore(
    ingot_session *session, const char *path,
    const ingot_sequence_options *options, ingot_sequence **sequence);

/// Memory of all of a session's caches.
typedef struct ingot_cache_stats {
  /// Of pages in use; one that several sequences share counts once.
  uint64_t bytes_in_use;
  /// Held from the system.
  uint64_t bytes_reserved;
  /// The most that bytes_in_use ever was.
  uint64_t peak_bytes;
} ingot_cache_stats;

INGOT_API ingot_status ingot_session_cache_stats(const ingot_session *session,
                                                 ingot_cache_stats *stats);

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

/// A sequence and the tokens that it reads next, at least one.
typedef struct ingot_row {
  ingot_sequence *sequence;
  const int64_t *ids;
  size_t count;
} ingot_row;

typedef struct ingot_step_options {
  size_t struct_size;
  /// Seconds from the call; 0 for no limit.
  double time_limit;
  /// May be null.
  ingot_cancel *cancel;
  /// Long prompts are read in passes of at most this many tokens, all rows
  /// together, so that scratch memory stays bounded. 0 for the default, 512.
  uint64_t chunk;
  /// Not 0: the logits of every token. Without, of each row's last token.
  int32_t all_logits;
} ingot_step_options;
#define INGOT_STEP_OPTIONS_INIT {sizeof(ingot_step_options), 0, 0, 0, 0}

/// Lets each row's sequence read its tokens. The sequences are of one session
/// and each is given once; others may join and leave from step to step.
///
/// The logits are f32, [rows, vocab_size], with all_logits [tokens, vocab_size]
/// (row after row). They are written to `logits`, which has room for exactly
/// `logit_count` of them, or, if that is null, to memory of the result, which
/// then has them as its only output. With neither nobody wants them. The result
/// may be null; `options` may be null.
///
/// If a sequence has no room for its tokens (INGOT_SEQUENCE_FULL) or memory for
/// them is short, nothing is changed. If a step is stopped or fails later, the
/// passes that were finished stay: the lengths say how many tokens were read.
/// Pages of sliding windows and scratch memory are taken from pass to pass, so
/// that want of those can show late, too.
INGOT_API ingot_status ingot_step(const ingot_row *rows, size_t row_count,
                                  const ingot_step_options *options,
                                  float *logits, size_t logit_count,
                                  ingot_result **result);

/// ingot_step of one row, without logits.
INGOT_API ingot_status ingot_sequence_append(ingot_sequence *sequence,
                                             const int64_t *ids, size_t count,
                                             const ingot_step_options *options);

//===----------------------------------------------------------------------===//
// Sampling
//===----------------------------------------------------------------------===//

/// How a token is chosen by logits l. In this order:
///  1. repetition_penalty r, for each id read so far: l / r if l > 0, else
///     l * r.
///  2. temperature T: 0 takes the largest l, of equal ones the lowest id, and
///     the rest does not apply; else l / T.
///  3. top_k: the k largest, of equal ones the lowest ids. 0: all.
///  4. top_p: of p = softmax over what is left, from the largest on, the
///     shortest beginning whose sum is at least top_p. 1: all.
///  5. min_p: those with p at least min_p times the largest. 0: all.
///  6. One of what is left by its share. The random number is a function of
///     seed and of the token's position in the sequence alone.
/// The same logits and options give the same token on every machine.
typedef struct ingot_sampling {
  size_t struct_size;
  double temperature;
  uint64_t top_k;
  double top_p;
  double min_p;
  double repetition_penalty;
  uint64_t seed;
} ingot_sampling;
#define INGOT_SAMPLING_INIT {sizeof(ingot_sampling), 0, 0, 1, 0, 1, 0}

/// Whether the numbers are in range; the message names the first that is not.
INGOT_API ingot_status ingot_sampling_check(const ingot_sampling *sampling);

/// Chooses a token for position `position`, for hosts with a loop of their own
/// around ingot_step: by the code of the session's artifact, on its threads.
/// `history` holds the ids that repetition_penalty is about. `sampling` may be
/// null: greedy. Fails if a logit is NaN or +infinity, or all are -infinity
/// (INGOT_RUNTIME_CHECK), and if the model was not compiled for generation.
INGOT_API ingot_status ingot_sample(ingot_session *session, const float *logits,
                                    size_t vocab_size, const int64_t *history,
                                    size_t history_count, uint64_t position,
                                    const ingot_sampling *sampling,
                                    int64_t *id);

/// Forbids ids: sets the logit of id i to -infinity if bit i % 32 of
/// mask[i / 32] is 0. For logits processors.
INGOT_API void ingot_mask_logits(float *logits, size_t vocab_size,
                                 const uint32_t *mask);

//===----------------------------------------------------------------------===//
// Generation
//===----------------------------------------------------------------------===//

typedef enum ingot_finish {
  /// max_new_tokens were generated.
  INGOT_FINISH_LENGTH = 0,
  INGOT_FINISH_STOP_ID = 1,
  INGOT_FINISH_STOP_SEQUENCE = 2,
  /// A callback said so.
  INGOT_FINISH_HOST = 3,
  /// The sequence has no room for a further token.
  INGOT_FINISH_FULL = 4,
  /// The call failed: cancelled, out of time, or an error.
  INGOT_FINISH_INTERRUPTED = 5
} ingot_finish;

/// Several ids in a row.
typedef struct ingot_ids {
  const int64_t *ids;
  size_t count;
} ingot_ids;

/// May change the logits before sampling looks at them. `ids` are all that the
/// sequence has read. Not 0 ends the generation.
typedef int32_t (*ingot_logits_fn)(void *user, const int64_t *ids, size_t count,
                                   float *logits, size_t vocab_size);

/// Receives a token as soon as it is chosen. Not 0 ends the generation.
typedef int32_t (*ingot_token_fn)(void *user, int64_t id);

typedef struct ingot_generate_options {
  size_t struct_size;
  /// 0: as many as the sequence has room for.
  uint64_t max_new_tokens;
  /// How tokens are chosen; null: greedy.
  const ingot_sampling *sampling;
  /// Ids that end the generation.
  const int64_t *stop_ids;
  size_t stop_id_count;
  /// Rows of generated ids that end it.
  const ingot_ids *stop_sequences;
  size_t stop_sequence_count;
  /// Both may be null. They are called by the thread that generates and must
  /// not use the sequence, except for its length. on_token may be called in the
  /// middle of a run of the whole team: what it runs has one thread, and it
  /// must not wait for another thread's run.
  ingot_logits_fn process_logits;
  ingot_token_fn on_token;
  void *user;
  /// Of the whole generation, as for a run.
  double time_limit;
  ingot_cancel *cancel;
  /// As in ingot_step_options.
  uint64_t chunk;
} ingot_generate_options;
#define INGOT_GENERATE_OPTIONS_INIT                                            \
  {sizeof(ingot_generate_options), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}

/// What was generated.
typedef struct ingot_generation ingot_generation;

typedef struct ingot_generation_stats {
  ingot_finish finish;
  /// How many of the last ids are the stop id or stop sequence.
  size_t stop_tokens;
  size_t prompt_tokens, new_tokens;
  /// Reading the prompt; then everything until the end, callbacks included.
  double prefill_milliseconds, decode_milliseconds;
} ingot_generation_stats;

/// Appends the prompt, at least one id, to the sequence and generates.
///
/// The last generated token has been chosen but not read: it is not in the
/// sequence. To go on, begin the next prompt with it (or leave it out).
///
/// `options` may be null, `generation` too. If the call fails once it has
/// begun, for want of time say, *generation holds what there was until then.
INGOT_API ingot_status ingot_generate(ingot_sequence *sequence,
                                      const int64_t *prompt,
                                      size_t prompt_count,
                                      const ingot_generate_options *options,
                                      ingot_generation **generation);

INGOT_API void ingot_generation_free(ingot_generation *generation);
/// The generated ids, those of a stop included.
INGOT_API ingot_ids ingot_generation_ids(const ingot_generation *generation);
INGOT_API ingot_status ingot_generation_get_stats(
    const ingot_generation *generation, ingot_generation_stats *stats);

#ifdef __cplusplus
}
#endif

#endif // INGOT_GENERATE_H
