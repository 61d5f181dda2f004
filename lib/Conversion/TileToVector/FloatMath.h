//===- FloatMath.h - elementary functions as arithmetic ---------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Elementary functions written out as additions, multiplications, selects and
// bit operations, on scalars and vectors of f32 and f64. Coefficients are
// near-minimax fits (Chebyshev interpolation in 50 digits) made for Ingot.
// NaN, infinities and zeros behave as in C's math.h unless it says otherwise.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "KernelBuilder.h"

namespace ingot {

/// e^(x + tail); within 1 ulp, denormal results included. The tail is small
/// beside x's last place, or null for none.
mlir::Value emitExp(KernelBuilder &b, mlir::Value x, mlir::Value tail = {});
/// e^x of f32 for x <= 0, cheaper: zero below -87.7.
mlir::Value emitExpNonPositive(KernelBuilder &b, mlir::Value x);
mlir::Value emitLog(KernelBuilder &b, mlir::Value x);
mlir::Value emitTanh(KernelBuilder &b, mlir::Value x);
mlir::Value emitErf(KernelBuilder &b, mlir::Value x);

/// For f64 only; narrower types are computed in f64 and rounded.
mlir::Value emitExpM1(KernelBuilder &b, mlir::Value x);
mlir::Value emitLog1p(KernelBuilder &b, mlir::Value x);
mlir::Value emitErfc(KernelBuilder &b, mlir::Value x);
/// sin(x + quarterTurns * pi/2), for every finite x.
mlir::Value emitSin(KernelBuilder &b, mlir::Value x, int64_t quarterTurns);
mlir::Value emitTan(KernelBuilder &b, mlir::Value x);
mlir::Value emitAtan(KernelBuilder &b, mlir::Value x);
mlir::Value emitAtan2(KernelBuilder &b, mlir::Value y, mlir::Value x);
/// `precise`: good in f64's last place, not only in f32's.
mlir::Value emitPow(KernelBuilder &b, mlir::Value x, mlir::Value y,
                    bool precise);
mlir::Value emitSinh(KernelBuilder &b, mlir::Value x);
mlir::Value emitCosh(KernelBuilder &b, mlir::Value x);
mlir::Value emitAsinh(KernelBuilder &b, mlir::Value x);
mlir::Value emitAcosh(KernelBuilder &b, mlir::Value x);
mlir::Value emitAtanh(KernelBuilder &b, mlir::Value x);

/// C's fmod, exactly, in f32 or f64.
mlir::Value emitFmod(KernelBuilder &b, mlir::Value x, mlir::Value y);
/// Integer power; negative exponents give 0 unless the base is 1 or -1.
mlir::Value emitIntPow(KernelBuilder &b, mlir::Value base,
                       mlir::Value exponent);

/// The type with another element type.
mlir::Type withElement(mlir::Type type, mlir::Type element);
mlir::Value emitAbs(KernelBuilder &b, mlir::Value x);
mlir::Value emitCopySign(KernelBuilder &b, mlir::Value x, mlir::Value sign);

} // namespace ingot
