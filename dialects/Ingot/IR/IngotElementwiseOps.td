//===- IngotElementwiseOps.td - one scalar function per op -*- tablegen -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Ops that apply a scalar function to every element, with numpy broadcasting
// of their operands.
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_ELEMENTWISE_OPS
#define INGOT_ELEMENTWISE_OPS

include "dialects/Ingot/IR/IngotBase.td"

/// Marks ops whose result element depends on one element of each operand.
def Ingot_Elementwise : NativeOpTrait<"Elementwise"> {
  let cppNamespace = "::ingot";
}

class Ingot_ElementwiseOp<string mnemonic, list<Trait> traits = []>
    : Ingot_ValueOp<mnemonic, !listconcat(traits, [Ingot_Elementwise])> {
  let shape = "return ::ingot::broadcastShapes(shapes);";
}

class Ingot_UnaryOp<string mnemonic, string what, string formula>
    : Ingot_ElementwiseOp<mnemonic> {
  let summary = what # " of each element";
  let description = what # " of each element of `x`: `" # formula # "`.";
  let arguments = (ins AnyRankedTensor:$x);
}

class Ingot_BinaryOp<string mnemonic, string what, string formula,
                     list<Trait> traits = []>
    : Ingot_ElementwiseOp<mnemonic, traits> {
  let summary = what # " of two tensors, element by element";
  let description = what # ": `" # formula # "`, the operands broadcast "
                    # "against each other as in numpy.";
  let arguments = (ins AnyRankedTensor:$a, AnyRankedTensor:$b);
}

class Ingot_CompareOp<string mnemonic, string what, string formula,
                      list<Trait> traits = []>
    : Ingot_BinaryOp<mnemonic, what, formula, traits> {
  let elementType = "::mlir::IntegerType::get(elementTypeOf(adaptor.getA()).getContext(), 1)";
}

class Ingot_TestOp<string mnemonic, string what, string formula>
    : Ingot_UnaryOp<mnemonic, what, formula> {
  let elementType = "::mlir::IntegerType::get(elementTypeOf(adaptor.getX()).getContext(), 1)";
}

//===----------------------------------------------------------------------===//
// One operand
//===----------------------------------------------------------------------===//

def Ingot_NegOp : Ingot_UnaryOp<"neg", "The negative", "-x"> {
  let hasFolder = 1;
}
def Ingot_AbsOp : Ingot_UnaryOp<"abs", "The absolute value", "|x|">;
def Ingot_SignOp : Ingot_UnaryOp<"sign", "-1, 0 or 1 by the sign", "sign(x)">;
def Ingot_ExpOp : Ingot_UnaryOp<"exp", "The exponential", "e^x">;
def Ingot_LogOp : Ingot_UnaryOp<"log", "The natural logarithm", "ln x">;
def Ingot_SqrtOp : Ingot_UnaryOp<"sqrt", "The square root", "sqrt(x)">;
def Ingot_RsqrtOp : Ingot_UnaryOp<"rsqrt", "The reciprocal of the square root", "1 / sqrt(x)">;
def Ingot_ReciprocalOp : Ingot_UnaryOp<"reciprocal", "The reciprocal", "1 / x">;
def Ingot_ErfOp : Ingot_UnaryOp<"erf", "The Gauss error function", "erf(x)">;
def Ingot_TanhOp : Ingot_UnaryOp<"tanh", "The hyperbolic tangent", "tanh(x)">;
def Ingot_SigmoidOp : Ingot_UnaryOp<"sigmoid", "The logistic function", "1 / (1 + e^-x)">;
def Ingot_ReluOp : Ingot_UnaryOp<"relu", "The rectifier", "max(x, 0)">;
def Ingot_SiluOp : Ingot_UnaryOp<"silu", "The sigmoid linear unit (swish)", "x * sigmoid(x)">;
def Ingot_SoftplusOp : Ingot_UnaryOp<"softplus", "The smooth rectifier", "ln(1 + e^x)">;
def Ingot_SoftsignOp : Ingot_UnaryOp<"softsign", "The soft sign", "x / (1 + |x|)">;
def Ingot_MishOp : Ingot_UnaryOp<"mish", "The mish activation", "x * tanh(softplus(x))">;
def Ingot_CeilOp : Ingot_UnaryOp<"ceil", "The least integer not below", "ceil(x)">;
def Ingot_FloorOp : Ingot_UnaryOp<"floor", "The greatest integer not above", "floor(x)">;
def Ingot_RoundOp : Ingot_UnaryOp<"round", "The nearest integer, halves to even", "round(x)">;
def Ingot_SinOp : Ingot_UnaryOp<"sin", "The sine", "sin(x)">;
def Ingot_CosOp : Ingot_UnaryOp<"cos", "The cosine", "cos(x)">;
def Ingot_TanOp : Ingot_UnaryOp<"tan", "The tangent", "tan(x)">;
def Ingot_AsinOp : Ingot_UnaryOp<"asin", "The inverse sine", "asin(x)">;
def Ingot_AcosOp : Ingot_UnaryOp<"acos", "The inverse cosine", "acos(x)">;
def Ingot_AtanOp : Ingot_UnaryOp<"atan", "The inverse tangent", "atan(x)">;
def Ingot_SinhOp : Ingot_UnaryOp<"sinh", "The hyperbolic sine", "sinh(x)">;
def Ingot_CoshOp : Ingot_UnaryOp<"cosh", "The hyperbolic cosine", "cosh(x)">;
def Ingot_AsinhOp : Ingot_UnaryOp<"asinh", "The inverse hyperbolic sine", "asinh(x)">;
def Ingot_AcoshOp : Ingot_UnaryOp<"acosh", "The inverse hyperbolic cosine", "acosh(x)">;
def Ingot_AtanhOp : Ingot_UnaryOp<"atanh", "The inverse hyperbolic tangent", "atanh(x)">;
def Ingot_NotOp : Ingot_UnaryOp<"not", "The logical negation", "!x"> {
  let hasFolder = 1;
}
def Ingot_BitNotOp : Ingot_UnaryOp<"bit_not", "The bitwise complement", "~x">;

