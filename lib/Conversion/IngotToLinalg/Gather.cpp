//===- Gather.cpp - elements chosen by index tensors ---------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Packed.h"
#include "Products.h"
#include "Quantize.h"

using namespace mlir;
using namespace ingot;

/// An index of the model as a position below `extent`: negative ones count
/// from the end; out of range is reported and reads position zero.
static Value position(ImplicitLocOpBuilder &b, Operation *op, Value index,
                      Value extent) {
  Value at = arith::IndexCastOp::create(b, b.getIndexType(), index);
  Value zero = arith::ConstantIndexOp::create(b, 0);
  Value negative =
      arith::CmpIOp::create(b, arith::CmpIPredicate::slt, at, zero);
  Value wrapped = arith::SelectOp::create(
      b, negative, arith::AddIOp::create(b, at, extent), at);
  // As an unsigned number a position below zero is beyond every extent.
  Value inside =
      arith::CmpIOp::create(b, arith::CmpIPredicate::ult, wrapped, extent);
  CheckOp::create(b, inside, checkMessage(op, "index out of range"));
  return arith::SelectOp::create(b, inside, wrapped, zero);
}

namespace {

/// A map from the dims of a result to some of them, in order.
AffineMap selectDims(Emitter &e, unsigned rank, unsigned begin, unsigned end) {
  SmallVector<AffineExpr> exprs;
  for (unsigned i = begin; i < end; ++i)
    exprs.push_back(e.getAffineDimExpr(i));
  return AffineMap::get(rank, 0, exprs, e.getContext());
}

/// Slices of `x` along `axis` at `indices`.
Tensor gatherAlong(Emitter &e, const Tensor &x, const Tensor &indices,
                   unsigned axis, ArrayRef<DimExpr> dims) {
  Value extent = e.size(x.dims[axis]);
  unsigned rank = indices.rank();
  auto body = [&](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
    SmallVector<Value> at;
    for (unsigned i = 0; i < dims.size(); ++i)
      if (i < axis || i >= axis + rank)
        at.push_back(linalg::IndexOp::create(b, i));
    at.insert(at.begin() + axis, position(b, e.op, in[0], extent));
    return tensor::ExtractOp::create(b, x.value, at);
  };
  return e.generic(dims, x.element(), indices.value,
                   selectDims(e, dims.size(), axis, axis + rank), body);
}

/// Rows of packed codes: what is not chosen is not unpacked.
Tensor gatherCodes(Emitter &e, WeightRefOp codes, const Tensor &table,
                   const Tensor &indices, ArrayRef<DimExpr> dims) {
  PackedCodes packed{
      WeightRefOp::create(e, packedType(codes.getType()), codes.getWeight()),
      codes.getType()};
  Value extent = e.size(table.dims[0]);
  unsigned rank = indices.rank();
  auto body = [&](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
    SmallVector<Value> at = {position(b, e.op, in[0], extent)};
    for (unsigned i = rank; i < dims.size(); ++i)
      at.push_back(linalg::IndexOp::create(b, i));
    return packed.extract(b, at);
  };
  return e.generic(dims, table.element(), indices.value,
                   selectDims(e, dims.size(), 0, rank), body);
}

/// A gather along `axis`. Of a quantized table only what is chosen is
/// dequantized.
Value gather(Emitter &e, Value original, const Tensor &x, const Tensor &indices,
             unsigned axis, const DimShape &dims) {
  auto dequantize = original.getDefiningOp<DequantizeOp>();
  if (!dequantize || axis != 0)
    return gatherAlong(e, x, indices, axis, dims).value;
  QuantizedTensor q = QuantizedTensor::of(dequantize, e);
  bool perRow = q.axis == 0 && q.scale.rank() == 1;
  if (!q.unsupported().empty() || perRow || (q.blockSize > 0 && q.axis == 0))
    return gatherAlong(e, x, indices, axis, dims).value;
  auto chosen = [&](const Tensor &tensor) {
    DimShape dims = indices.dims;
    dims.append(tensor.dims.begin() + 1, tensor.dims.end());
    return dims;
  };
  auto choose = [&](Tensor &tensor) {
    tensor = gatherAlong(e, tensor, indices, 0, chosen(tensor));
  };
  auto packed = dequantize.getCodes().getDefiningOp<WeightRefOp>();
  if (packed && packedType(packed.getType()))
    q.codes = gatherCodes(e, packed, q.codes, indices, chosen(q.codes));
  else
    choose(q.codes);
  if (q.blockSize > 0) {
    choose(q.scale);
    if (q.zeroPoint.value)
      choose(q.zeroPoint);
  }
  q.axis += indices.rank() - 1;
  return q.dequantize(e, elementTypeOf(dequantize.getResult())).value;
}

/// Rows of a table whose transpose is multiplied with: they are read from what
/// is packed for the product, so that the weight is kept once.
Tensor gatherPacked(Emitter &e, const ReadElement &read, Type element,
                    const DimExpr &count, const Tensor &indices,
                    const DimShape &dims) {
  Value extent = e.size(count);
  auto body = [&](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
    Value row = position(b, e.op, in[0], extent);
    return read(b, linalg::IndexOp::create(b, dims.size() - 1), row);
  };
  return e.generic(dims, element, indices.value,
                   selectDims(e, dims.size(), 0, indices.rank()), body);
}

/// How to read a matrix of f32 or bf16 from its packed panels.
ReadElement readPanels(Emitter &e, const Tensor &matrix) {
  bool hasPairs = matrix.element().isBF16();
  Value packed =
      (hasPairs ? packPairs(e, matrix) : packColumns(e, matrix)).value;
  return [=](ImplicitLocOpBuilder &b, Value k, Value n) -> Value {
    Value width = arith::ConstantIndexOp::create(b, panelWidth);
    SmallVector<Value> at = {arith::DivUIOp::create(b, n, width), k,
                             arith::RemUIOp::create(b, n, width)};
    if (hasPairs) {
      Value two = arith::ConstantIndexOp::create(b, 2);
      at[1] = arith::DivUIOp::create(b, k, two);
      at.push_back(arith::RemUIOp::create(b, k, two));
    }
    return tensor::ExtractOp::create(b, packed, at);
  };
}

struct LowerEmbedding : Lowering<EmbeddingOp> {
  using Lowering::Lowering;
  Value lower(EmbeddingOp op, Adaptor adaptor, Emitter &e) const override {
    Tensor table = e.tensor(op.getTable(), adaptor.getTable());
    Tensor ids = e.tensor(op.getIds(), adaptor.getIds());
    DimShape dims = state.shapes.shapeOf(op);
    Operation *source = op.getTable().getDefiningOp();
    auto weight = dyn_cast_if_present<WeightRefOp>(source);
    std::optional<ReadElement> read;
    Type element = table.element();
    if (Value w = state.tiedTables.lookup(source)) {
      bool isDecoded = isa<DequantizeOp>(source);
      read = isDecoded ? readValues(e, w) : readCodes(e, w);
      element = isDecoded ? Type(e.getF32Type()) : e.getI8Type();
    } else if (weight && state.tiedWeights.contains(weight.getWeight())) {
      read = readPanels(e, e.transpose(table, {1, 0}));
    }
    if (!read)
      return gather(e, op.getTable(), table, ids, 0, dims);
    Tensor rows = gatherPacked(e, *read, element, table.dims[0], ids, dims);
    return isa<FloatType>(element) ? e.castFloat(rows, table.element()).value
                                   : rows.value;
  }
};

struct LowerGather : Lowering<GatherOp> {
  using Lowering::Lowering;
  Value lower(GatherOp op, Adaptor adaptor, Emitter &e) const override {
    return gather(e, op.getX(), e.tensor(op.getX(), adaptor.getX()),
                  e.tensor(op.getIndices(), adaptor.getIndices()), op.getAxis(),
                  state.shapes.shapeOf(op));
  }
};

struct LowerGatherElements : Lowering<GatherElementsOp> {
  using Lowering::Lowering;
  Value lower(GatherElementsOp op, Adaptor adaptor, Emitter &e) const override {
    Tensor x = e.tensor(op.getX(), adaptor.getX());
    Tensor indices = e.tensor(op.getIndices(), adaptor.getIndices());
    uint64_t axis = op.getAxis();
    Value extent = e.size(x.dims[axis]);
    auto body = [&](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
      SmallVector<Value> at;
      for (int64_t i = 0; i < x.rank(); ++i)
        at.push_back(linalg::IndexOp::create(b, i));
      at[axis] = position(b, op, in[0], extent);
      return tensor::ExtractOp::create(b, x.value, at);
    };
    return e.map(indices, x.element(), body).value;
  }
};

struct LowerGatherNd : Lowering<GatherNdOp> {
  using Lowering::Lowering;
  Value lower(GatherNdOp op, Adaptor adaptor, Emitter &e) const override {
    Tensor x = e.tensor(op.getX(), adaptor.getX());
    Tensor indices = e.tensor(op.getIndices(), adaptor.getIndices());
    int64_t batch = op.getBatchDims(), prefix = indices.rank() - 1;
    // The verifier made sure that the depth is constant.
    int64_t depth = indices.dims.back().getConstant().value_or(0);
    SmallVector<Value> extents;
    for (int64_t i = 0; i < depth; ++i)
      extents.push_back(e.size(x.dims[batch + i]));
    DimShape dims = state.shapes.shapeOf(op);
    auto body = [&](ImplicitLocOpBuilder &b, ValueRange here) -> Value {
      SmallVector<Value> at(here.take_front(batch));
      for (int64_t i = 0; i < depth; ++i) {
        SmallVector<Value> where(here.take_front(prefix));
        where.push_back(arith::ConstantIndexOp::create(b, i));
        Value index = tensor::ExtractOp::create(b, indices.value, where);
        at.push_back(position(b, op, index, extents[i]));
      }
      llvm::append_range(at, here.drop_front(prefix));
      return tensor::ExtractOp::create(b, x.value, at);
    };
    return e.compute(dims, x.element(), body).value;
  }
};

struct LowerWriteRows : Lowering<WriteRowsOp> {
  using Lowering::Lowering;
  Value lower(WriteRowsOp op, Adaptor adaptor, Emitter &e) const override {
    Tensor x = e.tensor(op.getX(), adaptor.getX());
    Tensor update = e.tensor(op.getUpdate(), adaptor.getUpdate());
    Tensor at = e.tensor(op.getAt(), adaptor.getAt());
    uint64_t axis = op.getAxis();
    bool circular = op.getCircular();
    for (int64_t i = 0; i < x.rank(); ++i)
      if (i != static_cast<int64_t>(axis))
        e.checkEqual(x.dims[i], update.dims[i], "operands of other shapes");
    e.checkEqual(x.dims[0], at.dims[0], "operands of other shapes");
    Value extent = e.size(x.dims[axis]), count = e.size(update.dims[axis]);
    // Once per row: where its first entry goes. Out of range writes from 0 on.
    auto start = [&](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
      Value first = arith::IndexCastOp::create(b, b.getIndexType(), in[0]);
      Value zero = arith::ConstantIndexOp::create(b, 0);
      Value room = circular ? extent : arith::SubIOp::create(b, extent, count);
      auto compare = [&](arith::CmpIPredicate predicate, Value limit) -> Value {
        return arith::CmpIOp::create(b, predicate, first, limit);
      };
      Value inside =
          arith::AndIOp::create(b, compare(arith::CmpIPredicate::sge, zero),
                                compare(circular ? arith::CmpIPredicate::slt
                                                 : arith::CmpIPredicate::sle,
                                        room));
      CheckOp::create(b, inside, checkMessage(op, "position out of range"));
      return arith::SelectOp::create(b, inside, in[0],
                                     arith::ConstantIntOp::create(b, 0, 64));
    };
    Tensor starts = e.map(at, at.element(), start);
    auto body = [&](ImplicitLocOpBuilder &b, ValueRange here) -> Value {
      Value first = arith::IndexCastOp::create(
          b, b.getIndexType(),
          tensor::ExtractOp::create(b, starts.value, here[0]));
      Value entry = arith::SubIOp::create(b, here[axis], first);
      if (circular) {
        Value zero = arith::ConstantIndexOp::create(b, 0);
        Value before =
            arith::CmpIOp::create(b, arith::CmpIPredicate::slt, entry, zero);
        entry = arith::SelectOp::create(
            b, before, arith::AddIOp::create(b, entry, extent), entry);
      }
      // As an unsigned number an entry below zero is beyond every count.
      Value written =
          arith::CmpIOp::create(b, arith::CmpIPredicate::ult, entry, count);
      auto choose = scf::IfOp::create(
          b, written,
          [&](OpBuilder &then, Location loc) {
            SmallVector<Value> from(here);
            from[axis] = entry;
            Value value =
                tensor::ExtractOp::create(then, loc, update.value, from);
            scf::YieldOp::create(then, loc, value);
          },
          [&](OpBuilder &other, Location loc) {
            Value value = tensor::ExtractOp::create(other, loc, x.value, here);
            scf::YieldOp::create(other, loc, value);
          });
      return choose.getResult(0);
    };
    return e.compute(x.dims, x.element(), body).value;
  }
};

} // namespace

void ingot::populateGatherLowerings(LoweringPatterns &patterns) {
  patterns.add<LowerEmbedding, LowerGather, LowerGatherElements, LowerGatherNd,
               LowerWriteRows>();
}
