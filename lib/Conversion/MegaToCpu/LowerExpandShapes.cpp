//===- LowerExpandShapes.cpp - expand_shape as sizes and strides ----------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Conversion/MegaToCpu/Passes.h"

namespace ingot {
#define GEN_PASS_DEF_LOWEREXPANDSHAPES
#include "lib/Conversion/MegaToCpu/Passes.h.inc"
} // namespace ingot

using namespace mlir;

namespace {

struct LowerExpandShapesPass
    : ingot::impl::LowerExpandShapesBase<LowerExpandShapesPass> {
  void runOnOperation() override {
    SmallVector<memref::ExpandShapeOp> ops;
    getOperation()->walk([&](memref::ExpandShapeOp op) { ops.push_back(op); });
    for (memref::ExpandShapeOp op : ops)
      lower(op);
  }

  static void lower(memref::ExpandShapeOp op) {
    OpBuilder b(op);
    Location loc = op.getLoc();
    auto type = cast<MemRefType>(op.getResult().getType());
    auto [typeStrides, typeOffset] = type.getStridesAndOffset();
    auto metadata =
        memref::ExtractStridedMetadataOp::create(b, loc, op.getSrc());
    SmallVector<OpFoldResult> sizes = op.getMixedOutputShape();
    SmallVector<OpFoldResult> strides(sizes.size());
    auto valueOf = [&](OpFoldResult value) {
      return getValueOrCreateConstantIndexOp(b, loc, value);
    };
    for (auto [group, sourceStride] :
         llvm::zip(op.getReassociationIndices(), metadata.getStrides())) {
      OpFoldResult stride = sourceStride;
      for (int64_t dim : llvm::reverse(group)) {
        if (!ShapedType::isDynamic(typeStrides[dim]))
          stride = b.getIndexAttr(typeStrides[dim]);
        strides[dim] = stride;
        stride = b.createOrFold<arith::MulIOp>(loc, valueOf(stride),
                                               valueOf(sizes[dim]));
      }
    }
    // A buffer of rank zero expands to unit dims, which no group covers.
    for (OpFoldResult &stride : strides)
      if (!stride)
        stride = b.getIndexAttr(1);
    OpFoldResult offset = ShapedType::isDynamic(typeOffset)
                              ? OpFoldResult(metadata.getOffset())
                              : OpFoldResult(b.getIndexAttr(typeOffset));
    auto cast = memref::ReinterpretCastOp::create(
        b, loc, type, metadata.getBaseBuffer(), offset, sizes, strides);
    op.replaceAllUsesWith(cast.getResult());
    op.erase();
  }
};

} // namespace
