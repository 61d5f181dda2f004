//===- FloatMathMore.cpp - powers, arcs, hyperbolas and remainders --------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "FloatMath.h"
#include "FloatMathDetail.h"

using namespace mlir;
using namespace ingot;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

static constexpr double infinity = std::numeric_limits<double>::infinity();
static constexpr double notANumber = std::numeric_limits<double>::quiet_NaN();

Value ingot::emitAtan(KernelBuilder &b, Value x) {
  Type type = x.getType();
  Value one = b.splat(type, 1.0);
  Value size = emitAbs(b, x);
  // Beyond 1 the complement; beyond tan(pi/8) an eighth of a turn back.
  Value inverted = b.compare(CmpFPredicate::OGT, size, one);
  Value y = b.select(inverted, b.div(one, size), size);
  Value turned =
      b.compare(CmpFPredicate::OGT, y, b.splat(type, 0.41421356237309503));
  Value z = b.select(turned, b.div(b.sub(y, one), b.add(y, one)), y);
  Value square = b.mul(z, z);
  Value p = fmath::polynomial(
      b, square,
      {0.01195717675860064017, -0.02727225076440664569, 0.03723313320080659799,
       -0.04294235654036441727, 0.04754615440325691641, -0.05262453271706421203,
       0.05882304580983546133, -0.06666664341568991921, 0.07692307616150785932,
       -0.09090909089288614652, 0.1111111111109041139, -0.1428571428571414748,
       0.1999999999999999964, -0.3333333333333333333});
  Value angle = b.fma(b.mul(z, square), p, z);
  // The constants' second halves go to the small part.
  Value eighth = b.add(b.splat(type, 0.78539816339744830962),
                       b.add(angle, b.splat(type, 3.061616997868383018e-17)));
  angle = b.select(turned, eighth, angle);
  Value complement =
      b.sub(b.splat(type, 1.57079632679489661923),
            b.sub(angle, b.splat(type, 6.123233995736766036e-17)));
  angle = b.select(inverted, complement, angle);
  return emitCopySign(b, angle, x);
}

Value ingot::emitAtan2(KernelBuilder &b, Value y, Value x) {
  Type type = x.getType();
  Value zero = b.splat(type, 0.0);
  Value ySize = emitAbs(b, y), xSize = emitAbs(b, x);
  auto both = [&](double bound) {
    return arith::AndIOp::create(
        b, b.compare(CmpFPredicate::OEQ, ySize, b.splat(type, bound)),
        b.compare(CmpFPredicate::OEQ, xSize, b.splat(type, bound)));
  };
  // 0/0 and inf/inf: an angle of 0 and of an eighth.
  Value ratio =
      b.select(both(infinity), b.splat(type, 1.0), b.div(ySize, xSize));
  ratio = b.select(both(0.0), zero, ratio);
  Value angle = emitAtan(b, ratio);
  Value xNegative = b.compare(CmpFPredicate::OLT,
                              emitCopySign(b, b.splat(type, 1.0), x), zero);
  angle = b.select(xNegative,
                   b.sub(b.splat(type, 3.14159265358979323846), angle), angle);
  return emitCopySign(b, angle, y);
}

