//===- BandWaits.cpp - tiles that wait for a part of a stage --------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Transforms/Schedule/BandWaits.h"

#include "dialects/Ingot/IR/DimExpr.h"
#include "ingot/Analysis/ShapeAnalysis.h"
#include "lib/Transforms/StageInfo.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <cmath>

using namespace mlir;
using namespace ingot;
using namespace ingot::mega;

/// What a dim that is not known counts for: two are a batch of texts, one alone
/// may be a batch of single tokens.
static constexpr int64_t assumedDim = 32;
/// Seconds: of counting a tile as done, of looking whether others are, and of a
/// barrier for which nobody is late.
static constexpr double signalSeconds = 50e-9, awaitSeconds = 10e-9,
                        barrierSeconds = 500e-9;

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

/// The extents of a buffer between the stages; nothing if they are not at hand.
static std::optional<SmallVector<OpFoldResult>> extentsOf(Value buffer) {
  if (auto expand = buffer.getDefiningOp<memref::ExpandShapeOp>())
    return expand.getMixedOutputShape();
  auto type = cast<MemRefType>(buffer.getType());
  ValueRange dynamicSizes;
  if (auto alloc = buffer.getDefiningOp<memref::AllocOp>())
    dynamicSizes = alloc.getDynamicSizes();
  else if (auto each = buffer.getDefiningOp<AllocEachOp>())
    dynamicSizes = each.getDynamicSizes();
  else if (!type.hasStaticShape())
    return std::nullopt;
  return getMixedValues(type.getShape(), dynamicSizes, buffer.getContext());
}

/// Elements of the last dims, as far as they are known; how many dims are left.
static std::pair<int64_t, int64_t> rowOf(MemRefType type) {
  int64_t elements = 1, rank = type.getRank();
  while (rank > 1 && !type.isDynamicDim(rank - 1))
    elements *= type.getDimSize(--rank);
  return {elements, rank};
}

/// The number of leading dims behind which there are so many elements.
static std::optional<int64_t> dimsBefore(MemRefType type, int64_t elements) {
  int64_t found = 1;
  for (int64_t rank = type.getRank(); rank > 0; --rank) {
    if (found == elements)
      return rank;
    if (type.isDynamicDim(rank - 1))
      return std::nullopt;
    found *= type.getDimSize(rank - 1);
  }
  return std::nullopt;
}

/// Whether the tiles of one number along the first dim touch rows from a
/// multiple of their step on, and no more than that.
static bool goesAlongRows(AccessOp access, TilesOp tiles) {
  if (access.isWhole())
    return false;
  auto offset = dyn_cast<Value>(access.getMixedOffsets().front());
  if (!offset || offset != tiles.getOrigin().front() ||
      !isConstantIntValue(access.getMixedStrides().front(), 1))
    return false;
  OpFoldResult size = access.getMixedSizes().front();
  OpFoldResult step = tiles.getMixedSteps().front();
  if (isEqualConstantIntOrValue(size, step) || isConstantIntValue(size, 1))
    return true;
  auto least = getConstantIntValue(step);
  auto value = dyn_cast<Value>(size);
  if (!least || !value)
    return false;
  FailureOr<int64_t> most = ValueBoundsConstraintSet::computeConstantBound(
      presburger::BoundType::UB, ValueBoundsConstraintSet::Variable(value),
      /*stopCondition=*/nullptr, /*closedUB=*/true);
  return succeeded(most) && *most <= *least;
}

/// Whether tiles of `later` touch some rows each, and not all the same.
static bool isPart(BandWait &wait) {
  for (auto [offset, extent] : llvm::zip_equal(wait.offsets, wait.extents)) {
    if (extent && isConstantIntValue(extent, 1))
      continue;
    auto value = dyn_cast<Value>(offset);
    return value && wait.later.isInside(value);
  }
  return false;
}

