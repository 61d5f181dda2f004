//===- Program.h - a program by the roles of its arguments ------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dialects/Ingot/IR/DimExpr.h"
#include "dialects/Mega/IR/MegaOps.h"
#include "ingot/Transforms/Entries.h"
#include "lib/Conversion/MegaToCpu/DimArith.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/IRMapping.h"

#include <string>

namespace ingot {

/// Runtime checks and their messages. Ids are indices; 0 means no error.
class ErrorTable {
public:
  explicit ErrorTable(mlir::ModuleOp module);
  /// The id of `message`, which is added if it is new.
  int32_t idOf(llvm::StringRef message);

private:
  mlir::ModuleOp module;
  llvm::SmallVector<mlir::Attribute> messages;
};

/// The symbols and bounds that a module declares, in manifest order.
struct SymbolInfo {
  std::string name;
  int64_t min = 0;
  std::optional<int64_t> max;
};

/// The program that the entry points are made from. Its
/// arguments have roles (`ingot.role`); its results are the dims of the
/// outputs followed by the bytes of the arena.
struct Program {
  mega::ProgramOp main;
  /// What the names of its two functions end in; empty for the main program.
  std::string suffix;
  llvm::SmallVector<unsigned> inputs, outputs;
  llvm::SmallVector<SymbolInfo> symbols;
  /// Dims of each input, by position in `inputs`.
  llvm::SmallVector<DimShape> inputDims;

  /// Takes `main` apart. Dynamic dims of inputs without `ingot.dims` get
  /// symbols of their own.
  static mlir::FailureOr<Program> create(mega::ProgramOp main,
                                         std::string suffix);

  mlir::StringRef roleOf(unsigned argument) const;
  /// What messages call an input: its ONNX name or its number.
  std::string inputName(unsigned position) const;
  /// The dim that `op` asks for if it is one of an input.
  std::optional<DimExpr> inputDim(mlir::memref::DimOp op) const;
};

/// Clones into `b`'s place the pure computation of `value` in the program's
/// body; sizes become arithmetic. Null, with an error, if it reads memory.
mlir::Value cloneSize(mlir::OpBuilder &b, const Program &program,
                      const DimArith &dims, mlir::Value value,
                      mlir::IRMapping &map);

/// Emits the function from dims to sizes, `ingot_sizes` and the suffix
/// (IngotSizesFn of runtime/core/Abi.h).
mlir::LogicalResult emitSizes(const Program &program, ErrorTable &errors);

/// Emits the function of a worker, `ingot_entry` and the suffix (IngotEntryFn
/// of runtime/core/Abi.h); the body of the program moves into it. If other
/// programs call it, the body becomes a function of its own (EmitCall.h).
mlir::LogicalResult emitEntry(const Program &program, bool isCalled,
                              ErrorTable &errors);

/// Emits the runtime check: unless `condition` holds, `id` becomes the run's
/// error if it has none yet.
void emitCheck(mlir::OpBuilder &b, mlir::Location loc, mlir::Value condition,
               int32_t id, mlir::Value error);

} // namespace ingot
