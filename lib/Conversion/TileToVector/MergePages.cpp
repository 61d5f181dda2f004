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

/// Writes the kernel of one op. It does to a row what `PagedAttention` does,
/// step by step, but to the rows of many heads at a time: what their maxima say
/// is computed in vectors, and what a page gave lies in one piece.
class PageMerger {
public:
  PageMerger(KernelBuilder &b, MergePagesOp op)
      : b(b), op(op),
        depth(cast<MemRefType>(op.getParts().getType()).getShape().back() -
              pagePartExtra),
        vectors(llvm::divideCeil(depth, laneCount)),
        headsAtATime(std::clamp<int64_t>(
            scratchLimit / (4 * vectors * laneCount), 1, laneCount)),
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
                storeColumns(b, b.splat(type, 0.0), op.getInit(),
                             {batch, b.add(first, head)}, vector, depth);
              });
            });
      });
    });
  }

private:
  using BodyFn = llvm::function_ref<void(Value head, Value vector)>;

  void allocate() {
    Type f32 = b.getF32Type();
    results = emitScratch(b, {headsAtATime, vectors * laneCount}, f32);
    for (Value *numbers : {&maxima, &sums, &factors, &pageFactors})
      *numbers = emitScratch(b, {laneCount}, f32);
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
        Value part = loadColumns(
            b, op.getParts(), {batch, page, b.add(first, head)}, vector, depth);
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
      storeColumns(b, b.mul(result, wide(factors, head)), op.getInit(),
                   {batch, b.add(first, head)}, vector, depth);
    });
  }

  Value wide(Value numbers, Value head) {
    return b.broadcast(b.load(numbers, head), laneCount);
  }
  Value columnIn(Value vector) { return b.mul(vector, b.index(laneCount)); }

  KernelBuilder &b;
  MergePagesOp op;
  int64_t depth, vectors;
  /// Heads whose maxima and sums are lanes of one vector.
  int64_t headsAtATime;
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
