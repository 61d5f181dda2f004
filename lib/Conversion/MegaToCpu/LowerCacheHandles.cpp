//===- LowerCacheHandles.cpp - cache handles to addresses -----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/IngotOps.h"
#include "ingot/Conversion/MegaToCpu/Passes.h"
#include "lib/Conversion/MegaToCpu/AbiAccess.h"

namespace ingot {
#define GEN_PASS_DEF_LOWERCACHEHANDLES
#include "lib/Conversion/MegaToCpu/Passes.h.inc"
} // namespace ingot

using namespace mlir;

namespace {

/// The fields of a handle.
enum Field : int64_t { Table, PagesPerRow, KeyOffset, ValueOffset };

Type handleType(MLIRContext *context) {
  Type ptr = LLVM::LLVMPointerType::get(context);
  Type i64 = IntegerType::get(context, 64);
  return LLVM::LLVMStructType::getLiteral(context, {ptr, i64, i64, i64});
}

/// Arithmetic on handles at one place.
class HandleBuilder {
public:
  HandleBuilder(Operation *op)
      : b(op), loc(op->getLoc()), access(b, loc), i64(b.getI64Type()) {}

  /// The rows from `row` on and the heads from `head` on.
  Value part(Value handle, ingot::CacheType cache, Value row, Value head) {
    Value first = mul(toI64(row), field(handle, PagesPerRow));
    Value table = access.address(field(handle, Table), mul(first, 8));
    Value result = set(handle, table, Table);
    for (auto [offset, bytes] :
         {std::pair(KeyOffset, headBytes(cache, cache.getKeyDepth())),
          std::pair(ValueOffset, headBytes(cache, cache.getValueDepth()))})
      result = set(result, add(field(handle, offset), mul(toI64(head), bytes)),
                   offset);
    return result;
  }

  /// The keys or the values of a page.
  Value memory(Value handle, Value row, Value page, Field offset,
               MemRefType type) {
    Value entry = add(mul(toI64(row), field(handle, PagesPerRow)), toI64(page));
    Value slot = access.address(field(handle, Table), mul(entry, 8));
    Value address = access.pointerAt(slot, 0);
    return access.buffer(access.address(address, field(handle, offset)), type,
                         ValueRange());
  }

private:
  static int64_t headBytes(ingot::CacheType cache, int64_t depth) {
    return ingot::cachePagePositions * depth *
           cache.getType().getIntOrFloatBitWidth() / 8;
  }
  Value field(Value handle, Field field) {
    return LLVM::ExtractValueOp::create(b, loc, handle, field);
  }
  Value set(Value handle, Value value, Field field) {
    return LLVM::InsertValueOp::create(b, loc, handle, value, field);
  }
  Value toI64(Value index) {
    return arith::IndexCastOp::create(b, loc, i64, index);
  }
  Value add(Value lhs, Value rhs) {
    return b.createOrFold<arith::AddIOp>(loc, lhs, rhs);
  }
  Value mul(Value lhs, Value rhs) {
    return b.createOrFold<arith::MulIOp>(loc, lhs, rhs);
  }
  Value mul(Value lhs, int64_t rhs) {
    return mul(lhs, arith::ConstantIntOp::create(b, loc, i64, rhs));
  }

  OpBuilder b;
  Location loc;
  ingot::AbiAccess access;
  Type i64;
};

struct LowerCacheHandlesPass
    : ingot::impl::LowerCacheHandlesBase<LowerCacheHandlesPass> {
  void runOnOperation() override {
    // Types of caches say how large heads are: read them before they go.
    SmallVector<std::pair<Operation *, ingot::CacheType>> ops;
    WalkResult result = getOperation()->walk([&](Operation *op) {
      if (isa<ingot::CacheStoreOp, ingot::PageAttentionOp,
              ingot::PagedAttentionOp>(op)) {
        op->emitOpError("has no kernel and cannot reach its cache");
        return WalkResult::interrupt();
      }
      if (isa<ingot::CachePartOp>(op) || isa<ingot::CachePageOp>(op))
        ops.emplace_back(op,
                         cast<ingot::CacheType>(op->getOperand(0).getType()));
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      return signalPassFailure();
    retype();
    for (auto [op, cache] : ops)
      replace(op, cache);
  }

private:
  static void replace(Operation *op, ingot::CacheType cache) {
    HandleBuilder b(op);
    Value handle = op->getOperand(0);
    Value row = op->getOperand(1), inner = op->getOperand(2);
    if (isa<ingot::CachePartOp>(op)) {
      op->getResult(0).replaceAllUsesWith(b.part(handle, cache, row, inner));
    } else {
      for (OpResult result : op->getResults()) {
        Field offset = result.getResultNumber() == 0 ? KeyOffset : ValueOffset;
        if (!result.use_empty())
          result.replaceAllUsesWith(b.memory(
              handle, row, inner, offset, cast<MemRefType>(result.getType())));
      }
    }
    op->erase();
  }

  /// Gives all handles, and functions that take them, the struct's type.
  void retype() {
    Type handle = handleType(&getContext());
    AttrTypeReplacer replacer;
    replacer.addReplacement(
        [&](ingot::CacheType) -> std::optional<Type> { return handle; });
    replacer.recursivelyReplaceElementsIn(getOperation(), /*replaceAttrs=*/true,
                                          /*replaceLocs=*/false,
                                          /*replaceTypes=*/true);
    // What made handles of structs is done.
    getOperation()->walk([](UnrealizedConversionCastOp cast) {
      if (cast->getOperandTypes() != cast->getResultTypes())
        return;
      cast->replaceAllUsesWith(cast.getInputs());
      cast->erase();
    });
  }
};

} // namespace
