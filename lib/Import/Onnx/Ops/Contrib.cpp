//===- Contrib.cpp - ops of the com.microsoft domain ----------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Norm.h"

using namespace llvm;
using namespace mlir;

namespace ingot::onnxin {
namespace {

constexpr StringLiteral kMicrosoft = "com.microsoft";

/// input + skip + bias: outputs (normalized, mean, inverse, sum).
template <bool simplified> void skipNormalization(NodeContext &n) {
  Emitter &e = n.e;
  double epsilon = n.real("epsilon", 1e-12f);
  size_t biasAt = simplified ? 3 : 4;
  Value sum = n.value(0);
  // The linear's bias is added first, as the model had it before fusion.
  if (n.has(biasAt))
    sum = e.add(sum, n.value(biasAt));
  sum = e.add(sum, n.value(1));
  if (!sum)
    return n.out(0, {});
  if (n.wants(1) || n.wants(2))
    return n.unsupportedAttribute("mean", "an output");
  int64_t axis = e.rank(sum) - 1;
  if (axis < 0)
    return n.error("rank 0");
  n.out(0, simplified
               ? rmsNormFrom(e, sum, n.value(2), axis, epsilon, true)
               : layerNormFrom(e, sum, n.value(2), n.value(3), axis, epsilon));
  if (n.wants(3))
    n.out(3, sum);
}

void simplifiedLayerNormalization(NodeContext &n) {
  double epsilon = n.real("epsilon", 1e-5f);
  bool wide = n.integer("stash_type", 1) == 1;
  std::optional<int64_t> axis = n.normalAxis(n.integer("axis", -1), n.rank(0));
  if (n.wants(1))
    return n.unsupportedAttribute("inv_std_var", "an output");
  if (axis)
    n.out(0, rmsNormFrom(n.e, n.value(0), n.value(1), *axis, epsilon, wide));
}

template <GeluKind kind> void biasedGelu(NodeContext &n) {
  Value x = n.value(0);
  if (n.has(1))
    x = n.e.add(x, n.value(1));
  n.out(0, n.e.make<GeluOp>(x, kind));
}

void quickGelu(NodeContext &n) {
  Value x = n.value(0);
  Value scaled = n.e.mul(x, n.e.scalarLike(n.real("alpha", 1.702f), x));
  n.out(0, n.e.mul(x, n.e.make<SigmoidOp>(scaled)));
}

void fusedMatMul(NodeContext &n) {
  Emitter &e = n.e;
  double alpha = n.real("alpha", 1);
  if (n.integer("transBatchA", 0) || n.integer("transBatchB", 0))
    return n.unsupportedAttribute("transBatch", "1");
  auto turned = [&](Value x, StringRef name) {
    if (!n.integer(name, 0) || !x || e.rank(x) < 2)
      return x;
    SmallVector<int64_t> order = to_vector(llvm::seq<int64_t>(0, e.rank(x)));
    std::swap(order[order.size() - 2], order[order.size() - 1]);
    return e.transpose(x, order);
  };
  Value y =
      e.matmul(turned(n.value(0), "transA"), turned(n.value(1), "transB"));
  n.out(0, alpha == 1 ? y : e.mul(y, e.scalarLike(alpha, y)));
}

} // namespace

void addContribOps(Registry &r) {
  r.addIn(kMicrosoft, "SkipLayerNormalization", 1, skipNormalization<false>);
  r.addIn(kMicrosoft, "SkipSimplifiedLayerNormalization", 1,
          skipNormalization<true>);
  r.addIn(kMicrosoft, "SimplifiedLayerNormalization", 1,
          simplifiedLayerNormalization);
  r.add("SimplifiedLayerNormalization", 1, simplifiedLayerNormalization);
  r.addIn(kMicrosoft, "BiasGelu", 1, biasedGelu<GeluKind::Erf>);
  r.addIn(kMicrosoft, "Gelu", 1, biasedGelu<GeluKind::Erf>);
  r.addIn(kMicrosoft, "FastGelu", 1, biasedGelu<GeluKind::Tanh>);
  r.addIn(kMicrosoft, "QuickGelu", 1, quickGelu);
  r.addIn(kMicrosoft, "FusedMatMul", 1, fusedMatMul);
}

} // namespace ingot::onnxin
