//===- Scatter.cpp - tensors with elements replaced ----------------------===//
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

/// One element of a scatter: every update is looked at in order and applied
/// where it aims at this element. Outputs stay independent of each other, and
/// updates of one element keep their order.
struct Scatter {
  ImplicitLocOpBuilder &b;
  Operation *op;
  ScatterKind kind;
  /// The model's element type.
  Type type;

  /// Whether an index of the model means `position`; out of range is an error.
  Value aimsAt(ImplicitLocOpBuilder &inner, Value index, Value position,
               Value extent) const {
    Value at = arith::IndexCastOp::create(inner, inner.getIndexType(), index);
    Value zero = arith::ConstantIndexOp::create(inner, 0);
    Value negative =
        arith::CmpIOp::create(inner, arith::CmpIPredicate::slt, at, zero);
    Value wrapped = arith::SelectOp::create(
        inner, negative, arith::AddIOp::create(inner, at, extent), at);
    Value inside = arith::CmpIOp::create(inner, arith::CmpIPredicate::ult,
                                         wrapped, extent);
    CheckOp::create(inner, inside, checkMessage(op, "index out of range"));
    return arith::CmpIOp::create(inner, arith::CmpIPredicate::eq, wrapped,
                                 position);
  }

  /// Elements in the types in memory.
  Value combine(ImplicitLocOpBuilder &inner, Value old, Value update) const {
    if (kind == ScatterKind::None)
      return update;
    Scalars s(inner, type);
    Value a = s.load(old, type), c = s.load(update, type), result;
    switch (kind) {
    case ScatterKind::Add:
      result = s.add(a, c);
      break;
    case ScatterKind::Mul:
      result = s.mul(a, c);
      break;
    case ScatterKind::Max:
      result = s.max(a, c);
      break;
    default:
      result = s.min(a, c);
    }
    return s.store(result, type);
  }

  /// `init` combined with the updates 0 .. count for which `aims` holds.
  Value apply(Value init, Value count,
              function_ref<Value(ImplicitLocOpBuilder &, Value)> aims,
              function_ref<Value(ImplicitLocOpBuilder &, Value)> update) const {
    Value zero = arith::ConstantIndexOp::create(b, 0);
    Value one = arith::ConstantIndexOp::create(b, 1);
    auto step = [&](OpBuilder &builder, Location loc, Value i,
                    ValueRange carried) {
      ImplicitLocOpBuilder inner(loc, builder);
      auto choose = scf::IfOp::create(
          inner, aims(inner, i),
          [&](OpBuilder &then, Location thenLoc) {
            ImplicitLocOpBuilder t(thenLoc, then);
            scf::YieldOp::create(t, combine(t, carried[0], update(t, i)));
          },
          [&](OpBuilder &other, Location otherLoc) {
            scf::YieldOp::create(other, otherLoc, carried[0]);
          });
      scf::YieldOp::create(inner, choose.getResult(0));
    };
    return scf::ForOp::create(b, zero, count, one, init, step).getResult(0);
  }
};

