//===- CpuPipelines.cpp - from tensors to LLVM's dialect ------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Pipelines/CpuPipelines.h"

#include "dialects/Mega/IR/MegaOps.h"
#include "ingot/Conversion/IngotToLinalg.h"
#include "ingot/Conversion/IngotToMega.h"
#include "ingot/Conversion/MegaToCpu/Passes.h"
#include "ingot/Conversion/TileToVector.h"
#include "ingot/Prove.h"
#include "ingot/Transforms/Passes.h"
#include "ingot/Transforms/Schedule.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using ingot::ChooseTilesOptions;
using ingot::TileChoices;

void ingot::buildStructuredPipeline(OpPassManager &passes,
                                    const TargetInfo &target,
                                    int64_t activationBits) {
  ConvertIngotToLinalgOptions options;
  options.activationBits = activationBits;
  options.bfloatProducts = target.hasAvx512Bf16;
  passes.addPass(createConvertIngotToLinalg(options));
  passes.addPass(createCanonicalizerPass());
}

void ingot::buildWeightsPipeline(OpPassManager &passes) {
  passes.addPass(createCSEPass());
  passes.addPass(createHoistWeightFunctions());
  passes.addPass(createShareWeightFunctions());
  passes.addPass(createRollLayers());
  passes.addPass(createPlaceWeights());
}

/// Tiles as they are chosen for a machine.
static ChooseTilesOptions chooseOptions(const TileChoices &tiles) {
  ChooseTilesOptions options;
  options.workers = tiles.machine.workers;
  options.ownCache = tiles.machine.ownCache;
  options.lastCache = tiles.machine.lastCache;
  options.flops = tiles.machine.flops;
  options.ownReads = tiles.machine.ownReads;
  options.lastReads = tiles.machine.lastReads;
  options.memoryReads = tiles.machine.memoryReads;
  options.choices.assign(tiles.given.begin(), tiles.given.end());
  return options;
}

void ingot::buildStagesPipeline(OpPassManager &passes,
                                const TileChoices &tiles) {
  passes.addNestedPass<func::FuncOp>(createFuseElementwise());
  passes.addNestedPass<func::FuncOp>(createSplitByUse());
  passes.addPass(createCSEPass());
  passes.addPass(createChooseTiles(chooseOptions(tiles)));
  passes.addNestedPass<func::FuncOp>(createFormStages());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createBufferize());
  passes.addPass(createCSEPass());
  passes.addPass(createCanonicalizerPass());
  // Sizes of views are those of the buffers they were given.
  passes.addPass(memref::createResolveRankedShapeTypeResultDimsPass());
  passes.addNestedPass<func::FuncOp>(createStageLeftovers());
  passes.addPass(createConvertIngotToMega());
  passes.addNestedPass<mega::ProgramOp>(createMergeStages());
  passes.addNestedPass<mega::ProgramOp>(createRecomputeStages());
  passes.addPass(createAddSampler());
  passes.addNestedPass<mega::ProgramOp>(createFormPrologues());
  PlanSyncOptions sync;
  sync.workers = tiles.machine.workers;
  sync.flops = tiles.machine.flops;
  passes.addNestedPass<mega::ProgramOp>(createPlanSync(sync));
  passes.addNestedPass<mega::ProgramOp>(createPlanPrefetch());
  passes.addPass(createAddTokenLoop());
  passes.addNestedPass<mega::ProgramOp>(createPlanMemory());
  passes.addPass(createCSEPass());
}

void ingot::buildProvePipeline(OpPassManager &passes) {
  passes.addNestedPass<mega::ProgramOp>(createUnrollLoops());
  ProveOrderOptions order{/*remarks=*/true};
  passes.addNestedPass<mega::ProgramOp>(createProveOrder(order));
  ProveWritesOptions writes{/*remarks=*/true};
  passes.addNestedPass<mega::ProgramOp>(createProveWrites(writes));
  ProveMemoryOptions memory{/*remarks=*/true};
  passes.addNestedPass<mega::ProgramOp>(createProveMemory(memory));
  ProveDealingOptions dealing{/*remarks=*/true};
  passes.addPass(createProveDealing(dealing));
}

void ingot::buildCpuPipeline(OpPassManager &passes, const TargetInfo &target) {
  passes.addPass(createOutlineTiles());
  EmitEntryOptions entry;
  entry.target = target.name;
  passes.addPass(createEmitEntry(entry));
  LowerLinearOptions linear;
  linear.target = target.name;
  passes.addPass(createLowerLinear(linear));
  LowerQuantizedOptions quantized;
  quantized.target = target.name;
  passes.addPass(createLowerQuantized(quantized));
  LowerAttentionOptions attention;
  attention.target = target.name;
  passes.addPass(createLowerAttention(attention));
  LowerCacheOptions cache;
  cache.target = target.name;
  passes.addPass(createLowerCache(cache));
  passes.addPass(createLowerCacheHandles());
  passes.addPass(createLowerNorms());
  passes.addPass(createLowerRotate());
  VectorizeGenericOptions generic;
  generic.target = target.name;
  passes.addPass(createVectorizeGeneric(generic));
  passes.addPass(createExpandMath());
  passes.addPass(createLowerChecks());
  passes.addNestedPass<func::FuncOp>(createHoistScratch());
  passes.addPass(createCSEPass());
}

void ingot::buildLlvmPipeline(OpPassManager &passes) {
  passes.addPass(createLowerExpandShapes());
  passes.addPass(memref::createExpandStridedMetadataPass());
  passes.addPass(createLowerAffinePass());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addPass(createConvertVectorToSCFPass());
  passes.addPass(createSCFToControlFlowPass());
  arith::ArithExpandOpsPassOptions expand;
  expand.includeBf16 = true;
  passes.addPass(arith::createArithExpandOpsPass(expand));
  passes.addPass(createConvertVectorToLLVMPass());
  passes.addPass(createConvertMathToLLVMPass());
  passes.addPass(createFinalizeMemRefToLLVMConversionPass());
  passes.addPass(createConvertFuncToLLVMPass());
  passes.addPass(createConvertToLLVMPass());
  passes.addPass(createReconcileUnrealizedCastsPass());
  passes.addPass(createCSEPass());
}

SmallVector<StringRef> ingot::imageExports(ModuleOp module) {
  SmallVector<StringRef> names;
  for (auto func : module.getOps<LLVM::LLVMFuncOp>())
    if (!func.isExternal() && func.isPublic())
      names.push_back(func.getSymName());
  return names;
}
