//===- Compiler.h - C interface of libIngotCompiler -----------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The compiler library's only entry point. Hosts reach it with dlopen (see
// ingot_model_compile in runtime/c/ingot.h), so that running an artifact never
// loads LLVM.
#ifndef INGOT_C_COMPILER_H
#define INGOT_C_COMPILER_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Options of a compilation. Zero-initialise, then set struct_size and what
/// differs.
typedef struct IngotCompileOptions {
  /// sizeof(IngotCompileOptions): a library of another version refuses.
  size_t struct_size;
  /// "native" (also when null), "x86-64-v3", "x86-64-v3+avxvnni", "x86-64-v4",
  /// "x86-64-v4+avx512vnni", "x86-64-v4+avx512vnni+avx512bf16" or "aarch64".
  const char *target_cpu;
  /// Verify the IR after every pass.
  int verify_each;
  /// Replace every input dim by a fresh symbol before shape inference.
  int erase_dims;
  /// Print how long each pass took to standard error.
  int timing;
  /// Called now and then with the phase and the share done (0 to 1), within
  /// phases too, always from the thread that compiles; may be null.
  void (*progress)(void *user, const char *phase, double fraction);
  /// Passed to progress.
  void *user;
  /// Folder for the IR after each phase; null for none.
  const char *dump_dir;
  /// Keep the cache of a decoder as state of the session: pasts and presents,
  /// masks and positions disappear from the signature.
  int generate;
  /// Element type of the caches: "f32", "f16" or null for the model's own.
  const char *kv_type;
  /// Inputs that are constants, as "NAME=VALUE": the model's input NAME is
  /// gone, and each of its elements is VALUE (an integer; true and false are 1
  /// and 0).
  const char *const *settings;
  int setting_count;
  /// Dims of inputs that are numbers, as "NAME=NUMBER".
  const char *const *dims;
  int dim_count;
  /// How activations meet weights of few bits: as codes of 8, 16 or 24 bits or,
  /// with 32, as floats. 0 for what the model asks; where it asks nothing, 32
  /// beside 8 bits with a scale a column and 24 beside others.
  int activation_bits;
  /// Prove that the programs are free of races, write every output and let no
  /// buffers overlap; what was proved goes to standard error, and what cannot
  /// be proved is an error.
  int prove;
  /// File with planned programs, as dump_dir gets them, which take the place of
  /// the model's own; null for none. Tests see by it what a changed program
  /// does.
  const char *stages_from;
  /// Tiles of the program's kernels in place of those that the cost model
  /// chooses, as "SHAPE=TILE" (docs/compile.md); a shape that the model does
  /// not have is an error.
  const char *const *tiles;
  int tile_count;
  /// Seconds in which tiles are tried by running the program; 0 for none.
  double tune_seconds;
  /// An artifact that was tuned, whose tiles are taken for the shapes that this
  /// model has, too; null for none.
  const char *tune_from;
  /// Asked now and then with `user` while tiles are tried, from the thread that
  /// compiles: anything but 0 ends the compilation with an error. May be null.
  int (*cancelled)(void *user);
} IngotCompileOptions;

/// Compiles an ONNX file to an artifact. Returns 0, or 1 with *error_out set to
/// a message allocated by malloc, one reason per line, which the caller frees.
/// Nothing is left at out_path on failure. options may be null.
int ingot_compiler_compile(const char *onnx_path, const char *out_path,
                           const IngotCompileOptions *options,
                           char **error_out);

#ifdef __cplusplus
}
#endif

#endif // INGOT_C_COMPILER_H
