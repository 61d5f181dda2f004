//===- LowerNorms.cpp - softmax and norms to vector loops -----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "FloatMath.h"
#include "VectorUtils.h"
#include "dialects/Ingot/IR/IngotOps.h"
#include "ingot/Conversion/TileToVector.h"

using namespace mlir;
using namespace ingot;
using arith::CmpFPredicate;

namespace ingot {
#define GEN_PASS_DEF_LOWERNORMS
#include "lib/Conversion/TileToVector/TileToVector.h.inc"
} // namespace ingot

namespace {
/// A line of elements along one dim of a memref.
struct Line {
  Value memref;
  SmallVector<Value> at;
  int64_t dim;
};

/// Walks lines in vectors, or in single elements where types or layouts ask
/// for it. Values are of `type`, whatever is stored.
class LineWalker {
public:
  LineWalker(KernelBuilder &b, Value extent, int64_t lanes, Type element)
      : b(b), extent(extent), lanes(lanes), element(element),
        type(lanes == 0 ? element : Type(VectorType::get(lanes, element))) {}

  /// Calls `step` for each piece with its accumulator, which starts as `start`
  /// and is kept in the lanes past the end.
  Value fold(Value start,
             function_ref<Value(Value column, Value mask, Value sum)> step);
  /// Calls `step` for each piece.
  void each(function_ref<void(Value column, Value mask)> step);

  Value load(const Line &line, Value column, Value mask);
  void store(Value value, const Line &line, Value column, Value mask);
  /// The lanes' sum.
  Value total(Value sums);
  Value most(Value values);
  Value maximum(Value a, Value c) {
    return b.select(b.compare(CmpFPredicate::OGT, a, c), a, c);
  }
  Value spread(Value scalar) { return b.broadcast(scalar, lanes); }
  Type getType() const { return type; }
  Type getElement() const { return element; }
  /// The extent as a float.
  Value count();

private:
  KernelBuilder &b;
  Value extent;
  int64_t lanes;
  Type element, type;
};
} // namespace

Value LineWalker::fold(Value start,
                       function_ref<Value(Value, Value, Value)> step) {
  Value zero = b.index(0);
  auto plain = [&](Value column, ValueRange carried) -> SmallVector<Value> {
    return {step(column, Value(), carried[0])};
  };
  if (lanes == 0)
    return b.loop(zero, extent, 1, start, plain).front();
  Value full;
  if (auto known = getConstantIntValue(extent))
    full = b.index(*known / lanes * lanes);
  else
    full = arith::AndIOp::create(b, extent, b.index(-lanes));
  Value whole = b.loop(zero, full, lanes, start, plain).front();
  return b
      .loop(full, extent, lanes, whole,
            [&](Value column, ValueRange carried) -> SmallVector<Value> {
              Value mask = b.mask(b.sub(extent, column), lanes);
              Value next = step(column, mask, carried[0]);
              return {b.select(mask, next, carried[0])};
            })
      .front();
}

void LineWalker::each(function_ref<void(Value, Value)> step) {
  Value zero = b.index(0);
  if (lanes == 0)
    return b.loop(zero, extent, 1, [&](Value at) { step(at, Value()); });
  Value full;
  if (auto known = getConstantIntValue(extent))
    full = b.index(*known / lanes * lanes);
  else
    full = arith::AndIOp::create(b, extent, b.index(-lanes));
  b.loop(zero, full, lanes, [&](Value at) { step(at, Value()); });
  b.loop(full, extent, lanes,
         [&](Value at) { step(at, b.mask(b.sub(extent, at), lanes)); });
}

Value LineWalker::load(const Line &line, Value column, Value mask) {
  SmallVector<Value> at = line.at;
  at[line.dim] = column;
  if (lanes == 0) {
    Value value = b.load(line.memref, at);
    if (value.getType() == element)
      return value;
    return arith::ExtFOp::create(b, element, value);
  }
  auto vector = cast<VectorType>(type);
  if (!mask)
    return b.loadVector(vector, line.memref, at);
  return vector::MaskedLoadOp::create(b, vector, line.memref, at, mask,
                                      b.splat(type, 0.0));
}

