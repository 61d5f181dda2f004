//===- LowerQuantized.cpp - products with codes to vector loops -----------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "KernelPass.h"
#include "QuantizedGemm.h"
#include "VectorUtils.h"
#include "ingot/Conversion/TileToVector.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace ingot;

namespace ingot {
#define GEN_PASS_DEF_LOWERQUANTIZED
#include "lib/Conversion/TileToVector/TileToVector.h.inc"
} // namespace ingot

/// Values that are quantized at once.
static constexpr int64_t lanes = 16;

namespace {

/// Emits the quantization of one op's rows.
class RowQuantizer {
public:
  RowQuantizer(KernelBuilder &b, QuantizeRowsOp op)
      : b(b), op(op), bits(op.getActivationBits()),
        type(VectorType::get(lanes, b.getF32Type())) {}

  void emit();

private:
  /// Quantizes one block, which begins at column `first` of row `row` of
  /// `from`.
  void emitBlock(Value row, Value block, Value from, ArrayRef<Value> first);
  /// Codes in the order in which the product takes them, as words.
  Value wordsOf(Value codes, int64_t width);
  void storeWord(Value number, Value row, Value block, int64_t fromEnd);

  KernelBuilder &b;
  QuantizeRowsOp op;
  int64_t bits;
  VectorType type;
};

} // namespace

Value RowQuantizer::wordsOf(Value codes, int64_t width) {
  auto words = VectorType::get(lanes * width / 32, b.getI32Type());
  if (width < 32) {
    auto narrow = VectorType::get(lanes, b.getIntegerType(width));
    codes = arith::TruncIOp::create(b, narrow, codes);
  }
  if (width == 8) {
    int64_t weightBits = op.getWeightBits(), period = 32 / weightBits;
    SmallVector<int64_t> order;
    for (int64_t i = 0; i < lanes; ++i) {
      int64_t word = i % period / 4, byte = i % 4;
      order.push_back(i / period * period +
                      2 * (word + byte % 2 * 8 / weightBits) + byte / 2);
    }
    codes = vector::ShuffleOp::create(b, codes, codes, order);
  }
  return vector::BitCastOp::create(b, words, codes);
}

void RowQuantizer::storeWord(Value number, Value row, Value block,
                             int64_t fromEnd) {
  Value word = arith::BitcastOp::create(b, b.getI32Type(), number);
  int64_t last = op.getBlock() * bits / 32 + 2;
  b.store(word, op.getInit(), {row, block, b.index(last - fromEnd)});
}

