//===- StructuredTiling.cpp - tiling of the structured ops ----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/Tiler.h"

#include "dialects/Ingot/IR/IngotOps.h"

using namespace mlir;
using namespace ingot;

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

static TilingResult tileOperands(LinearOp op, Tiler &tiler, const Part &tile) {
  OpFoldResult offset = tile.offsets.back(), size = tile.sizes.back();
  Part x, w, bias;
  x.offsets.assign(tile.offsets.begin(), tile.offsets.end() - 1);
  x.sizes.assign(tile.sizes.begin(), tile.sizes.end() - 1);
  tiler.addWhole(x, op.getX(), x.offsets.size());
  if (op.isPacked()) {
    // Column tiles begin at whole panels of 16.
    AffineExpr d0 = tiler.getBuilder().getAffineDimExpr(0);
    w.add(tiler.affine(d0.floorDiv(16), offset),
          tiler.affine(d0.ceilDiv(16), size));
    int64_t rank = cast<ShapedType>(op.getW().getType()).getRank();
    for (int64_t dim = 1; dim < rank; ++dim)
      tiler.addWhole(w, op.getW(), dim);
  } else {
    tiler.addWhole(w, op.getW(), 0);
    w.add(offset, size);
  }
  SmallVector<std::optional<Part>> regions = {x, w};
  if (op.getBias()) {
    bias.add(offset, size);
    regions.push_back(bias);
  }
  regions.push_back(tile);
  return tiler.tiled(regions);
}
INGOT_TILING(LinearOp, ArrayRef<int64_t>())

static TilingResult tileOperands(MatmulOp op, Tiler &tiler, const Part &tile) {
  auto operandTile = [&](Value value, bool isLeft) {
    int64_t rank = cast<ShapedType>(value.getType()).getRank();
    int64_t skipped = tile.offsets.size() - rank;
    Part part;
    for (int64_t dim = 0; dim < rank - 2; ++dim)
      addBroadcast(tiler, part, value, dim, tile.offsets[dim + skipped],
                   tile.sizes[dim + skipped]);
    size_t last = tile.offsets.size() - 1;
    if (isLeft)
      part.add(tile.offsets[last - 1], tile.sizes[last - 1]);
    tiler.addWhole(part, value, isLeft ? rank - 1 : rank - 2);
    if (!isLeft)
      part.add(tile.offsets[last], tile.sizes[last]);
    return part;
  };
  return tiler.tiled(
      {operandTile(op.getA(), true), operandTile(op.getB(), false), tile});
}
INGOT_TILING(MatmulOp, ArrayRef<int64_t>())

static TilingResult tileOperands(QuantizeRowsOp op, Tiler &tiler,
                                 const Part &tile) {
  Part x;
  x.add(tile.offsets[0], tile.sizes[0]);
  tiler.addWhole(x, op.getX(), 1);
  return tiler.tiled({x, tile});
}
INGOT_TILING(QuantizeRowsOp, (ArrayRef<int64_t>{1, 2}))

static TilingResult tileOperands(QuantizedLinearOp op, Tiler &tiler,
                                 const Part &tile) {
  Part x = tiler.whole(op.getX());
  x.offsets[0] = tile.offsets[0];
  x.sizes[0] = tile.sizes[0];
  // Column tiles begin at whole groups of 16.
  AffineExpr d0 = tiler.getBuilder().getAffineDimExpr(0);
  OpFoldResult first = tiler.affine(d0.floorDiv(16), tile.offsets[1]);
  OpFoldResult count = tiler.affine(d0.ceilDiv(16), tile.sizes[1]);
  auto groups = [&](Value value) {
    Part part = tiler.whole(value);
    part.offsets[0] = first;
    part.sizes[0] = count;
    return part;
  };
  SmallVector<std::optional<Part>> regions = {x, groups(op.getCodes()),
                                              groups(op.getScale())};
  if (op.getZero())
    regions.push_back(groups(op.getZero()));
  regions.push_back(tile);
  return tiler.tiled(regions);
}
INGOT_TILING(QuantizedLinearOp, ArrayRef<int64_t>())

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

