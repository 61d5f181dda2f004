//===- CaseMeta.h - a test case's meta.json -------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TOOLS_INGOT_IO_CASEMETA_H
#define INGOT_TOOLS_INGOT_IO_CASEMETA_H

#include "tools/ingot/io/Tensor.h"

namespace ingot::cli {

/// How far outputs may lie from the expected ones: |got - want| <= atol +
/// rtol * |want|. The defaults are those of ONNX's backend tests.
struct Tolerance {
  double rtol = 1e-3;
  double atol = 1e-7;
};

/// The tolerances in `path` (a meta.json); the defaults for keys that it
/// lacks. Throws Error when the file is no JSON object or a tolerance is not
/// a number of at least zero.
Tolerance readTolerance(const std::string &path);

} // namespace ingot::cli

#endif // INGOT_TOOLS_INGOT_IO_CASEMETA_H
