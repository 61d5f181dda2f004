//===- TileHintInterface.h - how a target likes ops cut ---------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "mlir/IR/OpDefinition.h"

#include "lib/Interfaces/TileHintInterface.h.inc"

namespace ingot {

/// Attribute of an op whose tile was chosen, a dictionary: `of`, what a choice
/// is for, as text, and `sizes`, rows, columns and depth of a block of K (zero
/// for what is not cut).
inline constexpr llvm::StringLiteral tileAttrName = "ingot.tile";

} // namespace ingot
