//===- CacheTiling.cpp - tiling of the ops on caches ----------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/IngotOps.h"
#include "dialects/Ingot/IR/Tiler.h"

using namespace mlir;
using namespace ingot;

/// The number of a tile's first token or row: it begins `offset` of them into
/// an op whose own first one is `first` (null: 0).
static Value firstOf(Value first, Tiler &tiler, Location loc,
                     OpFoldResult offset) {
  OpFoldResult base = first ? OpFoldResult(first) : tiler.zero();
  AffineExpr a, b;
  bindSymbols(tiler.getBuilder().getContext(), a, b);
  return getValueOrCreateConstantIndexOp(tiler.getBuilder(), loc,
                                         tiler.affine(a + b, {base, offset}));
}

/// The rows and heads of a cache from the given ones on.
static Value cachePart(Tiler &tiler, Location loc, Value cache,
                       OpFoldResult row, OpFoldResult head, int64_t heads) {
  auto type = cast<CacheType>(cache.getType());
  OpBuilder &b = tiler.getBuilder();
  auto part = CacheType::get(b.getContext(), heads, type.getKeyDepth(),
                             type.getValueDepth(), type.getType(),
                             type.getWindow(), type.getBound());
  if (part == type && isZeroInteger(row) && isZeroInteger(head))
    return cache;
  return CachePartOp::create(b, loc, part, cache,
                             getValueOrCreateConstantIndexOp(b, loc, row),
                             getValueOrCreateConstantIndexOp(b, loc, head));
}

/// The first key head that a tile of query heads reads, and how many: the tile
/// is whole groups, or lies within one.
template <typename OpTy>
static FailureOr<std::pair<OpFoldResult, int64_t>>
keyHeadsOf(OpTy op, Tiler &tiler, Value q, int64_t dim, OpFoldResult offset,
           OpFoldResult size) {
  int64_t keyHeads = op.getCache().getType().getHeads();
  std::optional<int64_t> heads = getConstantIntValue(tiler.extent(q, dim));
  std::optional<int64_t> count = getConstantIntValue(size);
  if (!heads || !count || *heads % keyHeads != 0)
    return op.emitOpError("is cut into tiles of heads of unknown number");
  int64_t ratio = *heads / keyHeads;
  if (*count % ratio != 0 && ratio % *count != 0)
    return op.emitOpError("is cut within a group of heads");
  AffineExpr head = tiler.getBuilder().getAffineSymbolExpr(0);
  return std::make_pair(tiler.affine(head.floorDiv(ratio), {offset}),
                        std::max<int64_t>(*count / ratio, 1));
}

/// Rows, the pages that are asked for, and heads.
static SmallVector<Range> pageDomainOf(PageAttentionOp op, OpBuilder &builder) {
  SmallVector<Range> ranges = domainOf(op, builder);
  ranges[1].size = op.getPages();
  return ranges;
}

static FailureOr<TilingResult> tileOperands(PagedAttentionOp op, Tiler &tiler,
                                            const Part &tile) {
  FailureOr<std::pair<OpFoldResult, int64_t>> heads =
      keyHeadsOf(op, tiler, op.getQ(), 2, tile.offsets[2], tile.sizes[2]);
  if (failed(heads))
    return failure();
  Part q = tile, rows, biases;
  q.sizes[3] = tiler.extent(op.getQ(), 3);
  rows.add(tile.offsets[0], tile.sizes[0]);
  SmallVector<std::optional<Part>> regions = {q, rows, rows};
  regions.append(op.getFirst() ? 2 : 1, std::nullopt);
  if (op.getBias()) {
    biases.add(tile.offsets[2], tile.sizes[2]);
    tiler.addWhole(biases, op.getBias(), 1);
    regions.push_back(biases);
  }
  regions.push_back(tile);
  Value first = firstOf(op.getFirst(), tiler, op.getLoc(), tile.offsets[1]);
  Value cache = cachePart(tiler, op.getLoc(), op.getCache(), tile.offsets[0],
                          heads->first, heads->second);
  return tiler.tiled(regions, [&](Operation *clone) {
    auto part = cast<PagedAttentionOp>(clone);
    part.getFirstMutable().assign(first);
    part.getCacheMutable().assign(cache);
  });
}
INGOT_TILING(PagedAttentionOp, {3})

