//===- ScalarFunctions.cpp - one line an elementwise op ------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Scalars.h"

#include "dialects/Ingot/IR/IngotOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace ingot;

using Args = ArrayRef<Value>;
using Table = llvm::StringMap<ScalarFunction>;

/// Adds the function of `Op`; it takes the builder, the op and the elements.
template <typename Op, typename Function>
static void define(Table &table, unsigned kinds, Function function) {
  table[Op::getOperationName()] = {
      kinds, [function](Scalars &s, Operation *op, Args x) -> Value {
        return function(s, cast<Op>(op), x);
      }};
}

/// Adds an op that is one op of another dialect.
template <typename Op, typename Math>
static void defineAs(Table &table, unsigned kinds = Float) {
  define<Op>(table, kinds, [](Scalars &s, Op, Args x) -> Value {
    return Math::create(s, x);
  });
}

static Value number(Scalars &s, const APFloat &value, Value like) {
  return s.constant(value.convertToDouble(), like);
}

/// e^x - 1.
static Value expMinusOne(Scalars &s, Value x) {
  return math::ExpM1Op::create(s, x);
}

//===----------------------------------------------------------------------===//
// Functions of more than a line
//===----------------------------------------------------------------------===//

static Value emitSign(Scalars &s, SignOp, Args x) {
  Value zero = s.constant(0, x[0]), one = s.constant(1, x[0]);
  if (s.isUnsigned())
    return s.select(s.equal(x[0], zero), zero, one);
  // Zero and NaN are their own sign.
  Value negative = s.select(s.less(x[0], zero), s.constant(-1, x[0]), x[0]);
  return s.select(s.less(zero, x[0]), one, negative);
}

static Value emitGelu(Scalars &s, GeluOp op, Args in) {
  Value x = in[0], inner;
  if (op.getKind() == GeluKind::Erf) {
    Value scaled = s.mul(x, s.constant(0.70710678118654752440, x));
    inner = math::ErfOp::create(s, scaled);
  } else {
    Value cube = s.mul(s.mul(x, x), x);
    Value sum = s.add(x, s.mul(s.constant(0.044715, x), cube));
    inner = s.tanh(s.mul(s.constant(0.79788456080286535588, x), sum));
  }
  Value half = s.mul(s.constant(0.5, x), x);
  return s.mul(half, s.add(s.constant(1, x), inner));
}

static Value emitSigmoid(Scalars &s, Value x) {
  Value one = s.constant(1, x);
  return s.div(one, s.add(one, s.exp(s.neg(x))));
}

static Value emitMod(Scalars &s, ModOp, Args x) {
  Value rest = s.remainder(x[0], x[1]);
  if (s.isUnsigned())
    return rest;
  Value zero = s.constant(0, rest);
  Value differ =
      arith::XOrIOp::create(s, s.less(rest, zero), s.less(x[1], zero));
  Value adjust = s.logicalAnd(s.notEqual(rest, zero), differ);
  return s.select(adjust, s.add(rest, x[1]), rest);
}

static Value emitIntegerPow(Scalars &s, Args x) {
  Type type = x[0].getType(), wide = s.getI64Type();
  auto extend = [&](Value value, unsigned kind) -> Value {
    if (value.getType() == wide)
      return value;
    if (kind == Signed)
      return arith::ExtSIOp::create(s, wide, value);
    return arith::ExtUIOp::create(s, wide, value);
  };
  Value result = math::IPowIOp::create(s, extend(x[0], s.kind(0)),
                                       extend(x[1], s.kind(1)));
  if (type == wide)
    return result;
  return arith::TruncIOp::create(s, type, result);
}

