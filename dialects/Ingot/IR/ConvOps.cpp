//===- ConvOps.cpp - shapes, cost and verifiers of the sliding windows ----===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/IngotOps.h"

using namespace mlir;
using namespace ingot;

/// The output extent of a window along one dim.
static DimExpr windowedExtent(const DimExpr &extent, int64_t kernel,
                              int64_t stride, int64_t dilation, int64_t low,
                              int64_t high, bool ceilMode) {
  DimExpr span =
      extent + DimExpr::constant(low + high - dilation * (kernel - 1) - 1);
  DimExpr strideExpr = DimExpr::constant(stride);
  DimExpr one = DimExpr::constant(1);
  if (!ceilMode)
    return DimExpr::floorDiv(span, strideExpr) + one;
  // A window that would start in the high padding does not count.
  DimExpr rounded = DimExpr::ceilDiv(span, strideExpr) + one;
  DimExpr started =
      DimExpr::ceilDiv(extent + DimExpr::constant(low), strideExpr);
  return DimExpr::min(rounded, started);
}

FailureOr<DimShape> ConvOp::inferShape(Adaptor adaptor,
                                       ArrayRef<DimShape> shapes) {
  const DimShape &x = shapes[0], &w = shapes[1];
  size_t spatial = adaptor.getStrides().size();
  if (x.size() != spatial + 2 || w.size() != spatial + 2 ||
      adaptor.getDilations().size() != spatial ||
      adaptor.getPads().size() != 2 * spatial)
    return failure();
  DimShape result = {x[0], w[0]};
  for (size_t i = 0; i < spatial; ++i) {
    std::optional<int64_t> kernel = w[i + 2].getConstant();
    if (!kernel || adaptor.getStrides()[i] <= 0)
      return failure();
    result.push_back(windowedExtent(
        x[i + 2], *kernel, adaptor.getStrides()[i], adaptor.getDilations()[i],
        adaptor.getPads()[i], adaptor.getPads()[i + spatial], false));
  }
  return result;
}

LogicalResult ConvOp::verify() {
  auto x = cast<RankedTensorType>(getX().getType());
  auto w = cast<RankedTensorType>(getW().getType());
  int64_t group = getGroup();
  if (group <= 0)
    return emitOpError("has a group count that is not positive");
  if (!x.isDynamicDim(1) && !w.isDynamicDim(1) &&
      x.getDimSize(1) != w.getDimSize(1) * group)
    return emitOpError("has ")
           << x.getDimSize(1) << " input channels, but " << w.getDimSize(1)
           << " per group and " << group << " groups";
  return success();
}

DimExpr ConvOp::getFlops(ArrayRef<DimShape> operands,
                         ArrayRef<DimShape> results) {
  return DimExpr::constant(2) * product(results[0]) *
         product(ArrayRef(operands[1]).drop_front());
}

FailureOr<DimShape> PoolOp::inferShape(Adaptor adaptor,
                                       ArrayRef<DimShape> shapes) {
  const DimShape &x = shapes[0];
  ArrayRef<int64_t> kernel = adaptor.getKernel();
  size_t spatial = kernel.size();
  if (x.size() != spatial + 2 || adaptor.getStrides().size() != spatial ||
      adaptor.getDilations().size() != spatial ||
      adaptor.getPads().size() != 2 * spatial)
    return failure();
  DimShape result = {x[0], x[1]};
  for (size_t i = 0; i < spatial; ++i) {
    if (adaptor.getStrides()[i] <= 0)
      return failure();
    result.push_back(
        windowedExtent(x[i + 2], kernel[i], adaptor.getStrides()[i],
                       adaptor.getDilations()[i], adaptor.getPads()[i],
                       adaptor.getPads()[i + spatial], adaptor.getCeilMode()));
  }
  return result;
}

LogicalResult PoolOp::verify() {
  if (llvm::any_of(getKernel(), [](int64_t extent) { return extent <= 0; }))
    return emitOpError("has a kernel extent that is not positive");
  return success();
}
