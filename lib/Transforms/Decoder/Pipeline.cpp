//===- Pipeline.cpp - the passes of decoders in order ---------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Transforms/Decoder.h"
#include "ingot/Transforms/Recognition.h"

#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void ingot::buildDecoderPipeline(OpPassManager &manager, StringRef kvType) {
  manager.addPass(createChooseProgram());
  manager.addPass(createGrowCaches());
  manager.addPass(createUnifyDecoderDims());
  buildRecognitionPipeline(manager);
  CacheToStateOptions options;
  options.kvType = kvType.str();
  options.allEntry = true;
  manager.addPass(createCacheToState(options));
  manager.addPass(createAddDecodeEntry());
  OpPassManager &functions = manager.nest<func::FuncOp>();
  functions.addPass(createCanonicalizerPass());
  functions.addPass(createCSEPass());
  functions.addPass(createCanonicalizeGraph());
  functions.addPass(createCSEPass());
  manager.addPass(createPlaceCaches());
}

void ingot::registerDecoderPipeline() {
  PassPipelineRegistration<>(
      "ingot-decoder", "Recognise a decoder and keep its cache as state",
      [](OpPassManager &manager) { buildDecoderPipeline(manager, ""); });
}
