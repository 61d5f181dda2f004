//===- Gemm.cpp - products of matrices ------------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The register-tiled product of Goto and van de Geijn ("Anatomy of
// High-Performance Matrix Multiplication", 2008) without their copy of A: a
// tile of rows x columns stays in registers over a block of K, and the panels
// of a block stay in the second-level cache over all rows. Fetching the panels
// of the next block meanwhile gained nothing.
//
//===----------------------------------------------------------------------===//
#include "Gemm.h"

#include "DotProducts.h"
#include "ScalarGemm.h"

using namespace mlir;
using namespace ingot;

Type MatrixView::elementType() const {
  return cast<MemRefType>(memref.getType()).getElementType();
}
Value MatrixView::rows(KernelBuilder &b) const {
  return b.dim(memref, prefix.size());
}
Value MatrixView::columns(KernelBuilder &b) const {
  return b.dim(memref, prefix.size() + 1);
}
SmallVector<Value> MatrixView::at(Value row, Value column) const {
  SmallVector<Value> indices = prefix;
  indices.append({row, column});
  return indices;
}

namespace {
/// Rows, and panels of columns, whose sums are in registers, and steps of K in
/// a turn of their loop.
struct RegisterTile {
  int64_t rows, panels, steps = 1;
};

/// Emits one product by register tiles.
class TiledGemm {
public:
  TiledGemm(KernelBuilder &b, const MatrixView &x, const MatrixView &w,
            WeightLayout layout, Value bias, const MatrixView &out,
            RegisterTile most, bool hasDots = false)
      : b(b), x(x), w(w), layout(layout), bias(bias), out(out), most(most),
        hasDots(hasDots), type(VectorType::get(panelWidth, out.elementType())),
        m(x.rows(b)), n(out.columns(b)), k(x.columns(b)) {
    if (layout != WeightLayout::Pairs)
      return;
    // K is known then.
    int64_t depth = *getConstantIntValue(k);
    k = b.index(depth / 2);
    hasTail = depth % 2 != 0;
  }

  /// Takes at most `depth` rows of packed w at a time.
  void emit(int64_t depth);
  /// Adds the products to what is in `out` if `resumes`; not given: never.
  void accumulate(Value resumes);

private:
  /// Some rows of w, or pairs of them, for the panels of one column of tiles.
  struct Block {
    Value column, begin, end;
    /// Whether sums of earlier rows are in `out`, and whether it has all rows
    /// then; none where that is so of no block, and of each.
    Value resumes, completes;
    /// Whether half a pair comes behind them.
    bool hasTail = false;
  };
  /// What one step of K multiplies: the rows of a pair in the order in which
  /// they are added, or what is one operand of an instruction.
  using Parts = SmallVector<Value, 2>;

  void block(const Block &block);
  void blocks(Value column);
  void onlyRow(Value column);
  void tile(const Block &block, Value firstRow, int64_t tileRows,
            int64_t panels);
  Parts loadPanel(Value panel, Value column, Value mask, Value k);
  Parts loadElement(Value row, Value k, bool isTail);
  void storeTile(ArrayRef<Value> rows, Value column, ArrayRef<Value> tile,
                 Value completes);
  SmallVector<Value> firstSums(const Block &block, ArrayRef<Value> rows,
                               ArrayRef<Value> columns);
  /// Whether it is known that no panel reaches beyond the matrix.
  bool hasWholePanels() const {
    std::optional<int64_t> columns = getConstantIntValue(n);
    return columns && *columns % (most.panels * panelWidth) == 0;
  }
  /// Emits `body` for panel `p` of a tile where its first column is one of the
  /// matrix.
  void where(int64_t p, Value column, function_ref<void()> body) {
    if (p == 0 || hasWholePanels())
      return body();
    b.when(b.compare(arith::CmpIPredicate::slt, column, n), body);
  }

