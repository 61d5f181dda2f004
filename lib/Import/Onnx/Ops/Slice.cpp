//===- Slice.cpp - parts of tensors and borders around them ---------------===//
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

/// Bounds beyond this mean "to the end": exporters write INT64_MAX.
constexpr int64_t kOpenEnd = int64_t(1) << 31;

DimExpr constant(int64_t value) { return DimExpr::constant(value); }

/// A bound of a slice as a position between `low` and `high` in a dim of
/// extent `dim`; negative bounds count from the end.
DimExpr position(const DimExpr &bound, const DimExpr &dim, const DimExpr &low,
                 const DimExpr &high) {
  if (std::optional<int64_t> value = bound.getConstant()) {
    if (*value >= kOpenEnd)
      return high;
    if (*value <= -kOpenEnd)
      return low;
    return *value < 0 ? DimExpr::max(dim + bound, low)
                      : DimExpr::min(bound, high);
  }
  if (auto least = bound.lowerBound(); least && *least >= 0)
    return DimExpr::min(bound, high);
  if (auto most = bound.upperBound(); most && *most < 0)
    return DimExpr::max(dim + bound, low);
  // Adds the extent exactly where the bound is below zero.
  DimExpr below =
      DimExpr::min(DimExpr::max(DimExpr() - bound, DimExpr()), constant(1));
  return DimExpr::max(DimExpr::min(bound + dim * below, high), low);
}

void sliceBy(NodeContext &n, ArrayRef<DimExpr> from, ArrayRef<DimExpr> to,
             ArrayRef<int64_t> axes, ArrayRef<int64_t> by) {
  if (from.size() != to.size() || from.size() != axes.size() ||
      from.size() != by.size())
    return n.error("starts, ends, axes and steps differ in length");
  int64_t rank = n.rank(0);
  DimShape starts(rank), sizes = n.dims(0);
  SmallVector<int64_t> steps(rank, 1);
  for (size_t i = 0; i != from.size(); ++i) {
    std::optional<int64_t> axis = n.normalAxis(axes[i], rank);
    if (!axis)
      return;
    const DimExpr &dim = n.dims(0)[*axis];
    int64_t step = by[i];
    if (step == 0 || step > kOpenEnd || step < -kOpenEnd) {
      // A step over everything takes the first element only.
      if (step == 0)
        return n.error("a step of 0");
      step = step > 0 ? kOpenEnd : -kOpenEnd;
    }
    DimExpr low = constant(step > 0 ? 0 : -1);
    DimExpr high = step > 0 ? dim : dim - constant(1);
    DimExpr start = position(from[i], dim, low, high);
    DimExpr end = position(to[i], dim, low, high);
    DimExpr span = step > 0 ? end - start : start - end;
    // The rest from a constant on, said without the position it starts at.
    std::optional<int64_t> first = from[i].getConstant();
    if (step > 0 && end == dim && first && std::abs(*first) < kOpenEnd)
      span =
          *first >= 0 ? dim - from[i] : DimExpr::min(dim, DimExpr() - from[i]);
    if (!isManageable(span))
      return n.dataDependent("the expression of a bound");
    starts[*axis] = start;
    sizes[*axis] = DimExpr::ceilDiv(DimExpr::max(span, DimExpr()),
                                    constant(std::abs(step)));
    steps[*axis] = step;
  }
  n.out(0, n.e.slice(n.value(0), starts, sizes, steps));
}

void slice(NodeContext &n) {
  std::optional<DimShape> starts = n.expressions(1, "the starts");
  std::optional<DimShape> ends = n.expressions(2, "the ends");
  if (!starts || !ends)
    return;
  std::optional<SmallVector<int64_t>> axes, steps;
  if (n.has(3))
    axes = n.constants(3, "the axes");
  else
    axes = to_vector(llvm::seq<int64_t>(0, starts->size()));
  if (!axes)
    return;
  if (n.has(4))
    steps = n.constants(4, "the steps");
  else
    steps.emplace(starts->size(), 1);
  if (!steps)
    return;
  sliceBy(n, *starts, *ends, *axes, *steps);
}

/// Before opset 10 the bounds are attributes.
void slice1(NodeContext &n) {
  SmallVector<int64_t> starts = n.integers("starts"), ends = n.integers("ends");
  SmallVector<int64_t> axes = n.optionalIntegers("axes").value_or(
      to_vector(llvm::seq<int64_t>(0, starts.size())));
  DimShape from(map_range(starts, DimExpr::constant)),
      to(map_range(ends, DimExpr::constant));
  sliceBy(n, from, to, axes, SmallVector<int64_t>(starts.size(), 1));
}

