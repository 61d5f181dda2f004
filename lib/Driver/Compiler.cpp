//===- Compiler.cpp - the C interface of libIngotCompiler -----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Driver/Compilation.h"

#include <cstdlib>
#include <cstring>

#define INGOT_EXPORT __attribute__((visibility("default")))

/// Gives the caller a copy that free() releases.
static int fail(char **errorOut, const std::string &message) {
  if (errorOut)
    *errorOut = strdup(message.c_str());
  return 1;
}

extern "C" INGOT_EXPORT int
ingot_compiler_compile(const char *onnx_path, const char *out_path,
                       const IngotCompileOptions *options, char **error_out) {
  if (error_out)
    *error_out = nullptr;
  if (!onnx_path || !out_path)
    return fail(error_out, "no path was given");
  IngotCompileOptions defaults{};
  if (options && options->struct_size != sizeof(defaults))
    return fail(error_out, "the compiler library is of another version than "
                           "the program or library that opened it");
  ingot::Compilation compilation(options ? *options : defaults, onnx_path,
                                 out_path);
  if (compilation.run())
    return 0;
  return fail(error_out, compilation.errorText());
}