  KernelBuilder &b;
  const MatrixView &x, &w;
  WeightLayout layout;
  Value bias;
  const MatrixView &out;
  RegisterTile most;
  /// Whether pairs are multiplied by an instruction.
  bool hasDots;
  /// Most rows of w in a block: its panels, and that part of the rows of x,
  /// should fit into the second-level cache.
  int64_t mostDepth = 0;
  VectorType type;
  /// Rows, columns, and steps of K.
  Value m, n, k;
  /// Whether half a pair is behind the last step.
  bool hasTail = false;
};
} // namespace

static Value boolean(KernelBuilder &b, bool value) {
  return arith::ConstantOp::create(b, b.getBoolAttr(value));
}

TiledGemm::Parts TiledGemm::loadPanel(Value panel, Value column, Value mask,
                                      Value at) {
  auto stored = VectorType::get(panelWidth, w.elementType());
  if (layout == WeightLayout::Panels)
    return {
        b.widen(b.loadVector(stored, w.memref, {panel, at, b.index(0)}), type)};
  if (layout == WeightLayout::Plain) {
    Value zero = arith::ConstantOp::create(b, b.getZeroAttr(stored));
    return {b.widen(vector::MaskedLoadOp::create(b, stored, w.memref,
                                                 w.at(at, column), mask, zero),
                    type)};
  }
  auto pairs = VectorType::get(2 * panelWidth, w.elementType());
  Value loaded = b.loadVector(pairs, w.memref, {panel, at, b.index(0)});
  if (hasDots)
    return {loaded};
  // The bits of a bf16 are the upper ones of the same f32.
  auto bits = VectorType::get(panelWidth, b.getI32Type());
  Value words = vector::BitCastOp::create(b, bits, loaded);
  Value second = arith::AndIOp::create(b, words, b.splatInt(bits, -65536));
  Value first = arith::ShLIOp::create(b, words, b.splatInt(bits, 16));
  return {vector::BitCastOp::create(b, type, second),
          vector::BitCastOp::create(b, type, first)};
}

/// What the panels are multiplied with; the first of a pair alone if it is the
/// last row of w.
TiledGemm::Parts TiledGemm::loadElement(Value row, Value at, bool isTail) {
  auto single = [&](Value at) {
    Value element =
        b.widen(b.load(x.memref, x.at(row, at)), type.getElementType());
    return b.broadcast(element, panelWidth);
  };
  if (layout != WeightLayout::Pairs)
    return {single(at)};
  Value first = b.mul(at, b.index(2));
  if (!hasDots) {
    if (isTail)
      return {single(first)};
    return {single(b.add(first, b.index(1))), single(first)};
  }
  Value word;
  if (isTail) {
    Value half = arith::BitcastOp::create(b, b.getI16Type(),
                                          b.load(x.memref, x.at(row, first)));
    word = arith::ExtUIOp::create(b, b.getI32Type(), half);
  } else {
    auto pair = VectorType::get(2, x.elementType());
    Value loaded = b.loadVector(pair, x.memref, x.at(row, first));
    auto one = VectorType::get(1, b.getI32Type());
    loaded = vector::BitCastOp::create(b, one, loaded);
    word = vector::ExtractOp::create(b, loaded, 0);
  }
  auto pairs = VectorType::get(2 * panelWidth, x.elementType());
  return {vector::BitCastOp::create(b, pairs, b.broadcast(word, panelWidth))};
}

