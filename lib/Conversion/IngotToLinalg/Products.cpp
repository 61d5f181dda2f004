//===- Products.cpp - products with matrices ------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Products.h"
#include "Scalars.h"

using namespace mlir;
using namespace ingot;

Type ingot::kernelType(ArrayRef<Type> types) {
  for (Type type : types)
    if (!isa<Float16Type, BFloat16Type, Float32Type>(type))
      return {};
  return Float32Type::get(types[0].getContext());
}

Tensor ingot::tokens(Emitter &e, const Tensor &x) {
  return e.reshape(x, {x.dims[0] * x.dims[1], x.dims[2], x.dims[3]});
}

std::string ingot::textOf(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

/// An element of `matrix` where it has one, else zero.
static Value elementOrZero(ImplicitLocOpBuilder &b, Value matrix, Value row,
                           Value column, Value isInside) {
  Value zero = arith::ConstantIndexOp::create(b, 0);
  row = arith::SelectOp::create(b, isInside, row, zero);
  column = arith::SelectOp::create(b, isInside, column, zero);
  Value value = tensor::ExtractOp::create(b, matrix, ValueRange{row, column});
  Value padding = arith::ConstantOp::create(b, b.getZeroAttr(value.getType()));
  return arith::SelectOp::create(b, isInside, value, padding);
}

Tensor ingot::packColumns(Emitter &e, const Tensor &w) {
  DimExpr width = DimExpr::constant(panelWidth);
  if (std::optional<DimExpr> panels = w.dims[1].dividedBy(width)) {
    Tensor split = e.reshape(w, {w.dims[0], *panels, width});
    return e.transpose(split, {1, 0, 2});
  }
  DimShape dims = {DimExpr::ceilDiv(w.dims[1], width), w.dims[0], width};
  Value count = e.size(w.dims[1]);
  auto body = [&](ImplicitLocOpBuilder &b, ValueRange at) -> Value {
    Value wide = arith::ConstantIndexOp::create(b, panelWidth);
    Value column =
        arith::AddIOp::create(b, arith::MulIOp::create(b, at[0], wide), at[2]);
    Value inside =
        arith::CmpIOp::create(b, arith::CmpIPredicate::ult, column, count);
    return elementOrZero(b, w.value, at[1], column, inside);
  };
  return e.compute(dims, w.element(), body);
}

Tensor ingot::packPairs(Emitter &e, const Tensor &w) {
  DimExpr width = DimExpr::constant(panelWidth), two = DimExpr::constant(2);
  std::optional<DimExpr> panels = w.dims[1].dividedBy(width);
  std::optional<DimExpr> pairs = w.dims[0].dividedBy(two);
  if (panels && pairs) {
    Tensor split = e.reshape(w, {*pairs, two, *panels, width});
    return e.transpose(split, {2, 0, 3, 1});
  }
  DimShape dims = {DimExpr::ceilDiv(w.dims[1], width),
                   DimExpr::ceilDiv(w.dims[0], two), width, two};
  Value rows = e.size(w.dims[0]), columns = e.size(w.dims[1]);
  auto body = [&](ImplicitLocOpBuilder &b, ValueRange at) -> Value {
    auto index = [&](Value major, int64_t factor, Value minor) -> Value {
      Value scale = arith::ConstantIndexOp::create(b, factor);
      return arith::AddIOp::create(b, arith::MulIOp::create(b, major, scale),
                                   minor);
    };
    Value row = index(at[1], 2, at[3]);
    Value column = index(at[0], panelWidth, at[2]);
    auto below = [&](Value i, Value end) -> Value {
      return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, i, end);
    };
    Value inside =
        arith::AndIOp::create(b, below(row, rows), below(column, columns));
    return elementOrZero(b, w.value, row, column, inside);
  };
  return e.compute(dims, w.element(), body);
}

