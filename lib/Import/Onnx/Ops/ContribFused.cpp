//===- ContribFused.cpp - what ONNX Runtime's optimizers fuse -------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "../Importer.h"
#include "Conv.h"
#include "Linear.h"
#include "Norm.h"

using namespace llvm;
using namespace mlir;

namespace ingot::onnxin {
namespace {

constexpr StringLiteral kMicrosoft = "com.microsoft";

/// An activation with its parameters alpha and beta.
using Activation = Value (*)(Emitter &, Value, double, double);

template <typename OpTy> Value plain(Emitter &e, Value x, double, double) {
  return e.make<OpTy>(x);
}

template <typename OpTy>
Value scaled(Emitter &e, Value x, double alpha, double) {
  return e.make<OpTy>(x, e.builder.getF64FloatAttr(alpha));
}

Value hardSigmoid(Emitter &e, Value x, double alpha, double beta) {
  return e.make<HardSigmoidOp>(x, e.builder.getF64FloatAttr(alpha),
                               e.builder.getF64FloatAttr(beta));
}

Value clip(Emitter &e, Value x, double low, double high) {
  return e.clip(x, e.scalarLike(low, x), e.scalarLike(high, x));
}

struct KnownActivation {
  StringLiteral name;
  Activation build;
  /// What the parameters are where the node has none.
  double alpha = 0, beta = 0;
};

constexpr KnownActivation kActivations[] = {
    {"Relu", plain<ReluOp>},
    {"Tanh", plain<TanhOp>},
    {"Sigmoid", plain<SigmoidOp>},
    {"Softplus", plain<SoftplusOp>},
    {"Softsign", plain<SoftsignOp>},
    {"LeakyRelu", scaled<LeakyReluOp>, 0.01f},
    {"Elu", scaled<EluOp>, 1},
    {"ThresholdedRelu", scaled<ThresholdedReluOp>, 1},
    {"HardSigmoid", hardSigmoid, 0.2f, 0.5},
    {"Clip", clip, -3.4028234663852886e38, 3.4028234663852886e38},
};

/// What the node says of its activation's parameters.
struct GivenParameters {
  std::optional<double> alpha, beta;
};

/// Applies the activation that the node names.
void outActivated(NodeContext &n, Value y, const GivenParameters &given) {
  std::string name = n.text("activation", "");
  if (n.failed())
    return;
  if (name.empty())
    return n.out(0, y);
  const auto *known = llvm::find_if(kActivations, [&](const auto &activation) {
    return activation.name == name;
  });
  if (known == std::end(kActivations))
    return n.unsupportedAttribute("activation", name);
  n.out(0, known->build(n.e, y, given.alpha.value_or(known->alpha),
                        given.beta.value_or(known->beta)));
}

void fusedGemm(NodeContext &n) {
  GivenParameters given;
  if (n.hasAttribute("activation_alpha"))
    given.alpha = n.real("activation_alpha", 0);
  if (n.hasAttribute("activation_beta"))
    given.beta = n.real("activation_beta", 0);
  n.ignore({"activation_gamma"});
  outActivated(n, generalProduct(n), given);
}

void fusedConv(NodeContext &n) {
  GivenParameters given;
  if (const onnx::AttributeProto *params = n.attribute("activation_params")) {
    if (params->floats_size() > 0)
      given.alpha = params->floats(0);
    if (params->floats_size() > 1)
      given.beta = params->floats(1);
  }
  Value y = convolve(n, n.value(0), n.value(1), n.value(2));
  if (n.failed())
    return;
  // A residual, added before the activation.
  if (n.has(3))
    y = n.e.add(y, n.value(3));
  outActivated(n, y, given);
}

/// The sum of three lookups, normalized: outputs (y, lengths of rows, sum).
void embedLayerNormalization(NodeContext &n) {
  enum { Ids, Segments, Words, Places, SegmentTable, Gamma, Beta, Mask, At };
  Emitter &e = n.e;
  double epsilon = n.real("epsilon", 1e-12f);
  // How a reader of the lengths takes them, which they do not depend on.
  n.ignore({"mask_index_type"});
  for (size_t i : {size_t(Ids), size_t(Words), size_t(Places), size_t(Gamma),
                   size_t(Beta)})
    if (!n.has(i))
      return n.error("it lacks input " + Twine(i));
  if (n.has(Segments) != n.has(SegmentTable))
    return n.error("it has segments without a table, or a table without them");
  if (n.rank(Ids) != 2)
    return n.error("ids of rank " + Twine(n.rank(Ids)));
  for (size_t i : {size_t(Words), size_t(Places), size_t(SegmentTable)})
    if (n.has(i) && n.rank(i) != 2)
      return n.error("'" + n.importer.nameOf(n.node.inputs[i]) +
                     "', a table, has rank " + Twine(n.rank(i)));
  int64_t axis = 0;
  Value ids = n.value(Ids);
  Value at = n.value(At);
  if (!at)
    at = e.iota(n.dims(Ids)[1], e.builder.getI64Type());
  Value sum = e.add(e.make<GatherOp>(n.value(Words), ids, axis),
                    e.make<GatherOp>(n.value(Places), at, axis));
  if (n.has(Segments))
    sum = e.add(
        sum, e.make<GatherOp>(n.value(SegmentTable), n.value(Segments), axis));
  n.out(0, layerNormFrom(e, sum, n.value(Gamma), n.value(Beta), 2, epsilon));
  if (n.wants(1)) {
    Type i32 = e.builder.getI32Type();
    Value mask = n.value(Mask);
    // Rows without a mask have no length; with one it is the count of ones.
    Value ones =
        mask ? e.cast(e.binary<EqualOp>(mask, e.scalarLike(1, mask)), i32)
             : e.full(e.scalar(0, i32), n.dims(Ids));
    n.out(1, e.reduce(ReduceKind::Sum, ones, {1}, /*keepdims=*/false));
  }
  if (n.wants(2))
    n.out(2, sum);
}

} // namespace

void addContribFusedOps(Registry &r) {
  r.addIn(kMicrosoft, "FusedGemm", 1, fusedGemm);
  r.addIn(kMicrosoft, "FusedConv", 1, fusedConv);
  r.addIn(kMicrosoft, "EmbedLayerNormalization", 1, embedLayerNormalization);
}

} // namespace ingot::onnxin
