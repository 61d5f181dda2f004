//===- ShapeOps.cpp - shapes, verifiers and folders of the shape ops ------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/IngotOps.h"

using namespace mlir;
using namespace ingot;

static int64_t rankOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getRank();
}

/// Reports an axis outside 0..rank-1.
static LogicalResult verifyAxis(Operation *op, int64_t axis, int64_t rank) {
  if (axis >= 0 && axis < rank)
    return success();
  return op->emitOpError("has axis ")
         << axis << " but the operand has rank " << rank;
}

static LogicalResult verifyIndices(Operation *op, Value indices) {
  if (elementTypeOf(indices).isIntOrIndex())
    return success();
  return op->emitOpError("has indices that are not integers: ")
         << indices.getType();
}

static LogicalResult verifyCount(Operation *op, StringRef what, size_t count,
                                 int64_t rank) {
  if (static_cast<int64_t>(count) == rank)
    return success();
  return op->emitOpError("has ")
         << count << " " << what << " for an operand of rank " << rank;
}

//===----------------------------------------------------------------------===//
// Reshape, transpose, broadcast
//===----------------------------------------------------------------------===//

LogicalResult ReshapeOp::verify() {
  auto from = cast<RankedTensorType>(getX().getType());
  auto to = cast<RankedTensorType>(getType());
  if (from.hasStaticShape() && to.hasStaticShape() &&
      from.getNumElements() != to.getNumElements())
    return emitOpError("changes the number of elements from ")
           << from.getNumElements() << " to " << to.getNumElements();
  return success();
}

OpFoldResult ReshapeOp::fold(FoldAdaptor adaptor) {
  auto type = cast<RankedTensorType>(getType());
  if (auto elements = dyn_cast_or_null<DenseElementsAttr>(adaptor.getX());
      elements && type.hasStaticShape())
    return elements.reshape(type);
  if (getX().getType() == type && type.hasStaticShape())
    return getX();
  if (auto inner = getX().getDefiningOp<ReshapeOp>()) {
    getXMutable().assign(inner.getX());
    return getResult();
  }
  return {};
}

FailureOr<DimShape> TransposeOp::inferShape(Adaptor adaptor,
                                            ArrayRef<DimShape> shapes) {
  ArrayRef<int64_t> permutation = adaptor.getPermutation();
  if (permutation.size() != shapes[0].size() ||
      !isPermutationVector(permutation))
    return failure();
  DimShape result;
  for (int64_t dim : permutation)
    result.push_back(shapes[0][dim]);
  return result;
}

OpFoldResult TransposeOp::fold(FoldAdaptor adaptor) {
  if (llvm::equal(getPermutation(),
                  llvm::seq<int64_t>(0, getPermutation().size())))
    return getX();
  return {};
}

namespace {
/// transpose(transpose(x)) is one transpose.
struct ComposeTransposes : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(TransposeOp op,
                                PatternRewriter &rewriter) const override {
    auto inner = op.getX().getDefiningOp<TransposeOp>();
    if (!inner)
      return rewriter.notifyMatchFailure(op, "operand is not a transpose");
    SmallVector<int64_t> permutation;
    for (int64_t dim : op.getPermutation())
      permutation.push_back(inner.getPermutation()[dim]);
    rewriter.replaceOpWithNewOp<TransposeOp>(op, op.getType(), inner.getX(),
                                             permutation);
    return success();
  }
};
} // namespace

void TransposeOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                              MLIRContext *context) {
  patterns.add<ComposeTransposes>(context);
}

OpFoldResult BroadcastToOp::fold(FoldAdaptor adaptor) {
  auto type = cast<RankedTensorType>(getType());
  return getX().getType() == type && type.hasStaticShape() ? getX()
                                                           : OpFoldResult();
}

//===----------------------------------------------------------------------===//
// Concat, slice, pad, tile
//===----------------------------------------------------------------------===//

