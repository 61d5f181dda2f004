//===- PagedAttentionTile.cpp - some rows against one page of a cache -----===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "FloatMath.h"
#include "PagedAttention.h"
#include "VectorUtils.h"

using namespace mlir;
using namespace ingot;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

Value ingot::largerOf(KernelBuilder &b, Value a, Value c) {
  return b.select(b.compare(CmpFPredicate::OGT, a, c), a, c);
}

Value ingot::finiteBase(KernelBuilder &b, Value maximum) {
  Value lowest = b.splat(maximum.getType(), -INFINITY);
  return b.select(b.compare(CmpFPredicate::OEQ, maximum, lowest),
                  b.splat(maximum.getType(), 0.0), maximum);
}

JoinedMaximum::JoinedMaximum(KernelBuilder &b, Value page, Value before)
    : maximum(largerOf(b, page, before)) {
  Value joinedBase = finiteBase(b, maximum);
  factor = emitExpNonPositive(b, b.sub(before, joinedBase));
  pageFactor = emitExpNonPositive(b, b.sub(page, joinedBase));
}

/// What a row adds to the scores of a vector of the page's keys, by their
/// distance from its query.
Value PagedAttention::biasOf(Value row, Value key) {
  Value bias = op.getBias();
  auto lanes = VectorType::get(laneCount, b.getI32Type());
  auto wide = [&](Value index) {
    return b.broadcast(arith::IndexCastOp::create(b, b.getI32Type(), index),
                       laneCount);
  };
  auto numbers = llvm::to_vector(llvm::seq<int32_t>(0, laneCount));
  Value lane = arith::ConstantOp::create(b, b.getI32VectorAttr(numbers));
  Value distance = b.sub(b.load(positions, row), b.add(origin, key));
  distance = b.sub(wide(distance), lane);
  // Keys behind the query are hidden.
  distance = arith::MaxSIOp::create(b, distance, b.splatInt(lanes, 0));
  Value last = wide(b.sub(b.dim(bias, 1), one));
  distance = arith::MinSIOp::create(b, distance, last);
  auto stored = VectorType::get(laneCount, getElementTypeOrSelf(bias));
  Value all = b.mask(b.index(laneCount), laneCount);
  Value found = vector::GatherOp::create(
      b, stored, bias, ValueRange{b.load(queryHeads, row), zero}, distance, all,
      b.splat(stored, 0.0));
  return b.castFloat(found, b.getF32Type());
}

PagedAttention::Range PagedAttention::seenBy(Value row) {
  Value size = b.index(cachePagePositions);
  auto inPage = [&](Value key) {
    return b.minIndex(b.maxIndex(key, zero), size);
  };
  Value end = b.add(b.sub(b.load(positions, row), origin), one);
  Value begin = zero;
  if (op.getWindow() > 0)
    begin = inPage(b.sub(end, b.index(op.getWindow())));
  return {begin, inPage(end)};
}

/// sums[i][j] + left(i) * right(j). The side that takes fewer registers is
/// held in them.
SmallVector<Value> PagedAttention::addOuterProduct(
    int64_t rows, int64_t columns, function_ref<Value(int64_t)> left,
    function_ref<Value(int64_t)> right, ValueRange sums) {
  SmallVector<Value> next(sums);
  SmallVector<Value> held;
  bool isTall = rows > columns * tiling.registersPerVector;
  for (int64_t i = 0; i < (isTall ? columns : rows); ++i)
    held.push_back(isTall ? right(i) : left(i));
  for (int64_t i = 0; i < (isTall ? rows : columns); ++i) {
    Value other = isTall ? left(i) : right(i);
    for (auto [j, value] : llvm::enumerate(held)) {
      Value &sum = next[isTall ? i * columns + j : j * columns + i];
      sum = b.fma(other, value, sum);
    }
  }
  return next;
}

/// Whether what comes next is fetched while the kernel computes. The rows of
/// one token are done before it has come by itself, but very few of them only
/// wait for memory, which is faster undisturbed: measured, docs/benchmarks.md.
bool PagedAttention::isFetchedAhead(int64_t tileRows) {
  auto q = cast<MemRefType>(op.getQ().getType());
  int64_t heads = q.isDynamicDim(2) ? 1 : q.getDimSize(2);
  int64_t bytes = cache.getType().getIntOrFloatBitWidth() / 8;
  return tileRows <= std::max<int64_t>(heads / cache.getHeads(), 1) &&
         tileRows >= std::max<int64_t>(bytes, 3);
}

