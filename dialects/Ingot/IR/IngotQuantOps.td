//===- IngotQuantOps.td - codes and their values -----------*- tablegen -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_QUANT_OPS
#define INGOT_QUANT_OPS

include "dialects/Ingot/IR/IngotBase.td"

def Ingot_DequantizeOp : Ingot_ValueOp<"dequantize"> {
  let summary = "The values that codes stand for";
  let description = [{
    `(codes - zero_point) * scale`. `scale` is a scalar, a vector along `axis`,
    or, with `block_size` b > 0, a tensor of the rank of `codes` with one
    element per b codes along `axis`. `zero_point` has the shape of `scale`; it
    is zero if absent. Zero points are integers like the codes, or floats.

    Every quantized weight of a model arrives in this form. Codes of two and four
    bits have the element types i2, ui2, i4, ui4; a weight of them holds
    ceil(count * bits / 8) bytes in row-major order, the first code in the lowest
    bits of each byte, as in the model's file. Where files pad (the last block of
    codes, rows of packed zero points), the operand is a `slice` of what the
    file holds. A format's implied zero point is a constant of equal elements.

    A discardable attribute `ingot.accuracy_level` is what the model allows a
    product with these values, in ONNX Runtime's numbers: 1 f32, 2 f16, 3 bf16,
    4 activations quantized to eight bits; without it anything.

    ```mlir
    %w = ingot.dequantize %codes, %scale {axis = 1} : (tensor<384x384xi8>, tensor<384xf32>) -> tensor<384x384xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$codes, AnyRankedTensor:$scale,
                       Optional<AnyRankedTensor>:$zero_point,
                       DefaultValuedAttr<I64Attr, "1">:$axis,
                       DefaultValuedAttr<I64Attr, "0">:$block_size);
  let elementType = "elementTypeOf(adaptor.getScale())";
  let shape = "return shapes[0];";
  let hasVerifier = 1;
}

def Ingot_QuantizeOp : Ingot_ValueOp<"quantize"> {
  let summary = "The codes nearest to values";
  let description = [{
    `saturate(round(x / scale) + zero_point)`, halves to even; operands as in
    `dequantize`, codes of type `to`.
  }];
  let arguments = (ins AnyRankedTensor:$x, AnyRankedTensor:$scale,
                       Optional<AnyRankedTensor>:$zero_point, TypeAttr:$to,
                       DefaultValuedAttr<I64Attr, "1">:$axis,
                       DefaultValuedAttr<I64Attr, "0">:$block_size);
  let elementType = "adaptor.getTo()";
  let shape = "return shapes[0];";
  let hasVerifier = 1;
}

#endif
