//===- Window.cpp - convolutions and pools -------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Emitter.h"
#include "Products.h"
#include "Scalars.h"

using namespace mlir;
using namespace ingot;

namespace {

/// A window that slides over the dims of a tensor from the third on.
struct Window {
  SmallVector<int64_t> kernel, strides, dilations, pads;

  unsigned rank() const { return kernel.size(); }

  /// `x` with its border: as much as the windows of `output` extents reach.
  Tensor pad(Emitter &e, const Tensor &x, ArrayRef<DimExpr> output,
             Value value) const {
    DimShape low(2), high(2);
    for (unsigned i = 0; i < rank(); ++i) {
      DimExpr before = DimExpr::constant(pads[i]);
      DimExpr reach =
          (output[i] - DimExpr::constant(1)) * DimExpr::constant(strides[i]) +
          DimExpr::constant((kernel[i] - 1) * dilations[i] + 1);
      DimExpr after = DimExpr::constant(pads[rank() + i]);
      DimExpr missing = reach - x.dims[2 + i] - before;
      // Rounding down leaves some of the border unread, rounding up may read
      // beyond it.
      std::optional<int64_t> spare = (after - missing).lowerBound();
      if (missing.isConstant() || !spare || *spare < 0)
        after = DimExpr::max(after, missing);
      low.push_back(before);
      high.push_back(after);
    }
    return e.pad(x, low, high, value);
  }

  /// The position along spatial dim `i` that tap `k` of window `o` reads.
  AffineExpr position(unsigned i, AffineExpr o, AffineExpr k) const {
    return o * strides[i] + k * dilations[i];
  }
};

/// All windows of `x` (N x C x spatial) as N x output x C x kernel.
Tensor windows(Emitter &e, const Window &window, const Tensor &x,
               ArrayRef<DimExpr> output) {
  unsigned rank = window.rank();
  DimShape dims = {x.dims[0]};
  dims.append(output.begin(), output.end());
  dims.push_back(x.dims[1]);
  for (int64_t extent : window.kernel)
    dims.push_back(DimExpr::constant(extent));
  SmallVector<AffineExpr> exprs = {e.getAffineDimExpr(0),
                                   e.getAffineDimExpr(1 + rank)};
  for (unsigned i = 0; i < rank; ++i)
    exprs.push_back(window.position(i, e.getAffineDimExpr(1 + i),
                                    e.getAffineDimExpr(2 + rank + i)));
  return e.generic(
      dims, x.element(), x.value,
      AffineMap::get(dims.size(), 0, exprs, e.getContext()),
      [](ImplicitLocOpBuilder &, ValueRange in) -> Value { return in[0]; });
}

struct LowerConv : Lowering<ConvOp> {
  using Lowering::Lowering;
  Value lower(ConvOp op, Adaptor adaptor, Emitter &e) const override {
    Type type = elementTypeOf(op.getX());
    if (!(kindOf(type) & Number))
      return refuse(op, "unsupported dtype: of conv");
    Tensor x = e.tensor(op.getX(), adaptor.getX());
    Tensor w = e.tensor(op.getW(), adaptor.getW());
    DimShape dims = state.shapes.shapeOf(op);
    ArrayRef<DimExpr> output = ArrayRef(dims).drop_front(2);
    Window window;
    for (const DimExpr &extent : ArrayRef(w.dims).drop_front(2))
      // Constant, or the shape could not have been inferred.
      window.kernel.push_back(extent.getConstant().value_or(1));
    window.strides.assign(op.getStrides().begin(), op.getStrides().end());
    window.dilations.assign(op.getDilations().begin(), op.getDilations().end());
    window.pads.assign(op.getPads().begin(), op.getPads().end());
    int64_t group = op.getGroup();
    e.checkEqual(x.dims[1], w.dims[1] * DimExpr::constant(group),
                 "channels that do not fit");
    Value zero = arith::ConstantOp::create(e, e.getZeroAttr(x.element()));
    Tensor padded = window.pad(e, x, output, zero);
    // Channels last: rows of windows times a matrix; groups are a batch dim.
    Tensor taps = windows(e, window, padded, output);
    DimExpr groups = DimExpr::constant(group);
    DimExpr rows = dims[0] * product(output);
    DimExpr depth = product(ArrayRef(w.dims).drop_front(1));
    // Short floats are rounded once, after the bias.
    Type kernel = kernelType(type), work = kernel ? kernel : type;
    Tensor matrix, result;
    if (group == 1) {
      taps = e.reshape(taps, {rows, depth});
      matrix = e.transpose(e.reshape(w, {dims[1], depth}), {1, 0});
      result = multiply(e, taps, matrix, type, type, work);
    } else {
      std::optional<DimExpr> perGroup = dims[1].dividedBy(groups);
      if (!perGroup)
        return refuse(op, "unsupported attribute: group count");
      taps = e.transpose(e.reshape(taps, {rows, groups, depth}), {1, 0, 2});
      matrix = e.transpose(e.reshape(w, {groups, *perGroup, depth}), {0, 2, 1});
      result = multiply(e, taps, matrix, type, type, work);
      result = e.reshape(e.transpose(result, {1, 0, 2}), {rows, dims[1]});
    }
    if (op.getBias()) {
      Tensor bias = e.tensor(op.getBias(), adaptor.getBias());
      if (kernel)
        bias = e.castFloat(bias, kernel);
      result = addBias(e, result, bias, work);
    }
    if (kernel)
      result = e.castFloat(result, type);
    DimShape last = {dims[0]};
    last.append(output.begin(), output.end());
    last.push_back(dims[1]);
    SmallVector<int64_t> order = {0, static_cast<int64_t>(dims.size()) - 1};
    for (int64_t i = 1; i + 1 < static_cast<int64_t>(dims.size()); ++i)
      order.push_back(i);
    return e.transpose(e.reshape(result, last), order).value;
  }
};

struct LowerPool : Lowering<PoolOp> {
  using Lowering::Lowering;
  Value lower(PoolOp op, Adaptor adaptor, Emitter &e) const override {
    Type type = elementTypeOf(op.getX());
    bool isMax = op.getKind() == PoolKind::Max;
    if (!(kindOf(type) & (isMax ? unsigned(Number) : unsigned(Float))))
      return refuse(op, "unsupported dtype: of pool");
    Tensor x = e.tensor(op.getX(), adaptor.getX());
    DimShape dims = state.shapes.shapeOf(op);
    Window window;
    window.kernel.assign(op.getKernel().begin(), op.getKernel().end());
    window.strides.assign(op.getStrides().begin(), op.getStrides().end());
    window.dilations.assign(op.getDilations().begin(), op.getDilations().end());
    window.pads.assign(op.getPads().begin(), op.getPads().end());
    ArrayRef<DimExpr> output = ArrayRef(dims).drop_front(2);
    TypedAttr neutral = neutralOf(e, type, isMax);
    Value border = arith::ConstantOp::create(e, storedNeutral(e, x, neutral));
    Tensor padded = window.pad(e, x, output, border);
    Tensor folded = foldWindows(op, e, window, padded, dims, type, neutral);
    return finish(op, e, window, x, folded, type).value;
  }