void LineWalker::store(Value value, const Line &line, Value column,
                       Value mask) {
  SmallVector<Value> at = line.at;
  at[line.dim] = column;
  Type stored = getElementTypeOrSelf(line.memref.getType());
  if (lanes == 0) {
    if (stored != element)
      value = arith::TruncFOp::create(b, stored, value);
    b.store(value, line.memref, at);
  } else if (mask) {
    vector::MaskedStoreOp::create(b, line.memref, at, mask, value);
  } else {
    b.storeVector(value, line.memref, at);
  }
}

Value LineWalker::total(Value sums) {
  if (lanes == 0)
    return sums;
  return foldLanes(b, b.getLoc(), sums,
                   [&](Value low, Value high) { return b.add(low, high); });
}

Value LineWalker::most(Value values) {
  if (lanes == 0)
    return values;
  return foldLanes(b, b.getLoc(), values,
                   [&](Value low, Value high) { return maximum(low, high); });
}

Value LineWalker::count() {
  return arith::UIToFPOp::create(
      b, element, arith::IndexCastOp::create(b, b.getI64Type(), extent));
}

static void softmaxLine(KernelBuilder &b, SoftmaxOp op, LineWalker &walker,
                        const Line &in, const Line &out) {
  Type type = walker.getType();
  double lowest = -std::numeric_limits<double>::infinity();
  Value lanes =
      walker.fold(b.splat(type, lowest), [&](Value at, Value mask, Value max) {
        return walker.maximum(walker.load(in, at, mask), max);
      });
  Value most = walker.spread(walker.most(lanes));
  auto power = [&](Value x) {
    return walker.getElement().isF32() ? emitExpNonPositive(b, x)
                                       : emitExp(b, x);
  };
  Value sums =
      walker.fold(b.splat(type, 0.0), [&](Value at, Value mask, Value sum) {
        Value weight = power(b.sub(walker.load(in, at, mask), most));
        if (!op.getLog())
          walker.store(weight, out, at, mask);
        return b.add(sum, weight);
      });
  Value total = walker.total(sums);
  if (op.getLog()) {
    Value logarithm = walker.spread(emitLog(b, total));
    walker.each([&](Value at, Value mask) {
      Value shifted = b.sub(walker.load(in, at, mask), most);
      walker.store(b.sub(shifted, logarithm), out, at, mask);
    });
    return;
  }
  Value one = b.splat(walker.getElement(), 1.0);
  Value inverse = walker.spread(b.div(one, total));
  walker.each([&](Value at, Value mask) {
    walker.store(b.mul(walker.load(out, at, mask), inverse), out, at, mask);
  });
}

/// (x - mean) / sqrt(variance + epsilon) * gamma + beta; without the mean for
/// rms_norm.
static void normLine(KernelBuilder &b, bool center, double epsilon,
                     LineWalker &walker, const Line &in, const Line &gamma,
                     std::optional<Line> beta, const Line &out) {
  Type type = walker.getType();
  Value zeros = b.splat(type, 0.0), count = walker.count();
  Value mean;
  if (center) {
    Value sums = walker.fold(zeros, [&](Value at, Value mask, Value sum) {
      return b.add(sum, walker.load(in, at, mask));
    });
    mean = walker.spread(b.div(walker.total(sums), count));
  }
  auto centered = [&](Value at, Value mask) {
    Value x = walker.load(in, at, mask);
    return center ? b.sub(x, mean) : x;
  };
  Value squares = walker.fold(zeros, [&](Value at, Value mask, Value sum) {
    Value x = centered(at, mask);
    return b.fma(x, x, sum);
  });
  Value variance = b.div(walker.total(squares), count);
  Value root = math::SqrtOp::create(
      b, b.add(variance, b.splat(walker.getElement(), epsilon)));
  Value scale = walker.spread(b.div(b.splat(walker.getElement(), 1.0), root));
  walker.each([&](Value at, Value mask) {
    Value x = b.mul(centered(at, mask), scale);
    Value g = walker.load(gamma, at, mask);
    Value y = beta ? b.fma(x, g, walker.load(*beta, at, mask)) : b.mul(x, g);
    walker.store(y, out, at, mask);
  });
}

