//===- TiledAttention.cpp - online softmax over tiles of keys -------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Dao et al., "FlashAttention" (2022), algorithm 1, laid out for vectors:
// scores are computed transposed, with queries in the lanes. Only the tile of
// queries has to be transposed, maxima and sums over keys need no horizontal
// steps, and the weights of six queries for one key lie side by side when they
// multiply the values.
//
//===----------------------------------------------------------------------===//
#include "AttentionKernel.h"
#include "FloatMath.h"

using namespace mlir;
using namespace ingot;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

static constexpr int64_t laneCount = 16;
/// Keys whose scores are held at a time.
static constexpr int64_t keyTile = 48;

namespace {
/// Writes the kernel of one op.
class TiledAttention {
public:
  TiledAttention(KernelBuilder &b, AttentionShape &shape, int64_t queryTile,
                 int64_t tileRows)
      : b(b), s(shape), op(shape.op), queryTile(queryTile), tileRows(tileRows),
        type(VectorType::get(laneCount, b.getF32Type())), zero(b.index(0)) {}

  void emit();

private:
  void emitTile(Value batch, Value head, Value first);
  void loadQueries(Value batch, Value head, Value first, Value rows);
  void scoreTile(Value batch, Value head, Value first, Value lane, Value key,
                 Value keysHere);
  void addValues(Value batch, Value keyHead, Value rows, Value key,
                 Value keysHere);
  void storeResult(Value batch, Value head, Value keyHead, Value first,
                   Value rows);
  Value loadColumns(Value memref, ValueRange indices, Value column);
  Value scratch(ArrayRef<int64_t> shape);
  Value atMost(Value index, int64_t step, Value last);

  KernelBuilder &b;
  AttentionShape &s;
  AttentionOp op;
  int64_t queryTile, tileRows;
  VectorType type;
  Value zero;
  int64_t depth = 0, valueDepth = 0;
  /// Scaled queries, transposed; weights by key; unfinished results; and per
  /// query the maximum, the sum, and the factor for what was summed before.
  Value queries, weights, results, maxima, sums, factors;
};
} // namespace

Value TiledAttention::scratch(ArrayRef<int64_t> shape) {
  return memref::AllocaOp::create(b, MemRefType::get(shape, b.getF32Type()),
                                  b.getI64IntegerAttr(64));
}

/// index + step, but no further than the last.
Value TiledAttention::atMost(Value index, int64_t step, Value last) {
  return step == 0 ? index : b.minIndex(b.add(index, b.index(step)), last);
}

/// A vector of the last dim, whose extent may end inside it.
Value TiledAttention::loadColumns(Value memref, ValueRange indices,
                                  Value column) {
  SmallVector<Value> at(indices);
  at.push_back(column);
  if (valueDepth % laneCount == 0)
    return b.loadVector(type, memref, at);
  Value mask = b.mask(b.sub(s.valueDepth, column), laneCount);
  return vector::MaskedLoadOp::create(b, type, memref, at, mask,
                                      b.splat(type, 0.0));
}

/// queries[d][i] = scale * q[first + i][d]; rows past the end repeat the last.
void TiledAttention::loadQueries(Value batch, Value head, Value first,
                                 Value rows) {
  Value last = b.sub(b.add(first, rows), b.index(1));
  Value scale = b.splat(type, op.getScale().convertToDouble());
  b.loop(zero, rows, laneCount, [&](Value lane) {
    SmallVector<Value> from;
    for (int64_t i = 0; i < laneCount; ++i)
      from.push_back(atMost(b.add(first, lane), i, last));
    b.loop(zero, s.depth, 1, [&](Value d) {
      SmallVector<Value> elements;
      for (Value query : from)
        elements.push_back(b.load(op.getQ(), {batch, query, head, d}));
      Value row = vector::FromElementsOp::create(b, type, elements);
      b.storeVector(b.mul(row, scale), queries, {d, lane});
    });
  });
}

