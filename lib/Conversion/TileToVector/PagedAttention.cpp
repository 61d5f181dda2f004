//===- PagedAttention.cpp - attention over a cache, block by block --------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "PagedAttention.h"

using namespace mlir;
using namespace ingot;
using arith::CmpIPredicate;

std::pair<Value, Value> ingot::seenPages(KernelBuilder &b, Value first,
                                         Value last, int64_t window) {
  auto pageOf = [&](Value position) {
    return b.createOrFold<arith::DivUIOp>(position,
                                          b.index(cachePagePositions));
  };
  Value begin = b.index(0);
  if (window > 0) {
    Value earliest = b.sub(first, b.index(window - 1));
    begin = pageOf(b.maxIndex(earliest, begin));
  }
  return {begin, b.add(pageOf(last), b.index(1))};
}

PagedAttention::PagedAttention(KernelBuilder &b, PagedAttentionOp op,
                               const RowTiling &tiling)
    : b(b), op(op), cache(op.getCache().getType()), tiling(tiling),
      depth(cache.getKeyDepth()), valueDepth(cache.getValueDepth()),
      valueVectors(llvm::divideCeil(valueDepth, laneCount)),
      type(VectorType::get(laneCount, b.getF32Type())), zero(b.index(0)),
      one(b.index(1)) {}

Value ingot::emitScratch(KernelBuilder &b, ArrayRef<int64_t> shape,
                         Type element) {
  return memref::AllocaOp::create(b, MemRefType::get(shape, element),
                                  b.getI64IntegerAttr(64));
}

/// Where vector number `number` of `depth` elements begins.
static Value columnOf(KernelBuilder &b, Value number, int64_t depth) {
  return b.minIndex(b.mul(number, b.index(laneCount)),
                    b.index(std::max<int64_t>(depth - laneCount, 0)));
}

Value ingot::loadColumns(KernelBuilder &b, Value memref, ValueRange indices,
                         Value number, int64_t depth) {
  SmallVector<Value> where(indices);
  where.push_back(columnOf(b, number, depth));
  auto stored = VectorType::get(laneCount, getElementTypeOrSelf(memref));
  if (depth >= laneCount)
    return b.castFloat(b.loadVector(stored, memref, where), b.getF32Type());
  Value value = vector::MaskedLoadOp::create(b, stored, memref, where,
                                             b.mask(b.index(depth), laneCount),
                                             b.splat(stored, 0.0));
  return b.castFloat(value, b.getF32Type());
}

void ingot::storeColumns(KernelBuilder &b, Value value, Value memref,
                         ValueRange indices, Value number, int64_t depth) {
  Value column = columnOf(b, number, depth);
  SmallVector<Value> where(indices);
  where.push_back(column);
  Type element = getElementTypeOrSelf(memref.getType());
  value = b.castFloat(value, element);
  if (isLastDimContiguous(memref) && depth >= laneCount)
    return b.storeVector(value, memref, where);
  if (isLastDimContiguous(memref) && element.isF32()) {
    Value mask = b.mask(b.index(depth), laneCount);
    vector::MaskedStoreOp::create(b, memref, where, mask, value);
    return;
  }
  for (int64_t lane = 0; lane < std::min(laneCount, depth); ++lane) {
    where.back() = b.add(column, b.index(lane));
    b.store(vector::ExtractOp::create(b, value, lane), memref, where);
  }
}

/// Whole tiles, then the narrowest tile that covers the rest; it may reach past
/// the rows.
void PagedAttention::overTiles(Value rows,
                               function_ref<void(Value, int64_t)> body) {
  int64_t widest = tiling.tiles.front();
  Value rest = b.createOrFold<arith::RemUIOp>(rows, b.index(widest));
  Value whole = b.sub(rows, rest);
  b.loop(zero, whole, widest, [&](Value row) { body(row, widest); });
  if (tiling.isExact)
    return;
  for (auto [i, size] : llvm::enumerate(tiling.tiles)) {
    int64_t below = i + 1 < tiling.tiles.size() ? tiling.tiles[i + 1] : 0;
    // No rest is as large as the widest tile.
    if (below + 1 == widest)
      continue;
    Value fits = b.compare(CmpIPredicate::ule, rest, b.index(size));
    Value needed = b.compare(CmpIPredicate::ugt, rest, b.index(below));
    b.when(b.createOrFold<arith::AndIOp>(fits, needed),
           [&, size = size] { body(whole, size); });
  }
}

