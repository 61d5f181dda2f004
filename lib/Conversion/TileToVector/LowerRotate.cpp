//===- LowerRotate.cpp - rotary embedding to generics ---------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "KernelBuilder.h"
#include "dialects/Ingot/IR/IngotOps.h"
#include "ingot/Conversion/TileToVector.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace ingot;

namespace ingot {
#define GEN_PASS_DEF_LOWERROTATE
#include "lib/Conversion/TileToVector/TileToVector.h.inc"
} // namespace ingot

namespace {

/// Writes the loops of one op.
class Rotation {
public:
  explicit Rotation(RotateOp op)
      : b(op.getLoc(), op), op(op),
        rank(cast<MemRefType>(op.getInit().getType()).getRank()) {}

  void emit() {
    Value pairs = b.dim(op.getCos(), rank - 1), x = op.getX(),
          init = op.getInit(), zero = b.index(0);
    bool isWoven = op.getInterleaved();
    int64_t step = isWoven ? 2 : 1;
    Value second = isWoven ? b.index(1) : pairs;
    Value first = features(x, zero, pairs, step),
          other = features(x, second, pairs, step);
    // From a pair and its factors: one is subtracted or added.
    combine(first, op.getCos(), other, op.getSin(),
            features(init, zero, pairs, step), /*adds=*/false);
    combine(first, op.getSin(), other, op.getCos(),
            features(init, second, pairs, step), /*adds=*/true);
    Value turned = b.mul(pairs, b.index(2));
    Value rest = b.sub(b.dim(init, rank - 1), turned);
    if (!isConstantIntValue(rest, 0))
      copy(features(x, turned, rest, 1), features(init, turned, rest, 1));
  }

private:
  /// Every `step`-th feature from `first` on.
  Value features(Value from, Value first, Value count, int64_t step) {
    SmallVector<OpFoldResult> offsets(rank, b.getIndexAttr(0)), sizes,
        strides(rank, b.getIndexAttr(1));
    for (int64_t dim = 0; dim < rank; ++dim)
      sizes.push_back(getAsOpFoldResult(b.dim(from, dim)));
    offsets.back() = getAsOpFoldResult(first);
    sizes.back() = getAsOpFoldResult(count);
    strides.back() = b.getIndexAttr(step);
    return memref::SubViewOp::create(b, from, offsets, sizes, strides);
  }

  /// Which element of a memref a point reads: dims of extent one repeat.
  AffineMap mapOf(Value from) {
    auto type = cast<MemRefType>(from.getType());
    SmallVector<AffineExpr> exprs;
    for (int64_t dim = 0; dim < rank; ++dim)
      exprs.push_back(dim + 1 < rank && type.getDimSize(dim) == 1
                          ? b.getAffineConstantExpr(0)
                          : b.getAffineDimExpr(dim));
    return AffineMap::get(rank, 0, exprs, b.getContext());
  }

  void generic(ValueRange inputs, Value output,
               function_ref<Value(OpBuilder &, ValueRange)> body) {
    SmallVector<AffineMap> maps =
        llvm::map_to_vector(inputs, [&](Value input) { return mapOf(input); });
    maps.push_back(b.getMultiDimIdentityMap(rank));
    SmallVector<utils::IteratorType> loops(rank, utils::IteratorType::parallel);
    linalg::GenericOp::create(
        b, inputs, output, maps, loops,
        [&](OpBuilder &builder, Location loc, ValueRange in) {
          linalg::YieldOp::create(builder, loc, body(builder, in));
        });
  }

  void combine(Value a, Value factorA, Value c, Value factorC, Value output,
               bool adds) {
    generic({a, factorA, c, factorC}, output,
            [&](OpBuilder &builder, ValueRange in) -> Value {
              Location loc = op.getLoc();
              Value u = arith::MulFOp::create(builder, loc, in[0], in[1]);
              Value v = arith::MulFOp::create(builder, loc, in[2], in[3]);
              if (adds)
                return arith::AddFOp::create(builder, loc, u, v);
              return arith::SubFOp::create(builder, loc, u, v);
            });
  }

  void copy(Value from, Value to) {
    generic(from, to, [](OpBuilder &, ValueRange in) { return in[0]; });
  }

  KernelBuilder b;
  RotateOp op;
  int64_t rank;
};

struct LowerRotate : public ingot::impl::LowerRotateBase<LowerRotate> {
  void runOnOperation() override {
    SmallVector<RotateOp> ops;
    getOperation()->walk([&](RotateOp op) {
      if (op.getNumResults() == 0)
        ops.push_back(op);
    });
    for (RotateOp op : ops) {
      Rotation(op).emit();
      op.erase();
    }
  }
};

} // namespace
