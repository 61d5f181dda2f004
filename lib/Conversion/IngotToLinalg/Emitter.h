//===- Emitter.h - what the lowerings build with ----------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A converted value travels with its dims as expressions, so that every op a
// lowering makes has sizes that later passes understand.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dialects/Ingot/IR/IngotOps.h"
#include "ingot/Analysis/ShapeAnalysis.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Transforms/DialectConversion.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSet.h"

namespace ingot {

/// The element type in memory: signless, at least a byte.
mlir::Type storageType(mlir::Type type);

/// The name of the model's node in a location, or the op's name.
std::string nodeName(mlir::Operation *op);

/// A converted tensor and its dims.
struct Tensor {
  mlir::Value value;
  DimShape dims;

  int64_t rank() const { return dims.size(); }
  /// The element type in memory.
  mlir::Type element() const {
    return mlir::getElementTypeOrSelf(value.getType());
  }
};

/// What all lowerings of one module share.
struct LoweringState {
  ShapeAnalysis shapes;
  /// Ops that cannot be lowered, and why, in the order they were met.
  llvm::MapVector<mlir::Operation *, std::string> refusals;
  /// The structured ops that lowerings made: they are what stages are made of.
  llvm::DenseSet<mlir::Operation *> kernels;
  /// Weights whose transpose is the matrix of a linear (tied embeddings), of
  /// f32 or bf16.
  llvm::StringSet<> tiedWeights;
  /// Dequantized tables, and the codes of such, whose transpose is the matrix
  /// of a linear; and that matrix.
  llvm::DenseMap<mlir::Operation *, mlir::Value> tiedTables;
  /// Bits of the activations that meet weights kept as codes; zero for what
  /// the model asks for.
  int64_t activationBits = 0;
  /// Whether the target multiplies pairs of bf16.
  bool bfloatProducts = false;
};

/// Builds the replacement of one op.
class Emitter : public mlir::ImplicitLocOpBuilder {
public:
  /// The code of one element: from the elements read to the one written, all
  /// in the types in memory.
  using Body =
      llvm::function_ref<mlir::Value(ImplicitLocOpBuilder &, mlir::ValueRange)>;

  Emitter(mlir::ConversionPatternRewriter &rewriter, mlir::Operation *op,
          LoweringState &state)
      : ImplicitLocOpBuilder(op->getLoc(), rewriter), op(op), state(state),
        rewriter(rewriter) {}

  /// The converted value of an operand with the dims of the original.
  Tensor tensor(mlir::Value original, mlir::Value converted);

  /// The same for an operand of another op than the one being lowered.
  Tensor tensor(mlir::Value original);

  /// The value of an expression.
  mlir::Value size(const DimExpr &expr);
  mlir::Value index(int64_t value);
  /// The dims as mixed static and dynamic sizes.
  llvm::SmallVector<mlir::OpFoldResult> sizes(llvm::ArrayRef<DimExpr> dims);

  /// A tensor with undefined elements.
  mlir::Value empty(llvm::ArrayRef<DimExpr> dims, mlir::Type element);
  /// A tensor of equal elements.
  Tensor fill(llvm::ArrayRef<DimExpr> dims, mlir::Value element);

  /// One generic over the points of `dims`; `maps` say which element of each
  /// input a point reads.
  Tensor generic(llvm::ArrayRef<DimExpr> dims, mlir::Type element,
                 mlir::ValueRange inputs, llvm::ArrayRef<mlir::AffineMap> maps,
                 Body body);
  /// A generic that reads what it wants: the body gets the indices.
  Tensor compute(llvm::ArrayRef<DimExpr> dims, mlir::Type element, Body body);
  /// A generic over inputs of equal dims.
  Tensor map(llvm::ArrayRef<Tensor> inputs, mlir::Type element, Body body);
  /// Folds `axes` of `x` into `init` (which has the dims that are left); the
  /// body gets the elements and the accumulator.
  Tensor fold(const Tensor &x, llvm::ArrayRef<int64_t> axes, mlir::Value init,
              Body body);

