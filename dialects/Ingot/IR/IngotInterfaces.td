//===- IngotInterfaces.td - interfaces of our own ----------*- tablegen -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_INTERFACES
#define INGOT_INTERFACES

include "mlir/IR/OpBase.td"

def ShapeInferenceInterface : OpInterface<"ShapeInferenceInterface"> {
  let cppNamespace = "::ingot";
  let description = [{
    Computes the dims of an op's tensor results as expressions of the dims of
    its tensor operands (an operand that is not a tensor has an empty shape).
    Result types, reified dims and ShapeAnalysis follow from this one method.
  }];
  let methods = [
    InterfaceMethod<"Appends one shape per result; failure if the operands do "
                    "not fit together.",
      "::llvm::LogicalResult", "inferShapes",
      (ins "::llvm::ArrayRef<::ingot::DimShape>":$operands,
           "::llvm::SmallVectorImpl<::ingot::DimShape> &":$results)>
  ];
}

def CostInterface : OpInterface<"CostInterface"> {
  let cppNamespace = "::ingot";
  let description = [{
    What running an op costs, as expressions: floating-point (or integer)
    operations, and bytes read and written when every operand is read once.
  }];
  let methods = [
    InterfaceMethod<"Operations, given the shapes of operands and results.",
      "::ingot::DimExpr", "getFlops",
      (ins "::llvm::ArrayRef<::ingot::DimShape>":$operands,
           "::llvm::ArrayRef<::ingot::DimShape>":$results), "",
      "return results.empty() ? ::ingot::DimExpr() : ::ingot::product(results[0]);">,
    InterfaceMethod<"Bytes moved, given the shapes of operands and results.",
      "::ingot::DimExpr", "getBytes",
      (ins "::llvm::ArrayRef<::ingot::DimShape>":$operands,
           "::llvm::ArrayRef<::ingot::DimShape>":$results), "",
      "return ::ingot::bytesOfTensors($_op, operands, results);">
  ];
}

#endif