std::optional<BandWait> ingot::bandWaitOf(AccessOp earlier, AccessOp later) {
  BandWait wait{earlier->getParentOfType<TilesOp>(),
                later->getParentOfType<TilesOp>(),
                {},
                {},
                {},
                {}};
  auto from = cast<MemRefType>(earlier.getSource().getType());
  auto to = cast<MemRefType>(later.getSource().getType());
  if (!goesAlongRows(earlier, wait.earlier) || later.isWhole() ||
      !from.getLayout().isIdentity() || !to.getLayout().isIdentity())
    return std::nullopt;
  auto [elements, bandRank] = rowOf(from);
  std::optional<int64_t> rank = dimsBefore(to, elements);
  auto bandExtents = extentsOf(earlier.getSource());
  auto extents = extentsOf(later.getSource());
  if (!rank || (bandRank > 1 && !bandExtents) || (*rank > 1 && !extents))
    return std::nullopt;
  wait.bandRows = {wait.earlier.getMixedSteps().front()};
  for (int64_t dim = 1; dim < bandRank; ++dim)
    wait.bandRows.push_back((*bandExtents)[dim]);
  for (int64_t dim = 0; dim < *rank; ++dim) {
    if (!isConstantIntValue(later.getMixedStrides()[dim], 1))
      return std::nullopt;
    wait.offsets.push_back(later.getMixedOffsets()[dim]);
    wait.sizes.push_back(later.getMixedSizes()[dim]);
    // The rows of the first dim are counted by nobody.
    wait.extents.push_back(*rank > 1 ? (*extents)[dim] : OpFoldResult());
  }
  return isPart(wait) ? std::optional(wait) : std::nullopt;
}

//===----------------------------------------------------------------------===//
// Costs
//===----------------------------------------------------------------------===//

static double numberOf(const DimExpr &expr) {
  return double(expr.evaluate([](StringRef) -> std::optional<int64_t> {
                      return assumedDim;
                    })
                    .value_or(0));
}

/// About how many whole tiles there are along the first dim, and tiles in all.
static std::pair<double, double> countTiles(TilesOp tiles) {
  ShapeAnalysis shapes;
  auto valueOf = [&](OpFoldResult value) -> double {
    if (auto number = getConstantIntValue(value))
      return double(*number);
    auto expr = shapes.indexValue(cast<Value>(value));
    return expr ? numberOf(*expr) : 1;
  };
  double bands = 0, all = 1;
  for (auto [dim, extent, step] :
       llvm::enumerate(tiles.getMixedExtents(), tiles.getMixedSteps())) {
    double count = valueOf(extent) / std::max(valueOf(step), 1.0);
    if (dim == 0)
      bands = std::floor(count);
    all *= std::ceil(count);
  }
  return {bands, all};
}

bool ingot::paysOff(const BandWait &wait, const SyncCosts &costs) {
  TilesOp earlier = wait.earlier;
  auto [bands, tiles] = countTiles(earlier);
  auto [laterBands, laterTiles] = countTiles(wait.later);
  // Who has one band, or waits for all that there are, waits for everyone.
  if (bands < 2 || laterBands < 2)
    return false;
  double flops = 0;
  if (DictionaryAttr known = StageInfo::of(earlier.getLoc()))
    if (auto text = known.getAs<StringAttr>("flops"))
      if (auto expr = DimExpr::parse(text.getValue()))
        flops = numberOf(*expr);
  // Whoever is late at a barrier is late by half a tile.
  double late = flops / tiles / costs.flops / 2;
  double counting = (tiles * signalSeconds + laterTiles * awaitSeconds) /
                    double(costs.workers);
  return counting < barrierSeconds + late;
}

//===----------------------------------------------------------------------===//
// Counters
//===----------------------------------------------------------------------===//

/// Whether `value` is there before `op`, or what computes it may be moved so.
static bool isThere(Value value, Operation *op) {
  if (value.getParentBlock() != op->getBlock())
    return value.getParentRegion()->isProperAncestor(op->getParentRegion());
  Operation *maker = value.getDefiningOp();
  return !maker || maker->isBeforeInBlock(op) ||
         (isPure(maker) && maker->getNumRegions() == 0 &&
          llvm::all_of(maker->getOperands(),
                       [&](Value operand) { return isThere(operand, op); }));
}

static bool areThere(ArrayRef<OpFoldResult> values, Operation *op) {
  return llvm::all_of(values, [&](OpFoldResult value) {
    auto dynamic = dyn_cast_if_present<Value>(value);
    return !dynamic || isThere(dynamic, op);
  });
}

/// Moves what computes `value` in front of `op`.
static void bring(Value value, Operation *op) {
  Operation *maker = value.getDefiningOp();
  if (!maker || maker->getBlock() != op->getBlock() ||
      maker->isBeforeInBlock(op))
    return;
  for (Value operand : maker->getOperands())
    bring(operand, op);
  maker->moveBefore(op);
}

static Value brought(OpFoldResult value, OpBuilder &b, Operation *op) {
  Value index = getValueOrCreateConstantIndexOp(b, op->getLoc(), value);
  bring(index, op);
  return index;
}

/// The first op of the tile that touches memory.
static Operation *firstEffect(TilesOp tiles) {
  for (Operation &op : tiles.getBody().front())
    if (!isMemoryEffectFree(&op))
      return &op;
  return nullptr;
}

