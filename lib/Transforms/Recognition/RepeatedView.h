//===- RepeatedView.h - tensors that repeat fewer elements ------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Exporters repeat the parameters of quantized blocks by broadcasts, tiles,
// reshapes and transposes in any order. Here such a chain is one map from the
// elements of its result to those of the tensor that it starts from.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "Matchers.h"

namespace ingot {

/// Which elements of a tensor share a parameter: those of `block` places along
/// `axis`; all along the other dims too if `block` is 0, and everywhere if
/// `axis` is negative. These are the forms that `dequantize` has.
struct ParameterForm {
  int64_t axis = -1, block = 0;

  /// The dims of the parameter of a tensor of the shape `shape`.
  llvm::SmallVector<int64_t> dimsFor(llvm::ArrayRef<int64_t> shape) const;
};

/// A tensor of constant shape each element of which is an element of `source`.
class RepeatedView {
public:
  /// Nothing for shapes that are not constant or elements that are none.
  static std::optional<RepeatedView> of(mlir::Value value);
  /// The view of a dequantize's parameter that belongs to its codes.
  static std::optional<RepeatedView> ofParameter(mlir::Value parameter,
                                                 ParameterForm form,
                                                 llvm::ArrayRef<int64_t> shape);

  /// The same elements with the dims `shape`, as reshape and broadcasting
  /// (which adds dims and repeats those of extent one) have them; whether that
  /// is a view.
  bool reshape(llvm::ArrayRef<int64_t> shape);
  bool broadcast(llvm::ArrayRef<int64_t> shape);

  /// The coarsest form that tells all elements.
  std::optional<ParameterForm> form() const;
  /// Whether elements that share a parameter of this form are equal here.
  bool has(ParameterForm form) const;

  /// The parameter of a form that the view has, with the dims that `dequantize`
  /// wants.
  mlir::Value build(mlir::OpBuilder &builder, mlir::Location loc,
                    ParameterForm form, ShapeAnalysis &shapes) const;

private:
  /// A part of a dim: so many steps of so many elements of the source.
  struct Factor {
    int64_t extent, stride;
  };
  using Dim = llvm::SmallVector<Factor, 2>;

  /// All elements of a tensor of constant shape, as they are.
  explicit RepeatedView(mlir::Value source);
  /// What an op makes of this; false if that is no view.
  bool apply(mlir::Operation *op);
  llvm::SmallVector<int64_t> shape() const;
  /// How many places at the end of a dim repeat one element.
  static int64_t repeats(const Dim &dim);
  static bool isRepeated(const Dim &dim);
  /// Keeps one of `count` places at the end of a dim; false if the factors do
  /// not allow it.
  static bool dropLast(Dim &dim, int64_t count);

  mlir::Value source;
  mlir::Type element;
  llvm::SmallVector<Dim> dims;
};

} // namespace ingot