def Ingot_IsNanOp : Ingot_TestOp<"is_nan", "Whether NaN", "x != x">;
def Ingot_IsInfOp : Ingot_TestOp<"is_inf", "Whether infinite", "|x| == inf"> {
  let arguments = (ins AnyRankedTensor:$x, DefaultValuedAttr<BoolAttr, "true">:$positive,
                       DefaultValuedAttr<BoolAttr, "true">:$negative);
}

def Ingot_GeluOp : Ingot_UnaryOp<"gelu", "The Gaussian error linear unit",
    "x * (1 + erf(x / sqrt(2))) / 2, or its tanh approximation"> {
  let arguments = (ins AnyRankedTensor:$x,
                       DefaultValuedAttr<Ingot_GeluKindAttr, "::ingot::GeluKind::Erf">:$kind);
}

def Ingot_LeakyReluOp : Ingot_UnaryOp<"leaky_relu", "The rectifier with a slope below zero", "x < 0 ? alpha * x : x"> {
  let arguments = (ins AnyRankedTensor:$x, F64Attr:$alpha);
}
def Ingot_EluOp : Ingot_UnaryOp<"elu", "The exponential linear unit", "x < 0 ? alpha * (e^x - 1) : x"> {
  let arguments = (ins AnyRankedTensor:$x, F64Attr:$alpha);
}
def Ingot_CeluOp : Ingot_UnaryOp<"celu", "The continuously differentiable elu", "max(0, x) + min(0, alpha * (e^(x / alpha) - 1))"> {
  let arguments = (ins AnyRankedTensor:$x, F64Attr:$alpha);
}
def Ingot_SeluOp : Ingot_UnaryOp<"selu", "The self-normalizing elu", "gamma * (x > 0 ? x : alpha * (e^x - 1))"> {
  let arguments = (ins AnyRankedTensor:$x, F64Attr:$alpha, F64Attr:$gamma);
}
def Ingot_HardSigmoidOp : Ingot_UnaryOp<"hard_sigmoid", "The piecewise linear sigmoid", "max(0, min(1, alpha * x + beta))"> {
  let arguments = (ins AnyRankedTensor:$x, F64Attr:$alpha, F64Attr:$beta);
}
def Ingot_ThresholdedReluOp : Ingot_UnaryOp<"thresholded_relu", "The identity above a threshold, zero below", "x > alpha ? x : 0"> {
  let arguments = (ins AnyRankedTensor:$x, F64Attr:$alpha);
}
def Ingot_ShrinkOp : Ingot_UnaryOp<"shrink", "Shrinks towards zero outside a band", "x < -lambd ? x + bias : x > lambd ? x - bias : 0"> {
  let arguments = (ins AnyRankedTensor:$x, F64Attr:$lambd, F64Attr:$bias);
}

