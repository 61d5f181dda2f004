//===- SliceViews.cpp - slices move in front of reshapes ------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Transforms/SliceViews.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace {

/// Offset and size along one dim.
using Piece = std::pair<OpFoldResult, OpFoldResult>;

struct SliceOfExpansion : OpRewritePattern<tensor::ExtractSliceOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::ExtractSliceOp slice,
                                PatternRewriter &rewriter) const override {
    auto expand = slice.getSource().getDefiningOp<tensor::ExpandShapeOp>();
    if (!expand || !slice.hasUnitStride() ||
        slice.getType().getRank() != slice.getSourceType().getRank())
      return rewriter.notifyMatchFailure(slice, "no plain slice of expansion");
    for (ArrayRef<int64_t> group : expand.getReassociationIndices())
      if (!isOnePiece(slice, expand, group))
        return rewriter.notifyMatchFailure(slice, "more than one piece");
    SmallVector<OpFoldResult> offsets, sizes;
    for (auto [dim, group] :
         llvm::enumerate(expand.getReassociationIndices())) {
      auto [offset, size] = pieceOf(slice, expand, dim, group, rewriter);
      offsets.push_back(offset);
      sizes.push_back(size);
    }
    SmallVector<OpFoldResult> strides(offsets.size(), rewriter.getIndexAttr(1));
    auto part = tensor::ExtractSliceOp::create(
        rewriter, slice.getLoc(), expand.getSrc(), offsets, sizes, strides);
    rewriter.replaceOpWithNewOp<tensor::ExpandShapeOp>(
        slice, slice.getType(), part, expand.getReassociationIndices(),
        slice.getMixedSizes());
    return success();
  }

private:
  static bool isWhole(tensor::ExtractSliceOp slice,
                      tensor::ExpandShapeOp expand, int64_t dim) {
    return isZeroInteger(slice.getMixedOffsets()[dim]) &&
           isEqualConstantIntOrValue(slice.getMixedSizes()[dim],
                                     expand.getMixedOutputShape()[dim]);
  }

  /// Whether the slice is whole along the dims, or else one element of the
  /// first few, a part of the next and all of the others, whose extents are
  /// known.
  static bool isOnePiece(tensor::ExtractSliceOp slice,
                         tensor::ExpandShapeOp expand,
                         ArrayRef<int64_t> group) {
    if (group.size() == 1 || llvm::all_of(group, [&](int64_t dim) {
          return isWhole(slice, expand, dim);
        }))
      return true;
    bool isCut = false;
    for (int64_t dim : group) {
      if (dim != group.front() && expand.getType().isDynamicDim(dim))
        return false;
      if (isCut && !isWhole(slice, expand, dim))
        return false;
      isCut |= !isOneInteger(slice.getMixedSizes()[dim]);
    }
    return true;
  }

  static Piece pieceOf(tensor::ExtractSliceOp slice,
                       tensor::ExpandShapeOp expand, int64_t source,
                       ArrayRef<int64_t> group, OpBuilder &b) {
    Location loc = slice.getLoc();
    if (llvm::all_of(group,
                     [&](int64_t dim) { return isWhole(slice, expand, dim); }))
      return {b.getIndexAttr(0),
              tensor::getMixedSize(b, loc, expand.getSrc(), source)};
    AffineExpr x, y, z;
    bindSymbols(b.getContext(), x, y, z);
    OpFoldResult offset = b.getIndexAttr(0), size = b.getIndexAttr(1);
    for (int64_t dim : group) {
      OpFoldResult extent = expand.getMixedOutputShape()[dim];
      // The first dim's extent does not matter.
      if (dim == group.front())
        extent = b.getIndexAttr(1);
      offset = affine::makeComposedFoldedAffineApply(
          b, loc, x * y + z, {offset, extent, slice.getMixedOffsets()[dim]});
      size = affine::makeComposedFoldedAffineApply(
          b, loc, x * y, {size, slice.getMixedSizes()[dim]});
    }
    return {offset, size};
  }
};

} // namespace

void ingot::populateSliceViewPatterns(RewritePatternSet &patterns) {
  patterns.add<SliceOfExpansion>(patterns.getContext());
}
