//===- StructuredOps.cpp - the ops that stages are made of ----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/IngotOps.h"

using namespace mlir;
using namespace ingot;

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

static FailureOr<DimShape> linearShape(const DimShape &x, const DimShape &w,
                                       const DimShape &init) {
  if (x.empty() || w.size() < 2 || w.size() > 4)
    return failure();
  DimShape result(x.begin(), x.end() - 1);
  // A packed matrix is padded: only the destination knows the true N.
  result.push_back(w.size() == 2 || init.empty() ? w[1] : init.back());
  return result;
}

static FailureOr<DimShape> matmulShape(const DimShape &a, const DimShape &b) {
  if (a.size() < 2 || b.size() < 2)
    return failure();
  FailureOr<DimShape> result = broadcastShapes(
      {DimShape(a.begin(), a.end() - 2), DimShape(b.begin(), b.end() - 2)});
  if (failed(result))
    return failure();
  result->push_back(a[a.size() - 2]);
  result->push_back(b.back());
  return result;
}

static FailureOr<DimShape> attentionShape(const DimShape &q,
                                          const DimShape &v) {
  if (q.size() != 4 || v.size() != 4)
    return failure();
  return DimShape{q[0], q[1], q[2], v[3]};
}

static LogicalResult append(FailureOr<DimShape> shape,
                            SmallVectorImpl<DimShape> &results) {
  if (failed(shape))
    return failure();
  results.push_back(*shape);
  return success();
}

LogicalResult LinearOp::inferShapes(ArrayRef<DimShape> operands,
                                    SmallVectorImpl<DimShape> &results) {
  return append(linearShape(operands[0], operands[1], operands.back()),
                results);
}
LogicalResult MatmulOp::inferShapes(ArrayRef<DimShape> operands,
                                    SmallVectorImpl<DimShape> &results) {
  return append(matmulShape(operands[0], operands[1]), results);
}
LogicalResult AttentionOp::inferShapes(ArrayRef<DimShape> operands,
                                       SmallVectorImpl<DimShape> &results) {
  return append(attentionShape(operands[0], operands[2]), results);
}
LogicalResult SoftmaxOp::inferShapes(ArrayRef<DimShape> operands,
                                     SmallVectorImpl<DimShape> &results) {
  return append(operands[0], results);
}
LogicalResult LayerNormOp::inferShapes(ArrayRef<DimShape> operands,
                                       SmallVectorImpl<DimShape> &results) {
  return append(operands[0], results);
}
LogicalResult RmsNormOp::inferShapes(ArrayRef<DimShape> operands,
                                     SmallVectorImpl<DimShape> &results) {
  return append(operands[0], results);
}

LogicalResult RotateOp::inferShapes(ArrayRef<DimShape> operands,
                                    SmallVectorImpl<DimShape> &results) {
  return append(operands[0], results);
}

//===----------------------------------------------------------------------===//
// Builders: the destination comes from the operands' shapes
//===----------------------------------------------------------------------===//

/// The destination for a shape that the operands are known to have.
static Value destination(OpBuilder &builder, OperationState &state,
                         ValueRange operands, FailureOr<DimShape> shape,
                         Type element = {}) {
  if (!element)
    element = elementTypeOf(operands[0]);
  return makeDestination(builder, state.location, operands,
                         succeeded(shape) ? *shape : DimShape(), element);
}

void LinearOp::build(OpBuilder &builder, OperationState &state, Value x,
                     Value w, Value bias) {
  SmallVector<DimShape> shapes = opaqueShapes({x, w});
  Value init = destination(builder, state, {x, w},
                           linearShape(shapes[0], shapes[1], {}));
  build(builder, state, init.getType(), x, w, bias, init,
        /*activation_bits=*/IntegerAttr());
}

void MatmulOp::build(OpBuilder &builder, OperationState &state, Value a,
                     Value b, Type element) {
  SmallVector<DimShape> shapes = opaqueShapes({a, b});
  Value init = destination(builder, state, {a, b},
                           matmulShape(shapes[0], shapes[1]), element);
  build(builder, state, init.getType(), a, b, init);
}

void AttentionOp::build(OpBuilder &builder, OperationState &state, Value q,
                        Value k, Value v, Value keyMask, Value bias,
                        double scale, bool causal, int64_t window,
                        double softcap, DeadRow deadRow) {
  SmallVector<DimShape> shapes = opaqueShapes({q, v});
  Value init =
      destination(builder, state, {q, v}, attentionShape(shapes[0], shapes[1]));
  build(builder, state, init.getType(), q, k, v, keyMask, bias,
        /*query_offset=*/Value(), /*past=*/Value(), init, llvm::APFloat(scale),
        causal, static_cast<uint64_t>(window), llvm::APFloat(softcap), deadRow);
}

