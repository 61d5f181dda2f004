//===- Reduce.cpp - folding dims -----------------------------------------===//
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

/// One reduction: elements are prepared, combined and finished in a working
/// type.
class Reduction {
public:
  Reduction(Emitter &e, ReduceOp op, Tensor x)
      : e(e), axes(op.getAxes()), kind(op.getKind()), x(std::move(x)),
        from(elementTypeOf(op.getX())), work(workType()) {}

  Tensor emit();

private:
  Type workType() const;
  Value neutral() const;
  Value combine(Scalars &s, Value a, Value b) const;
  Value prepare(Scalars &s, Value value) const;
  Value finish(Scalars &s, Value value, Value count) const;
  /// `x` folded by `kind`, elements taken as they are.
  Tensor largest();

  Emitter &e;
  ArrayRef<int64_t> axes;
  ReduceKind kind;
  Tensor x;
  /// The model's element type and the one that is computed with.
  Type from, work;
};

} // namespace

Type Reduction::workType() const {
  if (kindOf(from) == Bool)
    return IntegerType::get(from.getContext(), 8, IntegerType::Unsigned);
  if (kindOf(from) == Float)
    return Scalars::computeType(from);
  bool isReal = llvm::is_contained(
      {ReduceKind::L2, ReduceKind::LogSum, ReduceKind::LogSumExp}, kind);
  return isReal ? Type(Float64Type::get(from.getContext())) : from;
}

Value Reduction::neutral() const {
  Type type = Scalars::computeType(work);
  bool isMax = kind == ReduceKind::Max;
  if (isMax || kind == ReduceKind::Min) {
    TypedAttr value;
    if (isa<FloatType>(type)) {
      double infinity = std::numeric_limits<double>::infinity();
      value = e.getFloatAttr(type, isMax ? -infinity : infinity);
    } else {
      unsigned width = type.getIntOrFloatBitWidth();
      bool isUnsigned = kindOf(work) == Unsigned;
      APInt low =
          isUnsigned ? APInt::getZero(width) : APInt::getSignedMinValue(width);
      APInt high = isUnsigned ? APInt::getMaxValue(width)
                              : APInt::getSignedMaxValue(width);
      value = e.getIntegerAttr(type, isMax ? low : high);
    }
    return arith::ConstantOp::create(e, value);
  }
  bool isProduct = kind == ReduceKind::Prod;
  TypedAttr value = isProduct ? e.getOneAttr(type) : e.getZeroAttr(type);
  return arith::ConstantOp::create(e, value);
}

Value Reduction::combine(Scalars &s, Value a, Value b) const {
  switch (kind) {
  case ReduceKind::Max:
    return s.max(a, b);
  case ReduceKind::Min:
    return s.min(a, b);
  case ReduceKind::Prod:
    return s.mul(a, b);
  default:
    return s.add(a, b);
  }
}

Value Reduction::prepare(Scalars &s, Value value) const {
  value = s.convert(s.load(value, from), from, work);
  switch (kind) {
  case ReduceKind::L1:
    return Scalars(s, work).abs(value);
  case ReduceKind::L2:
  case ReduceKind::SumSquare:
    return s.mul(value, value);
  default:
    return value;
  }
}

Value Reduction::finish(Scalars &s, Value value, Value count) const {
  switch (kind) {
  case ReduceKind::Mean: {
    Value divisor = isa<FloatType>(value.getType())
                        ? s.convert(count, s.getI64Type(), work)
                        : count;
    if (divisor.getType() != value.getType())
      divisor = arith::TruncIOp::create(s, value.getType(), divisor);
    value = s.div(value, divisor);
    break;
  }
  case ReduceKind::L2:
    value = math::SqrtOp::create(s, value);
    break;
  case ReduceKind::LogSum:
  case ReduceKind::LogSumExp:
    value = math::LogOp::create(s, value);
    break;
  default:
    break;
  }
  return value;
}