void padBy(NodeContext &n, ArrayRef<DimExpr> pads, ArrayRef<int64_t> axes,
           Value value) {
  std::string mode = n.text("mode", "constant");
  std::optional<PadMode> kind = llvm::StringSwitch<std::optional<PadMode>>(mode)
                                    .Case("constant", PadMode::Constant)
                                    .Case("reflect", PadMode::Reflect)
                                    .Case("edge", PadMode::Edge)
                                    .Case("wrap", PadMode::Wrap)
                                    .Default(std::nullopt);
  if (!kind)
    return n.unsupportedAttribute("mode", mode);
  if (pads.size() != axes.size() * 2)
    return n.error(Twine(pads.size()) + " pads for " + Twine(axes.size()) +
                   " axes");
  int64_t rank = n.rank(0);
  DimShape low(rank), high(rank);
  for (size_t i = 0; i != axes.size(); ++i) {
    std::optional<int64_t> axis = n.normalAxis(axes[i], rank);
    if (!axis)
      return;
    low[*axis] = pads[i];
    high[*axis] = pads[axes.size() + i];
  }
  n.out(0, n.e.pad(n.value(0), *kind == PadMode::Constant ? value : Value(),
                   low, high, *kind));
}

void pad(NodeContext &n) {
  std::optional<DimShape> pads = n.expressions(1, "the pads");
  if (!pads)
    return;
  SmallVector<int64_t> axes = to_vector(llvm::seq<int64_t>(0, n.rank(0)));
  if (n.has(3)) {
    std::optional<SmallVector<int64_t>> given = n.constants(3, "the axes");
    if (!given)
      return;
    axes = *given;
  }
  padBy(n, *pads, axes, n.value(2));
}

/// Before opset 11 the pads are attributes.
void pad2(NodeContext &n) {
  SmallVector<int64_t> pads = n.integers("pads");
  DimShape dims(map_range(pads, DimExpr::constant));
  Value value;
  if (double given = n.real("value", 0); given != 0)
    value = n.e.scalarLike(given, n.value(0));
  padBy(n, dims, to_vector(llvm::seq<int64_t>(0, n.rank(0))), value);
}

void trilu(NodeContext &n) {
  bool upper = n.integer("upper", 1) != 0;
  if (n.rank(0) < 2)
    return n.error("rank " + Twine(n.rank(0)));
  if (n.has(1))
    return n.out(
        0, n.e.make<TriluOp>(n.value(0), n.e.reshape(n.value(1), {}), upper));
  n.out(0, n.e.make<TriluOp>(n.value(0), nullptr, upper));
}

void reverseSequence(NodeContext &n) {
  std::optional<int64_t> time =
      n.normalAxis(n.integer("time_axis", 0), n.rank(0));
  std::optional<int64_t> batch =
      n.normalAxis(n.integer("batch_axis", 1), n.rank(0));
  if (!time || !batch)
    return;
  if (*time == *batch)
    return n.error("time_axis and batch_axis are the same");
  n.out(0, n.e.make<ReverseOp>(n.value(0), n.value(1), *time, *batch));
}

/// Crops or pads each dim on both sides to a wanted extent.
void centerCropPad(NodeContext &n) {
  std::optional<DimShape> wanted = n.expressions(1, "the shape");
  SmallVector<int64_t> axes = n.optionalIntegers("axes").value_or(
      to_vector(llvm::seq<int64_t>(0, n.rank(0))));
  if (!wanted || !n.normalAxes(axes, n.rank(0)))
    return;
  if (wanted->size() != axes.size())
    return n.error("shape and axes differ in length");
  int64_t rank = n.rank(0);
  DimShape starts(rank), sizes = n.dims(0), low(rank), high(rank);
  for (auto [axis, to] : zip_equal(axes, *wanted)) {
    const DimExpr dim = n.dims(0)[axis];
    DimExpr two = constant(2);
    DimExpr crop = DimExpr::max(dim - to, DimExpr());
    DimExpr grow = DimExpr::max(to - dim, DimExpr());
    starts[axis] = DimExpr::floorDiv(crop, two);
    sizes[axis] = DimExpr::min(dim, to);
    low[axis] = DimExpr::floorDiv(grow, two);
    high[axis] = grow - low[axis];
  }
  Value x = n.e.slice(n.value(0), starts, sizes, SmallVector<int64_t>(rank, 1));
  n.out(0, n.e.pad(x, {}, low, high));
}

} // namespace

void addSliceOps(Registry &r) {
  r.add("Slice", 1, slice1);
  r.add("Slice", 10, slice);
  r.add("Pad", 2, pad2);
  r.add("Pad", 11, pad);
  r.add("Trilu", 14, trilu);
  r.add("ReverseSequence", 10, reverseSequence);
  r.add("CenterCropPad", 18, centerCropPad);
}

} // namespace ingot::onnxin
