//===- ingot.h - the C API of the Ingot runtime ---------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Load a compiled model, make a session, run it.
//
// Conventions
//  - Every function that can fail returns an ingot_status. On failure
//    ingot_last_error() has a message for people; it belongs to the calling
//    thread and lives until that thread's next call into this library.
//  - Handles are opaque. Each X_free accepts null.
//  - Strings and arrays that a function hands out belong to the handle that
//    they were asked of and live as long as it.
//  - Structs that begin with struct_size may grow at their end: initialise
//    them with their _INIT macro.
//  - No exception leaves this library, and it never ends the process.
//  - A model and a session may be used from several threads at once. A handle
//    must not be freed while a call uses it; sessions keep their model alive.
//  - After a fork the child may go on using its models and sessions; runs that
//    were under way in the parent do not exist in the child.
#ifndef INGOT_H
#define INGOT_H

#include <stddef.h>
#include <stdint.h>

#if defined(INGOT_BUILDING_LIBRARY) && defined(__GNUC__)
#define INGOT_API __attribute__((visibility("default")))
#else
#define INGOT_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

//===----------------------------------------------------------------------===//
// Status
//===----------------------------------------------------------------------===//

typedef enum ingot_status {
  INGOT_OK = 0,
  /// An argument, or an input's name, dtype, rank or dims, is wrong.
  INGOT_INVALID_ARGUMENT = 1,
  /// A file does not exist.
  INGOT_NOT_FOUND = 2,
  /// A file cannot be read or written.
  INGOT_IO_ERROR = 3,
  /// Not an artifact, or a damaged one.
  INGOT_CORRUPT_ARTIFACT = 4,
  /// The artifact is of another format version.
  INGOT_UNSUPPORTED_VERSION = 5,
  /// This machine's CPU lacks what the artifact was compiled for.
  INGOT_UNSUPPORTED_CPU = 6,
  INGOT_OUT_OF_MEMORY = 7,
  /// The run was cancelled; the outputs' content is undefined.
  INGOT_CANCELLED = 8,
  /// The run's time limit passed; the outputs' content is undefined.
  INGOT_TIME_LIMIT = 9,
  /// The model itself refused the input data, such as an index out of range.
  INGOT_RUNTIME_CHECK = 10,
  /// libIngotCompiler is not installed beside this library.
  INGOT_COMPILER_UNAVAILABLE = 11,
  /// The model cannot be compiled; the message has one reason per line.
  INGOT_COMPILE_FAILED = 12,
  INGOT_INTERNAL = 13,
  /// A sequence has no room for the tokens; nothing was changed.
  INGOT_SEQUENCE_FULL = 14
} ingot_status;

/// The message of the calling thread's last failed call; "" if there is none.
INGOT_API const char *ingot_last_error(void);

/// A status's name, such as "invalid argument". Static.
INGOT_API const char *ingot_status_name(ingot_status status);

/// The library's version, such as "0.1.0". Static.
INGOT_API const char *ingot_version(void);

typedef enum ingot_log_level {
  INGOT_LOG_INFO = 0,
  INGOT_LOG_WARNING = 1
} ingot_log_level;

/// Receives what the library has to say beside errors. May be called from any
/// thread that runs the session.
typedef void (*ingot_log_fn)(void *user, ingot_log_level level,
                             const char *message);

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

/// Element types. A bool is a byte, 0 or 1. Integers of two and four bits take
/// a byte each, which holds their value.
typedef enum ingot_dtype {
  INGOT_F32 = 1,
  INGOT_F64 = 2,
  INGOT_F16 = 3,
  INGOT_BF16 = 4,
  INGOT_BOOL = 5,
  INGOT_I8 = 6,
  INGOT_I16 = 7,
  INGOT_I32 = 8,
  INGOT_I64 = 9,
  INGOT_U8 = 10,
  INGOT_U16 = 11,
  INGOT_U32 = 12,
  INGOT_U64 = 13,
  INGOT_I4 = 14,
  INGOT_U4 = 15,
  INGOT_I2 = 16,
  INGOT_U2 = 17
} ingot_dtype;

