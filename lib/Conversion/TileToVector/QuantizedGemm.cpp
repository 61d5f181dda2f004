//===- QuantizedGemm.cpp - products with packed codes ---------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One group of 16 columns at a time, so that the codes are one stream. Each
// lane of a register of 32-bit words belongs to a column: no sum crosses lanes.
//
// Floats in many rows are another matter: four rows would not repay what it
// costs to make floats of codes: QuantizedPanels.cpp.
//
//===----------------------------------------------------------------------===//
#include "QuantizedGemm.h"

#include "DotProducts.h"
#include "QuantizedPanels.h"

using namespace mlir;
using namespace ingot;

/// Words of a column whose products with 8-bit activations sums of 16 bits
/// hold, if codes are of 4 bits.
static constexpr int64_t wordsAtOnce = 4;
static constexpr int64_t groupWidth = PackedColumns::groupWidth;

namespace {

/// Emits one product.
class QuantizedGemm {
public:
  QuantizedGemm(KernelBuilder &b, QuantizedLinearOp op,
                const TargetInfo &target)
      : b(b), op(op), dot(b, target), lanes(dot.lanes()), weights(b, op, lanes),
        activationBits(op.getActivationBits()), weightBits(op.getWeightBits()),
        words(op.getBlock() * weightBits / 32),
        floats(VectorType::get(lanes, b.getF32Type())) {}

  void emit();

private:
  /// What a tile computes: some rows of one group, or of a part of it.
  struct Tile {
    SmallVector<Value> rows;
    Value group;
    /// First columns, within the group, of the registers.
    SmallVector<int64_t> columns;

    size_t count() const { return rows.size() * columns.size(); }
  };

  void tile(Value group, Value firstRow, int64_t count);
  void emitTile(const Tile &tile);
  /// The sums of one block, as floats; those of floats go on from `before`
  /// where all blocks have one scale.
  SmallVector<Value> blockSums(const Tile &tile, Value block,
                               ValueRange before);
  /// Adds the products of `count` words of a block, from `first` on.
  SmallVector<Value> addWords(const Tile &tile, Value block, Value first,
                              int64_t count, ValueRange sums);
  void addFloats(const Tile &tile, Value block, Value word, size_t column,
                 Value codes, MutableArrayRef<Value> sums);
  void addPairs(const Tile &tile, Value block, Value word, ValueRange codes,
                MutableArrayRef<Value> sums);
  void addQuads(const Tile &tile, Value block, Value word, ValueRange codes,
                MutableArrayRef<Value> sums, MutableArrayRef<Value> shortSums);

  /// A word of a row's codes in all lanes.
  Value rowWord(Value row, Value block, Value word) {
    return b.broadcast(b.load(op.getX(), {row, block, word}), lanes);
  }
  /// A float of a row in all lanes.
  Value rowFloat(Value row, Value block, Value k) {
    if (cast<MemRefType>(op.getX().getType()).getRank() != 2)
      return arith::BitcastOp::create(b, floats, rowWord(row, block, k));
    Value at = b.add(b.mul(block, b.index(op.getBlock())), k);
    return b.broadcast(b.load(op.getX(), {row, at}), lanes);
  }
  Value rowScalar(Value row, Value block, int64_t fromEnd) {
    int64_t last = op.getBlock() * activationBits / 32 + 2;
    Value word = b.load(op.getX(), {row, block, b.index(last - fromEnd)});
    return arith::BitcastOp::create(b, b.getF32Type(), word);
  }
  bool isFloat() const { return activationBits == 32; }
  /// Whether all products of a row and a column are added in order of k.
  bool isChained() { return isFloat() && weights.perColumn(); }
  bool hasPairs() const { return activationBits == 16 || activationBits == 24; }
  bool hasQuads() const { return activationBits == 8 || activationBits == 24; }
  /// Without a step that adds to 32 bits at once, four products of bytes are
  /// added in 16 bits, where codes of 8 bits fit only by halves.
  bool inHalves() const { return weightBits == 8 && !dot.hasFused(); }
  /// Words of a column between two ends of the innermost loop: the products of
  /// more would not stay in registers. Activations in two parts need sums of
  /// both, and a group is in the more registers the narrower they are.
  int64_t wordsPerStep() const {
    bool isWide = lanes == groupWidth;
    if (activationBits == 24)
      return isWide && dot.hasFused()   ? wordsAtOnce
             : isWide || dot.hasFused() ? 2
                                        : 1;
    return lanes < groupWidth / 2 ? 1 : wordsAtOnce;
  }
  /// Rows that share a load of codes: as many as the registers hold sums for.
  int64_t tileRows() const { return lanes < groupWidth && hasQuads() ? 2 : 4; }