SmallVector<utils::IteratorType> CacheStoreOp::getLoopIteratorTypes() {
  return {utils::IteratorType::parallel, utils::IteratorType::parallel};
}

SmallVector<Range> CacheStoreOp::getIterationDomain(OpBuilder &builder) {
  Tiler tiler(*this, builder);
  SmallVector<Range> ranges;
  for (int64_t dim : {0, 1})
    ranges.push_back(
        {tiler.zero(), tiler.extent(getX(), dim), builder.getIndexAttr(1)});
  return ranges;
}

FailureOr<TilingResult>
CacheStoreOp::getTiledImplementation(OpBuilder &builder,
                                     ArrayRef<OpFoldResult> offsets,
                                     ArrayRef<OpFoldResult> sizes) {
  Tiler tiler(*this, builder);
  Part tile;
  tile.add(offsets[0], sizes[0]);
  tile.add(offsets[1], sizes[1]);
  tiler.addWhole(tile, getX(), 2);
  SmallVector<std::optional<Part>> regions(getNumOperands());
  regions[0] = tile;
  Value first = firstOf(getFirst(), tiler, getLoc(), offsets[0]);
  // A last tile may have fewer heads than the part that it is given.
  int64_t heads =
      getConstantIntValue(sizes[1]).value_or(getCache().getType().getHeads());
  Value cache =
      cachePart(tiler, getLoc(), getCache(), tiler.zero(), offsets[1], heads);
  return tiler.tiled(regions, [&](Operation *clone) {
    auto part = cast<CacheStoreOp>(clone);
    part.getFirstMutable().assign(first);
    part.getCacheMutable().assign(cache);
  });
}

/// A tile of pages of some rows and heads: what is written of the destination
/// has the same place there.
static FailureOr<TilingResult> tileOperands(PageAttentionOp op, Tiler &tiler,
                                            const Part &tile) {
  FailureOr<std::pair<OpFoldResult, int64_t>> heads =
      keyHeadsOf(op, tiler, op.getQ(), 1, tile.offsets[2], tile.sizes[2]);
  if (failed(heads))
    return failure();
  Part q, rows;
  q.add(tile.offsets[0], tile.sizes[0]);
  q.add(tile.offsets[2], tile.sizes[2]);
  tiler.addWhole(q, op.getQ(), 2);
  rows.add(tile.offsets[0], tile.sizes[0]);
  OpBuilder &b = tiler.getBuilder();
  Value first = firstOf(op.getFirst(), tiler, op.getLoc(), tile.offsets[1]);
  Value pages = getValueOrCreateConstantIndexOp(b, op.getLoc(), tile.sizes[1]);
  Value cache = cachePart(tiler, op.getLoc(), op.getCache(), tile.offsets[0],
                          heads->first, heads->second);
  return tiler.tiled(
      {q, rows, rows, std::nullopt, std::nullopt, std::nullopt, tile},
      [&](Operation *clone) {
        auto part = cast<PageAttentionOp>(clone);
        part.getFirstMutable().assign(first);
        part.getPagesMutable().assign(pages);
        part.getCacheMutable().assign(cache);
      });
}
INGOT_TILING_OVER(PageAttentionOp, {3}, pageDomainOf(*this, builder))

static TilingResult tileOperands(MergePagesOp op, Tiler &tiler,
                                 const Part &tile) {
  Part parts, rows;
  parts.add(tile.offsets[0], tile.sizes[0]);
  tiler.addWhole(parts, op.getParts(), 1);
  parts.add(tile.offsets[1], tile.sizes[1]);
  tiler.addWhole(parts, op.getParts(), 3);
  rows.add(tile.offsets[0], tile.sizes[0]);
  return tiler.tiled({parts, rows, rows, tile});
}
INGOT_TILING(MergePagesOp, {2})
