//===- StructuredTiling.cpp - tiling of the structured ops ----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/IngotOps.h"

using namespace mlir;
using namespace ingot;

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

namespace {

/// A part of a tensor or memref: offsets and sizes per dim, strides one.
struct Part {
  SmallVector<OpFoldResult> offsets, sizes;

  void add(OpFoldResult offset, OpFoldResult size) {
    offsets.push_back(offset);
    sizes.push_back(size);
  }
};

/// What the ops share: loops over the dims of the destination, some of which
/// (reduced ones, such as the axis of a softmax) cannot be tiled.
class Tiler {
public:
  Tiler(Operation *op, OpBuilder &builder)
      : op(op), builder(builder), loc(op->getLoc()) {}

  OpFoldResult extent(Value value, int64_t dim) {
    auto type = cast<ShapedType>(value.getType());
    if (!type.isDynamicDim(dim))
      return builder.getIndexAttr(type.getDimSize(dim));
    if (isa<MemRefType>(type))
      return memref::DimOp::create(builder, loc, value, dim).getResult();
    return tensor::DimOp::create(builder, loc, value, dim).getResult();
  }
  OpFoldResult zero() { return builder.getIndexAttr(0); }

  void addWhole(Part &part, Value value, int64_t dim) {
    part.add(zero(), extent(value, dim));
  }
  Part whole(Value value) {
    Part part;
    for (int64_t dim = 0; dim < cast<ShapedType>(value.getType()).getRank();
         ++dim)
      addWhole(part, value, dim);
    return part;
  }

  /// `f(values)` as a folded affine expression.
  OpFoldResult affine(AffineExpr f, ArrayRef<OpFoldResult> values) {
    return affine::makeComposedFoldedAffineApply(builder, loc, f, values);
  }

  Value slice(Value value, const Part &part, SmallVector<Operation *> &slices) {
    SmallVector<OpFoldResult> strides(part.offsets.size(),
                                      builder.getIndexAttr(1));
    Operation *slice;
    if (isa<MemRefType>(value.getType()))
      slice = memref::SubViewOp::create(builder, loc, value, part.offsets,
                                        part.sizes, strides);
    else
      slice = tensor::ExtractSliceOp::create(builder, loc, value, part.offsets,
                                             part.sizes, strides);
    slices.push_back(slice);
    return slice->getResult(0);
  }

  /// The op on the given parts of its operands (an empty optional: as is).
  TilingResult tiled(ArrayRef<std::optional<Part>> regions,
                     function_ref<void(Operation *)> adjust = nullptr) {
    SmallVector<Operation *> slices;
    SmallVector<Value> operands;
    for (auto [operand, part] : llvm::zip_equal(op->getOperands(), regions))
      operands.push_back(part ? slice(operand, *part, slices) : operand);
    SmallVector<Type> types;
    if (auto destination = dyn_cast<DestinationStyleOpInterface>(op))
      for (OpOperand &init : destination.getDpsInitsMutable())
        if (isa<RankedTensorType>(init.get().getType()))
          types.push_back(operands[init.getOperandNumber()].getType());
    Operation *clone = mlir::clone(builder, op, types, operands);
    if (adjust)
      adjust(clone);
    return TilingResult{
        {clone}, SmallVector<Value>(clone->getResults()), slices};
  }

