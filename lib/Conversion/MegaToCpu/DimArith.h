//===- DimArith.h - dim expressions as index arithmetic ---------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dialects/Ingot/IR/DimExpr.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringMap.h"

namespace ingot {

/// Computes dim expressions from the values of the symbols. Division is guarded
/// against zero, so that no value of a symbol leads to undefined behaviour.
class DimArith {
public:
  /// Values for symbols that `symbols` lacks are unknown: emit() fails on them.
  explicit DimArith(llvm::StringMap<mlir::Value> symbols = {})
      : symbols(std::move(symbols)) {}

  /// Sets the value of a symbol.
  void bind(llvm::StringRef name, mlir::Value value) { symbols[name] = value; }
  bool isBound(llvm::StringRef name) const { return symbols.contains(name); }

  /// The value of `expr`, or null if one of its symbols has none.
  mlir::Value emit(mlir::OpBuilder &b, mlir::Location loc,
                   const DimExpr &expr) const;

private:
  mlir::Value emitAtom(mlir::OpBuilder &b, mlir::Location loc,
                       const DimExpr::Atom &atom) const;

  llvm::StringMap<mlir::Value> symbols;
};

} // namespace ingot
