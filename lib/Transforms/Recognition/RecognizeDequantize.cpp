//===- RecognizeDequantize.cpp - find dequantized weights -----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Matchers.h"
#include "ingot/Transforms/Recognition.h"

namespace ingot {
#define GEN_PASS_DEF_RECOGNIZEDEQUANTIZE
#include "lib/Transforms/Recognition/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot;

namespace {

/// x where the value is an integer x converted to a float.
Value matchDecoded(Value value) {
  auto cast = value.getDefiningOp<CastOp>();
  if (!cast || cast.getBitcast() || !isa<FloatType>(elementTypeOf(cast)))
    return {};
  auto type = dyn_cast<IntegerType>(elementTypeOf(cast.getX()));
  return type && type.getWidth() > 1 && type.getWidth() <= 8 ? cast.getX()
                                                             : Value();
}

class DequantizeMatcher {
public:
  explicit DequantizeMatcher(Operation *root) : rewriter(root) {}

  void run(Operation *root) {
    SmallVector<MulOp> products;
    root->walk([&](MulOp op) { products.push_back(op); });
    for (MulOp op : products)
      rewrite(op, op.getA(), op.getB()) || rewrite(op, op.getB(), op.getA());
    rewriter.eraseDead();
  }

private:
  /// The axis along which `vector` varies when it is broadcast to a tensor of
  /// the shape `to`; -1 for a scalar, empty for more than one axis.
  std::optional<int64_t> axisOf(Value vector, ArrayRef<int64_t> to) {
    auto type = cast<RankedTensorType>(vector.getType());
    int64_t offset = static_cast<int64_t>(to.size()) - type.getRank();
    if (!type.hasStaticShape() || offset < 0)
      return std::nullopt;
    int64_t axis = -1;
    for (auto [i, extent] : llvm::enumerate(type.getShape())) {
      if (extent == 1)
        continue;
      if (axis != -1 || extent != to[offset + i])
        return std::nullopt;
      axis = offset + i;
    }
    return axis;
  }

  /// `vector` as a scalar (axis -1) or a vector, the form dequantize takes.
  Value normalized(OpBuilder &builder, Location loc, Value vector,
                   int64_t axis) {
    DimShape to;
    if (axis >= 0)
      to.push_back(DimExpr::constant(
          cast<RankedTensorType>(vector.getType()).getNumElements()));
    return buildReshape(builder, loc, vector, to, rewriter.shapes);
  }

  bool rewrite(MulOp op, Value decoded, Value scale) {
    if (!isa<FloatType>(elementTypeOf(op)) || !weights.isWeight(op) ||
        decoded.getType() != op.getType())
      return false;
    Value zeroPoint, codes = matchDecoded(decoded);
    if (auto sub = decoded.getDefiningOp<SubOp>(); sub && !codes) {
      codes = matchDecoded(sub.getA());
      zeroPoint = matchDecoded(sub.getB());
      if (!zeroPoint ||
          (codes && elementTypeOf(codes) != elementTypeOf(zeroPoint)))
        return false;
    }
    if (!codes || op.getType().getShape() !=
                      cast<RankedTensorType>(codes.getType()).getShape())
      return false;
    // Integers that are a weight in their own right, not a scale.
    ArrayRef<int64_t> shape = op.getType().getShape();
    std::optional<int64_t> axis = axisOf(scale, shape);
    if (!axis)
      return false;
    OpBuilder builder(op);
    Location loc = op.getLoc();
    if (zeroPoint) {
      if (axisOf(zeroPoint, shape) != axis)
        return false;
      zeroPoint = normalized(builder, loc, zeroPoint, *axis);
    }
    Value result = DequantizeOp::create(
        builder, loc, codes, normalized(builder, loc, scale, *axis), zeroPoint,
        *axis < 0 ? (shape.empty() ? 0 : shape.size() - 1) : *axis,
        /*block_size=*/0);
    rewriter.replace(op, result);
    return true;
  }

  GraphRewriter rewriter;
  WeightAnalysis weights;
};

struct RecognizeDequantizePass
    : ingot::impl::RecognizeDequantizeBase<RecognizeDequantizePass> {
  void runOnOperation() override {
    DequantizeMatcher(getOperation()).run(getOperation());
  }
};

} // namespace