  static TypedAttr neutralOf(Emitter &e, Type type, bool isMax) {
    Type work = Scalars::computeType(type);
    if (!isMax)
      return e.getZeroAttr(work);
    if (isa<FloatType>(work))
      return e.getFloatAttr(work, -std::numeric_limits<double>::infinity());
    unsigned width = work.getIntOrFloatBitWidth();
    return e.getIntegerAttr(work, kindOf(type) == Unsigned
                                      ? APInt::getZero(width)
                                      : APInt::getSignedMinValue(width));
  }

  /// The neutral element in the type in memory.
  static TypedAttr storedNeutral(Emitter &e, const Tensor &x,
                                 TypedAttr neutral) {
    auto number = dyn_cast<FloatAttr>(neutral);
    if (!number || number.getType() == x.element())
      return neutral;
    return e.getFloatAttr(x.element(), number.getValueAsDouble());
  }

  Tensor foldWindows(PoolOp op, Emitter &e, const Window &window,
                     const Tensor &x, const DimShape &dims, Type type,
                     TypedAttr neutral) const {
    unsigned rank = window.rank(), loops = 2 + 2 * rank;
    SmallVector<AffineExpr> read = {e.getAffineDimExpr(0),
                                    e.getAffineDimExpr(1)};
    SmallVector<AffineExpr> written = read, taps;
    SmallVector<utils::IteratorType> iterators(2 + rank,
                                               utils::IteratorType::parallel);
    iterators.append(rank, utils::IteratorType::reduction);
    DimShape kernel;
    for (unsigned i = 0; i < rank; ++i) {
      AffineExpr o = e.getAffineDimExpr(2 + i);
      taps.push_back(e.getAffineDimExpr(2 + rank + i));
      read.push_back(window.position(i, o, taps.back()));
      written.push_back(o);
      kernel.push_back(DimExpr::constant(window.kernel[i]));
    }
    auto mapOf = [&](ArrayRef<AffineExpr> exprs) {
      return AffineMap::get(loops, 0, exprs, e.getContext());
    };
    // An operand that is never read tells the extents of the window.
    Value shape = e.empty(kernel, x.element());
    Tensor init = e.fill(dims, arith::ConstantOp::create(e, neutral));
    auto build = [&](OpBuilder &builder, Location loc, ValueRange in) {
      ImplicitLocOpBuilder inner(loc, builder);
      Scalars s(inner, type);
      Value value = s.load(in[0], type), result;
      if (op.getKind() == PoolKind::Max)
        result = s.max(in[2], value);
      else if (op.getKind() == PoolKind::Average)
        result = s.add(in[2], value);
      else
        result = s.add(in[2], power(s, s.abs(value), op.getP()));
      linalg::YieldOp::create(s, result);
    };
    auto result = linalg::GenericOp::create(
        e, init.value.getType(), ValueRange{x.value, shape}, init.value,
        ArrayRef<AffineMap>{mapOf(read), mapOf(taps), mapOf(written)},
        iterators, build);
    return {result.getResult(0), dims};
  }

