//===- Tiler.h - what the tilings of structured ops share -------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/TilingInterface.h"

namespace ingot {
using namespace mlir;

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

inline SmallVector<Range> domainOf(DestinationStyleOpInterface op,
                                   OpBuilder &builder) {
  Tiler tiler(op, builder);
  Value init = op.getDpsInits()[0];
  SmallVector<Range> ranges;
  for (OpFoldResult size : tiler.whole(init).sizes)
    ranges.push_back({tiler.zero(), size, builder.getIndexAttr(1)});
  return ranges;
}

/// Loop kinds: all parallel but the dims in `fixed`.
inline SmallVector<utils::IteratorType> iterators(Value init,
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
inline bool holdsWhole(ArrayRef<OpFoldResult> offsets,
                       ArrayRef<int64_t> fixed) {
  return llvm::all_of(fixed,
                      [&](int64_t dim) { return isZeroInteger(offsets[dim]); });
}

/// The tile given by loop offsets and sizes, with the fixed dims whole.
inline Part tileOf(Tiler &tiler, Value init, ArrayRef<OpFoldResult> offsets,
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
inline void addBroadcast(Tiler &tiler, Part &part, Value value, int64_t dim,
                         OpFoldResult offset, OpFoldResult size) {
  if (cast<ShapedType>(value.getType()).getDimSize(dim) == 1)
    tiler.addWhole(part, value, dim);
  else
    part.add(offset, size);
}

/// Defines the interface methods that follow from FIXED (the dims that cannot
/// be tiled) and tileOperands(op, tiler, tile), the parts of the operands.
#define INGOT_TILING(OP, FIXED)                                                \
  INGOT_TILING_OVER(OP, FIXED, domainOf(*this, builder))

/// The same for an op with a DOMAIN of its own.
#define INGOT_TILING_OVER(OP, FIXED, DOMAIN)                                   \
  SmallVector<utils::IteratorType> OP::getLoopIteratorTypes() {                \
    return iterators(getInit(), FIXED);                                        \
  }                                                                            \
  SmallVector<Range> OP::getIterationDomain(OpBuilder &builder) {              \
    return DOMAIN;                                                             \
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

} // namespace ingot
