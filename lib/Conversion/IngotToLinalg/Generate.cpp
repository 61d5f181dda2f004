//===- Generate.cpp - elements made from their position ------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Emitter.h"
#include "Scalars.h"

using namespace mlir;
using namespace ingot;

static AffineMap noDims(Emitter &e, unsigned rank) {
  return AffineMap::get(rank, 0, {}, e.getContext());
}

namespace {

struct LowerTrilu : Lowering<TriluOp> {
  using Lowering::Lowering;
  Value lower(TriluOp op, Adaptor adaptor, Emitter &e) const override {
    Tensor x = e.tensor(op.getX(), adaptor.getX());
    SmallVector<Value> inputs = {x.value};
    SmallVector<AffineMap> maps = {e.getMultiDimIdentityMap(x.rank())};
    if (op.getK()) {
      inputs.push_back(
          e.reshape(e.tensor(op.getK(), adaptor.getK()), {}).value);
      maps.push_back(noDims(e, x.rank()));
    }
    auto body = [&](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
      Value row = linalg::IndexOp::create(b, x.rank() - 2);
      Value column = linalg::IndexOp::create(b, x.rank() - 1);
      Value k = op.getK()
                    ? arith::IndexCastOp::create(b, b.getIndexType(), in[1])
                          .getResult()
                    : arith::ConstantIndexOp::create(b, 0).getResult();
      // The sum cannot overflow for extents that fit in memory and any k that
      // matters; subtraction of the two indices is exact.
      Value distance = arith::SubIOp::create(b, column, row);
      auto predicate =
          op.getUpper() ? arith::CmpIPredicate::sge : arith::CmpIPredicate::sle;
      Value keep = arith::CmpIOp::create(b, predicate, distance, k);
      Value zero = arith::ConstantOp::create(b, b.getZeroAttr(in[0].getType()));
      return arith::SelectOp::create(b, keep, in[0], zero);
    };
    return e.generic(x.dims, x.element(), inputs, maps, body).value;
  }
};

struct LowerRange : Lowering<RangeOp> {
  using Lowering::Lowering;
  Value lower(RangeOp op, Adaptor adaptor, Emitter &e) const override {
    Type type = elementTypeOf(op.getStart());
    if (!kindOf(type))
      return refuse(op, "unsupported dtype: of a range");
    Value start = e.tensor(op.getStart(), adaptor.getStart()).value;
    Value step = e.tensor(op.getStep(), adaptor.getStep()).value;
    auto body = [&](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
      Scalars s(b, type);
      Value index = arith::IndexCastOp::create(s, s.getI64Type(),
                                               linalg::IndexOp::create(s, 0));
      Value count = s.convert(index, s.getI64Type(), type);
      Value offset = s.mul(count, s.load(in[1], type));
      return s.store(s.add(s.load(in[0], type), offset), type);
    };
    return e
        .generic(state.shapes.shapeOf(op), storageType(type), {start, step},
                 {noDims(e, 1), noDims(e, 1)}, body)
        .value;
  }
};

struct LowerOneHot : Lowering<OneHotOp> {
  using Lowering::Lowering;
  Value lower(OneHotOp op, Adaptor adaptor, Emitter &e) const override {
    Type type = elementTypeOf(op.getIndices());
    if (!kindOf(type))
      return refuse(op, "unsupported dtype: of the indices of one_hot");
    Tensor indices = e.tensor(op.getIndices(), adaptor.getIndices());
    Tensor values = e.tensor(op.getValues(), adaptor.getValues());
    DimShape dims = state.shapes.shapeOf(op);
    uint64_t axis = op.getAxis();
    Value depth = e.size(dims[axis]);
    SmallVector<AffineExpr> exprs;
    for (unsigned i = 0; i < dims.size(); ++i)
      if (i != axis)
        exprs.push_back(e.getAffineDimExpr(i));
    auto body = [&](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
      Scalars s(b, type);
      Value code = s.convert(s.load(in[0], type), type, s.getI64Type());
      Value index = arith::IndexCastOp::create(s, s.getIndexType(), code);
      Value negative =
          arith::CmpIOp::create(s, arith::CmpIPredicate::slt, index,
                                arith::ConstantIndexOp::create(s, 0));
      index = s.select(negative, arith::AddIOp::create(s, index, depth), index);
      Value here = s.equal(index, linalg::IndexOp::create(s, axis));
      auto valueAt = [&](int64_t position) -> Value {
        Value at = arith::ConstantIndexOp::create(s, position);
        return tensor::ExtractOp::create(s, values.value, at);
      };
      return s.select(here, valueAt(1), valueAt(0));
    };
    auto map = AffineMap::get(dims.size(), 0, exprs, e.getContext());
    return e.generic(dims, values.element(), indices.value, map, body).value;
  }
};

} // namespace

void ingot::populateGenerateLowerings(LoweringPatterns &patterns) {
  patterns.add<LowerTrilu, LowerRange, LowerOneHot>();
}
