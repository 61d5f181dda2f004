//===- Schedule.h - when and where a program computes -----------*- C++ -*-===//
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
#include "lib/Transforms/Schedule/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "lib/Transforms/Schedule/Passes.h.inc"

} // namespace ingot