void SoftmaxOp::build(OpBuilder &builder, OperationState &state, Value x,
                      int64_t axis, bool log) {
  Value init = destination(builder, state, x, opaqueShapes(x).front());
  build(builder, state, init.getType(), x, init, axis, log);
}

void LayerNormOp::build(OpBuilder &builder, OperationState &state, Value x,
                        Value gamma, Value beta, double epsilon) {
  Value init = destination(builder, state, x, opaqueShapes(x).front());
  build(builder, state, init.getType(), x, gamma, beta, init,
        llvm::APFloat(epsilon));
}

void RmsNormOp::build(OpBuilder &builder, OperationState &state, Value x,
                      Value gamma, double epsilon) {
  Value init = destination(builder, state, x, opaqueShapes(x).front());
  build(builder, state, init.getType(), x, gamma, init, llvm::APFloat(epsilon));
}

//===----------------------------------------------------------------------===//
// Verifiers
//===----------------------------------------------------------------------===//

/// Whether two extents, of which either may be unknown, can be equal.
static bool mayBeEqual(int64_t a, int64_t b) {
  return ShapedType::isDynamic(a) || ShapedType::isDynamic(b) || a == b;
}

static ShapedType shaped(Value value) {
  return cast<ShapedType>(value.getType());
}

/// The inferred shape must be that of the destination.
static LogicalResult verifyDestination(Operation *op, Value init) {
  auto inference = cast<ShapeInferenceInterface>(op);
  SmallVector<DimShape> shapes;
  if (failed(inference.inferShapes(opaqueShapes(op->getOperands()), shapes)))
    return op->emitOpError("has operands whose shapes do not fit together");
  auto inferred = tensorOf(shapes[0], elementTypeOf(init));
  if (failed(verifyCompatibleShape(inferred, init.getType())))
    return op->emitOpError("has a destination of type ")
           << init.getType() << " for a result of type " << inferred;
  return success();
}

bool LinearOp::isPacked() { return shaped(getW()).getRank() > 2; }
bool LinearOp::hasPairs() { return shaped(getW()).getRank() == 4; }

/// Pairs of K as wide as kernels take them.
static LogicalResult verifyPairs(LinearOp op) {
  ShapedType x = shaped(op.getX()), w = shaped(op.getW());
  int64_t k = x.getRank() == 0 ? 0 : x.getShape().back();
  if (ShapedType::isDynamic(k) ||
      w.getShape().drop_front() !=
          ArrayRef<int64_t>{int64_t(llvm::divideCeil(k, 2)), 16, 2})
    return op.emitOpError("multiplies ") << x << " with pairs of " << w;
  if (!w.getElementType().isBF16() || !elementTypeOf(op.getInit()).isF32() ||
      !(x.getElementType().isBF16() || x.getElementType().isF32()))
    return op.emitOpError("has pairs of other types than bf16 and f32");
  return verifyDestination(op, op.getInit());
}

LogicalResult LinearOp::verify() {
  ShapedType x = shaped(getX()), w = shaped(getW());
  if (w.getRank() < 2 || w.getRank() > 4)
    return emitOpError("needs a weight of rank 2, or 3 or 4 if packed");
  int64_t k = isPacked() ? w.getDimSize(1) : w.getDimSize(0);
  if (!hasPairs() && (x.getRank() == 0 || !mayBeEqual(x.getShape().back(), k)))
    return emitOpError("multiplies ") << x << " with " << w;
  if (getBias() && shaped(getBias()).getRank() != 1)
    return emitOpError("needs a bias of rank 1");
  if (std::optional<uint64_t> bits = getActivationBits();
      bits && !llvm::is_contained({8, 16, 24, 32}, *bits))
    return emitOpError("has activations of ")
           << *bits << " bits instead of 8, 16, 24 or 32";
  if (hasPairs())
    return verifyPairs(*this);
  return verifyDestination(*this, getInit());
}

LogicalResult MatmulOp::verify() {
  ShapedType a = shaped(getA()), b = shaped(getB());
  if (a.getRank() < 2 || b.getRank() < 2 ||
      !mayBeEqual(a.getShape().back(), b.getDimSize(b.getRank() - 2)))
    return emitOpError("multiplies ") << a << " with " << b;
  return verifyDestination(*this, getInit());
}

