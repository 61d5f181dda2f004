//===- IngotSymbolOps.td - dims, weights, constants --------*- tablegen -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_SYMBOL_OPS
#define INGOT_SYMBOL_OPS

include "dialects/Ingot/IR/IngotBase.td"

def Ingot_DimOp : Ingot_Op<"dim", [Symbol]> {
  let summary = "Declares a symbolic dimension";
  let description = [{
    A non-negative integer known when the program is run, bound by the extents
    of the inputs. A run outside `min`..`max` is refused.

    ```mlir
    ingot.dim @seq {max = 512 : i64}
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
                       DefaultValuedAttr<I64Attr, "0">:$min, OptionalAttr<I64Attr>:$max);
  let assemblyFormat = "$sym_name attr-dict";
  let hasVerifier = 1;
}

def Ingot_SizeOp : Ingot_Op<"size", [Pure]> {
  let summary = "The value of a dimension expression";
  let description = [{
    ```mlir
    %n = ingot.size <seq * 2 + 1>
    ```
  }];
  let arguments = (ins Ingot_DimsAttr:$expr);
  let results = (outs Index:$result);
  let assemblyFormat = "$expr attr-dict";
  let builders = [OpBuilder<(ins "const ::ingot::DimExpr &":$expr)>];
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Ingot_WeightOp : Ingot_Op<"weight", [Symbol]> {
  let summary = "Declares a weight: a tensor in a mapped file";
  let description = [{
    The elements, row major and little endian, are `length` bytes at `offset`
    of `file`. They are never part of the IR.

    ```mlir
    ingot.weight @wq : tensor<384x384xf32> in "model.onnx" at 1024 length 589824
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<AnyStaticShapeTensor>:$type,
                       StrAttr:$file, I64Attr:$offset, I64Attr:$length);
  let assemblyFormat = [{
    $sym_name `:` $type `in` $file `at` $offset `length` $length attr-dict
  }];
  let hasVerifier = 1;
}

def Ingot_WeightRefOp : Ingot_Op<"weight_ref", [
    Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>,
    DeclareOpInterfaceMethods<ShapeInferenceInterface>]> {
  let summary = "The value of a weight";
  let description = [{
    ```mlir
    %w = ingot.weight_ref @wq : tensor<384x384xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$weight);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "$weight attr-dict `:` type($result)";
}

def Ingot_WeightMemberOp : Ingot_Op<"weight_member", [
    Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "The value of one of several weights, by its number";
  let description = [{
    A family is a list of weights of one type; the value is that of the weight at
    position `number`, which is within it. A loop over layers names the weight of
    the layer at hand so. The members of a family get places that are equally far
    from each other.

    ```mlir
    %w = ingot.weight_member [@wq_0, @wq_1, @wq_2][%i] : tensor<384x384xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefArrayAttr:$weights, Index:$number);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "$weights `[` $number `]` attr-dict `:` type($result)";
}

def Ingot_WeightViewOp : Ingot_Op<"weight_view", [Pure]> {
  let summary = "One weight of a family, where they lie";
  let description = [{
    `family` is the bytes of weights that begin `stride` bytes from each other;
    the value is the one that begins at `number` strides.

    ```mlir
    %w = ingot.weight_view %family[%i] stride 41472
       : tensor<1244160xi8> to tensor<36x18x4x4xi32>
    ```
  }];
  let arguments = (ins AnyStaticShapeTensor:$family, Index:$number, I64Attr:$stride);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = [{
    $family `[` $number `]` `stride` $stride attr-dict `:` type($family) `to` type($result)
  }];
  let hasVerifier = 1;
}

def Ingot_ConstantOp : Ingot_Op<"constant", [
    Pure, ConstantLike, AllTypesMatch<["value", "result"]>,
    DeclareOpInterfaceMethods<ShapeInferenceInterface>]> {
  let summary = "A small constant tensor";
  let description = [{
    Constants of more than a few dozen elements are weights instead.

    ```mlir
    %c = ingot.constant dense<[1, 2]> : tensor<2xi64>
    ```
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "attr-dict $value";
  let hasFolder = 1;
}

def Ingot_FromDimsOp : Ingot_Op<"from_dims", [
    Pure, DeclareOpInterfaceMethods<ShapeInferenceInterface>]> {
  let summary = "Dimension expressions as tensor data";
  let description = [{
    A vector of the values, or a scalar tensor of the single value, for where a
    model computes with sizes as data.

    ```mlir
    %s = ingot.from_dims <batch, seq> : tensor<2xi64>
    ```
  }];
  let arguments = (ins Ingot_DimsAttr:$dims);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "$dims attr-dict `:` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Ingot_CheckOp : Ingot_Op<"check"> {
  let summary = "A condition checked while the program runs";
  let description = [{
    If `condition` is false the run ends in an error with this message. The
    program goes on computing until then, so whatever the check protects must
    be harmless when it fails.

    ```mlir
    ingot.check %ok, "index out of range in Gather 'g'"
    ```
  }];
  let arguments = (ins I1:$condition, StrAttr:$message);
  let assemblyFormat = "$condition `,` $message attr-dict";
}

#endif
