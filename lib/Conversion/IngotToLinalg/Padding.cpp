//===- Padding.cpp - borders ---------------------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Emitter.h"

using namespace mlir;
using namespace ingot;

static bool isAtLeastZero(const DimExpr &expr) {
  std::optional<int64_t> low = expr.lowerBound();
  return low && *low >= 0;
}

Tensor Emitter::pad(const Tensor &x, ArrayRef<DimExpr> low,
                    ArrayRef<DimExpr> high, Value value) {
  DimShape dims;
  bool changes = false;
  for (int64_t i = 0; i < x.rank(); ++i) {
    dims.push_back(x.dims[i] + low[i] + high[i]);
    changes |= !low[i].isConstant(0) || !high[i].isConstant(0);
  }
  if (!changes)
    return x;
  if (llvm::all_of(low, isAtLeastZero) && llvm::all_of(high, isAtLeastZero)) {
    Tensor border = fill(dims, value);
    SmallVector<OpFoldResult> strides(x.rank(), getIndexAttr(1));
    Value result = tensor::InsertSliceOp::create(
        *this, x.value, border.value, sizes(low), sizes(x.dims), strides);
    return {result, dims};
  }
  SmallVector<Value> lows, extents;
  for (int64_t i = 0; i < x.rank(); ++i) {
    lows.push_back(size(low[i]));
    extents.push_back(size(x.dims[i]));
  }
  auto body = [&](ImplicitLocOpBuilder &b, ValueRange at) -> Value {
    SmallVector<Value> indices;
    Value inside = arith::ConstantIntOp::create(b, 1, 1);
    for (auto [index, before, extent] : llvm::zip_equal(at, lows, extents)) {
      indices.push_back(arith::SubIOp::create(b, index, before));
      // As an unsigned number a position below zero is beyond every extent.
      Value fits = arith::CmpIOp::create(b, arith::CmpIPredicate::ult,
                                         indices.back(), extent);
      inside = arith::AndIOp::create(b, inside, fits);
    }
    auto choose = scf::IfOp::create(
        b, inside,
        [&](OpBuilder &inner, Location loc) {
          Value element =
              tensor::ExtractOp::create(inner, loc, x.value, indices);
          scf::YieldOp::create(inner, loc, element);
        },
        [&](OpBuilder &inner, Location loc) {
          scf::YieldOp::create(inner, loc, value);
        });
    return choose.getResult(0);
  };
  return compute(dims, x.element(), body);
}

/// The position of the operand that a padded position repeats.
static Value repeatedPosition(ImplicitLocOpBuilder &b, PadMode mode, Value at,
                              Value extent) {
  Value zero = arith::ConstantIndexOp::create(b, 0);
  Value one = arith::ConstantIndexOp::create(b, 1);
  Value last = arith::SubIOp::create(b, extent, one);
  // The remainder that is not negative.
  auto modulo = [&](Value a, Value n) -> Value {
    Value rest = arith::RemSIOp::create(b, a, n);
    Value negative =
        arith::CmpIOp::create(b, arith::CmpIPredicate::slt, rest, zero);
    return arith::SelectOp::create(b, negative,
                                   arith::AddIOp::create(b, rest, n), rest);
  };
  switch (mode) {
  case PadMode::Wrap:
    return modulo(at, arith::MaxSIOp::create(b, extent, one));
  case PadMode::Reflect: {
    Value period = arith::AddIOp::create(b, last, last);
    Value rest = modulo(at, arith::MaxSIOp::create(b, period, one));
    Value mirrored = arith::SubIOp::create(b, period, rest);
    return arith::MinSIOp::create(b, rest, mirrored);
  }
  default:
    return arith::MaxSIOp::create(b, arith::MinSIOp::create(b, at, last), zero);
  }
}

namespace {

struct LowerPad : Lowering<PadOp> {
  using Lowering::Lowering;
  Value lower(PadOp op, Adaptor adaptor, Emitter &e) const override {
    Tensor x = e.tensor(op.getX(), adaptor.getX());
    DimShape low = op.getLow().getDims(), high = op.getHigh().getDims();
    if (op.getMode() == PadMode::Constant) {
      Value value;
      if (op.getValue()) {
        Tensor scalar = e.tensor(op.getValue(), adaptor.getValue());
        scalar = e.reshape(scalar, {});
        value = tensor::ExtractOp::create(e, scalar.value, ValueRange());
      } else {
        value = arith::ConstantOp::create(e, e.getZeroAttr(x.element()));
      }
      return e.pad(x, low, high, value).value;
    }
    SmallVector<Value> lows, extents;
    for (int64_t i = 0; i < x.rank(); ++i) {
      lows.push_back(e.size(low[i]));
      extents.push_back(e.size(x.dims[i]));
    }
    auto body = [&](ImplicitLocOpBuilder &b, ValueRange at) -> Value {
      SmallVector<Value> indices;
      for (int64_t i = 0; i < x.rank(); ++i) {
        if (low[i].isConstant(0) && high[i].isConstant(0)) {
          indices.push_back(at[i]);
          continue;
        }
        Value moved = arith::SubIOp::create(b, at[i], lows[i]);
        indices.push_back(repeatedPosition(b, op.getMode(), moved, extents[i]));
      }
      return tensor::ExtractOp::create(b, x.value, indices);
    };
    return e.compute(state.shapes.shapeOf(op), x.element(), body).value;
  }
};

} // namespace

void ingot::populatePaddingLowerings(LoweringPatterns &patterns) {
  patterns.add<LowerPad>();
}
