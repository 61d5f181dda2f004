//===- MegaDialect.cpp - the mega dialect ---------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Mega/IR/MegaDialect.h"

#include "dialects/Mega/IR/CallOps.h"
#include "dialects/Mega/IR/CounterOps.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace ingot::mega;

#include "dialects/Mega/IR/MegaDialect.cpp.inc"
#include "dialects/Mega/IR/MegaEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/Mega/IR/MegaAttrs.cpp.inc"

void MegaDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/Mega/IR/MegaAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/Mega/IR/MegaOps.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/Mega/IR/CallOps.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/Mega/IR/CounterOps.cpp.inc"
      >();
}