/// The rows that overTiles visits.
Value PagedAttention::paddedRows(Value rows) {
  int64_t widest = tiling.tiles.front();
  Value rest = b.createOrFold<arith::RemUIOp>(rows, b.index(widest));
  Value size = zero;
  for (int64_t tile : tiling.tiles)
    size = b.select(b.compare(CmpIPredicate::ule, rest, b.index(tile)),
                    b.index(tile), size);
  size = b.select(b.compare(CmpIPredicate::eq, rest, zero), zero, size);
  return b.add(b.sub(rows, rest), size);
}

/// Scales the block's queries and begins its rows; rows past the end repeat the
/// last query.
void PagedAttention::loadQueries(Value batch, Value keyHead, Value firstRow,
                                 Value rows) {
  Type f32 = b.getF32Type();
  Value last = b.sub(rows, one);
  Value firstHead = b.mul(keyHead, ratio);
  b.loop(zero, paddedRows(rows), 1, [&](Value row) {
    Value from = b.add(firstRow, b.minIndex(row, last));
    Value query = b.createOrFold<arith::DivUIOp>(from, ratio);
    Value head = b.add(firstHead, b.createOrFold<arith::RemUIOp>(from, ratio));
    b.store(cache.getBound() ? base : b.add(base, query), positions, row);
    if (op.getBias())
      b.store(head, queryHeads, row);
    b.store(b.splat(f32, -INFINITY), maxima, row);
    b.store(b.splat(f32, 0.0), sums, row);
    b.loop(zero, b.dim(results, 1), laneCount, [&](Value column) {
      b.storeVector(b.splat(type, 0.0), results, {row, column});
    });
    auto scaled = [&](Value q) {
      q = b.castFloat(q, f32);
      return b.mul(q, b.splat(q.getType(), op.getScale().convertToDouble()));
    };
    Value q = op.getQ();
    auto stored = VectorType::get(laneCount, getElementTypeOrSelf(q.getType()));
    auto copyVector = [&](Value d) {
      Value value = b.loadVector(stored, q, {batch, query, head, d});
      b.storeVector(scaled(value), queries, {row, d});
    };
    if (!isLastDimContiguous(q) ||
        !overColumns(b, depth, laneCount, copyVector))
      b.loop(zero, b.index(depth), 1, [&](Value d) {
        b.store(scaled(b.load(q, {batch, query, head, d})), queries, {row, d});
      });
  });
}

void PagedAttention::storeRow(Value batch, Value query, Value head, Value row) {
  Value inverse = b.div(b.splat(b.getF32Type(), 1.0), b.load(sums, row));
  Value wide = b.broadcast(inverse, laneCount);
  b.loop(zero, b.index(valueVectors), 1, [&](Value number) {
    Value from = b.mul(number, b.index(laneCount));
    Value value = b.mul(b.loadVector(type, results, {row, from}), wide);
    storeColumns(b, value, op.getInit(), {batch, query, head}, number,
                 valueDepth);
  });
}

void PagedAttention::storeZeros(Value batch, Value query, Value head) {
  b.loop(zero, b.index(valueVectors), 1, [&](Value number) {
    storeColumns(b, b.splat(type, 0.0), op.getInit(), {batch, query, head},
                 number, valueDepth);
  });
}

void PagedAttention::emitBlock(Value batch, Value keyHead, Value firstRow,
                               Value rows) {
  loadQueries(batch, keyHead, firstRow, rows);
  Value pageSize = b.index(cachePagePositions);
  auto [first, last] =
      seenPages(b, b.load(positions, zero), b.load(positions, b.sub(rows, one)),
                op.getWindow());
  Value begin = first, end = last;
  b.loop(begin, end, 1, [&](Value number) {
    auto page = CachePageOp::create(b, op.getCache(), batch, number);
    Value next = b.minIndex(at(number, 1), b.sub(end, one));
    nextKeys = CachePageOp::create(b, op.getCache(), batch, next).getKeys();
    nextHead = keyHead;
    origin = b.mul(number, pageSize);
    overTiles(rows, [&](Value row, int64_t tileRows) {
      tile(page, keyHead, row, tileRows);
    });
  });
  b.loop(zero, rows, 1, [&](Value row) {
    Value from = b.add(firstRow, row);
    Value head = b.add(b.mul(keyHead, ratio),
                       b.createOrFold<arith::RemUIOp>(from, ratio));
    storeRow(batch, b.createOrFold<arith::DivUIOp>(from, ratio), head, row);
  });
}

