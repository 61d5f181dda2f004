//===- TileLeader.cpp - the op that decides how a stage is cut ------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Transforms/TileLeader.h"

#include "lib/Transforms/TileSizes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <numeric>

using namespace mlir;
using ingot::LeaderTile;

namespace {

int64_t countCuts(ArrayRef<int64_t> sizes) {
  return llvm::count_if(sizes, [](int64_t size) { return size != 0; });
}

/// The contraction's own choice, by dim of its result.
std::optional<LeaderTile> tileOfContraction(TilingInterface op) {
  SmallVector<int64_t> sizes = ingot::chooseTileSizes(op);
  SmallVector<int64_t> units = ingot::tileUnits(op);
  LeaderTile tile;
  for (auto [type, size, unit] :
       llvm::zip_equal(op.getLoopIteratorTypes(), sizes, units))
    if (type == utils::IteratorType::parallel ||
        !isa<linalg::LinalgOp>(op.getOperation())) {
      tile.sizes.push_back(size);
      tile.units.push_back(unit);
    }
  tile.cutDims = countCuts(tile.sizes);
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!type || size_t(type.getRank()) != tile.sizes.size())
    return std::nullopt;
  return tile;
}

/// The same tile of the expanded tensor: whole inner dims, and of the first dim
/// that is cut the least multiple that its unit and its size ask for.
std::optional<LeaderTile> expanded(const LeaderTile &tile,
                                   tensor::ExpandShapeOp expand) {
  auto type = cast<RankedTensorType>(expand.getType());
  LeaderTile result;
  result.cutDims = tile.cutDims;
  for (auto [source, group] :
       llvm::enumerate(expand.getReassociationIndices())) {
    int64_t wanted = tile.sizes[source], unit = tile.units[source];
    if (group.size() == 1 || wanted == 0) {
      for (int64_t dim : group) {
        result.sizes.push_back(dim == group.front() ? wanted : 0);
        result.units.push_back(dim == group.front() ? unit : 1);
      }
      continue;
    }
    // All but the first are taken whole.
    int64_t inner = 1;
    for (int64_t dim : ArrayRef(group).drop_front()) {
      if (type.isDynamicDim(dim))
        return std::nullopt;
      inner *= type.getDimSize(dim);
    }
    if (inner <= 0)
      return std::nullopt;
    int64_t least = unit / std::gcd(unit, inner);
    int64_t size = least * llvm::divideCeil(wanted, least * inner);
    int64_t extent = type.getDimSize(group.front());
    if (!ShapedType::isDynamic(extent) && size >= extent)
      return std::nullopt;
    for (int64_t dim : group) {
      result.sizes.push_back(dim == group.front() ? size : 0);
      result.units.push_back(dim == group.front() ? least : 1);
    }
  }
  return result;
}

/// The tile of what an op reads, if nothing else reads it.
std::optional<LeaderTile> tileOfOperand(Value value, Block *block) {
  Operation *producer = value.getDefiningOp();
  if (!producer || !producer->hasOneUse() || producer->getBlock() != block)
    return std::nullopt;
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(producer)) {
    std::optional<LeaderTile> tile = tileOfOperand(expand.getSrc(), block);
    return tile ? expanded(*tile, expand) : std::nullopt;
  }
  return ingot::leaderTile(producer);
}

/// The tile of `op`'s loops: that of an operand that goes along them.
std::optional<LeaderTile> tileOfLoops(TilingInterface op) {
  SmallVector<utils::IteratorType> loops = op.getLoopIteratorTypes();
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op.getOperation());
  if (linalgOp && linalgOp.getNumReductionLoops() != 0)
    return std::nullopt;
  for (OpOperand &operand : op->getOpOperands()) {
    auto type = dyn_cast<RankedTensorType>(operand.get().getType());
    if (!type || type.getRank() < int64_t(loops.size()))
      continue;
    if (linalgOp && (!linalgOp.isDpsInput(&operand) ||
                     !linalgOp.getMatchingIndexingMap(&operand).isIdentity()))
      continue;
    std::optional<LeaderTile> tile =
        tileOfOperand(operand.get(), op->getBlock());
    if (!tile)
      continue;
    tile->sizes.resize(loops.size());
    tile->units.resize(loops.size());
    for (auto [size, loop] : llvm::zip_equal(tile->sizes, loops))
      if (loop != utils::IteratorType::parallel)
        size = 0;
    if (countCuts(tile->sizes) >= tile->cutDims)
      return tile;
  }
  return std::nullopt;
}

} // namespace

std::optional<LeaderTile> ingot::leaderTile(Operation *op) {
  auto tiled = dyn_cast<TilingInterface>(op);
  if (!tiled || op->getNumResults() != 1)
    return std::nullopt;
  if (isContraction(op))
    return tileOfContraction(tiled);
  std::optional<LeaderTile> tile = tileOfLoops(tiled);
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  bool isAlong = type && tile && size_t(type.getRank()) == tile->sizes.size() &&
                 (!linalgOp ||
                  linalgOp.getMatchingIndexingMap(linalgOp.getDpsInitOperand(0))
                      .isIdentity());
  return isAlong ? tile : std::nullopt;
}

SmallVector<int64_t> ingot::stageTileSizes(TilingInterface root,
                                           bool &followsLeader) {
  followsLeader = false;
  if (!isContraction(root))
    if (std::optional<LeaderTile> tile = tileOfLoops(root)) {
      followsLeader = true;
      return tile->sizes;
    }
  return chooseTileSizes(root);
}
