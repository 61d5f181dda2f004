//===- Activation.cpp - activations and the softmax family ----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "../Registry.h"

using namespace llvm;
using namespace mlir;

namespace ingot::onnxin {
namespace {

template <typename OpTy> void unary(NodeContext &n) {
  n.out(0, n.e.make<OpTy>(n.value(0)));
}

FloatAttr real(NodeContext &n, StringRef name, double otherwise) {
  return n.e.builder.getF64FloatAttr(n.real(name, otherwise));
}

void leakyRelu(NodeContext &n) {
  n.out(0, n.e.make<LeakyReluOp>(n.value(0), real(n, "alpha", 0.01f)));
}

void elu(NodeContext &n) {
  n.out(0, n.e.make<EluOp>(n.value(0), real(n, "alpha", 1.0)));
}

void celu(NodeContext &n) {
  n.out(0, n.e.make<CeluOp>(n.value(0), real(n, "alpha", 1.0)));
}

void selu(NodeContext &n) {
  n.out(0, n.e.make<SeluOp>(n.value(0),
                            real(n, "alpha", 1.67326319217681884765625),
                            real(n, "gamma", 1.05070102214813232421875)));
}

void hardSigmoid(NodeContext &n) {
  n.out(0, n.e.make<HardSigmoidOp>(n.value(0), real(n, "alpha", 0.2f),
                                   real(n, "beta", 0.5)));
}

void hardSwish(NodeContext &n) {
  Value x = n.value(0);
  Builder &b = n.e.builder;
  Value gate = n.e.make<HardSigmoidOp>(x, b.getF64FloatAttr(1.0 / 6.0),
                                       b.getF64FloatAttr(0.5));
  n.out(0, n.e.mul(x, gate));
}

void thresholdedRelu(NodeContext &n) {
  n.out(0, n.e.make<ThresholdedReluOp>(n.value(0), real(n, "alpha", 1.0)));
}

void shrink(NodeContext &n) {
  n.out(0, n.e.make<ShrinkOp>(n.value(0), real(n, "lambd", 0.5),
                              real(n, "bias", 0.0)));
}

void prelu(NodeContext &n) {
  n.out(0, n.e.binary<PreluOp>(n.value(0), n.value(1)));
}

void gelu(NodeContext &n) {
  std::string kind = n.text("approximate", "none");
  if (kind != "none" && kind != "tanh")
    return n.error("approximate = '" + kind + "'");
  n.out(0, n.e.make<GeluOp>(n.value(0),
                            kind == "tanh" ? GeluKind::Tanh : GeluKind::Erf));
}

/// x * sigmoid(alpha * x)
void swish(NodeContext &n) {
  Value x = n.value(0);
  double alpha = n.real("alpha", 1.0);
  if (alpha == 1.0)
    return n.out(0, n.e.make<SiluOp>(x));
  Value scaled = n.e.mul(x, n.e.scalarLike(alpha, x));
  n.out(0, n.e.mul(x, n.e.make<SigmoidOp>(scaled)));
}

/// Applies `function` along an axis. Before opset 13 the dims from `axis` on
/// were one.
template <typename Function>
void alongAxis(NodeContext &n, bool flattens, Function function) {
  Value x = n.value(0);
  if (!x)
    return n.out(0, {});
  int64_t rank = n.rank(0);
  if (rank == 0 && !flattens)
    x = n.e.reshape(x, {DimExpr::constant(1)});
  std::optional<int64_t> axis = n.normalAxis(
      n.integer("axis", flattens ? 1 : -1), std::max<int64_t>(rank, 1));
  if (!axis)
    return;
  DimShape shape = n.dims(0);
  bool folds = flattens && *axis != rank - 1;
  if (folds)
    x = n.e.mergeDims(x, *axis, rank);
  n.out(0, n.e.reshape(function(x, *axis), shape));
}

template <bool flattens, bool log> void softmax(NodeContext &n) {
  alongAxis(n, flattens,
            [&](Value x, int64_t axis) { return n.e.softmax(x, axis, log); });
}

/// One at the first largest element, zero elsewhere.
template <bool flattens> void hardmax(NodeContext &n) {
  alongAxis(n, flattens, [&](Value x, int64_t axis) -> Value {
    Emitter &e = n.e;
    Value best = e.make<ArgMaxOp>(x, axis, /*keepdims=*/true, /*last=*/false);
    if (!best)
      return {};
    Value index = e.alongAxis(e.iota(e.dims(x)[axis], e.builder.getI64Type()),
                              axis, e.rank(x));
    return e.cast(e.binary<EqualOp>(index, best), e.element(x));
  });
}

} // namespace

void addActivationOps(Registry &r) {
  r.add("Relu", 1, unary<ReluOp>);
  r.add("Sigmoid", 1, unary<SigmoidOp>);
  r.add("Softplus", 1, unary<SoftplusOp>);
  r.add("Softsign", 1, unary<SoftsignOp>);
  r.add("Mish", 18, unary<MishOp>);
  r.add("LeakyRelu", 1, leakyRelu);
  r.add("Elu", 1, elu);
  r.add("Celu", 12, celu);
  r.add("Selu", 1, selu);
  r.add("HardSigmoid", 1, hardSigmoid);
  r.add("HardSwish", 14, hardSwish);
  r.add("ThresholdedRelu", 10, thresholdedRelu);
  r.add("Shrink", 9, shrink);
  r.add("PRelu", 7, prelu);
  r.add("Gelu", 20, gelu);
  r.add("Swish", 24, swish);
  r.add("Softmax", 1, softmax<true, false>);
  r.add("Softmax", 13, softmax<false, false>);
  r.add("LogSoftmax", 1, softmax<true, true>);
  r.add("LogSoftmax", 13, softmax<false, true>);
  r.add("Hardmax", 1, hardmax<true>);
  r.add("Hardmax", 13, hardmax<false>);
}

} // namespace ingot::onnxin