/// Stores the tile's rows from `column` on, as far as the matrix reaches, with
/// the bias if they are complete.
void TiledGemm::storeTile(ArrayRef<Value> rows, Value column,
                          ArrayRef<Value> tile, Value completes) {
  auto finished = [&](Value sum, Value added) {
    if (!added)
      return sum;
    Value with = b.add(sum, added);
    return completes ? b.select(completes, with, sum) : with;
  };
  Value end = b.add(column, b.index(panelWidth));
  auto full = [&] {
    Value added = bias ? b.loadVector(type, bias, column) : Value();
    for (auto [row, sum] : llvm::zip_equal(rows, tile))
      b.storeVector(finished(sum, added), out.memref, out.at(row, column));
  };
  auto part = [&] {
    Value mask = b.mask(b.sub(n, column), panelWidth);
    Value zero = b.splat(type, 0.0);
    Value added = bias ? vector::MaskedLoadOp::create(
                             b, type, bias, ValueRange{column}, mask, zero)
                       : Value();
    for (auto [row, sum] : llvm::zip_equal(rows, tile))
      vector::MaskedStoreOp::create(b, out.memref, out.at(row, column), mask,
                                    finished(sum, added));
  };
  if (hasWholePanels())
    return full();
  b.when(b.compare(arith::CmpIPredicate::sle, end, n), full, part);
}

/// What the products of a block are added to.
SmallVector<Value> TiledGemm::firstSums(const Block &block,
                                        ArrayRef<Value> rows,
                                        ArrayRef<Value> columns) {
  Value zero = b.splat(type, 0.0);
  if (!block.resumes)
    return SmallVector<Value>(rows.size() * columns.size(), zero);
  SmallVector<Value> sums;
  if (hasWholePanels()) {
    for (Value row : rows)
      for (Value column : columns) {
        Value there = b.loadVector(type, out.memref, out.at(row, column));
        sums.push_back(b.select(block.resumes, there, zero));
      }
    return sums;
  }
  SmallVector<Value> masks;
  for (Value column : columns)
    masks.push_back(b.mask(
        b.select(block.resumes, b.sub(n, column), b.index(0)), panelWidth));
  for (Value row : rows)
    for (auto [column, mask] : llvm::zip_equal(columns, masks))
      sums.push_back(vector::MaskedLoadOp::create(
          b, type, out.memref, out.at(row, column), mask, zero));
  return sums;
}

void TiledGemm::tile(const Block &block, Value firstRow, int64_t tileRows,
                     int64_t panels) {
  SmallVector<Value> rows;
  for (int64_t i = 0; i < tileRows; ++i)
    rows.push_back(b.add(firstRow, b.index(i)));
  SmallVector<Value> columns, panelIndices, masks;
  for (int64_t p = 0; p < panels; ++p) {
    Value column = b.add(block.column, b.index(p * panelWidth));
    if (layout != WeightLayout::Plain) {
      // A panel past the end repeats the last one; nothing of it is stored.
      Value index = b.createOrFold<arith::DivUIOp>(column, b.index(panelWidth));
      if (p > 0 && !hasWholePanels())
        index = b.minIndex(index, b.sub(b.dim(w.memref, 0), b.index(1)));
      panelIndices.push_back(index);
      masks.push_back(Value());
    } else {
      panelIndices.push_back(Value());
      masks.push_back(b.mask(b.sub(n, column), panelWidth));
    }
    columns.push_back(column);
  }
  SmallVector<Value> sums = firstSums(block, rows, columns);
  auto step = [&](Value at, bool isTail, ValueRange carried) {
    SmallVector<Value> next(carried);
    SmallVector<Parts> loaded;
    for (int64_t p = 0; p < panels; ++p)
      loaded.push_back(loadPanel(panelIndices[p], columns[p], masks[p], at));
    for (int64_t i = 0; i < tileRows; ++i) {
      Parts wide = loadElement(rows[i], at, isTail);
      for (int64_t p = 0; p < panels; ++p) {
        Value &sum = next[i * panels + p];
        for (auto [element, panel] :
             llvm::zip(wide, ArrayRef(loaded[p]).take_back(wide.size())))
          sum = hasDots ? addBfloatPairs(b, sum, panel, element)
                        : b.fma(element, panel, sum);
      }
    }
    return next;
  };
  auto loop = [&](Value begin, Value end, int64_t count) {
    sums = b.loop(begin, end, count, sums, [&](Value at, ValueRange carried) {
      SmallVector<Value> next(carried);
      for (int64_t i = 0; i < count; ++i)
        next = step(b.add(at, b.index(i)), /*isTail=*/false, next);
      return next;
    });
  };
  // Blocks are whole turns; only the last one may not be.
  std::optional<int64_t> depth = getConstantIntValue(k);
  if (most.steps == 1 || (depth && *depth % most.steps == 0)) {
    loop(block.begin, block.end, most.steps);
  } else {
    Value length = b.sub(block.end, block.begin);
    Value rest = b.createOrFold<arith::RemUIOp>(length, b.index(most.steps));
    Value turned = b.sub(block.end, rest);
    loop(block.begin, turned, most.steps);
    loop(turned, block.end, 1);
  }
  if (block.hasTail)
    sums = step(block.end, /*isTail=*/true, sums);

  for (int64_t p = 0; p < panels; ++p) {
    SmallVector<Value> column;
    for (int64_t i = 0; i < tileRows; ++i)
      column.push_back(sums[i * panels + p]);
    where(p, columns[p],
          [&] { storeTile(rows, columns[p], column, block.completes); });
  }
}

