//===- FloatMath.cpp - exp, log, tanh, erf and their kin ------------------===//
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

Type ingot::withElement(Type type, Type element) {
  if (auto vector = dyn_cast<VectorType>(type))
    return vector.clone(element);
  return element;
}

Value ingot::emitAbs(KernelBuilder &b, Value x) {
  return math::AbsFOp::create(b, x);
}

Value ingot::emitCopySign(KernelBuilder &b, Value x, Value sign) {
  return math::CopySignOp::create(b, x, sign);
}

Value fmath::polynomial(KernelBuilder &b, Value x,
                        ArrayRef<double> coefficients) {
  Value sum = b.splat(x.getType(), coefficients.front());
  for (double coefficient : coefficients.drop_front())
    sum = b.fma(sum, x, b.splat(x.getType(), coefficient));
  return sum;
}

Value fmath::clampAbove(KernelBuilder &b, Value x, double bound) {
  Value limit = b.splat(x.getType(), bound);
  return b.select(b.compare(CmpFPredicate::OLT, limit, x), limit, x);
}

Value fmath::clampBelow(KernelBuilder &b, Value x, double bound) {
  Value limit = b.splat(x.getType(), bound);
  return b.select(b.compare(CmpFPredicate::OGT, limit, x), limit, x);
}

bool fmath::isDouble(Value x) {
  return getElementTypeOrSelf(x.getType()).isF64();
}

Type fmath::bitsType(Value x) {
  MLIRContext *context = x.getContext();
  return withElement(x.getType(),
                     IntegerType::get(context, isDouble(x) ? 64 : 32));
}

Value fmath::toBits(KernelBuilder &b, Value x) {
  return arith::BitcastOp::create(b, bitsType(x), x);
}

Value fmath::fromBits(KernelBuilder &b, Value bits, Type type) {
  return arith::BitcastOp::create(b, type, bits);
}

Value fmath::anyLane(KernelBuilder &b, Value condition) {
  if (!isa<VectorType>(condition.getType()))
    return condition;
  return vector::ReductionOp::create(b, vector::CombiningKind::OR, condition);
}

/// 2^n for an integer n within the normal exponents, and 0 for the one below.
static Value powerOfTwo(KernelBuilder &b, Value n, Type type) {
  bool wide = getElementTypeOrSelf(type).isF64();
  Value biased = b.add(n, b.splatInt(n.getType(), wide ? 1023 : 127));
  Value bits =
      arith::ShLIOp::create(b, biased, b.splatInt(n.getType(), wide ? 52 : 23));
  return fmath::fromBits(b, bits, type);
}

namespace {
/// x = n * log(2) + r with |r| <= log(2) / 2.
struct ExpReduction {
  Value n; ///< as an integer of the float's width
  Value r;
};
} // namespace

static ExpReduction reduceExp(KernelBuilder &b, Value x) {
  bool wide = fmath::isDouble(x);
  Type type = x.getType();
  // Adding 1.5 * 2^(mantissa bits) leaves the nearest integer in the low bits.
  Value magic = b.splat(type, wide ? 6755399441055744.0 : 12582912.0);
  Value shifted = b.fma(x, b.splat(type, 1.4426950408889634074), magic);
  Value n = b.sub(shifted, magic);
  Value r = b.fma(
      n,
      b.splat(type, wide ? -0.693147180559945286226764 : -0.693147122859954834),
      x);
  r = b.fma(n,
            b.splat(type, wide ? -2.319046813846299558417771e-17
                               : -5.769998878690785204526e-8),
            r);
  Value integer = b.sub(fmath::toBits(b, shifted), fmath::toBits(b, magic));
  return {integer, r};
}

/// e^r - 1 for |r| <= log(2) / 2.
static Value expM1Reduced(KernelBuilder &b, Value r) {
  Value tail;
  if (fmath::isDouble(r))
    tail =
        fmath::polynomial(b, r,
                          {1.60866776667873615e-10, 2.091821231913397819e-9,
                           2.505207095980366199e-8, 2.755726307730941145e-7,
                           2.755731924734450951e-6, 0.00002480158733663094697,
                           0.0001984126984126325187, 0.001388888888887900308,
                           0.008333333333333334013, 0.04166666666666667687,
                           0.1666666666666666667, 0.5});
  else
    tail =
        fmath::polynomial(b, r,
                          {0.001392625083149761171, 0.008363232883682618197,
                           0.04166655421298415031, 0.1666657666611992831, 0.5});
  return b.fma(b.mul(r, r), tail, r);
}