void PagedAttention::allocateState() {
  Type f32 = b.getF32Type();
  int64_t block = tiling.block, tileRows = tiling.tiles.front();
  queries = emitScratch(b, {block, depth}, f32);
  positions = emitScratch(b, {block}, b.getIndexType());
  queryHeads =
      op.getBias() ? emitScratch(b, {block}, b.getIndexType()) : Value();
  results = emitScratch(
      b, {block, tiling.paddedVectors(valueVectors) * laneCount}, f32);
  maxima = emitScratch(b, {block}, f32);
  sums = emitScratch(b, {block}, f32);
  weights = emitScratch(b, {tileRows, cachePagePositions}, f32);
  factors = emitScratch(b, {tileRows}, f32);
  pageFactors = emitScratch(b, {tileRows}, f32);
  ratio = b.createOrFold<arith::DivUIOp>(b.dim(op.getQ(), 2),
                                         b.index(cache.getHeads()));
}

void PagedAttention::emit() {
  allocateState();
  int64_t block = tiling.block;
  Value keyHeads = b.index(cache.getHeads());
  Value heads = b.dim(op.getQ(), 2), tokens = b.dim(op.getQ(), 1);
  b.loop(zero, b.dim(op.getQ(), 0), 1, [&](Value batch) {
    CacheRow row(b, batch, op.getPast(), op.getCount(), op.getFirst(), tokens);
    base = row.position;
    if (cache.getBound())
      base = b.sub(row.past, one);
    Value rows = b.mul(row.tokens, ratio);
    b.loop(zero, keyHeads, 1, [&](Value keyHead) {
      b.loop(zero, rows, block, [&](Value firstRow) {
        Value left = b.minIndex(b.sub(rows, firstRow), b.index(block));
        emitBlock(batch, keyHead, firstRow, left);
      });
    });
    b.loop(row.tokens, tokens, 1, [&](Value query) {
      b.loop(zero, heads, 1,
             [&](Value head) { storeZeros(batch, query, head); });
    });
  });
}

void PagedAttention::storePart(Value batch, Value page, Value head, Value row) {
  SmallVector<Value> at = {batch, page, head};
  b.loop(zero, b.index(valueVectors), 1, [&](Value number) {
    Value from = b.mul(number, b.index(laneCount));
    storeColumns(b, b.loadVector(type, results, {row, from}), parts, at, number,
                 valueDepth);
  });
  at.push_back(b.index(valueDepth));
  b.store(b.load(sums, row), parts, at);
  at.back() = b.index(valueDepth + 1);
  b.store(b.load(maxima, row), parts, at);
}

void PagedAttention::emitParts(Value firstPage, Value pages, Value to) {
  parts = to;
  allocateState();
  b.loop(zero, b.dim(op.getQ(), 0), 1, [&](Value batch) {
    CacheRow row(b, batch, op.getPast(), op.getCount(), /*first=*/Value(), one);
    base = row.position;
    auto [first, last] = seenPages(b, base, base, op.getWindow());
    Value begin = b.maxIndex(first, firstPage);
    Value end = b.minIndex(last, b.add(firstPage, pages));
    end = b.select(b.compare(CmpIPredicate::eq, row.tokens, zero), begin, end);
    b.loop(begin, end, 1, [&](Value number) {
      auto page = CachePageOp::create(b, op.getCache(), batch, number);
      origin = b.mul(number, b.index(cachePagePositions));
      b.loop(zero, b.index(cache.getHeads()), 1, [&](Value keyHead) {
        // Of this part of the cache or, behind it, of the page's next head.
        nextKeys = page.getKeys();
        nextHead = at(keyHead, 1);
        b.loop(zero, ratio, tiling.block, [&](Value firstRow) {
          Value rows =
              b.minIndex(b.sub(ratio, firstRow), b.index(tiling.block));
          loadQueries(batch, keyHead, firstRow, rows);
          overTiles(rows, [&](Value at, int64_t tileRows) {
            tile(page, keyHead, at, tileRows);
          });
          Value head = b.add(b.mul(keyHead, ratio), firstRow);
          b.loop(zero, rows, 1, [&](Value at) {
            storePart(batch, b.sub(number, firstPage), b.add(head, at), at);
          });
        });
      });
    });
  });
}

