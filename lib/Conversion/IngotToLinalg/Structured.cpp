//===- Structured.cpp - attention, norms, softmax -------------------------===//
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

struct LowerAttention : Lowering<AttentionOp> {
  using Lowering::Lowering;
  Value lower(AttentionOp op, Adaptor adaptor, Emitter &e) const override {
    Type result = elementTypeOf(op.getInit());
    SmallVector<Type> types = {elementTypeOf(op.getQ()),
                               elementTypeOf(op.getK()),
                               elementTypeOf(op.getV()), result};
    if (op.getBias())
      types.push_back(elementTypeOf(op.getBias()));
    Type kernel = kernelType(types);
    if (!kernel)
      return refuse(op, "unsupported dtype: attention of " + textOf(types[0]));
    auto read = [&](Value original, Value converted) {
      return e.castFloat(e.tensor(original, converted), kernel).value;
    };
    Value keyMask, bias, past;
    if (op.getKeyMask())
      keyMask = e.tensor(op.getKeyMask(), adaptor.getKeyMask()).value;
    if (op.getBias())
      bias = read(op.getBias(), adaptor.getBias());
    if (op.getPast())
      past = e.tensor(op.getPast(), adaptor.getPast()).value;
    DimShape dims = state.shapes.shapeOf(op.getResult(0));
    Value init = e.empty(dims, kernel);
    auto attention = AttentionOp::create(
        e, init.getType(), read(op.getQ(), adaptor.getQ()),
        read(op.getK(), adaptor.getK()), read(op.getV(), adaptor.getV()),
        keyMask, bias, adaptor.getQueryOffset(), past, init, op.getScale(),
        op.getCausal(), op.getWindow(), op.getSoftcap(), op.getDeadRow());
    return e.castFloat({e.kernel(attention), dims}, result).value;
  }
};

/// Runs `kernel` on the rows of `x` along its last dim, in f32.
Value onRows(Emitter &e, const Tensor &x, Type result,
             function_ref<Value(Value rows, Value init)> kernel) {
  Tensor source = e.castFloat(x, e.getF32Type());
  if (source.rank() == 1)
    source = e.reshape(source, {DimExpr::constant(1), source.dims[0]});
  source = e.rows(source);
  Value init = e.empty(source.dims, e.getF32Type());
  Tensor y{kernel(source.value, init), source.dims};
  return e.castFloat(e.reshape(y, x.dims), result).value;
}

/// The last dim of `x`, in f64, folded to one element a row.
Tensor foldRows(Emitter &e, const Tensor &x, double neutral,
                Emitter::Body body) {
  Value start = arith::ConstantOp::create(e, e.getF64FloatAttr(neutral));
  DimShape kept(x.dims.begin(), x.dims.end() - 1);
  Tensor init = e.fill(kept, start);
  Tensor result = e.fold(x, x.rank() - 1, init.value, body);
  kept.push_back(DimExpr::constant(1));
  return e.reshape(result, kept);
}

Tensor sumRows(Emitter &e, const Tensor &x) {
  return foldRows(e, x, 0, [](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
    return arith::AddFOp::create(b, in[1], in[0]);
  });
}

/// There are no kernels for f64: the definition, op by op.
Tensor softmaxOfDoubles(Emitter &e, const Tensor &x, bool log) {
  Tensor most = foldRows(e, x, -std::numeric_limits<double>::infinity(),
                         [](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
                           return arith::MaximumFOp::create(b, in[1], in[0]);
                         });
  Tensor shifted = e.zip({x, most}, x.dims, x.element(),
                         [](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
                           return arith::SubFOp::create(b, in[0], in[1]);
                         });
  Tensor powers = e.map(shifted, x.element(),
                        [](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
                          return math::ExpOp::create(b, in[0]);
                        });
  Tensor sum = sumRows(e, powers);
  return e.zip({log ? shifted : powers, sum}, x.dims, x.element(),
               [&](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
                 if (!log)
                   return arith::DivFOp::create(b, in[0], in[1]);
                 return arith::SubFOp::create(b, in[0],
                                              math::LogOp::create(b, in[1]));
               });
}

/// `x` divided by the root of the mean of its squares, then scaled.
Tensor normalizeDoubles(Emitter &e, const Tensor &x, ArrayRef<Tensor> vectors,
                        double epsilon) {
  Tensor squares = e.map(x, x.element(),
                         [](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
                           return arith::MulFOp::create(b, in[0], in[0]);
                         });
  Tensor sum = sumRows(e, squares);
  Value count =
      arith::IndexCastOp::create(e, e.getI64Type(), e.size(x.dims.back()));
  SmallVector<Tensor> inputs = {x, sum};
  llvm::append_range(inputs, vectors);
  auto body = [&](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
    Scalars s(b, x.element());
    Value n = s.convert(count, s.getI64Type(), x.element());
    Value mean = s.add(s.div(in[1], n), s.constant(epsilon, in[1]));
    Value result = s.mul(s.div(in[0], math::SqrtOp::create(s, mean)), in[2]);
    return in.size() > 3 ? s.add(result, in[3]) : result;
  };
  return e.zip(inputs, x.dims, x.element(), body);
}

