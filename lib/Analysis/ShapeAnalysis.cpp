//===- ShapeAnalysis.cpp - dims of values as expressions ------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Analysis/ShapeAnalysis.h"

#include "dialects/Ingot/IR/IngotOps.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace ingot;

DimExpr ShapeAnalysis::unknown() {
  // No parsed name begins with a question mark.
  return DimExpr::symbol("?u" + std::to_string(numUnknown++));
}

DimShape ShapeAnalysis::fromType(Value value) {
  DimShape shape;
  auto type = dyn_cast<ShapedType>(value.getType());
  if (type && type.hasRank())
    for (int64_t extent : type.getShape())
      shape.push_back(ShapedType::isDynamic(extent)
                          ? unknown()
                          : DimExpr::constant(extent));
  return shape;
}

/// What a loop over layers gives the first of them as `value`; null if it is no
/// such. What is carried keeps its shape.
static OpOperand *carriedInto(Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  auto loop =
      argument
          ? dyn_cast_or_null<scf::ForOp>(argument.getOwner()->getParentOp())
          : nullptr;
  return loop ? loop.getTiedLoopInit(argument) : nullptr;
}

const DimShape &ShapeAnalysis::shapeOf(Value value) {
  // An explicit worklist: models are deeper than the call stack should be.
  SmallVector<Value> worklist = {value};
  while (!worklist.empty()) {
    Value current = worklist.back();
    if (shapes.contains(current)) {
      worklist.pop_back();
      continue;
    }
    bool ready = true;
    auto need = [&](Value operand) {
      if (!isa<RankedTensorType>(operand.getType()) || shapes.contains(operand))
        return;
      worklist.push_back(operand);
      ready = false;
    };
    if (Operation *op = current.getDefiningOp())
      llvm::for_each(op->getOperands(), need);
    else if (OpOperand *init = carriedInto(current))
      need(init->get());
    if (!ready)
      continue;
    DimShape shape = compute(current);
    shapes[current] = std::move(shape);
    worklist.pop_back();
  }
  return shapes[value];
}

DimShape ShapeAnalysis::compute(Value value) {
  DimShape shape;
  if (auto result = dyn_cast<OpResult>(value)) {
    shape = computeResult(result);
  } else if (OpOperand *init = carriedInto(value)) {
    shape = shapes[init->get()];
  } else {
    auto argument = cast<BlockArgument>(value);
    auto function =
        dyn_cast<FunctionOpInterface>(argument.getOwner()->getParentOp());
    if (function && argument.getOwner()->isEntryBlock())
      if (auto dims = function.getArgAttrOfType<DimsAttr>(
              argument.getArgNumber(), dimsAttrName))
        shape = dims.getDims();
  }
  // Static extents of the type are at least as good; a shape of another rank
  // tells nothing.
  DimShape typed = fromType(value);
  if (shape.size() != typed.size())
    return typed;
  for (auto [dim, extent] : llvm::zip_equal(shape, typed))
    if (extent.isConstant())
      dim = extent;
  return shape;
}

DimShape ShapeAnalysis::computeResult(OpResult result) {
  Operation *op = result.getOwner();
  if (auto inference = dyn_cast<ShapeInferenceInterface>(op)) {
    SmallVector<DimShape> operands, results;
    for (Value operand : op->getOperands())
      operands.push_back(isa<RankedTensorType>(operand.getType())
                             ? shapes[operand]
                             : DimShape());
    if (succeeded(inference.inferShapes(operands, results)) &&
        result.getResultNumber() < results.size())
      return results[result.getResultNumber()];
    return {};
  }
  if (auto empty = dyn_cast<tensor::EmptyOp>(op)) {
    DimShape shape;
    for (OpFoldResult size : empty.getMixedSizes()) {
      std::optional<DimExpr> dim;
      if (auto value = dyn_cast<Value>(size))
        dim = indexValue(value);
      else
        dim = DimExpr::constant(
            cast<IntegerAttr>(cast<Attribute>(size)).getInt());
      shape.push_back(dim ? *dim : unknown());
    }
    return shape;
  }
  if (auto cast = dyn_cast<tensor::CastOp>(op))
    return shapes[cast.getSource()];
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op)) {
    DimShape shape;
    const DimShape &source = shapes[collapse.getSrc()];
    for (const ReassociationIndices &group :
         collapse.getReassociationIndices()) {
      DimExpr extent = DimExpr::constant(1);
      for (int64_t dim : group)
        extent = extent * source[dim];
      shape.push_back(extent);
    }
    return shape;
  }
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op)) {
    DimShape shape;
    for (OpFoldResult size : expand.getMixedOutputShape()) {
      auto value = dyn_cast<Value>(size);
      std::optional<DimExpr> dim =
          value ? indexValue(value)
                : DimExpr::constant(
                      llvm::cast<IntegerAttr>(llvm::cast<Attribute>(size))
                          .getInt());
      shape.push_back(dim ? *dim : unknown());
    }
    return shape;
  }
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return shapes[loop.getTiedLoopInit(result)->get()];
  if (auto destination = dyn_cast<DestinationStyleOpInterface>(op))
    if (OpOperand *init = destination.getTiedOpOperand(result))
      return shapes[init->get()];
  return {};
}

