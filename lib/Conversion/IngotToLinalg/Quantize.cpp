//===- Quantize.cpp - codes and their values -----------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Quantize.h"
#include "Scalars.h"

#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;
using namespace ingot;

std::string QuantizedTensor::unsupported() const {
  std::string text;
  llvm::raw_string_ostream stream(text);
  for (Type type : {codeType, scaleType, zeroPointType})
    if (type && !kindOf(type)) {
      stream << "unsupported dtype: " << type;
      break;
    }
  return text;
}

QuantizedTensor QuantizedTensor::of(DequantizeOp op, Emitter &e) {
  QuantizedTensor q;
  q.codeType = elementTypeOf(op.getCodes());
  q.scaleType = elementTypeOf(op.getScale());
  q.codes = e.tensor(op.getCodes());
  q.scale = e.tensor(op.getScale());
  if (op.getZeroPoint()) {
    q.zeroPointType = elementTypeOf(op.getZeroPoint());
    q.zeroPoint = e.tensor(op.getZeroPoint());
  }
  q.axis = op.getAxis();
  q.blockSize = op.getBlockSize();
  return q;
}

/// A parameter (scale or zero point) in a shape that broadcasts to `dims`, with
/// one element for each of `x`'s.
static Tensor spread(Emitter &e, const Tensor &parameter, const DimShape &dims,
                     int64_t axis, int64_t blockSize) {
  if (blockSize > 0) {
    for (int64_t i = 0; i < parameter.rank(); ++i)
      e.checkEqual(parameter.dims[i],
                   i == axis
                       ? DimExpr::ceilDiv(dims[i], DimExpr::constant(blockSize))
                       : dims[i],
                   "a scale of another shape than the blocks");
    Value size = e.index(blockSize);
    auto body = [&](ImplicitLocOpBuilder &b, ValueRange at) -> Value {
      SmallVector<Value> indices(at);
      indices[axis] = arith::DivUIOp::create(b, at[axis], size);
      return tensor::ExtractOp::create(b, parameter.value, indices);
    };
    return e.compute(dims, parameter.element(), body);
  }
  if (parameter.rank() == 0)
    return parameter;
  // A vector of one element stands for the whole tensor.
  DimShape shape(dims.size(), DimExpr::constant(1));
  if (parameter.dims[0].isConstant(1))
    return e.reshape(parameter, {});
  shape[axis] = parameter.dims[0];
  return e.reshape(parameter, shape);
}

Tensor QuantizedTensor::dequantize(Emitter &e, Type result) const {
  SmallVector<Tensor> inputs = {codes,
                                spread(e, scale, codes.dims, axis, blockSize)};
  if (zeroPoint.value)
    inputs.push_back(spread(e, zeroPoint, codes.dims, axis, blockSize));
  Type work = Scalars::computeType(scaleType);
  auto body = [&](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
    Scalars s(b, codeType);
    Value code = s.load(in[0], codeType);
    Value value = s.convert(code, codeType, work);
    if (zeroPoint.value) {
      Value zero = s.load(in[2], zeroPointType);
      // The difference of two codes is exact in 32 bits.
      Type wide = b.getI32Type();
      if (kindOf(codeType) == Float || kindOf(zeroPointType) == Float)
        value = s.sub(value, s.convert(zero, zeroPointType, work));
      else
        value = s.convert(s.sub(s.convert(code, codeType, wide),
                                s.convert(zero, zeroPointType, wide)),
                          wide, work);
    }
    Value factor = s.convert(s.load(in[1], scaleType), scaleType, work);
    return s.store(s.mul(value, factor), result);
  };
  return e.zip(inputs, codes.dims, storageType(result), body);
}

namespace {

struct LowerDequantize : Lowering<DequantizeOp> {
  using Lowering::Lowering;
  Value lower(DequantizeOp op, Adaptor, Emitter &e) const override {
    QuantizedTensor q = QuantizedTensor::of(op, e);
    if (std::string reason = q.unsupported(); !reason.empty())
      return refuse(op, reason);
    return q.dequantize(e, elementTypeOf(op.getResult())).value;
  }
};

struct LowerQuantize : Lowering<QuantizeOp> {
  using Lowering::Lowering;
  Value lower(QuantizeOp op, Adaptor adaptor, Emitter &e) const override {
    Type type = elementTypeOf(op.getX()), to = op.getTo();
    Type scaleType = elementTypeOf(op.getScale());
    for (Type each : {type, scaleType, to})
      if (!kindOf(each)) {
        std::string text;
        llvm::raw_string_ostream(text) << "unsupported dtype: " << each;
        return refuse(op, text);
      }
    Tensor x = e.tensor(op.getX(), adaptor.getX());
    int64_t axis = op.getAxis(), block = op.getBlockSize();
    auto parameter = [&](Value original, Value converted) {
      return spread(e, e.tensor(original, converted), x.dims, axis, block);
    };
    SmallVector<Tensor> inputs = {x,
                                  parameter(op.getScale(), adaptor.getScale())};
    Type zeroType;
    if (op.getZeroPoint()) {
      zeroType = elementTypeOf(op.getZeroPoint());
      inputs.push_back(parameter(op.getZeroPoint(), adaptor.getZeroPoint()));
    }
    unsigned width = to.getIntOrFloatBitWidth();
    bool isUnsigned = kindOf(to) == Unsigned;
    APInt low =
        isUnsigned ? APInt::getZero(width) : APInt::getSignedMinValue(width);
    APInt high = isUnsigned ? APInt::getMaxValue(width)
                            : APInt::getSignedMaxValue(width);
    Type work = Scalars::computeType(scaleType);
    auto body = [&](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
      Scalars s(b, work);
      Value value = s.convert(s.load(in[0], type), type, work);
      Value scale = s.convert(s.load(in[1], scaleType), scaleType, work);
      Value code = math::RoundEvenOp::create(s, s.div(value, scale));
      if (zeroType)
        code = s.add(code, s.convert(s.load(in[2], zeroType), zeroType, work));
      // These pass over NaN, which thus gets the lowest code.
      code = arith::MaxNumFOp::create(
          s, code, s.constant(low.roundToDouble(!isUnsigned), code));
      code = arith::MinNumFOp::create(
          s, code, s.constant(high.roundToDouble(!isUnsigned), code));
      return s.store(s.convert(code, work, to), to);
    };
    return e.zip(inputs, x.dims, storageType(to), body).value;
  }
};

} // namespace

void ingot::populateQuantizeLowerings(LoweringPatterns &patterns) {
  patterns.add<LowerDequantize, LowerQuantize>();
}