  /// The same elements under other dims; the counts must be equal, which is
  /// checked at run time unless it is apparent.
  Tensor reshape(const Tensor &x, const DimShape &dims);
  /// Drops the dims marked in `drop`, all of extent one.
  Tensor dropUnitDims(const Tensor &x, const llvm::SmallBitVector &drop);
  Tensor transpose(const Tensor &x, llvm::ArrayRef<int64_t> permutation);
  /// `x` with a border of equal elements; negative widths remove elements.
  Tensor pad(const Tensor &x, llvm::ArrayRef<DimExpr> low,
             llvm::ArrayRef<DimExpr> high, mlir::Value value);
  /// The elements converted between floating-point types.
  Tensor castFloat(const Tensor &x, mlir::Type element);
  /// A generic over `dims`, to which the inputs are broadcast as in numpy. A
  /// dim of which it is not known whether it is repeated reads with a stride
  /// of 0 or 1 chosen at run time.
  Tensor zip(llvm::ArrayRef<Tensor> inputs, llvm::ArrayRef<DimExpr> dims,
             mlir::Type element, Body body);
  /// Leading dims collapsed to one: rank two.
  Tensor rows(const Tensor &x);

  /// Ends the run with a message that names the node, unless the condition
  /// holds.
  void check(mlir::Value condition, const llvm::Twine &what);
  /// The same for the equality of two extents; nothing if it is apparent.
  void checkEqual(const DimExpr &a, const DimExpr &b, const llvm::Twine &what);

  /// Marks a structured op as one that stages are made of; gives its result.
  mlir::Value kernel(mlir::Operation *made) {
    state.kernels.insert(made);
    return made->getResult(0);
  }

  /// The op being lowered.
  mlir::Operation *const op;
  LoweringState &state;

private:
  mlir::ConversionPatternRewriter &rewriter;
};

/// The text of a check: what went wrong and in which node.
std::string checkMessage(mlir::Operation *op, const llvm::Twine &what);

/// A pattern for one ingot op: `lower` gives the value that replaces it, in
/// any equivalent type, or a null value after `refuse`.
template <typename Op> class Lowering : public mlir::OpConversionPattern<Op> {
public:
  using Adaptor = typename Op::Adaptor;

  Lowering(const mlir::TypeConverter &converter, mlir::MLIRContext *context,
           LoweringState &state)
      : mlir::OpConversionPattern<Op>(converter, context), state(state) {}

  mlir::LogicalResult
  matchAndRewrite(Op op, Adaptor adaptor,
                  mlir::ConversionPatternRewriter &rewriter) const final {
    Emitter emitter(rewriter, op, state);
    mlir::Value result = lower(op, adaptor, emitter);
    if (!result)
      return rewriter.notifyMatchFailure(op, "refused");
    mlir::Type type =
        this->getTypeConverter()->convertType(op->getResult(0).getType());
    if (result.getType() != type)
      result = mlir::tensor::CastOp::create(emitter, type, result);
    rewriter.replaceOp(op, result);
    return mlir::success();
  }

protected:
  virtual mlir::Value lower(Op op, Adaptor adaptor, Emitter &emitter) const = 0;

  /// Notes why the op cannot be lowered; `reason` starts with the tag of its
  /// kind.
  mlir::Value refuse(mlir::Operation *op, const llvm::Twine &reason) const {
    state.refusals.insert({op, reason.str()});
    return {};
  }

  LoweringState &state;
};

/// What a populate function needs.
struct LoweringPatterns {
  mlir::RewritePatternSet &set;
  const mlir::TypeConverter &converter;
  LoweringState &state;

  template <typename... Patterns> void add() {
    (set.add<Patterns>(converter, set.getContext(), state), ...);
  }
};

void populateCacheLowerings(LoweringPatterns &patterns);
void populateElementwiseLowerings(LoweringPatterns &patterns);
void populateGatherLowerings(LoweringPatterns &patterns);
void populateGenerateLowerings(LoweringPatterns &patterns);
void populatePaddingLowerings(LoweringPatterns &patterns);
void populateProductLowerings(LoweringPatterns &patterns);
void populateQuantizeLowerings(LoweringPatterns &patterns);
void populateReduceLowerings(LoweringPatterns &patterns);
void populateRopeLowerings(LoweringPatterns &patterns);
void populateScanLowerings(LoweringPatterns &patterns);
void populateScatterLowerings(LoweringPatterns &patterns);
void populateShapeLowerings(LoweringPatterns &patterns);
void populateStructuredLowerings(LoweringPatterns &patterns);
void populateSymbolLowerings(LoweringPatterns &patterns);
void populateWindowLowerings(LoweringPatterns &patterns);

} // namespace ingot
