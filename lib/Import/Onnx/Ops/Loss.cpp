//===- Loss.cpp - losses as gathers and reductions ------------------------===//
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

/// The negative log likelihood of `target` (N x d...) under `logs`
/// (N x C x d...), weighted by class, folded as `reduction` says.
void likelihood(NodeContext &n, Value logs, Value target, Value weight) {
  Emitter &e = n.e;
  std::string reduction = n.text("reduction", "mean");
  bool ignores = n.hasAttribute("ignore_index");
  int64_t ignored = n.integer("ignore_index", 0);
  if (reduction != "mean" && reduction != "sum" && reduction != "none")
    return n.error("reduction = '" + reduction + "'");
  if (!logs || !target)
    return n.out(0, {});
  if (e.rank(logs) < 2 || e.rank(target) != e.rank(logs) - 1)
    return n.error("the ranks of scores and labels");
  Type type = e.element(logs);
  Type i64 = e.builder.getI64Type();
  Value labels = e.cast(target, i64), isIgnored;
  if (ignores) {
    // Ignored labels need not name a class.
    isIgnored = e.binary<EqualOp>(labels, e.scalar(double(ignored), i64));
    labels = e.where(isIgnored, e.scalar(0, i64), labels);
  }
  Value picked = e.make<GatherElementsOp>(logs, e.unsqueeze(labels, {1}), 1);
  Value loss = e.neg(e.squeeze(picked, {1}));
  Value share;
  if (weight)
    share = e.make<GatherOp>(weight, labels, 0);
  else if (ignores)
    share = e.full(e.scalar(1, type), e.dims(target));
  if (ignores)
    share = e.where(isIgnored, e.scalar(0, type), share);
  if (share)
    loss = e.mul(loss, share);
  if (reduction == "none")
    return n.out(0, loss);
  SmallVector<int64_t> axes = to_vector(llvm::seq<int64_t>(0, e.rank(target)));
  if (reduction == "mean" && !share)
    return n.out(0, e.reduce(ReduceKind::Mean, loss, axes, false));
  Value total = e.reduce(ReduceKind::Sum, loss, axes, false);
  if (reduction == "mean")
    total = e.div(total, e.reduce(ReduceKind::Sum, share, axes, false));
  n.out(0, total);
}

void negativeLogLikelihood(NodeContext &n) {
  likelihood(n, n.value(0), n.value(1), n.value(2));
}

void softmaxCrossEntropy(NodeContext &n) {
  if (n.rank(0) < 2)
    return n.error("rank " + Twine(n.rank(0)));
  Value logs = n.e.softmax(n.value(0), 1, /*log=*/true);
  likelihood(n, logs, n.value(1), n.value(2));
  if (n.wants(1) && !n.failed())
    n.out(1, logs);
}

} // namespace

void addLossOps(Registry &r) {
  r.add("NegativeLogLikelihoodLoss", 12, negativeLogLikelihood);
  r.add("SoftmaxCrossEntropyLoss", 12, softmaxCrossEntropy);
}

} // namespace ingot::onnxin