/// Bytes of one element; 0 if the number is no dtype.
INGOT_API size_t ingot_dtype_bytes(ingot_dtype dtype);

/// The name, such as "f32". Static.
INGOT_API const char *ingot_dtype_name(ingot_dtype dtype);

/// A dense row-major tensor over somebody's memory.
typedef struct ingot_tensor {
  const char *name;
  ingot_dtype dtype;
  int32_t rank;
  /// `rank` extents; may be null if rank is 0.
  const int64_t *dims;
  /// The elements, aligned to their size. May be null if there are none.
  void *data;
  /// Bytes that data points to.
  size_t bytes;
} ingot_tensor;

/// An input or an output as the model declares it.
typedef struct ingot_tensor_info {
  const char *name;
  ingot_dtype dtype;
  int32_t rank;
  /// `rank` extents; -1 where symbolic.
  const int64_t *dims;
  /// `rank` texts: "128", "batch", "seq * 2".
  const char *const *dim_texts;
} ingot_tensor_info;

//===----------------------------------------------------------------------===//
// Models
//===----------------------------------------------------------------------===//

/// A compiled model: code, weights and signature.
typedef struct ingot_model ingot_model;

typedef struct ingot_load_options {
  size_t struct_size;
  /// Not 0: do not check the weights against their checksum. Loading then does
  /// not read them, but damage in them goes unnoticed.
  int32_t skip_weights_checksum;
} ingot_load_options;
#define INGOT_LOAD_OPTIONS_INIT {sizeof(ingot_load_options), 0}

/// Loads an artifact from a file, which is mapped and must not be truncated
/// while the model lives. `options` may be null. An artifact contains code:
/// load only what you trust.
INGOT_API ingot_status ingot_model_load(const char *path,
                                        const ingot_load_options *options,
                                        ingot_model **model);

/// Loads an artifact from memory. The bytes are copied.
INGOT_API ingot_status
ingot_model_load_memory(const void *data, size_t size,
                        const ingot_load_options *options, ingot_model **model);

typedef struct ingot_compile_options {
  size_t struct_size;
  /// "native" (also when null), "x86-64-v3" or "x86-64-v4", which may be
  /// extended: "x86-64-v3+avxvnni", "x86-64-v4+avx512vnni",
  /// "x86-64-v4+avx512vnni+avx512bf16"; or "aarch64".
  const char *target_cpu;
  /// Where to keep the artifact; null to keep it only while the model lives.
  const char *artifact_path;
  /// Path of libIngotCompiler.so; null to look beside this library, in the
  /// folder ../lib of the one that it is in, then where dlopen looks.
  const char *compiler_path;
  /// Called now and then with the phase and the share done; may be null.
  void (*progress)(void *user, const char *phase, double fraction);
  void *user;
  /// Keep the cache of a decoder as state: pasts, presents, masks and positions
  /// are no inputs and outputs any more.
  int generate;
  /// Element type of the cache: "f32", "f16" or null for the model's own.
  const char *kv_type;
  /// How activations meet weights of few bits: as codes of 8, 16 or 24 bits or,
  /// with 32, as floats. 0: as the model asks; where it asks nothing, 32 beside
  /// 8 bits with a scale a column and 24 beside others.
  int activation_bits;
  /// Inputs that become constants, as "NAME=VALUE": the model's input NAME is
  /// gone, and each of its elements is VALUE (an integer, true or false).
  const char *const *settings;
  size_t setting_count;
  /// Dims of inputs that become numbers, as "NAME=NUMBER": the program serves
  /// these sizes alone.
  const char *const *dims;
  size_t dim_count;
  /// Seconds in which other tiles are tried by running the model, beside those
  /// of compiling; the fastest are kept, and results stay the same to the bit.
  /// 0: none are tried.
  double tune_seconds;
  /// A tuned artifact whose tiles are taken; null for none.
  const char *tune_from;
  /// Asked for while tiles are tried; may be null.
  struct ingot_cancel *cancel;
} ingot_compile_options;
#define INGOT_COMPILE_OPTIONS_INIT                                             \
  {sizeof(ingot_compile_options), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}

