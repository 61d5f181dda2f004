//===- IngotOps.td - the whole dialect ---------------------*- tablegen -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_OPS
#define INGOT_OPS

include "dialects/Ingot/IR/IngotCacheOps.td"
include "dialects/Ingot/IR/IngotConvOps.td"
include "dialects/Ingot/IR/IngotElementwiseOps.td"
include "dialects/Ingot/IR/IngotQuantOps.td"
include "dialects/Ingot/IR/IngotReduceOps.td"
include "dialects/Ingot/IR/IngotShapeOps.td"
include "dialects/Ingot/IR/IngotStructuredOps.td"
include "dialects/Ingot/IR/IngotSymbolOps.td"

#endif
