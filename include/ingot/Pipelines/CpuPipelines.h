//===- CpuPipelines.h - from tensors to LLVM's dialect ----------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ingot/Conversion/MegaToCpu/TileCosts.h"
#include "ingot/Target/CpuCapabilities.h"

#include "mlir/Pass/PassManager.h"

namespace ingot {

/// ingot ops on tensors -> linalg and the structured ops that have kernels.
/// `activationBits` as in ConvertIngotToLinalg.
void buildStructuredPipeline(mlir::OpPassManager &passes,
                             const TargetInfo &target,
                             int64_t activationBits = 0);

/// Moves what depends on weights alone into functions of its own and lays out
/// the weights section.
void buildWeightsPipeline(mlir::OpPassManager &passes);

/// What the tiles of kernels are chosen by.
struct TileChoices {
  TileMachine machine;
  /// Tiles that are given, SHAPE=TILE each, see ChooseTiles.
  std::vector<std::string> given;
};

/// linalg and ingot's structured ops on tensors -> stages over buffers with a
/// memory plan.
void buildStagesPipeline(mlir::OpPassManager &passes,
                         const TileChoices &tiles = {});

/// Checks planned programs and changes nothing: an error tells what cannot be
/// proved, a remark what was.
void buildProvePipeline(mlir::OpPassManager &passes);

/// Stages -> the functions of an image, tile bodies as vector code.
void buildCpuPipeline(mlir::OpPassManager &passes, const TargetInfo &target);

/// Scalar, vector, memref and control flow ops -> LLVM's dialect.
void buildLlvmPipeline(mlir::OpPassManager &passes);

/// The functions that the image of a lowered module exports, by name.
llvm::SmallVector<llvm::StringRef> imageExports(mlir::ModuleOp module);

} // namespace ingot
