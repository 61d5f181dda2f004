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

using namespace mlir;
using namespace ingot;

static constexpr int64_t panelWidth = 16;

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
/// Rows, and panels of columns, whose sums are in registers.
struct RegisterTile {
  int64_t rows, panels;
};

/// Emits one product by register tiles.
class TiledGemm {
public:
  TiledGemm(KernelBuilder &b, const MatrixView &x, const MatrixView &w,
            bool packed, Value bias, const MatrixView &out, int64_t panels)
      : b(b), x(x), w(w), packed(packed), bias(bias), out(out), panels(panels),
        type(VectorType::get(panelWidth, out.elementType())), m(x.rows(b)),
        n(out.columns(b)), k(x.columns(b)) {}

  /// Takes at most `depth` rows of packed w at a time.
  void emit(int64_t tileRows, int64_t depth);
  /// Adds the products to what is in `out`.
  void accumulate(int64_t tileRows);

private:
  /// Some rows of w, for the panels of one column of tiles.
  struct Block {
    Value column, begin, end;
    /// Whether earlier blocks have left their sums in `out`.
    bool isPart;
  };

  void block(const Block &block, int64_t tileRows);
  void blocks(Value column, int64_t tileRows);
  void onlyRow(Value column);
  void tile(const Block &block, Value firstRow, int64_t tileRows,
            int64_t panels);
  Value loadPanel(Value panel, Value column, Value mask, Value k);
  void overVectors(Value column, function_ref<void(Value, Value)> body);
  void storeTile(ArrayRef<Value> rows, Value column, ArrayRef<Value> tile,
                 bool withBias);
  Value loadSum(Value row, Value column);

  KernelBuilder &b;
  const MatrixView &x, &w;
  bool packed;
  Value bias;
  const MatrixView &out;
  int64_t panels;
  /// Most rows of w in a block: its panels, and that part of the rows of x,
  /// should fit into the second-level cache.
  int64_t mostDepth = 0;
  VectorType type;
  Value m, n, k;
};
} // namespace

/// Brings an element or a vector of them to `type`, which is as wide or wider.
static Value widen(KernelBuilder &b, Value value, Type type) {
  if (value.getType() == type)
    return value;
  bool fromFloat = isa<FloatType>(getElementTypeOrSelf(value.getType()));
  bool toFloat = isa<FloatType>(getElementTypeOrSelf(type));
  if (fromFloat)
    return arith::ExtFOp::create(b, type, value);
  if (toFloat)
    return arith::SIToFPOp::create(b, type, value);
  return arith::ExtSIOp::create(b, type, value);
}

Value TiledGemm::loadPanel(Value panel, Value column, Value mask, Value at) {
  auto stored = VectorType::get(panelWidth, w.elementType());
  if (packed)
    return widen(b, b.loadVector(stored, w.memref, {panel, at, b.index(0)}),
                 type);
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(stored));
  return widen(b,
               vector::MaskedLoadOp::create(b, stored, w.memref,
                                            w.at(at, column), mask, zero),
               type);
}

/// Stores the tile's rows from `column` on, as far as the matrix reaches.
void TiledGemm::storeTile(ArrayRef<Value> rows, Value column,
                          ArrayRef<Value> tile, bool withBias) {
  Value end = b.add(column, b.index(panelWidth));
  auto full = [&] {
    Value added = withBias ? b.loadVector(type, bias, column) : Value();
    for (auto [row, value] : llvm::zip_equal(rows, tile))
      b.storeVector(added ? b.add(value, added) : value, out.memref,
                    out.at(row, column));
  };
  auto part = [&] {
    Value mask = b.mask(b.sub(n, column), panelWidth);
    Value zero = b.splat(type, 0.0);
    Value added = withBias ? vector::MaskedLoadOp::create(
                                 b, type, bias, ValueRange{column}, mask, zero)
                           : Value();
    for (auto [row, value] : llvm::zip_equal(rows, tile))
      vector::MaskedStoreOp::create(b, out.memref, out.at(row, column), mask,
                                    added ? b.add(value, added) : value);
  };
  b.when(b.compare(arith::CmpIPredicate::sle, end, n), full, part);
}

/// What is in a row of `out` from `column` on, as far as the matrix reaches.
Value TiledGemm::loadSum(Value row, Value column) {
  return vector::MaskedLoadOp::create(b, type, out.memref, out.at(row, column),
                                      b.mask(b.sub(n, column), panelWidth),
                                      b.splat(type, 0.0));
}