/// Asks for part number `part` of `parts` of a head's keys or values.
void PagedAttention::prefetch(Value memref, Value keyHead, Value part,
                              int64_t parts) {
  auto pageType = cast<MemRefType>(memref.getType());
  constexpr int64_t lineBits = 512;
  int64_t line = lineBits / pageType.getElementTypeBitWidth();
  int64_t elements = pageType.getDimSize(1) * pageType.getDimSize(2);
  int64_t share = std::max<int64_t>(elements / parts, 1);
  Value first = b.mul(part, b.index(share));
  if (elements < parts)
    first = b.minIndex(first, b.index(elements - 1));
  for (int64_t i = 0; i < share; i += line)
    memref::PrefetchOp::create(b, memref,
                               ValueRange{keyHead, zero, at(first, i)},
                               /*isWrite=*/false, /*localityHint=*/2,
                               /*isDataCache=*/true);
}

/// Scores of the tile's rows with the vectors of keys that one of them sees.
void PagedAttention::score(CachePageOp page, Value keyHead, Value row,
                           int64_t tileRows, Range seen) {
  int64_t vectors = tiling.keysAtATime(tileRows);
  int64_t step = vectors * laneCount;
  Value begin = floorTo(seen.first, step);
  auto stored = VectorType::get(laneCount, cache.getType());
  SmallVector<Value> zeros(tileRows * vectors, b.splat(type, 0.0));
  b.loop(begin, seen.second, step, [&](Value key) {
    SmallVector<Value> scores = b.loop(
        zero, b.index(depth), 1, zeros, [&](Value d, ValueRange partial) {
          auto query = [&](int64_t i) {
            return b.broadcast(b.load(queries, {at(row, i), d}), laneCount);
          };
          auto vector = [&](int64_t j) {
            Value loaded = b.loadVector(stored, page.getKeys(),
                                        {keyHead, d, at(key, j * laneCount)});
            return b.castFloat(loaded, b.getF32Type());
          };
          if (isFetchedAhead(tileRows)) {
            Value part =
                b.mul(b.createOrFold<arith::DivUIOp>(key, b.index(step)),
                      b.index(depth));
            prefetch(page.getValues(), keyHead, b.add(part, d),
                     cachePagePositions / step * depth);
          }
          return addOuterProduct(tileRows, vectors, query, vector, partial);
        });
    for (int64_t i = 0; i < tileRows; ++i)
      for (int64_t j = 0; j < vectors; ++j)
        b.storeVector(scores[i * vectors + j], weights,
                      {b.index(i), at(key, j * laneCount)});
  });
}

/// Turns a row's scores of a page into weights, and joins the page's maximum
/// and sum with the row's. `local` is the row's number in its tile.
void PagedAttention::weigh(Value row, Value local) {
  Range seen = seenBy(row);
  double cap = op.getSoftcap().convertToDouble();
  Type i32 = b.getI32Type();
  auto wide = [&](Value key) {
    return b.broadcast(arith::IndexCastOp::create(b, i32, key), laneCount);
  };
  Value begin = wide(seen.first), end = wide(seen.second);
  auto lanes = llvm::to_vector(llvm::seq<int32_t>(0, laneCount));
  Value lane = arith::ConstantOp::create(b, b.getI32VectorAttr(lanes));
  Value lowest = b.splat(type, -INFINITY);
  // What lies before and after counts as zero; nobody keeps what its weights
  // give.
  Value from = floorTo(seen.first, laneCount);
  auto maximum = [&](Value key, ValueRange most) -> SmallVector<Value> {
    Value score = b.loadVector(type, weights, {local, key});
    if (cap > 0)
      score = b.mul(emitTanh(b, b.mul(score, b.splat(type, 1.0 / cap))),
                    b.splat(type, cap));
    if (op.getBias())
      score = b.add(score, biasOf(row, key));
    Value number = b.add(wide(key), lane);
    Value isSeen = b.compare(CmpIPredicate::slt, number, end);
    if (op.getWindow() > 0)
      isSeen = arith::AndIOp::create(
          b, isSeen, b.compare(CmpIPredicate::sge, number, begin));
    // The score of a hidden key may be of memory that nobody wrote.
    score = b.select(isSeen, score, lowest);
    b.storeVector(score, weights, {local, key});
    return {largerOf(b, score, most[0])};
  };
  Value most = b.loop(from, seen.second, laneCount, lowest, maximum).front();
  most = foldLanes(b, b.getLoc(), most, [&](Value lower, Value upper) {
    return largerOf(b, lower, upper);
  });
  Value pageBase = b.broadcast(finiteBase(b, most), laneCount);
  auto weight = [&](Value key, ValueRange sum) -> SmallVector<Value> {
    Value score = b.loadVector(type, weights, {local, key});
    Value weight = emitExpNonPositive(b, b.sub(score, pageBase));
    b.storeVector(weight, weights, {local, key});
    return {b.add(sum[0], weight)};
  };
  Value none = b.splat(type, 0.0);
  Value sum = b.loop(from, seen.second, laneCount, none, weight).front();
  sum = foldLanes(b, b.getLoc(), sum, [&](Value lower, Value upper) {
    return b.add(lower, upper);
  });

  if (parts) {
    b.store(most, maxima, row);
    b.store(sum, sums, row);
    return;
  }
  Value total = b.load(sums, row);
  JoinedMaximum joined(b, most, b.load(maxima, row));
  b.store(joined.factor, factors, local);
  b.store(joined.pageFactor, pageFactors, local);
  b.when(isAnySeen(seen), [&] {
    b.store(joined.maximum, maxima, row);
    b.store(b.fma(sum, joined.pageFactor, b.mul(total, joined.factor)), sums,
            row);
  });
}