  KernelBuilder &b;
  QuantizedLinearOp op;
  DotProducts dot;
  int64_t lanes;
  PackedColumns weights;
  int64_t activationBits, weightBits, words;
  VectorType floats;
};

} // namespace

/// Products of floats with codes, in order of k.
void QuantizedGemm::addFloats(const Tile &tile, Value block, Value word,
                              size_t column, Value codes,
                              MutableArrayRef<Value> sums) {
  Value zero = weights.zeroPoint(tile.group, block, tile.columns[column]);
  Value base = b.mul(word, b.index(weights.codesPerWord()));
  for (int64_t k = 0; k < weights.codesPerWord(); ++k) {
    Value value = weights.value(codes, k, zero);
    for (auto [i, row] : llvm::enumerate(tile.rows)) {
      Value x = rowFloat(row, block, b.add(base, b.index(k)));
      Value &sum = sums[i * tile.columns.size() + column];
      sum = b.fma(x, value, sum);
    }
  }
}

/// Products of codes of 16 bits: each shift of a word gives two numbers. All
/// columns follow each other, so that a row's word is soon done with: few
/// registers are taken at a time.
void QuantizedGemm::addPairs(const Tile &tile, Value block, Value word,
                             ValueRange codes, MutableArrayRef<Value> sums) {
  int64_t shifts = 16 / weightBits;
  VectorType type = dot.type(16);
  auto part = [&](Value words, int64_t shift) {
    Value value = dot.cast(words, 16);
    if (shift > 0)
      value = arith::ShRUIOp::create(b, value,
                                     b.splatInt(type, shift * weightBits));
    if (shift + 1 < shifts)
      value = arith::AndIOp::create(b, value,
                                    b.splatInt(type, (1 << weightBits) - 1));
    return value;
  };
  Value first = b.mul(word, b.index(shifts));
  for (int64_t shift = 0; shift < shifts; ++shift) {
    SmallVector<Value> values;
    for (Value words : codes)
      values.push_back(part(words, shift));
    for (auto [i, row] : llvm::enumerate(tile.rows)) {
      Value x = rowWord(row, block, b.add(first, b.index(shift)));
      x = dot.cast(x, 16);
      for (auto [column, value] : llvm::enumerate(values)) {
        Value &sum = sums[i * values.size() + column];
        sum = dot.pairs(sum, value, x);
      }
    }
  }
}

