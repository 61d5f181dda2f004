//===- Counting.h - initializers that are computed at no cost ---*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "Emitter.h"
#include "ModelFile.h"

namespace ingot::onnxin {

/// The elements of an initializer as an expression of their positions: numbers
/// in equal steps, and a lower triangle of truths. Masks are understood by it.
/// Null for all others.
mlir::Value materializeCounting(Emitter &e, const TensorData &data,
                                mlir::Type type);

} // namespace ingot::onnxin