FailureOr<DimShape> ConcatOp::inferShape(Adaptor adaptor,
                                         ArrayRef<DimShape> shapes) {
  uint64_t axis = adaptor.getAxis();
  if (shapes.empty() || axis >= shapes[0].size())
    return failure();
  DimShape result = shapes[0];
  for (const DimShape &shape : shapes.drop_front()) {
    if (shape.size() != result.size())
      return failure();
    for (auto [i, dim] : llvm::enumerate(shape)) {
      if (i == axis)
        result[i] = result[i] + dim;
      else if (dim.isConstant() && !result[i].isConstant())
        result[i] = dim;
      else if (dim.isConstant() && result[i] != dim)
        return failure();
    }
  }
  return result;
}

LogicalResult ConcatOp::verify() {
  return verifyAxis(*this, getAxis(), rankOf(getResult()));
}

OpFoldResult ConcatOp::fold(FoldAdaptor adaptor) {
  if (getInputs().size() == 1 && getInputs()[0].getType() == getType())
    return getInputs()[0];
  return {};
}

LogicalResult SliceOp::verify() {
  int64_t rank = rankOf(getX());
  if (failed(
          verifyCount(*this, "starts", getStarts().getDims().size(), rank)) ||
      failed(verifyCount(*this, "sizes", getSizes().getDims().size(), rank)) ||
      failed(verifyCount(*this, "steps", getSteps().size(), rank)))
    return failure();
  if (llvm::is_contained(getSteps(), 0))
    return emitOpError("has a step of zero");
  return success();
}

OpFoldResult PadOp::fold(FoldAdaptor adaptor) {
  auto isZero = [](const DimExpr &width) { return width.isConstant(0); };
  return getX().getType() == getType() &&
                 llvm::all_of(getLow().getDims(), isZero) &&
                 llvm::all_of(getHigh().getDims(), isZero)
             ? getX()
             : OpFoldResult();
}

OpFoldResult SliceOp::fold(FoldAdaptor adaptor) {
  auto type = cast<RankedTensorType>(getType());
  if (getX().getType() == type && type.hasStaticShape() &&
      llvm::all_of(getSteps(), [](int64_t step) { return step == 1; }))
    return getX();
  return {};
}

FailureOr<DimShape> PadOp::inferShape(Adaptor adaptor,
                                      ArrayRef<DimShape> shapes) {
  DimShape low = adaptor.getLow().getDims(), high = adaptor.getHigh().getDims();
  if (low.size() != shapes[0].size() || high.size() != shapes[0].size())
    return failure();
  DimShape result;
  for (auto [dim, before, after] : llvm::zip_equal(shapes[0], low, high))
    result.push_back(dim + before + after);
  return result;
}

LogicalResult PadOp::verify() {
  if (getValue() && getMode() != PadMode::Constant)
    return emitOpError("has a value but its mode is not 'constant'");
  return success();
}

FailureOr<DimShape> TileOp::inferShape(Adaptor adaptor,
                                       ArrayRef<DimShape> shapes) {
  DimShape repeats = adaptor.getRepeats().getDims();
  if (repeats.size() != shapes[0].size())
    return failure();
  DimShape result;
  for (auto [dim, count] : llvm::zip_equal(shapes[0], repeats))
    result.push_back(dim * count);
  return result;
}

LogicalResult TileOp::verify() {
  return verifyCount(*this, "repeats", getRepeats().getDims().size(),
                     rankOf(getX()));
}

LogicalResult TriluOp::verify() {
  if (rankOf(getX()) < 2)
    return emitOpError("needs a tensor of rank 2 or more");
  return success();
}

LogicalResult RangeOp::verify() {
  if (rankOf(getStart()) != 0 || rankOf(getStep()) != 0)
    return emitOpError("has a start or step that is not a scalar");
  return verifyCount(*this, "sizes", getSize().getDims().size(), 1);
}

FailureOr<DimShape> OneHotOp::inferShape(Adaptor adaptor,
                                         ArrayRef<DimShape> shapes) {
  DimShape result = shapes[0], depth = adaptor.getDepth().getDims();
  if (depth.size() != 1 || adaptor.getAxis() > result.size())
    return failure();
  result.insert(result.begin() + adaptor.getAxis(), depth[0]);
  return result;
}

//===----------------------------------------------------------------------===//
// Gathers and scatters
//===----------------------------------------------------------------------===//

