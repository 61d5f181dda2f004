//===- Registration.cpp - everything the tools need registered ------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Pipelines/Registration.h"

#include "dialects/Ingot/IR/IngotDialect.h"
#include "dialects/Mega/IR/MegaDialect.h"
#include "ingot/Conversion/IngotToLinalg.h"
#include "ingot/Conversion/IngotToMega.h"
#include "ingot/Conversion/MegaToCpu/Passes.h"
#include "ingot/Conversion/MegaToCpu/TileHints.h"
#include "ingot/Conversion/TileToVector.h"
#include "ingot/Interfaces/Bufferization.h"
#include "ingot/Pipelines/CpuPipelines.h"
#include "ingot/Prove.h"
#include "ingot/Transforms/Decoder.h"
#include "ingot/Transforms/Passes.h"
#include "ingot/Transforms/Recognition.h"
#include "ingot/Transforms/Schedule.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"

void ingot::registerDialects(mlir::DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerBuiltinDialectTranslation(registry);
  mlir::registerLLVMDialectTranslation(registry);
  registry.insert<IngotDialect, mega::MegaDialect>();
  registerBufferization(registry);
  registerCpuTileHints(registry);
}

void ingot::registerPasses() {
  registerIngotMegaToCpuPasses();
  registerIngotToLinalgPasses();
  registerIngotToMegaPasses();
  registerIngotProvePasses();
  registerIngotSchedulePasses();
  registerIngotTileToVectorPasses();
  registerIngotTransformsPasses();
  registerIngotRecognitionPasses();
  registerRecognitionPipeline();
  registerIngotDecoderPasses();
  registerDecoderPipeline();
  mlir::PassPipelineRegistration<>(
      "ingot-stages", "linalg and structured ops to stages over buffers",
      [](mlir::OpPassManager &passes) { buildStagesPipeline(passes); });
  mlir::PassPipelineRegistration<>(
      "ingot-to-llvm", "A tile's scalar and vector code to LLVM's dialect",
      buildLlvmPipeline);
}
