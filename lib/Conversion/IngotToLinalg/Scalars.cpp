//===- Scalars.cpp - the code of one element -----------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Scalars.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;
using namespace ingot;

unsigned ingot::kindOf(Type type) {
  if (isa<Float16Type, BFloat16Type, Float32Type, Float64Type>(type))
    return Float;
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer)
    return 0;
  if (integer.getWidth() == 1)
    return Bool;
  if (!llvm::is_contained({2u, 4u, 8u, 16u, 32u, 64u}, integer.getWidth()))
    return 0;
  return integer.isUnsigned() ? Unsigned : Signed;
}

Type Scalars::computeType(Type type) {
  if (isa<Float16Type, BFloat16Type>(type))
    return Float32Type::get(type.getContext());
  if (auto integer = dyn_cast<IntegerType>(type)) {
    unsigned width = integer.getWidth();
    return IntegerType::get(type.getContext(),
                            width == 1 ? 1 : std::max(width, 8u));
  }
  return type;
}

/// Whether elements of the type are kept in bytes that are wider than they.
static bool isBelowByte(Type type) {
  auto integer = dyn_cast<IntegerType>(type);
  return integer && integer.getWidth() > 1 && integer.getWidth() < 8;
}

Value Scalars::load(Value value, Type type) {
  if (kindOf(type) == Bool)
    return notEqual(value, integer(0, value.getType()));
  if (isa<Float16Type, BFloat16Type>(type))
    return arith::ExtFOp::create(*this, computeType(type), value);
  return value;
}

Value Scalars::store(Value value, Type type) {
  if (kindOf(type) == Bool)
    return arith::ExtUIOp::create(*this, getI8Type(), value);
  if (isa<Float16Type, BFloat16Type>(type))
    return arith::TruncFOp::create(*this, type, value);
  if (isBelowByte(type)) {
    // Arithmetic wraps around at the width of the model's type.
    Type narrow = getIntegerType(type.getIntOrFloatBitWidth());
    Value low = arith::TruncIOp::create(*this, narrow, value);
    if (kindOf(type) == Unsigned)
      return arith::ExtUIOp::create(*this, value.getType(), low);
    return arith::ExtSIOp::create(*this, value.getType(), low);
  }
  return value;
}

Value Scalars::integer(int64_t value, Type type) {
  return arith::ConstantOp::create(*this, getIntegerAttr(type, value));
}

Value Scalars::constant(double value, Value like) {
  if (isa<FloatType>(like.getType()))
    return arith::ConstantOp::create(*this,
                                     getFloatAttr(like.getType(), value));
  return integer(static_cast<int64_t>(value), like.getType());
}

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

/// The integer part of a float, limited to the range of the type; NaN is zero.
Value Scalars::toInteger(Value value, Type to, bool isUnsigned) {
  unsigned width = to.getIntOrFloatBitWidth();
  APInt low =
      isUnsigned ? APInt::getZero(width) : APInt::getSignedMinValue(width);
  APInt high =
      isUnsigned ? APInt::getMaxValue(width) : APInt::getSignedMaxValue(width);
  // Powers of two, hence exact in every float type.
  double lowLimit = isUnsigned ? 0.0 : -std::ldexp(1.0, width - 1);
  double highLimit = std::ldexp(1.0, isUnsigned ? width : width - 1);
  Value tooLow = less(value, constant(lowLimit, value));
  Value tooHigh = lessEqual(constant(highLimit, value), value);
  Value isNan = notEqual(value, value);
  Value safe = select(logicalOr(logicalOr(tooLow, tooHigh), isNan),
                      constant(0, value), value);
  Value result = isUnsigned
                     ? arith::FPToUIOp::create(*this, to, safe).getResult()
                     : arith::FPToSIOp::create(*this, to, safe).getResult();
  Value lowValue = arith::ConstantOp::create(*this, getIntegerAttr(to, low));
  Value highValue = arith::ConstantOp::create(*this, getIntegerAttr(to, high));
  return select(tooLow, lowValue, select(tooHigh, highValue, result));
}

