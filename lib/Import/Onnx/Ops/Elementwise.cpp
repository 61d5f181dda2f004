//===- Elementwise.cpp - scalar functions of each element -----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "../Importer.h"
#include "../Registry.h"

using namespace llvm;
using namespace mlir;

namespace ingot::onnxin {
namespace {

template <typename OpTy> void unary(NodeContext &n) {
  n.out(0, n.e.make<OpTy>(n.value(0)));
}

template <typename OpTy> void binary(NodeContext &n) {
  n.out(0, n.e.binary<OpTy>(n.value(0), n.value(1)));
}

/// Any number of operands, combined from left to right.
Value combine(NodeContext &n, Value (*function)(Emitter &, Value, Value)) {
  Value total = n.value(0);
  for (size_t i = 1; i < n.inputs(); ++i)
    total = function(n.e, total, n.value(i));
  return total;
}

template <typename OpTy> void variadic(NodeContext &n) {
  n.out(0, combine(n, [](Emitter &e, Value a, Value b) {
          return e.binary<OpTy>(a, b);
        }));
}

void mean(NodeContext &n) {
  Value total =
      combine(n, [](Emitter &e, Value a, Value b) { return e.add(a, b); });
  n.out(0, n.e.div(total, n.e.scalarLike(double(n.inputs()), total)));
}

void power(NodeContext &n) {
  Emitter &e = n.e;
  Value x = n.value(0), y = n.value(1);
  bool mixed = x && y && !e.isFloat(x) && e.isFloat(y);
  if (!mixed)
    return n.out(0, e.make<PowOp>(x, y));
  // Integers to a float power are cut off after computing in doubles; a result
  // that is whole but for rounding must not lose a unit there.
  Type f64 = e.builder.getF64Type();
  Value raw = e.make<PowOp>(e.cast(x, f64), e.cast(y, f64));
  Value whole = e.make<RoundOp>(raw);
  Value error = e.make<AbsOp>(e.sub(raw, whole));
  Value bound = e.mul(e.make<AbsOp>(whole), e.scalar(1e-12, f64));
  Value isWhole = e.binary<LessEqualOp>(error, bound);
  n.out(0, e.cast(e.where(isWhole, whole, raw), n.type(0)));
}

void modulo(NodeContext &n) {
  if (n.integer("fmod", 0))
    return n.out(0, n.e.binary<FmodOp>(n.value(0), n.value(1)));
  if (n.has(0) && isa<FloatType>(n.type(0)))
    return n.error("fmod = 0 is not defined for floats");
  n.out(0, n.e.binary<ModOp>(n.value(0), n.value(1)));
}

void bitShift(NodeContext &n) {
  std::string direction = n.text("direction", "");
  if (direction == "LEFT")
    return binary<ShiftLeftOp>(n);
  if (direction == "RIGHT")
    return binary<ShiftRightOp>(n);
  n.error("direction '" + direction + "'");
}

void where(NodeContext &n) {
  n.out(0, n.e.where(n.value(0), n.value(1), n.value(2)));
}

void isInf(NodeContext &n) {
  n.out(0, n.e.make<IsInfOp>(n.value(0), n.integer("detect_positive", 1) != 0,
                             n.integer("detect_negative", 1) != 0));
}

void clipTo(NodeContext &n, Value low, Value high) {
  Value x = n.value(0);
  if ((low && !n.e.sameElements(x, low)) ||
      (high && !n.e.sameElements(x, high)))
    return n.out(0, {});
  // The limits are scalars; a vector of one element is accepted as one.
  if (low)
    low = n.e.reshape(low, {});
  if (high)
    high = n.e.reshape(high, {});
  if (low && high)
    return n.out(0, n.e.make<ClipOp>(x, low, high));
  if (low)
    return n.out(0, n.e.make<ClipOp>(x, low, nullptr));
  if (high)
    return n.out(0, n.e.make<ClipOp>(x, nullptr, high));
  n.pass(0, 0);
}

void clip(NodeContext &n) {
  if ((n.has(1) && !n.value(1)) || (n.has(2) && !n.value(2)))
    return n.out(0, {});
  clipTo(n, n.value(1), n.value(2));
}

/// Before opset 11 the limits are attributes.
void clip6(NodeContext &n) {
  Value x = n.value(0), low, high;
  if (n.hasAttribute("min"))
    low = n.e.scalarLike(n.real("min", 0), x);
  if (n.hasAttribute("max"))
    high = n.e.scalarLike(n.real("max", 0), x);
  clipTo(n, low, high);
}

void castTo(NodeContext &n, int dtype) {
  Type to = elementTypeFor(dtype, n.importer.context());
  if (!to)
    return n.unsupported(dtype == onnx::TensorProto::STRING ? kUnsupportedType
                                                            : kUnsupportedDtype,
                         Twine("Cast to ") + dtypeName(dtype));
  if (n.has(0) && n.type(0) == to)
    return n.pass(0, 0);
  n.out(0, n.e.cast(n.value(0), to));
}

void cast(NodeContext &n) {
  // These two speak of 8-bit floats only.
  n.ignore({"saturate", "round_mode"});
  castTo(n, n.integer("to", 0));
}

void castLike(NodeContext &n) {
  n.ignore({"saturate", "round_mode"});
  if (!n.has(1))
    return n.error("it has no second input");
  if (n.has(0) && n.type(0) == n.type(1))
    return n.pass(0, 0);
  n.out(0, n.e.cast(n.value(0), n.type(1)));
}

void bitCast(NodeContext &n) {
  int dtype = n.integer("to", 0);
  Type to = elementTypeFor(dtype, n.importer.context());
  if (!to)
    return n.unsupported(kUnsupportedDtype,
                         Twine("BitCast to ") + dtypeName(dtype));
  if (n.has(0) &&
      to.getIntOrFloatBitWidth() != n.type(0).getIntOrFloatBitWidth() &&
      !(n.type(0).isInteger(1) && to.getIntOrFloatBitWidth() == 8))
    return n.error("the types have different sizes");
  if (n.has(0) && n.type(0).isInteger(1))
    return n.out(0, n.e.cast(n.value(0), to));
  n.out(0, n.e.make<CastOp>(n.value(0), to, /*bitcast=*/true));
}

} // namespace

void addElementwiseOps(Registry &r) {
  r.add("Abs", 1, unary<AbsOp>);
  r.add("Acos", 7, unary<AcosOp>);
  r.add("Acosh", 9, unary<AcoshOp>);
  r.add("Asin", 7, unary<AsinOp>);
  r.add("Asinh", 9, unary<AsinhOp>);
  r.add("Atan", 7, unary<AtanOp>);
  r.add("Atanh", 9, unary<AtanhOp>);
  r.add("BitwiseNot", 18, unary<BitNotOp>);
  r.add("Ceil", 1, unary<CeilOp>);
  r.add("Cos", 7, unary<CosOp>);
  r.add("Cosh", 9, unary<CoshOp>);
  r.add("Erf", 9, unary<ErfOp>);
  r.add("Exp", 1, unary<ExpOp>);
  r.add("Floor", 1, unary<FloorOp>);
  r.add("IsNaN", 9, unary<IsNanOp>);
  r.add("Log", 1, unary<LogOp>);
  r.add("Neg", 1, unary<NegOp>);
  r.add("Not", 1, unary<NotOp>);
  r.add("Reciprocal", 1, unary<ReciprocalOp>);
  r.add("Round", 11, unary<RoundOp>);
  r.add("Sign", 9, unary<SignOp>);
  r.add("Sin", 7, unary<SinOp>);
  r.add("Sinh", 9, unary<SinhOp>);
  r.add("Sqrt", 1, unary<SqrtOp>);
  r.add("Tan", 7, unary<TanOp>);
  r.add("Tanh", 1, unary<TanhOp>);

  r.add("Add", 7, binary<AddOp>);
  r.add("Sub", 7, binary<SubOp>);
  r.add("Mul", 7, binary<MulOp>);
  r.add("Div", 7, binary<DivOp>);
  r.add("Pow", 7, power);
  r.add("Mod", 10, modulo);
  r.add("And", 7, binary<AndOp>);
  r.add("Or", 7, binary<OrOp>);
  r.add("Xor", 7, binary<XorOp>);
  r.add("Equal", 7, binary<EqualOp>);
  r.add("Less", 7, binary<LessOp>);
  r.add("LessOrEqual", 12, binary<LessEqualOp>);
  r.add("Greater", 7, binary<GreaterOp>);
  r.add("GreaterOrEqual", 12, binary<GreaterEqualOp>);
  r.add("BitwiseAnd", 18, binary<BitAndOp>);
  r.add("BitwiseOr", 18, binary<BitOrOp>);
  r.add("BitwiseXor", 18, binary<BitXorOp>);
  r.add("BitShift", 11, bitShift);

  r.add("Min", 8, variadic<MinOp>);
  r.add("Max", 8, variadic<MaxOp>);
  r.add("Sum", 8, variadic<AddOp>);
  r.add("Mean", 8, mean);

  r.add("Where", 9, where);
  r.add("IsInf", 10, isInf);
  r.add("Clip", 6, clip6);
  r.add("Clip", 11, clip);
  r.add("Cast", 6, cast);
  r.add("CastLike", 15, castLike);
  r.add("BitCast", 26, bitCast);
}

} // namespace ingot::onnxin
