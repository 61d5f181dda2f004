//===- FloatMathCircle.cpp - sine, cosine and tangent ---------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "FloatMath.h"
#include "FloatMathDetail.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace ingot;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

static constexpr double infinity = std::numeric_limits<double>::infinity();
static constexpr double notANumber = std::numeric_limits<double>::quiet_NaN();

/// Up to here n stays so small that the third part of n * pi/2 is far below any
/// angle that is left: no float of this size is nearer to a multiple of pi/2
/// than 2^-62.
static constexpr int64_t shortExponent = 27;

/// The bits of 2/pi after the point, highest first: 1216 bits serve the largest
/// f64.
static constexpr uint64_t twoOverPi[] = {
    0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041,
    0xfe5163abdebbc561, 0xb7246e3a424dd2e0, 0x06492eea09d1921c,
    0xfe1deb1cb129a73e, 0xe88235f52ebb4484, 0xe99c7026b45f7e41,
    0x3991d639835339f4, 0x9c845f8bbdf9283b, 0x1ff897ffde05980f,
    0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d,
    0x7527bac7ebe5f17b, 0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08,
    0x56033046fc7b6bab};

namespace {
/// x = n * pi/2 + r; the low bits of `n` hold the quadrant.
struct Quadrant {
  Value n;
  Value r;
};
} // namespace

/// Cody and Waite's reduction with pi/2 in three parts; fma keeps the products
/// whole.
static Quadrant reduceShortAngle(KernelBuilder &b, Value x) {
  Type type = x.getType();
  Value magic = b.splat(type, 6755399441055744.0);
  Value shifted = b.fma(x, b.splat(type, 0.63661977236758134308), magic);
  Value n = b.sub(shifted, magic);
  Value r = b.fma(n, b.splat(type, -1.570796326794896557998982), x);
  r = b.fma(n, b.splat(type, -6.123233995736764803273656e-17), r);
  r = b.fma(n, b.splat(type, -1.082856673921914031084252e-32), r);
  return {b.sub(fmath::toBits(b, shifted), fmath::toBits(b, magic)), r};
}

/// An unsigned integer below 2^32 as a float, times 2^exponent: exact.
static Value scaledFloat(KernelBuilder &b, Value integer, int exponent) {
  Type type = b.getF64Type();
  return b.mul(arith::SIToFPOp::create(b, type, integer),
               b.splat(type, std::ldexp(1.0, exponent)));
}