Value Scalars::convert(Value value, Type from, Type to) {
  unsigned source = kindOf(from), target = kindOf(to);
  Type type = computeType(to);
  if (target == Bool) {
    if (source == Bool)
      return value;
    return notEqual(value, constant(0, value));
  }
  if (source == Float && target == Float) {
    // Types of less precision are rounded when they are stored.
    unsigned a = value.getType().getIntOrFloatBitWidth();
    unsigned b = type.getIntOrFloatBitWidth();
    if (a < b)
      return arith::ExtFOp::create(*this, type, value);
    if (a > b)
      return arith::TruncFOp::create(*this, type, value);
    return value;
  }
  if (target == Float) {
    if (source == Signed)
      return arith::SIToFPOp::create(*this, type, value);
    return arith::UIToFPOp::create(*this, type, value);
  }
  if (source == Float && isBelowByte(to)) {
    // Narrow types take the low bits, as ONNX's reference has it.
    Value wide = toInteger(value, getI32Type(), /*isUnsigned=*/false);
    return arith::TruncIOp::create(*this, type, wide);
  }
  if (source == Float)
    return toInteger(value, type, target == Unsigned);
  unsigned a = value.getType().getIntOrFloatBitWidth();
  unsigned b = type.getIntOrFloatBitWidth();
  if (a > b)
    return arith::TruncIOp::create(*this, type, value);
  if (a == b)
    return value;
  if (source == Signed)
    return arith::ExtSIOp::create(*this, type, value);
  return arith::ExtUIOp::create(*this, type, value);
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

static bool isFloatValue(Value value) {
  return isa<FloatType>(value.getType());
}

Value Scalars::add(Value a, Value b) {
  if (isFloatValue(a))
    return arith::AddFOp::create(*this, a, b);
  return arith::AddIOp::create(*this, a, b);
}

Value Scalars::sub(Value a, Value b) {
  if (isFloatValue(a))
    return arith::SubFOp::create(*this, a, b);
  return arith::SubIOp::create(*this, a, b);
}

Value Scalars::mul(Value a, Value b) {
  if (isFloatValue(a))
    return arith::MulFOp::create(*this, a, b);
  return arith::MulIOp::create(*this, a, b);
}

Value Scalars::div(Value a, Value b) {
  if (isFloatValue(a))
    return arith::DivFOp::create(*this, a, b);
  Value zero = constant(0, b), one = constant(1, b);
  Value byZero = equal(b, zero);
  if (isUnsigned()) {
    Value safe = select(byZero, one, b);
    return select(byZero, zero, arith::DivUIOp::create(*this, a, safe));
  }
  // The least integer divided by -1 would trap.
  Value byMinusOne = equal(b, constant(-1, b));
  Value safe = select(logicalOr(byZero, byMinusOne), one, b);
  Value quotient = arith::DivSIOp::create(*this, a, safe);
  return select(byZero, zero, select(byMinusOne, neg(a), quotient));
}

Value Scalars::remainder(Value a, Value b) {
  if (isFloatValue(a))
    return arith::RemFOp::create(*this, a, b);
  Value zero = constant(0, b), one = constant(1, b);
  Value byZero = equal(b, zero);
  if (isUnsigned())
    return arith::RemUIOp::create(*this, a, select(byZero, one, b));
  Value unsafe = logicalOr(byZero, equal(b, constant(-1, b)));
  return arith::RemSIOp::create(*this, a, select(unsafe, one, b));
}

Value Scalars::min(Value a, Value b) {
  if (isFloatValue(a))
    return arith::MinimumFOp::create(*this, a, b);
  if (isUnsigned() || kind() == Bool)
    return arith::MinUIOp::create(*this, a, b);
  return arith::MinSIOp::create(*this, a, b);
}

Value Scalars::max(Value a, Value b) {
  if (isFloatValue(a))
    return arith::MaximumFOp::create(*this, a, b);
  if (isUnsigned() || kind() == Bool)
    return arith::MaxUIOp::create(*this, a, b);
  return arith::MaxSIOp::create(*this, a, b);
}

Value Scalars::neg(Value a) {
  if (isFloatValue(a))
    return arith::NegFOp::create(*this, a);
  return sub(constant(0, a), a);
}

Value Scalars::abs(Value a) {
  if (isFloatValue(a))
    return math::AbsFOp::create(*this, a);
  if (isUnsigned())
    return a;
  return arith::MaxSIOp::create(*this, a, neg(a));
}

Value Scalars::select(Value condition, Value a, Value b) {
  return arith::SelectOp::create(*this, condition, a, b);
}

Value Scalars::equal(Value a, Value b) {
  if (isFloatValue(a))
    return arith::CmpFOp::create(*this, arith::CmpFPredicate::OEQ, a, b);
  return arith::CmpIOp::create(*this, arith::CmpIPredicate::eq, a, b);
}

Value Scalars::notEqual(Value a, Value b) {
  if (isFloatValue(a))
    return arith::CmpFOp::create(*this, arith::CmpFPredicate::UNE, a, b);
  return arith::CmpIOp::create(*this, arith::CmpIPredicate::ne, a, b);
}

Value Scalars::less(Value a, Value b) {
  if (isFloatValue(a))
    return arith::CmpFOp::create(*this, arith::CmpFPredicate::OLT, a, b);
  auto predicate = isUnsigned() || kind() == Bool ? arith::CmpIPredicate::ult
                                                  : arith::CmpIPredicate::slt;
  return arith::CmpIOp::create(*this, predicate, a, b);
}

Value Scalars::lessEqual(Value a, Value b) {
  if (isFloatValue(a))
    return arith::CmpFOp::create(*this, arith::CmpFPredicate::OLE, a, b);
  auto predicate = isUnsigned() || kind() == Bool ? arith::CmpIPredicate::ule
                                                  : arith::CmpIPredicate::sle;
  return arith::CmpIOp::create(*this, predicate, a, b);
}

Value Scalars::logicalAnd(Value a, Value b) {
  return arith::AndIOp::create(*this, a, b);
}

Value Scalars::logicalOr(Value a, Value b) {
  return arith::OrIOp::create(*this, a, b);
}

Value Scalars::exp(Value a) { return math::ExpOp::create(*this, a); }

Value Scalars::tanh(Value a) { return math::TanhOp::create(*this, a); }

Value Scalars::softplus(Value a) {
  Value tail = math::Log1pOp::create(*this, exp(neg(abs(a))));
  return add(max(a, constant(0, a)), tail);
}
