//===- PagedAttention.h - the kernel of attention over a cache --*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Dao et al., "FlashAttention" (2022), with the pages of a cache as tiles of
// keys. Keys of a page lie in the lanes, so that few queries still fill
// vectors. A row is one query of one head; rows of all heads that read the same
// keys make a tile. Every step of a row is the same whatever tile it is in.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "CacheKernel.h"

namespace ingot {

/// Bytes of stack that one kernel may take.
inline constexpr int64_t scratchLimit = 64 * 1024;
/// Numbers in a vector.
inline constexpr int64_t laneCount = 16;
/// Vectors of keys in a page.
inline constexpr int64_t keyVectors = cachePagePositions / laneCount;

/// How many rows the kernel takes at a time.
struct RowTiling {
  /// Vector registers, and how many of them 16 numbers take.
  int64_t registers = 16, registersPerVector = 2;
  /// Rows whose state is held over all pages; a multiple of the widest tile.
  int64_t block = 0;
  /// Rows of a register tile, from the widest to the narrowest.
  llvm::SmallVector<int64_t> tiles;
  /// Whether there is only ever a whole number of widest tiles.
  bool isExact = false;

  /// Vectors that `rows` rows may be multiplied with at a time: the sums, the
  /// smaller side and one of the other stay in registers. A sum that does not
  /// would take longer to come back than all others to be added.
  int64_t vectorsAtATime(int64_t rows) const {
    int64_t vectors = 1;
    auto needs = [&](int64_t count) {
      int64_t wide = count * registersPerVector;
      return rows * wide + std::min(rows, wide) + 1;
    };
    while (needs(vectors + 1) < registers)
      ++vectors;
    return vectors;
  }
  /// Vectors of keys whose scores with `rows` rows are computed together.
  int64_t keysAtATime(int64_t rows) const {
    return std::min<int64_t>(llvm::bit_floor(uint64_t(vectorsAtATime(rows))),
                             keyVectors);
  }
  /// The same for vectors of a value: about equal parts of all `vectors`.
  int64_t columnsAtATime(int64_t rows, int64_t vectors) const {
    int64_t most = vectorsAtATime(rows);
    return llvm::divideCeil(vectors, llvm::divideCeil(vectors, most));
  }
  /// Vectors of a result with those that the last part has too many.
  int64_t paddedVectors(int64_t vectors) const {
    int64_t padded = vectors;
    for (int64_t rows : tiles)
      padded = std::max<int64_t>(
          padded, llvm::alignTo(vectors, columnsAtATime(rows, vectors)));
    return padded;
  }
};

/// The larger of two; no maximum instruction here keeps NaN, which comes back
/// through the weights.
mlir::Value largerOf(KernelBuilder &b, mlir::Value a, mlir::Value c);
/// The maximum, or 0 in place of -inf: -inf - -inf would be NaN.
mlir::Value finiteBase(KernelBuilder &b, mlir::Value maximum);

/// What joining a page's maximum with that of the pages before gives: the
/// maximum, and the factors for what was and for what the page adds.
struct JoinedMaximum {
  JoinedMaximum(KernelBuilder &b, mlir::Value page, mlir::Value before);
  mlir::Value maximum, factor, pageFactor;
};

/// Scratch of a kernel, on the stack.
mlir::Value emitScratch(KernelBuilder &b, llvm::ArrayRef<int64_t> shape,
                        mlir::Type element);

/// Loads as f32, or stores rounded to what `memref` holds, vector number
/// `number` of the last dim, of `depth` elements, at `indices`: the last one
/// overlaps the one before rather than reach past the end.
mlir::Value loadColumns(KernelBuilder &b, mlir::Value memref,
                        mlir::ValueRange indices, mlir::Value number,
                        int64_t depth);
void storeColumns(KernelBuilder &b, mlir::Value value, mlir::Value memref,
                  mlir::ValueRange indices, mlir::Value number, int64_t depth);

/// The first page of which a query at position `first` sees a key, and the end
/// of those of which one at `last` does.
std::pair<mlir::Value, mlir::Value> seenPages(KernelBuilder &b,
                                              mlir::Value first,
                                              mlir::Value last, int64_t window);

/// Writes the kernel of one op.
class PagedAttention {
public:
  PagedAttention(KernelBuilder &b, PagedAttentionOp op,
                 const RowTiling &tiling);

