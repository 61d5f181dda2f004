//===- Matchers.h - what the recognition passes ask of values ---*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Small questions about values, asked by meaning: never by a name, and with a
// tolerance where a constant is the rounding of a real number.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dialects/Ingot/IR/IngotOps.h"
#include "ingot/Analysis/ShapeAnalysis.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/PatternMatch.h"

#include <optional>
#include <utility>

namespace ingot {

/// The rank of a tensor value.
int64_t rankOf(mlir::Value value);

/// The number that every element of a constant is; looks through reshapes,
/// broadcasts and casts between floats.
std::optional<double> splatConstant(mlir::Value value);

/// As splatConstant, for a value of one element: multiplying by it changes no
/// shape of a higher rank.
std::optional<double> scalarConstant(mlir::Value value);

/// Whether `value` is the number `expected` up to the rounding of its type.
bool isScalar(mlir::Value value, double expected);
bool isClose(double a, double b, mlir::Type type);

/// The two operands of a commutative op such that `isSecond` holds of the
/// second one; empty if it holds of neither.
template <typename OpTy, typename Predicate>
std::optional<std::pair<mlir::Value, mlir::Value>>
matchCommuted(mlir::Value value, Predicate isSecond) {
  auto op = value.getDefiningOp<OpTy>();
  if (!op)
    return std::nullopt;
  if (isSecond(op.getB()))
    return std::make_pair(op.getA(), op.getB());
  if (isSecond(op.getA()))
    return std::make_pair(op.getB(), op.getA());
  return std::nullopt;
}

/// The other operand of a commutative op of which one operand is `given`.
template <typename OpTy>
mlir::Value otherOperand(mlir::Value value, mlir::Value given) {
  auto op = value.getDefiningOp<OpTy>();
  if (!op)
    return {};
  if (op.getA() == given)
    return op.getB();
  return op.getB() == given ? op.getA() : mlir::Value();
}

/// The ops that read the elements of a value, once per operand: asking for its
/// dims is no use.
llvm::SmallVector<mlir::Operation *> readersOf(mlir::Value value);

/// The only reader of a value; null if there are none or several.
mlir::Operation *onlyReaderOf(mlir::Value value);

/// x and c where the value is `x * c` or `x / (1 / c)` for a scalar constant c.
struct Scaled {
  mlir::Value x;
  double factor;
};
std::optional<Scaled> matchScaled(mlir::Value value);

/// Whether a value depends on weights and constants alone, however deep.
class WeightAnalysis {
public:
  bool isWeight(mlir::Value value);

private:
  llvm::DenseMap<mlir::Value, bool> known;
};

/// Rewrites a function without erasing anything until the end, so that
/// analyses keyed by values stay valid in between.
class GraphRewriter {
public:
  explicit GraphRewriter(mlir::Operation *root) : root(root) {}

  ShapeAnalysis shapes;

  /// Uses `with` wherever `value` is used. A type that is less or more exact
  /// is adapted, because some users insist on theirs.
  void replace(mlir::Value value, mlir::Value with);

  /// Erases what has become useless. Invalidates `shapes`.
  void eraseDead();
  bool changed() const { return anyChange; }

private:
  mlir::Operation *root;
  bool anyChange = false;
};

/// `x` in another order of dims; `x` itself for the identity, and merged with
/// a transpose that makes `x`.
mlir::Value buildTranspose(mlir::OpBuilder &builder, mlir::Location loc,
                           mlir::Value x, llvm::ArrayRef<int64_t> permutation);

/// `x` with the dims `to`; `x` itself if it has them.
mlir::Value buildReshape(mlir::OpBuilder &builder, mlir::Location loc,
                         mlir::Value x, llvm::ArrayRef<DimExpr> to,
                         ShapeAnalysis &shapes);

/// A rank-0 constant, rounded to a float type or wrapped to an integer type.
mlir::Value buildScalar(mlir::OpBuilder &builder, mlir::Location loc,
                        double value, mlir::Type type);

} // namespace ingot
