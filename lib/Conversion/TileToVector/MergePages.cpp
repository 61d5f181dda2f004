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

/// Vectors of a result that are joined at a time.
constexpr int64_t vectorsAtATime = 4;

/// Writes the kernel of one op. It does to a row what `PagedAttention` does,
/// step by step.
class PageMerger {
public:
  PageMerger(KernelBuilder &b, MergePagesOp op)
      : b(b), op(op),
        depth(cast<MemRefType>(op.getParts().getType()).getShape().back() - 2),
        type(VectorType::get(laneCount, b.getF32Type())) {}

  void emit() {
    Value zero = b.index(0), one = b.index(1);
    b.loop(zero, b.dim(op.getInit(), 0), 1, [&](Value batch) {
      CacheRow row(b, batch, op.getPast(), op.getCount(), /*first=*/Value(),
                   one);
      auto pages = seenPages(b, row.position, row.position, op.getWindow());
      Value any = b.compare(CmpIPredicate::ne, row.tokens, zero);
      b.loop(zero, b.dim(op.getInit(), 1), 1, [&](Value head) {
        int64_t vectors = llvm::divideCeil(depth, laneCount);
        for (int64_t first = 0; first < vectors; first += vectorsAtATime) {
          int64_t count = std::min(vectors - first, vectorsAtATime);
          b.when(
              any, [&] { join(batch, head, pages, first, count); },
              [&] {
                for (int64_t i = 0; i < count; ++i)
                  store(b.splat(type, 0.0), batch, head, first + i);
              });
        }
      });
    });
  }

private:
  /// Joins `count` vectors of a row from number `first` on.
  void join(Value batch, Value head, std::pair<Value, Value> pages,
            int64_t first, int64_t count) {
    SmallVector<Value> carried = {b.splat(b.getF32Type(), -INFINITY),
                                  b.splat(b.getF32Type(), 0.0)};
    carried.append(count, b.splat(type, 0.0));
    auto step = [&](Value page, ValueRange before) {
      auto number = [&](int64_t column) {
        return b.load(op.getParts(), {batch, page, head, b.index(column)});
      };
      Value sum = number(depth);
      JoinedMaximum joined(b, number(depth + 1), before[0]);
      SmallVector<Value> next = {
          joined.maximum,
          b.fma(sum, joined.pageFactor, b.mul(before[1], joined.factor))};
      Value factor = b.broadcast(joined.factor, laneCount);
      Value pageFactor = b.broadcast(joined.pageFactor, laneCount);
      for (int64_t i = 0; i < count; ++i) {
        Value old = b.mul(before[2 + i], factor);
        Value part = load({batch, page, head}, first + i);
        next.push_back(b.fma(part, pageFactor, old));
      }
      return next;
    };
    SmallVector<Value> result =
        b.loop(pages.first, pages.second, 1, carried, step);
    Value inverse = b.div(b.splat(b.getF32Type(), 1.0), result[1]);
    Value wide = b.broadcast(inverse, laneCount);
    for (int64_t i = 0; i < count; ++i)
      store(b.mul(result[2 + i], wide), batch, head, first + i);
  }

  /// Where a vector begins: the last one overlaps the one before.
  Value columnOf(int64_t vector) {
    return b.index(
        std::max<int64_t>(std::min(vector * laneCount, depth - laneCount), 0));
  }
  Value mask() { return b.mask(b.index(depth), laneCount); }

  Value load(ArrayRef<Value> at, int64_t vector) {
    SmallVector<Value> where(at);
    where.push_back(columnOf(vector));
    if (depth >= laneCount)
      return b.loadVector(type, op.getParts(), where);
    return vector::MaskedLoadOp::create(b, type, op.getParts(), where, mask(),
                                        b.splat(type, 0.0));
  }

  void store(Value value, Value batch, Value head, int64_t vector) {
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
  int64_t depth;
  VectorType type;
};

} // namespace

void ingot::emitMergePages(KernelBuilder &b, MergePagesOp op) {
  PageMerger(b, op).emit();
}
