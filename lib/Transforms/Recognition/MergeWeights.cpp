//===- MergeWeights.cpp - make one of weights that hold the same ----------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Matchers.h"
#include "ingot/Analysis/WeightFiles.h"
#include "ingot/Transforms/Recognition.h"

#include "llvm/ADT/Hashing.h"

namespace ingot {
#define GEN_PASS_DEF_MERGEWEIGHTS
#include "lib/Transforms/Recognition/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot;

namespace {

/// How many elements must agree before all are compared.
constexpr int64_t numSamples = 32;

/// The bytes of a weight as a matrix; all in one row unless they can be turned.
struct Contents {
  const char *data;
  int64_t rows, columns, width;
  bool canTurn;

  Contents(StringRef bytes, RankedTensorType type)
      : data(bytes.data()), rows(1), columns(bytes.size()), width(1),
        canTurn(type.getRank() == 2 && isa<FloatType>(type.getElementType()) &&
                type.getElementTypeBitWidth() % 8 == 0) {
    if (!canTurn)
      return;
    rows = type.getDimSize(0);
    columns = type.getDimSize(1);
    width = type.getElementTypeBitWidth() / 8;
  }

  int64_t size() const { return rows * columns * width; }
  StringRef at(int64_t row, int64_t column) const {
    return {data + (row * columns + column) * width,
            static_cast<size_t>(width)};
  }

  /// A few elements, or those in the same places of the transpose.
  llvm::hash_code sample(bool isTurned) const {
    int64_t height = isTurned ? columns : rows;
    int64_t breadth = isTurned ? rows : columns;
    llvm::hash_code hash(0);
    // Steps by large primes meet most rows and columns.
    for (int64_t i = 0; i < numSamples; ++i) {
      int64_t row = i * 7919 % height, column = i * 104729 % breadth;
      hash = llvm::hash_combine(hash,
                                isTurned ? at(column, row) : at(row, column));
    }
    return hash;
  }

  bool equals(const Contents &other) const {
    return size() == other.size() && memcmp(data, other.data, size()) == 0;
  }

  bool isTransposeOf(const Contents &other) const {
    if (rows != other.columns || columns != other.rows || width != other.width)
      return false;
    // In tiles, so that both are read by lines of the cache.
    constexpr int64_t tile = 32;
    for (int64_t top = 0; top < rows; top += tile)
      for (int64_t left = 0; left < columns; left += tile)
        for (int64_t i = top; i < std::min(top + tile, rows); ++i)
          for (int64_t j = left; j < std::min(left + tile, columns); ++j)
            if (at(i, j) != other.at(j, i))
              return false;
    return true;
  }
};

struct MergeWeightsPass : ingot::impl::MergeWeightsBase<MergeWeightsPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    llvm::StringMap<SmallVector<WeightRefOp>> refs;
    module.walk([&](WeightRefOp ref) { refs[ref.getWeight()].push_back(ref); });
    WeightFiles files;
    auto contentsOf = [&](WeightOp weight) -> std::optional<Contents> {
      std::optional<StringRef> bytes = files.bytes(weight);
      if (!bytes || bytes->empty())
        return std::nullopt;
      return Contents(*bytes, cast<RankedTensorType>(weight.getType()));
    };
    // The first weight of a type with such samples. Others are not compared, so
    // that no file can ask for more than one comparison a weight.
    llvm::DenseMap<std::pair<Type, size_t>, WeightOp> firsts;
    for (auto weight : llvm::make_early_inc_range(module.getOps<WeightOp>())) {
      std::optional<Contents> contents = contentsOf(weight);
      if (!contents)
        continue;
      auto type = cast<RankedTensorType>(weight.getType());
      auto [place, isNew] = firsts.try_emplace(
          {type, static_cast<size_t>(contents->sample(false))}, weight);
      if (!isNew) {
        WeightOp other = place->second;
        if (contents->equals(*contentsOf(other)))
          replace(weight, refs[weight.getSymName()], other, false);
        continue;
      }
      if (!contents->canTurn)
        continue;
      auto turned = RankedTensorType::get({contents->columns, contents->rows},
                                          type.getElementType());
      auto found =
          firsts.find({turned, static_cast<size_t>(contents->sample(true))});
      if (found == firsts.end() || found->second == weight)
        continue;
      WeightOp other = found->second;
      if (!contents->isTransposeOf(*contentsOf(other)))
        continue;
      firsts.erase(place);
      replace(weight, refs[weight.getSymName()], other, true);
    }
  }

  /// Reads `other` instead of `weight`, of which it is the transpose or not.
  void replace(WeightOp weight, ArrayRef<WeightRefOp> refs, WeightOp other,
               bool isTurned) {
    for (WeightRefOp ref : refs) {
      OpBuilder builder(ref);
      Value value =
          WeightRefOp::create(builder, ref.getLoc(), other.getType(),
                              FlatSymbolRefAttr::get(other.getSymNameAttr()));
      if (isTurned)
        value = buildTranspose(builder, ref.getLoc(), value, {1, 0});
      ref.replaceAllUsesWith(value);
      ref.erase();
    }
    weight.erase();
  }
};

} // namespace
