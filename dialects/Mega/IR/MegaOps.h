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

#define GET_OP_CLASSES
#include "dialects/Mega/IR/MegaOps.h.inc"