/// x^y for x >= 0 by a logarithm in two parts: y scales its error by up to
/// a thousand. Good for normal x; others are the caller's.
static Value powInTwoParts(KernelBuilder &b, Value x, Value y) {
  Type type = x.getType(), intType = fmath::bitsType(x);
  Value zero = b.splat(type, 0.0), two = b.splat(type, 2.0);
  auto negate = [&](Value v) -> Value { return arith::NegFOp::create(b, v); };
  // Denormals become normal; the mantissa goes from sqrt(1/2) to sqrt(2).
  Value tiny = b.compare(CmpFPredicate::OLT, x, b.splat(type, 0x1p-1022));
  Value bits =
      fmath::toBits(b, b.select(tiny, b.mul(x, b.splat(type, 0x1p54)), x));
  Value shift = b.splatInt(intType, 52);
  Value exponent = arith::ShRSIOp::create(
      b, b.sub(bits, b.splatInt(intType, 0x3fe6a09e667f3bcd)), shift);
  Value mantissa = fmath::fromBits(
      b, b.sub(bits, arith::ShLIOp::create(b, exponent, shift)), type);
  Value magic = b.splat(type, 6755399441055744.0);
  Value e =
      b.sub(fmath::fromBits(b, b.add(fmath::toBits(b, magic), exponent), type),
            magic);
  e = b.add(e, b.select(tiny, b.splat(type, -54.0), zero));

  // log(1 + f) = 2 atanh(s), s = f / (2 + f), as s + sLow.
  Value f = b.sub(mantissa, b.splat(type, 1.0));
  Value t = b.add(f, two);
  Value tLow = b.sub(f, b.sub(t, two));
  Value s = b.div(f, t);
  Value rest = b.fma(negate(s), t, f);
  Value sLow = b.div(b.fma(negate(s), tLow, rest), t);
  Value z = b.mul(s, s);
  Value zLow = b.fma(b.add(s, s), sLow, b.fma(s, s, negate(z)));
  // The cubic term in two parts too; the others are small enough.
  Value cube = b.mul(s, z);
  Value cubeLow = b.fma(sLow, z, b.fma(s, zLow, b.fma(s, z, negate(cube))));
  Value twoThirds = b.splat(type, 2.0 / 3.0);
  Value c = b.mul(cube, twoThirds);
  Value cLow = b.fma(cube, twoThirds, negate(c));
  cLow = b.fma(cube, b.splat(type, 3.70074341541718826e-17), cLow);
  cLow = b.fma(cubeLow, twoThirds, cLow);
  SmallVector<double> series;
  for (int k = 13; k >= 2; --k)
    series.push_back(2.0 / (2 * k + 1));
  Value low = b.fma(b.mul(cube, z), fmath::polynomial(b, z, series), cLow);
  low = b.fma(two, sLow, low);
  // The high part of log(2) is short enough for exact multiples.
  Value whole = b.mul(e, b.splat(type, 0x1.62e42feep-1));
  low = b.fma(e, b.splat(type, 1.90821492927058770002e-10), low);
  auto sum = [&](Value large, Value small) {
    Value high = b.add(large, small);
    low = b.add(low, b.add(b.sub(large, high), small));
    return high;
  };
  Value high = sum(sum(whole, b.add(s, s)), c);

  Value product = b.mul(y, high);
  Value lost = b.fma(y, low, b.fma(y, high, negate(product)));
  Value bounded =
      b.compare(CmpFPredicate::OLT, emitAbs(b, product), b.splat(type, 1100.0));
  return emitExp(b, product, b.select(bounded, lost, zero));
}

Value ingot::emitPow(KernelBuilder &b, Value x, Value y, bool precise) {
  Type type = x.getType();
  Value zero = b.splat(type, 0.0), one = b.splat(type, 1.0);
  Value size = emitAbs(b, x);
  Value result = emitExp(b, b.mul(y, emitLog(b, size)));
  if (precise) {
    Value ordinary = arith::AndIOp::create(
        b, b.compare(CmpFPredicate::OGT, size, zero),
        b.compare(CmpFPredicate::OLT, size, b.splat(type, infinity)));
    result = b.select(ordinary, powInTwoParts(b, size, y), result);
  }

  Value whole = b.compare(CmpFPredicate::OEQ, math::TruncOp::create(b, y), y);
  Value half = b.mul(y, b.splat(type, 0.5));
  Value odd = arith::AndIOp::create(
      b, whole,
      b.compare(CmpFPredicate::UNE, math::TruncOp::create(b, half), half));
  Value negative = b.compare(CmpFPredicate::OLT, emitCopySign(b, one, x), zero);
  Value flip = arith::AndIOp::create(b, odd, negative);
  result = b.select(flip, arith::NegFOp::create(b, result), result);

  // A finite negative base takes whole exponents only.
  auto both = [&](Value p, Value q) { return arith::AndIOp::create(b, p, q); };
  Value finiteNegative =
      both(b.compare(CmpFPredicate::OLT, x, zero),
           b.compare(CmpFPredicate::OLT, size, b.splat(type, infinity)));
  Value part = b.compare(CmpFPredicate::UNE, math::TruncOp::create(b, y), y);
  result =
      b.select(both(finiteNegative, part), b.splat(type, notANumber), result);
  // One, whatever the other operand.
  Value endless =
      b.compare(CmpFPredicate::OEQ, emitAbs(b, y), b.splat(type, infinity));
  Value unit = both(b.compare(CmpFPredicate::OEQ, size, one), endless);
  unit = arith::OrIOp::create(b, unit, b.compare(CmpFPredicate::OEQ, y, zero));
  unit = arith::OrIOp::create(b, unit, b.compare(CmpFPredicate::OEQ, x, one));
  return b.select(unit, one, result);
}

