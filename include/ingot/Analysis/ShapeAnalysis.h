//===- ShapeAnalysis.h - dims of values as expressions ----------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dialects/Ingot/IR/DimExpr.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/DenseMap.h"

namespace ingot {

/// Argument attribute of functions: the dims of a tensor argument.
inline constexpr llvm::StringLiteral dimsAttrName = "ingot.dims";
/// Argument and result attribute of functions: the model's own name.
inline constexpr llvm::StringLiteral nameAttrName = "ingot.name";

/// Knows the dims of tensor values as expressions over the module's symbolic
/// dims. Results are cached: make a new analysis after rewriting what was
/// asked for (new values may be asked for at any time).
class ShapeAnalysis {
public:
  /// The shape of a ranked tensor value. Dims of which nothing is known are
  /// symbols of their own, equal to nothing else.
  const DimShape &shapeOf(mlir::Value value);

  /// The value of an index as an expression, if it is one. `other` may know
  /// values that this does not, also those that `value` is computed from; what
  /// is found with it is cached, so it is the same in all calls.
  using OtherValues = llvm::function_ref<std::optional<DimExpr>(mlir::Value)>;
  std::optional<DimExpr> indexValue(mlir::Value value,
                                    OtherValues other = nullptr);

  /// Whether the dims of the two values are provably equal.
  bool sameShape(mlir::Value a, mlir::Value b) {
    return DimShape(shapeOf(a)) == shapeOf(b);
  }

private:
  DimShape compute(mlir::Value value);
  DimShape computeResult(mlir::OpResult result);
  std::optional<DimExpr> computeIndex(mlir::Value value, OtherValues other);
  DimExpr unknown();
  /// Static extents of the type; unknown symbols for the others.
  DimShape fromType(mlir::Value value);

  llvm::DenseMap<mlir::Value, DimShape> shapes;
  llvm::DenseMap<mlir::Value, std::optional<DimExpr>> indices;
  unsigned numUnknown = 0;
};

} // namespace ingot
