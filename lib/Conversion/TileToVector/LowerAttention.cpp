//===- LowerAttention.cpp - attention to loops over vectors ---------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "AttentionKernel.h"
#include "FloatMath.h"
#include "KernelPass.h"
#include "ingot/Conversion/TileToVector.h"

using namespace mlir;
using namespace ingot;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

namespace ingot {
#define GEN_PASS_DEF_LOWERATTENTION
#include "lib/Conversion/TileToVector/TileToVector.h.inc"
} // namespace ingot

AttentionShape::AttentionShape(KernelBuilder &b, AttentionOp op) : op(op) {
  batches = b.dim(op.getInit(), 0);
  queries = b.dim(op.getInit(), 1);
  heads = b.dim(op.getInit(), 2);
  valueDepth = b.dim(op.getInit(), 3);
  keys = b.dim(op.getK(), 1);
  depth = b.dim(op.getK(), 3);
  sharedOffset = op.getQueryOffset() ? op.getQueryOffset()
                 : op.getPast()      ? b.index(0)
                                     : b.sub(keys, queries);
  offset = sharedOffset;
}

void AttentionShape::beginRow(KernelBuilder &b, Value batch) {
  if (!op.getPast())
    return;
  Value past = arith::IndexCastOp::create(b, b.getIndexType(),
                                          b.load(op.getPast(), batch));
  offset = b.add(sharedOffset, past);
}

Value AttentionShape::keyHead(KernelBuilder &b, Value head) const {
  Value group = b.createOrFold<arith::DivUIOp>(heads, b.dim(op.getK(), 2));
  // A tile of few query heads may have fewer than one group has.
  group = b.maxIndex(group, b.index(1));
  return b.createOrFold<arith::DivUIOp>(head, group);
}

std::pair<Value, Value> AttentionShape::visibleKeys(KernelBuilder &b,
                                                    Value first, Value last,
                                                    int64_t tile) const {
  Value begin = b.index(0), end = keys;
  if (op.getCausal()) {
    Value reach = b.add(b.add(last, offset), b.index(1));
    end = b.minIndex(keys, b.maxIndex(reach, b.index(0)));
  }
  if (op.getWindow() > 0) {
    Value reach = b.sub(b.add(first, offset), b.index(op.getWindow() - 1));
    reach = b.maxIndex(reach, b.index(0));
    // Tiles lie at the same keys for all queries: the order of the sums does
    // not depend on how queries are cut.
    begin = b.mul(b.createOrFold<arith::DivUIOp>(reach, b.index(tile)),
                  b.index(tile));
  }
  return {begin, end};
}

/// The index into a dim that is either full or one.
static Value broadcastIndex(KernelBuilder &b, Value memref, int64_t dim,
                            Value index) {
  return b.minIndex(index, b.sub(b.dim(memref, dim), b.index(1)));
}

Value AttentionShape::biasAt(KernelBuilder &b, Value batch, Value head,
                             Value query, Value key, Type type) const {
  Value bias = op.getBias();
  SmallVector<Value> at = {broadcastIndex(b, bias, 0, batch),
                           broadcastIndex(b, bias, 1, head), Value(),
                           broadcastIndex(b, bias, 3, key)};
  Type element = getElementTypeOrSelf(type);
  auto load = [&](Value row) -> Value {
    at[2] = broadcastIndex(b, bias, 2, row);
    Value value = b.load(bias, at);
    if (value.getType() == element)
      return value;
    return arith::ExtFOp::create(b, element, value);
  };
  auto vector = dyn_cast<VectorType>(type);
  if (!vector)
    return load(query);
  if (cast<MemRefType>(bias.getType()).getDimSize(2) == 1)
    return vector::BroadcastOp::create(b, vector, load(b.index(0)));
  SmallVector<Value> lanes;
  for (int64_t i = 0; i < vector.getNumElements(); ++i)
    lanes.push_back(load(b.add(query, b.index(i))));
  return vector::FromElementsOp::create(b, vector, lanes);
}

Value AttentionShape::finish(KernelBuilder &b, Value score, Value batch,
                             Value head, Value query, Value key) const {
  Type type = score.getType();
  auto vector = dyn_cast<VectorType>(type);
  double cap = op.getSoftcap().convertToDouble();
  if (cap > 0) {
    Value ratio = b.mul(score, b.splat(type, 1.0 / cap));
    score = b.mul(emitTanh(b, ratio), b.splat(type, cap));
  }
  if (op.getBias())
    score = b.add(score, biasAt(b, batch, head, query, key, type));

  Value hidden = b.splat(type, -std::numeric_limits<double>::infinity());
  auto keep = [&](Value condition) {
    if (vector && !isa<VectorType>(condition.getType()))
      condition = b.broadcast(condition, vector.getNumElements());
    score = b.select(condition, score, hidden);
  };
  if (Value mask = op.getKeyMask()) {
    Value value = b.load(mask, {broadcastIndex(b, mask, 0, batch),
                                broadcastIndex(b, mask, 1, key)});
    keep(b.compare(CmpIPredicate::ne, value, b.splatInt(value.getType(), 0)));
  }
  if (!op.getCausal() && op.getWindow() == 0)
    return score;

  Type integer = withElement(type, b.getI32Type());
  auto narrow = [&](Value index) -> Value {
    Value value = arith::IndexCastOp::create(b, b.getI32Type(), index);
    return b.broadcast(value, vector ? vector.getNumElements() : 0);
  };
  Value position = narrow(b.add(query, offset));
  if (vector) {
    auto steps =
        llvm::to_vector(llvm::seq<int32_t>(0, vector.getNumElements()));
    position = b.add(position,
                     arith::ConstantOp::create(b, b.getI32VectorAttr(steps)));
  }
  Value at = narrow(key);
  if (op.getCausal())
    keep(b.compare(CmpIPredicate::sle, at, position));
  if (op.getWindow() > 0)
    keep(b.compare(CmpIPredicate::sgt,
                   b.add(at, b.splatInt(integer, op.getWindow())), position));
  return score;
}