/// Compiles an ONNX file and loads the result. Opens the compiler library with
/// dlopen; nothing else in this library needs it. `options` may be null.
INGOT_API ingot_status ingot_model_compile(const char *onnx_path,
                                           const ingot_compile_options *options,
                                           ingot_model **model);

INGOT_API void ingot_model_free(ingot_model *model);

INGOT_API size_t ingot_model_input_count(const ingot_model *model);
INGOT_API size_t ingot_model_output_count(const ingot_model *model);

/// The declared input or output number `index`.
INGOT_API ingot_status ingot_model_input(const ingot_model *model, size_t index,
                                         ingot_tensor_info *info);
INGOT_API ingot_status ingot_model_output(const ingot_model *model,
                                          size_t index,
                                          ingot_tensor_info *info);

/// What a sequence needs before its first token, such as an encoder's states,
/// see ingot_sequence_bind: how many inputs, and the declared one number
/// `index`.
INGOT_API size_t ingot_model_bound_count(const ingot_model *model);
INGOT_API ingot_status ingot_model_bound(const ingot_model *model, size_t index,
                                         ingot_tensor_info *info);

/// 1 if the model was compiled for generation, else 0: it is run by
/// ingot_generate or ingot_step on sequences, and not by ingot_session_run.
INGOT_API int32_t ingot_model_is_generator(const ingot_model *model);

typedef struct ingot_generator_info {
  /// Logits of a token.
  uint64_t vocab_size;
  /// Longest sequence that the model itself admits; 0 for no limit.
  uint64_t max_positions;
  /// Positions of a page, the unit in which caches grow and are shared.
  uint64_t page_positions;
  /// Bytes of all caches for one position of a sequence.
  uint64_t bytes_per_position;
  /// How many caches there are, and lines of ingot_model_replaced.
  size_t cache_count, replaced_count;
  /// Not 0: logits of all tokens can be asked of a step.
  int32_t has_all_logits;
} ingot_generator_info;

typedef struct ingot_cache_info {
  const char *name;
  ingot_dtype dtype;
  uint64_t heads, key_depth, value_depth;
  /// Positions that are kept; 0 for all.
  uint64_t window;
  /// The model's inputs and outputs that it replaced; "" where none.
  const char *key_input, *value_input, *key_output, *value_output;
} ingot_cache_info;

/// Fails if the model was not compiled for generation.
INGOT_API ingot_status ingot_model_generator(const ingot_model *model,
                                             ingot_generator_info *info);
/// Cache number `index`.
INGOT_API ingot_status ingot_model_cache(const ingot_model *model, size_t index,
                                         ingot_cache_info *info);
/// What became of another input or output of the model, such as
/// "attention_mask: all ones"; null if there is no number `index`.
INGOT_API const char *ingot_model_replaced(const ingot_model *model,
                                           size_t index);

//===----------------------------------------------------------------------===//
// Sessions
//===----------------------------------------------------------------------===//

/// Runs a model on a team of threads. Several threads may run one session at
/// once; sessions with the same number of threads share one team and take
/// turns on it, so that the machine is never asked for more threads than that.
/// Sessions with one thread use only the caller's and do not wait for others.
typedef struct ingot_session ingot_session;

typedef struct ingot_session_options {
  size_t struct_size;
  /// Workers, the calling thread included. 0: as many as the process's CPU
  /// affinity and its cgroup's quota allow.
  int32_t threads;
  /// May be null.
  ingot_log_fn log;
  void *log_user;
  /// Runs that need a larger arena are refused; 0 for no limit.
  uint64_t max_arena_bytes;
  /// Most memory for the caches of all sequences; 0 for no limit.
  uint64_t max_cache_bytes;
} ingot_session_options;
#define INGOT_SESSION_OPTIONS_INIT                                             \
  {sizeof(ingot_session_options), 0, 0, 0, 0, 0}

