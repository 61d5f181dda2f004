//===- MegaOps.h - ops of whole-model programs ------------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dialects/Mega/IR/MegaDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

#include "dialects/Mega/IR/MegaEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/Mega/IR/MegaAttrs.h.inc"

namespace ingot::mega {
class BarrierOp;
class TilesOp;

/// What workers run from one meeting to the next, at most: a prologue of a
/// stage, or what follows the prologues.
struct StageStep {
  mlir::Block *block;
  /// Where it holds every worker runs all tiles for itself; null for never.
  mlir::Value each;
  bool isPrologue;

  auto getTiles() const { return block->getOps<TilesOp>(); }
  /// Behind the tiles; null for none.
  BarrierOp getBarrier() const;
};
} // namespace ingot::mega

#define GET_OP_CLASSES
#include "dialects/Mega/IR/MegaOps.h.inc"
