//===- QuantizedGemm.h - products with packed codes -------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "KernelBuilder.h"
#include "dialects/Ingot/IR/IngotOps.h"
#include "ingot/Target/CpuCapabilities.h"

namespace ingot {

/// Emits the loops of an op on memrefs. Every block's integer sum is exact, and
/// a row's blocks, or products of floats, are added in order: the result of a
/// row has the same bits for any number of rows, on every target.
void emitQuantizedGemm(KernelBuilder &b, QuantizedLinearOp op,
                       const TargetInfo &target);

} // namespace ingot
