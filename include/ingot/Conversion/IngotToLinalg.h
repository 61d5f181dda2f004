//===- IngotToLinalg.h - ingot ops to linalg --------------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The pass that turns ops on ingot's tensors into linalg, tensor and arith ops
// on signless tensors, and a few structured ingot ops of fixed rank.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "mlir/Pass/Pass.h"

namespace ingot {

/// Argument and result attribute of functions: the model's element type, where
/// the converted function has another (an i8 that was ui8 or a boolean).
inline constexpr llvm::StringLiteral typeAttrName = "ingot.type";

#define GEN_PASS_DECL
#include "lib/Conversion/IngotToLinalg/IngotToLinalg.h.inc"

#define GEN_PASS_REGISTRATION
#include "lib/Conversion/IngotToLinalg/IngotToLinalg.h.inc"

} // namespace ingot
