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

def ExtentTiesInterface : OpInterface<"ExtentTiesInterface"> {
  let cppNamespace = "::ingot";
  let description = [{
    What an op on memrefs takes for granted of the extents of its operands. Its
    loops are as long as some operands say, and go as far in the others: where
    these are shorter, it touches what is no element of them. Whoever makes tiles
    of the op keeps to it, and `mega-prove-writes` proves it.

    Example: in
    ```mlir
    ingot.layer_norm ins(%x, %gamma : memref<?x?xf32>, memref<?xf32>) outs(%y : memref<?x?xf32>) {epsilon = 1.0e-5 : f64}
    ```
    `%x` has as many rows as `%y` and as many columns, and `%gamma` has as many
    elements as that: three ties.
  }];
  let methods = [
    InterfaceMethod<"Appends what has to hold, given the shapes of the "
                    "operands; that of a number is one dim, its value.",
      "void", "getExtentTies",
      (ins "::llvm::ArrayRef<::ingot::DimShape>":$operands,
           "::llvm::SmallVectorImpl<::ingot::ExtentTie> &":$ties)>
  ];
}

#endif
