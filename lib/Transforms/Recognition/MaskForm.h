//===- MaskForm.h - the normal form of attention masks ----------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "MaskAnalysis.h"

namespace ingot {

/// Which keys a query sees, as ingot.attention says it.
struct MaskForm {
  /// Conditions on (batch, key) alone.
  llvm::SmallVector<MaskAtom> keyAtoms;
  bool causal = false;
  /// key <= query + offset
  DimExpr offset;
  /// Visible positions, self included; 0 for all.
  int64_t window = 0;
};

/// The extents of an attention.
struct AttentionExtents {
  DimExpr batch, heads, queries, keys;
};

/// The normal form of a predicate; empty if it has none.
std::optional<MaskForm> reduceMask(const MaskPredicate &predicate,
                                   const AttentionExtents &extents,
                                   ShapeAnalysis &shapes);

/// The key mask (batch x keys, i1) of a form; null if it has no conditions.
mlir::Value buildKeyMask(mlir::OpBuilder &builder, mlir::Location loc,
                         const MaskForm &form, const AttentionExtents &extents,
                         ShapeAnalysis &shapes);

/// The offset operand of a causal form; null for keys - queries.
mlir::Value buildQueryOffset(mlir::OpBuilder &builder, mlir::Location loc,
                             const MaskForm &form,
                             const AttentionExtents &extents);

/// An additive mask split into where it hides keys and what it adds.
struct AdditiveMask {
  /// Where keys are visible.
  MaskPredicate visible;
  /// What is added to the scores of hidden keys.
  double fill = 0.0;
  /// What is added besides; null for nothing.
  mlir::Value bias;
};

/// Splits `mask`, an addend of scores; the whole of it is the bias if it hides
/// nothing that can be told.
AdditiveMask splitMask(mlir::Value mask, MaskAnalysis &analysis);

/// Whether adding `fill` to a score of this type hides a key for certain.
bool hidesKeys(double fill, mlir::Type type);

/// A bias with four dims, each of extent one or that of the scores; null if it
/// has not the shape of one.
mlir::Value buildBias(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value bias, const AttentionExtents &extents,
                      ShapeAnalysis &shapes);

} // namespace ingot