/// Whole tiles, then what is left by tiles of a power of two.
void TiledGemm::block(const Block &block) {
  Value left = b.createOrFold<arith::RemUIOp>(m, b.index(most.rows));
  Value row = b.sub(m, left);
  b.loop(b.index(0), row, most.rows,
         [&](Value row) { tile(block, row, most.rows, most.panels); });
  for (int64_t rows = llvm::bit_floor(uint64_t(most.rows - 1)); rows > 0;
       rows /= 2) {
    Value bit = b.createOrFold<arith::AndIOp>(left, b.index(rows));
    b.when(b.compare(arith::CmpIPredicate::ne, bit, b.index(0)),
           [&] { tile(block, row, rows, most.panels); });
    row = b.add(row, bit);
  }
}

/// A single row, which waits for memory: one panel after the other over all of
/// K, so that packed weights are read as one stream.
void TiledGemm::onlyRow(Value column) {
  Value zero = b.index(0);
  for (int64_t p = 0; p < most.panels; ++p) {
    Value at = b.add(column, b.index(p * panelWidth));
    where(p, at, [&] {
      tile({at, zero, k, {}, {}, hasTail}, zero, /*tileRows=*/1, /*panels=*/1);
    });
  }
}

/// The products of a column of tiles, block after block.
void TiledGemm::blocks(Value column) {
  Value zero = b.index(0);
  std::optional<int64_t> depth = getConstantIntValue(k);
  if (layout == WeightLayout::Plain || !depth || *depth <= mostDepth)
    return block({column, zero, k, {}, {}, hasTail});
  int64_t step = llvm::divideCeil(*depth, llvm::divideCeil(*depth, mostDepth));
  // Whole turns, at least one.
  step = std::min(llvm::alignTo(step, most.steps),
                  llvm::alignDown(mostDepth, most.steps));
  step = std::max(step, most.steps);
  b.loop(zero, k, step, [&](Value begin) {
    Value end = b.minIndex(b.add(begin, b.index(step)), k);
    Value resumes = b.compare(arith::CmpIPredicate::ne, begin, zero);
    Value completes = b.compare(arith::CmpIPredicate::eq, end, k);
    if (hasTail)
      completes = boolean(b, false);
    block({column, begin, end, resumes, completes});
  });
  if (hasTail)
    block({column, k, k, boolean(b, true), {}, hasTail});
}

void TiledGemm::accumulate(Value resumes) {
  b.loop(b.index(0), n, most.panels * panelWidth,
         [&](Value column) { block({column, b.index(0), k, resumes, {}}); });
}

void TiledGemm::emit(int64_t depth) {
  mostDepth = layout == WeightLayout::Pairs ? depth / 2 : depth;
  b.loop(b.index(0), n, most.panels * panelWidth, [&](Value column) {
    if (layout == WeightLayout::Plain)
      return blocks(column);
    Value isOne = b.compare(arith::CmpIPredicate::eq, m, b.index(1));
    b.when(isOne, [&] { onlyRow(column); }, [&] { blocks(column); });
  });
}

