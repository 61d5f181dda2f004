//===- PlaceWeights.cpp - the layout of the weights section ---------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/IngotOps.h"
#include "ingot/Transforms/Passes.h"

namespace ingot {
#define GEN_PASS_DEF_PLACEWEIGHTS
#include "lib/Transforms/Passes.h.inc"
} // namespace ingot

using namespace mlir;

namespace {

constexpr int64_t alignment = 64;

struct PlaceWeightsPass : ingot::impl::PlaceWeightsBase<PlaceWeightsPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    SymbolTable symbols(module);
    OpBuilder b(&getContext());
    int64_t next = 0;
    for (auto func : module.getOps<func::FuncOp>()) {
      llvm::MapVector<Attribute, Value> arguments;
      SmallVector<ingot::WeightRefOp> refs;
      func.walk([&](ingot::WeightRefOp ref) { refs.push_back(ref); });
      for (ingot::WeightRefOp ref : refs) {
        // A weight: the ref's verifier has seen to it.
        auto weight = cast<ingot::WeightOp>(symbols.lookup(ref.getWeight()));
        Value &argument = arguments[ref.getWeightAttr()];
        if (!argument) {
          if (!weight->hasAttr("ingot.place")) {
            weight->setAttr("ingot.place", b.getI64IntegerAttr(next));
            next = llvm::alignTo(next + weight.getLength(), alignment);
          }
          auto attrs = b.getDictionaryAttr(
              {b.getNamedAttr("ingot.role", b.getStringAttr("weight")),
               b.getNamedAttr("ingot.weight_offset",
                              weight->getAttr("ingot.place"))});
          unsigned index = func.getNumArguments();
          if (failed(func.insertArgument(index, ref.getType(), attrs,
                                         ref.getLoc())))
            return signalPassFailure();
          argument = func.getArgument(index);
        }
        ref.replaceAllUsesWith(argument);
        ref.erase();
      }
    }
    module->setAttr("ingot.weights_bytes", b.getI64IntegerAttr(next));
  }
};

} // namespace