/// Products of codes of 8 bits: each shift of a word gives four numbers.
void QuantizedGemm::addQuads(const Tile &tile, Value block, Value word,
                             ValueRange codes, MutableArrayRef<Value> sums,
                             MutableArrayRef<Value> shortSums) {
  int64_t shifts = 8 / weightBits;
  VectorType bytes = dot.type(8), shorts = dot.type(16);
  auto part = [&](Value words, int64_t shift, int64_t width) -> Value {
    Value value = dot.cast(words, 16);
    if (shift > 0)
      value = arith::ShRUIOp::create(b, value, b.splatInt(shorts, shift));
    value = dot.cast(value, 8);
    if (width == 8)
      return value;
    return arith::AndIOp::create(b, value, b.splatInt(bytes, (1 << width) - 1));
  };
  Value first = b.mul(word, b.index(shifts));
  // Codes of 16 bits stand before those of 8.
  int64_t before = activationBits == 24 ? op.getBlock() / 2 : 0;
  for (int64_t shift = 0; shift < shifts; ++shift) {
    // The halves of each column.
    SmallVector<SmallVector<Value, 2>> values;
    for (Value words : codes) {
      if (inHalves())
        values.push_back({part(words, 0, 4), part(words, 4, 4)});
      else
        values.push_back({part(words, shift * weightBits, weightBits)});
    }
    for (auto [i, row] : llvm::enumerate(tile.rows)) {
      Value word = b.add(first, b.index(before + shift));
      Value x = dot.cast(rowWord(row, block, word), 8);
      for (auto [column, halves] : llvm::enumerate(values)) {
        size_t at = i * values.size() + column;
        if (dot.hasFused()) {
          sums[at] = dot.quads(sums[at], halves[0], x);
          continue;
        }
        for (auto [half, value] : llvm::enumerate(halves)) {
          Value products = dot.shortPairs(value, x);
          Value &sum = shortSums[half * tile.count() + at];
          sum = sum ? b.add(sum, products) : products;
        }
      }
    }
  }
}

SmallVector<Value> QuantizedGemm::addWords(const Tile &tile, Value block,
                                           Value first, int64_t count,
                                           ValueRange before) {
  SmallVector<Value> sums(before), shortSums(2 * tile.count());
  MutableArrayRef<Value> byteSums =
      MutableArrayRef(sums).take_back(tile.count());
  for (int64_t offset = 0; offset < count; ++offset) {
    Value word = b.add(first, b.index(offset));
    SmallVector<Value> codes;
    for (int64_t column : tile.columns)
      codes.push_back(weights.codes(tile.group, block, word, column));
    for (size_t i = 0; isFloat() && i < codes.size(); ++i)
      addFloats(tile, block, word, i, codes[i], sums);
    if (hasPairs())
      addPairs(tile, block, word, codes, sums);
    if (hasQuads())
      addQuads(tile, block, word, codes, byteSums, shortSums);
  }
  for (auto [i, sum] : llvm::enumerate(shortSums)) {
    if (!sum)
      continue;
    int64_t factor = i < tile.count() ? 1 : 16;
    Value &total = byteSums[i % tile.count()];
    total = dot.pairs(total, sum, b.splatInt(dot.type(16), factor));
  }
  return sums;
}

SmallVector<Value> QuantizedGemm::blockSums(const Tile &tile, Value block,
                                            ValueRange before) {
  Value zero = isFloat() ? b.splat(floats, 0.0) : b.splatInt(dot.type(32), 0);
  SmallVector<Value> sums(tile.count() * (activationBits == 24 ? 2 : 1), zero);
  if (isChained())
    sums.assign(before.begin(), before.end());
  int64_t step = std::min(words, wordsPerStep());
  sums = b.loop(b.index(0), b.index(words), step, sums,
                [&](Value first, ValueRange carried) {
                  return addWords(tile, block, first, step, carried);
                });
  if (isFloat())
    return sums;
  bool hasZero = op.getZero() || op.getZeroPoint() != 0;
  SmallVector<Value> zeros;
  for (int64_t column : tile.columns)
    if (hasZero)
      zeros.push_back(arith::NegFOp::create(
          b, weights.zeroPoint(tile.group, block, column)));
  SmallVector<Value> result;
  for (auto [i, row] : llvm::enumerate(tile.rows)) {
    Value scale = b.broadcast(rowScalar(row, block, 2), lanes);
    Value total;
    if (hasZero)
      total = b.broadcast(rowScalar(row, block, 1), lanes);
    for (size_t column = 0; column < tile.columns.size(); ++column) {
      size_t at = i * tile.columns.size() + column;
      Value sum = arith::SIToFPOp::create(b, floats, sums[at]);
      if (activationBits == 24)
        sum = b.fma(arith::SIToFPOp::create(b, floats, sums[tile.count() + at]),
                    b.splat(floats, 1.0 / 256), sum);
      if (hasZero)
        sum = b.fma(zeros[column], total, sum);
      result.push_back(b.mul(sum, scale));
    }
  }
  return result;
}