FailureOr<DimShape> EmbeddingOp::inferShape(Adaptor adaptor,
                                            ArrayRef<DimShape> shapes) {
  if (shapes[0].size() != 2)
    return failure();
  DimShape result = shapes[1];
  result.push_back(shapes[0][1]);
  return result;
}

LogicalResult EmbeddingOp::verify() { return verifyIndices(*this, getIds()); }

FailureOr<DimShape> GatherOp::inferShape(Adaptor adaptor,
                                         ArrayRef<DimShape> shapes) {
  if (adaptor.getAxis() >= shapes[0].size())
    return failure();
  DimShape result(shapes[0].begin(), shapes[0].begin() + adaptor.getAxis());
  llvm::append_range(result, shapes[1]);
  result.append(shapes[0].begin() + adaptor.getAxis() + 1, shapes[0].end());
  return result;
}

LogicalResult GatherOp::verify() {
  if (failed(verifyAxis(*this, getAxis(), rankOf(getX()))))
    return failure();
  return verifyIndices(*this, getIndices());
}

LogicalResult GatherElementsOp::verify() {
  if (failed(verifyAxis(*this, getAxis(), rankOf(getX()))))
    return failure();
  if (rankOf(getX()) != rankOf(getIndices()))
    return emitOpError("has operands of different ranks");
  return verifyIndices(*this, getIndices());
}

FailureOr<DimShape> GatherNdOp::inferShape(Adaptor adaptor,
                                           ArrayRef<DimShape> shapes) {
  const DimShape &x = shapes[0], &indices = shapes[1];
  int64_t batch = adaptor.getBatchDims();
  std::optional<int64_t> depth =
      indices.empty() ? std::nullopt : indices.back().getConstant();
  if (!depth || batch < 0 || batch >= static_cast<int64_t>(indices.size()) ||
      batch + *depth > static_cast<int64_t>(x.size()))
    return failure();
  DimShape result(indices.begin(), indices.end() - 1);
  result.append(x.begin() + batch + *depth, x.end());
  return result;
}

LogicalResult GatherNdOp::verify() {
  return verifyIndices(*this, getIndices());
}

LogicalResult ScatterElementsOp::verify() {
  if (failed(verifyAxis(*this, getAxis(), rankOf(getX()))))
    return failure();
  if (rankOf(getX()) != rankOf(getIndices()) ||
      rankOf(getX()) != rankOf(getUpdates()))
    return emitOpError("has operands of different ranks");
  return verifyIndices(*this, getIndices());
}

LogicalResult ScatterNdOp::verify() {
  auto type = cast<RankedTensorType>(getIndices().getType());
  if (type.getRank() == 0 || type.isDynamicDim(type.getRank() - 1))
    return emitOpError("needs indices whose last dim is constant");
  return verifyIndices(*this, getIndices());
}

LogicalResult WriteRowsOp::verify() {
  auto x = cast<RankedTensorType>(getX().getType()),
       update = cast<RankedTensorType>(getUpdate().getType()),
       at = cast<RankedTensorType>(getAt().getType());
  if (failed(verifyAxis(*this, getAxis(), x.getRank())))
    return failure();
  if (getAxis() == 0)
    return emitOpError("writes along the dim of its rows");
  if (x.getElementType() != update.getElementType() ||
      x.getRank() != update.getRank())
    return emitOpError("writes ") << update << " into " << x;
  auto differ = [](int64_t a, int64_t b) {
    return !ShapedType::isDynamic(a) && !ShapedType::isDynamic(b) && a != b;
  };
  for (int64_t dim = 0; dim < x.getRank(); ++dim)
    if (dim != static_cast<int64_t>(getAxis()) &&
        differ(x.getDimSize(dim), update.getDimSize(dim)))
      return emitOpError("writes ") << update << " into " << x;
  if (at.getRank() != 1 || !at.getElementType().isInteger(64) ||
      differ(at.getDimSize(0), x.getDimSize(0)))
    return emitOpError("needs one i64 for each row of ") << x << ", not " << at;
  return success();
}

LogicalResult RopeOp::verify() {
  return verifyRotation(*this, getX(), {getCos(), getSin()});
}
