//===- DimRewriting.h - parts of dims in place of others --------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dialects/Ingot/IR/DimExpr.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace ingot {

/// `expr` with each minimum in it replaced by what `replace` gives for it, from
/// the inside out; where that is nothing the minimum stays.
DimExpr
replaceMinima(const DimExpr &expr,
              llvm::function_ref<std::optional<DimExpr>(const DimExpr &a,
                                                        const DimExpr &b)>
                  replace);

/// Replaces every dim in the attributes of `root` and of the ops in it. Types
/// stay as they are.
void replaceDims(mlir::Operation *root,
                 llvm::function_ref<DimExpr(const DimExpr &)> change);

/// Makes types as exact as the expressions of the dims have become.
void refineTypes(mlir::func::FuncOp function);

} // namespace ingot
