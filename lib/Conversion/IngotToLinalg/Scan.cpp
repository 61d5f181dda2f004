//===- Scan.cpp - ops that walk along an axis ----------------------------===//
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

/// Walks along an axis of a tensor inside the body of a generic.
struct Walk {
  ImplicitLocOpBuilder &b;
  const Tensor &x;
  /// The position; that of `axis` is replaced.
  SmallVector<Value> at;
  int64_t axis;
  /// The model's element type.
  Type type;

  /// Element `i` along the axis, as it is computed with.
  Value element(OpBuilder &builder, Value i) const {
    ImplicitLocOpBuilder inner(b.getLoc(), builder);
    SmallVector<Value> indices = at;
    indices[axis] = i;
    Scalars s(inner, type);
    return s.load(tensor::ExtractOp::create(s, x.value, indices), type);
  }

  Value index(int64_t value) const {
    return arith::ConstantIndexOp::create(b, value);
  }

  /// A loop that carries values; the body gets its builder, the position and
  /// the values, and gives the new ones.
  SmallVector<Value>
  loop(Value from, Value to, ValueRange init,
       function_ref<SmallVector<Value>(ImplicitLocOpBuilder &, Value,
                                       ValueRange)>
           body) const {
    auto build = [&](OpBuilder &builder, Location loc, Value i,
                     ValueRange carried) {
      ImplicitLocOpBuilder inner(loc, builder);
      scf::YieldOp::create(inner, body(inner, i, carried));
    };
    auto op = scf::ForOp::create(b, from, to, index(1), init, build);
    return SmallVector<Value>(op.getResults());
  }
};

/// Whether `a` comes before `b` by its value, NaN before or after all numbers.
Value isBefore(Scalars &s, Value a, Value b, bool largest, bool nanFirst) {
  Value before = largest ? s.less(b, a) : s.less(a, b);
  if (!isa<FloatType>(a.getType()))
    return before;
  Value nan = nanFirst ? a : b, number = nanFirst ? b : a;
  Value oneIsNan = s.logicalAnd(s.notEqual(nan, nan), s.equal(number, number));
  return s.logicalOr(before, oneIsNan);
}

template <typename Op> struct LowerArg : Lowering<Op> {
  using Lowering<Op>::Lowering;
  using Adaptor = typename Op::Adaptor;
  Value lower(Op op, Adaptor adaptor, Emitter &e) const override {
    Type type = elementTypeOf(op.getX());
    if (!kindOf(type))
      return this->refuse(op, "unsupported dtype: of " +
                                  op->getName().getStringRef());
    constexpr bool largest = std::is_same_v<Op, ArgMaxOp>;
    Tensor x = e.tensor(op.getX(), adaptor.getX());
    int64_t axis = op.getAxis();
    DimShape dims = x.dims;
    dims.erase(dims.begin() + axis);
    Value extent = e.size(x.dims[axis]);
    if (!x.dims[axis].isConstant())
      e.check(arith::CmpIOp::create(e, arith::CmpIPredicate::ne, extent,
                                    e.index(0)),
              "empty axis");
    auto body = [&](ImplicitLocOpBuilder &b, ValueRange here) -> Value {
      SmallVector<Value> at(here);
      Value zero = arith::ConstantIndexOp::create(b, 0);
      at.insert(at.begin() + axis, zero);
      Walk walk{b, x, at, axis, type};
      SmallVector<Value> best = walk.loop(
          walk.index(1), extent, {walk.element(b, zero), zero},
          [&](ImplicitLocOpBuilder &inner, Value i, ValueRange carried) {
            Scalars s(inner, type);
            Value value = walk.element(inner, i);
            // The last of equal ones wins unless one before is better.
            Value wins =
                isBefore(s, value, carried[0], largest, /*nanFirst=*/true);
            if (op.getLast()) {
              Value loses =
                  isBefore(s, carried[0], value, largest, /*nanFirst=*/true);
              wins =
                  arith::XOrIOp::create(s, loses, s.integer(1, s.getI1Type()));
            }
            return SmallVector<Value>{s.select(wins, value, carried[0]),
                                      s.select(wins, i, carried[1])};
          });
      return arith::IndexCastOp::create(b, b.getI64Type(), best[1]);
    };
    Tensor result = e.compute(dims, e.getI64Type(), body);
    return e.reshape(result, this->state.shapes.shapeOf(op)).value;
  }
};

