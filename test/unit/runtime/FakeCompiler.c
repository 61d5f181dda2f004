//===- FakeCompiler.c - stands in for libIngotCompiler in tests -----------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// "Compiles" by copying a file that already is an artifact; refuses any whose
// name ends in "bad.onnx", and caches that are not of f16.
#include "ingot-c/Compiler.h"

#include <stdio.h>
#include <string.h>

char *strdup(const char *);

__attribute__((visibility("default"))) int
ingot_compiler_compile(const char *onnx_path, const char *out_path,
                       const IngotCompileOptions *options, char **error_out) {
  size_t length = strlen(onnx_path);
  if (length >= 8 && strcmp(onnx_path + length - 8, "bad.onnx") == 0) {
    *error_out = strdup("unsupported op: Frobnicate (2 nodes)\n"
                        "unsupported dtype: complex64 (node 'x')");
    return 1;
  }
  if (options->generate &&
      (!options->kv_type || strcmp(options->kv_type, "f16") != 0)) {
    *error_out = strdup("a cache of this type cannot be made");
    return 1;
  }
  if (options->activation_bits == 16 &&
      (options->setting_count != 1 ||
       strcmp(options->settings[0], "x=1") != 0)) {
    *error_out = strdup("there is no input of this name");
    return 1;
  }
  if (options->tune_seconds == 3 && options->cancelled &&
      options->cancelled(options->user)) {
    *error_out = strdup("cancelled while tiles were tried");
    return 1;
  }
  if (options->tune_from && strcmp(options->tune_from, "tuned.ingot") != 0) {
    *error_out = strdup("no such artifact");
    return 1;
  }
  if (options->progress)
    options->progress(options->user, "copying", 0.5);
  FILE *in = fopen(onnx_path, "rb");
  FILE *out = fopen(out_path, "wb");
  int result = !in || !out;
  char buffer[4096];
  for (size_t got; !result && (got = fread(buffer, 1, sizeof buffer, in)) > 0;)
    result = fwrite(buffer, 1, got, out) != got;
  if (in)
    fclose(in);
  if (out)
    fclose(out);
  if (result)
    *error_out = strdup("cannot copy");
  return result;
}
