//===- Emitter.cpp - builds ingot ops and tracks their shapes -------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Emitter.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/StringExtras.h"
#include <cmath>

using namespace llvm;
using namespace mlir;

namespace ingot::onnxin {

/// No tensor that a machine can hold has a dim above this.
static constexpr int64_t kMaxExtent = int64_t(1) << 40;

//===----------------------------------------------------------------------===//
// Making ops
//===----------------------------------------------------------------------===//

const DimShape &Emitter::dims(Value value) const {
  static const DimShape none;
  auto found = shapes.find(value);
  return found == shapes.end() ? none : *found->second;
}

Type Emitter::placeholder() {
  return RankedTensorType::get({}, builder.getI1Type());
}

std::string Emitter::describe(Value value) const {
  std::string text;
  raw_string_ostream os(text);
  os << element(value) << "[";
  interleaveComma(dims(value), os,
                  [&](const DimExpr &dim) { os << dim.str(); });
  os << "]";
  return text;
}

bool Emitter::infer(Operation *op, SmallVectorImpl<DimShape> &results) {
  SmallVector<DimShape> operands;
  for (Value operand : op->getOperands())
    operands.push_back(dims(operand));
  auto inference = cast<ShapeInferenceInterface>(op);
  if (failed(inference.inferShapes(operands, results)) || results.size() != 1) {
    SmallVector<std::string> texts;
    for (Value operand : op->getOperands())
      texts.push_back(describe(operand));
    fail("the shapes do not fit together: " + join(texts, ", "));
    return false;
  }
  return checkDims(results[0]);
}

bool Emitter::checkDims(const DimShape &dims) {
  int64_t elements = 1;
  for (const DimExpr &dim : dims) {
    std::optional<int64_t> value = dim.getConstant();
    if (value && (*value < 0 || *value > kMaxExtent)) {
      fail("a result would have a dim of " + Twine(*value));
      return false;
    }
    if (dim.hasOverflown() ||
        (value &&
         MulOverflow(elements, std::max<int64_t>(*value, 1), elements))) {
      fail("a result would have more elements than can be counted");
      return false;
    }
    if (!value && !isManageable(dim)) {
      fail("the expression of a dim is too long");
      return false;
    }
  }
  return true;
}

Value Emitter::finish(Operation *op, DimShape dims, Type element) {
  Value result = op->getResult(0);
  result.setType(tensorOf(dims, element));
  setDims(result, std::move(dims));
  return result;
}

bool Emitter::sameElements(Value a, Value b) {
  if (!a || !b)
    return false;
  if (element(a) == element(b))
    return true;
  fail("operands of different types: " + describe(a) + " and " + describe(b));
  return false;
}

Value Emitter::cast(Value x, Type to) {
  if (!x || element(x) == to)
    return x;
  return make<CastOp>(x, to);
}

Value Emitter::clip(Value x, Value low, Value high) {
  if (!x || (low && !sameElements(x, low)) || (high && !sameElements(x, high)))
    return {};
  if (low && rank(low) != 0)
    low = reshape(low, {});
  if (high && rank(high) != 0)
    high = reshape(high, {});
  if (low)
    x = binary<MaxOp>(x, low);
  return high ? binary<MinOp>(x, high) : x;
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

Value Emitter::constant(DenseElementsAttr value) {
  auto op = ConstantOp::create(builder, loc, value);
  DimShape dims;
  for (int64_t extent : value.getType().getShape())
    dims.push_back(DimExpr::constant(extent));
  setDims(op.getResult(), std::move(dims));
  return op.getResult();
}

Value Emitter::scalar(double value, Type type) {
  auto shaped = RankedTensorType::get({}, type);
  if (auto real = dyn_cast<FloatType>(type)) {
    APFloat number(value);
    bool lost = false;
    number.convert(real.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                   &lost);
    return constant(DenseElementsAttr::get(shaped, number));
  }
  if (!std::isfinite(value))
    return fail("an infinite number in integers");
  APInt number(type.getIntOrFloatBitWidth(),
               static_cast<uint64_t>(static_cast<int64_t>(value)),
               /*isSigned=*/true, /*implicitTrunc=*/true);
  return constant(DenseElementsAttr::get(shaped, number));
}

Value Emitter::intVector(ArrayRef<int64_t> values) {
  auto type = RankedTensorType::get(values.size(), builder.getI64Type());
  return constant(DenseElementsAttr::get(type, values));
}

Value Emitter::fromDims(ArrayRef<DimExpr> values, bool isScalar) {
  SmallVector<int64_t> shape;
  if (!isScalar)
    shape.push_back(values.size());
  if (all_of(values, [](const DimExpr &value) { return value.isConstant(); })) {
    SmallVector<int64_t> numbers;
    for (const DimExpr &value : values)
      numbers.push_back(*value.getConstant());
    return constant(DenseElementsAttr::get(
        RankedTensorType::get(shape, builder.getI64Type()), ArrayRef(numbers)));
  }
  auto op = FromDimsOp::create(
      builder, loc, RankedTensorType::get(shape, builder.getI64Type()),
      DimsAttr::get(builder.getContext(), values));
  DimShape dims;
  for (int64_t extent : shape)
    dims.push_back(DimExpr::constant(extent));
  setDims(op.getResult(), std::move(dims));
  return op.getResult();
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

Value Emitter::reshape(Value x, const DimShape &to) {
  if (!x)
    return {};
  if (dims(x) == to)
    return x;
  DimExpr before = product(dims(x)), after = product(to);
  if (before.isConstant() && after.isConstant() && before != after)
    return fail("a reshape of " + describe(x) + " to " +
                Twine(*after.getConstant()) + " elements");
  return make<ReshapeOp>(x, DimsAttr::get(builder.getContext(), to));
}

Value Emitter::transpose(Value x, ArrayRef<int64_t> permutation) {
  if (!x)
    return {};
  if (int64_t(permutation.size()) != rank(x))
    return fail("a permutation of " + Twine(permutation.size()) + " dims for " +
                describe(x));
  if (llvm::equal(permutation, llvm::seq<int64_t>(0, permutation.size())))
    return x;
  return make<TransposeOp>(x, permutation);
}

Value Emitter::broadcastTo(Value x, const DimShape &to) {
  if (!x || dims(x) == to)
    return x;
  return make<BroadcastToOp>(x, DimsAttr::get(builder.getContext(), to));
}

Value Emitter::concat(ValueRange inputs, int64_t axis) {
  for (Value input : inputs)
    if (!input || !sameElements(inputs.front(), input))
      return {};
  if (inputs.size() == 1)
    return inputs.front();
  for (Value input : inputs)
    if (rank(input) != rank(inputs.front()))
      return fail("a concatenation of " + describe(inputs.front()) + " and " +
                  describe(input));
  return make<ConcatOp>(inputs, axis);
}

Value Emitter::slice(Value x, const DimShape &starts, const DimShape &sizes,
                     ArrayRef<int64_t> steps) {
  if (!x)
    return {};
  bool whole =
      dims(x) == sizes &&
      all_of(steps, [](int64_t step) { return step == 1; }) &&
      all_of(starts, [](const DimExpr &start) { return start.isConstant(0); });
  if (whole)
    return x;
  return make<SliceOp>(x, DimsAttr::get(builder.getContext(), starts),
                       DimsAttr::get(builder.getContext(), sizes), steps);
}

Value Emitter::sliceAxis(Value x, int64_t axis, const DimExpr &start,
                         const DimExpr &size) {
  if (!x)
    return {};
  DimShape starts(rank(x)), sizes = dims(x);
  starts[axis] = start;
  sizes[axis] = size;
  return slice(x, starts, sizes, SmallVector<int64_t>(rank(x), 1));
}

Value Emitter::unsqueeze(Value x, ArrayRef<int64_t> axes) {
  if (!x)
    return {};
  DimShape to;
  size_t next = 0;
  for (int64_t i = 0, e = rank(x) + axes.size(); i != e; ++i) {
    if (is_contained(axes, i))
      to.push_back(DimExpr::constant(1));
    else if (next < dims(x).size())
      to.push_back(dims(x)[next++]);
    else
      return fail("the same axis is inserted twice");
  }
  return reshape(x, to);
}

Value Emitter::squeeze(Value x, ArrayRef<int64_t> axes) {
  if (!x)
    return {};
  DimShape to;
  for (auto [i, dim] : enumerate(dims(x)))
    if (!is_contained(axes, int64_t(i)))
      to.push_back(dim);
    else if (dim.isConstant() && !dim.isConstant(1))
      return fail("squeezing a dim of " + Twine(*dim.getConstant()));
  return reshape(x, to);
}

Value Emitter::pad(Value x, Value value, const DimShape &low,
                   const DimShape &high, PadMode mode) {
  if (!x || (value && !sameElements(x, value)))
    return {};
  auto isZero = [](const DimExpr &dim) { return dim.isConstant(0); };
  if (all_of(low, isZero) && all_of(high, isZero))
    return x;
  MLIRContext *context = builder.getContext();
  if (value) {
    value = reshape(value, {});
    if (!value)
      return {};
    return make<PadOp>(x, value, DimsAttr::get(context, low),
                       DimsAttr::get(context, high), mode);
  }
  return make<PadOp>(x, nullptr, DimsAttr::get(context, low),
                     DimsAttr::get(context, high), mode);
}

Value Emitter::iota(const DimExpr &size, Type type) {
  return make<RangeOp>(scalar(0, type), scalar(1, type),
                       DimsAttr::get(builder.getContext(), ArrayRef(size)));
}

Value Emitter::alongAxis(Value vector, int64_t axis, int64_t to) {
  if (!vector || rank(vector) == 0)
    return vector;
  DimShape shape(to, DimExpr::constant(1));
  shape[axis] = product(dims(vector));
  return reshape(vector, shape);
}

Value Emitter::mergeDims(Value x, int64_t first, int64_t last) {
  if (!x)
    return {};
  const DimShape &from = dims(x);
  DimShape to(from.begin(), from.begin() + first);
  to.push_back(product(ArrayRef(from).slice(first, last - first)));
  to.append(from.begin() + last, from.end());
  return reshape(x, to);
}

//===----------------------------------------------------------------------===//
// Products and reductions
//===----------------------------------------------------------------------===//

Value Emitter::reduce(ReduceKind kind, Value x, ArrayRef<int64_t> axes,
                      bool keepdims) {
  if (!x)
    return {};
  SmallVector<int64_t> sorted(axes);
  llvm::sort(sorted);
  sorted.erase(llvm::unique(sorted), sorted.end());
  return make<ReduceOp>(kind, x, ArrayRef<int64_t>(sorted), keepdims);
}

Value Emitter::softmax(Value x, int64_t axis, bool log) {
  if (!x)
    return {};
  auto op = SoftmaxOp::create(builder, loc, x, axis, log);
  setDims(op->getResult(0), dims(x));
  return op->getResult(0);
}

Value Emitter::matmul(Value a, Value b, Type result) {
  if (!a || !b)
    return {};
  if (!result && !sameElements(a, b))
    return {};
  if (rank(a) == 0 || rank(b) == 0)
    return fail("a matrix product of " + describe(a) + " and " + describe(b));
  bool vectorA = rank(a) == 1, vectorB = rank(b) == 1;
  if (vectorA)
    a = unsqueeze(a, {0});
  if (vectorB)
    b = unsqueeze(b, {1});
  if (!a || !b)
    return {};
  const DimShape x = dims(a), y = dims(b);
  const DimExpr &k = x.back(), &l = y[y.size() - 2];
  FailureOr<DimShape> batch = broadcastShapes(
      {DimShape(ArrayRef(x).drop_back(2)), DimShape(ArrayRef(y).drop_back(2))});
  if ((k.isConstant() && l.isConstant() && k != l) || failed(batch))
    return fail("a matrix product of " + describe(a) + " and " + describe(b));
  auto op = MatmulOp::create(builder, loc, a, b, result ? result : Type());
  DimShape to = *batch;
  to.push_back(x[x.size() - 2]);
  to.push_back(y.back());
  Value value = op->getResult(0);
  setDims(value, to);
  if (!vectorA && !vectorB)
    return value;
  SmallVector<int64_t> dropped;
  if (vectorA)
    dropped.push_back(to.size() - 2);
  if (vectorB)
    dropped.push_back(to.size() - 1);
  return squeeze(value, dropped);
}

Value Emitter::layerNorm(Value x, Value gamma, Value beta, double epsilon) {
  if (!x || !gamma)
    return {};
  auto op = LayerNormOp::create(builder, loc, x, gamma, beta, epsilon);
  setDims(op->getResult(0), dims(x));
  return op->getResult(0);
}

Value Emitter::rmsNorm(Value x, Value gamma, double epsilon) {
  if (!x || !gamma)
    return {};
  auto op = RmsNormOp::create(builder, loc, x, gamma, epsilon);
  setDims(op->getResult(0), dims(x));
  return op->getResult(0);
}

Value Emitter::rowAttention(Value q, Value k, Value v, Value bias, Value past,
                            double scale, int64_t window, double softcap) {
  if (!q || !k || !v || !past || !sameElements(q, k) || !sameElements(q, v))
    return {};
  if (rank(q) != 4 || rank(k) != 4 || rank(v) != 4)
    return fail("attention of " + describe(q) + ", " + describe(k) + " and " +
                describe(v));
  auto op = AttentionOp::create(builder, loc, q, k, v, /*key_mask=*/Value(),
                                bias, scale, /*causal=*/true, window, softcap);
  op.getPastMutable().assign(past);
  DimShape result = dims(q);
  result[3] = dims(v)[3];
  setDims(op->getResult(0), result);
  return op->getResult(0);
}

} // namespace ingot::onnxin
