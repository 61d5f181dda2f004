//===- Conv.cpp - convolutions and pooling --------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Conv.h"

using namespace llvm;
using namespace mlir;

namespace ingot::onnxin {
namespace {

DimExpr constant(int64_t value) { return DimExpr::constant(value); }

/// Windows over the spatial dims: one entry a dim, pads lows then highs.
struct Window {
  SmallVector<int64_t> kernel, strides, dilations, pads;
  /// Pads that depend on dims; used when `pads` could not be constants.
  DimShape low, high;
  bool symbolic = false;
};

/// Attributes beyond this can only be meant to exhaust something.
bool isReasonable(ArrayRef<int64_t> values, int64_t least) {
  return llvm::all_of(values, [&](int64_t value) {
    return value >= least && value <= (1 << 24);
  });
}

/// Reads strides, dilations and pads; auto_pad turns into pads.
bool readWindow(NodeContext &n, const DimShape &dims,
                SmallVector<int64_t> kernel, Window &w) {
  size_t spatial = dims.size() - 2;
  w.kernel = std::move(kernel);
  w.strides =
      n.optionalIntegers("strides").value_or(SmallVector<int64_t>(spatial, 1));
  w.dilations = n.optionalIntegers("dilations")
                    .value_or(SmallVector<int64_t>(spatial, 1));
  w.pads =
      n.optionalIntegers("pads").value_or(SmallVector<int64_t>(2 * spatial, 0));
  std::string autoPad = n.text("auto_pad", "NOTSET");
  if (w.strides.size() != spatial || w.dilations.size() != spatial ||
      w.pads.size() != 2 * spatial || w.kernel.size() != spatial ||
      !isReasonable(w.strides, 1) || !isReasonable(w.dilations, 1) ||
      !isReasonable(w.pads, 0) || !isReasonable(w.kernel, 1)) {
    n.error("strides, dilations, pads or kernel do not fit " + Twine(spatial) +
            " spatial dims");
    return false;
  }
  if (autoPad == "VALID")
    w.pads.assign(2 * spatial, 0);
  if (autoPad == "NOTSET" || autoPad == "VALID" || autoPad.empty())
    return true;
  if (autoPad != "SAME_UPPER" && autoPad != "SAME_LOWER") {
    n.error("auto_pad = '" + autoPad + "'");
    return false;
  }
  w.low.assign(dims.size(), DimExpr());
  w.high.assign(dims.size(), DimExpr());
  for (size_t i = 0; i != spatial; ++i) {
    // As many windows as steps fit into the extent.
    const DimExpr stride = constant(w.strides[i]), &in = dims[i + 2];
    DimExpr out = DimExpr::ceilDiv(in, stride);
    DimExpr needed = (out - constant(1)) * stride +
                     constant((w.kernel[i] - 1) * w.dilations[i] + 1);
    DimExpr total = DimExpr::max(needed - in, DimExpr());
    DimExpr less = DimExpr::floorDiv(total, constant(2)), more = total - less;
    bool upper = autoPad == "SAME_UPPER";
    w.low[i + 2] = upper ? less : more;
    w.high[i + 2] = upper ? more : less;
    std::optional<int64_t> low = w.low[i + 2].getConstant(),
                           high = w.high[i + 2].getConstant();
    w.symbolic |= !low || !high;
    w.pads[i] = low.value_or(0);
    w.pads[spatial + i] = high.value_or(0);
  }
  if (w.symbolic)
    w.pads.assign(2 * spatial, 0);
  return true;
}

/// The extents of a weight's kernel, or the attribute that repeats them.
std::optional<SmallVector<int64_t>> kernelOf(NodeContext &n,
                                             ArrayRef<DimExpr> spatial) {
  SmallVector<int64_t> kernel = n.integers("kernel_shape");
  if (!kernel.empty()) {
    for (size_t i = 0; i != std::min(kernel.size(), spatial.size()); ++i)
      if (spatial[i].isConstant() && !spatial[i].isConstant(kernel[i])) {
        n.error("kernel_shape differs from the weight's");
        return std::nullopt;
      }
    return kernel;
  }
  for (const DimExpr &dim : spatial) {
    if (!dim.isConstant()) {
      n.dataDependent("the kernel's extent");
      return std::nullopt;
    }
    kernel.push_back(*dim.getConstant());
  }
  return kernel;
}

/// The weight with its kernel's extents as numbers: where only the attribute
/// says them, the file claims that they are so, which is checked when run.
Value withKernel(Emitter &e, Value w, ArrayRef<int64_t> kernel) {
  DimShape dims = e.dims(w);
  if (kernel.size() + 2 != dims.size())
    return w;
  for (auto [i, extent] : enumerate(kernel))
    dims[i + 2] = constant(extent);
  return e.reshape(w, dims);
}

} // namespace

Value convolve(NodeContext &n, Value x, Value w, Value bias) {
  Emitter &e = n.e;
  int64_t group = n.integer("group", 1);
  if (!x || !w)
    return {};
  const DimShape dx = e.dims(x), dw = e.dims(w);
  if (dx.size() < 3 || dw.size() != dx.size() || group <= 0 ||
      group > (1 << 24))
    return e.fail("a convolution of " + e.describe(x) + " with " +
                  e.describe(w));
  std::optional<SmallVector<int64_t>> kernel =
      kernelOf(n, ArrayRef(dw).drop_front(2));
  Window window;
  if (!kernel || !readWindow(n, dx, *kernel, window))
    return {};
  if (window.symbolic)
    x = e.pad(x, {}, window.low, window.high);
  w = withKernel(e, w, *kernel);
  if (!e.sameElements(x, w))
    return {};
  if (bias)
    return e.make<ConvOp>(x, w, bias, window.strides, window.dilations,
                          window.pads, group);
  return e.make<ConvOp>(x, w, nullptr, window.strides, window.dilations,
                        window.pads, group);
}

namespace {

void conv(NodeContext &n) {
  Value y = convolve(n, n.value(0), n.value(1), n.value(2));
  if (!n.failed())
    n.out(0, y);
}

/// Each element followed by `gaps[i]` zeros, but the last, along spatial dims.
Value spread(Emitter &e, Value x, ArrayRef<int64_t> strides) {
  const DimShape from = e.dims(x);
  DimShape open(from.begin(), from.begin() + 2), low(2), high(2), wide = open,
                                                                  sizes = open;
  for (size_t i = 0; i != strides.size(); ++i) {
    const DimExpr &dim = from[i + 2];
    open.push_back(dim);
    open.push_back(constant(1));
    low.append(2, DimExpr());
    high.push_back(DimExpr());
    high.push_back(constant(strides[i] - 1));
    wide.push_back(dim * constant(strides[i]));
    sizes.push_back((dim - constant(1)) * constant(strides[i]) + constant(1));
  }
  x = e.reshape(e.pad(e.reshape(x, open), {}, low, high), wide);
  return e.slice(x, DimShape(from.size()), sizes,
                 SmallVector<int64_t>(from.size(), 1));
}

/// A convolution of the operand, spread by the strides, with the mirrored
/// kernel.
void convTranspose(NodeContext &n) {
  Emitter &e = n.e;
  int64_t group = n.integer("group", 1);
  Value x = n.value(0), w = n.value(1);
  if (!x || !w)
    return n.out(0, {});
  const DimShape dx = n.dims(0);
  DimShape dw = n.dims(1);
  if (dx.size() < 3 || dw.size() != dx.size() || group <= 0 ||
      group > (1 << 24))
    return n.error("its operands' ranks or group");
  size_t spatial = dx.size() - 2;
  std::optional<SmallVector<int64_t>> kernel =
      kernelOf(n, ArrayRef(dw).drop_front(2));
  std::string autoPad = n.text("auto_pad", "NOTSET");
  SmallVector<int64_t> extra = n.optionalIntegers("output_padding")
                                   .value_or(SmallVector<int64_t>(spatial, 0));
  std::optional<SmallVector<int64_t>> outputShape =
      n.optionalIntegers("output_shape");
  SmallVector<int64_t> strides =
      n.optionalIntegers("strides").value_or(SmallVector<int64_t>(spatial, 1));
  SmallVector<int64_t> dilations =
      n.optionalIntegers("dilations")
          .value_or(SmallVector<int64_t>(spatial, 1));
  SmallVector<int64_t> pads =
      n.optionalIntegers("pads").value_or(SmallVector<int64_t>(2 * spatial, 0));
  if (!kernel)
    return;
  if (outputShape && outputShape->size() == spatial + 2)
    outputShape->erase(outputShape->begin(), outputShape->begin() + 2);
  if (kernel->size() != spatial || extra.size() != spatial ||
      strides.size() != spatial || dilations.size() != spatial ||
      pads.size() != 2 * spatial ||
      (outputShape && outputShape->size() != spatial) ||
      !isReasonable(strides, 1) || !isReasonable(dilations, 1) ||
      !isReasonable(pads, 0) || !isReasonable(extra, 0) ||
      !isReasonable(*kernel, 1))
    return n.error("its attributes do not fit " + Twine(spatial) +
                   " spatial dims");
  bool same = autoPad == "SAME_UPPER" || autoPad == "SAME_LOWER";
  DimShape low(dx.size()), high(dx.size());
  for (size_t i = 0; i != spatial; ++i) {
    int64_t reach = ((*kernel)[i] - 1) * dilations[i];
    DimExpr before = constant(pads[i]), after = constant(pads[spatial + i]);
    const DimExpr stride = constant(strides[i]), &in = dx[i + 2];
    if (outputShape || same) {
      DimExpr wanted = outputShape ? constant((*outputShape)[i]) : in * stride;
      DimExpr total =
          stride * (in - constant(1)) + constant(extra[i] + reach + 1) - wanted;
      DimExpr less = DimExpr::floorDiv(total, constant(2));
      before = autoPad == "SAME_UPPER" ? less : total - less;
      after = total - before;
    }
    low[i + 2] = constant(reach) - before;
    high[i + 2] = constant(reach + extra[i]) - after;
  }
  w = withKernel(e, w, *kernel);
  if (!w)
    return n.out(0, {});
  dw = e.dims(w);
  x = e.pad(spread(e, x, strides), {}, low, high);
  // C x M/g x k as M x C/g x k, mirrored.
  DimExpr g = constant(group);
  DimShape split{g, DimExpr::floorDiv(dw[0], g), dw[1]},
      merged{dw[1] * g, split[1]};
  split.append(dw.begin() + 2, dw.end());
  merged.append(dw.begin() + 2, dw.end());
  SmallVector<int64_t> order{0, 2, 1};
  for (size_t i = 0; i != spatial; ++i)
    order.push_back(3 + i);
  w = e.reshape(e.transpose(e.reshape(w, split), order), merged);
  for (size_t i = 0; i != spatial; ++i)
    w = e.make<ReverseOp>(w, nullptr, int64_t(i + 2), int64_t(0));
  SmallVector<int64_t> ones(spatial, 1), none(2 * spatial, 0);
  if (!e.sameElements(x, w))
    return n.out(0, {});
  if (n.has(2))
    return n.out(
        0, e.make<ConvOp>(x, w, n.value(2), ones, dilations, none, group));
  n.out(0, e.make<ConvOp>(x, w, nullptr, ones, dilations, none, group));
}

template <PoolKind kind> void pool(NodeContext &n) {
  bool ceil = n.integer("ceil_mode", 0) != 0;
  bool countPad =
      kind == PoolKind::Average && n.integer("count_include_pad", 0) != 0;
  int64_t p = kind == PoolKind::Lp ? n.integer("p", 2) : 2;
  // The order in which indices count matters only where they are wanted.
  n.ignore({"storage_order"});
  if (n.wants(1))
    return n.unsupportedAttribute("Indices", "an output");
  if (n.rank(0) < 3)
    return n.error("rank " + Twine(n.rank(0)));
  Window w;
  if (!readWindow(n, n.dims(0), n.integers("kernel_shape"), w))
    return;
  if (w.symbolic)
    return n.unsupportedAttribute("auto_pad",
                                  "SAME with dims known only when run");
  n.out(0, n.e.make<PoolOp>(kind, n.value(0), ArrayRef<int64_t>(w.kernel),
                            ArrayRef<int64_t>(w.strides),
                            ArrayRef<int64_t>(w.dilations),
                            ArrayRef<int64_t>(w.pads), ceil, countPad, p));
}

template <ReduceKind kind> void globalPool(NodeContext &n) {
  if (n.rank(0) < 3)
    return n.error("rank " + Twine(n.rank(0)));
  SmallVector<int64_t> axes = to_vector(llvm::seq<int64_t>(2, n.rank(0)));
  n.out(0, n.e.reduce(kind, n.value(0), axes, true));
}

} // namespace

void addConvOps(Registry &r) {
  r.add("Conv", 1, conv);
  r.add("ConvTranspose", 1, convTranspose);
  r.add("MaxPool", 1, pool<PoolKind::Max>);
  r.add("AveragePool", 1, pool<PoolKind::Average>);
  r.add("LpPool", 2, pool<PoolKind::Lp>);
  r.add("GlobalAveragePool", 1, globalPool<ReduceKind::Mean>);
  r.add("GlobalMaxPool", 1, globalPool<ReduceKind::Max>);
}

} // namespace ingot::onnxin
