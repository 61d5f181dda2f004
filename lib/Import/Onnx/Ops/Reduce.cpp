//===- Reduce.cpp - reductions over axes ----------------------------------===//
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

bool isPlain(ReduceKind kind) {
  return kind == ReduceKind::Sum || kind == ReduceKind::Prod ||
         kind == ReduceKind::Max || kind == ReduceKind::Min ||
         kind == ReduceKind::Mean;
}

/// Axes come as an attribute or as the second input; none means all, or no
/// reduction at all if the node says so.
template <ReduceKind kind> void reduce(NodeContext &n) {
  bool keep = n.integer("keepdims", 1) != 0;
  bool noop = n.integer("noop_with_empty_axes", 0) != 0;
  std::optional<SmallVector<int64_t>> axes = n.axes(1);
  if (n.failed())
    return;
  if (!axes || axes->empty()) {
    axes = to_vector(llvm::seq<int64_t>(0, n.rank(0)));
    if (noop) {
      // Folding nothing still applies what comes before and after the sum.
      axes->clear();
      if (isPlain(kind))
        return n.pass(0, 0);
    }
  }
  if (!n.normalAxes(*axes, n.rank(0)))
    return;
  Value x = n.value(0);
  if (x && n.e.element(x).isInteger(1) && isPlain(kind)) {
    // Booleans are ordered false, true.
    Value wide = n.e.cast(x, n.e.builder.getI8Type());
    return n.out(0, n.e.cast(n.e.reduce(kind, wide, *axes, keep),
                             n.e.builder.getI1Type()));
  }
  n.out(0, n.e.reduce(kind, x, *axes, keep));
}

} // namespace

void addReduceOps(Registry &r) {
  r.add("ReduceSum", 1, reduce<ReduceKind::Sum>);
  r.add("ReduceProd", 1, reduce<ReduceKind::Prod>);
  r.add("ReduceMax", 1, reduce<ReduceKind::Max>);
  r.add("ReduceMin", 1, reduce<ReduceKind::Min>);
  r.add("ReduceMean", 1, reduce<ReduceKind::Mean>);
  r.add("ReduceL1", 1, reduce<ReduceKind::L1>);
  r.add("ReduceL2", 1, reduce<ReduceKind::L2>);
  r.add("ReduceLogSum", 1, reduce<ReduceKind::LogSum>);
  r.add("ReduceLogSumExp", 1, reduce<ReduceKind::LogSumExp>);
  r.add("ReduceSumSquare", 1, reduce<ReduceKind::SumSquare>);
}

} // namespace ingot::onnxin
