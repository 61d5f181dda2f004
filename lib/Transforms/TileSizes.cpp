//===- TileSizes.cpp - how a stage is cut into tiles ----------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Transforms/TileSizes.h"

#include "ingot/Interfaces/TileHintInterface.h"

using namespace mlir;

namespace {

/// Elements that a tile of a memory-bound op touches: large against the cost
/// of dealing a tile, small against the first-level cache.
constexpr int64_t elementsPerTile = 4096;
/// What a dynamic inner dim is taken for when outer tile sizes are chosen.
constexpr int64_t assumedDynamicExtent = 64;
/// Tile of a contraction: rows in multiples of the register tile of both
/// AVX2 (6) and AVX-512 (12), columns in multiples of the packed panel (16).
constexpr int64_t contractionRows = 24;
constexpr int64_t contractionColumns = 64;

/// Extent of each loop, dynamic where it is not a constant of the type.
SmallVector<int64_t> loopExtents(TilingInterface op) {
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op.getOperation()))
    return linalgOp.getStaticLoopRanges();
  // Ops of other dialects: outer loops follow the dims of the first result, or
  // of the first operand where there is none.
  size_t numLoops = op.getLoopIteratorTypes().size();
  SmallVector<int64_t> extents(numLoops, ShapedType::kDynamic);
  if (op->getNumResults() == 0 && op->getNumOperands() == 0)
    return extents;
  Value along = op->getNumResults() == 0 ? op->getOperand(0) : op->getResult(0);
  if (auto type = dyn_cast<ShapedType>(along.getType()))
    for (size_t i = 0; i < std::min<size_t>(numLoops, type.getRank()); ++i)
      extents[i] = type.getDimSize(i);
  return extents;
}

} // namespace

bool ingot::isContraction(Operation *op) {
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op)) {
    if (linalgOp.getNumReductionLoops() == 0)
      return false;
    // A reduction proper reads one operand over the whole domain, once.
    return llvm::none_of(linalgOp.getDpsInputOperands(), [&](OpOperand *in) {
      return linalgOp.getMatchingIndexingMap(in).getNumResults() >=
             linalgOp.getNumLoops();
    });
  }
  // A target with a kernel of its own for the op means it for reuse.
  return isa<ingot::TileHintInterface>(op);
}

SmallVector<int64_t> ingot::tileUnits(TilingInterface op) {
  SmallVector<int64_t> units;
  if (auto hint = dyn_cast<TileHintInterface>(op.getOperation()))
    units = hint.getTileUnit();
  units.resize(op.getLoopIteratorTypes().size(), 1);
  return units;
}

SmallVector<int64_t> ingot::chooseTileSizes(TilingInterface op) {
  SmallVector<utils::IteratorType> iterators = op.getLoopIteratorTypes();
  SmallVector<int64_t> extents = loopExtents(op);
  SmallVector<int64_t> sizes(iterators.size(), 0);
  // Nothing to deal out; a tile's extent of zero would read as a whole loop.
  if (llvm::is_contained(extents, 0))
    return sizes;
  SmallVector<unsigned> parallel;
  for (auto [i, type] : llvm::enumerate(iterators))
    if (type == utils::IteratorType::parallel)
      parallel.push_back(i);

  if (auto hint = dyn_cast<TileHintInterface>(op.getOperation())) {
    sizes = hint.getPreferredTile();
    sizes.resize(iterators.size(), 0);
  } else if (isContraction(op)) {
    for (auto [i, loop] : llvm::enumerate(llvm::reverse(parallel)))
      sizes[loop] = i == 0 ? contractionColumns : i == 1 ? contractionRows : 1;
    if (parallel.size() == 1)
      sizes[parallel.front()] = contractionRows;
  } else {
    int64_t budget = elementsPerTile;
    for (int64_t loop = iterators.size() - 1; loop >= 0; --loop) {
      int64_t extent = ShapedType::isDynamic(extents[loop])
                           ? assumedDynamicExtent
                           : std::max<int64_t>(extents[loop], 1);
      if (iterators[loop] == utils::IteratorType::parallel)
        sizes[loop] = budget;
      budget = std::max<int64_t>(budget / extent, 1);
    }
  }
  // A loop that fits into one tile stays whole.
  for (auto [size, extent] : llvm::zip_equal(sizes, extents))
    if (!ShapedType::isDynamic(extent) && size >= extent)
      size = 0;
  return sizes;
}
