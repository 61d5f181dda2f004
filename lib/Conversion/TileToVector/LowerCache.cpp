//===- LowerCache.cpp - ops on caches to loops over vectors ---------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "CacheKernel.h"
#include "KernelPass.h"
#include "ingot/Conversion/TileToVector.h"

using namespace mlir;
using namespace ingot;
using arith::CmpIPredicate;

namespace ingot {
#define GEN_PASS_DEF_LOWERCACHE
#include "lib/Conversion/TileToVector/TileToVector.h.inc"
} // namespace ingot

CacheRow::CacheRow(KernelBuilder &b, Value batch, Value past, Value count,
                   Value first, Value tokens) {
  auto at = [&](Value rows) -> Value {
    return arith::IndexCastOp::create(b, b.getIndexType(), b.load(rows, batch));
  };
  this->past = position = at(past);
  Value left = at(count);
  if (first) {
    position = b.add(position, first);
    left = b.sub(left, first);
  }
  this->tokens = b.maxIndex(b.minIndex(left, tokens), b.index(0));
}

bool ingot::overColumns(KernelBuilder &b, int64_t extent, int64_t lanes,
                        function_ref<void(Value)> body) {
  if (extent < lanes)
    return false;
  Value last = b.index(extent - lanes);
  b.loop(b.index(0), b.index(extent), lanes, [&](Value column) {
    body(extent % lanes == 0 ? column : b.minIndex(column, last));
  });
  return true;
}

static void emitKvAppend(KernelBuilder &b, KvAppendOp op) {
  CacheType cache = op.getCache().getType();
  constexpr int64_t lanes = 16;
  Value zero = b.index(0), pageSize = b.index(cachePagePositions);
  Value heads = b.index(cache.getHeads());
  Value keys = op.getKeys(), values = op.getValues();
  auto copyValues = [&](ValueRange from, Value page, ValueRange to) {
    auto at = [](ValueRange prefix, Value column) {
      SmallVector<Value> indices(prefix);
      indices.push_back(column);
      return indices;
    };
    auto type = VectorType::get(lanes, getElementTypeOrSelf(values.getType()));
    auto copyVector = [&](Value column) {
      Value value = b.loadVector(type, values, at(from, column));
      b.storeVector(b.castFloat(value, cache.getType()), page, at(to, column));
    };
    if (isLastDimContiguous(values) &&
        overColumns(b, cache.getValueDepth(), lanes, copyVector))
      return;
    b.loop(zero, b.index(cache.getValueDepth()), 1, [&](Value column) {
      Value value = b.load(values, at(from, column));
      b.store(b.castFloat(value, cache.getType()), page, at(to, column));
    });
  };

  b.loop(zero, b.dim(keys, 0), 1, [&](Value batch) {
    CacheRow row(b, batch, op.getPast(), op.getCount(), op.getFirst(),
                 b.dim(keys, 1));
    auto pageOf = [&](Value position) {
      return b.createOrFold<arith::DivUIOp>(position, pageSize);
    };
    Value begin = pageOf(row.position);
    Value end = pageOf(b.add(b.add(row.position, row.tokens),
                             b.index(cachePagePositions - 1)));
    // No token may mean no page, not even the one where it would go.
    Value any = b.compare(CmpIPredicate::sgt, row.tokens, zero);
    b.loop(begin, b.select(any, end, begin), 1, [&](Value number) {
      auto page = CachePageOp::create(b, op.getCache(), batch, number);
      // The page's first position as a token of the op.
      Value origin = b.sub(b.mul(number, pageSize), row.position);
      Value from = b.maxIndex(origin, zero);
      Value to = b.minIndex(b.add(origin, pageSize), row.tokens);
      b.loop(zero, heads, 1, [&](Value head) {
        b.loop(zero, b.index(cache.getKeyDepth()), 1, [&](Value d) {
          b.loop(from, to, 1, [&](Value token) {
            Value key = b.load(keys, {batch, token, head, d});
            b.store(b.castFloat(key, cache.getType()), page.getKeys(),
                    {head, d, b.sub(token, origin)});
          });
        });
        b.loop(from, to, 1, [&](Value token) {
          copyValues({batch, token, head}, page.getValues(),
                     {head, b.sub(token, origin)});
        });
      });
    });
  });
}

/// The operand that is not of floats, if any.
static Value notOfFloats(ValueRange operands) {
  for (Value operand : operands)
    if (!isa<FloatType>(getElementTypeOrSelf(operand.getType())))
      return operand;
  return {};
}

namespace {
struct LowerCache : public ingot::impl::LowerCacheBase<LowerCache> {
  using LowerCacheBase::LowerCacheBase;

  void runOnOperation() override {
    if (failed(lowerToKernels(getOperation(), target,
                              llvm::IsaPred<KvAppendOp, PagedAttentionOp>,
                              emit)))
      signalPassFailure();
  }

  static LogicalResult emit(Operation *op, const TargetInfo &info) {
    auto append = dyn_cast<KvAppendOp>(op);
    auto attention = dyn_cast<PagedAttentionOp>(op);
    Value odd = append ? notOfFloats({append.getKeys(), append.getValues()})
                       : notOfFloats({attention.getQ(), attention.getInit()});
    if (odd)
      return op->emitOpError("has no kernel for ") << odd.getType();
    KernelBuilder b(op->getLoc(), op);
    if (append) {
      emitKvAppend(b, append);
    } else {
      // Scratch lives only as long as the op runs.
      auto scope = memref::AllocaScopeOp::create(b, TypeRange());
      b.createBlock(&scope.getBodyRegion());
      if (failed(emitPagedAttention(b, attention, info)))
        return failure();
      memref::AllocaScopeReturnOp::create(b, ValueRange());
    }
    return success();
  }
};
} // namespace