/// For 16 queries from `lane` on: scores of the keys of a tile, then the new
/// maximum, the weights, the sum, and the factor for older sums.
void TiledAttention::scoreTile(Value batch, Value head, Value first, Value lane,
                               Value key, Value keysHere) {
  Value keyHead = s.keyHead(b, head);
  Value lastKey = b.sub(b.add(key, keysHere), b.index(1));
  Value before = b.loadVector(type, maxima, lane);
  Value query = b.add(first, lane);
  // No maximum instruction here keeps NaN; it comes back through the weights.
  auto maximum = [&](Value a, Value c) {
    return b.select(b.compare(CmpFPredicate::OGT, a, c), a, c);
  };
  Value most =
      b.loop(zero, keysHere, tileRows, before,
             [&](Value row, ValueRange carried) -> SmallVector<Value> {
               SmallVector<Value> at;
               for (int64_t i = 0; i < tileRows; ++i)
                 at.push_back(atMost(b.add(key, row), i, lastKey));
               SmallVector<Value> zeros(tileRows, b.splat(type, 0.0));
               SmallVector<Value> scores = b.loop(
                   zero, s.depth, 1, zeros, [&](Value d, ValueRange partial) {
                     Value q = b.loadVector(type, queries, {d, lane});
                     SmallVector<Value> next;
                     for (int64_t i = 0; i < tileRows; ++i) {
                       Value k = b.load(op.getK(), {batch, at[i], keyHead, d});
                       next.push_back(
                           b.fma(b.broadcast(k, laneCount), q, partial[i]));
                     }
                     return next;
                   });
               Value max = carried[0];
               for (int64_t i = 0; i < tileRows; ++i) {
                 Value score =
                     s.finish(b, scores[i], batch, head, query, at[i]);
                 b.storeVector(score, weights, {b.add(row, b.index(i)), lane});
                 max = maximum(score, max);
               }
               return {max};
             })
          .front();
  b.storeVector(most, maxima, lane);
  // While all keys are hidden the maximum is -inf; -inf - -inf would be NaN.
  Value lowest = b.splat(type, -std::numeric_limits<double>::infinity());
  Value base = b.select(b.compare(CmpFPredicate::OEQ, most, lowest),
                        b.splat(type, 0.0), most);
  Value factor = emitExpNonPositive(b, b.sub(before, base));
  b.storeVector(factor, factors, lane);
  Value sum = b.mul(b.loadVector(type, sums, lane), factor);
  sum = b.loop(zero, keysHere, 1, sum,
               [&](Value row, ValueRange carried) -> SmallVector<Value> {
                 Value score = b.loadVector(type, weights, {row, lane});
                 Value weight = emitExpNonPositive(b, b.sub(score, base));
                 b.storeVector(weight, weights, {row, lane});
                 return {b.add(carried[0], weight)};
               })
            .front();
  b.storeVector(sum, sums, lane);
}

/// results = factors * results + weights^T * values.
void TiledAttention::addValues(Value batch, Value keyHead, Value rows,
                               Value key, Value keysHere) {
  Value last = b.sub(rows, b.index(1));
  b.loop(zero, rows, tileRows, [&](Value row) {
    SmallVector<Value> at, scales;
    for (int64_t i = 0; i < tileRows; ++i) {
      at.push_back(atMost(row, i, last));
      scales.push_back(b.broadcast(b.load(factors, at[i]), laneCount));
    }
    b.loop(zero, s.valueDepth, laneCount, [&](Value column) {
      SmallVector<Value> partial;
      for (int64_t i = 0; i < tileRows; ++i)
        partial.push_back(
            b.mul(b.loadVector(type, results, {at[i], column}), scales[i]));
      partial =
          b.loop(zero, keysHere, 1, partial, [&](Value t, ValueRange carried) {
            Value v =
                loadColumns(op.getV(), {batch, b.add(key, t), keyHead}, column);
            SmallVector<Value> next;
            for (int64_t i = 0; i < tileRows; ++i) {
              Value weight = b.load(weights, {t, at[i]});
              next.push_back(
                  b.fma(b.broadcast(weight, laneCount), v, carried[i]));
            }
            return next;
          });
      for (int64_t i = 0; i < tileRows; ++i)
        b.storeVector(partial[i], results, {at[i], column});
    });
  });
}

void TiledAttention::storeResult(Value batch, Value head, Value keyHead,
                                 Value first, Value rows) {
  Value none = b.splat(b.getF32Type(), 0.0), one = b.splat(b.getF32Type(), 1.0);
  b.loop(zero, rows, 1, [&](Value row) {
    Value total = b.load(sums, row);
    Value dead = b.compare(CmpFPredicate::OEQ, total, none);
    // Where nothing was visible the result is 0 so far; 0/0 is NaN. Without
    // keys there is nothing that could be hidden.
    Value harmless = dead;
    if (op.getDeadRow() != DeadRow::Zero)
      harmless = b.compare(CmpIPredicate::eq, s.keys, zero);
    Value divisor = b.select(harmless, one, total);
    Value inverse = b.div(one, divisor);
    Value wide = b.broadcast(inverse, laneCount);
    auto storeColumns = [&](Value value, Value column) {
      SmallVector<Value> at = {batch, b.add(first, row), head, column};
      if (valueDepth % laneCount == 0)
        return b.storeVector(value, op.getInit(), at);
      Value mask = b.mask(b.sub(s.valueDepth, column), laneCount);
      vector::MaskedStoreOp::create(b, op.getInit(), at, mask, value);
    };
    auto scaled = [&] {
      b.loop(zero, s.valueDepth, laneCount, [&](Value column) {
        storeColumns(b.mul(b.loadVector(type, results, {row, column}), wide),
                     column);
      });
    };
    if (op.getDeadRow() != DeadRow::Uniform)
      return scaled();
    b.when(
        dead,
        [&] {
          Value count = arith::UIToFPOp::create(
              b, b.getF32Type(),
              arith::IndexCastOp::create(b, b.getI64Type(),
                                         b.maxIndex(s.keys, b.index(1))));
          b.loop(zero, s.valueDepth, laneCount, [&](Value column) {
            Value sum =
                b.loop(zero, s.keys, 1, b.splat(type, 0.0),
                       [&](Value t, ValueRange carried) -> SmallVector<Value> {
                         Value v = loadColumns(op.getV(), {batch, t, keyHead},
                                               column);
                         return {b.add(carried[0], v)};
                       })
                    .front();
            storeColumns(b.div(sum, b.broadcast(count, laneCount)), column);
          });
        },
        scaled);
  });
}