/// The rows of `op` whose scratch is of a bounded size; none if even one row
/// takes more.
static std::optional<RowTiling> chooseRows(PagedAttentionOp op,
                                           const TargetInfo &target) {
  auto q = cast<MemRefType>(op.getQ().getType());
  CacheType cache = op.getCache().getType();
  int64_t valueVectors = llvm::divideCeil(cache.getValueDepth(), laneCount);
  int64_t ratio = q.isDynamicDim(2) ? 0 : q.getDimSize(2) / cache.getHeads();
  int64_t widest = target.gemmRows(), most = 48;
  if (!q.isDynamicDim(1) && ratio > 0) {
    // Few rows, as one token has, are taken in equal tiles.
    int64_t rows = std::max<int64_t>(q.getDimSize(1) * ratio, 1);
    widest = llvm::divideCeil(rows, llvm::divideCeil(rows, widest));
    most = std::min(most, rows);
  }
  for (; widest > 0; widest /= 2) {
    RowTiling tiling;
    tiling.registers = target.vectorRegisters;
    tiling.registersPerVector = laneCount / target.f32Lanes();
    tiling.tiles.push_back(widest);
    tiling.isExact = ratio > 0 && ratio % widest == 0;
    int64_t fewest = std::max<int64_t>(ratio, 1);
    for (int64_t rows : {widest / 2, fewest})
      if (!tiling.isExact && rows > 0 && rows < widest)
        tiling.tiles.push_back(rows);
    llvm::sort(tiling.tiles, std::greater<int64_t>());
    tiling.tiles.erase(llvm::unique(tiling.tiles), tiling.tiles.end());
    int64_t columns = tiling.paddedVectors(valueVectors) * laneCount;
    for (int64_t rows : {most, most / 2, int64_t(1)}) {
      tiling.block = llvm::alignTo(rows, widest);
      int64_t bytes = 4 * (tiling.block * (cache.getKeyDepth() + columns) +
                           widest * cachePagePositions);
      if (tiling.block > 0 && bytes <= scratchLimit)
        return tiling;
    }
  }
  return std::nullopt;
}

template <typename OpTy> static LogicalResult needsScratch(OpTy op) {
  CacheType cache = op.getCache().getType();
  return op.emitOpError("needs more scratch than ")
         << scratchLimit << " bytes for depths of " << cache.getKeyDepth()
         << " and " << cache.getValueDepth();
}

LogicalResult ingot::emitPageAttention(KernelBuilder &b, PageAttentionOp op,
                                       const TargetInfo &target) {
  // Queries and results as those of one token.
  Value q = op.getQ(), parts = op.getInit();
  SmallVector<ReassociationIndices> groups = {{0, 1}, {2}, {3}};
  auto qType = cast<MemRefType>(q.getType());
  SmallVector<int64_t> shape(qType.getShape());
  shape.insert(shape.begin() + 1, 1);
  q = memref::ExpandShapeOp::create(b, shape, q, groups);
  SmallVector<OpFoldResult> sizes;
  for (int64_t dim = 0; dim < 4; ++dim)
    sizes.push_back(getAsOpFoldResult(b.dim(parts, dim)));
  sizes[1] = b.getIndexAttr(1);
  sizes[3] = b.getIndexAttr(op.getCache().getType().getValueDepth());
  SmallVector<OpFoldResult> offsets(4, b.getIndexAttr(0)),
      strides(4, b.getIndexAttr(1));
  Value init = memref::SubViewOp::create(b, parts, offsets, sizes, strides);
  auto token = PagedAttentionOp::create(
      b, TypeRange(), q, op.getPast(), op.getCount(), /*first=*/Value(),
      op.getCache(), /*bias=*/Value(), init, op.getScale(), op.getWindow(),
      op.getSoftcap());
  std::optional<RowTiling> tiling = chooseRows(token, target);
  if (tiling)
    PagedAttention(b, token, *tiling)
        .emitParts(op.getFirst(), op.getPages(), parts);
  token.erase();
  return tiling ? success() : needsScratch(op);
}

LogicalResult ingot::emitPagedAttention(KernelBuilder &b, PagedAttentionOp op,
                                        const TargetInfo &target) {
  std::optional<RowTiling> tiling = chooseRows(op, target);
  if (!tiling)
    return needsScratch(op);
  PagedAttention(b, op, *tiling).emit();
  return success();
}
