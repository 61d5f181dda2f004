//===- EmitPrefetch.cpp - memory fetched before it is read ----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Conversion/MegaToCpu/EmitPrefetch.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace ingot::mega;

/// What one instruction fetches.
static constexpr int64_t lineBytes = 64;
/// Of LLVM's prefetch: to be read, into the second-level cache, as data.
static constexpr int32_t isForRead = 0, locality = 2, isData = 1;

/// Bytes of `view` from its beginning on that follow each other.
static Value bytesInRow(OpBuilder &b, Location loc, Value view) {
  auto type = cast<MemRefType>(view.getType());
  auto [strides, offset] = type.getStridesAndOffset();
  int64_t row = llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  int64_t step = 1;
  Value bytes;
  for (int64_t dim = type.getRank() - 1; dim >= 0; --dim) {
    if (strides[dim] != step)
      break;
    int64_t size = type.getDimSize(dim);
    if (ShapedType::isDynamic(size)) {
      // Behind it strides are not known.
      bytes = memref::DimOp::create(b, loc, view, dim);
      break;
    }
    row *= size;
    step *= size;
  }
  Value factor = arith::ConstantIndexOp::create(b, loc, row);
  return bytes ? b.createOrFold<arith::MulIOp>(loc, bytes, factor) : factor;
}

/// Fetches up to `most` bytes of `view`.
static void emitFetch(OpBuilder &b, Location loc, Value view, int64_t most) {
  auto type = cast<MemRefType>(view.getType());
  auto index = [&](int64_t number) -> Value {
    return arith::ConstantIndexOp::create(b, loc, number);
  };
  auto parts = memref::ExtractStridedMetadataOp::create(b, loc, view);
  Value base = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, view);
  Value offset = b.createOrFold<arith::MulIOp>(
      loc, parts.getOffset(),
      index(llvm::divideCeil(type.getElementTypeBitWidth(), 8)));
  Value start = arith::AddIOp::create(b, loc, base, offset);
  Value bytes = b.createOrFold<arith::MinUIOp>(loc, bytesInRow(b, loc, view),
                                               index(most));
  auto loop = scf::ForOp::create(b, loc, index(0), bytes, index(lineBytes));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value at = arith::AddIOp::create(b, loc, start, loop.getInductionVar());
  Value number = arith::IndexCastOp::create(b, loc, b.getI64Type(), at);
  Value address = LLVM::IntToPtrOp::create(
      b, loc, LLVM::LLVMPointerType::get(b.getContext()), number);
  LLVM::Prefetch::create(b, loc, address, isForRead, locality, isData);
}

void ingot::emitFetches(PrefetchOp prefetch) {
  prefetch.walk([](FetchOp fetch) {
    OpBuilder b(fetch);
    emitFetch(b, fetch.getLoc(), fetch.getSource(), int64_t(fetch.getBytes()));
    fetch.erase();
  });
}
