//===- Matchers.cpp - what the recognition passes ask of values -----------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Matchers.h"

#include "mlir/IR/Matchers.h"

#include <cmath>

using namespace mlir;
using namespace ingot;

int64_t ingot::rankOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getRank();
}

static std::optional<double> splatOf(DenseElementsAttr elements) {
  if (!elements.isSplat() || elements.empty())
    return std::nullopt;
  Type type = elements.getElementType();
  if (isa<FloatType>(type)) {
    APFloat value = elements.getSplatValue<APFloat>();
    bool lost = false;
    value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
    return value.convertToDouble();
  }
  if (!type.isIntOrIndex())
    return std::nullopt;
  APInt value = elements.getSplatValue<APInt>();
  return type.isUnsignedInteger() || value.getBitWidth() == 1
             ? static_cast<double>(value.getZExtValue())
             : static_cast<double>(value.getSExtValue());
}

std::optional<double> ingot::splatConstant(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto constant = dyn_cast<ConstantOp>(op)) {
      auto elements = dyn_cast<DenseElementsAttr>(constant.getValue());
      return elements ? splatOf(elements) : std::nullopt;
    }
    auto cast = dyn_cast<CastOp>(op);
    bool widens = cast && !cast.getBitcast() &&
                  isa<FloatType>(elementTypeOf(cast)) &&
                  isa<FloatType>(elementTypeOf(cast.getX())) &&
                  elementTypeOf(cast).getIntOrFloatBitWidth() >=
                      elementTypeOf(cast.getX()).getIntOrFloatBitWidth();
    if (!isa<ReshapeOp, BroadcastToOp>(op) && !widens)
      return std::nullopt;
    value = op->getOperand(0);
  }
  return std::nullopt;
}

std::optional<double> ingot::scalarConstant(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !type.hasStaticShape() || type.getNumElements() != 1)
    return std::nullopt;
  return splatConstant(value);
}

bool ingot::isClose(double a, double b, Type type) {
  if (a == b)
    return true;
  // A few units in the last place of the type that the constant was rounded
  // to, so that no other number passes for it.
  double tolerance = type.isBF16() ? 8e-3 : type.isF16() ? 1e-3 : 2e-6;
  return std::abs(a - b) <= tolerance * std::max(std::abs(a), std::abs(b));
}

bool ingot::isScalar(Value value, double expected) {
  std::optional<double> number = scalarConstant(value);
  return number && isClose(*number, expected, elementTypeOf(value));
}

SmallVector<Operation *> ingot::readersOf(Value value) {
  SmallVector<Operation *> readers;
  for (Operation *user : value.getUsers())
    if (!isa<tensor::DimOp>(user))
      readers.push_back(user);
  return readers;
}

Operation *ingot::onlyReaderOf(Value value) {
  SmallVector<Operation *> readers = readersOf(value);
  return readers.size() == 1 ? readers.front() : nullptr;
}

std::optional<Scaled> ingot::matchScaled(Value value) {
  auto isConstant = [&](Value operand) {
    return scalarConstant(operand).has_value() &&
           rankOf(operand) <= rankOf(value);
  };
  // An operand of a higher rank would add dims to the result.
  auto keepsRank = [&](Value x) { return rankOf(x) == rankOf(value); };
  if (auto match = matchCommuted<MulOp>(value, isConstant))
    if (keepsRank(match->first))
      return Scaled{match->first, *scalarConstant(match->second)};
  if (auto div = value.getDefiningOp<DivOp>())
    if (isConstant(div.getB()) && keepsRank(div.getA()) &&
        isa<FloatType>(elementTypeOf(value)) &&
        *scalarConstant(div.getB()) != 0)
      return Scaled{div.getA(), 1.0 / *scalarConstant(div.getB())};
  return std::nullopt;
}

bool WeightAnalysis::isWeight(Value value) {
  SmallVector<Value> worklist = {value};
  while (!worklist.empty()) {
    Value current = worklist.back();
    if (known.contains(current)) {
      worklist.pop_back();
      continue;
    }
    Operation *op = current.getDefiningOp();
    if (!op || !isPure(op) || op->getNumRegions() != 0) {
      known[current] = false;
      continue;
    }
    bool ready = true,
         all = isa<WeightRefOp, ConstantOp>(op) || op->getNumOperands() > 0;
    for (Value operand : op->getOperands()) {
      // Destinations hold no data.
      if (operand.getDefiningOp<tensor::EmptyOp>())
        continue;
      auto found = known.find(operand);
      if (found == known.end()) {
        worklist.push_back(operand);
        ready = false;
      } else {
        all &= found->second;
      }
    }
    if (!ready)
      continue;
    // Dims known only at run time make a value of the run.
    auto type = dyn_cast<RankedTensorType>(current.getType());
    known[current] = all && type && type.hasStaticShape();
    worklist.pop_back();
  }
  return known[value];
}

void GraphRewriter::replace(Value value, Value with) {
  if (value == with)
    return;
  if (value.getType() != with.getType()) {
    OpBuilder builder(with.getContext());
    builder.setInsertionPointAfterValue(with);
    with =
        tensor::CastOp::create(builder, value.getLoc(), value.getType(), with);
  }
  value.replaceAllUsesWith(with);
  anyChange = true;
}

void GraphRewriter::eraseDead() {
  // Backwards in every block, a use is seen before what it uses.
  root->walk<WalkOrder::PostOrder>([](Block *block) {
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(*block)))
      if (isOpTriviallyDead(&op))
        op.erase();
  });
  shapes = ShapeAnalysis();
}

Value ingot::buildTranspose(OpBuilder &builder, Location loc, Value x,
                            ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> composed(permutation);
  while (auto inner = x.getDefiningOp<TransposeOp>()) {
    for (int64_t &dim : composed)
      dim = inner.getPermutation()[dim];
    x = inner.getX();
  }
  if (llvm::equal(composed, llvm::seq<int64_t>(0, composed.size())))
    return x;
  return TransposeOp::create(builder, loc, x, composed);
}

Value ingot::buildReshape(OpBuilder &builder, Location loc, Value x,
                          ArrayRef<DimExpr> to, ShapeAnalysis &shapes) {
  if (ArrayRef<DimExpr>(shapes.shapeOf(x)) == to)
    return x;
  return ReshapeOp::create(builder, loc, x,
                           DimsAttr::get(builder.getContext(), to));
}

Value ingot::buildScalar(OpBuilder &builder, Location loc, double value,
                         Type type) {
  auto shaped = RankedTensorType::get({}, type);
  if (auto real = dyn_cast<FloatType>(type)) {
    APFloat number(value);
    bool lost = false;
    number.convert(real.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                   &lost);
    return ConstantOp::create(builder, loc,
                              DenseElementsAttr::get(shaped, number));
  }
  APInt number(type.getIntOrFloatBitWidth(),
               static_cast<uint64_t>(static_cast<int64_t>(value)),
               /*isSigned=*/true, /*implicitTrunc=*/true);
  return ConstantOp::create(builder, loc,
                            DenseElementsAttr::get(shaped, number));
}
