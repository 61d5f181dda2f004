//===- AddSampler.cpp - a decoder's program that chooses tokens -----------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Mega/IR/MegaOps.h"
#include "ingot/Transforms/DecoderNames.h"
#include "ingot/Transforms/Entries.h"
#include "ingot/Transforms/Schedule.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/Parser/Parser.h"

namespace ingot {
#define GEN_PASS_DEF_ADDSAMPLER
#include "lib/Transforms/Schedule/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot::mega;

namespace {

constexpr llvm::StringLiteral samplerText =
#include "lib/Transforms/Schedule/Sampler.inc"
    ;

/// Puts the body of the function that `call` names in its place. No function
/// calls itself.
void writeOut(func::CallOp call) {
  auto func = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
      call, call.getCalleeAttr());
  OpBuilder b(call);
  IRMapping map;
  map.map(func.getArguments(), call.getOperands());
  for (Operation &op : func.getBody().front().without_terminator())
    b.clone(op, map);
  for (auto [result, value] :
       llvm::zip_equal(call.getResults(),
                       func.getBody().front().getTerminator()->getOperands()))
    result.replaceAllUsesWith(map.lookupOrDefault(value));
  call.erase();
}

struct AddSamplerPass : ingot::impl::AddSamplerBase<AddSamplerPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto main = module.lookupSymbol<ProgramOp>(ingot::mainName);
    if (!main || !main->hasAttr(ingot::stateAttrName))
      return;
    OwningOpRef<ModuleOp> library = parseSourceString<ModuleOp>(
        samplerText, ParserConfig(&getContext()), "Sampler.mlir");
    if (!library)
      return signalPassFailure();
    auto sampler = *library->getOps<ProgramOp>().begin();
    // What is written out may hold calls itself.
    while (true) {
      SmallVector<func::CallOp> calls;
      sampler.walk([&](func::CallOp call) { calls.push_back(call); });
      if (calls.empty())
        break;
      llvm::for_each(calls, writeOut);
    }
    sampler->remove();
    SymbolTable(module).insert(sampler);
  }
};

} // namespace
