//===- BodyEmitter.h - scalar bodies on vectors -----------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Builders.h"

namespace ingot {

/// What a value of a scalar body is for the lanes of a vector iteration.
struct LaneValue {
  enum Kind {
    /// The same scalar for all lanes.
    Uniform,
    /// An integer: lane i has `value` + i.
    Linear,
    /// A vector.
    Varying
  };
  mlir::Value value;
  Kind kind = Uniform;
};

/// True for element types that lie in memory as they lie in vector registers.
/// i1 is not: LLVM packs vectors of it into bits.
bool isVectorElement(mlir::Type type);

/// How an access moves when the dim `dim` of the iteration space advances.
enum class AccessKind { Invariant, Contiguous, Gather };
AccessKind classifyAccess(mlir::Type operand, mlir::AffineMap map,
                          unsigned dim);

/// Emits the body of a linalg op for `lanes` consecutive points of its
/// iteration space along `vectorDim`, or for one point if `lanes` is 1.
class BodyEmitter {
public:
  BodyEmitter(mlir::OpBuilder &builder, mlir::linalg::LinalgOp op,
              mlir::ValueRange point, unsigned vectorDim, int64_t lanes)
      : b(builder), loc(op.getLoc()), op(op), point(point.begin(), point.end()),
        vectorDim(vectorDim), lanes(lanes) {}

  /// The operand's element(s) at this point.
  LaneValue load(mlir::OpOperand &operand);
  /// Stores to a destination that is contiguous along the vector dim.
  void store(mlir::OpOperand &operand, LaneValue value);
  /// Emits the whole body; `args` are the values of its block arguments.
  llvm::SmallVector<LaneValue> emitBody(llvm::ArrayRef<LaneValue> args);
  /// The value as a vector of all lanes (as the scalar if there is one lane).
  mlir::Value materialize(LaneValue value);

private:
  LaneValue lookup(mlir::Value value) const;
  mlir::Value lane(LaneValue value, int64_t index);
  void emitElementwise(mlir::Operation &bodyOp);
  bool emitLinear(mlir::Operation &bodyOp);
  bool emitLoad(mlir::Operation &bodyOp);
  void emitByLane(mlir::Operation &bodyOp);
  llvm::SmallVector<mlir::Value> indicesAt(mlir::AffineMap map,
                                           int64_t laneIndex);

  mlir::OpBuilder &b;
  mlir::Location loc;
  mlir::linalg::LinalgOp op;
  llvm::SmallVector<mlir::Value> point;
  unsigned vectorDim;
  int64_t lanes;
  llvm::DenseMap<mlir::Value, LaneValue> values;
};

} // namespace ingot