static TilingResult tileOperands(AttentionOp op, Tiler &tiler,
                                 const Part &tile) {
  OpBuilder &builder = tiler.getBuilder();
  Part q = tile;
  q.sizes[3] = tiler.extent(op.getQ(), 3);

  // Key heads: a tile of query heads is one head or whole groups.
  OpFoldResult heads = tiler.extent(op.getQ(), 2),
               groups = tiler.extent(op.getK(), 2);
  AffineExpr head, size, total, group;
  bindSymbols(builder.getContext(), head, size, total, group);
  AffineExpr ratio = total.floorDiv(group);
  SmallVector<OpFoldResult> values = {tile.offsets[2], tile.sizes[2], heads,
                                      groups};
  OpFoldResult keyHead, keyHeads;
  if (getConstantIntValue(heads) &&
      getConstantIntValue(heads) == getConstantIntValue(groups)) {
    keyHead = tile.offsets[2];
    keyHeads = tile.sizes[2];
  } else {
    keyHead = tiler.affine(head.floorDiv(ratio), values);
    keyHeads = tiler.affine(size.ceilDiv(ratio), values);
  }
  auto keyTile = [&](Value value) {
    Part part;
    part.add(tile.offsets[0], tile.sizes[0]);
    tiler.addWhole(part, value, 1);
    part.add(keyHead, keyHeads);
    tiler.addWhole(part, value, 3);
    return part;
  };

  SmallVector<std::optional<Part>> regions = {q, keyTile(op.getK()),
                                              keyTile(op.getV())};
  if (Value mask = op.getKeyMask()) {
    Part part;
    addBroadcast(tiler, part, mask, 0, tile.offsets[0], tile.sizes[0]);
    tiler.addWhole(part, mask, 1);
    regions.push_back(part);
  }
  if (Value bias = op.getBias()) {
    Part part;
    addBroadcast(tiler, part, bias, 0, tile.offsets[0], tile.sizes[0]);
    addBroadcast(tiler, part, bias, 1, tile.offsets[2], tile.sizes[2]);
    addBroadcast(tiler, part, bias, 2, tile.offsets[1], tile.sizes[1]);
    tiler.addWhole(part, bias, 3);
    regions.push_back(part);
  }
  if (op.getQueryOffset())
    regions.push_back(std::nullopt);
  if (op.getPast()) {
    Part part;
    part.add(tile.offsets[0], tile.sizes[0]);
    regions.push_back(part);
  }
  regions.push_back(tile);
  if (!op.getCausal() && op.getWindow() == 0)
    return tiler.tiled(regions);

  // The tile's first query is no longer query zero.
  OpFoldResult offset = op.getQueryOffset();
  if (!op.getQueryOffset() && op.getPast()) {
    offset = tiler.zero();
  } else if (!op.getQueryOffset()) {
    AffineExpr keys, queries;
    bindSymbols(builder.getContext(), keys, queries);
    offset = tiler.affine(keys - queries, {tiler.extent(op.getK(), 1),
                                           tiler.extent(op.getQ(), 1)});
  }
  AffineExpr base, first;
  bindSymbols(builder.getContext(), base, first);
  offset = tiler.affine(base + first, {offset, tile.offsets[1]});
  Value offsetValue =
      getValueOrCreateConstantIndexOp(builder, op.getLoc(), offset);
  return tiler.tiled(regions, [&](Operation *clone) {
    cast<AttentionOp>(clone).getQueryOffsetMutable().assign(offsetValue);
  });
}
INGOT_TILING(AttentionOp, {3})

//===----------------------------------------------------------------------===//
// Softmax and norms
//===----------------------------------------------------------------------===//

static TilingResult tileOperands(SoftmaxOp op, Tiler &tiler, const Part &tile) {
  return tiler.tiled({tile, tile});
}
INGOT_TILING(SoftmaxOp, {static_cast<int64_t>(getAxis())})

static TilingResult tileOperands(LayerNormOp op, Tiler &tiler,
                                 const Part &tile) {
  SmallVector<std::optional<Part>> regions = {tile, std::nullopt};
  if (op.getBeta())
    regions.push_back(std::nullopt);
  regions.push_back(tile);
  return tiler.tiled(regions);
}
INGOT_TILING(LayerNormOp, {cast<ShapedType>(getX().getType()).getRank() - 1})

static TilingResult tileOperands(RmsNormOp op, Tiler &tiler, const Part &tile) {
  return tiler.tiled({tile, std::nullopt, tile});
}
INGOT_TILING(RmsNormOp, {cast<ShapedType>(getX().getType()).getRank() - 1})

static TilingResult tileOperands(RotateOp op, Tiler &tiler, const Part &tile) {
  auto table = [&](Value value) {
    Part part;
    int64_t last = tile.offsets.size() - 1;
    for (int64_t dim = 0; dim < last; ++dim)
      addBroadcast(tiler, part, value, dim, tile.offsets[dim], tile.sizes[dim]);
    tiler.addWhole(part, value, last);
    return part;
  };
  return tiler.tiled({tile, table(op.getCos()), table(op.getSin()), tile});
}
INGOT_TILING(RotateOp, {cast<ShapedType>(getX().getType()).getRank() - 1})
