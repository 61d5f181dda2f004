//===- BufferTable.h - which stage touches which buffer ---------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dialects/Mega/IR/MegaOps.h"
#include "ingot/Analysis/ShapeAnalysis.h"

namespace ingot {

/// The buffers between the stages of a program whose memory is planned,
/// described for people: inputs and outputs by name, parts of the arena by
/// offset and size. Weights and caches are not among them.
class BufferTable {
public:
  explicit BufferTable(mega::ProgramOp program) : program(program) {}

  /// Adds to `stage`, the description of `tiles`, what they read and write.
  void describe(mega::TilesOp tiles, mlir::NamedAttrList &stage);

  /// The buffers that were met, by number.
  mlir::ArrayAttr buffers();

private:
  std::optional<int64_t> numberOf(mlir::Value buffer);
  mlir::DictionaryAttr descriptionOf(mlir::Value buffer);
  std::optional<DimExpr> sizeOf(mlir::Value value);

  mega::ProgramOp program;
  ShapeAnalysis shapes;
  llvm::MapVector<mlir::Value, mlir::DictionaryAttr> table;
};

} // namespace ingot
