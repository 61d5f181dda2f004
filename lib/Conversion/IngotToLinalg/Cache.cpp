//===- Cache.cpp - appending to a cache and attention over it -------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Products.h"
#include "Scalars.h"

using namespace mlir;
using namespace ingot;

namespace {

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
    auto read = [&](Value original, Value converted) {
      return e.castFloat(e.tensor(original, converted), kernel).value;
    };
    auto append = KvAppendOp::create(e, read(op.getKeys(), adaptor.getKeys()),
                                     read(op.getValues(), adaptor.getValues()),
                                     adaptor.getPast(), adaptor.getCount(),
                                     /*first=*/Value(), adaptor.getCache());
    state.kernels.insert(append);
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
