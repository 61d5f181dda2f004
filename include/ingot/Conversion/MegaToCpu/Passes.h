//===- Passes.h - stages to SPMD code ---------------------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

#include <memory>

namespace ingot {

#define GEN_PASS_DECL
#include "lib/Conversion/MegaToCpu/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "lib/Conversion/MegaToCpu/Passes.h.inc"

} // namespace ingot