def Ingot_CastOp : Ingot_UnaryOp<"cast", "The conversion to another element type",
    "(T) x"> {
  let description = [{
    Converts each element to the type `to`. Floats become integers by rounding
    towards zero, anything becomes a boolean by comparison with zero.

    ```mlir
    %1 = ingot.cast %0 {to = f32} : (tensor<?xi64>) -> tensor<?xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$x, TypeAttr:$to,
                       DefaultValuedAttr<BoolAttr, "false">:$bitcast);
  let elementType = "adaptor.getTo()";
  let hasFolder = 1;
}

//===----------------------------------------------------------------------===//
// Two operands
//===----------------------------------------------------------------------===//

def Ingot_AddOp : Ingot_BinaryOp<"add", "The sum", "a + b", [Commutative]> {
  let hasFolder = 1;
}
def Ingot_SubOp : Ingot_BinaryOp<"sub", "The difference", "a - b"> {
  let hasFolder = 1;
}
def Ingot_MulOp : Ingot_BinaryOp<"mul", "The product", "a * b", [Commutative]> {
  let hasFolder = 1;
}
def Ingot_DivOp : Ingot_BinaryOp<"div", "The quotient; integers round towards zero", "a / b"> {
  let hasFolder = 1;
}
def Ingot_PowOp : Ingot_BinaryOp<"pow", "The power; the exponent may have another type", "a ^ b">;
def Ingot_ModOp : Ingot_BinaryOp<"mod", "The remainder with the sign of the divisor", "a - b * floor(a / b)">;
def Ingot_FmodOp : Ingot_BinaryOp<"fmod", "The remainder with the sign of the dividend", "fmod(a, b)">;
def Ingot_MinOp : Ingot_BinaryOp<"min", "The smaller value; NaN wins", "min(a, b)", [Commutative]> {
  let hasFolder = 1;
}
def Ingot_MaxOp : Ingot_BinaryOp<"max", "The larger value; NaN wins", "max(a, b)", [Commutative]> {
  let hasFolder = 1;
}
def Ingot_AndOp : Ingot_BinaryOp<"and", "The logical conjunction", "a && b", [Commutative]> {
  let hasFolder = 1;
}
def Ingot_OrOp : Ingot_BinaryOp<"or", "The logical disjunction", "a || b", [Commutative]> {
  let hasFolder = 1;
}
def Ingot_XorOp : Ingot_BinaryOp<"xor", "The logical exclusive or", "a != b", [Commutative]>;
def Ingot_BitAndOp : Ingot_BinaryOp<"bit_and", "The bitwise conjunction", "a & b", [Commutative]>;
def Ingot_BitOrOp : Ingot_BinaryOp<"bit_or", "The bitwise disjunction", "a | b", [Commutative]>;
def Ingot_BitXorOp : Ingot_BinaryOp<"bit_xor", "The bitwise exclusive or", "a ^ b", [Commutative]>;
def Ingot_ShiftLeftOp : Ingot_BinaryOp<"shift_left", "The bits shifted left", "a << b">;
def Ingot_ShiftRightOp : Ingot_BinaryOp<"shift_right", "The bits shifted right, zeros in", "a >> b">;
def Ingot_PreluOp : Ingot_BinaryOp<"prelu", "The rectifier with a slope tensor", "a < 0 ? a * b : a">;
def Ingot_EqualOp : Ingot_CompareOp<"equal", "Whether equal", "a == b", [Commutative]>;
def Ingot_LessOp : Ingot_CompareOp<"less", "Whether less", "a < b">;
def Ingot_LessEqualOp : Ingot_CompareOp<"less_equal", "Whether less or equal", "a <= b">;
def Ingot_GreaterOp : Ingot_CompareOp<"greater", "Whether greater", "a > b">;
def Ingot_GreaterEqualOp : Ingot_CompareOp<"greater_equal", "Whether greater or equal", "a >= b">;

//===----------------------------------------------------------------------===//
// Three operands
//===----------------------------------------------------------------------===//

def Ingot_WhereOp : Ingot_ElementwiseOp<"where"> {
  let summary = "A choice between two tensors, element by element";
  let description = "`condition ? a : b`, all three broadcast against each other.";
  let arguments = (ins AnyRankedTensor:$condition, AnyRankedTensor:$a, AnyRankedTensor:$b);
  let elementType = "elementTypeOf(adaptor.getA())";
  let hasFolder = 1;
}

def Ingot_ClipOp : Ingot_ElementwiseOp<"clip", [AttrSizedOperandSegments]> {
  let summary = "Limits each element to a range";
  let description = "`min(max(x, low), high)`; an absent bound does not limit.";
  let arguments = (ins AnyRankedTensor:$x, Optional<AnyRankedTensor>:$low,
                       Optional<AnyRankedTensor>:$high);
}

#endif