  OpBuilder &getBuilder() { return builder; }

private:
  Operation *op;
  OpBuilder &builder;
  Location loc;
};

SmallVector<Range> domainOf(DestinationStyleOpInterface op,
                            OpBuilder &builder) {
  Tiler tiler(op, builder);
  Value init = op.getDpsInits()[0];
  SmallVector<Range> ranges;
  for (OpFoldResult size : tiler.whole(init).sizes)
    ranges.push_back({tiler.zero(), size, builder.getIndexAttr(1)});
  return ranges;
}

/// Loop kinds: all parallel but the dims in `fixed`.
SmallVector<utils::IteratorType> iterators(Value init,
                                           ArrayRef<int64_t> fixed) {
  SmallVector<utils::IteratorType> kinds(
      cast<ShapedType>(init.getType()).getRank(),
      utils::IteratorType::parallel);
  for (int64_t dim : fixed)
    kinds[dim] = utils::IteratorType::reduction;
  return kinds;
}

/// A tile of the result is usable if it holds the fixed dims whole; they are
/// then taken from the op itself.
bool holdsWhole(ArrayRef<OpFoldResult> offsets, ArrayRef<int64_t> fixed) {
  return llvm::all_of(fixed,
                      [&](int64_t dim) { return isZeroInteger(offsets[dim]); });
}

/// The tile given by loop offsets and sizes, with the fixed dims whole.
Part tileOf(Tiler &tiler, Value init, ArrayRef<OpFoldResult> offsets,
            ArrayRef<OpFoldResult> sizes, ArrayRef<int64_t> fixed) {
  Part part;
  for (size_t dim = 0; dim < offsets.size(); ++dim) {
    if (llvm::is_contained(fixed, static_cast<int64_t>(dim)))
      tiler.addWhole(part, init, dim);
    else
      part.add(offsets[dim], sizes[dim]);
  }
  return part;
}

/// A dim of an operand that follows a dim of the tile unless its extent is
/// one, in which case it is broadcast.
void addBroadcast(Tiler &tiler, Part &part, Value value, int64_t dim,
                  OpFoldResult offset, OpFoldResult size) {
  if (cast<ShapedType>(value.getType()).getDimSize(dim) == 1)
    tiler.addWhole(part, value, dim);
  else
    part.add(offset, size);
}

} // namespace

/// Defines the interface methods that follow from FIXED (the dims that cannot
/// be tiled) and tileOperands(op, tiler, tile), the parts of the operands.
#define INGOT_TILING(OP, FIXED)                                                \
  SmallVector<utils::IteratorType> OP::getLoopIteratorTypes() {                \
    return iterators(getInit(), FIXED);                                        \
  }                                                                            \
  SmallVector<Range> OP::getIterationDomain(OpBuilder &builder) {              \
    return domainOf(*this, builder);                                           \
  }                                                                            \
  FailureOr<TilingResult> OP::getTiledImplementation(                          \
      OpBuilder &builder, ArrayRef<OpFoldResult> offsets,                      \
      ArrayRef<OpFoldResult> sizes) {                                          \
    Tiler tiler(*this, builder);                                               \
    return tileOperands(*this, tiler,                                          \
                        tileOf(tiler, getInit(), offsets, sizes, FIXED));      \
  }                                                                            \
  LogicalResult OP::getResultTilePosition(                                     \
      OpBuilder &builder, unsigned, ArrayRef<OpFoldResult> offsets,            \
      ArrayRef<OpFoldResult> sizes, SmallVector<OpFoldResult> &resultOffsets,  \
      SmallVector<OpFoldResult> &resultSizes) {                                \
    Tiler tiler(*this, builder);                                               \
    Part tile = tileOf(tiler, getInit(), offsets, sizes, FIXED);               \
    resultOffsets = tile.offsets;                                              \
    resultSizes = tile.sizes;                                                  \
    return success();                                                          \
  }                                                                            \
  LogicalResult OP::getIterationDomainTileFromResultTile(                      \
      OpBuilder &builder, unsigned, ArrayRef<OpFoldResult> offsets,            \
      ArrayRef<OpFoldResult> sizes, SmallVectorImpl<OpFoldResult> &opOffsets,  \
      SmallVectorImpl<OpFoldResult> &opSizes) {                                \
    if (!holdsWhole(offsets, FIXED))                                           \
      return failure();                                                        \
    opOffsets.assign(offsets.begin(), offsets.end());                          \
    opSizes.assign(sizes.begin(), sizes.end());                                \
    return success();                                                          \
  }                                                                            \
  FailureOr<TilingResult> OP::generateResultTileValue(                         \
      OpBuilder &builder, unsigned, ArrayRef<OpFoldResult> offsets,            \
      ArrayRef<OpFoldResult> sizes) {                                          \
    if (!holdsWhole(offsets, FIXED))                                           \
      return failure();                                                        \
    return getTiledImplementation(builder, offsets, sizes);                    \
  }

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
    tiler.addWhole(w, op.getW(), 1);
    tiler.addWhole(w, op.getW(), 2);
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

