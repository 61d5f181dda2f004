//===- Rope.cpp - rotary embedding ----------------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Products.h"
#include "Scalars.h"

using namespace mlir;
using namespace ingot;

namespace {

/// The table under dims that are those of `x` or one, as is apparent.
Tensor spread(Emitter &e, const Tensor &table, const Tensor &x) {
  DimShape dims = table.dims;
  bool isApparent = true;
  for (int64_t dim = 0; dim + 1 < x.rank(); ++dim)
    isApparent &= dims[dim].isConstant(1) || dims[dim] == x.dims[dim];
  if (isApparent)
    return table;
  for (int64_t dim = 0; dim + 1 < x.rank(); ++dim)
    dims[dim] = x.dims[dim];
  return e.zip(table, dims, table.element(),
               [](ImplicitLocOpBuilder &, ValueRange in) { return in[0]; });
}

struct LowerRope : Lowering<RopeOp> {
  using Lowering::Lowering;
  Value lower(RopeOp op, Adaptor adaptor, Emitter &e) const override {
    Type type = elementTypeOf(op.getX());
    if (!kindOf(type))
      return refuse(op, "unsupported dtype: of a rotary embedding");
    Type work = Scalars::computeType(type);
    Tensor x = e.castFloat(e.tensor(op.getX(), adaptor.getX()), work);
    Tensor cosine = e.castFloat(e.tensor(op.getCos(), adaptor.getCos()), work);
    Tensor sine = e.castFloat(e.tensor(op.getSin(), adaptor.getSin()), work);
    DimExpr pairs = cosine.dims.back();
    e.checkEqual(pairs, sine.dims.back(), "tables of different widths");
    DimExpr rest = x.dims.back() - pairs * DimExpr::constant(2);
    std::optional<int64_t> least = rest.lowerBound();
    if (!least || *least < 0)
      e.check(arith::CmpIOp::create(e, arith::CmpIPredicate::sge, e.size(rest),
                                    e.index(0)),
              "tables wider than the features");
    cosine = spread(e, cosine, x);
    sine = spread(e, sine, x);
    // Tokens of all rows follow each other, as in the product that made them.
    DimShape dims = x.dims;
    auto hasTokens = [&](const Tensor &table) {
      return table.dims[0] == x.dims[0] && table.dims[1] == x.dims[1];
    };
    if (x.rank() == 4 && hasTokens(cosine) && hasTokens(sine)) {
      x = tokens(e, x);
      cosine = tokens(e, cosine);
      sine = tokens(e, sine);
    }
    Value init = e.empty(x.dims, work);
    auto rotate = RotateOp::create(e, init.getType(), x.value, cosine.value,
                                   sine.value, init, op.getInterleaved());
    return e.castFloat(e.reshape({e.kernel(rotate), x.dims}, dims), type).value;
  }
};

} // namespace

void ingot::populateRopeLowerings(LoweringPatterns &patterns) {
  patterns.add<LowerRope>();
}