void TiledGemm::tile(const Block &block, Value firstRow, int64_t tileRows,
                     int64_t panels) {
  SmallVector<Value> rows;
  for (int64_t i = 0; i < tileRows; ++i)
    rows.push_back(b.add(firstRow, b.index(i)));
  SmallVector<Value> columns, panelIndices, masks;
  for (int64_t p = 0; p < panels; ++p) {
    Value column = b.add(block.column, b.index(p * panelWidth));
    if (packed) {
      // A panel past the end repeats the last one; nothing of it is stored.
      Value index = b.createOrFold<arith::DivUIOp>(column, b.index(panelWidth));
      if (p > 0)
        index = b.minIndex(index, b.sub(b.dim(w.memref, 0), b.index(1)));
      panelIndices.push_back(index);
      masks.push_back(Value());
    } else {
      panelIndices.push_back(Value());
      masks.push_back(b.mask(b.sub(n, column), panelWidth));
    }
    columns.push_back(column);
  }
  SmallVector<Value> sums;
  for (Value row : rows)
    for (Value column : columns)
      sums.push_back(block.isPart ? loadSum(row, column) : b.splat(type, 0.0));
  sums = b.loop(
      block.begin, block.end, 1, sums, [&](Value at, ValueRange carried) {
        SmallVector<Value> next;
        SmallVector<Value> loaded;
        for (int64_t p = 0; p < panels; ++p)
          loaded.push_back(
              loadPanel(panelIndices[p], columns[p], masks[p], at));
        for (int64_t i = 0; i < tileRows; ++i) {
          Value element = widen(b, b.load(x.memref, x.at(rows[i], at)),
                                type.getElementType());
          Value wide = b.broadcast(element, panelWidth);
          for (int64_t p = 0; p < panels; ++p)
            next.push_back(b.fma(wide, loaded[p], carried[i * panels + p]));
        }
        return next;
      });

  for (int64_t p = 0; p < panels; ++p) {
    SmallVector<Value> column;
    for (int64_t i = 0; i < tileRows; ++i)
      column.push_back(sums[i * panels + p]);
    auto body = [&] {
      storeTile(rows, columns[p], column, bias && !block.isPart);
    };
    if (p == 0)
      body();
    else
      b.when(b.compare(arith::CmpIPredicate::slt, columns[p], n), body);
  }
}

/// Whole tiles, then what is left by tiles of a power of two.
void TiledGemm::block(const Block &block, int64_t tileRows) {
  Value left = b.createOrFold<arith::RemUIOp>(m, b.index(tileRows));
  Value row = b.sub(m, left);
  b.loop(b.index(0), row, tileRows,
         [&](Value row) { tile(block, row, tileRows, panels); });
  for (int64_t rows = llvm::bit_floor(uint64_t(tileRows - 1)); rows > 0;
       rows /= 2) {
    Value bit = b.createOrFold<arith::AndIOp>(left, b.index(rows));
    b.when(b.compare(arith::CmpIPredicate::ne, bit, b.index(0)),
           [&] { tile(block, row, rows, panels); });
    row = b.add(row, bit);
  }
}

/// Calls `body` with each row and each column of a tile's panels.
void TiledGemm::overVectors(Value column,
                            function_ref<void(Value, Value)> body) {
  b.loop(b.index(0), m, 1, [&](Value row) {
    for (int64_t p = 0; p < panels; ++p) {
      Value at = b.add(column, b.index(p * panelWidth));
      b.when(b.compare(arith::CmpIPredicate::slt, at, n),
             [&] { body(row, at); });
    }
  });
}

/// A single row, which waits for memory: one panel after the other over all of
/// K, so that packed weights are read as one stream.
void TiledGemm::onlyRow(Value column) {
  Value zero = b.index(0);
  for (int64_t p = 0; p < panels; ++p) {
    Value at = b.add(column, b.index(p * panelWidth));
    auto body = [&] {
      tile({at, zero, k, /*isPart=*/false}, zero, /*tileRows=*/1,
           /*panels=*/1);
    };
    if (p == 0)
      body();
    else
      b.when(b.compare(arith::CmpIPredicate::slt, at, n), body);
  }
}

/// The products of a column of tiles, block after block.
void TiledGemm::blocks(Value column, int64_t tileRows) {
  Value zero = b.index(0);
  std::optional<int64_t> depth = getConstantIntValue(k);
  if (!packed || !depth || *depth <= mostDepth)
    return block({column, zero, k, /*isPart=*/false}, tileRows);
  overVectors(column, [&](Value row, Value at) {
    storeTile(row, at, b.splat(type, 0.0), /*withBias=*/false);
  });
  int64_t step = llvm::divideCeil(*depth, llvm::divideCeil(*depth, mostDepth));
  b.loop(zero, k, step, [&](Value begin) {
    Value end = b.minIndex(b.add(begin, b.index(step)), k);
    block({column, begin, end, /*isPart=*/true}, tileRows);
  });
  if (bias)
    overVectors(column, [&](Value row, Value at) {
      storeTile(row, at, loadSum(row, at), /*withBias=*/true);
    });
}