void QuantizedGemm::emitTile(const Tile &tile) {
  SmallVector<Value> zeros(tile.count(), b.splat(floats, 0.0));
  size_t columns = tile.columns.size();
  auto scaleAt = [&](Value block, size_t i) {
    return weights.scale(tile.group, block, tile.columns[i % columns]);
  };
  SmallVector<Value> totals =
      b.loop(b.index(0), b.dim(op.getCodes(), 1), 1, zeros,
             [&](Value block, ValueRange carried) {
               SmallVector<Value> next = blockSums(tile, block, carried);
               if (isChained())
                 return next;
               SmallVector<Value> scales;
               if (!weights.perColumn())
                 for (size_t i = 0; i < columns; ++i)
                   scales.push_back(scaleAt(block, i));
               for (auto [i, sum] : llvm::enumerate(next))
                 sum = weights.perColumn()
                           ? b.add(sum, carried[i])
                           : b.fma(sum, scales[i % columns], carried[i]);
               return next;
             });
  Value n = b.dim(op.getInit(), 1);
  Value first = b.mul(tile.group, b.index(groupWidth));
  auto storeAll = [&](bool whole) {
    for (auto [i, total] : llvm::enumerate(totals)) {
      Value value =
          weights.perColumn() ? b.mul(total, scaleAt(Value(), i)) : total;
      Value column = b.add(first, b.index(tile.columns[i % columns]));
      SmallVector<Value> at = {tile.rows[i / columns], column};
      if (whole)
        b.storeVector(value, op.getInit(), at);
      else
        vector::MaskedStoreOp::create(b, op.getInit(), at,
                                      b.mask(b.sub(n, column), lanes), value);
    }
  };
  Value end = b.add(first, b.index(groupWidth));
  b.when(
      b.compare(arith::CmpIPredicate::sle, end, n), [&] { storeAll(true); },
      [&] { storeAll(false); });
}

void QuantizedGemm::tile(Value group, Value firstRow, int64_t count) {
  Tile tile;
  tile.group = group;
  // Rows past the end repeat the last one: the same values are stored again.
  Value last = b.sub(b.dim(op.getX(), 0), b.index(1));
  for (int64_t i = 0; i < count; ++i)
    tile.rows.push_back(i == 0 ? firstRow
                               : b.minIndex(b.add(firstRow, b.index(i)), last));
  for (int64_t column = 0; column < groupWidth; column += lanes) {
    tile.columns.push_back(column);
    // Several rows fill the registers with one part of the group, one with two.
    if (count > 1 || tile.columns.size() == 2 || column + lanes == groupWidth) {
      emitTile(tile);
      tile.columns.clear();
    }
  }
}

void QuantizedGemm::emit() {
  Value rows = b.dim(op.getX(), 0);
  int64_t step = tileRows();
  b.loop(b.index(0), b.dim(op.getCodes(), 0), 1, [&](Value group) {
    Value left = b.createOrFold<arith::RemUIOp>(rows, b.index(step));
    Value one = b.compare(arith::CmpIPredicate::eq, left, b.index(1));
    // A single row that is left over has a tile of its own.
    Value whole = b.createOrFold<arith::SelectOp>(one, b.sub(rows, left), rows);
    b.loop(b.index(0), whole, step, [&](Value row) { tile(group, row, step); });
    b.when(one, [&] { tile(group, whole, 1); });
  });
}

void ingot::emitQuantizedGemm(KernelBuilder &b, QuantizedLinearOp op,
                              const TargetInfo &target) {
  auto byRegisters = [&] { QuantizedGemm(b, op, target).emit(); };
  if (!QuantizedPanels::canTake(op))
    return byRegisters();
  QuantizedPanels panels(b, op, target);
  b.when(panels.isWorthwhile(), [&] { panels.emit(); }, byRegisters);
}
