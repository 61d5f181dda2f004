//===- Shape.cpp - moving and repeating elements -------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Emitter.h"

#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;
using namespace ingot;

static Value identity(ImplicitLocOpBuilder &, ValueRange in) { return in[0]; }

static bool isAtLeastZero(const DimExpr &expr) {
  std::optional<int64_t> low = expr.lowerBound();
  return low && *low >= 0;
}

namespace {

struct LowerReshape : Lowering<ReshapeOp> {
  using Lowering::Lowering;
  Value lower(ReshapeOp op, Adaptor adaptor, Emitter &e) const override {
    Tensor x = e.tensor(op.getX(), adaptor.getX());
    return e.reshape(x, state.shapes.shapeOf(op)).value;
  }
};

struct LowerTranspose : Lowering<TransposeOp> {
  using Lowering::Lowering;
  Value lower(TransposeOp op, Adaptor adaptor, Emitter &e) const override {
    Tensor x = e.tensor(op.getX(), adaptor.getX());
    return e.transpose(x, op.getPermutation()).value;
  }
};

struct LowerBroadcastTo : Lowering<BroadcastToOp> {
  using Lowering::Lowering;
  Value lower(BroadcastToOp op, Adaptor adaptor, Emitter &e) const override {
    Tensor x = e.tensor(op.getX(), adaptor.getX());
    return e.zip(x, state.shapes.shapeOf(op), x.element(), identity).value;
  }
};

struct LowerConcat : Lowering<ConcatOp> {
  using Lowering::Lowering;
  Value lower(ConcatOp op, Adaptor adaptor, Emitter &e) const override {
    uint64_t axis = op.getAxis();
    DimShape dims = state.shapes.shapeOf(op);
    SmallVector<Tensor> inputs;
    for (auto [original, converted] :
         llvm::zip_equal(op.getInputs(), adaptor.getInputs()))
      inputs.push_back(e.tensor(original, converted));
    Value result = e.empty(dims, inputs[0].element());
    DimExpr offset;
    SmallVector<OpFoldResult> strides(dims.size(), e.getIndexAttr(1));
    for (const Tensor &input : inputs) {
      for (auto [i, dim] : llvm::enumerate(input.dims))
        if (i != axis)
          e.checkEqual(dim, dims[i], "operands of different extents");
      DimShape offsets(dims.size());
      offsets[axis] = offset;
      offset = offset + input.dims[axis];
      result = tensor::InsertSliceOp::create(e, input.value, result,
                                             e.sizes(offsets),
                                             e.sizes(input.dims), strides);
    }
    return result;
  }
};

/// Ends the run if the slice does not lie inside its operand, as far as that
/// is not apparent.
void checkSlice(Emitter &e, const DimShape &dims, const DimShape &starts,
                const DimShape &sizes, ArrayRef<int64_t> steps) {
  DimExpr one = DimExpr::constant(1);
  for (unsigned i = 0; i < dims.size(); ++i) {
    DimExpr last = starts[i] + (sizes[i] - one) * DimExpr::constant(steps[i]);
    DimExpr high = steps[i] > 0 ? last : starts[i];
    DimExpr low = steps[i] > 0 ? starts[i] : last;
    DimExpr room = dims[i] - one - high;
    // An empty slice with step one reaches to one before its start.
    if (isAtLeastZero(room) && isAtLeastZero(low))
      continue;
    auto atLeast = [&](Value a, int64_t b) -> Value {
      return arith::CmpIOp::create(e, arith::CmpIPredicate::sge, a, e.index(b));
    };
    Value size = e.size(sizes[i]);
    Value inside = arith::AndIOp::create(e, atLeast(e.size(low), 0),
                                         atLeast(e.size(room), 0));
    Value isEmpty =
        arith::CmpIOp::create(e, arith::CmpIPredicate::eq, size, e.index(0));
    Value fits = arith::OrIOp::create(e, inside, isEmpty);
    e.check(arith::AndIOp::create(e, fits, atLeast(size, 0)),
            "slice outside its operand");
  }
}

struct LowerSlice : Lowering<SliceOp> {
  using Lowering::Lowering;
  Value lower(SliceOp op, Adaptor adaptor, Emitter &e) const override {
    Tensor x = e.tensor(op.getX(), adaptor.getX());
    DimShape starts = op.getStarts().getDims();
    DimShape dims = state.shapes.shapeOf(op);
    ArrayRef<int64_t> steps = op.getSteps();
    checkSlice(e, x.dims, starts, dims, steps);
    // A slice that starts at the very end is empty, if it is one at all; the
    // tensor dialect has no such slices.
    for (auto [start, extent, size] : llvm::zip_equal(starts, x.dims, dims)) {
      std::optional<int64_t> first = start.getConstant();
      std::optional<int64_t> count = extent.getConstant();
      if (size.isConstant(0) || (first && count && *first >= *count))
        return e.empty(dims, x.element());
    }
    if (llvm::all_of(steps, [](int64_t step) { return step > 0; })) {
      SmallVector<OpFoldResult> strides;
      for (int64_t step : steps)
        strides.push_back(e.getIndexAttr(step));
      return tensor::ExtractSliceOp::create(e, tensorOf(dims, x.element()),
                                            x.value, e.sizes(starts),
                                            e.sizes(dims), strides);
    }
    SmallVector<Value> first;
    for (const DimExpr &start : starts)
      first.push_back(e.size(start));
    auto body = [&](ImplicitLocOpBuilder &b, ValueRange at) -> Value {
      SmallVector<Value> indices;
      for (auto [index, start, step] : llvm::zip_equal(at, first, steps)) {
        Value by = arith::ConstantIndexOp::create(b, step);
        Value moved = arith::MulIOp::create(b, index, by);
        indices.push_back(arith::AddIOp::create(b, start, moved));
      }
      return tensor::ExtractOp::create(b, x.value, indices);
    };
    return e.compute(dims, x.element(), body).value;
  }
};

/// Each dim gets an outer dim that counts its repetitions.
struct LowerTile : Lowering<TileOp> {
  using Lowering::Lowering;
  Value lower(TileOp op, Adaptor adaptor, Emitter &e) const override {
    Tensor x = e.tensor(op.getX(), adaptor.getX());
    DimShape repeats = op.getRepeats().getDims(), dims;
    SmallVector<AffineExpr> exprs;
    for (auto [dim, count] : llvm::zip_equal(x.dims, repeats)) {
      if (!count.isConstant(1))
        dims.push_back(count);
      exprs.push_back(e.getAffineDimExpr(dims.size()));
      dims.push_back(dim);
    }
    auto map = AffineMap::get(dims.size(), 0, exprs, e.getContext());
    Tensor tiled = e.generic(dims, x.element(), x.value, map, identity);
    return e.reshape(tiled, state.shapes.shapeOf(op)).value;
  }
};

struct LowerReverse : Lowering<ReverseOp> {
  using Lowering::Lowering;
  Value lower(ReverseOp op, Adaptor adaptor, Emitter &e) const override {
    Tensor x = e.tensor(op.getX(), adaptor.getX());
    uint64_t axis = op.getAxis(), batchAxis = op.getBatchAxis();
    Value extent = e.size(x.dims[axis]);
    auto body = [&](ImplicitLocOpBuilder &b, ValueRange at) -> Value {
      Value count = extent, one = arith::ConstantIndexOp::create(b, 1);
      if (adaptor.getLengths()) {
        Value length =
            tensor::ExtractOp::create(b, adaptor.getLengths(), at[batchAxis]);
        count = arith::IndexCastOp::create(b, b.getIndexType(), length);
        count = arith::MinSIOp::create(b, count, extent);
      }
      Value last = arith::SubIOp::create(b, count, one);
      Value mirrored = arith::SubIOp::create(b, last, at[axis]);
      Value inside =
          arith::CmpIOp::create(b, arith::CmpIPredicate::slt, at[axis], count);
      SmallVector<Value> indices(at);
      indices[axis] = arith::SelectOp::create(b, inside, mirrored, at[axis]);
      return tensor::ExtractOp::create(b, x.value, indices);
    };
    return e.compute(x.dims, x.element(), body).value;
  }
};

} // namespace

void ingot::populateShapeLowerings(LoweringPatterns &patterns) {
  patterns.add<LowerReshape, LowerTranspose, LowerBroadcastTo, LowerConcat,
               LowerSlice, LowerTile, LowerReverse>();
}