Value ingot::emitExp(KernelBuilder &b, Value x, Value tail) {
  bool wide = fmath::isDouble(x);
  Type type = x.getType();
  Value clamped = fmath::clampAbove(b, x, wide ? 710.0 : 89.0);
  clamped = fmath::clampBelow(b, clamped, wide ? -746.0 : -104.5);
  ExpReduction reduced = reduceExp(b, clamped);
  if (tail)
    reduced.r = b.add(reduced.r, tail);
  Value mantissa = b.add(expM1Reduced(b, reduced.r), b.splat(type, 1.0));
  // In two steps: 2^n alone may overflow or be denormal.
  Value half =
      arith::ShRSIOp::create(b, reduced.n, b.splatInt(reduced.n.getType(), 1));
  Value rest = b.sub(reduced.n, half);
  return b.mul(b.mul(mantissa, powerOfTwo(b, half, type)),
               powerOfTwo(b, rest, type));
}

Value ingot::emitExpNonPositive(KernelBuilder &b, Value x) {
  // At -88 the exponent is just below the normal ones, where 2^n reads as 0.
  ExpReduction reduced = reduceExp(b, fmath::clampBelow(b, x, -88.0));
  Value mantissa = b.add(expM1Reduced(b, reduced.r), b.splat(x.getType(), 1.0));
  return b.mul(mantissa, powerOfTwo(b, reduced.n, x.getType()));
}

Value ingot::emitExpM1(KernelBuilder &b, Value x) {
  Type type = x.getType();
  Value clamped = fmath::clampAbove(b, x, 710.0);
  clamped = fmath::clampBelow(b, clamped, -60.0);
  ExpReduction reduced = reduceExp(b, clamped);
  Value p = expM1Reduced(b, reduced.r);
  // 2^n * (p + 1) - 1, halved so that 2^1024 does not occur.
  Value one = b.splatInt(reduced.n.getType(), 1);
  Value scale = powerOfTwo(b, b.sub(reduced.n, one), type);
  Value halves = b.fma(scale, p, b.sub(scale, b.splat(type, 0.5)));
  return b.add(halves, halves);
}

