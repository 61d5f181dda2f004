//===- Norm.cpp - normalizations ------------------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Norm.h"

using namespace llvm;
using namespace mlir;

namespace ingot::onnxin {

Value rsqrtOf(Emitter &e, Value x, double epsilon) {
  Value shifted = e.add(x, e.scalarLike(epsilon, x));
  return e.make<ReciprocalOp>(e.make<SqrtOp>(shifted));
}

Moments momentsOf(Emitter &e, Value x, ArrayRef<int64_t> axes) {
  Moments result;
  result.mean = e.reduce(ReduceKind::Mean, x, axes, true);
  result.centred = e.sub(x, result.mean);
  result.variance = e.reduce(ReduceKind::Mean,
                             e.mul(result.centred, result.centred), axes, true);
  return result;
}

/// Whether `vector` has exactly the dims of `x` from `axis` on.
static bool coversTail(Emitter &e, Value vector, Value x, int64_t axis) {
  return ArrayRef<DimExpr>(e.dims(vector)) ==
         ArrayRef<DimExpr>(e.dims(x)).drop_front(axis);
}

Value layerNormFrom(Emitter &e, Value x, Value gamma, Value beta, int64_t axis,
                    double epsilon, NormStatistics *statistics) {
  if (!x || !gamma)
    return {};
  int64_t rank = e.rank(x);
  bool plain = !statistics && e.element(x).isF32() &&
               e.element(gamma).isF32() && coversTail(e, gamma, x, axis) &&
               (!beta || coversTail(e, beta, x, axis));
  if (plain) {
    DimShape shape = e.dims(x);
    Value rows = e.mergeDims(x, axis, rank);
    Value scale = e.mergeDims(gamma, 0, e.rank(gamma));
    Value shift = beta ? e.mergeDims(beta, 0, e.rank(beta)) : Value();
    return e.reshape(e.layerNorm(rows, scale, shift, epsilon), shape);
  }
  // In 32 bits at least, rounded before scale and bias.
  Type type = e.element(x);
  Value wide =
      type.getIntOrFloatBitWidth() < 32 ? e.cast(x, e.builder.getF32Type()) : x;
  SmallVector<int64_t> axes = to_vector(llvm::seq<int64_t>(axis, rank));
  Moments moments = momentsOf(e, wide, axes);
  Value inverse = rsqrtOf(e, moments.variance, epsilon);
  if (statistics) {
    statistics->mean = moments.mean;
    statistics->inverse = inverse;
  }
  Value y = e.cast(e.mul(moments.centred, inverse), type);
  y = e.mul(y, gamma);
  return beta ? e.add(y, beta) : y;
}

Value rmsNormFrom(Emitter &e, Value x, Value gamma, int64_t axis,
                  double epsilon, bool wide) {
  if (!x || !gamma)
    return {};
  int64_t rank = e.rank(x);
  if (e.element(x).isF32() && e.element(gamma).isF32() &&
      coversTail(e, gamma, x, axis)) {
    DimShape shape = e.dims(x);
    Value rows = e.mergeDims(x, axis, rank);
    return e.reshape(
        e.rmsNorm(rows, e.mergeDims(gamma, 0, e.rank(gamma)), epsilon), shape);
  }
  Type type = e.element(x);
  Value v = wide && type.getIntOrFloatBitWidth() < 32
                ? e.cast(x, e.builder.getF32Type())
                : x;
  SmallVector<int64_t> axes = to_vector(llvm::seq<int64_t>(axis, rank));
  Value mean = e.reduce(ReduceKind::Mean, e.mul(v, v), axes, true);
  Value y = e.cast(e.mul(v, rsqrtOf(e, mean, epsilon)), type);
  return e.mul(y, gamma);
}

namespace {

void layerNormalization(NodeContext &n) {
  double epsilon = n.real("epsilon", 1e-5f);
  n.ignore({"stash_type"});
  std::optional<int64_t> axis = n.normalAxis(n.integer("axis", -1), n.rank(0));
  if (!axis)
    return;
  NormStatistics statistics;
  bool wanted = n.wants(1) || n.wants(2);
  n.out(0, layerNormFrom(n.e, n.value(0), n.value(1), n.value(2), *axis,
                         epsilon, wanted ? &statistics : nullptr));
  if (n.wants(1))
    n.out(1, statistics.mean);
  if (n.wants(2))
    n.out(2, statistics.inverse);
}

void rmsNormalization(NodeContext &n) {
  double epsilon = n.real("epsilon", 1e-5f);
  bool wide = n.integer("stash_type", 1) == 1;
  std::optional<int64_t> axis = n.normalAxis(n.integer("axis", -1), n.rank(0));
  if (axis)
    n.out(0, rmsNormFrom(n.e, n.value(0), n.value(1), *axis, epsilon, wide));
}

/// (x - mean) / sqrt(variance + epsilon) * scale + bias, vectors along axis 1.
Value normalizeChannels(NodeContext &n, Value mean, Value variance,
                        double epsilon) {
  Emitter &e = n.e;
  int64_t rank = n.rank(0);
  Value x = n.value(0);
  Type type = n.type(0);
  auto channels = [&](Value vector) {
    return e.alongAxis(e.cast(vector, type), 1, rank);
  };
  Value y =
      e.mul(e.sub(x, channels(mean)), rsqrtOf(e, channels(variance), epsilon));
  return e.add(e.mul(y, channels(n.value(1))), channels(n.value(2)));
}

void batchNormalization(NodeContext &n) {
  Emitter &e = n.e;
  double epsilon = n.real("epsilon", 1e-5f),
         momentum = n.real("momentum", 0.9f);
  n.ignore({"is_test"});
  if (n.integer("spatial", 1) != 1)
    return n.unsupportedAttribute("spatial", "0");
  if (n.rank(0) < 2)
    return n.error("rank " + Twine(n.rank(0)));
  if (!n.integer("training_mode", 0)) {
    if (n.wants(1))
      return n.unsupportedAttribute("training_mode", "1 by its outputs");
    return n.out(0, normalizeChannels(n, n.value(3), n.value(4), epsilon));
  }
  SmallVector<int64_t> axes{0};
  for (int64_t i = 2; i < n.rank(0); ++i)
    axes.push_back(i);
  Moments moments = momentsOf(e, n.value(0), axes);
  Value mean = e.squeeze(moments.mean, axes),
        variance = e.squeeze(moments.variance, axes);
  n.out(0, normalizeChannels(n, mean, variance, epsilon));
  auto running = [&](Value old, Value now) {
    return e.add(e.mul(old, e.scalarLike(momentum, old)),
                 e.mul(now, e.scalarLike(1 - momentum, now)));
  };
  if (n.wants(1))
    n.out(1, running(n.value(3), mean));
  if (n.wants(2))
    n.out(2, running(n.value(4), variance));
}

void instanceNormalization(NodeContext &n) {
  Emitter &e = n.e;
  double epsilon = n.real("epsilon", 1e-5f);
  if (n.rank(0) < 3)
    return n.error("rank " + Twine(n.rank(0)));
  Moments m =
      momentsOf(e, n.value(0), to_vector(llvm::seq<int64_t>(2, n.rank(0))));
  Value y = e.mul(m.centred, rsqrtOf(e, m.variance, epsilon));
  y = e.mul(y, e.alongAxis(n.value(1), 1, n.rank(0)));
  n.out(0, e.add(y, e.alongAxis(n.value(2), 1, n.rank(0))));
}

/// Scale and bias are per group before opset 21, per channel from then on.
template <bool perChannel> void groupNormalization(NodeContext &n) {
  Emitter &e = n.e;
  double epsilon = n.real("epsilon", 1e-5f);
  int64_t groups = n.integer("num_groups", 0);
  n.ignore({"stash_type"});
  if (n.rank(0) < 3 || groups <= 0 || groups > (1 << 20))
    return n.error("num_groups or rank");
  const DimShape dims = n.dims(0);
  DimShape split{dims[0], DimExpr::constant(groups),
                 DimExpr::floorDiv(dims[1], DimExpr::constant(groups)) *
                     product(ArrayRef(dims).drop_front(2))};
  Type type = n.type(0);
  Value x = e.cast(n.value(0), type.getIntOrFloatBitWidth() < 32
                                   ? Type(e.builder.getF32Type())
                                   : type);
  Moments m = momentsOf(e, e.reshape(x, split), {2});
  Value y = e.cast(e.mul(m.centred, rsqrtOf(e, m.variance, epsilon)), type);
  auto scaled = [&](int64_t rank) {
    y = e.mul(y, e.alongAxis(n.value(1), 1, rank));
    y = e.add(y, e.alongAxis(n.value(2), 1, rank));
  };
  if (!perChannel)
    scaled(3);
  y = e.reshape(y, dims);
  if (perChannel)
    scaled(dims.size());
  n.out(0, y);
}

void lpNormalization(NodeContext &n) {
  Emitter &e = n.e;
  int64_t p = n.integer("p", 2);
  std::optional<int64_t> axis = n.normalAxis(n.integer("axis", -1), n.rank(0));
  if (!axis)
    return;
  if (p != 1 && p != 2)
    return n.unsupportedAttribute("p", Twine(p));
  Value x = n.value(0);
  Value norm =
      e.reduce(p == 1 ? ReduceKind::L1 : ReduceKind::L2, x, {*axis}, true);
  Value zero = e.scalarLike(0, x);
  Value isZero = e.binary<EqualOp>(norm, zero);
  n.out(0, e.where(isZero, zero, e.div(x, norm)));
}

void meanVarianceNormalization(NodeContext &n) {
  Emitter &e = n.e;
  SmallVector<int64_t> axes =
      n.optionalIntegers("axes").value_or(SmallVector<int64_t>{0, 2, 3});
  if (!n.normalAxes(axes, n.rank(0)))
    return;
  Moments m = momentsOf(e, n.value(0), axes);
  Value deviation = e.make<SqrtOp>(m.variance);
  n.out(0, e.div(m.centred, e.add(deviation, e.scalarLike(1e-9, deviation))));
}

/// Divides by a power of the sum of squares over a window of channels.
void localResponse(NodeContext &n) {
  Emitter &e = n.e;
  int64_t size = n.integer("size", 0);
  double alpha = n.real("alpha", 1e-4f), beta = n.real("beta", 0.75f),
         bias = n.real("bias", 1);
  if (size <= 0 || size > 4096 || n.rank(0) < 2)
    return n.error("size or rank");
  Value x = n.value(0);
  DimShape low(n.rank(0)), high(n.rank(0));
  low[1] = DimExpr::constant((size - 1) / 2);
  high[1] = DimExpr::constant(size - 1 - (size - 1) / 2);
  Value squares = e.pad(e.mul(x, x), {}, low, high);
  Value total;
  for (int64_t i = 0; i != size; ++i) {
    Value part = e.sliceAxis(squares, 1, DimExpr::constant(i), n.dims(0)[1]);
    total = i ? e.add(total, part) : part;
  }
  Value base = e.add(e.mul(total, e.scalarLike(alpha / double(size), x)),
                     e.scalarLike(bias, x));
  n.out(0, e.div(x, e.make<PowOp>(base, e.scalarLike(beta, x))));
}

} // namespace

void addNormOps(Registry &r) {
  r.add("LayerNormalization", 1, layerNormalization);
  r.add("RMSNormalization", 23, rmsNormalization);
  r.add("BatchNormalization", 7, batchNormalization);
  r.add("InstanceNormalization", 6, instanceNormalization);
  r.add("GroupNormalization", 18, groupNormalization<false>);
  r.add("GroupNormalization", 21, groupNormalization<true>);
  r.add("LpNormalization", 1, lpNormalization);
  r.add("MeanVarianceNormalization", 9, meanVarianceNormalization);
  r.add("LRN", 1, localResponse);
}

} // namespace ingot::onnxin