/// results = factors * results + pageFactors * (weights * values); of a page by
/// itself, weights * values.
void PagedAttention::addValues(CachePageOp page, Value keyHead, Value row,
                               int64_t tileRows) {
  // Rows follow each other in position: the first sees the earliest key, the
  // last sees the latest, and between `allBegin` and `allEnd` all see all.
  Range first = seenBy(row), last = seenBy(at(row, tileRows - 1));
  Value allBegin = b.minIndex(last.first, last.second);
  Value allEnd = b.maxIndex(allBegin, first.second);
  int64_t vectors = tiling.columnsAtATime(tileRows, valueVectors);
  // One token has one range.
  bool mayDiffer =
      tileRows > 1 && cast<MemRefType>(op.getQ().getType()).getDimSize(1) != 1;
  SmallVector<Value> zeros(tileRows * vectors, b.splat(type, 0.0));
  b.loop(zero, b.index(valueVectors), vectors, [&](Value number) {
    auto addKeys = [&](Range keys, const SmallVector<Value> &sums,
                       bool isRagged) {
      return b.loop(
          keys.first, keys.second, 1, sums, [&](Value key, ValueRange partial) {
            auto weight = [&](int64_t i) {
              return b.broadcast(b.load(weights, {b.index(i), key}), laneCount);
            };
            auto vector = [&](int64_t j) {
              return loadColumns(b, page.getValues(), {keyHead, key},
                                 at(number, j), valueDepth);
            };
            if (!isRagged && isFetchedAhead(tileRows)) {
              Value part = b.mul(
                  b.createOrFold<arith::DivUIOp>(number, b.index(vectors)),
                  b.index(cachePagePositions));
              prefetch(nextKeys, nextHead, b.add(part, key),
                       llvm::divideCeil(valueVectors, vectors) *
                           cachePagePositions);
            }
            SmallVector<Value> next =
                addOuterProduct(tileRows, vectors, weight, vector, partial);
            for (int64_t i = 0; isRagged && i < tileRows; ++i) {
              Range seen = seenBy(at(row, i));
              Value isSeen = arith::AndIOp::create(
                  b, b.compare(CmpIPredicate::sge, key, seen.first),
                  b.compare(CmpIPredicate::slt, key, seen.second));
              // Not by a weight of zero: the value may be infinite.
              for (int64_t at = i * vectors; at < (i + 1) * vectors; ++at)
                next[at] = b.select(isSeen, next[at], partial[at]);
            }
            return next;
          });
    };
    SmallVector<Value> sums = zeros;
    if (mayDiffer && op.getWindow() > 0)
      sums = addKeys({first.first, allBegin}, sums, /*isRagged=*/true);
    sums = addKeys({allBegin, allEnd}, sums, /*isRagged=*/false);
    if (mayDiffer)
      sums = addKeys({allEnd, last.second}, sums, /*isRagged=*/true);
    for (int64_t i = 0; i < tileRows; ++i) {
      auto placeOf = [&](int64_t j) -> SmallVector<Value> {
        return {at(row, i), b.mul(at(number, j), b.index(laneCount))};
      };
      if (parts) {
        for (int64_t j = 0; j < vectors; ++j)
          b.storeVector(sums[i * vectors + j], results, placeOf(j));
        continue;
      }
      auto wide = [&](Value factor) {
        return b.broadcast(b.load(factor, b.index(i)), laneCount);
      };
      b.when(isAnySeen(seenBy(at(row, i))), [&] {
        Value factor = wide(factors), pageFactor = wide(pageFactors);
        for (int64_t j = 0; j < vectors; ++j) {
          SmallVector<Value> where = placeOf(j);
          Value old = b.mul(b.loadVector(type, results, where), factor);
          b.storeVector(b.fma(sums[i * vectors + j], pageFactor, old), results,
                        where);
        }
      });
    }
  });
}

void PagedAttention::tile(CachePageOp page, Value keyHead, Value row,
                          int64_t tileRows) {
  Range seen = {seenBy(row).first, seenBy(at(row, tileRows - 1)).second};
  b.when(isAnySeen(seen), [&] {
    score(page, keyHead, row, tileRows, seen);
    b.loop(zero, b.index(tileRows), 1,
           [&](Value local) { weigh(b.add(row, local), local); });
    addValues(page, keyHead, row, tileRows);
  });
}
