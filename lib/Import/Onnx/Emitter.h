//===- Emitter.h - builds ingot ops and tracks their shapes -----*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_LIB_IMPORT_ONNX_EMITTER_H
#define INGOT_LIB_IMPORT_ONNX_EMITTER_H

#include "Contents.h"
#include "dialects/Ingot/IR/IngotOps.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/Twine.h"

#include <memory>

namespace ingot::onnxin {

using mlir::Type;
using mlir::Value;

/// Builds ops of the ingot dialect from operands whose dims it knows as
/// expressions. What does not fit together is remembered as a reason and gives
/// a null value; ops on null values give null values, so that a chain of calls
/// needs one check at its end.
class Emitter {
public:
  explicit Emitter(mlir::OpBuilder builder)
      : builder(builder), loc(builder.getUnknownLoc()) {}

  mlir::OpBuilder builder;
  mlir::Location loc;
  /// Why a value is null; empty if none is.
  std::string why;

  Value fail(const llvm::Twine &reason) {
    if (why.empty())
      why = reason.str();
    return {};
  }

  /// The dims of a value, as expressions over the symbols of the module.
  const DimShape &dims(Value value) const;
  void setDims(Value value, DimShape dims) {
    shapes[value] = std::make_unique<const DimShape>(std::move(dims));
  }
  int64_t rank(Value value) const { return dims(value).size(); }
  Type element(Value value) const { return mlir::getElementTypeOrSelf(value); }
  bool isFloat(Value value) const {
    return llvm::isa<mlir::FloatType>(element(value));
  }

  /// Makes an op with one result from its builder's arguments after the type.
  template <typename OpTy, typename... Args> Value make(Args &&...args) {
    if ((isNullValue(args) || ...))
      return {};
    auto op =
        OpTy::create(builder, loc, placeholder(), std::forward<Args>(args)...);
    llvm::SmallVector<DimShape> results;
    if (!infer(op.getOperation(), results)) {
      op.erase();
      return {};
    }
    return finish(op, std::move(results[0]),
                  OpTy::inferElementType(typename OpTy::Adaptor(op)));
  }

  // Elementwise. Binary ops check that the element types agree.
  template <typename OpTy> Value binary(Value a, Value b) {
    return sameElements(a, b) ? make<OpTy>(a, b) : Value();
  }
  Value add(Value a, Value b) { return binary<AddOp>(a, b); }
  Value sub(Value a, Value b) { return binary<SubOp>(a, b); }
  Value mul(Value a, Value b) { return binary<MulOp>(a, b); }
  Value div(Value a, Value b) { return binary<DivOp>(a, b); }
  Value neg(Value x) { return make<NegOp>(x); }
  Value where(Value condition, Value a, Value b) {
    return sameElements(a, b) ? make<WhereOp>(condition, a, b) : Value();
  }
  Value cast(Value x, Type to);
  Value clip(Value x, Value low, Value high);

  // Constants.
  Value constant(mlir::DenseElementsAttr value);
  /// A rank-0 tensor; `value` is rounded to `type`.
  Value scalar(double value, Type type);
  /// A scalar with the element type of `like`.
  Value scalarLike(double value, Value like) {
    return like ? scalar(value, element(like)) : Value();
  }
  Value intVector(llvm::ArrayRef<int64_t> values);
  Value fromDims(llvm::ArrayRef<DimExpr> values, bool isScalar);
  /// `value` repeated to `shape`.
  Value full(Value value, const DimShape &shape) {
    return broadcastTo(value, shape);
  }

  // Shapes. Axes are not negative here.
  Value reshape(Value x, const DimShape &to);
  Value transpose(Value x, llvm::ArrayRef<int64_t> permutation);
  Value broadcastTo(Value x, const DimShape &to);
  Value concat(mlir::ValueRange inputs, int64_t axis);
  Value slice(Value x, const DimShape &starts, const DimShape &sizes,
              llvm::ArrayRef<int64_t> steps);
  /// Elements start .. start+size-1 along one axis.
  Value sliceAxis(Value x, int64_t axis, const DimExpr &start,
                  const DimExpr &size);
  /// Inserts dims of extent one so that they come at `axes` of the result.
  Value unsqueeze(Value x, llvm::ArrayRef<int64_t> axes);
  Value squeeze(Value x, llvm::ArrayRef<int64_t> axes);
  Value pad(Value x, Value value, const DimShape &low, const DimShape &high,
            PadMode mode = PadMode::Constant);
  /// 0, 1, ... size-1 as a vector of `type`.
  Value iota(const DimExpr &size, Type type);
  /// A vector along `axis` of a tensor of rank `rank`, for broadcasting.
  Value alongAxis(Value vector, int64_t axis, int64_t rank);
  /// Merges dims [first, last) into one.
  Value mergeDims(Value x, int64_t first, int64_t last);

  // Products and reductions.
  Value reduce(ReduceKind kind, Value x, llvm::ArrayRef<int64_t> axes,
               bool keepdims);
  Value softmax(Value x, int64_t axis, bool log = false);
  /// numpy's matmul for all ranks; `result` is the element type of integer
  /// products.
  Value matmul(Value a, Value b, Type result = {});
  Value layerNorm(Value x, Value gamma, Value beta, double epsilon);
  Value rmsNorm(Value x, Value gamma, double epsilon);
  /// ingot.attention with one position for each row: operands and attributes
  /// as there, `bias` may be null.
  Value rowAttention(Value q, Value k, Value v, Value bias, Value past,
                     double scale, int64_t window, double softcap);

  bool sameElements(Value a, Value b);
  std::string describe(Value value) const;

private:
  template <typename T> static bool isNullValue(const T &arg) {
    if constexpr (std::is_same_v<T, Value>)
      return !arg;
    return false;
  }
  Type placeholder();
  bool infer(mlir::Operation *op, llvm::SmallVectorImpl<DimShape> &results);
  Value finish(mlir::Operation *op, DimShape dims, Type element);
  bool checkDims(const DimShape &dims);

  /// Each in a place of its own: what dims() gave stays when others come.
  llvm::DenseMap<Value, std::unique_ptr<const DimShape>> shapes;
};

/// `loc` as the position of what is built next.
class At {
public:
  At(Emitter &emitter, mlir::Location loc)
      : emitter(emitter), before(emitter.loc) {
    emitter.loc = loc;
  }
  ~At() { emitter.loc = before; }

private:
  Emitter &emitter;
  mlir::Location before;
};

} // namespace ingot::onnxin

#endif // INGOT_LIB_IMPORT_ONNX_EMITTER_H
