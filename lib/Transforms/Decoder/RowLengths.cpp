//===- RowLengths.cpp - where a model has the lengths of rows from --------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Transforms/Decoder/DecoderModel.h"
#include "lib/Transforms/Recognition/Matchers.h"

using namespace mlir;
using namespace ingot;

/// The number that `value`, of one element, is at every run of equal sizes.
static std::optional<DimExpr> numberOf(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (std::optional<double> number = scalarConstant(value))
      return DimExpr::constant(static_cast<int64_t>(*number));
    if (auto dims = dyn_cast<FromDimsOp>(op)) {
      const DimShape numbers = dims.getDims().getDims();
      return numbers.size() == 1 ? std::optional(numbers.front())
                                 : std::nullopt;
    }
    if (!isa<ReshapeOp, CastOp, tensor::CastOp>(op))
      return std::nullopt;
    value = op->getOperand(0);
  }
  return std::nullopt;
}

bool ingot::traceLengths(Value lengths, ShapeAnalysis &shapes,
                         Decoder &decoder) {
  // What is added to what the lengths come from.
  DimExpr added;
  Value value = lengths;
  while (Operation *op = value.getDefiningOp()) {
    if (isa<ReshapeOp, CastOp, tensor::CastOp>(op)) {
      value = op->getOperand(0);
    } else if (isa<AddOp, SubOp>(op)) {
      std::optional<DimExpr> a = numberOf(op->getOperand(0)),
                             b = numberOf(op->getOperand(1));
      if (b)
        added = isa<AddOp>(op) ? added + *b : added - *b;
      else if (a && isa<AddOp>(op))
        added = added + *a;
      else
        return false;
      value = op->getOperand(b ? 0 : 1);
    } else if (auto max = dyn_cast<MaxOp>(op); max && added == DimExpr()) {
      // Not below zero, which a length never is.
      bool second = isScalar(max.getB(), 0);
      if (!second && !isScalar(max.getA(), 0))
        return false;
      value = second ? max.getA() : max.getB();
    } else {
      break;
    }
  }
  auto isRows = [&](Value input, size_t rank) {
    DimShape shape = shapes.shapeOf(input);
    return isa<IntegerType>(elementTypeOf(input)) &&
           !elementTypeOf(input).isInteger(1) && shape.size() >= 1 &&
           shape.size() <= rank && shape[0] == decoder.rows;
  };
  // Ones of a row's mask: its past and its new tokens.
  if (auto sum = value.getDefiningOp<ReduceOp>()) {
    Value counted = sum.getX();
    while (Operation *op = counted.getDefiningOp()) {
      if (!isa<CastOp, tensor::CastOp>(op))
        break;
      counted = op->getOperand(0);
    }
    auto mask = dyn_cast<BlockArgument>(counted);
    if (!mask || sum.getKind() != ReduceKind::Sum || !isRows(mask, 2) ||
        sum.getAxes() != ArrayRef<int64_t>{1} ||
        added != DimExpr() - decoder.seq)
      return false;
    decoder.masks.push_back({mask, 1});
    return true;
  }
  // The position of a row's last token.
  auto input = dyn_cast<BlockArgument>(value);
  if (!input || !isRows(input, 2) ||
      product(shapes.shapeOf(input)) != decoder.rows ||
      added != DimExpr::constant(1) - decoder.seq)
    return false;
  decoder.lengthInput = input;
  return true;
}