void ingot::emitPlainAttention(KernelBuilder &b, AttentionShape &shape) {
  AttentionOp op = shape.op;
  Type stored = getElementTypeOrSelf(op.getInit().getType());
  Type type = stored.isF64() ? stored : Type(b.getF32Type());
  auto wide = [&](Value value) -> Value {
    if (value.getType() == type)
      return value;
    return arith::ExtFOp::create(b, type, value);
  };
  // Values are summed in pieces of this many columns.
  constexpr int64_t piece = 64;
  Value sums = memref::AllocaOp::create(b, MemRefType::get({piece}, type));
  Value zero = b.splat(type, 0.0);
  Value lowest = b.splat(type, -std::numeric_limits<double>::infinity());
  Value zeroIndex = b.index(0);

  auto row = [&](Value batch, Value query, Value head) {
    Value keyHead = shape.keyHead(b, head);
    auto [begin, end] = shape.visibleKeys(b, query, query, 1);
    auto scoreOf = [&](Value key) {
      Value product =
          b.loop(zeroIndex, shape.depth, 1, zero,
                 [&](Value d, ValueRange sum) -> SmallVector<Value> {
                   Value q = wide(b.load(op.getQ(), {batch, query, head, d}));
                   Value k = wide(b.load(op.getK(), {batch, key, keyHead, d}));
                   return {b.fma(q, k, sum[0])};
                 })
              .front();
      Value scale = b.splat(type, op.getScale().convertToDouble());
      return shape.finish(b, b.mul(product, scale), batch, head, query, key);
    };
    Value most =
        b.loop(begin, end, 1, lowest,
               [&](Value key, ValueRange max) -> SmallVector<Value> {
                 Value score = scoreOf(key);
                 return {b.select(b.compare(CmpFPredicate::OGT, score, max[0]),
                                  score, max[0])};
               })
            .front();
    // Nothing is visible: any finite number will do.
    most = b.select(b.compare(CmpFPredicate::OEQ, most, lowest), zero, most);

    b.loop(zeroIndex, shape.valueDepth, piece, [&](Value first) {
      Value count = b.minIndex(b.sub(shape.valueDepth, first), b.index(piece));
      b.loop(zeroIndex, count, 1, [&](Value d) { b.store(zero, sums, d); });
      auto addKey = [&](Value key, Value weight) {
        b.loop(zeroIndex, count, 1, [&](Value d) {
          Value v =
              wide(b.load(op.getV(), {batch, key, keyHead, b.add(first, d)}));
          b.store(b.fma(weight, v, b.load(sums, d)), sums, d);
        });
      };
      Value total =
          b.loop(begin, end, 1, zero,
                 [&](Value key, ValueRange sum) -> SmallVector<Value> {
                   Value weight = emitExp(b, b.sub(scoreOf(key), most));
                   addKey(key, weight);
                   return {b.add(sum[0], weight)};
                 })
              .front();
      Value dead = b.compare(CmpFPredicate::OEQ, total, zero);
      Value divisor = total;
      if (op.getDeadRow() == DeadRow::Uniform) {
        Value one = b.splat(type, 1.0);
        b.when(dead, [&] {
          b.loop(zeroIndex, shape.keys, 1,
                 [&](Value key) { addKey(key, one); });
        });
        Value all = arith::UIToFPOp::create(
            b, type,
            arith::IndexCastOp::create(b, b.getI64Type(),
                                       b.maxIndex(shape.keys, b.index(1))));
        divisor = b.select(dead, all, total);
      } else {
        // Without keys there is nothing that could be hidden.
        Value harmless = dead;
        if (op.getDeadRow() == DeadRow::NaN)
          harmless = b.compare(CmpIPredicate::eq, shape.keys, zeroIndex);
        divisor = b.select(harmless, b.splat(type, 1.0), total);
      }
      b.loop(zeroIndex, count, 1, [&](Value d) {
        Value result = b.div(b.load(sums, d), divisor);
        if (type != stored)
          result = arith::TruncFOp::create(b, stored, result);
        b.store(result, op.getInit(), {batch, query, head, b.add(first, d)});
      });
    });
  };
  b.loop(zeroIndex, shape.batches, 1, [&](Value batch) {
    shape.beginRow(b, batch);
    b.loop(zeroIndex, shape.heads, 1, [&](Value head) {
      b.loop(zeroIndex, shape.queries, 1,
             [&](Value query) { row(batch, query, head); });
    });
  });
}

namespace {
struct LowerAttention : public ingot::impl::LowerAttentionBase<LowerAttention> {
  using LowerAttentionBase::LowerAttentionBase;

  void runOnOperation() override {
    auto emit = [](Operation *op, const TargetInfo &info) {
      KernelBuilder b(op->getLoc(), op);
      // Scratch lives only as long as the op runs.
      auto scope = memref::AllocaScopeOp::create(b, TypeRange());
      b.createBlock(&scope.getBodyRegion());
      AttentionShape shape(b, cast<AttentionOp>(op));
      if (!emitTiledAttention(b, shape, info))
        emitPlainAttention(b, shape);
      memref::AllocaScopeReturnOp::create(b, ValueRange());
      return success();
    };
    if (failed(lowerToKernels(getOperation(), target,
                              llvm::IsaPred<AttentionOp>, emit)))
      signalPassFailure();
  }
};
} // namespace