//===----------------------------------------------------------------------===//
// Caches
//===----------------------------------------------------------------------===//

/// The first token of a tile that begins `offset` tokens into `op`'s own.
template <typename OpTy>
static Value firstToken(OpTy op, Tiler &tiler, OpFoldResult offset) {
  OpFoldResult base = tiler.zero();
  if (op.getFirst())
    base = op.getFirst();
  AffineExpr a, b;
  bindSymbols(tiler.getBuilder().getContext(), a, b);
  return getValueOrCreateConstantIndexOp(tiler.getBuilder(), op.getLoc(),
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

static FailureOr<TilingResult> tileOperands(PagedAttentionOp op, Tiler &tiler,
                                            const Part &tile) {
  // A tile of query heads is whole groups, or lies within one.
  int64_t keyHeads = op.getCache().getType().getHeads();
  std::optional<int64_t> heads =
      getConstantIntValue(tiler.extent(op.getQ(), 2));
  std::optional<int64_t> count = getConstantIntValue(tile.sizes[2]);
  if (!heads || !count || *heads % keyHeads != 0)
    return op.emitOpError("is cut into tiles of heads of unknown number");
  int64_t ratio = *heads / keyHeads;
  if (*count % ratio != 0 && ratio % *count != 0)
    return op.emitOpError("is cut within a group of heads");
  AffineExpr head = tiler.getBuilder().getAffineSymbolExpr(0);
  OpFoldResult keyHead = tiler.affine(head.floorDiv(ratio), {tile.offsets[2]});

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
  Value first = firstToken(op, tiler, tile.offsets[1]);
  Value cache = cachePart(tiler, op.getLoc(), op.getCache(), tile.offsets[0],
                          keyHead, std::max<int64_t>(*count / ratio, 1));
  return tiler.tiled(regions, [&](Operation *clone) {
    auto part = cast<PagedAttentionOp>(clone);
    part.getFirstMutable().assign(first);
    part.getCacheMutable().assign(cache);
  });
}
INGOT_TILING(PagedAttentionOp, {3})

SmallVector<utils::IteratorType> KvAppendOp::getLoopIteratorTypes() {
  return {utils::IteratorType::parallel, utils::IteratorType::parallel};
}

SmallVector<Range> KvAppendOp::getIterationDomain(OpBuilder &builder) {
  Tiler tiler(*this, builder);
  SmallVector<Range> ranges;
  for (int64_t dim : {0, 1})
    ranges.push_back(
        {tiler.zero(), tiler.extent(getKeys(), dim), builder.getIndexAttr(1)});
  return ranges;
}

FailureOr<TilingResult>
KvAppendOp::getTiledImplementation(OpBuilder &builder,
                                   ArrayRef<OpFoldResult> offsets,
                                   ArrayRef<OpFoldResult> sizes) {
  Tiler tiler(*this, builder);
  auto tokens = [&](Value value) {
    Part part;
    part.add(offsets[0], sizes[0]);
    part.add(offsets[1], sizes[1]);
    tiler.addWhole(part, value, 2);
    tiler.addWhole(part, value, 3);
    return part;
  };
  Part rows;
  rows.add(offsets[0], sizes[0]);
  SmallVector<std::optional<Part>> regions = {tokens(getKeys()),
                                              tokens(getValues()), rows, rows};
  regions.append(getFirst() ? 2 : 1, std::nullopt);
  Value first = firstToken(*this, tiler, offsets[1]);
  Value cache = cachePart(tiler, getLoc(), getCache(), offsets[0], tiler.zero(),
                          getCache().getType().getHeads());
  return tiler.tiled(regions, [&](Operation *clone) {
    auto part = cast<KvAppendOp>(clone);
    part.getFirstMutable().assign(first);
    part.getCacheMutable().assign(cache);
  });
}