template <typename Op> struct LowerScatter : Lowering<Op> {
  using Lowering<Op>::Lowering;
  using Adaptor = typename Op::Adaptor;

  Value lower(Op op, Adaptor adaptor, Emitter &e) const override {
    Type type = elementTypeOf(op.getX());
    unsigned kinds =
        op.getReduction() == ScatterKind::None ? AnyKind : unsigned(Number);
    if (!(kindOf(type) & kinds))
      return this->refuse(op, "unsupported dtype: of " +
                                  op->getName().getStringRef());
    Tensor x = e.tensor(op.getX(), adaptor.getX());
    Tensor indices = e.tensor(op.getIndices(), adaptor.getIndices());
    Tensor updates = e.tensor(op.getUpdates(), adaptor.getUpdates());
    if constexpr (std::is_same_v<Op, ScatterElementsOp>)
      return elements(op, e, type, x, indices, updates);
    else
      return slices(op, e, type, x, indices, updates);
  }

  static Value elements(Op op, Emitter &e, Type type, const Tensor &x,
                        const Tensor &indices, const Tensor &updates) {
    if constexpr (std::is_same_v<Op, ScatterElementsOp>) {
      int64_t axis = op.getAxis();
      Value extent = e.size(x.dims[axis]), count = e.size(indices.dims[axis]);
      // Null where the updates cover the whole dim.
      SmallVector<Value> covered;
      for (int64_t i = 0; i < x.rank(); ++i)
        covered.push_back(i == axis || x.dims[i] == indices.dims[i]
                              ? Value()
                              : e.size(indices.dims[i]));
      auto body = [&](ImplicitLocOpBuilder &b, ValueRange here) -> Value {
        Scatter scatter{b, op, op.getReduction(), type};
        Value init = tensor::ExtractOp::create(b, x.value, here);
        Value steps = count, zero = arith::ConstantIndexOp::create(b, 0);
        for (auto [index, limit] : llvm::zip_equal(here, covered))
          if (limit) {
            Value inside = arith::CmpIOp::create(b, arith::CmpIPredicate::slt,
                                                 index, limit);
            steps = arith::SelectOp::create(b, inside, steps, zero);
          }
        auto read = [&](ImplicitLocOpBuilder &inner, const Tensor &from,
                        Value i) -> Value {
          SmallVector<Value> at(here);
          at[axis] = i;
          return tensor::ExtractOp::create(inner, from.value, at);
        };
        return scatter.apply(
            init, steps,
            [&](ImplicitLocOpBuilder &inner, Value i) {
              return scatter.aimsAt(inner, read(inner, indices, i), here[axis],
                                    extent);
            },
            [&](ImplicitLocOpBuilder &inner, Value i) {
              return read(inner, updates, i);
            });
      };
      return e.compute(x.dims, x.element(), body).value;
    }
    return {};
  }

  static Value slices(Op op, Emitter &e, Type type, const Tensor &x,
                      const Tensor &indices, const Tensor &updates) {
    // The verifier made sure that the depth is constant.
    int64_t depth = indices.dims.back().getConstant().value_or(0);
    DimExpr count = product(ArrayRef(indices.dims).drop_back());
    Tensor aims = e.reshape(indices, {count, indices.dims.back()});
    DimShape flat = {count};
    flat.append(x.dims.begin() + depth, x.dims.end());
    Tensor values = e.reshape(updates, flat);
    Value steps = e.size(count);
    SmallVector<Value> extents;
    for (int64_t i = 0; i < depth; ++i)
      extents.push_back(e.size(x.dims[i]));
    auto body = [&](ImplicitLocOpBuilder &b, ValueRange here) -> Value {
      Scatter scatter{b, op, op.getReduction(), type};
      Value init = tensor::ExtractOp::create(b, x.value, here);
      return scatter.apply(
          init, steps,
          [&](ImplicitLocOpBuilder &inner, Value i) -> Value {
            Value all = arith::ConstantIntOp::create(inner, 1, 1);
            for (int64_t d = 0; d < depth; ++d) {
              Value at = arith::ConstantIndexOp::create(inner, d);
              Value index = tensor::ExtractOp::create(inner, aims.value,
                                                      ValueRange{i, at});
              Value hit = scatter.aimsAt(inner, index, here[d], extents[d]);
              all = arith::AndIOp::create(inner, all, hit);
            }
            return all;
          },
          [&](ImplicitLocOpBuilder &inner, Value i) -> Value {
            SmallVector<Value> at = {i};
            llvm::append_range(at, here.drop_front(depth));
            return tensor::ExtractOp::create(inner, values.value, at);
          });
    };
    return e.compute(x.dims, x.element(), body).value;
  }
};

} // namespace

void ingot::populateScatterLowerings(LoweringPatterns &patterns) {
  patterns.add<LowerScatter<ScatterElementsOp>, LowerScatter<ScatterNdOp>>();
}
