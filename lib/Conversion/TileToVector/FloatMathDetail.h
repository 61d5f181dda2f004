//===- FloatMathDetail.h - parts of elementary functions --------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "KernelBuilder.h"

namespace ingot::fmath {

/// Horner's scheme; the highest coefficient comes first.
mlir::Value polynomial(KernelBuilder &b, mlir::Value x,
                       llvm::ArrayRef<double> coefficients);
/// min(x, bound) and max(x, bound), except that NaN stays NaN.
mlir::Value clampAbove(KernelBuilder &b, mlir::Value x, double bound);
mlir::Value clampBelow(KernelBuilder &b, mlir::Value x, double bound);

bool isDouble(mlir::Value x);
/// The integers as wide as x's floats.
mlir::Type bitsType(mlir::Value x);
mlir::Value toBits(KernelBuilder &b, mlir::Value x);
mlir::Value fromBits(KernelBuilder &b, mlir::Value bits, mlir::Type type);
/// Whether the scalar, or any lane, is true.
mlir::Value anyLane(KernelBuilder &b, mlir::Value condition);

} // namespace ingot::fmath
