//===- ShapeSupport.h - shapes of ops as expressions ------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Helpers with which the ops implement shape inference, reification of dims,
// destinations and cost.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dialects/Ingot/IR/DimExpr.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace ingot {

/// The element type of a tensor or memref value.
mlir::Type elementTypeOf(mlir::Value value);

/// The shapes of `operands` as far as their types tell: a dynamic dim j of
/// operand i is the symbol that `operandDimSymbol(i, j)` names. Operands that
/// are not shaped have empty shapes.
llvm::SmallVector<DimShape> opaqueShapes(mlir::ValueRange operands);
std::string operandDimSymbol(unsigned operand, unsigned dim);

/// Two numbers of an op, of which it takes for granted that they are equal.
struct ExtentTie {
  DimExpr a, b;
  /// Whether it does with `a` less than `b`, too.
  bool mayBeLess = false;
};

/// The tensor type of the given dims; what is not constant is dynamic.
mlir::RankedTensorType tensorOf(llvm::ArrayRef<DimExpr> dims, mlir::Type type);

/// Whether inferred and given result types may stand for the same values: the
/// same element types, shapes that do not contradict each other.
bool compatibleTypes(mlir::TypeRange a, mlir::TypeRange b);

/// The numpy broadcast of shapes; failure if constant extents contradict.
llvm::FailureOr<DimShape> broadcastShapes(llvm::ArrayRef<DimShape> shapes);

/// Creates the value of `expr` at the builder. `resolve` gives the values of
/// symbols that it knows; the others are read with `ingot.size`.
mlir::Value materializeDim(
    mlir::OpBuilder &builder, mlir::Location loc, const DimExpr &expr,
    llvm::function_ref<mlir::Value(llvm::StringRef)> resolve = nullptr);

/// Reifies the result dims of an op with ShapeInferenceInterface from the dims
/// of its operands.
llvm::LogicalResult reifyByInference(mlir::Operation *op,
                                     mlir::OpBuilder &builder,
                                     mlir::ReifiedRankedShapedTypeDims &dims);

/// Reifies the result dims of a destination-style op: those of its inits.
llvm::LogicalResult reifyDestinations(mlir::Operation *op,
                                      mlir::OpBuilder &builder,
                                      mlir::ReifiedRankedShapedTypeDims &dims);

/// Creates the destination (`tensor.empty`) of an op with these operands,
/// whose result has the dims `shape`, written in operandDimSymbol's symbols.
mlir::Value makeDestination(mlir::OpBuilder &builder, mlir::Location loc,
                            mlir::ValueRange operands,
                            llvm::ArrayRef<DimExpr> shape, mlir::Type type);

/// Checks that `tables` of cosines and sines fit what they rotate.
llvm::LogicalResult verifyRotation(mlir::Operation *op, mlir::Value rotated,
                                   mlir::ValueRange tables);

/// Reads of the inputs and writes of the inits, when they are memrefs.
void addDestinationEffects(
    mlir::DestinationStyleOpInterface op,
    llvm::SmallVectorImpl<
        mlir::SideEffects::EffectInstance<mlir::MemoryEffects::Effect>>
        &effects);

/// Bytes of all tensor operands and results, every one counted once.
DimExpr bytesOfTensors(mlir::Operation *op, llvm::ArrayRef<DimShape> operands,
                       llvm::ArrayRef<DimShape> results);

} // namespace ingot
