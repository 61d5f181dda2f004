//===- VectorUtils.cpp - reductions over lanes ----------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "VectorUtils.h"

using namespace mlir;
using namespace ingot;

Operation *ingot::findCombiner(linalg::LinalgOp op, unsigned result) {
  BlockArgument accumulator =
      op.getMatchingBlockArgument(op.getDpsInitOperand(result));
  OpOperand &yielded = op.getBlock()->getTerminator()->getOpOperand(result);
  Operation *combiner = yielded.get().getDefiningOp();
  if (!combiner || !accumulator.hasOneUse() || !yielded.get().hasOneUse() ||
      *accumulator.getUsers().begin() != combiner)
    return nullptr;
  if (isa<arith::AddFOp, arith::MulFOp, arith::MaximumFOp, arith::MinimumFOp,
          arith::MaxNumFOp, arith::MinNumFOp, arith::AddIOp, arith::MulIOp,
          arith::MaxSIOp, arith::MinSIOp, arith::MaxUIOp, arith::MinUIOp,
          arith::AndIOp, arith::OrIOp, arith::XOrIOp>(combiner))
    return combiner;
  return nullptr;
}

Value ingot::neutralVector(OpBuilder &b, Location loc, Operation *combiner,
                           int64_t lanes) {
  Type element = combiner->getResult(0).getType();
  TypedAttr value =
      TypeSwitch<Operation *, TypedAttr>(combiner)
          .Case<arith::AddFOp>([&](auto) {
            // Not +0, which would turn a sum of negative zeros positive.
            return b.getFloatAttr(element, -0.0);
          })
          .Case<arith::MulFOp>(
              [&](auto) { return b.getFloatAttr(element, 1.0); })
          .Case<arith::MaximumFOp, arith::MinimumFOp>([&](auto op) {
            bool isMax = isa<arith::MaximumFOp>(op.getOperation());
            return b.getFloatAttr(
                element,
                APFloat::getInf(cast<FloatType>(element).getFloatSemantics(),
                                /*Negative=*/isMax));
          })
          .Case<arith::MaxNumFOp, arith::MinNumFOp>([&](auto) {
            return b.getFloatAttr(
                element,
                APFloat::getNaN(cast<FloatType>(element).getFloatSemantics()));
          })
          .Default([&](Operation *op) {
            unsigned width =
                isa<IndexType>(element) ? 64 : element.getIntOrFloatBitWidth();
            APInt neutral(width, 0);
            if (isa<arith::MulIOp>(op))
              neutral = APInt(width, 1);
            else if (isa<arith::MaxSIOp>(op))
              neutral = APInt::getSignedMinValue(width);
            else if (isa<arith::MinSIOp>(op))
              neutral = APInt::getSignedMaxValue(width);
            else if (isa<arith::MinUIOp, arith::AndIOp>(op))
              neutral = APInt::getAllOnes(width);
            return cast<TypedAttr>(
                Attribute(b.getIntegerAttr(element, neutral)));
          });
  return arith::ConstantOp::create(
      b, loc,
      DenseElementsAttr::get(VectorType::get(lanes, element),
                             static_cast<Attribute>(value)));
}

Value ingot::combine(OpBuilder &b, Location loc, Operation *combiner, Value lhs,
                     Value rhs) {
  return b
      .create(loc, combiner->getName().getIdentifier(), {lhs, rhs},
              {lhs.getType()}, combiner->getAttrDictionary().getValue())
      ->getResult(0);
}

Value ingot::foldLanes(OpBuilder &b, Location loc, Value vector,
                       function_ref<Value(Value, Value)> step) {
  int64_t lanes = cast<VectorType>(vector.getType()).getNumElements();
  while (lanes > 1) {
    SmallVector<int64_t> low, high;
    for (int64_t i = 0; i < lanes / 2; ++i) {
      low.push_back(i);
      high.push_back(i + lanes / 2);
    }
    Value lower = vector::ShuffleOp::create(b, loc, vector, vector, low);
    Value upper = vector::ShuffleOp::create(b, loc, vector, vector, high);
    vector = step(lower, upper);
    lanes /= 2;
  }
  return vector::ExtractOp::create(b, loc, vector, 0);
}

Value ingot::reduceLanes(OpBuilder &b, Location loc, Operation *combiner,
                         Value vector) {
  return foldLanes(b, loc, vector, [&](Value lower, Value upper) {
    return combine(b, loc, combiner, lower, upper);
  });
}
