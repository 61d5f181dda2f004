//===- IngotReduceOps.td - ops that fold a dim -------------*- tablegen -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_REDUCE_OPS
#define INGOT_REDUCE_OPS

include "dialects/Ingot/IR/IngotBase.td"

def Ingot_ReduceOp : Ingot_ValueOp<"reduce"> {
  let summary = "A reduction over axes";
  let description = [{
    Folds the dims in `axes` (sorted, not negative); they stay with extent one
    if `keepdims`. An empty reduction gives the neutral element.

    ```mlir
    %1 = ingot.reduce <mean> %0 axes [2] {keepdims = true} : (tensor<?x?x384xf32>) -> tensor<?x?x1xf32>
    ```
  }];
  let arguments = (ins Ingot_ReduceKindAttr:$kind, AnyRankedTensor:$x,
                       DenseI64ArrayAttr:$axes, DefaultValuedAttr<BoolAttr, "false">:$keepdims);
  let assemblyFormat = "$kind $x `axes` $axes attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

class Ingot_ArgOp<string mnemonic, string what> : Ingot_ValueOp<mnemonic> {
  let summary = "The index of the " # what # " element along an axis";
  let description = "The first such index, or the last one if `last`; i64.";
  let arguments = (ins AnyRankedTensor:$x, I64Attr:$axis,
                       DefaultValuedAttr<BoolAttr, "false">:$keepdims,
                       DefaultValuedAttr<BoolAttr, "false">:$last);
  let elementType = "::mlir::IntegerType::get(elementTypeOf(adaptor.getX()).getContext(), 64)";
  let hasVerifier = 1;
}
def Ingot_ArgMaxOp : Ingot_ArgOp<"arg_max", "largest">;
def Ingot_ArgMinOp : Ingot_ArgOp<"arg_min", "smallest">;

class Ingot_CumulativeOp<string mnemonic, string what> : Ingot_ValueOp<mnemonic> {
  let summary = "The running " # what # " along an axis";
  let description = [{
    Element `i` combines the elements up to `i`, or before `i` if `exclusive`;
    from the end if `reverse`.
  }];
  let arguments = (ins AnyRankedTensor:$x, I64Attr:$axis,
                       DefaultValuedAttr<BoolAttr, "false">:$exclusive,
                       DefaultValuedAttr<BoolAttr, "false">:$reverse);
  let shape = "return shapes[0];";
  let hasVerifier = 1;
}
def Ingot_CumSumOp : Ingot_CumulativeOp<"cum_sum", "sum">;
def Ingot_CumProdOp : Ingot_CumulativeOp<"cum_prod", "product">;

class Ingot_TopKOp<string mnemonic, string what, string type> : Ingot_ValueOp<mnemonic> {
  let summary = "The " # what # " of the k largest (or smallest) elements along an axis";
  let description = [{
    Sorted from the extreme inwards; equal elements in the order of their
    indices.
  }];
  let arguments = (ins AnyRankedTensor:$x, Ingot_DimsAttr:$k, I64Attr:$axis,
                       DefaultValuedAttr<BoolAttr, "true">:$largest);
  let elementType = type;
  let hasVerifier = 1;
}
def Ingot_TopKValuesOp : Ingot_TopKOp<"top_k_values", "values",
    "elementTypeOf(adaptor.getX())">;
def Ingot_TopKIndicesOp : Ingot_TopKOp<"top_k_indices", "indices",
    "::mlir::IntegerType::get(elementTypeOf(adaptor.getX()).getContext(), 64)">;

#endif