/// Loops over all dims of `memref` but `axis`; the body gets the indices.
static void overLines(KernelBuilder &b, Value memref, int64_t axis,
                      SmallVector<Value> &at,
                      function_ref<void(ArrayRef<Value>)> body) {
  int64_t rank = cast<MemRefType>(memref.getType()).getRank();
  int64_t dim = at.size();
  if (dim == rank)
    return body(at);
  if (dim == axis) {
    at.push_back(Value());
    overLines(b, memref, axis, at, body);
    at.pop_back();
    return;
  }
  b.loop(b.index(0), b.dim(memref, dim), 1, [&](Value i) {
    at.push_back(i);
    overLines(b, memref, axis, at, body);
    at.pop_back();
  });
}

/// The walker for lines of these memrefs: in vectors if all are f32 and
/// contiguous along the axis.
static LineWalker walkerFor(KernelBuilder &b, ValueRange memrefs, Value lines,
                            int64_t axis) {
  auto type = cast<MemRefType>(lines.getType());
  bool vectors = axis + 1 == type.getRank();
  bool wide = type.getElementType().isF64();
  for (Value memref : memrefs)
    vectors &= !memref || (isLastDimContiguous(memref) &&
                           getElementTypeOrSelf(memref.getType()).isF32());
  return LineWalker(b, b.dim(lines, axis), vectors ? 16 : 0,
                    wide ? Type(b.getF64Type()) : Type(b.getF32Type()));
}

template <typename Op> static void lowerNorm(Op op, bool center, Value beta) {
  KernelBuilder b(op.getLoc(), op);
  int64_t axis = cast<MemRefType>(op.getInit().getType()).getRank() - 1;
  LineWalker walker = walkerFor(
      b, {op.getX(), op.getGamma(), beta, op.getInit()}, op.getInit(), axis);
  SmallVector<Value> indices;
  overLines(b, op.getInit(), axis, indices, [&](ArrayRef<Value> at) {
    SmallVector<Value> line(at);
    std::optional<Line> shift;
    if (beta)
      shift = Line{beta, {Value()}, 0};
    normLine(b, center, op.getEpsilon().convertToDouble(), walker,
             {op.getX(), line, axis}, {op.getGamma(), {Value()}, 0}, shift,
             {op.getInit(), line, axis});
  });
}

static void lower(LayerNormOp op) {
  lowerNorm(op, /*center=*/true, op.getBeta());
}
static void lower(RmsNormOp op) { lowerNorm(op, /*center=*/false, Value()); }
static void lower(SoftmaxOp op) {
  KernelBuilder b(op.getLoc(), op);
  int64_t axis = op.getAxis();
  LineWalker walker =
      walkerFor(b, {op.getX(), op.getInit()}, op.getInit(), axis);
  SmallVector<Value> indices;
  overLines(b, op.getInit(), axis, indices, [&](ArrayRef<Value> at) {
    SmallVector<Value> line(at);
    softmaxLine(b, op, walker, {op.getX(), line, axis},
                {op.getInit(), line, axis});
  });
}

namespace {
struct LowerNorms : public ingot::impl::LowerNormsBase<LowerNorms> {
  void runOnOperation() override {
    getOperation()->walk([&](Operation *op) {
      if (op->getNumResults() != 0)
        return;
      TypeSwitch<Operation *>(op).Case<SoftmaxOp, LayerNormOp, RmsNormOp>(
          [&](auto norm) {
            lower(norm);
            norm.erase();
          });
    });
  }
};
} // namespace
