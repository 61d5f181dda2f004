//===- Elementwise.cpp - ops that apply a scalar function ----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Emitter.h"
#include "Scalars.h"

using namespace mlir;
using namespace ingot;

namespace {
/// Every elementwise op is one generic whose body is the op's function.
struct LowerElementwise : ConversionPattern {
  LowerElementwise(const TypeConverter &converter, MLIRContext *context,
                   LoweringState &state)
      : ConversionPattern(converter, Pattern::MatchTraitOpTypeTag(),
                          TypeID::get<Elementwise>(), 1, context),
        state(state) {}

  LogicalResult
  matchAndRewrite(Operation *op, ArrayRef<Value> operands,
                  ConversionPatternRewriter &rewriter) const override;

  LogicalResult refuse(Operation *op, const Twine &reason) const {
    state.refusals.insert({op, reason.str()});
    return failure();
  }

  LoweringState &state;
};
} // namespace

LogicalResult
LowerElementwise::matchAndRewrite(Operation *op, ArrayRef<Value> operands,
                                  ConversionPatternRewriter &rewriter) const {
  const ScalarFunction *function =
      scalarFunctionOf(op->getName().getStringRef());
  if (!function)
    return refuse(op, "unsupported op: " + op->getName().getStringRef());
  SmallVector<Type> types;
  for (Value operand : op->getOperands())
    types.push_back(elementTypeOf(operand));
  Type resultType = elementTypeOf(op->getResult(0));
  auto name = [](Type type) {
    std::string text;
    llvm::raw_string_ostream(text) << type;
    return text;
  };
  for (Type type : {types[0], types.back(), resultType})
    if (!kindOf(type))
      return refuse(op, "unsupported dtype: " + name(type));
  if (!(kindOf(types[0]) & function->kinds))
    return refuse(op, "unsupported dtype: " + name(types[0]) + " in " +
                          op->getName().getStringRef());

  Emitter e(rewriter, op, state);
  SmallVector<Tensor> inputs;
  for (auto [original, converted] :
       llvm::zip_equal(op->getOperands(), operands))
    inputs.push_back(e.tensor(original, converted));
  DimShape dims = state.shapes.shapeOf(op->getResult(0));

  auto cast = dyn_cast<CastOp>(op);
  auto body = [&](ImplicitLocOpBuilder &b, ValueRange args) -> Value {
    Scalars s(b, types);
    if (cast && cast.getBitcast()) {
      Type to = storageType(resultType);
      return to == args[0].getType()
                 ? args[0]
                 : arith::BitcastOp::create(s, to, args[0]).getResult();
    }
    // What is only moved is not computed with.
    if (isa<WhereOp>(op))
      return s.select(s.load(args[0], types[0]), args[1], args[2]);
    SmallVector<Value> elements;
    for (auto [arg, type] : llvm::zip_equal(args, types))
      elements.push_back(s.load(arg, type));
    return s.store(function->emit(s, op, elements), resultType);
  };
  Value result = e.zip(inputs, dims, storageType(resultType), body).value;
  Type type = getTypeConverter()->convertType(op->getResult(0).getType());
  if (result.getType() != type)
    result = tensor::CastOp::create(e, type, result);
  rewriter.replaceOp(op, result);
  return success();
}

void ingot::populateElementwiseLowerings(LoweringPatterns &patterns) {
  patterns.set.add<LowerElementwise>(patterns.converter,
                                     patterns.set.getContext(), patterns.state);
}