Value ingot::emitLog(KernelBuilder &b, Value x) {
  bool wide = fmath::isDouble(x);
  Type type = x.getType(), intType = fmath::bitsType(x);
  // Denormals become normal.
  Value tiny =
      b.compare(CmpFPredicate::OLT, x,
                b.splat(type, wide ? 2.2250738585072014e-308 : 1.17549435e-38));
  Value scaled = b.mul(x, b.splat(type, wide ? 0x1p54 : 0x1p24));
  Value normal = b.select(tiny, scaled, x);
  Value bits = fmath::toBits(b, normal);
  // The mantissa goes from sqrt(1/2) to sqrt(2).
  int64_t root = wide ? 0x3fe6a09e667f3bcd : 0x3f3504f3;
  int64_t mantissaBits = wide ? 52 : 23;
  Value offset = b.sub(bits, b.splatInt(intType, root));
  Value exponent =
      arith::ShRSIOp::create(b, offset, b.splatInt(intType, mantissaBits));
  Value mantissa = fmath::fromBits(
      b,
      b.sub(bits, arith::ShLIOp::create(b, exponent,
                                        b.splatInt(intType, mantissaBits))),
      type);
  Value e;
  if (wide) {
    // AVX2 cannot convert 64-bit integers; adding them to 1.5 * 2^52 can.
    Value magic = b.splat(type, 6755399441055744.0);
    e = b.sub(
        fmath::fromBits(b, b.add(fmath::toBits(b, magic), exponent), type),
        magic);
  } else {
    e = arith::SIToFPOp::create(b, type, exponent);
  }
  Value zero = b.splat(type, 0.0);
  e = b.add(e, b.select(tiny, b.splat(type, wide ? -54.0 : -24.0), zero));

  Value f = b.sub(mantissa, b.splat(type, 1.0));
  Value result;
  if (wide) {
    // log(1 + f) = 2 atanh(s), s = f / (2 + f), arranged as
    // f - (f^2/2 - s * (f^2/2 + R)) to keep f exact.
    Value s = b.div(f, b.add(f, b.splat(type, 2.0)));
    Value z = b.mul(s, s);
    Value r = b.mul(
        z, fmath::polynomial(b, z,
                             {0.130867670099481737, 0.1326875966856061269,
                              0.1538624020581347788, 0.181817956308847532,
                              0.2222222239180046933, 0.2857142857080323001,
                              0.4000000000000087761, 0.6666666666666666646}));
    Value half = b.mul(b.mul(f, f), b.splat(type, 0.5));
    Value tail = b.fma(e, b.splat(type, 2.319046813846299558417771e-17),
                       b.mul(s, b.add(half, r)));
    Value small = b.sub(f, b.sub(half, tail));
    // e * log(2) rounds to the high part; what it loses goes to the tail.
    Value high = b.splat(type, 0.693147180559945286226764);
    Value large = b.mul(e, high);
    Value lost = b.fma(e, high, b.sub(zero, large));
    Value sum = b.add(large, b.sub(f, b.sub(half, b.add(tail, lost))));
    result = b.select(b.compare(CmpFPredicate::OEQ, e, zero), small, sum);
  } else {
    Value p = fmath::polynomial(
        b, f,
        {0.06971611471451177832, -0.1147973384663763556, 0.1168541992348673931,
         -0.1242568733145110611, 0.142490576456974804, -0.1666780231950125407,
         0.2000071574889210174, -0.2499999695799348204, 0.3333333118003004805});
    Value square = b.mul(f, f);
    Value tail = b.mul(b.mul(f, square), p);
    tail = b.fma(square, b.splat(type, -0.5), tail);
    tail = b.fma(e, b.splat(type, 1.428590621799230575561523e-6), tail);
    result = b.fma(e, b.splat(type, 0.693145751953125), b.add(f, tail));
  }
  Value infinity = b.splat(type, std::numeric_limits<double>::infinity());
  Value notANumber = b.splat(type, std::numeric_limits<double>::quiet_NaN());
  result = b.select(b.compare(CmpFPredicate::OEQ, x, infinity), x, result);
  result =
      b.select(b.compare(CmpFPredicate::OEQ, x, zero),
               b.splat(type, -std::numeric_limits<double>::infinity()), result);
  return b.select(b.compare(CmpFPredicate::OGE, x, zero), result, notANumber);
}

Value ingot::emitLog1p(KernelBuilder &b, Value x) {
  Type type = x.getType();
  Value one = b.splat(type, 1.0);
  Value u = b.add(x, one);
  // What rounding 1 + x lost, to first order.
  Value correction = b.div(b.sub(x, b.sub(u, one)), u);
  Value result = b.add(emitLog(b, u), correction);
  Value plain =
      b.compare(CmpFPredicate::OGT, emitAbs(b, x), b.splat(type, 1e20));
  Value pole = b.compare(CmpFPredicate::OEQ, u, b.splat(type, 0.0));
  result =
      b.select(arith::OrIOp::create(b, plain, pole), emitLog(b, u), result);
  // Keeps the sign of zero.
  return b.select(b.compare(CmpFPredicate::OEQ, x, b.splat(type, 0.0)), x,
                  result);
}

Value ingot::emitTanh(KernelBuilder &b, Value x) {
  Type type = x.getType();
  Value size = emitAbs(b, x);
  Value one = b.splat(type, 1.0), two = b.splat(type, 2.0);
  if (fmath::isDouble(x)) {
    Value m = emitExpM1(b, b.mul(fmath::clampAbove(b, size, 40.0), two));
    return emitCopySign(b, b.div(m, b.add(m, two)), x);
  }
  Value clamped = fmath::clampAbove(b, size, 10.0);
  // e^-2|x| does not overflow.
  Value decay = emitExpNonPositive(b, b.mul(clamped, b.splat(type, -2.0)));
  Value large = b.div(b.sub(one, decay), b.add(one, decay));
  Value square = b.mul(clamped, clamped);
  Value p = fmath::polynomial(b, square,
                              {-0.006096714165908197575, 0.02099717899907475057,
                               -0.05385090957851358083, 0.1333276973697632786,
                               -0.3333332894413425457});
  Value small = b.fma(b.mul(clamped, square), p, clamped);
  Value result = b.select(
      b.compare(CmpFPredicate::OLT, size, b.splat(type, 0.625)), small, large);
  return emitCopySign(b, result, x);
}

