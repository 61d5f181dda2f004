//===- Errors.h - the reasons against a model ---------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_LIB_IMPORT_ONNX_ERRORS_H
#define INGOT_LIB_IMPORT_ONNX_ERRORS_H

#include "ingot/Import/Onnx/Import.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/Twine.h"

namespace ingot::onnxin {

/// Collects what is wrong with a model; equal reasons are counted.
class Errors {
public:
  explicit Errors(std::vector<ImportError> &list) : list(list) {}

  /// Records a reason at a node (empty where it belongs to none).
  void add(llvm::StringRef tag, const llvm::Twine &message,
           llvm::StringRef node = {});
  bool empty() const { return list.empty(); }
  /// How many reasons were recorded, equal ones included.
  size_t recorded() const { return added; }

private:
  std::vector<ImportError> &list;
  size_t added = 0;
  llvm::StringMap<size_t> places;
};

// The closed list of tags.
inline constexpr llvm::StringLiteral kUnsupportedOp = "unsupported op:";
inline constexpr llvm::StringLiteral kUnsupportedDtype = "unsupported dtype:";
inline constexpr llvm::StringLiteral kUnsupportedOpset = "unsupported opset:";
inline constexpr llvm::StringLiteral kUnsupportedAttribute =
    "unsupported attribute:";
inline constexpr llvm::StringLiteral kDataDependent = "data-dependent shape:";
inline constexpr llvm::StringLiteral kUnsupportedType = "unsupported type:";
inline constexpr llvm::StringLiteral kSubgraph = "subgraph:";

} // namespace ingot::onnxin

#endif // INGOT_LIB_IMPORT_ONNX_ERRORS_H