/// An integer raised to a float. Whole exponents, which are what is used, give
/// exact results; the base decides the type of the result.
static Value emitIntegerToFloatPow(Scalars &s, Value base, Value exponent) {
  Type real = s.getF64Type(), wide = s.getI64Type();
  Value x = s.convert(base, s.types[0], real);
  Value y = s.convert(exponent, s.types[1], real);
  Value whole = s.equal(math::FloorOp::create(s, y), y);
  Value inRange = s.logicalAnd(s.lessEqual(s.constant(0, y), y),
                               s.less(y, s.constant(64, y)));
  Value exact = s.logicalAnd(whole, inRange);
  Value times = s.convert(s.select(exact, y, s.constant(0, y)), real, wide);
  Value power =
      math::IPowIOp::create(s, s.convert(base, s.types[0], wide), times);
  Value rounded = s.convert(math::PowFOp::create(s, x, y), real, wide);
  return s.convert(s.select(exact, power, rounded), wide, s.types[0]);
}

static Value emitPow(Scalars &s, PowOp, Args in) {
  Type base = s.types[0], exponent = s.types[1];
  if (kindOf(base) != Float)
    return kindOf(exponent) == Float ? emitIntegerToFloatPow(s, in[0], in[1])
                                     : emitIntegerPow(s, in);
  Value x = in[0];
  FloatAttr constant;
  IntegerAttr integer;
  std::optional<double> power;
  if (matchPattern(in[1], m_Constant(&constant)))
    power = constant.getValueAsDouble();
  else if (matchPattern(in[1], m_Constant(&integer)))
    power = static_cast<double>(integer.getInt());
  if (power == 2.0)
    return s.mul(x, x);
  if (power == 3.0)
    return s.mul(s.mul(x, x), x);
  if (power == 1.0)
    return x;
  if (power == -1.0)
    return s.div(s.constant(1, x), x);
  return math::PowFOp::create(s, x, s.convert(in[1], exponent, x.getType()));
}

/// A shift by the width of the type or more leaves nothing.
template <typename Shift> static Value emitShift(Scalars &s, Args x) {
  Type type = x[0].getType();
  Value width = s.integer(type.getIntOrFloatBitWidth(), type);
  Value inside =
      arith::CmpIOp::create(s, arith::CmpIPredicate::ult, x[1], width);
  Value zero = s.integer(0, type);
  Value amount = s.select(inside, x[1], zero);
  return s.select(inside, Shift::create(s, x[0], amount), zero);
}

static Value emitIsInf(Scalars &s, IsInfOp op, Args x) {
  double infinity = std::numeric_limits<double>::infinity();
  Value plus = s.equal(x[0], s.constant(infinity, x[0]));
  Value minus = s.equal(x[0], s.constant(-infinity, x[0]));
  if (op.getPositive() && op.getNegative())
    return s.logicalOr(plus, minus);
  if (op.getPositive())
    return plus;
  return op.getNegative() ? minus : s.integer(0, s.getI1Type());
}

static Value emitCast(Scalars &s, CastOp op, Args x) {
  return s.convert(x[0], s.types[0], op.getTo());
}

static Value emitClip(Scalars &s, ClipOp op, Args x) {
  Value result = x[0];
  if (op.getLow())
    result = s.max(result, x[1]);
  if (op.getHigh())
    result = s.min(result, x.back());
  return result;
}