/// Payne and Hanek's reduction of a scalar |x| >= 2^27: x = m * 2^e times 192
/// bits of 2/pi. Those above the window only add whole turns; those below it
/// add less than 2^-137 to a fraction that is at least 2^-64.
static Quadrant reduceLongAngle(KernelBuilder &b, Value x) {
  Type word = b.getI64Type(), type = x.getType();
  auto constant = [&](int64_t value) { return b.splatInt(word, value); };
  auto shiftRight = [&](Value value, int64_t by) -> Value {
    return arith::ShRUIOp::create(b, value, b.splatInt(value.getType(), by));
  };
  Value bits = fmath::toBits(b, x);
  Value exponent =
      arith::AndIOp::create(b, shiftRight(bits, 52), constant(0x7ff));
  // Lanes that do not need this have any exponent; the shift must be in range.
  exponent =
      arith::MaxSIOp::create(b, exponent, constant(1023 + shortExponent));
  Value mantissa =
      arith::AndIOp::create(b, bits, constant((int64_t(1) << 52) - 1));
  mantissa = arith::OrIOp::create(b, mantissa, constant(int64_t(1) << 52));

  // One wide integer, with 64 zeros in front for the smaller exponents. The
  // window starts at the bit that counts 2 quarter turns.
  constexpr unsigned tableWidth = 64 * (std::size(twoOverPi) + 1);
  SmallVector<uint64_t> words(llvm::reverse(twoOverPi));
  Type tableType = b.getIntegerType(tableWidth);
  Value table = arith::ConstantOp::create(
      b, b.getIntegerAttr(tableType, APInt(tableWidth, words)));
  Value shift = b.sub(constant(2101), exponent);
  Value shifted = arith::ShRUIOp::create(
      b, table, arith::ExtUIOp::create(b, tableType, shift));
  auto windowWord = [&](int64_t bit) -> Value {
    Value moved = bit == 0 ? shifted : shiftRight(shifted, bit);
    return arith::TruncIOp::create(b, word, moved);
  };

  // The product's 192 bits: 2 of quarter turns, the others of a fraction.
  auto low = arith::MulUIExtendedOp::create(b, mantissa, windowWord(0));
  auto middle = arith::MulUIExtendedOp::create(b, mantissa, windowWord(64));
  auto sum = arith::AddUIExtendedOp::create(b, low.getHigh(), middle.getLow());
  Value carry = arith::ExtUIOp::create(b, word, sum.getOverflow());
  Value top =
      b.add(b.mul(mantissa, windowWord(128)), b.add(middle.getHigh(), carry));

  // The nearest quarter turn; what is left has a sign. Inverting the bits
  // negates it, but for one unit of the last place of 192 bits.
  Value n = shiftRight(b.add(top, constant(int64_t(1) << 61)), 62);
  top = b.sub(top, arith::ShLIOp::create(b, n, constant(62)));
  Value sign = arith::ShRSIOp::create(b, top, constant(63));
  auto inverted = [&](Value value) -> Value {
    return arith::XOrIOp::create(b, value, sign);
  };
  Value first = inverted(top), second = inverted(sum.getSum()),
        third = inverted(low.getLow());

  // As a sum of two floats, by halves of words.
  auto lowHalf = [&](Value value) -> Value {
    return arith::AndIOp::create(b, value, constant(0xffffffff));
  };
  Value a0 = scaledFloat(b, shiftRight(first, 32), -30);
  Value a1 = scaledFloat(b, lowHalf(first), -62);
  Value a2 = scaledFloat(b, shiftRight(second, 32), -94);
  Value a3 = scaledFloat(b, lowHalf(second), -126);
  Value a4 = scaledFloat(b, shiftRight(third, 32), -158);
  Value rest = b.add(a2, b.add(a3, a4));
  Value high = b.add(a0, a1);
  rest = b.add(b.sub(a1, b.sub(high, a0)), rest);
  Value turns = b.add(high, rest);
  Value turnsLow = b.sub(rest, b.sub(turns, high));

  // Times pi/2.
  Value quarter = b.splat(type, 1.57079632679489661923);
  Value r = b.mul(turns, quarter);
  Value lost = b.fma(turns, quarter, arith::NegFOp::create(b, r));
  lost = b.fma(turns, b.splat(type, 6.123233995736766036e-17), lost);
  r = b.add(r, b.fma(turnsLow, quarter, lost));

  Value negative = b.compare(CmpIPredicate::slt, bits, constant(0));
  Value less = b.compare(CmpIPredicate::slt, sign, constant(0));
  Value flip = arith::XOrIOp::create(b, negative, less);
  r = b.select(flip, arith::NegFOp::create(b, r), r);
  return {b.select(negative, b.sub(constant(0), n), n), r};
}

/// reduceLongAngle of every lane.
static Quadrant reduceLongAngles(KernelBuilder &b, Value x, Quadrant other) {
  auto vector = dyn_cast<VectorType>(x.getType());
  if (!vector)
    return reduceLongAngle(b, x);
  SmallVector<Value> lanes = b.loop(
      b.index(0), b.index(vector.getNumElements()), 1, {other.n, other.r},
      [&](Value lane, ValueRange carried) -> SmallVector<Value> {
        OpFoldResult at = lane;
        Quadrant q = reduceLongAngle(b, vector::ExtractOp::create(b, x, at));
        return {vector::InsertOp::create(b, q.n, carried[0], at),
                vector::InsertOp::create(b, q.r, carried[1], at)};
      });
  return {lanes[0], lanes[1]};
}

