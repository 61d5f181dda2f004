//===- HoistScratch.cpp - one stack buffer for all iterations -------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Conversion/MegaToCpu/Passes.h"

namespace ingot {
#define GEN_PASS_DEF_HOISTSCRATCH
#include "lib/Conversion/MegaToCpu/Passes.h.inc"
} // namespace ingot

using namespace mlir;

namespace {

struct HoistScratchPass : ingot::impl::HoistScratchBase<HoistScratchPass> {
  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    Block &entry = getOperation().getBody().front();
    getOperation().walk([&](memref::AllocaOp scratch) {
      // One with operands has a size of its own in every iteration.
      if (scratch->getNumOperands() == 0 && scratch->getBlock() != &entry)
        scratch->moveBefore(&entry, entry.begin());
    });
  }
};

} // namespace
