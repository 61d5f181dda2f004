//===- Recognition.h - from exporters' spellings to canonical ops -*- C++
//-*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace ingot {

#define GEN_PASS_DECL
#include "lib/Transforms/Recognition/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "lib/Transforms/Recognition/Passes.h.inc"

/// Adds the passes that turn exporters' spellings into canonical ops, in
/// order. For a pass manager of modules.
void buildRecognitionPipeline(mlir::OpPassManager &manager);

/// Registers `ingot-recognize`.
void registerRecognitionPipeline();

/// How many ops of each kind a module has, by mnemonic ("linear", "gelu" ...).
std::map<std::string, int64_t> countRecognized(mlir::Operation *module);

} // namespace ingot
