//===- RelativeBias.h - biases that depend on a distance --------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "lib/Transforms/Decoder/DecoderModel.h"
#include "lib/Transforms/Recognition/MaskForm.h"

namespace ingot {

/// The first distance between a query and a key for which a RelativeBias is not
/// known.
inline constexpr int64_t maxBiasDistance = 1 << 16;

/// Takes a bias of scores for a choice from a table by the distance between a
/// query, the first of which stands at position `offset`, and a key before it;
/// empty if it is something else.
std::optional<RelativeBias> findRelativeBias(mlir::Value bias,
                                             const AttentionExtents &extents,
                                             const DimExpr &offset,
                                             ShapeAnalysis &shapes);

/// The bias by head and distance (H x L, f32), made of weights alone.
mlir::Value buildRelativeBias(mlir::OpBuilder &builder, mlir::Location loc,
                              const RelativeBias &bias);

} // namespace ingot