void TiledAttention::emitTile(Value batch, Value head, Value first) {
  Value rows = b.minIndex(b.sub(s.queries, first), b.index(queryTile));
  Value keyHead = s.keyHead(b, head);
  loadQueries(batch, head, first, rows);
  Value lowest = b.splat(type, -std::numeric_limits<double>::infinity());
  Value none = b.splat(type, 0.0);
  b.loop(zero, rows, laneCount, [&](Value lane) {
    b.storeVector(lowest, maxima, lane);
    b.storeVector(none, sums, lane);
  });
  b.loop(zero, rows, 1, [&](Value row) {
    b.loop(zero, s.valueDepth, laneCount,
           [&](Value column) { b.storeVector(none, results, {row, column}); });
  });

  Value last = b.sub(b.add(first, rows), b.index(1));
  auto [begin, end] = s.visibleKeys(b, first, last, keyTile);
  b.loop(begin, end, keyTile, [&](Value key) {
    // Not from `end`: where a tile stops must not depend on the other queries.
    Value keysHere = b.minIndex(b.sub(s.keys, key), b.index(keyTile));
    b.loop(zero, rows, laneCount, [&](Value lane) {
      scoreTile(batch, head, first, lane, key, keysHere);
    });
    addValues(batch, keyHead, rows, key, keysHere);
  });
  storeResult(batch, head, keyHead, first, rows);
}

void TiledAttention::emit() {
  depth = cast<MemRefType>(op.getK().getType()).getDimSize(3);
  valueDepth = cast<MemRefType>(op.getV().getType()).getDimSize(3);
  int64_t columns = llvm::alignTo(valueDepth, laneCount);
  queries = scratch({depth, queryTile});
  weights = scratch({keyTile, queryTile});
  results = scratch({queryTile, columns});
  maxima = scratch({queryTile});
  sums = scratch({queryTile});
  factors = scratch({queryTile});
  b.loop(zero, s.batches, 1, [&](Value batch) {
    s.beginRow(b, batch);
    b.loop(zero, s.heads, 1, [&](Value head) {
      b.loop(zero, s.queries, queryTile,
             [&](Value first) { emitTile(batch, head, first); });
    });
  });
}

bool ingot::emitTiledAttention(KernelBuilder &b, AttentionShape &shape,
                               const TargetInfo &target) {
  AttentionOp op = shape.op;
  for (Value operand : {op.getQ(), op.getK(), op.getV(), op.getInit()})
    if (!getElementTypeOrSelf(operand.getType()).isF32())
      return false;
  if (Value bias = op.getBias())
    if (getElementTypeOrSelf(bias.getType()).getIntOrFloatBitWidth() > 32)
      return false;
  int64_t depth = cast<MemRefType>(op.getK().getType()).getDimSize(3);
  int64_t valueDepth = cast<MemRefType>(op.getV().getType()).getDimSize(3);
  if (depth <= 0 || valueDepth <= 0 || !isLastDimContiguous(op.getV()) ||
      !isLastDimContiguous(op.getInit()) ||
      cast<MemRefType>(op.getInit().getType()).getDimSize(3) != valueDepth)
    return false;
  // Scratch stays within 64 KiB; the largest tile of queries that fits.
  for (int64_t queryTile : {48, 16}) {
    int64_t bytes =
        4 * queryTile *
        (depth + keyTile + int64_t(llvm::alignTo(valueDepth, laneCount)) + 3);
    if (bytes > 64 * 1024)
      continue;
    TiledAttention(b, shape, queryTile, target.gemmRows()).emit();
    return true;
  }
  return false;
}
