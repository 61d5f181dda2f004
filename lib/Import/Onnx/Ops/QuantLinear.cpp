//===- QuantLinear.cpp - ops of com.microsoft from codes to codes ---------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each means: the values of the codes, an op of floats, the codes nearest to
// its result. Every tensor has one scale and one zero point, which may be
// absent.
//
//===----------------------------------------------------------------------===//
#include "../Importer.h"
#include "Quant.h"

using namespace llvm;
using namespace mlir;

namespace ingot::onnxin {
namespace {

constexpr StringLiteral kMicrosoft = "com.microsoft";

/// Operand `i` as a scalar; null if it is absent, or after an error.
Value number(NodeContext &n, size_t i) {
  if (!n.has(i))
    return {};
  Value value = n.value(i);
  // Dims that are known when run alone are checked there.
  if (!value || !product(n.e.dims(value)).isConstant() ||
      hasOneElement(n.e, value))
    return n.e.reshape(value, {});
  n.error("'" + n.importer.nameOf(n.node.inputs[i]) +
          "' has more than one element");
  return {};
}

/// The values of operand `i`, of which the scale and the zero point follow.
Value values(NodeContext &n, size_t i) {
  if (!n.has(i) || !n.has(i + 1)) {
    n.error("it lacks input " + Twine(n.has(i) ? i + 1 : i));
    return {};
  }
  if (!n.type(i).isInteger(8)) {
    n.unsupportedType(n.type(i));
    return {};
  }
  Value scale = number(n, i + 1), zero = number(n, i + 2);
  return n.failed() ? Value() : dequantize(n.e, n.value(i), scale, zero, 0, 0);
}

/// `y` as codes of type `type` by the scale and zero point at operand `i`.
void outCodes(NodeContext &n, Value y, size_t i, Type type) {
  if (!n.has(i))
    return n.error("it lacks input " + Twine(i));
  Value scale = number(n, i), zero = number(n, i + 1);
  if (!n.failed())
    n.out(0, quantize(n.e, y, scale, zero, type));
}

template <typename OpTy> void binary(NodeContext &n) {
  Value a = values(n, 0), b = values(n, 3);
  if (!n.failed())
    outCodes(n, n.e.binary<OpTy>(a, b), 6, n.type(0));
}

template <Value (*function)(NodeContext &, Value)> void unary(NodeContext &n) {
  Value x = values(n, 0);
  if (n.failed())
    return;
  x = function(n, x);
  if (!n.failed())
    outCodes(n, x, 3, n.type(0));
}

Value sigmoid(NodeContext &n, Value x) { return n.e.make<SigmoidOp>(x); }

Value leakyRelu(NodeContext &n, Value x) {
  double alpha = n.real("alpha", 0.01f);
  return n.e.make<LeakyReluOp>(x, n.e.builder.getF64FloatAttr(alpha));
}

/// Along one axis, or before opset 13 along all from it on.
Value softmax(NodeContext &n, Value x) {
  Emitter &e = n.e;
  bool flattens = n.integer("opset", 13) < 13;
  int64_t rank = n.rank(0);
  std::optional<int64_t> axis =
      n.normalAxis(n.integer("axis", flattens ? 1 : -1), rank);
  if (!axis)
    return {};
  Value folded = flattens ? e.mergeDims(x, *axis, rank) : x;
  return e.reshape(e.softmax(folded, *axis), n.dims(0));
}

Value globalAverage(NodeContext &n, Value x) {
  int64_t rank = n.rank(0), first = n.integer("channels_last", 0) ? 1 : 2;
  if (rank < 3) {
    n.error("rank " + Twine(rank));
    return {};
  }
  SmallVector<int64_t> axes =
      to_vector(llvm::seq<int64_t>(first, first + rank - 2));
  return n.e.reduce(ReduceKind::Mean, x, axes, /*keepdims=*/true);
}

void concat(NodeContext &n) {
  SmallVector<Value> parts;
  for (size_t i = 2; i + 1 < n.inputs(); i += 3)
    parts.push_back(values(n, i));
  if (n.failed())
    return;
  if (parts.empty())
    return n.error("it has no inputs");
  std::optional<int64_t> axis = n.normalAxis(n.integer("axis", 0), n.rank(2));
  if (axis)
    outCodes(n, n.e.concat(parts, *axis), 0, n.type(2));
}

void where(NodeContext &n) {
  Value a = values(n, 1), b = values(n, 4);
  if (!n.failed())
    outCodes(n, n.e.where(n.value(0), a, b), 7, n.type(1));
}

/// alpha * A' * B' + C of codes, with C in units of the product of scales; a
/// result without a scale is of floats.
void gemm(NodeContext &n) {
  enum { A, ScaleA, ZeroA, B, ScaleB, ZeroB, C, ScaleY, ZeroY };
  Emitter &e = n.e;
  for (size_t i : {size_t(A), size_t(ScaleA), size_t(B), size_t(ScaleB)})
    if (!n.has(i))
      return n.error("it lacks input " + Twine(i));
  double alpha = n.real("alpha", 1);
  bool turnsA = n.integer("transA", 0) != 0,
       turnsB = n.integer("transB", 0) != 0;
  if (n.rank(A) != 2 || n.rank(B) != 2)
    return n.error("ranks " + Twine(n.rank(A)) + " and " + Twine(n.rank(B)));
  // Zero points are of A as a whole and of the columns of the product.
  Value a = shiftedCodes(e, n.value(A), number(n, ZeroA), 0);
  Value b = shiftedCodes(e, n.value(B), n.value(ZeroB), turnsB ? 0 : 1);
  if (turnsA)
    a = e.transpose(a, {1, 0});
  if (turnsB)
    b = e.transpose(b, {1, 0});
  Value sums = e.matmul(a, b, e.builder.getI32Type());
  if (n.has(C))
    sums = e.add(sums, n.value(C));
  Value scaleA = number(n, ScaleA), scaleB = n.value(ScaleB);
  if (scaleB && hasOneElement(e, scaleB))
    scaleB = e.reshape(scaleB, {});
  if (alpha != 1)
    scaleA = e.mul(scaleA, e.scalarLike(alpha, scaleA));
  if (n.failed())
    return;
  if (!n.has(ScaleY))
    return n.out(
        0, e.mul(e.cast(sums, e.builder.getF32Type()), e.mul(scaleA, scaleB)));
  if (!n.has(ZeroY))
    return n.error("it lacks the zero point of the result");
  n.out(0, requantize(n, sums, scaleA, scaleB, ScaleY, ZeroY));
}

} // namespace

void addQuantLinearOps(Registry &r) {
  r.addIn(kMicrosoft, "QLinearAdd", 1, binary<AddOp>);
  r.addIn(kMicrosoft, "QLinearMul", 1, binary<MulOp>);
  r.addIn(kMicrosoft, "QLinearSigmoid", 1, unary<sigmoid>);
  r.addIn(kMicrosoft, "QLinearLeakyRelu", 1, unary<leakyRelu>);
  r.addIn(kMicrosoft, "QLinearSoftmax", 1, unary<softmax>);
  r.addIn(kMicrosoft, "QLinearGlobalAveragePool", 1, unary<globalAverage>);
  r.addIn(kMicrosoft, "QLinearConcat", 1, concat);
  r.addIn(kMicrosoft, "QLinearWhere", 1, where);
  r.addIn(kMicrosoft, "QGemm", 1, gemm);
}

} // namespace ingot::onnxin
