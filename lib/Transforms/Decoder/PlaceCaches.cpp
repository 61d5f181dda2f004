//===- PlaceCaches.cpp - groups of caches and places in their pages -------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/IngotOps.h"
#include "ingot/Transforms/Decoder.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/Support/MathExtras.h"

namespace ingot {
#define GEN_PASS_DEF_PLACECACHES
#include "lib/Transforms/Decoder/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot;

namespace {

constexpr int64_t alignment = 64;
/// No page is this large: offsets in a page stay far from overflow.
constexpr int64_t maxPageBytes = int64_t(1) << 40;

/// Bytes of `heads` x 128 x `depth` elements, or nothing if too many.
std::optional<int64_t> pageBytes(CacheType cache, int64_t depth) {
  int64_t bytes =
      cachePagePositions * cache.getType().getIntOrFloatBitWidth() / 8;
  if (llvm::MulOverflow(bytes, cache.getHeads(), bytes) ||
      llvm::MulOverflow(bytes, depth, bytes) || bytes > maxPageBytes)
    return std::nullopt;
  return llvm::alignTo(bytes, alignment);
}

/// Bytes of a page of each group, by window and whether it is bound, in the
/// order of first use.
using Groups = llvm::MapVector<std::pair<int64_t, int64_t>, int64_t>;

struct PlaceCachesPass : ingot::impl::PlaceCachesBase<PlaceCachesPass> {
  void runOnOperation() override {
    Groups groups;
    SmallVector<Type> shared;
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      SmallVector<Type> caches = llvm::to_vector(llvm::make_filter_range(
          func.getArgumentTypes(), llvm::IsaPred<CacheType>));
      if (caches.empty())
        continue;
      if (!shared.empty() && caches != shared) {
        func.emitError("has other caches than the functions before it");
        return signalPassFailure();
      }
      shared = caches;
      groups.clear();
      if (failed(place(func, groups)))
        return signalPassFailure();
    }
    if (groups.empty())
      return;
    Builder b(&getContext());
    SmallVector<Attribute> described;
    for (auto [kind, bytes] : groups) {
      auto [window, isBound] = kind;
      NamedAttrList group;
      group.set("page_bytes", b.getI64IntegerAttr(bytes));
      group.set("window", b.getI64IntegerAttr(window));
      if (isBound)
        group.set("bound", b.getUnitAttr());
      described.push_back(group.getDictionary(&getContext()));
    }
    getOperation()->setAttr(cacheGroupsAttrName, b.getArrayAttr(described));
  }

  static LogicalResult place(func::FuncOp func, Groups &groups) {
    Builder b(func.getContext());
    for (auto [i, type] : llvm::enumerate(func.getArgumentTypes())) {
      auto cache = dyn_cast<CacheType>(type);
      if (!cache)
        continue;
      std::optional<int64_t> keys = pageBytes(cache, cache.getKeyDepth()),
                             values = pageBytes(cache, cache.getValueDepth());
      auto [group, isNew] =
          groups.insert({{cache.getWindow(), cache.getBound() ? 1 : 0}, 0});
      if (!keys || !values || group->second + *keys + *values > maxPageBytes)
        return func.emitError("the caches of argument ")
               << i << " and before it are too large for a page";
      func.setArgAttr(i, "ingot.role", b.getStringAttr("cache"));
      func.setArgAttr(i, cacheGroupAttrName,
                      b.getI64IntegerAttr(group - groups.begin()));
      func.setArgAttr(i, keyOffsetAttrName, b.getI64IntegerAttr(group->second));
      func.setArgAttr(i, valueOffsetAttrName,
                      b.getI64IntegerAttr(group->second + *keys));
      group->second += *keys + *values;
    }
    return success();
  }
};

} // namespace