  static Value power(Scalars &s, Value x, double exponent) {
    if (exponent == 1.0)
      return x;
    if (exponent == 2.0)
      return s.mul(x, x);
    return math::PowFOp::create(s, x, s.constant(exponent, x));
  }

  /// Divides by the number of elements, or takes the root.
  Tensor finish(PoolOp op, Emitter &e, const Window &window, const Tensor &x,
                const Tensor &folded, Type type) const {
    if (op.getKind() == PoolKind::Max && folded.element() == storageType(type))
      return folded;
    SmallVector<Value> extents;
    for (unsigned i = 0; i < window.rank(); ++i)
      extents.push_back(e.size(x.dims[2 + i]));
    bool withPads = op.getCountIncludePad();
    auto body = [&](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
      Scalars s(b, type);
      Value result = in[0];
      if (op.getKind() == PoolKind::Average) {
        Value count = s.index(1);
        for (unsigned i = 0; i < window.rank(); ++i)
          count = arith::MulIOp::create(
              s, count, tapsInside(s, window, i, extents[i], withPads));
        Value wide = arith::IndexCastOp::create(s, s.getI64Type(), count);
        result = s.div(result, s.convert(wide, s.getI64Type(), type));
      } else if (op.getKind() == PoolKind::Lp) {
        double p = static_cast<double>(op.getP());
        result = p == 2.0 ? math::SqrtOp::create(s, result).getResult()
                          : power(s, result, 1.0 / p);
      }
      return s.store(result, type);
    };
    return e.map(folded, storageType(type), body);
  }

  /// How many taps of this point's window lie on elements (or on the border,
  /// if that counts) along spatial dim `i`.
  static Value tapsInside(Scalars &s, const Window &window, unsigned i,
                          Value extent, bool withPads) {
    int64_t before = window.pads[i], after = window.pads[window.rank() + i];
    Value at = linalg::IndexOp::create(s, 2 + i);
    Value start = arith::SubIOp::create(
        s, arith::MulIOp::create(s, at, s.index(window.strides[i])),
        s.index(before));
    Value low = s.index(withPads ? -before : 0);
    Value high =
        withPads ? arith::AddIOp::create(s, extent, s.index(after)).getResult()
                 : extent;
    Value dilation = s.index(window.dilations[i]);
    // The first tap at or after `low` and the first at or after `high`.
    auto tapAt = [&](Value limit) -> Value {
      Value gap = arith::SubIOp::create(s, limit, start);
      Value tap = arith::CeilDivSIOp::create(s, gap, dilation);
      tap = arith::MaxSIOp::create(s, tap, s.index(0));
      return arith::MinSIOp::create(s, tap, s.index(window.kernel[i]));
    };
    return arith::SubIOp::create(s, tapAt(high), tapAt(low));
  }
};

} // namespace

void ingot::populateWindowLowerings(LoweringPatterns &patterns) {
  patterns.add<LowerConv, LowerPool>();
}