void RowQuantizer::emitBlock(Value row, Value block, Value from,
                             ArrayRef<Value> first) {
  int64_t pieces = op.getBlock() / lanes;
  Type f32 = b.getF32Type();
  auto load = [&](int64_t piece) {
    SmallVector<Value> at(first);
    at.back() = b.add(at.back(), b.index(piece * lanes));
    return b.loadVector(type, from, at);
  };
  auto store = [&](Value codes, int64_t piece, int64_t width, int64_t before) {
    b.storeVector(wordsOf(codes, width), op.getInit(),
                  {row, block, b.index(before + piece * lanes * width / 32)});
  };
  if (bits == 32) {
    for (int64_t piece = 0; piece < pieces; ++piece)
      store(load(piece), piece, 32, 0);
    storeWord(b.splat(f32, 1.0), row, block, 2);
    storeWord(b.splat(f32, 0.0), row, block, 1);
    return;
  }
  int64_t width = std::min<int64_t>(bits, 16);
  double top = (1 << (width - 1)) - 1;
  Value largest;
  for (int64_t piece = 0; piece < pieces; ++piece) {
    Value size = math::AbsFOp::create(b, load(piece));
    // This keeps NaN.
    largest = largest ? arith::MaximumFOp::create(b, largest, size) : size;
  }
  largest = foldLanes(b, b.getLoc(), largest, [&](Value low, Value high) {
    return arith::MaximumFOp::create(b, low, high);
  });
  Value scale = b.div(largest, b.splat(f32, top));
  Value isZero = b.compare(arith::CmpFPredicate::OEQ, scale, b.splat(f32, 0.0));
  Value divisor =
      b.broadcast(b.select(isZero, b.splat(f32, 1.0), scale), lanes);
  auto integers = VectorType::get(lanes, b.getI32Type());
  auto clamp = [&](Value value, double limit) -> Value {
    // Of a NaN these make a number, which can be converted.
    value = arith::MaxNumFOp::create(b, value, b.splat(type, -limit));
    return arith::MinNumFOp::create(b, value, b.splat(type, limit));
  };
  auto total = [&](Value sums) -> Value {
    Value sum = foldLanes(b, b.getLoc(), sums, [&](Value low, Value high) {
      return b.add(low, high);
    });
    return arith::SIToFPOp::create(b, f32, sum);
  };
  Value sums, restSums;
  for (int64_t piece = 0; piece < pieces; ++piece) {
    Value scaled = b.div(load(piece), divisor);
    Value rounded = clamp(math::RoundEvenOp::create(b, scaled), top);
    Value code = arith::FPToSIOp::create(b, integers, rounded);
    sums = sums ? b.add(sums, code) : code;
    store(code, piece, width, 0);
    if (bits != 24)
      continue;
    Value rest = b.mul(b.sub(scaled, rounded), b.splat(type, 256.0));
    rest = clamp(math::RoundEvenOp::create(b, rest), 127.0);
    rest = arith::FPToSIOp::create(b, integers, rest);
    restSums = restSums ? b.add(restSums, rest) : rest;
    store(rest, piece, 8, op.getBlock() / 2);
  }
  Value sum = total(sums);
  if (restSums)
    sum = b.fma(total(restSums), b.splat(f32, 1.0 / 256), sum);
  storeWord(scale, row, block, 2);
  storeWord(sum, row, block, 1);
}

void RowQuantizer::emit() {
  int64_t size = op.getBlock();
  Value x = op.getX(), extent = b.dim(x, 1), zero = b.index(0);
  Value whole = b.createOrFold<arith::DivUIOp>(extent, b.index(size));
  if (!isLastDimContiguous(x))
    whole = zero;
  Value scratch;
  bool never =
      getConstantIntValue(whole) &&
      getConstantIntValue(extent) == *getConstantIntValue(whole) * size;
  if (!never)
    scratch =
        memref::AllocaOp::create(b, MemRefType::get({size}, b.getF32Type()));
  b.loop(zero, b.dim(x, 0), 1, [&](Value row) {
    b.loop(zero, whole, 1, [&](Value block) {
      emitBlock(row, block, x, {row, b.mul(block, b.index(size))});
    });
    if (never)
      return;
    // What vectors cannot read in place is copied, with zeros past the end.
    b.loop(whole, b.dim(op.getInit(), 1), 1, [&](Value block) {
      Value first = b.mul(block, b.index(size));
      Value left = b.minIndex(b.sub(extent, first), b.index(size));
      b.loop(zero, left, 1, [&](Value i) {
        b.store(b.load(x, {row, b.add(first, i)}), scratch, i);
      });
      b.loop(left, b.index(size), 1, [&](Value i) {
        b.store(b.splat(b.getF32Type(), 0.0), scratch, i);
      });
      emitBlock(row, block, scratch, zero);
    });
  });
}

namespace {
struct LowerQuantized : public ingot::impl::LowerQuantizedBase<LowerQuantized> {
  using LowerQuantizedBase::LowerQuantizedBase;

  void runOnOperation() override {
    auto emit = [](Operation *op, const TargetInfo &info) {
      KernelBuilder b(op->getLoc(), op);
      if (auto rows = dyn_cast<QuantizeRowsOp>(op))
        RowQuantizer(b, rows).emit();
      else
        emitQuantizedGemm(b, cast<QuantizedLinearOp>(op), info);
      return success();
    };
    if (failed(lowerToKernels(getOperation(), target,
                              llvm::IsaPred<QuantizeRowsOp, QuantizedLinearOp>,
                              emit)))
      signalPassFailure();
  }
};
} // namespace
