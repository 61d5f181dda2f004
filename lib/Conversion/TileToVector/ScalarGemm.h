//===- ScalarGemm.h - products one element at a time ------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "Gemm.h"

namespace ingot {

/// Emits `out = x * w (+ bias)` for operands of any layout and any types, one
/// element at a time. Narrow floats are added in f32.
void emitScalarGemm(KernelBuilder &b, const MatrixView &x, const MatrixView &w,
                    WeightLayout layout, mlir::Value bias,
                    const MatrixView &out);

} // namespace ingot