/// `options` may be null.
INGOT_API ingot_status
ingot_session_create(ingot_model *model, const ingot_session_options *options,
                     ingot_session **session);

INGOT_API void ingot_session_free(ingot_session *session);

/// How many workers a run has, the calling thread included.
INGOT_API int32_t ingot_session_threads(const ingot_session *session);

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

/// Stops runs from another thread.
typedef struct ingot_cancel ingot_cancel;

INGOT_API ingot_status ingot_cancel_create(ingot_cancel **cancel);
/// Must not be in use by a run.
INGOT_API void ingot_cancel_free(ingot_cancel *cancel);
/// Stops the runs that use it now and refuses later ones, until reset.
INGOT_API void ingot_cancel_request(ingot_cancel *cancel);
INGOT_API void ingot_cancel_reset(ingot_cancel *cancel);

typedef struct ingot_run_options {
  size_t struct_size;
  /// Seconds from the call; 0 for no limit.
  double time_limit;
  /// May be null.
  ingot_cancel *cancel;
} ingot_run_options;
#define INGOT_RUN_OPTIONS_INIT {sizeof(ingot_run_options), 0, 0}

/// What a run produced: outputs and statistics.
typedef struct ingot_result ingot_result;

typedef struct ingot_run_stats {
  /// From the call until the outputs were ready.
  double milliseconds;
  /// The part of it that was spent waiting for the team.
  double wait_milliseconds;
  /// Scratch memory that the run used.
  uint64_t arena_bytes;
  int32_t workers;
} ingot_run_stats;

/// Runs a model that was not compiled for generation.
///
/// `inputs` holds each of the model's inputs once, found by name. `outputs`
/// says which outputs are wanted: with no outputs (count 0), all of them, in
/// memory that the result owns. Otherwise each is found by name; one whose data
/// is null gets memory that the result owns, one with data is written there:
/// its `bytes` must suffice, its dtype, rank and dims are not read (0 and null
/// will do), and it must not overlap an input or another output.
///
/// *result holds the outputs, in the order of `outputs` or else of the model.
/// `result` may be null if every output is written to the caller's memory.
/// `options` may be null.
INGOT_API ingot_status ingot_session_run(
    ingot_session *session, const ingot_tensor *inputs, size_t input_count,
    const ingot_tensor *outputs, size_t output_count,
    const ingot_run_options *options, ingot_result **result);

INGOT_API void ingot_result_free(ingot_result *result);
INGOT_API size_t ingot_result_output_count(const ingot_result *result);
/// Output number `index`; its memory is the result's or the caller's.
INGOT_API ingot_status ingot_result_output(const ingot_result *result,
                                           size_t index, ingot_tensor *output);
INGOT_API ingot_status ingot_result_stats(const ingot_result *result,
                                          ingot_run_stats *stats);

/// The dims of all outputs, and the arena, for inputs of the given dims,
/// without running. `inputs` as for a run, but data and bytes are not read,
/// except where the value of a boolean input decides what the dims are: that
/// one must have its data. The result's outputs have no data. milliseconds is
/// 0.
INGOT_API ingot_status ingot_session_shapes(ingot_session *session,
                                            const ingot_tensor *inputs,
                                            size_t input_count,
                                            ingot_result **result);

//===----------------------------------------------------------------------===//
// Tracing
//===----------------------------------------------------------------------===//

/// Notes from now on when each worker of the session's runs, steps and
/// generations works on which stage and when it waits. What an earlier trace
/// noted is forgotten. A run takes a few nanoseconds longer for each stage;
/// notes take 16 bytes for each stage, wait and worker, and runs are left out
/// once there are 2^24 of them.
INGOT_API ingot_status ingot_session_start_trace(ingot_session *session);

/// Writes what was noted, and stops: a JSON file of trace events, which
/// Perfetto and browsers' trace viewers open. The file appears whole or not at
/// all. Fails if no trace was started.
INGOT_API ingot_status ingot_session_write_trace(ingot_session *session,
                                                 const char *path);

#ifdef __cplusplus
}
#endif

#include "ingot_generate.h"

#endif // INGOT_H
