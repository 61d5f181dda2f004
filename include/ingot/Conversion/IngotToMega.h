//===- IngotToMega.h - functions of stages to programs ----------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace ingot {

#define GEN_PASS_DECL
#include "lib/Conversion/IngotToMega/IngotToMega.h.inc"

#define GEN_PASS_REGISTRATION
#include "lib/Conversion/IngotToMega/IngotToMega.h.inc"

} // namespace ingot
