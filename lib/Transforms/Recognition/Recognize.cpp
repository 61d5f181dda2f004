//===- Recognize.cpp - the pipeline, and what it found --------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Matchers.h"
#include "ingot/Transforms/Recognition.h"

#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void ingot::buildRecognitionPipeline(OpPassManager &manager) {
  manager.addPass(createMergeWeights());
  manager.addPass(createThinWeights());
  manager.addPass(createBoundDims());
  OpPassManager &functions = manager.nest<func::FuncOp>();
  auto tidy = [&] {
    functions.addPass(createCanonicalizerPass());
    functions.addPass(createCSEPass());
  };
  tidy();
  functions.addPass(createCanonicalizeGraph());
  tidy();
  functions.addPass(createRecognizeDequantize());
  functions.addPass(createRecognizeNorms());
  functions.addPass(createRecognizeActivations());
  functions.addPass(createRecognizeRope());
  functions.addPass(createRecognizeAttention());
  functions.addPass(createReduceMasks());
  functions.addPass(createRecognizeEmbedding());
  functions.addPass(createRecognizeLinear());
  functions.addPass(createCanonicalizeGraph());
  tidy();
}

void ingot::registerRecognitionPipeline() {
  PassPipelineRegistration<>(
      "ingot-recognize", "Turn exporters' spellings into canonical ops",
      [](OpPassManager &manager) { buildRecognitionPipeline(manager); });
}

std::map<std::string, int64_t> ingot::countRecognized(Operation *module) {
  std::map<std::string, int64_t> counts;
  WeightAnalysis weights;
  module->walk([&](Operation *op) {
    if (!isa_and_nonnull<IngotDialect>(op->getDialect()) ||
        op->getNumResults() == 0)
      return;
    // Of what is computed with weights alone only their decoding tells
    // something of the model.
    bool isWeight = isa<RankedTensorType>(op->getResult(0).getType()) &&
                    weights.isWeight(op->getResult(0));
    if (!isWeight || isa<DequantizeOp>(op))
      ++counts[op->getName().stripDialect().str()];
  });
  return counts;
}
