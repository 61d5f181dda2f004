//===- MergePages.cpp - one result of what pages gave ---------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "PagedAttention.h"

using namespace mlir;
using namespace ingot;
using arith::CmpIPredicate;

namespace {

/// Heads whose maxima and sums are the lanes of one vector.
constexpr int64_t headsAtATime = laneCount;

/// Writes the kernel of one op. It does to a row what `PagedAttention` does,
/// step by step, but to the rows of many heads at a time: what their maxima say
/// is computed in vectors, and what a page gave lies in one piece.
class PageMerger {
public:
  PageMerger(KernelBuilder &b, MergePagesOp op)
      : b(b), op(op),
        depth(cast<MemRefType>(op.getParts().getType()).getShape().back() - 2),
        vectors(llvm::divideCeil(depth, laneCount)),
        type(VectorType::get(laneCount, b.getF32Type())), zero(b.index(0)) {}

  void emit() {
    allocate();
    Value one = b.index(1), heads = b.dim(op.getInit(), 1);
    b.loop(zero, b.dim(op.getInit(), 0), 1, [&](Value batch) {
      CacheRow row(b, batch, op.getPast(), op.getCount(), /*first=*/Value(),
                   one);
      auto pages = seenPages(b, row.position, row.position, op.getWindow());
      Value any = b.compare(CmpIPredicate::ne, row.tokens, zero);
      b.loop(zero, heads, headsAtATime, [&](Value first) {
        Value count = b.minIndex(b.sub(heads, first), b.index(headsAtATime));
        b.when(
            any, [&] { join(batch, first, count, pages); },
            [&] {
              forEachVector(count, [&](Value head, Value vector) {
                store(b.splat(type, 0.0), batch, b.add(first, head), vector);
              });
            });
      });
    });
  }

private:
  using BodyFn = llvm::function_ref<void(Value head, Value vector)>;

  void allocate() {
    auto make = [&](ArrayRef<int64_t> shape) -> Value {
      return memref::AllocaOp::create(b, MemRefType::get(shape, b.getF32Type()),
                                      b.getI64IntegerAttr(64));
    };
    results = make({headsAtATime, vectors * laneCount});
    maxima = make({headsAtATime});
    sums = make({headsAtATime});
    factors = make({headsAtATime});
    pageFactors = make({headsAtATime});
  }

  void forEachVector(Value heads, BodyFn body) {
    b.loop(zero, heads, 1, [&](Value head) {
      b.loop(zero, b.index(vectors), 1,
             [&](Value vector) { body(head, vector); });
    });
  }

  /// Joins the rows of `count` heads from number `first` on.
  void join(Value batch, Value first, Value count,
            std::pair<Value, Value> pages) {
    Value none = b.splat(type, 0.0);
    for (Value numbers : {maxima, sums})
      b.storeVector(none, numbers, zero);
    forEachVector(count, [&](Value head, Value vector) {
      b.storeVector(none, results, {head, columnIn(vector)});
    });
    auto step = [&](Value page, ValueRange before) -> SmallVector<Value> {
      b.loop(zero, count, 1, [&](Value head) {
        auto number = [&](int64_t column) {
          return b.load(op.getParts(),
                        {batch, page, b.add(first, head), b.index(column)});
        };
        b.store(number(depth), sums, head);
        b.store(number(depth + 1), maxima, head);
      });
      JoinedMaximum joined(b, b.loadVector(type, maxima, zero), before[0]);
      b.storeVector(joined.factor, factors, zero);
      b.storeVector(joined.pageFactor, pageFactors, zero);
      forEachVector(count, [&](Value head, Value vector) {
        SmallVector<Value> place = {head, columnIn(vector)};
        Value old =
            b.mul(b.loadVector(type, results, place), wide(factors, head));
        Value part = load({batch, page, b.add(first, head)}, vector);
        b.storeVector(b.fma(part, wide(pageFactors, head), old), results,
                      place);
      });
      Value sum = b.loadVector(type, sums, zero);
      return {joined.maximum,
              b.fma(sum, joined.pageFactor, b.mul(before[1], joined.factor))};
    };
    SmallVector<Value> begin = {b.splat(type, -INFINITY), none};
    SmallVector<Value> joined =
        b.loop(pages.first, pages.second, 1, begin, step);
    b.storeVector(b.div(b.splat(type, 1.0), joined[1]), factors, zero);
    forEachVector(count, [&](Value head, Value vector) {
      Value result = b.loadVector(type, results, {head, columnIn(vector)});
      store(b.mul(result, wide(factors, head)), batch, b.add(first, head),
            vector);
    });
  }

  Value wide(Value numbers, Value head) {
    return b.broadcast(b.load(numbers, head), laneCount);
  }
  Value columnIn(Value vector) { return b.mul(vector, b.index(laneCount)); }

  /// Where a vector begins: the last one overlaps the one before.
  Value columnOf(Value vector) {
    return b.minIndex(columnIn(vector),
                      b.index(std::max<int64_t>(depth - laneCount, 0)));
  }
  Value mask() { return b.mask(b.index(depth), laneCount); }

  Value load(ArrayRef<Value> at, Value vector) {
    SmallVector<Value> where(at);
    where.push_back(columnOf(vector));
    if (depth >= laneCount)
      return b.loadVector(type, op.getParts(), where);
    return vector::MaskedLoadOp::create(b, type, op.getParts(), where, mask(),
                                        b.splat(type, 0.0));
  }

  void store(Value value, Value batch, Value head, Value vector) {
    Value out = op.getInit();
    Type element = getElementTypeOrSelf(out.getType());
    SmallVector<Value> where = {batch, head, columnOf(vector)};
    value = b.castFloat(value, element);
    if (isLastDimContiguous(out) && depth >= laneCount)
      return b.storeVector(value, out, where);
    for (int64_t lane = 0; lane < std::min(laneCount, depth); ++lane) {
      SmallVector<Value> at(where);
      at.back() = b.add(where.back(), b.index(lane));
      b.store(vector::ExtractOp::create(b, value, lane), out, at);
    }
  }

  KernelBuilder &b;
  MergePagesOp op;
  int64_t depth, vectors;
  VectorType type;
  Value zero;
  /// By head: unfinished results; what a page gave of maxima and sums; factors
  /// for what was and for what the page adds.
  Value results, maxima, sums, factors, pageFactors;
};

} // namespace

void ingot::emitMergePages(KernelBuilder &b, MergePagesOp op) {
  PageMerger(b, op).emit();
}