/// `x` less the mean of its rows.
Tensor centerDoubles(Emitter &e, const Tensor &x) {
  Tensor sum = sumRows(e, x);
  Value count =
      arith::IndexCastOp::create(e, e.getI64Type(), e.size(x.dims.back()));
  auto body = [&](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
    Scalars s(b, x.element());
    Value n = s.convert(count, s.getI64Type(), x.element());
    return s.sub(in[0], s.div(in[1], n));
  };
  return e.zip({x, sum}, x.dims, x.element(), body);
}

struct LowerSoftmax : Lowering<SoftmaxOp> {
  using Lowering::Lowering;
  Value lower(SoftmaxOp op, Adaptor adaptor, Emitter &e) const override {
    Type type = elementTypeOf(op.getX());
    if (!kernelType(type) && !type.isF64())
      return refuse(op, "unsupported dtype: softmax of " + textOf(type));
    Tensor x = e.tensor(op.getX(), adaptor.getX());
    int64_t axis = op.getAxis(), last = x.rank() - 1;
    auto swap = llvm::to_vector(llvm::seq<int64_t>(0, x.rank()));
    std::swap(swap[axis], swap[last]);
    Tensor moved = e.transpose(x, swap);
    if (type.isF64())
      return e.transpose(softmaxOfDoubles(e, moved, op.getLog()), swap).value;
    Value y = onRows(e, moved, type, [&](Value rows, Value init) {
      return e.kernel(SoftmaxOp::create(e, init.getType(), rows, init,
                                        /*axis=*/1, op.getLog()));
    });
    return e.transpose({y, moved.dims}, swap).value;
  }
};

struct LowerLayerNorm : Lowering<LayerNormOp> {
  using Lowering::Lowering;
  Value lower(LayerNormOp op, Adaptor adaptor, Emitter &e) const override {
    Type type = elementTypeOf(op.getX());
    double epsilon = op.getEpsilon().convertToDouble();
    if (type.isF64() && elementTypeOf(op.getGamma()) == type) {
      SmallVector<Tensor> vectors = {
          e.tensor(op.getGamma(), adaptor.getGamma())};
      if (op.getBeta())
        vectors.push_back(e.tensor(op.getBeta(), adaptor.getBeta()));
      Tensor centered = centerDoubles(e, e.tensor(op.getX(), adaptor.getX()));
      return normalizeDoubles(e, centered, vectors, epsilon).value;
    }
    if (!kernelType({type, elementTypeOf(op.getGamma())}))
      return refuse(op, "unsupported dtype: layer_norm of " + textOf(type));
    auto vector = [&](Value original, Value converted) {
      return e.castFloat(e.tensor(original, converted), e.getF32Type()).value;
    };
    Value gamma = vector(op.getGamma(), adaptor.getGamma());
    Value beta =
        op.getBeta() ? vector(op.getBeta(), adaptor.getBeta()) : Value();
    Tensor x = e.tensor(op.getX(), adaptor.getX());
    Type result = elementTypeOf(op.getInit());
    return onRows(e, x, result, [&](Value rows, Value init) {
      return e.kernel(LayerNormOp::create(e, init.getType(), rows, gamma, beta,
                                          init, op.getEpsilon()));
    });
  }
};

struct LowerRmsNorm : Lowering<RmsNormOp> {
  using Lowering::Lowering;
  Value lower(RmsNormOp op, Adaptor adaptor, Emitter &e) const override {
    Type type = elementTypeOf(op.getX());
    if (type.isF64() && elementTypeOf(op.getGamma()) == type)
      return normalizeDoubles(e, e.tensor(op.getX(), adaptor.getX()),
                              e.tensor(op.getGamma(), adaptor.getGamma()),
                              op.getEpsilon().convertToDouble())
          .value;
    if (!kernelType({type, elementTypeOf(op.getGamma())}))
      return refuse(op, "unsupported dtype: rms_norm of " + textOf(type));
    Tensor gamma = e.tensor(op.getGamma(), adaptor.getGamma());
    gamma = e.castFloat(gamma, e.getF32Type());
    Tensor x = e.tensor(op.getX(), adaptor.getX());
    Type result = elementTypeOf(op.getInit());
    return onRows(e, x, result, [&](Value rows, Value init) {
      return e.kernel(RmsNormOp::create(e, init.getType(), rows, gamma.value,
                                        init, op.getEpsilon()));
    });
  }
};

} // namespace

void ingot::populateStructuredLowerings(LoweringPatterns &patterns) {
  patterns.add<LowerAttention, LowerSoftmax, LowerLayerNorm, LowerRmsNorm>();
}