namespace {

/// What a value holds as bf16, if the model has it so or has widened it from
/// that; nothing otherwise.
std::optional<Tensor> bfloatsOf(Emitter &e, Value value) {
  if (elementTypeOf(value).isBF16())
    return e.tensor(value);
  if (auto transpose = value.getDefiningOp<TransposeOp>()) {
    std::optional<Tensor> x = bfloatsOf(e, transpose.getX());
    if (!x)
      return std::nullopt;
    return e.transpose(*x, transpose.getPermutation());
  }
  auto cast = value.getDefiningOp<CastOp>();
  if (cast && !cast.getBitcast() && elementTypeOf(value).isF32() &&
      elementTypeOf(cast.getX()).isBF16())
    return e.tensor(cast.getX());
  return std::nullopt;
}

/// M x K times a weight of `columns` columns that is packed, plus a bias if
/// given, as f32.
Tensor multiplyPacked(Emitter &e, const Tensor &x, const Tensor &packed,
                      const DimExpr &columns, Value bias) {
  DimShape dims = {x.dims[0], columns};
  Value init = e.empty(dims, e.getF32Type());
  auto linear =
      LinearOp::create(e, init.getType(), x.value, packed.value, bias, init,
                       /*activation_bits=*/IntegerAttr());
  return {e.kernel(linear), dims};
}

/// M x K times K x N plus N, if given, all f32.
Tensor multiplyPacked(Emitter &e, const Tensor &x, const Tensor &w,
                      Value bias = {}) {
  return multiplyPacked(e, x, packColumns(e, w), w.dims[1], bias);
}

/// A product of types that have no kernel: ... x M x K times ... x K x N with
/// equal batch dims, summed in the type `work` of the model.
Tensor contract(Emitter &e, const Tensor &a, const Tensor &b, Type typeA,
                Type typeB, Type work) {
  int64_t batch = a.rank() - 2, rank = a.rank() + 1;
  SmallVector<AffineExpr> batchExprs;
  DimShape dims(a.dims.begin(), a.dims.end() - 1);
  dims.push_back(b.dims.back());
  for (int64_t i = 0; i < batch; ++i)
    batchExprs.push_back(e.getAffineDimExpr(i));
  auto mapOf = [&](int64_t row, int64_t column) {
    SmallVector<AffineExpr> exprs = batchExprs;
    exprs.push_back(e.getAffineDimExpr(row));
    exprs.push_back(e.getAffineDimExpr(column));
    return AffineMap::get(rank, 0, exprs, e.getContext());
  };
  int64_t m = batch, n = batch + 1, k = batch + 2;
  SmallVector<AffineMap> maps = {mapOf(m, k), mapOf(k, n), mapOf(m, n)};
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  iterators.back() = utils::IteratorType::reduction;
  Type type = Scalars::computeType(work);
  Tensor init = e.fill(dims, arith::ConstantOp::create(e, e.getZeroAttr(type)));
  auto build = [&](OpBuilder &builder, Location loc, ValueRange in) {
    ImplicitLocOpBuilder inner(loc, builder);
    Scalars s(inner, {typeA, typeB});
    Value x = s.convert(s.load(in[0], typeA), typeA, work);
    Value y = s.convert(s.load(in[1], typeB), typeB, work);
    linalg::YieldOp::create(s, s.add(in[2], s.mul(x, y)));
  };
  auto result = linalg::GenericOp::create(e, init.value.getType(),
                                          ValueRange{a.value, b.value},
                                          init.value, maps, iterators, build);
  return {result.getResult(0), dims};
}

} // namespace

Tensor ingot::multiply(Emitter &e, const Tensor &a, const Tensor &b, Type typeA,
                       Type typeB, Type result) {
  Type kernel = kernelType({typeA, typeB, result});
  if (!kernel)
    return contract(e, a, b, typeA, typeB, result);
  Tensor x = e.castFloat(a, kernel), y = e.castFloat(b, kernel);
  if (b.rank() == 2)
    return e.castFloat(multiplyPacked(e, x, y), result);
  DimShape dims = {x.dims[0], x.dims[1], y.dims[2]};
  Value init = e.empty(dims, kernel);
  auto product = MatmulOp::create(e, init.getType(), x.value, y.value, init);
  return e.castFloat({e.kernel(product), dims}, result);
}

Tensor ingot::addBias(Emitter &e, const Tensor &x, const Tensor &bias,
                      Type type) {
  auto body = [&](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
    Scalars s(b, type);
    return s.store(s.add(s.load(in[0], type), s.load(in[1], type)), type);
  };
  return e.zip({x, bias}, x.dims, x.element(), body);
}

