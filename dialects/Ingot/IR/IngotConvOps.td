//===- IngotConvOps.td - sliding windows -------------------*- tablegen -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_CONV_OPS
#define INGOT_CONV_OPS

include "dialects/Ingot/IR/IngotBase.td"

def Ingot_ConvOp : Ingot_ValueOp<"conv"> {
  let summary = "A convolution over spatial dims";
  let description = [{
    `x` is N x C x spatial..., `w` is M x C/group x kernel..., `bias` M; as
    ONNX's Conv with explicit pads (all lows, then all highs).

    ```mlir
    %1 = ingot.conv %x, %w strides [2] dilations [1] pads [1, 1] group 1
       : (tensor<?x80x100xf32>, tensor<96x80x3xf32>) -> tensor<?x96x50xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$x, AnyRankedTensor:$w, Optional<AnyRankedTensor>:$bias,
                       DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$dilations,
                       DenseI64ArrayAttr:$pads, I64Attr:$group);
  let assemblyFormat = [{
    $x `,` $w (`,` $bias^)? `strides` $strides `dilations` $dilations `pads` $pads
    `group` $group attr-dict `:` functional-type(operands, results)
  }];
  let moreDeclarations = [{
    ::ingot::DimExpr getFlops(::llvm::ArrayRef<::ingot::DimShape> operands,
                              ::llvm::ArrayRef<::ingot::DimShape> results);
  }];
  let hasVerifier = 1;
}

def Ingot_PoolOp : Ingot_ValueOp<"pool"> {
  let summary = "A reduction over sliding windows";
  let description = [{
    `x` is N x C x spatial...; the window is `kernel`. Average counts padding
    if `count_include_pad`; lp uses the exponent `p`. With `ceil_mode` the
    output extent is rounded up, as ONNX defines it.
  }];
  let arguments = (ins Ingot_PoolKindAttr:$kind, AnyRankedTensor:$x,
                       DenseI64ArrayAttr:$kernel, DenseI64ArrayAttr:$strides,
                       DenseI64ArrayAttr:$dilations, DenseI64ArrayAttr:$pads,
                       DefaultValuedAttr<BoolAttr, "false">:$ceil_mode,
                       DefaultValuedAttr<BoolAttr, "false">:$count_include_pad,
                       DefaultValuedAttr<I64Attr, "2">:$p);
  let assemblyFormat = "$kind $x attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif
