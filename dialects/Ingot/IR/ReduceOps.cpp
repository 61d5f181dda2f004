//===- ReduceOps.cpp - shapes, verifiers and folders of the reductions ----===//
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

static LogicalResult verifyAxis(Operation *op, int64_t axis, Value x) {
  if (axis >= 0 && axis < rankOf(x))
    return success();
  return op->emitOpError("has axis ")
         << axis << " but the operand has rank " << rankOf(x);
}

/// `shape` with the dims in `axes` dropped or kept as one.
static FailureOr<DimShape> reducedShape(const DimShape &shape,
                                        ArrayRef<int64_t> axes, bool keepdims) {
  DimShape result;
  for (auto [i, dim] : llvm::enumerate(shape)) {
    if (!llvm::is_contained(axes, static_cast<int64_t>(i)))
      result.push_back(dim);
    else if (keepdims)
      result.push_back(DimExpr::constant(1));
  }
  return result;
}

FailureOr<DimShape> ReduceOp::inferShape(Adaptor adaptor,
                                         ArrayRef<DimShape> shapes) {
  return reducedShape(shapes[0], adaptor.getAxes(), adaptor.getKeepdims());
}

LogicalResult ReduceOp::verify() {
  for (int64_t axis : getAxes())
    if (failed(verifyAxis(*this, axis, getX())))
      return failure();
  if (!llvm::is_sorted(getAxes()) ||
      std::adjacent_find(getAxes().begin(), getAxes().end()) != getAxes().end())
    return emitOpError("has axes that are not sorted and distinct");
  return success();
}

OpFoldResult ReduceOp::fold(FoldAdaptor adaptor) {
  // Without axes these kinds leave each element as it is.
  bool keeps =
      llvm::is_contained({ReduceKind::Sum, ReduceKind::Prod, ReduceKind::Max,
                          ReduceKind::Min, ReduceKind::Mean},
                         getKind());
  return getAxes().empty() && keeps ? OpFoldResult(getX()) : OpFoldResult();
}

#define INGOT_ARG_OP(OP)                                                       \
  FailureOr<DimShape> OP::inferShape(Adaptor adaptor,                          \
                                     ArrayRef<DimShape> shapes) {              \
    return reducedShape(                                                       \
        shapes[0], ArrayRef<int64_t>(static_cast<int64_t>(adaptor.getAxis())), \
        adaptor.getKeepdims());                                                \
  }                                                                            \
  LogicalResult OP::verify() { return verifyAxis(*this, getAxis(), getX()); }
INGOT_ARG_OP(ArgMaxOp)
INGOT_ARG_OP(ArgMinOp)
#undef INGOT_ARG_OP

LogicalResult CumSumOp::verify() {
  return verifyAxis(*this, getAxis(), getX());
}
LogicalResult CumProdOp::verify() {
  return verifyAxis(*this, getAxis(), getX());
}

static FailureOr<DimShape> topKShape(const DimShape &shape, uint64_t axis,
                                     const DimShape &k) {
  if (axis >= shape.size() || k.size() != 1)
    return failure();
  DimShape result = shape;
  result[axis] = k[0];
  return result;
}

FailureOr<DimShape> TopKValuesOp::inferShape(Adaptor adaptor,
                                             ArrayRef<DimShape> shapes) {
  return topKShape(shapes[0], adaptor.getAxis(), adaptor.getK().getDims());
}
FailureOr<DimShape> TopKIndicesOp::inferShape(Adaptor adaptor,
                                              ArrayRef<DimShape> shapes) {
  return topKShape(shapes[0], adaptor.getAxis(), adaptor.getK().getDims());
}

LogicalResult TopKValuesOp::verify() {
  return verifyAxis(*this, getAxis(), getX());
}
LogicalResult TopKIndicesOp::verify() {
  return verifyAxis(*this, getAxis(), getX());
}