Value ingot::emitSinh(KernelBuilder &b, Value x) {
  Type type = x.getType();
  Value size = emitAbs(b, x);
  Value half = b.splat(type, 0.5), one = b.splat(type, 1.0);
  Value m = emitExpM1(b, fmath::clampAbove(b, size, 40.0));
  Value small = b.mul(half, b.add(m, b.div(m, b.add(m, one))));
  // e^x / 2 by the square of e^(x/2), which does not overflow too early.
  Value root = emitExp(b, b.mul(size, half));
  Value large = b.mul(b.mul(half, root), root);
  Value result = b.select(
      b.compare(CmpFPredicate::OGT, size, b.splat(type, 40.0)), large, small);
  return emitCopySign(b, result, x);
}

Value ingot::emitCosh(KernelBuilder &b, Value x) {
  Type type = x.getType();
  Value half = b.splat(type, 0.5);
  Value root = emitExp(b, b.mul(emitAbs(b, x), half));
  Value growing = b.mul(b.mul(half, root), root);
  Value inverse = b.div(b.splat(type, 1.0), root);
  return b.add(growing, b.mul(b.mul(half, inverse), inverse));
}

Value ingot::emitAsinh(KernelBuilder &b, Value x) {
  Type type = x.getType();
  Value one = b.splat(type, 1.0);
  Value size = emitAbs(b, x);
  Value square = b.mul(size, size);
  Value root = math::SqrtOp::create(b, b.add(square, one));
  Value small = emitLog1p(b, b.add(size, b.div(square, b.add(root, one))));
  Value large = b.add(emitLog(b, size), b.splat(type, 0.69314718055994530942));
  Value result = b.select(
      b.compare(CmpFPredicate::OGT, size, b.splat(type, 0x1p28)), large, small);
  return emitCopySign(b, result, x);
}

Value ingot::emitAcosh(KernelBuilder &b, Value x) {
  Type type = x.getType();
  Value t = b.sub(x, b.splat(type, 1.0));
  Value root = math::SqrtOp::create(b, b.mul(t, b.add(x, b.splat(type, 1.0))));
  Value small = emitLog1p(b, b.add(t, root));
  Value large = b.add(emitLog(b, x), b.splat(type, 0.69314718055994530942));
  Value result = b.select(
      b.compare(CmpFPredicate::OGT, x, b.splat(type, 0x1p28)), large, small);
  return b.select(b.compare(CmpFPredicate::OGE, x, b.splat(type, 1.0)), result,
                  b.splat(type, notANumber));
}

Value ingot::emitAtanh(KernelBuilder &b, Value x) {
  Type type = x.getType();
  Value size = emitAbs(b, x);
  Value ratio = b.div(b.add(size, size), b.sub(b.splat(type, 1.0), size));
  Value result = b.mul(b.splat(type, 0.5), emitLog1p(b, ratio));
  return emitCopySign(b, result, x);
}