bool CounterMaker::canMake(const BandWait &wait) const {
  TilesOp earlier = wait.earlier, later = wait.later;
  Operation *first = firstEffect(later);
  return cleared && first &&
         areThere({earlier.getMixedExtents().front(),
                   earlier.getMixedSteps().front()},
                  cleared) &&
         areThere(wait.bandRows, later->getParentOp()) &&
         areThere(wait.extents, later->getParentOp()) &&
         areThere(wait.offsets, first) && areThere(wait.sizes, first);
}

/// How many multiples of the step are below the extent.
static Value countOf(OpBuilder &b, Location loc, Value extent, Value step) {
  return b.createOrFold<arith::CeilDivSIOp>(loc, extent, step);
}

/// The counters that the tiles count in, set to 0.
Value CounterMaker::countersOf(TilesOp earlier) {
  Value &known = counters[earlier];
  if (known)
    return known;
  OpBuilder b(cleared);
  Location loc = earlier.getLoc();
  Value bands =
      countOf(b, loc, brought(earlier.getMixedExtents().front(), b, cleared),
              brought(earlier.getMixedSteps().front(), b, cleared));
  known = memref::AllocOp::create(b, loc, countersType(b.getContext()), bands);
  TilesOp &clear = clearing[cleared];
  if (!clear) {
    b.setInsertionPointAfter(cleared);
    DictionaryAttr description = b.getDictionaryAttr(
        b.getNamedAttr("ops", b.getStringAttr("clear counters")));
    auto stage = StageOp::create(
        b, FusedLoc::get(b.getContext(), {b.getUnknownLoc()}, description));
    b.setInsertionPointToEnd(&stage.getBody().front());
    OpFoldResult one = b.getIndexAttr(1);
    clear = TilesOp::create(b, stage.getLoc(), one, one);
  }
  b.setInsertionPointToEnd(&clear.getBody().front());
  Value all = AccessOp::create(b, loc, AccessMode::Write, known);
  Value zero = arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(0));
  linalg::FillOp::create(b, loc, zero, all);

  b.setInsertionPointToEnd(&earlier.getBody().front());
  SignalOp::create(b, loc, known);
  return known;
}

void CounterMaker::make(const BandWait &wait) {
  if (llvm::is_contained(made, wait))
    return;
  made.push_back(wait);
  TilesOp earlier = wait.earlier, later = wait.later;
  Value known = countersOf(earlier);
  Location loc = later.getLoc();
  OpBuilder b(later->getParentOp());
  auto product = [&](ArrayRef<OpFoldResult> values) {
    Value all;
    for (OpFoldResult value : values) {
      Value index = brought(value, b, later->getParentOp());
      all = all ? b.createOrFold<arith::MulIOp>(loc, all, index) : index;
    }
    return all ? all : Value(arith::ConstantIndexOp::create(b, loc, 1));
  };
  Value bandRows = product(wait.bandRows);
  SmallVector<OpFoldResult> others;
  for (auto [extent, step] : llvm::drop_begin(
           llvm::zip_equal(earlier.getMixedExtents(), earlier.getMixedSteps())))
    others.push_back(countOf(b, loc, brought(extent, b, later->getParentOp()),
                             brought(step, b, later->getParentOp())));
  Value target = product(others);
  SmallVector<Value> extents;
  for (OpFoldResult extent : ArrayRef(wait.extents).drop_front())
    extents.push_back(brought(extent, b, later->getParentOp()));

  Operation *effect = firstEffect(later);
  b.setInsertionPoint(effect);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value first, last;
  for (auto [dim, offset, size] : llvm::enumerate(wait.offsets, wait.sizes)) {
    Value from = brought(offset, b, effect);
    Value to = b.createOrFold<arith::AddIOp>(
        loc, from,
        b.createOrFold<arith::SubIOp>(loc, brought(size, b, effect), one));
    auto behind = [&](Value number, Value index) {
      return number ? b.createOrFold<arith::AddIOp>(
                          loc,
                          b.createOrFold<arith::MulIOp>(loc, number,
                                                        extents[dim - 1]),
                          index)
                    : index;
    };
    first = behind(first, from);
    last = behind(last, to);
  }
  Value band = b.createOrFold<arith::FloorDivSIOp>(loc, first, bandRows);
  Value lastBand = b.createOrFold<arith::FloorDivSIOp>(loc, last, bandRows);
  Value count = b.createOrFold<arith::AddIOp>(
      loc, b.createOrFold<arith::SubIOp>(loc, lastBand, band), one);
  AwaitOp::create(b, loc, known, band, count, target);
}