  /// Writes the loops over rows of the batch, key heads and queries.
  void emit();

  /// The same for ops of one query a row, page by page: what each of `pages`
  /// pages from number `first` on gives goes to `parts`.
  void emitParts(mlir::Value first, mlir::Value pages, mlir::Value parts);

private:
  /// The first and the end of the keys of a page that a row sees.
  using Range = std::pair<mlir::Value, mlir::Value>;

  void emitBlock(mlir::Value batch, mlir::Value keyHead, mlir::Value firstRow,
                 mlir::Value rows);
  void overTiles(mlir::Value rows,
                 llvm::function_ref<void(mlir::Value, int64_t)> body);
  mlir::Value paddedRows(mlir::Value rows);
  void loadQueries(mlir::Value batch, mlir::Value keyHead, mlir::Value firstRow,
                   mlir::Value rows);
  void tile(CachePageOp page, mlir::Value keyHead, mlir::Value row,
            int64_t tileRows);
  void score(CachePageOp page, mlir::Value keyHead, mlir::Value row,
             int64_t tileRows, Range seen);
  void weigh(mlir::Value row, mlir::Value local);
  void addValues(CachePageOp page, mlir::Value keyHead, mlir::Value row,
                 int64_t tileRows);
  void allocateState();
  void storePart(mlir::Value batch, mlir::Value page, mlir::Value head,
                 mlir::Value row);
  void storeRow(mlir::Value batch, mlir::Value query, mlir::Value head,
                mlir::Value row);
  void storeZeros(mlir::Value batch, mlir::Value query, mlir::Value head);

  llvm::SmallVector<mlir::Value>
  addOuterProduct(int64_t rows, int64_t columns,
                  llvm::function_ref<mlir::Value(int64_t)> left,
                  llvm::function_ref<mlir::Value(int64_t)> right,
                  mlir::ValueRange sums);
  bool isFetchedAhead(int64_t tileRows);
  void prefetch(mlir::Value memref, mlir::Value keyHead, mlir::Value part,
                int64_t parts);
  mlir::Value biasOf(mlir::Value row, mlir::Value key);
  Range seenBy(mlir::Value row);
  mlir::Value isAnySeen(Range seen) {
    return b.compare(mlir::arith::CmpIPredicate::slt, seen.first, seen.second);
  }
  mlir::Value at(mlir::Value row, int64_t step) {
    return b.add(row, b.index(step));
  }
  mlir::Value floorTo(mlir::Value index, int64_t step) {
    return b.mul(b.createOrFold<mlir::arith::DivUIOp>(index, b.index(step)),
                 b.index(step));
  }

  KernelBuilder &b;
  PagedAttentionOp op;
  CacheType cache;
  const RowTiling &tiling;
  int64_t depth, valueDepth, valueVectors;
  mlir::VectorType type;
  mlir::Value zero, one;
  /// Query heads of one key head; position of the op's first query (of a bound
  /// cache, the last key's); position of the page's first key.
  mlir::Value ratio, base, origin;
  /// What the worker most likely reads next: keys of a page, and their head.
  mlir::Value nextKeys, nextHead;
  /// Where pages by themselves put what they give; null if they are joined.
  mlir::Value parts;
  /// By row of a block: scaled queries, positions of the last key that they
  /// see, heads, unfinished results, maxima and sums. By row of a tile: scores,
  /// which become weights, and the factors for what was and for what a page
  /// adds.
  mlir::Value queries, positions, queryHeads, results, maxima, sums;
  mlir::Value weights, factors, pageFactors;
};

} // namespace ingot