/// By the short way; where a lane is too large for it, that lane by the long
/// one. Infinities and NaN have no quadrant: r is not finite, or NaN.
static Quadrant reduceQuarterTurns(KernelBuilder &b, Value x) {
  Type type = x.getType();
  Quadrant shortWay = reduceShortAngle(b, x);
  Value size = emitAbs(b, x);
  Value isLong = arith::AndIOp::create(
      b,
      b.compare(CmpFPredicate::OGE, size,
                b.splat(type, std::ldexp(1.0, shortExponent))),
      b.compare(CmpFPredicate::OLT, size, b.splat(type, infinity)));
  auto rare = scf::IfOp::create(b, TypeRange{shortWay.n.getType(), type},
                                fmath::anyLane(b, isLong),
                                /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(rare.thenBlock());
  Quadrant longWay = reduceLongAngles(b, x, shortWay);
  scf::YieldOp::create(b, ValueRange{b.select(isLong, longWay.n, shortWay.n),
                                     b.select(isLong, longWay.r, shortWay.r)});
  b.setInsertionPointToStart(rare.elseBlock());
  scf::YieldOp::create(b, ValueRange{shortWay.n, shortWay.r});
  return {rare.getResult(0), rare.getResult(1)};
}

static Value sinReduced(KernelBuilder &b, Value r, Value square) {
  Value p =
      fmath::polynomial(b, square,
                        {-7.586685070091267161e-13, 1.605853141458901076e-10,
                         -2.505210623115790549e-8, 2.755731921933545343e-6,
                         -0.0001984126984126506017, 0.00833333333333333149,
                         -0.1666666666666666667});
  return b.fma(b.mul(r, square), p, r);
}

static Value cosReduced(KernelBuilder &b, Value r, Value square) {
  Type type = r.getType();
  Value p =
      fmath::polynomial(b, square,
                        {4.745865203787455108e-14, -1.147046077396932463e-11,
                         2.087675579036339613e-9, -2.755731922140076002e-7,
                         0.00002480158730158464377, -0.001388888888888888786,
                         0.04166666666666666667});
  // 1 - r^2/2 rounds; what it loses is added with the rest.
  Value one = b.splat(type, 1.0);
  Value half = b.mul(square, b.splat(type, 0.5));
  Value high = b.sub(one, half);
  Value lost = b.sub(b.sub(one, high), half);
  return b.add(high, b.fma(b.mul(square, square), p, lost));
}

static Value sinOf(KernelBuilder &b, Value x, Quadrant q,
                   int64_t quarterTurns) {
  Type intType = q.n.getType(), type = x.getType();
  Value turns = b.add(q.n, b.splatInt(intType, quarterTurns));
  Value square = b.mul(q.r, q.r);
  Value zero = b.splatInt(intType, 0);
  auto bitSet = [&](int64_t bit) {
    Value masked = arith::AndIOp::create(b, turns, b.splatInt(intType, bit));
    return b.compare(CmpIPredicate::ne, masked, zero);
  };
  Value size = b.select(bitSet(1), cosReduced(b, q.r, square),
                        sinReduced(b, q.r, square));
  Value flipped = arith::NegFOp::create(b, size);
  Value result = b.select(bitSet(2), flipped, size);
  // Infinities have no quadrant. Zero keeps its sign.
  Value finite =
      b.compare(CmpFPredicate::OLT, emitAbs(b, x), b.splat(type, infinity));
  result = b.select(finite, result, b.splat(type, notANumber));
  if (quarterTurns == 0)
    result = b.select(b.compare(CmpFPredicate::OEQ, x, b.splat(type, 0.0)), x,
                      result);
  return result;
}

Value ingot::emitSin(KernelBuilder &b, Value x, int64_t quarterTurns) {
  return sinOf(b, x, reduceQuarterTurns(b, x), quarterTurns);
}

Value ingot::emitTan(KernelBuilder &b, Value x) {
  Quadrant q = reduceQuarterTurns(b, x);
  return b.div(sinOf(b, x, q, 0), sinOf(b, x, q, 1));
}
