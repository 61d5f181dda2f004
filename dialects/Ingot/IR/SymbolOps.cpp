//===- SymbolOps.cpp - dims, weights, constants ---------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/IngotOps.h"

using namespace mlir;
using namespace ingot;

static DimShape staticShape(Value value) { return opaqueShapes(value).front(); }

LogicalResult DimOp::verify() {
  if (static_cast<int64_t>(getMin()) < 0)
    return emitOpError("has a negative minimum");
  if (getMax() &&
      static_cast<int64_t>(*getMax()) < static_cast<int64_t>(getMin()))
    return emitOpError("has a maximum below its minimum");
  return success();
}

void SizeOp::build(OpBuilder &builder, OperationState &state,
                   const DimExpr &expr) {
  build(builder, state, builder.getIndexType(),
        DimsAttr::get(builder.getContext(), ArrayRef<DimExpr>(expr)));
}

LogicalResult SizeOp::verify() {
  if (getExpr().getDims().size() != 1)
    return emitOpError("needs exactly one expression");
  return success();
}

OpFoldResult SizeOp::fold(FoldAdaptor adaptor) {
  DimShape dims = getExpr().getDims();
  if (dims.size() != 1)
    return {};
  if (std::optional<int64_t> value = dims[0].getConstant())
    return IntegerAttr::get(IndexType::get(getContext()), *value);
  return {};
}

LogicalResult WeightOp::verify() {
  auto type = cast<RankedTensorType>(getType());
  Type element = type.getElementType();
  if (!element.isIntOrFloat())
    return emitOpError("has elements of type ") << element;
  int64_t bits = element.getIntOrFloatBitWidth();
  int64_t bytes = bits < 8 && bits != 1
                      ? (type.getNumElements() * bits + 7) / 8
                      : type.getNumElements() * ((bits + 7) / 8);
  if (static_cast<int64_t>(getOffset()) < 0)
    return emitOpError("has a negative offset");
  if (static_cast<int64_t>(getLength()) != bytes)
    return emitOpError("has ") << static_cast<int64_t>(getLength())
                               << " bytes, but its type needs " << bytes;
  return success();
}

/// That `symbol` is a weight of the type of `op`'s result.
static LogicalResult verifyWeight(Operation *op, FlatSymbolRefAttr symbol,
                                  SymbolTableCollection &tables) {
  auto weight = tables.lookupNearestSymbolFrom<WeightOp>(op, symbol);
  if (!weight)
    return op->emitOpError("refers to ")
           << symbol << ", which is no declared weight";
  Type type = op->getResult(0).getType();
  if (weight.getType() != type) {
    InFlightDiagnostic diag = op->emitOpError("has type ")
                              << type << ", but the weight has "
                              << weight.getType();
    diag.attachNote(weight.getLoc()) << "declared here";
    return diag;
  }
  return success();
}

LogicalResult WeightRefOp::verifySymbolUses(SymbolTableCollection &tables) {
  return verifyWeight(*this, getWeightAttr(), tables);
}

LogicalResult WeightMemberOp::verifySymbolUses(SymbolTableCollection &tables) {
  if (getWeights().empty())
    return emitOpError("has no weight to choose from");
  for (auto symbol : getWeights().getAsRange<FlatSymbolRefAttr>())
    if (failed(verifyWeight(*this, symbol, tables)))
      return failure();
  return success();
}

LogicalResult WeightViewOp::verify() {
  auto family = cast<RankedTensorType>(getFamily().getType());
  if (family.getRank() != 1 || !family.getElementType().isInteger(8))
    return emitOpError("takes bytes, not ") << family;
  auto type = cast<RankedTensorType>(getType());
  if (!type.getElementType().isIntOrFloat() ||
      type.getElementTypeBitWidth() % 8 != 0)
    return emitOpError("gives elements of ") << type.getElementType();
  int64_t bytes = type.getNumElements() * type.getElementTypeBitWidth() / 8;
  int64_t stride = getStride();
  if (stride < bytes || family.getNumElements() < bytes)
    return emitOpError("gives ")
           << bytes << " bytes of members that are " << stride
           << " bytes apart in " << family.getNumElements();
  return success();
}

LogicalResult WeightRefOp::inferShapes(ArrayRef<DimShape>,
                                       SmallVectorImpl<DimShape> &results) {
  results.push_back(staticShape(getResult()));
  return success();
}

OpFoldResult ConstantOp::fold(FoldAdaptor adaptor) { return getValue(); }

LogicalResult ConstantOp::inferShapes(ArrayRef<DimShape>,
                                      SmallVectorImpl<DimShape> &results) {
  results.push_back(staticShape(getResult()));
  return success();
}

LogicalResult FromDimsOp::verify() {
  auto type = cast<RankedTensorType>(getType());
  if (!type.getElementType().isIntOrIndex())
    return emitOpError("has elements of type ") << type.getElementType();
  if (type.getRank() > 1 ||
      type.getNumElements() != static_cast<int64_t>(getDims().getDims().size()))
    return emitOpError("has ") << getDims().getDims().size()
                               << " expressions for a result of type " << type;
  return success();
}

OpFoldResult FromDimsOp::fold(FoldAdaptor adaptor) {
  auto type = cast<RankedTensorType>(getType());
  auto element = dyn_cast<IntegerType>(type.getElementType());
  if (!element)
    return {};
  SmallVector<APInt> values;
  for (const DimExpr &dim : getDims().getDims()) {
    std::optional<int64_t> value = dim.getConstant();
    if (!value)
      return {};
    values.push_back(APInt(element.getWidth(), static_cast<uint64_t>(*value),
                           /*isSigned=*/true, /*implicitTrunc=*/true));
  }
  return DenseElementsAttr::get(type, values);
}

LogicalResult FromDimsOp::inferShapes(ArrayRef<DimShape>,
                                      SmallVectorImpl<DimShape> &results) {
  results.push_back(staticShape(getResult()));
  return success();
}
