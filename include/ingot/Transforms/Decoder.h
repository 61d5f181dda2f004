//===- Decoder.h - decoders whose cache is the session's state --*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ingot/Transforms/DecoderNames.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

#include <memory>

namespace ingot {

#define GEN_PASS_DECL
#include "lib/Transforms/Decoder/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "lib/Transforms/Decoder/Passes.h.inc"

/// Adds the passes that turn a recognised decoder into a program over caches of
/// `kvType` ("f32", "f16" or "" for the model's own). For a pass manager of
/// modules.
void buildDecoderPipeline(mlir::OpPassManager &manager, llvm::StringRef kvType);

/// Registers `ingot-decoder`: dims, recognition and caches in a row.
void registerDecoderPipeline();

} // namespace ingot
