//===- Products.h - products with matrices ----------------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "Emitter.h"

namespace ingot {

/// f32 where all the model's types are f32 or shorter floats, which are
/// computed with as f32; null for other types.
mlir::Type kernelType(llvm::ArrayRef<mlir::Type> types);

std::string textOf(mlir::Type type);

/// The tokens of all rows of the batch one after the other: the first two dims
/// of four as one.
Tensor tokens(Emitter &e, const Tensor &x);

/// Columns of a packed weight matrix that lie beside each other.
inline constexpr int64_t panelWidth = 16;

/// A K x N matrix as ceil(N/16) x K x 16, padded with zeros.
Tensor packColumns(Emitter &e, const Tensor &w);

/// A K x N matrix of bf16 as ceil(N/16) x ceil(K/2) x 16 x 2, padded with
/// zeros.
Tensor packPairs(Emitter &e, const Tensor &w);

/// The product of two matrices, or of two stacks of matrices of rank three with
/// equal first dims, of the model's types, as type `result`.
Tensor multiply(Emitter &e, const Tensor &a, const Tensor &b, mlir::Type typeA,
                mlir::Type typeB, mlir::Type result);

/// The product of rows of f32 with the weight of `op`, as f32, where the weight
/// is kept as codes; nothing where it is not.
std::optional<Tensor> multiplyCodes(Emitter &e, LinearOp op, const Tensor &x);

/// Reads the element of a K x N weight at a row and a column.
using ReadElement = std::function<mlir::Value(mlir::ImplicitLocOpBuilder &,
                                              mlir::Value k, mlir::Value n)>;

/// How to read from what `multiplyCodes` keeps of the weight `w`: its values as
/// f32, or its codes; nothing where it is not kept as codes.
std::optional<ReadElement> readValues(Emitter &e, mlir::Value w);
std::optional<ReadElement> readCodes(Emitter &e, mlir::Value w);

/// `x` plus a vector along its last dim, both of the model's type `type`.
Tensor addBias(Emitter &e, const Tensor &x, const Tensor &bias,
               mlir::Type type);

} // namespace ingot
