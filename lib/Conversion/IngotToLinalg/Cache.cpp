//===- Cache.cpp - appending to a cache and attention over it -------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Products.h"
#include "Scalars.h"
#include "ingot/Transforms/DecoderNames.h"

using namespace mlir;
using namespace ingot;

namespace {

/// How many pages a row may have; nothing if the model sets no limit.
std::optional<int64_t> mostPages(Operation *op) {
  for (auto func : op->getParentOfType<ModuleOp>().getOps<func::FuncOp>())
    if (auto state = func->getAttrOfType<DictionaryAttr>(stateAttrName))
      if (auto most = state.getAs<IntegerAttr>("max_positions"))
        if (most.getInt() > 0)
          return llvm::divideCeil(most.getInt(), cachePagePositions);
  return std::nullopt;
}

/// The most pages of which the one query of a row sees a key, `room` at most.
Value longestRow(Emitter &e, const Tensor &past, const Tensor &count,
                 int64_t room) {
  Type type = past.element();
  auto pagesOf = [&](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
    auto number = [&](int64_t value) -> Value {
      return arith::ConstantOp::create(b, b.getIntegerAttr(type, value));
    };
    Value last = arith::DivSIOp::create(b, in[0], number(cachePagePositions));
    Value pages = arith::AddIOp::create(b, last, number(1));
    Value any =
        arith::CmpIOp::create(b, arith::CmpIPredicate::sgt, in[1], number(0));
    return arith::SelectOp::create(b, any, pages, number(0));
  };
  Tensor pages = e.zip({past, count}, past.dims, type, pagesOf);
  Value none = arith::ConstantOp::create(e, e.getIntegerAttr(type, 0));
  auto larger = [](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
    return arith::MaxSIOp::create(b, in[0], in[1]);
  };
  Tensor most = e.fold(pages, int64_t(0), e.fill({}, none).value, larger);
  Value number = tensor::ExtractOp::create(e, most.value, ValueRange());
  number = arith::IndexCastOp::create(e, e.getIndexType(), number);
  number = arith::MinSIOp::create(e, number, e.index(room));
  return arith::MaxSIOp::create(e, number, e.index(0));
}

/// Attention of one query a row, page by page: rows of few heads keep many
/// workers busy. The result is the same in bits.
Value attendByPages(Emitter &e, PagedAttentionOp op, const Tensor &q,
                    PagedAttentionOp::Adaptor adaptor, Type kernel,
                    int64_t room) {
  CacheType cache = op.getCache().getType();
  Tensor past = e.tensor(op.getPast(), adaptor.getPast());
  Tensor count = e.tensor(op.getCount(), adaptor.getCount());
  Value pages = longestRow(e, past, count, room);
  DimShape dims = {q.dims[0], DimExpr::constant(room), q.dims[2],
                   DimExpr::constant(cache.getValueDepth() + 2)};
  Value init = e.empty(dims, kernel);
  auto attention = PageAttentionOp::create(
      e, init.getType(), e.reshape(q, {q.dims[0], q.dims[2], q.dims[3]}).value,
      past.value, count.value, e.index(0), pages, adaptor.getCache(), init,
      op.getScale(), op.getWindow(), op.getSoftcap());
  SmallVector<OpFoldResult> offsets(4, e.getIndexAttr(0)),
      strides(4, e.getIndexAttr(1)), sizes = e.sizes(dims);
  sizes[1] = pages;
  Value parts = tensor::ExtractSliceOp::create(e, e.kernel(attention), offsets,
                                               sizes, strides);
  DimShape merged = {q.dims[0], q.dims[2],
                     DimExpr::constant(cache.getValueDepth())};
  Value whole = e.empty(merged, kernel);
  auto merge = MergePagesOp::create(e, whole.getType(), parts, past.value,
                                    count.value, whole, op.getWindow());
  return e
      .reshape({e.kernel(merge), merged},
               {q.dims[0], q.dims[1], q.dims[2], merged.back()})
      .value;
}

struct LowerPagedAttention : Lowering<PagedAttentionOp> {
  using Lowering::Lowering;
  Value lower(PagedAttentionOp op, Adaptor adaptor, Emitter &e) const override {
    Type result = elementTypeOf(op.getInit());
    Type kernel = kernelType({elementTypeOf(op.getQ()), result});
    if (!kernel)
      return refuse(op, "unsupported dtype: attention over a cache of " +
                            textOf(elementTypeOf(op.getQ())));
    Tensor q = e.castFloat(e.tensor(op.getQ(), adaptor.getQ()), kernel);
    Value bias;
    if (op.getBias())
      bias =
          e.castFloat(e.tensor(op.getBias(), adaptor.getBias()), e.getF32Type())
              .value;
    DimShape dims = state.shapes.shapeOf(op.getResult(0));
    std::optional<int64_t> room = mostPages(op);
    if (room && q.dims[1].isConstant(1) && !bias &&
        !op.getCache().getType().getBound())
      return e
          .castFloat({attendByPages(e, op, q, adaptor, kernel, *room), dims},
                     result)
          .value;
    Value init = e.empty(dims, kernel);
    auto attention = PagedAttentionOp::create(
        e, init.getType(), q.value, adaptor.getPast(), adaptor.getCount(),
        /*first=*/Value(), adaptor.getCache(), bias, init, op.getScale(),
        op.getWindow(), op.getSoftcap());
    return e.castFloat({e.kernel(attention), dims}, result).value;
  }
};

/// Appending has no result to be replaced by.
struct LowerKvAppend : OpConversionPattern<KvAppendOp> {
  LowerKvAppend(const TypeConverter &converter, MLIRContext *context,
                LoweringState &state)
      : OpConversionPattern(converter, context), state(state) {}

  LogicalResult
  matchAndRewrite(KvAppendOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Emitter e(rewriter, op, state);
    Type kernel = kernelType(
        {elementTypeOf(op.getKeys()), elementTypeOf(op.getValues())});
    if (!kernel) {
      state.refusals.insert({op, "unsupported dtype: a cache of " +
                                     textOf(elementTypeOf(op.getKeys()))});
      return rewriter.notifyMatchFailure(op, "refused");
    }
    DimShape dims = state.shapes.shapeOf(op.getKeys());
    Value first = e.index(0), perRow = e.size(dims[1]);
    auto store = [&](CacheSide side, Value original, Value converted) {
      Tensor x = e.castFloat(e.tensor(original, converted), kernel);
      state.kernels.insert(CacheStoreOp::create(
          e, side, tokens(e, x).value, first, perRow, adaptor.getPast(),
          adaptor.getCount(), adaptor.getCache()));
    };
    store(CacheSide::Keys, op.getKeys(), adaptor.getKeys());
    store(CacheSide::Values, op.getValues(), adaptor.getValues());
    rewriter.eraseOp(op);
    return success();
  }

private:
  LoweringState &state;
};

} // namespace

void ingot::populateCacheLowerings(LoweringPatterns &patterns) {
  patterns.add<LowerPagedAttention, LowerKvAppend>();
}
