//===- TileHints.h - the tiles that CPU kernels like ------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ingot/Conversion/MegaToCpu/TileCosts.h"

#include <optional>

namespace mlir {
class DialectRegistry;
class Operation;
} // namespace mlir

namespace ingot {

/// Attaches TileHintInterface to the ops that have a CPU kernel with reuse.
void registerCpuTileHints(mlir::DialectRegistry &registry);

/// What the cost model has to know of an op; nothing if its tiles are not
/// chosen by it.
std::optional<TileShape> tileShapeOf(mlir::Operation *op);

/// The tile of an op whose shape is known: that of its attribute
/// (tileAttrName), else the default machine's.
Tile tileOf(mlir::Operation *op, const TileShape &shape);
void setTile(mlir::Operation *op, const TileShape &shape, const Tile &tile);

} // namespace ingot
