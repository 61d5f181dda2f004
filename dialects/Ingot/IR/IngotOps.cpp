//===- IngotOps.cpp - generated definitions of the ops --------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/IngotOps.h"

#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace ingot;

#define GET_OP_CLASSES
#include "dialects/Ingot/IR/IngotOps.cpp.inc"
