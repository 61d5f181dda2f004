//===- Contents.h - small integer tensors as dim expressions ------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Exporters compute shapes with tensors. Such tensors are small, and their
// elements are functions of the input dims: here they are kept as quotients of
// a dimension expression and a constant, so that arithmetic on them needs no
// code in the compiled program.
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_LIB_IMPORT_ONNX_CONTENTS_H
#define INGOT_LIB_IMPORT_ONNX_CONTENTS_H

#include "ModelFile.h"
#include "dialects/Ingot/IR/DimExpr.h"
#include "llvm/ADT/APInt.h"
#include <memory>
#include <optional>
#include <vector>

namespace ingot::onnxin {

/// An element: `num / den` with a positive `den`. Elements of integer and
/// boolean tensors have `den` 1.
struct Number {
  DimExpr num;
  int64_t den = 1;

  static Number of(int64_t value) { return {DimExpr::constant(value), 1}; }
  std::optional<int64_t> integer() const {
    return den == 1 ? num.getConstant() : std::nullopt;
  }
  bool operator==(const Number &other) const {
    return den == other.den && num == other.num;
  }
};

/// All elements of a tensor of known shape, in row-major order.
struct Contents {
  llvm::SmallVector<int64_t> shape;
  std::vector<Number> numbers;
};

/// Tensors with more elements than this are data, not shape arithmetic.
inline constexpr int64_t kMaxContents = 64;

/// Element `i` of packed elements of fewer than eight bits.
llvm::APInt packedElement(llvm::ArrayRef<char> bytes, int64_t i, unsigned bits);

/// The elements of a constant, if there are few and each can be represented.
std::shared_ptr<const Contents> contentsOf(const TensorData &data);

/// Whether an expression is small enough to compute with further.
bool isManageable(const DimExpr &expr);

// Arithmetic on elements; nothing where the result is not representable.
using MaybeNumber = std::optional<Number>;
MaybeNumber addNumbers(const Number &a, const Number &b);
MaybeNumber subNumbers(const Number &a, const Number &b);
MaybeNumber mulNumbers(const Number &a, const Number &b);
MaybeNumber floorNumber(const Number &a);
MaybeNumber ceilNumber(const Number &a);
MaybeNumber minNumbers(const Number &a, const Number &b);
MaybeNumber maxNumbers(const Number &a, const Number &b);
/// The quotient of floats, exact.
MaybeNumber divNumbers(const Number &a, const Number &b);
/// -1, 0 or 1 where the order of a and b is known for all values of the
/// symbols; `atLeast`/`atMost` variants are needed where only that is known.
std::optional<bool> isLess(const Number &a, const Number &b);
std::optional<bool> isLessEqual(const Number &a, const Number &b);
std::optional<bool> isEqual(const Number &a, const Number &b);

} // namespace ingot::onnxin

#endif // INGOT_LIB_IMPORT_ONNX_CONTENTS_H
