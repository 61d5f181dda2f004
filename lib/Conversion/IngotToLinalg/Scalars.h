//===- Scalars.h - the code of one element ----------------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/StringRef.h"

#include <functional>

namespace ingot {

/// The families of element types that scalar code tells apart.
enum ElementKind : unsigned { Float = 1, Signed = 2, Unsigned = 4, Bool = 8 };
inline constexpr unsigned AnyInteger = Signed | Unsigned;
inline constexpr unsigned Number = Float | AnyInteger;
inline constexpr unsigned AnyKind = Number | Bool;

/// The kind of one of the model's element types; 0 if scalar code has none for
/// it.
unsigned kindOf(mlir::Type type);

/// Builds the code of one element. Values are in the types that are computed
/// with: f32 for f16 and bf16, i1 for booleans, signless integers of at least
/// eight bits.
class Scalars : public mlir::ImplicitLocOpBuilder {
public:
  using Value = mlir::Value;
  using Type = mlir::Type;

  /// `types` are the model's types of the operands.
  Scalars(mlir::ImplicitLocOpBuilder &builder, llvm::ArrayRef<Type> types)
      : ImplicitLocOpBuilder(builder), types(types.begin(), types.end()) {}

  /// The type that elements of the model's type `type` are computed with.
  static Type computeType(Type type);
  /// From the type in memory to the one computed with, and back; `type` is the
  /// model's.
  Value load(Value value, Type type);
  Value store(Value value, Type type);

  /// The kind of operand `i`.
  unsigned kind(unsigned i = 0) const { return kindOf(types[i]); }
  bool isFloat() const { return kind() == Float; }
  bool isUnsigned() const { return kind() == Unsigned; }

  /// A constant of the type of `like`.
  Value constant(double value, Value like);
  Value integer(int64_t value, Type type);
  Value index(int64_t value) { return integer(value, getIndexType()); }
  /// A value computed with as `from` (a model's type) as one of type `to`.
  Value convert(Value value, Type from, Type to);

  Value add(Value a, Value b);
  Value sub(Value a, Value b);
  Value mul(Value a, Value b);
  /// The quotient; integers round towards zero, by zero they give zero.
  Value div(Value a, Value b);
  /// The remainder with the sign of the dividend; by zero zero.
  Value remainder(Value a, Value b);
  Value min(Value a, Value b);
  Value max(Value a, Value b);
  Value neg(Value a);
  Value abs(Value a);
  Value select(Value condition, Value a, Value b);
  Value equal(Value a, Value b);
  Value notEqual(Value a, Value b);
  Value less(Value a, Value b);
  Value lessEqual(Value a, Value b);
  Value logicalAnd(Value a, Value b);
  Value logicalOr(Value a, Value b);
  Value exp(Value a);
  Value tanh(Value a);
  /// ln(1 + e^x) without overflow.
  Value softplus(Value a);

  /// The model's types of the operands.
  const llvm::SmallVector<Type, 3> types;

private:
  Value toInteger(Value value, Type to, bool isUnsigned);
};

/// How an elementwise op computes one element.
struct ScalarFunction {
  /// The kinds that its first operand may have.
  unsigned kinds = 0;
  std::function<mlir::Value(Scalars &, mlir::Operation *,
                            llvm::ArrayRef<mlir::Value>)>
      emit;
};

/// The function of the op called `name`; null if there is none.
const ScalarFunction *scalarFunctionOf(llvm::StringRef name);

} // namespace ingot