template <typename Op> struct LowerCumulative : Lowering<Op> {
  using Lowering<Op>::Lowering;
  using Adaptor = typename Op::Adaptor;
  Value lower(Op op, Adaptor adaptor, Emitter &e) const override {
    Type type = elementTypeOf(op.getX());
    if (!(kindOf(type) & Number))
      return this->refuse(op, "unsupported dtype: of " +
                                  op->getName().getStringRef());
    constexpr bool isSum = std::is_same_v<Op, CumSumOp>;
    Tensor x = e.tensor(op.getX(), adaptor.getX());
    int64_t axis = op.getAxis();
    Value extent = e.size(x.dims[axis]);
    auto body = [&](ImplicitLocOpBuilder &b, ValueRange here) -> Value {
      Walk walk{b, x, SmallVector<Value>(here), axis, type};
      Value position = here[axis], one = walk.index(1);
      Value last = arith::SubIOp::create(b, extent, one);
      // The number of elements that are combined.
      Value count = op.getReverse()
                        ? arith::SubIOp::create(b, last, position).getResult()
                        : position;
      if (!op.getExclusive())
        count = arith::AddIOp::create(b, count, one);
      Type work = Scalars::computeType(type);
      TypedAttr neutral = isSum ? b.getZeroAttr(work) : b.getOneAttr(work);
      Value init = arith::ConstantOp::create(b, neutral);
      SmallVector<Value> result = walk.loop(
          walk.index(0), count, init,
          [&](ImplicitLocOpBuilder &inner, Value i, ValueRange carried) {
            Scalars s(inner, type);
            Value where =
                op.getReverse()
                    ? arith::SubIOp::create(inner, last, i).getResult()
                    : i;
            Value value = walk.element(inner, where);
            return SmallVector<Value>{isSum ? s.add(carried[0], value)
                                            : s.mul(carried[0], value)};
          });
      return Scalars(b, type).store(result[0], type);
    };
    return e.compute(x.dims, x.element(), body).value;
  }
};

/// Element r is found by r + 1 walks, each of which finds the first of what
/// comes after the one found before.
template <typename Op> struct LowerTopK : Lowering<Op> {
  using Lowering<Op>::Lowering;
  using Adaptor = typename Op::Adaptor;
  Value lower(Op op, Adaptor adaptor, Emitter &e) const override {
    Type type = elementTypeOf(op.getX());
    if (!(kindOf(type) & Number))
      return this->refuse(op, "unsupported dtype: of " +
                                  op->getName().getStringRef());
    constexpr bool wantsValue = std::is_same_v<Op, TopKValuesOp>;
    Tensor x = e.tensor(op.getX(), adaptor.getX());
    int64_t axis = op.getAxis();
    bool largest = op.getLargest();
    DimShape dims = this->state.shapes.shapeOf(op);
    Value extent = e.size(x.dims[axis]);
    Value enough = arith::CmpIOp::create(e, arith::CmpIPredicate::sle,
                                         e.size(dims[axis]), extent);
    e.check(enough, "k is beyond the extent of the axis");
    auto body = [&](ImplicitLocOpBuilder &b, ValueRange here) -> Value {
      Walk walk{b, x, SmallVector<Value>(here), axis, type};
      Value zero = walk.index(0), one = walk.index(1);
      Value rounds = arith::AddIOp::create(b, here[axis], one);
      Value first = walk.element(b, zero);
      // Position -1 stands for "nothing found yet".
      Value none = walk.index(-1);
      SmallVector<Value> found = walk.loop(
          zero, rounds, {first, none},
          [&](ImplicitLocOpBuilder &outer, Value, ValueRange previous) {
            Walk search{outer, x, walk.at, axis, type};
            return search.loop(
                zero, extent, {previous[0], none},
                [&](ImplicitLocOpBuilder &inner, Value i, ValueRange best) {
                  Scalars s(inner, type);
                  Value value = search.element(inner, i);
                  // The order of two elements: by value, NaN the largest,
                  // then by position.
                  auto precedes = [&](Value a, Value atA, Value c, Value atC) {
                    Value before =
                        isBefore(s, a, c, largest, /*nanFirst=*/largest);
                    Value after =
                        isBefore(s, c, a, largest, /*nanFirst=*/largest);
                    Value earlier = arith::CmpIOp::create(
                        s, arith::CmpIPredicate::slt, atA, atC);
                    Value tie =
                        s.select(after, s.integer(0, s.getI1Type()), earlier);
                    return s.logicalOr(before, tie);
                  };
                  auto isNone = [&](Value position) {
                    return arith::CmpIOp::create(s, arith::CmpIPredicate::slt,
                                                 position, zero);
                  };
                  Value left =
                      s.logicalOr(isNone(previous[1]),
                                  precedes(previous[0], previous[1], value, i));
                  Value better = s.logicalOr(
                      isNone(best[1]), precedes(value, i, best[0], best[1]));
                  Value wins = s.logicalAnd(left, better);
                  return SmallVector<Value>{s.select(wins, value, best[0]),
                                            s.select(wins, i, best[1])};
                });
          });
      if (wantsValue)
        return Scalars(b, type).store(found[0], type);
      return arith::IndexCastOp::create(b, b.getI64Type(), found[1]);
    };
    Type element = wantsValue ? storageType(type) : Type(e.getI64Type());
    return e.compute(dims, element, body).value;
  }
};

} // namespace

void ingot::populateScanLowerings(LoweringPatterns &patterns) {
  patterns.add<LowerArg<ArgMaxOp>, LowerArg<ArgMinOp>,
               LowerCumulative<CumSumOp>, LowerCumulative<CumProdOp>,
               LowerTopK<TopKValuesOp>, LowerTopK<TopKIndicesOp>>();
}
