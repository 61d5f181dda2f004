//===- Rope.cpp - rotary embedding ----------------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Emitter.h"
#include "Scalars.h"

using namespace mlir;
using namespace ingot;

namespace {

/// Every `step`-th feature from `first` on, as a view.
Tensor features(Emitter &e, const Tensor &x, const DimExpr &first,
                const DimExpr &count, int64_t step) {
  DimShape starts(x.rank()), dims = x.dims;
  starts.back() = first;
  dims.back() = count;
  SmallVector<OpFoldResult> strides(x.rank(), e.getIndexAttr(1));
  strides.back() = e.getIndexAttr(step);
  Value view =
      tensor::ExtractSliceOp::create(e, tensorOf(dims, x.element()), x.value,
                                     e.sizes(starts), e.sizes(dims), strides);
  return {view, dims};
}

/// Writes `part` into `whole` at `offset` along `axis`.
void write(Emitter &e, const Tensor &part, Tensor &whole, int64_t axis,
           const DimExpr &offset) {
  DimShape offsets(whole.rank());
  offsets[axis] = offset;
  SmallVector<OpFoldResult> strides(whole.rank(), e.getIndexAttr(1));
  whole.value = tensor::InsertSliceOp::create(e, part.value, whole.value,
                                              e.sizes(offsets),
                                              e.sizes(part.dims), strides);
}

struct LowerRope : Lowering<RopeOp> {
  using Lowering::Lowering;
  Value lower(RopeOp op, Adaptor adaptor, Emitter &e) const override {
    Type type = elementTypeOf(op.getX());
    if (!kindOf(type))
      return refuse(op, "unsupported dtype: of a rotary embedding");
    Tensor x = e.tensor(op.getX(), adaptor.getX());
    Tensor cosine = e.tensor(op.getCos(), adaptor.getCos());
    Tensor sine = e.tensor(op.getSin(), adaptor.getSin());
    const DimExpr pairs = cosine.dims.back(), one = DimExpr::constant(1),
                  two = DimExpr::constant(2), turned = pairs * two;
    e.checkEqual(pairs, sine.dims.back(), "tables of different widths");
    DimExpr rest = x.dims.back() - turned;
    std::optional<int64_t> least = rest.lowerBound();
    if (!least || *least < 0)
      e.check(arith::CmpIOp::create(e, arith::CmpIPredicate::sge, e.size(rest),
                                    e.index(0)),
              "tables wider than the features");
    bool interleaved = op.getInterleaved();
    Tensor a = features(e, x, DimExpr(), pairs, interleaved ? 2 : 1);
    Tensor b =
        features(e, x, interleaved ? one : pairs, pairs, interleaved ? 2 : 1);
    // With the factors of the first and the second of a pair.
    auto combine = [&](const Tensor &first, const Tensor &second, bool adds) {
      auto body = [&](ImplicitLocOpBuilder &builder, ValueRange in) -> Value {
        Scalars s(builder, type);
        Value u = s.mul(s.load(in[0], type), s.load(in[1], type));
        Value v = s.mul(s.load(in[2], type), s.load(in[3], type));
        return s.store(adds ? s.add(u, v) : s.sub(u, v), type);
      };
      return e.zip({a, first, b, second}, a.dims, x.element(), body);
    };
    Tensor real = combine(cosine, sine, false);
    Tensor imaginary = combine(sine, cosine, true);

    int64_t last = x.rank() - 1;
    bool whole = rest == DimExpr();
    Tensor result{e.empty(x.dims, x.element()), x.dims};
    if (!whole)
      write(e, features(e, x, turned, rest, 1), result, last, turned);
    if (!interleaved) {
      write(e, real, result, last, DimExpr());
      write(e, imaginary, result, last, pairs);
      return result.value;
    }
    DimShape split = a.dims, joint = a.dims;
    split.push_back(one);
    joint.push_back(two);
    Tensor both{e.empty(joint, x.element()), joint};
    write(e, e.reshape(real, split), both, last + 1, DimExpr());
    write(e, e.reshape(imaginary, split), both, last + 1, one);
    DimShape merged = x.dims;
    merged.back() = turned;
    Tensor rotated = e.reshape(both, merged);
    if (whole)
      return rotated.value;
    write(e, rotated, result, last, DimExpr());
    return result.value;
  }
};

} // namespace

void ingot::populateRopeLowerings(LoweringPatterns &patterns) {
  patterns.add<LowerRope>();
}
