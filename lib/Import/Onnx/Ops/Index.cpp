//===- Index.cpp - gathers, scatters, order along an axis -----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "../Importer.h"
#include "../Registry.h"
#include "llvm/ADT/StringSwitch.h"

using namespace llvm;
using namespace mlir;

namespace ingot::onnxin {
namespace {

void gather(NodeContext &n) {
  std::optional<int64_t> axis = n.normalAxis(n.integer("axis", 0), n.rank(0));
  if (axis)
    n.out(0, n.e.make<GatherOp>(n.value(0), n.value(1), *axis));
}

void gatherElements(NodeContext &n) {
  std::optional<int64_t> axis = n.normalAxis(n.integer("axis", 0), n.rank(0));
  if (axis)
    n.out(0, n.e.make<GatherElementsOp>(n.value(0), n.value(1), *axis));
}

void gatherNd(NodeContext &n) {
  int64_t batch = n.integer("batch_dims", 0);
  if (n.rank(1) == 0 || batch < 0 || batch >= std::min(n.rank(0), n.rank(1)))
    return n.error("batch_dims = " + Twine(batch));
  if (!n.dims(1).back().isConstant())
    return n.dataDependent("the number of indexed dims");
  n.out(0, n.e.make<GatherNdOp>(n.value(0), n.value(1), batch));
}

std::optional<ScatterKind> scatterKind(NodeContext &n) {
  std::string name = n.text("reduction", "none");
  std::optional<ScatterKind> kind =
      llvm::StringSwitch<std::optional<ScatterKind>>(name)
          .Case("none", ScatterKind::None)
          .Case("add", ScatterKind::Add)
          .Case("mul", ScatterKind::Mul)
          .Case("max", ScatterKind::Max)
          .Case("min", ScatterKind::Min)
          .Default(std::nullopt);
  if (!kind)
    n.unsupportedAttribute("reduction", name);
  return kind;
}

void scatterElements(NodeContext &n) {
  std::optional<int64_t> axis = n.normalAxis(n.integer("axis", 0), n.rank(0));
  std::optional<ScatterKind> kind = scatterKind(n);
  if (!axis || !kind || !n.e.sameElements(n.value(0), n.value(2)))
    return n.failed() ? void() : n.out(0, {});
  n.out(0, n.e.make<ScatterElementsOp>(n.value(0), n.value(1), n.value(2),
                                       *axis, *kind));
}

void scatterNd(NodeContext &n) {
  std::optional<ScatterKind> kind = scatterKind(n);
  if (!kind)
    return;
  if (n.rank(1) == 0 || !n.dims(1).back().isConstant())
    return n.dataDependent("the number of indexed dims");
  if (!n.e.sameElements(n.value(0), n.value(2)))
    return n.out(0, {});
  n.out(0, n.e.make<ScatterNdOp>(n.value(0), n.value(1), n.value(2), *kind));
}

void oneHot(NodeContext &n) {
  std::optional<DimShape> depth = n.expressions(1, "the depth");
  std::optional<int64_t> axis =
      n.normalAxis(n.integer("axis", -1), n.rank(0) + 1);
  if (!depth || !axis)
    return;
  if (depth->size() != 1)
    return n.error("depth is no scalar");
  Value indices = n.value(0);
  Type i64 = n.e.builder.getI64Type();
  if (indices && n.e.element(indices) != i64)
    indices = n.e.cast(indices, i64);
  n.out(0,
        n.e.make<OneHotOp>(indices, n.value(2),
                           DimsAttr::get(n.importer.context(), *depth), *axis));
}

template <typename OpTy> void argExtreme(NodeContext &n) {
  bool last = n.integer("select_last_index", 0) != 0;
  bool keep = n.integer("keepdims", 1) != 0;
  std::optional<int64_t> axis = n.normalAxis(n.integer("axis", 0), n.rank(0));
  if (axis)
    n.out(0, n.e.make<OpTy>(n.value(0), *axis, keep, last));
}

void topKOf(NodeContext &n, ArrayRef<DimExpr> k) {
  bool largest = n.integer("largest", 1) != 0;
  // Unsorted results may come in any order, so sorted ones will do.
  n.ignore({"sorted"});
  std::optional<int64_t> axis = n.normalAxis(n.integer("axis", -1), n.rank(0));
  if (!axis)
    return;
  if (k.size() != 1)
    return n.error("k is no scalar");
  const DimExpr &extent = n.dims(0)[*axis];
  if (auto rest = (extent - k[0]).upperBound(); rest && *rest < 0)
    return n.error("k = " + k[0].str() + " of " + extent.str() + " elements");
  auto attribute = DimsAttr::get(n.importer.context(), k);
  if (n.wants(0))
    n.out(0, n.e.make<TopKValuesOp>(n.value(0), attribute, *axis, largest));
  if (n.wants(1))
    n.out(1, n.e.make<TopKIndicesOp>(n.value(0), attribute, *axis, largest));
}

void topK(NodeContext &n) {
  if (std::optional<DimShape> k = n.expressions(1, "k"))
    topKOf(n, *k);
}

/// Before opset 10 k is an attribute.
void topK1(NodeContext &n) {
  topKOf(n, {DimExpr::constant(n.integer("k", 0))});
}

template <typename OpTy> void cumulative(NodeContext &n) {
  bool exclusive = n.integer("exclusive", 0) != 0;
  bool reverse = n.integer("reverse", 0) != 0;
  std::optional<SmallVector<int64_t>> given = n.constants(1, "the axis");
  if (!given)
    return;
  if (given->size() != 1)
    return n.error("its axis is no scalar");
  std::optional<int64_t> axis = n.normalAxis(given->front(), n.rank(0));
  if (axis)
    n.out(0, n.e.make<OpTy>(n.value(0), *axis, exclusive, reverse));
}

/// Writes `update` into `past` along an axis, from a position of each batch
/// row.
void tensorScatter(NodeContext &n) {
  Emitter &e = n.e;
  std::string mode = n.text("mode", "linear");
  if (mode != "linear" && mode != "circular")
    return n.unsupportedAttribute("mode", mode);
  int64_t rank = n.rank(0);
  std::optional<int64_t> axis = n.normalAxis(n.integer("axis", -2), rank);
  if (!axis)
    return;
  if (*axis == 0 || n.rank(1) != rank)
    return n.error("its axis or its operands' ranks");
  Type i64 = e.builder.getI64Type();
  Value at = n.has(2) ? e.cast(n.value(2), i64)
                      : e.broadcastTo(e.scalar(0, i64), {n.dims(0)[0]});
  n.out(0, e.make<WriteRowsOp>(n.value(0), n.value(1), at, *axis,
                               mode == "circular"));
}

void dataDependent(NodeContext &n) { n.dataDependent("the result's extent"); }

} // namespace

void addIndexOps(Registry &r) {
  r.add("Gather", 1, gather);
  r.add("GatherElements", 11, gatherElements);
  r.add("GatherND", 11, gatherNd);
  r.add("Scatter", 9, scatterElements);
  r.add("ScatterElements", 11, scatterElements);
  r.add("ScatterND", 11, scatterNd);
  r.add("OneHot", 9, oneHot);
  r.add("ArgMax", 1, argExtreme<ArgMaxOp>);
  r.add("ArgMin", 1, argExtreme<ArgMinOp>);
  r.add("TopK", 1, topK1);
  r.add("TopK", 10, topK);
  r.add("CumSum", 11, cumulative<CumSumOp>);
  r.add("CumProd", 26, cumulative<CumProdOp>);
  r.add("TensorScatter", 24, tensorScatter);
  r.add("NonZero", 9, dataDependent);
  r.add("Compress", 9, dataDependent);
  r.add("Unique", 11, dataDependent);
  r.add("NonMaxSuppression", 10, dataDependent);
}

} // namespace ingot::onnxin