LogicalResult AttentionOp::verify() {
  ShapedType q = shaped(getQ()), k = shaped(getK()), v = shaped(getV());
  if (q.getRank() != 4 || k.getRank() != 4 || v.getRank() != 4)
    return emitOpError("needs q, k and v of rank 4");
  if (!mayBeEqual(q.getDimSize(0), k.getDimSize(0)) ||
      !mayBeEqual(q.getDimSize(3), k.getDimSize(3)) ||
      !mayBeEqual(k.getDimSize(0), v.getDimSize(0)) ||
      !mayBeEqual(k.getDimSize(1), v.getDimSize(1)) ||
      !mayBeEqual(k.getDimSize(2), v.getDimSize(2)))
    return emitOpError("has q, k and v that do not fit together: ")
           << q << ", " << k << ", " << v;
  int64_t heads = q.getDimSize(2), groups = k.getDimSize(2);
  if (heads > 0 && groups > 0 && heads % groups != 0)
    return emitOpError("has ")
           << heads << " query heads for " << groups << " key heads";
  if (getKeyMask() && shaped(getKeyMask()).getRank() != 2)
    return emitOpError("needs a key mask of rank 2");
  if (getBias() && shaped(getBias()).getRank() != 4)
    return emitOpError("needs a bias of rank 4");
  if (static_cast<int64_t>(getWindow()) < 0)
    return emitOpError("has a negative window");
  if (getPast()) {
    ShapedType past = shaped(getPast());
    if (past.getRank() != 1 || !past.getElementType().isInteger(64) ||
        !mayBeEqual(past.getDimSize(0), q.getDimSize(0)))
      return emitOpError("needs one i64 for each row of ")
             << q << ", not " << past;
    if (!getCausal())
      return emitOpError("has positions of rows but is not causal");
  }
  return verifyDestination(*this, getInit());
}

LogicalResult SoftmaxOp::verify() {
  if (static_cast<int64_t>(getAxis()) < 0 ||
      static_cast<int64_t>(getAxis()) >= shaped(getX()).getRank())
    return emitOpError("has axis ")
           << static_cast<int64_t>(getAxis()) << " but the operand has rank "
           << shaped(getX()).getRank();
  return verifyDestination(*this, getInit());
}

/// A norm's vectors have the extent of the last axis.
static LogicalResult verifyNormVector(Operation *op, Value x, Value vector) {
  if (shaped(x).getRank() > 0 && shaped(vector).getRank() == 1 &&
      mayBeEqual(shaped(x).getShape().back(), shaped(vector).getDimSize(0)))
    return success();
  return op->emitOpError("normalizes ")
         << x.getType() << " with a vector of " << vector.getType();
}

LogicalResult LayerNormOp::verify() {
  if (failed(verifyNormVector(*this, getX(), getGamma())) ||
      (getBeta() && failed(verifyNormVector(*this, getX(), getBeta()))))
    return failure();
  return verifyDestination(*this, getInit());
}

LogicalResult RmsNormOp::verify() {
  if (failed(verifyNormVector(*this, getX(), getGamma())))
    return failure();
  return verifyDestination(*this, getInit());
}

LogicalResult RotateOp::verify() {
  if (failed(verifyRotation(*this, getX(), {getCos(), getSin()})))
    return failure();
  return verifyDestination(*this, getInit());
}

//===----------------------------------------------------------------------===//
// Cost
//===----------------------------------------------------------------------===//

DimExpr LinearOp::getFlops(ArrayRef<DimShape> operands,
                           ArrayRef<DimShape> results) {
  DimExpr each = DimExpr::constant(2) * operands[0].back() +
                 DimExpr::constant(getBias() ? 1 : 0);
  return product(operands.back()) * each;
}
DimExpr MatmulOp::getFlops(ArrayRef<DimShape> operands,
                           ArrayRef<DimShape> results) {
  return DimExpr::constant(2) * product(operands.back()) * operands[0].back();
}
DimExpr AttentionOp::getFlops(ArrayRef<DimShape> operands,
                              ArrayRef<DimShape> results) {
  const DimShape &q = operands[0], &k = operands[1], &v = operands[2];
  return DimExpr::constant(2) * q[0] * q[1] * q[2] * k[1] * (q[3] + v[3]);
}
DimExpr SoftmaxOp::getFlops(ArrayRef<DimShape> operands,
                            ArrayRef<DimShape> results) {
  return DimExpr::constant(4) * product(operands[0]);
}
DimExpr LayerNormOp::getFlops(ArrayRef<DimShape> operands,
                              ArrayRef<DimShape> results) {
  return DimExpr::constant(7) * product(operands[0]);
}
DimExpr RmsNormOp::getFlops(ArrayRef<DimShape> operands,
                            ArrayRef<DimShape> results) {
  return DimExpr::constant(4) * product(operands[0]);
}
DimExpr RotateOp::getFlops(ArrayRef<DimShape> operands,
                           ArrayRef<DimShape> results) {
  return DimExpr::constant(3) * product(operands[0]);
}