/// Long division: take multiples of |y| * 2^k away, k from high to zero. Every
/// step is exact, because what is left is a multiple of y's last place and
/// smaller than the divisor.
Value ingot::emitFmod(KernelBuilder &b, Value x, Value y) {
  bool wide = fmath::isDouble(x);
  Type type = x.getType(), intType = fmath::bitsType(x);
  int64_t mantissaBits = wide ? 52 : 23, bias = wide ? 1023 : 127;
  Value zero = b.splat(type, 0.0), limit = b.splat(type, infinity);
  Value divisor = emitAbs(b, y), start = emitAbs(b, x);
  auto both = [&](Value p, Value q) -> Value {
    return arith::AndIOp::create(b, p, q);
  };
  Value valid = both(b.compare(CmpFPredicate::OGT, divisor, zero),
                     b.compare(CmpFPredicate::OLT, start, limit));
  auto exponentOf = [&](Value value) -> Value {
    return arith::ShRUIOp::create(b, fmath::toBits(b, value),
                                  b.splatInt(intType, mantissaBits));
  };

  // A denormal divisor's exponent is that of its leading bit.
  Value scaled = b.mul(divisor, b.splat(type, wide ? 0x1p52 : 0x1p23));
  Value divisorExponent = b.select(
      b.compare(CmpIPredicate::eq, exponentOf(divisor), b.splatInt(intType, 0)),
      b.sub(exponentOf(scaled), b.splatInt(intType, mantissaBits)),
      exponentOf(divisor));

  auto loop = scf::WhileOp::create(b, TypeRange{type}, ValueRange{start});
  {
    OpBuilder::InsertionGuard guard(b);
    Block *before = b.createBlock(&loop.getBefore(), {}, type, b.getLoc());
    Value left = before->getArgument(0);
    Value more = both(valid, b.compare(CmpFPredicate::OGE, left, divisor));
    scf::ConditionOp::create(b, fmath::anyLane(b, more), left);

    Block *after = b.createBlock(&loop.getAfter(), {}, type, b.getLoc());
    left = after->getArgument(0);
    Value gap = b.sub(b.sub(exponentOf(left), divisorExponent),
                      b.splatInt(intType, mantissaBits - 1));
    Value none = b.splatInt(intType, 0), most = b.splatInt(intType, bias);
    auto power = [&](Value exponent) {
      Value bits =
          arith::ShLIOp::create(b, b.add(exponent, b.splatInt(intType, bias)),
                                b.splatInt(intType, mantissaBits));
      return fmath::fromBits(b, bits, type);
    };
    gap = arith::MaxSIOp::create(b, gap, none);
    Value first = arith::MinSIOp::create(b, gap, most);
    Value second = arith::MinSIOp::create(b, b.sub(gap, first), most);
    Value step = b.mul(b.mul(divisor, power(first)), power(second));
    Value times = math::FloorOp::create(b, b.div(left, step));
    Value next = b.fma(arith::NegFOp::create(b, times), step, left);
    // The rounded quotient may be one too large.
    next = b.select(b.compare(CmpFPredicate::OLT, next, zero),
                    b.add(next, step), next);
    Value active = b.compare(CmpFPredicate::OGE, left, divisor);
    scf::YieldOp::create(b, ValueRange{b.select(active, next, left)});
  }
  Value result = emitCopySign(b, loop.getResult(0), x);
  Value ordered = b.compare(CmpFPredicate::ORD, x, y);
  return b.select(both(valid, ordered), result, b.splat(type, notANumber));
}

Value ingot::emitIntPow(KernelBuilder &b, Value base, Value exponent) {
  Type type = base.getType();
  int64_t width = getElementTypeOrSelf(type).getIntOrFloatBitWidth();
  Value one = b.splatInt(type, 1), zero = b.splatInt(type, 0);
  Value minusOne = b.splatInt(type, -1);
  Value negative = b.compare(CmpIPredicate::slt, exponent, zero);
  SmallVector<Value> result =
      b.loop(b.index(0), b.index(width), 1, {one, base, exponent},
             [&](Value, ValueRange carried) -> SmallVector<Value> {
               Value bit = arith::AndIOp::create(b, carried[2], one);
               Value set = b.compare(CmpIPredicate::ne, bit, zero);
               return {b.select(set, b.mul(carried[0], carried[1]), carried[0]),
                       b.mul(carried[1], carried[1]),
                       arith::ShRUIOp::create(b, carried[2], one)};
             });
  // A negative exponent's low bit still tells odd from even, so that the loop
  // is right for bases of size one.
  Value unit =
      arith::OrIOp::create(b, b.compare(CmpIPredicate::eq, base, one),
                           b.compare(CmpIPredicate::eq, base, minusOne));
  Value vanishes = arith::AndIOp::create(
      b, negative,
      arith::XOrIOp::create(b, unit, b.splatInt(unit.getType(), 1)));
  return b.select(vanishes, zero, result[0]);
}
