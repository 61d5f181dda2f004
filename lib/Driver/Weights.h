//===- Weights.h - what the artifact keeps of the model's weights *- C++
//-*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ingot/Analysis/WeightFiles.h"
#include "mlir/IR/BuiltinOps.h"

#include <span>
#include <string>
#include <vector>

namespace ingot {

/// One weight that a module declares.
struct WeightRecord {
  std::string name;
  mlir::Location loc;
  mlir::RankedTensorType type;
  /// Where it comes from; no file if weight functions compute it.
  std::string file;
  uint64_t offset = 0, length = 0;
  /// Its place in the weights section, if the program reads it.
  std::optional<uint64_t> place;
};

/// A call of a weight function.
struct WeightCall {
  /// The names of its two entry points in the image.
  std::string sizesSymbol, entrySymbol;
  /// What it reads and makes, as indices of records.
  std::vector<size_t> inputs, outputs;
};

/// The weights of a module, and the calls that make some of them.
struct WeightTable {
  std::vector<WeightRecord> records;
  std::vector<WeightCall> calls;
  /// Bytes of the weights section.
  uint64_t sectionBytes = 0;

  WeightTable() = default;
  /// `functions` may be null.
  WeightTable(mlir::ModuleOp module, mlir::ModuleOp functions);
};

/// Copies the weights that the program uses as they are to their places in
/// `section`; tells the share done after each.
mlir::LogicalResult copyWeights(const WeightTable &table, WeightFiles &files,
                                std::span<unsigned char> section,
                                llvm::function_ref<void(double)> report);

/// Runs the weight functions' image: reads weights from their files and writes
/// new ones to their places in `section`.
mlir::LogicalResult runWeightFunctions(const WeightTable &table,
                                       mlir::Location loc,
                                       llvm::ArrayRef<char> image,
                                       WeightFiles &files,
                                       std::span<unsigned char> section);

} // namespace ingot
