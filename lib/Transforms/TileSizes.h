//===- TileSizes.h - how a stage is cut into tiles --------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "mlir/Interfaces/TilingInterface.h"

namespace ingot {

/// Tile sizes for the iteration domain of `op`, one a loop; 0 leaves a loop
/// whole. All zero means that the op is one tile. The choice depends on types
/// and interfaces alone, so that results do not depend on the team's size.
llvm::SmallVector<int64_t> chooseTileSizes(mlir::TilingInterface op);

/// What the offsets of `op`'s tiles are multiples of, one a loop.
llvm::SmallVector<int64_t> tileUnits(mlir::TilingInterface op);

/// True if `op` reuses its operands (a contraction): computing part of it
/// twice is expensive and its tiles are cut in two dims.
bool isContraction(mlir::Operation *op);

} // namespace ingot
