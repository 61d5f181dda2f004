//===- IngotOps.h - ops, attributes and interfaces of the dialect -*- C++
//-*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dialects/Ingot/IR/DimExpr.h"
#include "dialects/Ingot/IR/IngotDialect.h"
#include "dialects/Ingot/IR/ShapeSupport.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/TilingInterface.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

#include "dialects/Ingot/IR/IngotEnums.h.inc"

#include "dialects/Ingot/IR/IngotInterfaces.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/Ingot/IR/IngotAttrs.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/Ingot/IR/IngotTypes.h.inc"

namespace ingot {

/// Positions that one page of a cache holds.
inline constexpr int64_t cachePagePositions = 128;

/// What a page's part of a result holds beside its values: the sum of their
/// factors and the largest score.
inline constexpr int64_t pagePartExtra = 2;

/// What is kept in a cache: stores of keys do not touch values.
struct CacheKeys : mlir::SideEffects::Resource::Base<CacheKeys> {
  llvm::StringRef getName() final { return "keys"; }
};
struct CacheValues : mlir::SideEffects::Resource::Base<CacheValues> {
  llvm::StringRef getName() final { return "values"; }
};

/// Marks ops whose result element depends on one element of each operand,
/// under numpy broadcasting.
template <typename ConcreteOp>
class Elementwise : public mlir::OpTrait::TraitBase<ConcreteOp, Elementwise> {};

} // namespace ingot

#define GET_OP_CLASSES
#include "dialects/Ingot/IR/IngotOps.h.inc"
