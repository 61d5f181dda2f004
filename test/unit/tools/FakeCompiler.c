//===- FakeCompiler.c - stands in for libIngotCompiler in the driver's tests
//===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// What it does with MODEL is in files beside it: it copies MODEL.artifact, or
// refuses with the text of MODEL.refuse, or crashes if there is MODEL.crash.
#include "ingot-c/Compiler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *beside(const char *path, const char *ending) {
  char name[4096];
  snprintf(name, sizeof name, "%s%s", path, ending);
  return fopen(name, "rb");
}

__attribute__((visibility("default"))) int
ingot_compiler_compile(const char *onnx_path, const char *out_path,
                       const IngotCompileOptions *options, char **error_out) {
  static char buffer[1 << 20];
  FILE *in = beside(onnx_path, ".refuse");
  if (in) {
    buffer[fread(buffer, 1, sizeof buffer - 1, in)] = 0;
    fclose(in);
    *error_out = malloc(strlen(buffer) + 1);
    strcpy(*error_out, buffer);
    return 1;
  }
  if ((in = beside(onnx_path, ".crash")))
    abort();
  in = beside(onnx_path, ".artifact");
  FILE *out = fopen(out_path, "wb");
  if (!in || !out)
    return 1;
  size_t length = fread(buffer, 1, sizeof buffer, in);
  fwrite(buffer, 1, length, out);
  fclose(in);
  fclose(out);
  return 0;
}