void TiledGemm::accumulate(int64_t tileRows) {
  b.loop(b.index(0), n, panels * panelWidth, [&](Value column) {
    block({column, b.index(0), k, /*isPart=*/true}, tileRows);
  });
}

void TiledGemm::emit(int64_t tileRows, int64_t depth) {
  mostDepth = depth;
  b.loop(b.index(0), n, panels * panelWidth, [&](Value column) {
    if (!packed)
      return blocks(column, tileRows);
    Value isOne = b.compare(arith::CmpIPredicate::eq, m, b.index(1));
    b.when(isOne, [&] { onlyRow(column); }, [&] { blocks(column, tileRows); });
  });
}

/// The tile of a product whose operands and result have one type.
static RegisterTile tileOfFloats(const MatrixView &out,
                                 const TargetInfo &target) {
  RegisterTile tile{target.gemmRows(), target.gemmPanels()};
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

/// Any layout, any type: one element at a time.
static void emitScalarGemm(KernelBuilder &b, const MatrixView &x,
                           const MatrixView &w, bool packed, Value bias,
                           const MatrixView &out) {
  Type stored = out.elementType();
  // Narrow floats are summed in f32.
  Type type = isa<Float16Type, BFloat16Type>(stored) ? b.getF32Type() : stored;
  b.loop(b.index(0), x.rows(b), 1, [&](Value row) {
    b.loop(b.index(0), out.columns(b), 1, [&](Value column) {
      Value panel, lane;
      if (packed) {
        panel = b.createOrFold<arith::DivUIOp>(column, b.index(panelWidth));
        lane = b.createOrFold<arith::RemUIOp>(column, b.index(panelWidth));
      }
      Value zero = arith::ConstantOp::create(b, b.getZeroAttr(type));
      Value sum =
          b.loop(b.index(0), x.columns(b), 1, zero,
                 [&](Value at, ValueRange carried) -> SmallVector<Value> {
                   Value lhs = widen(b, b.load(x.memref, x.at(row, at)), type);
                   Value rhs = packed ? b.load(w.memref, {panel, at, lane})
                                      : b.load(w.memref, w.at(at, column));
                   rhs = widen(b, rhs, type);
                   if (isa<FloatType>(type))
                     return {b.fma(lhs, rhs, carried[0])};
                   return {b.add(b.mul(lhs, rhs), carried[0])};
                 })
              .front();
      if (bias)
        sum = b.add(sum, widen(b, b.load(bias, column), type));
      if (type != stored)
        sum = arith::TruncFOp::create(b, stored, sum);
      b.store(sum, out.memref, out.at(row, column));
    });
  });
}

void ingot::emitGemm(KernelBuilder &b, const MatrixView &x, const MatrixView &w,
                     bool packed, Value bias, const MatrixView &out,
                     int64_t depth, const TargetInfo &target) {
  Type element = out.elementType();
  bool wide = element.isF64();
  // Masks of narrower elements are not instructions on AVX2.
  bool tiled = (element.isF32() || wide) && isLastDimContiguous(out.memref) &&
               isLastDimContiguous(w.memref) &&
               (packed || w.elementType() == element) &&
               (!bias || (isLastDimContiguous(bias) &&
                          getElementTypeOrSelf(bias.getType()) == element));
  if (!tiled)
    return emitScalarGemm(b, x, w, packed, bias, out);
  // As many rows as there are registers for, so that each load of a panel, and
  // widening it, serves the most.
  if (w.elementType() != element) {
    TiledGemm gemm(b, x, w, packed, bias, out, target.gemmPanels());
    return gemm.emit(target.gemmRows() / (wide ? 2 : 1), depth);
  }
  RegisterTile tile = tileOfFloats(out, target);
  TiledGemm(b, x, w, packed, bias, out, tile.panels).emit(tile.rows, depth);
}

void ingot::addGemm(KernelBuilder &b, const MatrixView &x, Value panels,
                    const MatrixView &out, const TargetInfo &target) {
  RegisterTile tile = tileOfFloats(out, target);
  // Of 16 registers, constants of what is around take some.
  if (target.vectorRegisters <= 16)
    tile.rows = std::min<int64_t>(tile.rows, 4);
  MatrixView w{panels, {}};
  TiledGemm gemm(b, x, w, /*packed=*/true, /*bias=*/Value(), out, tile.panels);
  gemm.accumulate(tile.rows);
}
