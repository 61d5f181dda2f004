//===- Quant.cpp - quantization and products of codes ---------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Quant.h"
#include "../Importer.h"
#include "Conv.h"

using namespace llvm;
using namespace mlir;

namespace ingot::onnxin {

bool hasOneElement(Emitter &e, Value value) {
  return product(e.dims(value)).isConstant(1);
}

Value quantize(Emitter &e, Value x, Value scale, Value zero, Type to,
               int64_t axis, int64_t block) {
  if (!zero)
    return e.make<QuantizeOp>(x, scale, nullptr, to, axis, block);
  return e.make<QuantizeOp>(x, scale, zero, to, axis, block);
}

Value dequantize(Emitter &e, Value codes, Value scale, Value zero, int64_t axis,
                 int64_t block) {
  if (zero)
    return e.make<DequantizeOp>(codes, scale, zero, axis, block);
  return e.make<DequantizeOp>(codes, scale, nullptr, axis, block);
}

DynamicCodes quantizeDynamically(Emitter &e, Value x) {
  if (!x)
    return {};
  SmallVector<int64_t> all = to_vector(llvm::seq<int64_t>(0, e.rank(x)));
  Value none = e.scalarLike(0, x), top = e.scalarLike(255, x);
  Value high = e.binary<MaxOp>(e.reduce(ReduceKind::Max, x, all, false), none);
  Value low = e.binary<MinOp>(e.reduce(ReduceKind::Min, x, all, false), none);
  Value scale = e.div(e.sub(high, low), top);
  Value zero = e.make<RoundOp>(e.div(e.neg(low), scale));
  zero = e.binary<MinOp>(e.binary<MaxOp>(zero, none), top);
  Type ui8 = e.builder.getIntegerType(8, /*isSigned=*/false);
  zero = e.cast(zero, ui8);
  return {quantize(e, x, scale, zero, ui8), scale, zero};
}

Value shiftedCodes(Emitter &e, Value codes, Value zero, int64_t axis) {
  Type i32 = e.builder.getI32Type();
  Value x = e.cast(codes, i32);
  if (!zero || !x)
    return x;
  Value point = e.cast(zero, i32);
  if (point && e.rank(point) == 1)
    point = hasOneElement(e, point) ? e.reshape(point, {})
                                    : e.alongAxis(point, axis, e.rank(x));
  return e.sub(x, point);
}

Value requantize(NodeContext &n, Value sums, Value scaleA, Value scaleB,
                 size_t scaleY, size_t zeroY) {
  Emitter &e = n.e;
  Type f32 = e.builder.getF32Type();
  Value factor = e.div(e.mul(e.cast(scaleA, f32), e.cast(scaleB, f32)),
                       e.reshape(e.cast(n.value(scaleY), f32), {}));
  Value y = e.mul(e.cast(sums, f32), factor);
  return quantize(e, y, e.scalar(1, f32), e.reshape(n.value(zeroY), {}),
                  n.type(zeroY));
}

namespace {

/// Scale and zero point with equal shapes: scalars if they have one element.
struct Parameters {
  Value scale, zero;
  int64_t axis = 1, block = 0;
};

bool readParameters(NodeContext &n, Parameters &p) {
  Emitter &e = n.e;
  p.scale = n.value(1);
  p.zero = n.value(2);
  p.block = n.integer("block_size", 0);
  int64_t axis = n.integer("axis", 1), rank = n.rank(0);
  if (!p.scale)
    return false;
  if (p.block < 0 || p.block > (1 << 24)) {
    n.unsupportedAttribute("block_size", Twine(p.block));
    return false;
  }
  if (p.block) {
    std::optional<int64_t> normal = n.normalAxis(axis, rank);
    p.axis = normal.value_or(0);
    return normal.has_value();
  }
  if (e.rank(p.scale) > 1) {
    n.error("a scale of rank " + Twine(e.rank(p.scale)));
    return false;
  }
  bool perAxis = e.rank(p.scale) == 1 && !hasOneElement(e, p.scale);
  if (!perAxis) {
    p.axis = 0;
    p.scale = e.reshape(p.scale, {});
    if (p.zero)
      p.zero = e.reshape(p.zero, {});
    return p.scale && (!n.has(2) || p.zero);
  }
  std::optional<int64_t> normal = n.normalAxis(rank == 1 ? 0 : axis, rank);
  if (!normal)
    return false;
  p.axis = *normal;
  if (p.zero && e.rank(p.zero) == 0)
    p.zero = e.broadcastTo(p.zero, e.dims(p.scale));
  return true;
}

void dequantizeLinear(NodeContext &n) {
  Emitter &e = n.e;
  Parameters p;
  int64_t dtype = n.integer("output_dtype", 0);
  if (!readParameters(n, p))
    return n.failed() ? void() : n.out(0, {});
  Value y = dequantize(e, n.value(0), p.scale, p.zero, p.axis, p.block);
  if (dtype) {
    Type to = elementTypeFor(dtype, n.importer.context());
    if (!to)
      return n.unsupported(kUnsupportedDtype,
                           Twine("DequantizeLinear to ") + dtypeName(dtype));
    y = e.cast(y, to);
  }
  n.out(0, y);
}

void quantizeLinear(NodeContext &n) {
  Emitter &e = n.e;
  Parameters p;
  // Only 8-bit floats saturate by choice.
  n.ignore({"saturate"});
  int64_t dtype = n.integer("output_dtype", 0);
  if (int64_t precision = n.integer("precision", 0))
    return n.unsupportedAttribute("precision", Twine(precision));
  if (!readParameters(n, p))
    return n.failed() ? void() : n.out(0, {});
  Type to = p.zero ? e.element(p.zero)
                   : Type(mlir::IntegerType::get(n.importer.context(), 8,
                                                 mlir::IntegerType::Unsigned));
  if (!p.zero && dtype)
    to = elementTypeFor(dtype, n.importer.context());
  if (!to)
    return n.unsupported(kUnsupportedDtype,
                         Twine("QuantizeLinear to ") + dtypeName(dtype));
  Value x = n.value(0);
  if (x && e.element(x) != e.element(p.scale))
    x = e.cast(x, e.element(p.scale));
  n.out(0, quantize(e, x, p.scale, p.zero, to, p.axis, p.block));
}

void dynamicQuantizeLinear(NodeContext &n) {
  DynamicCodes result = quantizeDynamically(n.e, n.value(0));
  n.out(0, result.codes);
  n.out(1, result.scale);
  n.out(2, result.zero);
}

/// codes - zero point of two operands of the node.
Value shifted(NodeContext &n, size_t codes, size_t zero, int64_t axis) {
  return shiftedCodes(n.e, n.value(codes), n.value(zero), axis);
}

void qlinearMatmul(NodeContext &n) {
  Emitter &e = n.e;
  for (size_t i : {2, 5, 7})
    if (!n.has(i))
      return n.error("it lacks zero points");
  int64_t rankA = n.rank(0), rankB = n.rank(3);
  if (rankA < 2 || rankB < 2)
    return n.error("ranks " + Twine(rankA) + " and " + Twine(rankB));
  // Scales are one number, or one a row of A and a column of B.
  auto spread = [&](Value scale, int64_t axis, int64_t rank) {
    if (!scale || e.rank(scale) != 1)
      return scale;
    return hasOneElement(e, scale) ? e.reshape(scale, {})
                                   : e.alongAxis(scale, axis, rank);
  };
  Value sums = e.matmul(shifted(n, 0, 2, rankA - 2),
                        shifted(n, 3, 5, rankB - 1), e.builder.getI32Type());
  n.out(0, requantize(n, sums, spread(n.value(1), rankA - 2, rankA),
                      spread(n.value(4), rankB - 1, rankB), 6, 7));
}

void convInteger(NodeContext &n) {
  n.out(0, convolve(n, shifted(n, 0, 2, 1), shifted(n, 1, 3, 0), {}));
}

void qlinearConv(NodeContext &n) {
  Emitter &e = n.e;
  if (!n.has(7))
    return n.error("it lacks zero points");
  Value sums = convolve(n, shifted(n, 0, 2, 1), shifted(n, 3, 5, 0), {});
  if (!sums)
    return n.failed() ? void() : n.out(0, {});
  int64_t rank = e.rank(sums);
  if (n.has(8))
    sums = e.add(sums, e.alongAxis(n.value(8), 1, rank));
  auto spread = [&](Value scale) {
    if (!scale || e.rank(scale) != 1)
      return scale;
    return hasOneElement(e, scale) ? e.reshape(scale, {})
                                   : e.alongAxis(scale, 1, rank);
  };
  n.out(0, requantize(n, sums, spread(n.value(1)), spread(n.value(4)), 6, 7));
}

} // namespace

void addQuantOps(Registry &r) {
  r.add("DequantizeLinear", 10, dequantizeLinear);
  r.add("QuantizeLinear", 10, quantizeLinear);
  r.addIn("com.microsoft", "DequantizeLinear", 1, dequantizeLinear);
  r.addIn("com.microsoft", "QuantizeLinear", 1, quantizeLinear);
  r.add("DynamicQuantizeLinear", 11, dynamicQuantizeLinear);
  r.add("QLinearMatMul", 10, qlinearMatmul);
  r.add("ConvInteger", 10, convInteger);
  r.add("QLinearConv", 10, qlinearConv);
  addQuantContribOps(r);
  addQuantLinearOps(r);
}

} // namespace ingot::onnxin