/// `expr` of dims and symbols that have these values.
static std::optional<DimExpr>
affineValue(AffineExpr expr, unsigned numDims,
            ArrayRef<std::optional<DimExpr>> values) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return DimExpr::constant(constant.getValue());
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return values[dim.getPosition()];
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return values[numDims + symbol.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  std::optional<DimExpr> a = affineValue(binary.getLHS(), numDims, values),
                         b = affineValue(binary.getRHS(), numDims, values);
  if (!a || !b)
    return std::nullopt;
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return *a + *b;
  case AffineExprKind::Mul:
    return *a * *b;
  case AffineExprKind::Mod:
    return DimExpr::mod(*a, *b);
  case AffineExprKind::FloorDiv:
    return DimExpr::floorDiv(*a, *b);
  default:
    return DimExpr::ceilDiv(*a, *b);
  }
}

std::optional<DimExpr> ShapeAnalysis::indexValue(Value value,
                                                 OtherValues other) {
  if (!other)
    return computeIndex(value, other);
  auto known = indices.find(value);
  if (known != indices.end())
    return known->second;
  std::optional<DimExpr> result = computeIndex(value, other);
  if (!result)
    result = other(value);
  indices[value] = result;
  return result;
}

std::optional<DimExpr> ShapeAnalysis::computeIndex(Value value,
                                                   OtherValues other) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return std::nullopt;
  IntegerAttr constant;
  if (matchPattern(value, m_Constant(&constant)))
    return DimExpr::constant(constant.getInt());
  if (auto size = dyn_cast<SizeOp>(op))
    return size.getExpr().getDims().front();
  if (auto dim = dyn_cast<tensor::DimOp>(op))
    if (std::optional<int64_t> index = dim.getConstantIndex()) {
      const DimShape &shape = shapeOf(dim.getSource());
      if (*index >= 0 && *index < static_cast<int64_t>(shape.size()))
        return shape[*index];
    }
  if (auto apply = dyn_cast<affine::AffineApplyOp>(op)) {
    SmallVector<std::optional<DimExpr>> values;
    for (Value operand : apply.getMapOperands())
      values.push_back(indexValue(operand, other));
    AffineMap map = apply.getAffineMap();
    return affineValue(map.getResult(0), map.getNumDims(), values);
  }
  if (!isa<arith::AddIOp, arith::SubIOp, arith::MulIOp, arith::FloorDivSIOp,
           arith::CeilDivSIOp, arith::MaxSIOp, arith::MinSIOp>(op))
    return std::nullopt;
  std::optional<DimExpr> a = indexValue(op->getOperand(0), other),
                         b = indexValue(op->getOperand(1), other);
  if (!a || !b)
    return std::nullopt;
  return llvm::TypeSwitch<Operation *, DimExpr>(op)
      .Case<arith::AddIOp>([&](auto) { return *a + *b; })
      .Case<arith::SubIOp>([&](auto) { return *a - *b; })
      .Case<arith::MulIOp>([&](auto) { return *a * *b; })
      .Case<arith::FloorDivSIOp>(
          [&](auto) { return DimExpr::floorDiv(*a, *b); })
      .Case<arith::CeilDivSIOp>([&](auto) { return DimExpr::ceilDiv(*a, *b); })
      .Case<arith::MaxSIOp>([&](auto) { return DimExpr::max(*a, *b); })
      .Default([&](auto) { return DimExpr::min(*a, *b); });
}
