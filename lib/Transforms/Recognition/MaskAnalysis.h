//===- MaskAnalysis.h - the element of a mask at a symbolic position -*- C++
//-*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Exporters compute masks with index vectors, gathers and comparisons. Instead
// of matching their spellings, the mask's element at (batch, head, query, key)
// is computed symbolically: what comes out is a choice between two numbers by
// a conjunction of inequalities between positions and of elements of tensors.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dialects/Ingot/IR/IngotOps.h"
#include "ingot/Analysis/ShapeAnalysis.h"

#include <optional>

namespace ingot {

/// The position variables, as symbols in dimension expressions.
enum class MaskAxis { Batch, Head, Query, Key };
llvm::StringRef nameOf(MaskAxis axis);

/// A condition that holds or not at a position.
struct MaskAtom {
  /// Without a tensor: `expr >= 0`.
  DimExpr expr;
  /// With a tensor: `tensor[index] == value`, or its negation.
  mlir::Value tensor;
  llvm::SmallVector<DimExpr> index;
  double value = 0.0;
  bool negated = false;

  bool operator==(const MaskAtom &other) const;
};

/// A conjunction of atoms; the empty one is true.
struct MaskPredicate {
  bool isFalse = false;
  llvm::SmallVector<MaskAtom> atoms;

  void add(const MaskAtom &atom);
  void add(const MaskPredicate &other);
  bool isTrue() const { return !isFalse && atoms.empty(); }
  bool operator==(const MaskPredicate &other) const {
    return isFalse == other.isFalse && atoms == other.atoms;
  }
};

/// An element of a tensor at a symbolic position.
struct MaskElement {
  enum class Kind {
    Integer, // `number`
    Real,    // `whenTrue`
    Truth,   // `predicate`
    Choice,  // `predicate ? whenTrue : whenFalse`
    Load     // an element of a tensor, of which nothing else is known
  };
  Kind kind = Kind::Load;
  DimExpr number;
  MaskPredicate predicate;
  double whenTrue = 0.0, whenFalse = 0.0;
  mlir::Value tensor;
  llvm::SmallVector<DimExpr> index;
};

MaskElement makeInteger(DimExpr number);
MaskElement makeReal(double value);
MaskElement makeTruth(MaskPredicate predicate);
MaskElement makeTruth(bool value);
MaskElement makeChoice(MaskPredicate predicate, double a, double b);

/// The negation, where it is a conjunction again.
std::optional<MaskPredicate> negate(const MaskPredicate &predicate);

/// Computes elements symbolically.
class MaskAnalysis {
public:
  /// `extents` are those of the batch, head, query and key positions.
  MaskAnalysis(ShapeAnalysis &shapes, llvm::ArrayRef<DimExpr> extents)
      : shapes(shapes), extents(extents.begin(), extents.end()) {}

  /// The element that a tensor, broadcast against batch x heads x queries x
  /// keys, has at the position; empty if the tensor does not broadcast so.
  std::optional<MaskElement> elementAtPosition(mlir::Value value);

  /// The element of a tensor at an index, in which positions may occur.
  MaskElement elementAt(mlir::Value value, llvm::ArrayRef<DimExpr> index);

  /// Where the first operand of an op that moves elements, or an operand of an
  /// elementwise op, is read for the result's element at `index`; empty for
  /// other ops, and where that is not clear.
  std::optional<llvm::SmallVector<DimExpr>>
  sourceIndex(mlir::OpOperand &operand, llvm::ArrayRef<DimExpr> index);

  /// A number's or boolean's truth.
  static MaskPredicate truthOf(const MaskElement &element);

private:
  using Index = llvm::SmallVector<DimExpr>;

  MaskElement element(mlir::Value value, const Index &index, unsigned depth);
  MaskElement ofConstant(mlir::Value value, const Index &index);
  MaskElement ofRange(mlir::Operation *op, const Index &index, unsigned depth);
  MaskElement ofMovement(mlir::Operation *op, const Index &index,
                         unsigned depth);
  /// The index into the first operand of an op that moves elements.
  std::optional<Index> movedIndex(mlir::Operation *op, const Index &index,
                                  std::optional<DimExpr> &assumed);
  MaskElement ofGather(mlir::Operation *op, const Index &index, unsigned depth);
  MaskElement ofCast(mlir::Value value, const Index &index, unsigned depth);
  /// Of a triangle of a matrix, beside which there are zeros.
  MaskElement ofTriangle(mlir::Operation *op, const Index &index,
                         unsigned depth);
  // These give a load of no tensor where nothing is known.
  static MaskElement ofComparison(mlir::Operation *op, const MaskElement &a,
                                  const MaskElement &b);
  static MaskElement ofArithmetic(mlir::Operation *op, const MaskElement &a,
                                  const MaskElement &b);
  MaskElement ofElementwise(mlir::Operation *op, const Index &index,
                            unsigned depth);
  /// The index into an operand that is broadcast to a shape.
  std::optional<Index> broadcastIndex(const DimShape &from, const DimShape &to,
                                      const Index &index);
  /// The index into a tensor whose reshape is read at `index`.
  /// A position that lies inside only if keys end before a dim of the tensor
  /// does gives that dim as `assumed`.
  std::optional<Index> reshapeIndex(const DimShape &from, const DimShape &to,
                                    const Index &index,
                                    std::optional<DimExpr> &assumed);
  /// Whether all that the element depends on are tensors read by the key in a
  /// dim of this extent, so that cutting them to the keys' length checks it.
  bool isReadByKey(const MaskElement &element, const DimExpr &extent);
  /// The position variable that the expression is.
  static std::optional<MaskAxis> axisOf(const DimExpr &expr);
  /// Whether 0 <= expr < extent for all positions.
  bool isWithin(const DimExpr &expr, const DimExpr &extent);

  ShapeAnalysis &shapes;
  llvm::SmallVector<DimExpr> extents;
  /// How many more elements may be computed for the present question.
  unsigned budget = 0;
};

} // namespace ingot
