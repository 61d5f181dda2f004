//===- ThinWeights.cpp - one of the equal elements of parameters ----------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Matchers.h"
#include "ingot/Analysis/WeightFiles.h"
#include "ingot/Transforms/Recognition.h"

#include <numeric>

namespace ingot {
#define GEN_PASS_DEF_THINWEIGHTS
#include "lib/Transforms/Recognition/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot;

namespace {

/// Whether an op of weights alone may scale or shift what another weight is.
bool isParameter(WeightRefOp ref, WeightAnalysis &weights) {
  return llvm::any_of(ref->getUsers(), [&](Operation *op) {
    return isa<AddOp, SubOp, MulOp>(op) && weights.isWeight(op->getResult(0));
  });
}

/// The largest number of places such that blocks of it along `axis` hold equal
/// elements.
int64_t blockOf(StringRef bytes, RankedTensorType type, int64_t axis) {
  int64_t extent = type.getDimSize(axis);
  int64_t chunk = type.getElementTypeBitWidth() / 8;
  for (int64_t dim : type.getShape().drop_front(axis + 1))
    chunk *= dim;
  int64_t count = bytes.size() / chunk, block = extent;
  for (int64_t i = 1; i < count && block > 1; ++i) {
    int64_t place = i % extent;
    if (place != 0 &&
        bytes.substr(i * chunk, chunk) != bytes.substr((i - 1) * chunk, chunk))
      block = std::gcd(block, place);
  }
  return block;
}

/// Uses the same elements, of which `block` along `axis` are one.
void thin(WeightRefOp ref, int64_t axis, int64_t block) {
  OpBuilder builder(ref->getContext());
  builder.setInsertionPointAfter(ref);
  Location loc = ref.getLoc();
  auto type = cast<RankedTensorType>(ref.getType());
  SmallVector<int64_t> sizes(type.getShape()), steps(type.getRank(), 1);
  sizes[axis] /= block;
  steps[axis] = block;
  auto dims = [&](ArrayRef<int64_t> extents) {
    DimShape shape;
    for (int64_t extent : extents)
      shape.push_back(DimExpr::constant(extent));
    return DimsAttr::get(ref->getContext(), shape);
  };
  auto slice = SliceOp::create(builder, loc, ref,
                               dims(SmallVector<int64_t>(type.getRank(), 0)),
                               dims(sizes), steps);
  sizes.insert(sizes.begin() + axis + 1, 1);
  Value x = ReshapeOp::create(builder, loc, slice, dims(sizes));
  sizes[axis + 1] = block;
  x = BroadcastToOp::create(builder, loc, x, dims(sizes));
  x = ReshapeOp::create(builder, loc, x, dims(type.getShape()));
  ref.getResult().replaceAllUsesExcept(x, slice);
}

struct ThinWeightsPass : ingot::impl::ThinWeightsBase<ThinWeightsPass> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    WeightAnalysis weights;
    SmallVector<WeightRefOp> found;
    getOperation().walk([&](WeightRefOp ref) {
      auto type = cast<RankedTensorType>(ref.getType());
      if (type.getRank() > 1 && isa<FloatType>(type.getElementType()) &&
          type.getElementTypeBitWidth() % 8 == 0 && isParameter(ref, weights))
        found.push_back(ref);
    });
    WeightFiles files;
    for (WeightRefOp ref : found) {
      // A weight: the ref's verifier has seen to it.
      auto weight = cast<WeightOp>(symbols.lookup(ref.getWeight()));
      std::optional<StringRef> bytes = files.bytes(weight);
      if (!bytes)
        continue;
      auto type = cast<RankedTensorType>(weight.getType());
      for (int64_t axis = type.getRank() - 1; axis >= 0; --axis) {
        int64_t block = blockOf(*bytes, type, axis);
        if (block < 2)
          continue;
        thin(ref, axis, block);
        break;
      }
    }
  }
};

} // namespace