static Value emitShrink(Scalars &s, ShrinkOp op, Args in) {
  Value x = in[0], zero = s.constant(0, x);
  Value lambd = number(s, op.getLambd(), x), bias = number(s, op.getBias(), x);
  Value inner = s.select(s.less(lambd, x), s.sub(x, bias), zero);
  Value negated = number(s, -op.getLambd(), x);
  return s.select(s.less(x, negated), s.add(x, bias), inner);
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

static void defineUnary(Table &t) {
  defineAs<ExpOp, math::ExpOp>(t);
  defineAs<LogOp, math::LogOp>(t);
  defineAs<SqrtOp, math::SqrtOp>(t);
  defineAs<RsqrtOp, math::RsqrtOp>(t);
  defineAs<ErfOp, math::ErfOp>(t);
  defineAs<TanhOp, math::TanhOp>(t);
  defineAs<CeilOp, math::CeilOp>(t);
  defineAs<FloorOp, math::FloorOp>(t);
  defineAs<RoundOp, math::RoundEvenOp>(t);
  defineAs<SinOp, math::SinOp>(t);
  defineAs<CosOp, math::CosOp>(t);
  defineAs<TanOp, math::TanOp>(t);
  defineAs<AsinOp, math::AsinOp>(t);
  defineAs<AcosOp, math::AcosOp>(t);
  defineAs<AtanOp, math::AtanOp>(t);
  defineAs<SinhOp, math::SinhOp>(t);
  defineAs<CoshOp, math::CoshOp>(t);
  defineAs<AsinhOp, math::AsinhOp>(t);
  defineAs<AcoshOp, math::AcoshOp>(t);
  defineAs<AtanhOp, math::AtanhOp>(t);
  define<NegOp>(t, Number, [](auto &s, auto, Args x) { return s.neg(x[0]); });
  define<AbsOp>(t, Number, [](auto &s, auto, Args x) { return s.abs(x[0]); });
  define<SignOp>(t, Number, emitSign);
  define<ReciprocalOp>(t, Float, [](auto &s, auto, Args x) {
    return s.div(s.constant(1, x[0]), x[0]);
  });
  define<SigmoidOp>(t, Float,
                    [](auto &s, auto, Args x) { return emitSigmoid(s, x[0]); });
  define<SiluOp>(t, Float, [](auto &s, auto, Args x) {
    return s.div(x[0], s.add(s.constant(1, x[0]), s.exp(s.neg(x[0]))));
  });
  define<ReluOp>(t, Number, [](auto &s, auto, Args x) {
    return s.max(x[0], s.constant(0, x[0]));
  });
  define<SoftplusOp>(t, Float,
                     [](auto &s, auto, Args x) { return s.softplus(x[0]); });
  define<SoftsignOp>(t, Float, [](auto &s, auto, Args x) {
    return s.div(x[0], s.add(s.constant(1, x[0]), s.abs(x[0])));
  });
  define<MishOp>(t, Float, [](auto &s, auto, Args x) {
    return s.mul(x[0], s.tanh(s.softplus(x[0])));
  });
  define<GeluOp>(t, Float, emitGelu);
  define<LeakyReluOp>(t, Float, [](auto &s, auto op, Args x) {
    Value below = s.mul(number(s, op.getAlpha(), x[0]), x[0]);
    return s.select(s.less(x[0], s.constant(0, x[0])), below, x[0]);
  });
  define<EluOp>(t, Float, [](auto &s, auto op, Args x) {
    Value below = s.mul(number(s, op.getAlpha(), x[0]), expMinusOne(s, x[0]));
    return s.select(s.less(x[0], s.constant(0, x[0])), below, x[0]);
  });
  define<CeluOp>(t, Float, [](auto &s, auto op, Args x) {
    Value alpha = number(s, op.getAlpha(), x[0]), zero = s.constant(0, x[0]);
    Value below = s.mul(alpha, expMinusOne(s, s.div(x[0], alpha)));
    return s.add(s.max(zero, x[0]), s.min(zero, below));
  });
  define<SeluOp>(t, Float, [](auto &s, auto op, Args x) {
    Value below = s.mul(number(s, op.getAlpha(), x[0]), expMinusOne(s, x[0]));
    Value chosen = s.select(s.less(s.constant(0, x[0]), x[0]), x[0], below);
    return s.mul(number(s, op.getGamma(), x[0]), chosen);
  });
  define<HardSigmoidOp>(t, Float, [](auto &s, auto op, Args x) {
    Value line = s.add(s.mul(number(s, op.getAlpha(), x[0]), x[0]),
                       number(s, op.getBeta(), x[0]));
    return s.max(s.constant(0, x[0]), s.min(s.constant(1, x[0]), line));
  });
  define<ThresholdedReluOp>(t, Float, [](auto &s, auto op, Args x) {
    Value above = s.less(number(s, op.getAlpha(), x[0]), x[0]);
    return s.select(above, x[0], s.constant(0, x[0]));
  });
  define<ShrinkOp>(t, Number, emitShrink);
  define<NotOp>(t, Bool, [](auto &s, auto, Args x) -> Value {
    return arith::XOrIOp::create(s, x[0], s.integer(1, x[0].getType()));
  });
  define<BitNotOp>(t, AnyInteger, [](auto &s, auto, Args x) -> Value {
    return arith::XOrIOp::create(s, x[0], s.integer(-1, x[0].getType()));
  });
  define<IsNanOp>(t, Float,
                  [](auto &s, auto, Args x) { return s.notEqual(x[0], x[0]); });
  define<IsInfOp>(t, Float, emitIsInf);
  define<CastOp>(t, AnyKind, emitCast);
}

static void defineBinary(Table &t) {
  define<AddOp>(t, Number,
                [](auto &s, auto, Args x) { return s.add(x[0], x[1]); });
  define<SubOp>(t, Number,
                [](auto &s, auto, Args x) { return s.sub(x[0], x[1]); });
  define<MulOp>(t, Number,
                [](auto &s, auto, Args x) { return s.mul(x[0], x[1]); });
  define<DivOp>(t, Number,
                [](auto &s, auto, Args x) { return s.div(x[0], x[1]); });
  define<PowOp>(t, Number, emitPow);
  define<ModOp>(t, Number, emitMod);
  define<FmodOp>(t, Number,
                 [](auto &s, auto, Args x) { return s.remainder(x[0], x[1]); });
  define<MinOp>(t, AnyKind,
                [](auto &s, auto, Args x) { return s.min(x[0], x[1]); });
  define<MaxOp>(t, AnyKind,
                [](auto &s, auto, Args x) { return s.max(x[0], x[1]); });
  defineAs<AndOp, arith::AndIOp>(t, Bool);
  defineAs<OrOp, arith::OrIOp>(t, Bool);
  defineAs<XorOp, arith::XOrIOp>(t, Bool);
  defineAs<BitAndOp, arith::AndIOp>(t, AnyInteger);
  defineAs<BitOrOp, arith::OrIOp>(t, AnyInteger);
  defineAs<BitXorOp, arith::XOrIOp>(t, AnyInteger);
  define<ShiftLeftOp>(t, AnyInteger, [](auto &s, auto, Args x) {
    return emitShift<arith::ShLIOp>(s, x);
  });
  define<ShiftRightOp>(t, AnyInteger, [](auto &s, auto, Args x) {
    return emitShift<arith::ShRUIOp>(s, x);
  });
  define<PreluOp>(t, Number, [](auto &s, auto, Args x) {
    Value negative = s.less(x[0], s.constant(0, x[0]));
    return s.select(negative, s.mul(x[0], x[1]), x[0]);
  });
  define<EqualOp>(t, AnyKind,
                  [](auto &s, auto, Args x) { return s.equal(x[0], x[1]); });
  define<LessOp>(t, Number,
                 [](auto &s, auto, Args x) { return s.less(x[0], x[1]); });
  define<LessEqualOp>(
      t, Number, [](auto &s, auto, Args x) { return s.lessEqual(x[0], x[1]); });
  define<GreaterOp>(t, Number,
                    [](auto &s, auto, Args x) { return s.less(x[1], x[0]); });
  define<GreaterEqualOp>(
      t, Number, [](auto &s, auto, Args x) { return s.lessEqual(x[1], x[0]); });
}

const ScalarFunction *ingot::scalarFunctionOf(StringRef name) {
  static const Table table = [] {
    Table t;
    defineUnary(t);
    defineBinary(t);
    define<WhereOp>(t, Bool, [](auto &s, auto, Args x) {
      return s.select(x[0], x[1], x[2]);
    });
    define<ClipOp>(t, Number, emitClip);
    return t;
  }();
  auto it = table.find(name);
  return it == table.end() ? nullptr : &it->second;
}
