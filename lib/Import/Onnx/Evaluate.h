//===- Evaluate.h - shape arithmetic done while importing -------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_LIB_IMPORT_ONNX_EVALUATE_H
#define INGOT_LIB_IMPORT_ONNX_EVALUATE_H

#include "Importer.h"
#include "Registry.h"

namespace ingot::onnxin {

/// Computes the elements of a node's result from those of its operands, all of
/// which are known; nothing where they cannot be expressed.
using Evaluated = std::optional<Contents>;
using Evaluator = Evaluated (*)(NodeContext &);

struct EvaluationRule {
  Evaluator evaluate;
  /// The element type of the result: of this input, or boolean if negative.
  int typeFrom = 0;
};
using EvaluationRules = llvm::StringMap<EvaluationRule>;

/// Ops that compute with elements, and ops that move or count them.
void addArithmeticRules(EvaluationRules &rules);
void addMovementRules(EvaluationRules &rules);

/// Whether a node of ONNX's own op may be computed while importing where its
/// operands are known.
bool canEvaluate(llvm::StringRef op);

/// The number of elements, capped just above what contents can hold.
int64_t countElements(llvm::ArrayRef<int64_t> shape);
/// numpy's broadcast of the shapes, if it exists and is small.
std::optional<llvm::SmallVector<int64_t>>
broadcastShape(llvm::ArrayRef<const Contents *> operands);
/// Strides of `from` when it is read at indices of a broadcast of that rank.
llvm::SmallVector<int64_t> broadcastStrides(llvm::ArrayRef<int64_t> from,
                                            size_t rank);

/// Calls `visit` with each index of `shape`, in order, while it is true.
template <typename Visit>
bool forEachIndex(llvm::ArrayRef<int64_t> shape, Visit visit) {
  llvm::SmallVector<int64_t> index(shape.size(), 0);
  for (int64_t left = countElements(shape); left > 0; --left) {
    if (!visit(llvm::ArrayRef<int64_t>(index)))
      return false;
    for (size_t axis = shape.size(); axis-- > 0;) {
      if (++index[axis] < shape[axis])
        break;
      index[axis] = 0;
    }
  }
  return true;
}

/// Whether `number` is a value of the type `to`.
bool fitsType(const Number &number, Type to);

// Ops whose result type comes from elsewhere.
Evaluated castElements(NodeContext &n);
Evaluated shapeOf(NodeContext &n);
Evaluated sizeOf(NodeContext &n);
Evaluated filledShape(NodeContext &n);

} // namespace ingot::onnxin

#endif // INGOT_LIB_IMPORT_ONNX_EVALUATE_H