Tensor Reduction::largest() {
  Type type = Scalars::computeType(work);
  DimShape dims;
  for (int64_t i = 0; i < x.rank(); ++i)
    if (!llvm::is_contained(axes, i))
      dims.push_back(x.dims[i]);
  double infinity = std::numeric_limits<double>::infinity();
  Value lowest = arith::ConstantOp::create(e, e.getFloatAttr(type, -infinity));
  Tensor init = e.fill(dims, lowest);
  Tensor result = e.fold(x, axes, init.value,
                         [&](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
                           Scalars s(b, from);
                           Value value =
                               s.convert(s.load(in[0], from), from, work);
                           return arith::MaximumFOp::create(s, in[1], value);
                         });
  // Infinite ones would make NaN of the differences.
  return e.map(result, type, [&](ImplicitLocOpBuilder &b, ValueRange in) {
    Scalars s(b, work);
    Value finite = s.less(s.abs(in[0]), s.constant(infinity, in[0]));
    Value keep = s.logicalOr(finite, s.notEqual(in[0], in[0]));
    return s.select(keep, in[0], s.constant(0, in[0]));
  });
}

Tensor Reduction::emit() {
  Type type = Scalars::computeType(work);
  DimExpr count = DimExpr::constant(1);
  DimShape keptDims;
  for (int64_t i = 0; i < x.rank(); ++i) {
    if (llvm::is_contained(axes, i)) {
      count = count * x.dims[i];
      keptDims.push_back(DimExpr::constant(1));
    } else {
      keptDims.push_back(x.dims[i]);
    }
  }
  bool isLogSumExp = kind == ReduceKind::LogSumExp;
  Tensor shift, source = x;
  Type sourceType = from;
  if (isLogSumExp) {
    shift = largest();
    Tensor kept = e.reshape(shift, keptDims);
    source = e.zip({x, kept}, x.dims, type,
                   [&](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
                     Scalars s(b, from);
                     Value value = s.convert(s.load(in[0], from), from, work);
                     return s.exp(s.sub(value, in[1]));
                   });
    sourceType = work;
  }
  DimShape dims;
  for (int64_t i = 0; i < x.rank(); ++i)
    if (!llvm::is_contained(axes, i))
      dims.push_back(x.dims[i]);
  Tensor init = e.fill(dims, neutral());
  Tensor result = e.fold(source, axes, init.value,
                         [&](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
                           Scalars s(b, work);
                           Value value =
                               isLogSumExp ? in[0] : prepare(s, in[0]);
                           return combine(s, in[1], value);
                         });
  bool isPlain = llvm::is_contained({ReduceKind::Sum, ReduceKind::Prod,
                                     ReduceKind::Max, ReduceKind::Min,
                                     ReduceKind::L1, ReduceKind::SumSquare},
                                    kind);
  if (isPlain && result.element() == storageType(from))
    return result;
  Value divisor = arith::IndexCastOp::create(e, e.getI64Type(), e.size(count));
  auto body = [&](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
    Scalars s(b, work);
    Value value = finish(s, in[0], divisor);
    if (isLogSumExp)
      value = s.add(value, in[1]);
    if (kindOf(from) == Bool)
      return value;
    return s.store(s.convert(value, work, from), from);
  };
  SmallVector<Tensor> inputs = {result};
  if (isLogSumExp)
    inputs.push_back(shift);
  return e.map(inputs, storageType(from), body);
}

namespace {

struct LowerReduce : Lowering<ReduceOp> {
  using Lowering::Lowering;
  Value lower(ReduceOp op, Adaptor adaptor, Emitter &e) const override {
    if (!kindOf(elementTypeOf(op.getX())))
      return refuse(op, "unsupported dtype: of the operand of a reduction");
    Tensor x = e.tensor(op.getX(), adaptor.getX());
    Tensor result = Reduction(e, op, x).emit();
    return e.reshape(result, state.shapes.shapeOf(op)).value;
  }
};

} // namespace

void ingot::populateReduceLowerings(LoweringPatterns &patterns) {
  patterns.add<LowerReduce>();
}