/// The tile of a product whose operands and result have one type.
static RegisterTile tileOfFloats(const MatrixView &out,
                                 const TargetInfo &target) {
  RegisterTile tile{target.gemmRows(), target.gemmPanels(), target.gemmSteps()};
  if (out.elementType().isF64())
    tile.rows /= 2;
  if (tile.rows <= 6)
    return tile;
  // Rows of x that are a multiple of 4 KiB apart share the 8 lines of a set of
  // the first-level cache; more than that evict each other.
  tile.rows = 6;
  auto type = cast<MemRefType>(out.memref.getType());
  if (type.getShape().back() % (2 * tile.panels * panelWidth) == 0)
    tile.panels *= 2;
  return tile;
}

/// The lanes of a panel of pairs as one dim; null if they are not side by side.
static Value flattenPairs(KernelBuilder &b, const MatrixView &w) {
  SmallVector<ReassociationIndices> dims = {{0}, {1}, {2, 3}};
  auto type = cast<MemRefType>(w.memref.getType());
  if (!memref::CollapseShapeOp::isGuaranteedCollapsible(type, dims))
    return {};
  return memref::CollapseShapeOp::create(b, w.memref, dims);
}

void ingot::emitGemm(KernelBuilder &b, const MatrixView &x, const MatrixView &w,
                     WeightLayout layout, Value bias, const MatrixView &out,
                     int64_t depth, const TargetInfo &target) {
  bool packed = layout != WeightLayout::Plain;
  Type element = out.elementType();
  bool wide = element.isF64();
  Value pairs;
  if (layout == WeightLayout::Pairs)
    pairs = flattenPairs(b, w);
  // Masks of narrower elements are not instructions on AVX2.
  bool tiled = (element.isF32() || wide) && isLastDimContiguous(out.memref) &&
               (layout != WeightLayout::Pairs || pairs) &&
               isLastDimContiguous(w.memref) &&
               (packed || w.elementType() == element) &&
               (!bias || (isLastDimContiguous(bias) &&
                          getElementTypeOrSelf(bias.getType()) == element));
  if (!tiled)
    return emitScalarGemm(b, x, w, layout, bias, out);
  if (layout == WeightLayout::Pairs) {
    MatrixView flat{pairs, {}};
    bool hasDots = target.hasAvx512Bf16 && x.elementType().isBF16() &&
                   isLastDimContiguous(x.memref);
    // Both halves of the pairs take registers, where they are taken apart.
    RegisterTile tile{target.hasAvx512f ? target.gemmRows() : 5,
                      target.gemmPanels(), target.gemmSteps()};
    if (hasDots)
      tile = tileOfFloats(out, target);
    TiledGemm gemm(b, x, flat, layout, bias, out, tile, hasDots);
    return gemm.emit(depth);
  }
  // As many rows as there are registers for, so that each load of a panel, and
  // widening it, serves the most: none is left for a second step.
  if (w.elementType() != element) {
    RegisterTile tile{target.gemmRows() / (wide ? 2 : 1), target.gemmPanels()};
    return TiledGemm(b, x, w, layout, bias, out, tile).emit(depth);
  }
  RegisterTile tile = tileOfFloats(out, target);
  TiledGemm(b, x, w, layout, bias, out, tile).emit(depth);
}

void ingot::addGemm(KernelBuilder &b, const MatrixView &x, Value panels,
                    const MatrixView &out, Value resumes,
                    const TargetInfo &target) {
  RegisterTile tile = tileOfFloats(out, target);
  // Constants of what is around take registers, which AVX-512 has.
  if (!target.hasAvx512f)
    tile.rows =
        std::min<int64_t>(tile.rows, target.vectorRegisters <= 16 ? 4 : 5);
  MatrixView w{panels, {}};
  TiledGemm gemm(b, x, w, WeightLayout::Panels, /*bias=*/Value(), out, tile);
  gemm.accumulate(resumes);
}
