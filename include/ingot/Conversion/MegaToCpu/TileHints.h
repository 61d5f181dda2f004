//===- TileHints.h - the tiles that CPU kernels like ------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace ingot {

/// Attaches TileHintInterface to the ops that have a CPU kernel with reuse.
void registerCpuTileHints(mlir::DialectRegistry &registry);

} // namespace ingot