namespace {

struct LowerLinear : Lowering<LinearOp> {
  using Lowering::Lowering;
  Value lower(LinearOp op, Adaptor adaptor, Emitter &e) const override {
    Type typeX = elementTypeOf(op.getX()), typeW = elementTypeOf(op.getW());
    Type result = elementTypeOf(op.getInit());
    for (Type type : {typeX, typeW, result})
      if (!kindOf(type))
        return refuse(op, "unsupported dtype: " + textOf(type));
    Tensor x = e.tensor(op.getX(), adaptor.getX());
    Tensor w = e.tensor(op.getW(), adaptor.getW());
    if (x.rank() == 1)
      x = e.reshape(x, {DimExpr::constant(1), x.dims[0]});
    x = e.rows(x);
    e.checkEqual(x.dims[1], w.dims[0], "operands of different extents");
    // Short floats are rounded once, after the bias.
    Type kernel = kernelType({typeX, typeW, result});
    std::optional<Tensor> bias;
    if (op.getBias())
      bias = e.tensor(op.getBias(), adaptor.getBias());
    if (!kernel) {
      Tensor y = multiply(e, x, w, typeX, typeW, result);
      return shaped(op, e, bias ? addBias(e, y, *bias, result) : y);
    }
    if (bias)
      bias = e.castFloat(*bias, kernel);
    Value added = bias ? bias->value : Value();
    std::optional<Tensor> y = multiplyBfloats(e, op, x, added);
    if (y)
      return shaped(op, e, e.castFloat(*y, result));
    x = e.castFloat(x, kernel);
    y = multiplyCodes(e, op, x);
    if (!y)
      y = multiplyPacked(e, x, e.castFloat(w, kernel), added);
    else if (bias)
      y = addBias(e, *y, *bias, kernel);
    return shaped(op, e, e.castFloat(*y, result));
  }

  /// The product of the rows `x` plus a bias, if given, as f32, where the
  /// weight is of bf16: it is kept so, and what it is multiplied with too if
  /// the target multiplies pairs.
  std::optional<Tensor> multiplyBfloats(Emitter &e, LinearOp op,
                                        const Tensor &x, Value bias) const {
    std::optional<Tensor> w = bfloatsOf(e, op.getW());
    if (!w || !w->dims[0].getConstant())
      return std::nullopt;
    Tensor rows = x;
    std::optional<Tensor> narrow;
    if (state.bfloatProducts)
      narrow = bfloatsOf(e, op.getX());
    if (narrow)
      rows = e.reshape(*narrow, x.dims);
    else
      rows = e.castFloat(x, e.getF32Type());
    return multiplyPacked(e, rows, packPairs(e, *w), w->dims[1], bias);
  }

  Value shaped(LinearOp op, Emitter &e, const Tensor &y) const {
    return e.reshape(y, state.shapes.shapeOf(op.getResult(0))).value;
  }
};

struct LowerMatmul : Lowering<MatmulOp> {
  using Lowering::Lowering;
  Value lower(MatmulOp op, Adaptor adaptor, Emitter &e) const override {
    Type typeA = elementTypeOf(op.getA()), typeB = elementTypeOf(op.getB());
    Type result = elementTypeOf(op.getInit());
    for (Type type : {typeA, typeB, result})
      if (!kindOf(type))
        return refuse(op, "unsupported dtype: " + textOf(type));
    Tensor a = e.tensor(op.getA(), adaptor.getA());
    Tensor b = e.tensor(op.getB(), adaptor.getB());
    DimShape dims = state.shapes.shapeOf(op.getResult(0));
    e.checkEqual(a.dims.back(), b.dims[b.rank() - 2],
                 "operands of different extents");
    if (b.rank() == 2) {
      a = e.rows(a);
    } else {
      a = stack(e, a, dims);
      b = stack(e, b, dims);
    }
    return e.reshape(multiply(e, a, b, typeA, typeB, result), dims).value;
  }

  /// `x` as one stack of matrices, broadcast to the batch dims of `dims`.
  static Tensor stack(Emitter &e, const Tensor &x, const DimShape &dims) {
    DimShape full(dims.begin(), dims.end() - 2);
    DimExpr count = product(full);
    full.append(x.dims.end() - 2, x.dims.end());
    Tensor repeated = x;
    if (x.dims != full)
      repeated = e.zip(
          x, full, x.element(),
          [](ImplicitLocOpBuilder &, ValueRange in) -> Value { return in[0]; });
    return e.reshape(repeated, {count, full[full.size() - 2], full.back()});
  }
};

} // namespace

void ingot::populateProductLowerings(LoweringPatterns &patterns) {
  patterns.add<LowerLinear, LowerMatmul>();
}
