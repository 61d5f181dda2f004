//===- Prove.h - checkers of programs ---------------------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "mlir/Pass/Pass.h"

namespace ingot {

#define GEN_PASS_DECL
#include "lib/Prove/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "lib/Prove/Passes.h.inc"

} // namespace ingot