/// erf for |x| <= 1: x + x * p, so that most of it is exact.
static Value erfSmall(KernelBuilder &b, Value x) {
  Value square = b.mul(x, x), p;
  if (fmath::isDouble(x))
    p = fmath::polynomial(b, square,
                          {5.957176147748911404e-11, -1.137284885679167367e-9,
                           1.465977527404743581e-8, -1.635031270105469501e-7,
                           1.646100048412136803e-6, -0.00001492559526683118157,
                           0.0001205533111164271092, -0.0008548326980833789905,
                           0.005223977624818014467, -0.02686617064507679325,
                           0.1128379167095487867, -0.3761263890318374806,
                           0.128379167095512574});
  else
    p = fmath::polynomial(b, square,
                          {0.00007875875062685488341, -0.0008016864287165869529,
                           0.005189087423433973986, -0.02685421201062641244,
                           0.1128359471516021773, -0.3761262666672033102,
                           0.128379165848350946});
  return b.fma(x, p, x);
}

/// erfc in f64 for x >= 0.9: e^(-x^2) / (1 + 2x) times a polynomial in
/// (x - 3.75) / (x + 3.75).
static Value erfcLarge(KernelBuilder &b, Value x) {
  Type type = x.getType();
  x = fmath::clampAbove(b, x, 28.0);
  Value t = b.div(b.sub(x, b.splat(type, 3.75)), b.add(x, b.splat(type, 3.75)));
  Value p = fmath::polynomial(
      b, t, {-2.637678130764560841e-9,  -4.598682149230994854e-9,
             3.502876282411549433e-8,   2.593046039874431232e-8,
             -2.565297379980925982e-7,  -6.004094678138656125e-8,
             1.751325566120658909e-6,   -9.718932661005753509e-7,
             -0.0000114444417750357168, 0.00002238360790407339244,
             0.00005164929794098759192, -0.0002901539190059154555,
             0.0002937136068644111182,  0.001755625824954778306,
             -0.009746579548330578955,  0.02836227742207338807,
             -0.05869339859053409476,   0.09230432116017522395,
             -0.1088039301417069768,    0.08227673849015146988,
             0.00358541548546367274,    -0.140240598585547021,
             1.237512630837827582});
  Value scaled = b.div(p, b.fma(x, b.splat(type, 2.0), b.splat(type, 1.0)));
  // e^(-x^2) with what rounding x^2 lost.
  Value square = b.mul(x, x);
  Value zero = b.splat(type, 0.0);
  Value lost = b.fma(x, x, b.sub(zero, square));
  Value decay = emitExp(b, b.sub(zero, square));
  decay = b.sub(decay, b.mul(decay, lost));
  return b.mul(scaled, decay);
}

Value ingot::emitErf(KernelBuilder &b, Value x) {
  Type type = x.getType();
  Value size = emitAbs(b, x);
  Value one = b.splat(type, 1.0);
  Value large;
  if (fmath::isDouble(x)) {
    large = b.sub(one, erfcLarge(b, size));
  } else {
    // log(erfc) is smooth; beyond 4 the result rounds to 1.
    Value t = fmath::clampAbove(b, size, 4.0);
    Value exponent = fmath::polynomial(
        b, t,
        {1.638637324875471328e-6, -0.00004608744728982591376,
         0.0005970529461310061695, -0.004760747710826218149,
         0.02642437092729082887, -0.1100856802918315137, -0.6318202467817905932,
         -1.130236722633357343, 0.0003209143829899536135});
    large = b.sub(one, emitExpNonPositive(b, exponent));
  }
  Value result = b.select(b.compare(CmpFPredicate::OLT, size, one),
                          erfSmall(b, size), large);
  return emitCopySign(b, result, x);
}

Value ingot::emitErfc(KernelBuilder &b, Value x) {
  Type type = x.getType();
  Value one = b.splat(type, 1.0), two = b.splat(type, 2.0);
  Value size = emitAbs(b, x);
  Value large = erfcLarge(b, size);
  Value negative = b.compare(CmpFPredicate::OLT, x, b.splat(type, 0.0));
  large = b.select(negative, b.sub(two, large), large);
  return b.select(b.compare(CmpFPredicate::OLT, size, one),
                  b.sub(one, erfSmall(b, x)), large);
}
