//===- KernelBuilder.h - shorthand for writing kernels ----------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace ingot {

/// A builder with one location and short names for what kernels do most.
/// Arithmetic takes scalars and vectors alike.
class KernelBuilder : public mlir::ImplicitLocOpBuilder {
  using Value = mlir::Value;
  using ValueRange = mlir::ValueRange;
  using Type = mlir::Type;

public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;

  /// An index constant.
  Value index(int64_t value);
  /// `value` of `type`, or a vector of it.
  Value splat(Type type, double value);
  Value splatInt(Type type, int64_t value);
  /// A scalar as a vector of `lanes`; the scalar itself if `lanes` is 0.
  Value broadcast(Value scalar, int64_t lanes);
  /// A float, or a vector of them, with another float as its element.
  Value castFloat(Value value, Type element);
  /// An element, or a vector of them, as `type`, which is as wide or wider.
  Value widen(Value value, Type type);

  Value add(Value a, Value b);
  Value sub(Value a, Value b);
  Value mul(Value a, Value b);
  Value div(Value a, Value b);
  /// a * b + c with one rounding.
  Value fma(Value a, Value b, Value c);
  /// The larger of two floats neither of which is NaN.
  Value maxNotNan(Value a, Value b);
  Value minIndex(Value a, Value b);
  Value maxIndex(Value a, Value b);
  Value compare(mlir::arith::CmpIPredicate predicate, Value a, Value b);
  Value compare(mlir::arith::CmpFPredicate predicate, Value a, Value b);
  Value select(Value condition, Value a, Value b);

  /// memref.dim, folded where the type knows it.
  Value dim(Value memref, int64_t dim);
  Value load(Value memref, ValueRange indices);
  void store(Value value, Value memref, ValueRange indices);
  Value loadVector(mlir::VectorType type, Value memref, ValueRange indices);
  void storeVector(Value value, Value memref, ValueRange indices);
  /// The lanes below `count`.
  Value mask(Value count, int64_t lanes);

  /// `for i = lower to upper step step`; the body gets i and the carried
  /// values and answers with the next ones.
  using LoopBody =
      llvm::function_ref<llvm::SmallVector<Value>(Value, ValueRange)>;
  llvm::SmallVector<Value> loop(Value lower, Value upper, int64_t step,
                                ValueRange carried, LoopBody body);
  void loop(Value lower, Value upper, int64_t step,
            llvm::function_ref<void(Value)> body);
  /// An scf.if without results; `otherwise` may be empty.
  void when(Value condition, llvm::function_ref<void()> then,
            llvm::function_ref<void()> otherwise = nullptr);
};

/// Whether the last dim of a memref is known to be contiguous.
bool isLastDimContiguous(mlir::Value memref);

} // namespace ingot
