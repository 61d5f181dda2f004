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

/// Copies the features of one head of a token to `page` at `to`.
static void copyToken(KernelBuilder &b, CacheStoreOp op, ValueRange from,
                      Value page, ValueRange to) {
  constexpr int64_t lanes = 16;
  Value x = op.getX();
  CacheType cache = op.getCache().getType();
  auto at = [](ValueRange prefix, Value column) {
    SmallVector<Value> indices(prefix);
    indices.push_back(column);
    return indices;
  };
  auto type = VectorType::get(lanes, getElementTypeOrSelf(x.getType()));
  auto copyVector = [&](Value column) {
    Value value = b.loadVector(type, x, at(from, column));
    b.storeVector(b.castFloat(value, cache.getType()), page, at(to, column));
  };
  if (isLastDimContiguous(x) &&
      overColumns(b, cache.getValueDepth(), lanes, copyVector))
    return;
  b.loop(b.index(0), b.index(cache.getValueDepth()), 1, [&](Value column) {
    Value value = b.load(x, at(from, column));
    b.store(b.castFloat(value, cache.getType()), page, at(to, column));
  });
}

/// Stores the tokens of `x` from row `row` of it on, `count` of them, which go
/// to row `batch` of the cache, the first to `position`.
static void storeTokens(KernelBuilder &b, CacheStoreOp op, Value batch,
                        Value row, Value count, Value position) {
  Value x = op.getX();
  CacheType cache = op.getCache().getType();
  Value zero = b.index(0), pageSize = b.index(cachePagePositions);
  auto pageOf = [&](Value number) {
    return b.createOrFold<arith::DivUIOp>(number, pageSize);
  };
  Value begin = pageOf(position);
  Value end =
      pageOf(b.add(b.add(position, count), b.index(cachePagePositions - 1)));
  // No token may mean no page, not even the one where it would go.
  Value any = b.compare(CmpIPredicate::sgt, count, zero);
  b.loop(begin, b.select(any, end, begin), 1, [&](Value number) {
    auto page = CachePageOp::create(b, op.getCache(), batch, number);
    // The page's first position as one of the tokens.
    Value origin = b.sub(b.mul(number, pageSize), position);
    Value from = b.maxIndex(origin, zero);
    Value to = b.minIndex(b.add(origin, pageSize), count);
    b.loop(zero, b.dim(x, 1), 1, [&](Value head) {
      if (op.getSide() == CacheSide::Values)
        return b.loop(from, to, 1, [&](Value token) {
          copyToken(b, op, {b.add(row, token), head}, page.getValues(),
                    {head, b.sub(token, origin)});
        });
      b.loop(zero, b.index(cache.getKeyDepth()), 1, [&](Value d) {
        b.loop(from, to, 1, [&](Value token) {
          Value key = b.load(x, {b.add(row, token), head, d});
          b.store(b.castFloat(key, cache.getType()), page.getKeys(),
                  {head, d, b.sub(token, origin)});
        });
      });
    });
  });
}

static void emitCacheStore(KernelBuilder &b, CacheStoreOp op) {
  Value zero = b.index(0), one = b.index(1);
  Value first = op.getFirst(), end = b.add(first, b.dim(op.getX(), 0));
  Value tokens = b.maxIndex(op.getTokens(), one);
  auto batchOf = [&](Value row) {
    return b.createOrFold<arith::DivUIOp>(row, tokens);
  };
  auto at = [&](Value rows, Value batch) -> Value {
    return arith::IndexCastOp::create(b, b.getIndexType(), b.load(rows, batch));
  };
  Value last = batchOf(b.add(end, b.sub(tokens, one)));
  b.loop(batchOf(first), last, 1, [&](Value batch) {
    // The batch's tokens that are rows of the op, from number `token` on.
    Value begin = b.mul(batch, tokens);
    Value from = b.maxIndex(begin, first);
    Value to = b.minIndex(b.add(begin, tokens), end);
    Value token = b.sub(from, begin);
    Value real =
        b.minIndex(b.sub(at(op.getCount(), batch), token), b.sub(to, from));
    storeTokens(b, op, batch, b.sub(from, first), b.maxIndex(real, zero),
                b.add(at(op.getPast(), batch), token));
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
    auto isHandled = llvm::IsaPred<CacheStoreOp, MergePagesOp, PageAttentionOp,
                                   PagedAttentionOp>;
    if (failed(lowerToKernels(getOperation(), target, isHandled, emit)))
      signalPassFailure();
  }

  static LogicalResult emit(Operation *op, const TargetInfo &info) {
    SmallVector<Value> floats;
    for (Value operand : op->getOperands())
      if (auto type = dyn_cast<MemRefType>(operand.getType()))
        if (!type.getElementType().isInteger(64))
          floats.push_back(operand);
    if (Value odd = notOfFloats(floats))
      return op->emitOpError("has no kernel for ") << odd.getType();
    KernelBuilder b(op->getLoc(), op);
    if (auto store = dyn_cast<CacheStoreOp>(op)) {
      emitCacheStore(b, store);
      return success();
    }
    // Scratch lives only as long as the op runs.
    auto scope = memref::AllocaScopeOp::create(b, TypeRange());
    b.createBlock(&scope.getBodyRegion());
    LogicalResult isDone = success();
    if (auto merge = dyn_cast<MergePagesOp>(op))
      emitMergePages(b, merge);
    else if (auto page = dyn_cast<PageAttentionOp>(op))
      isDone = emitPageAttention(b, page, info);
    else
      isDone = emitPagedAttention(b, cast<PagedAttentionOp>(op), info);
    if (failed(isDone))
      return failure();
    memref::AllocaScopeReturnOp::create(b, ValueRange());
    return success();
  }
};
} // namespace
