//===- InputRoles.h - tokens and positions among inputs ---------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "lib/Transforms/Decoder/DecoderModel.h"

namespace ingot {

/// Finds the inputs that hold tokens and positions; reports inputs of which the
/// meaning is not clear.
mlir::LogicalResult assignInputRoles(mlir::func::FuncOp func,
                                     ShapeAnalysis &shapes, Decoder &decoder);

/// The least number of rows of the tables that `value`, a tensor of positions,
/// chooses from; 0 for none.
int64_t rowsOfTables(mlir::Value value);

} // namespace ingot
