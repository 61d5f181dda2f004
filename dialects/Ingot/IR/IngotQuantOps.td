//===- IngotQuantOps.td - codes and their values -----------*- tablegen -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_QUANT_OPS
#define INGOT_QUANT_OPS

include "dialects/Ingot/IR/IngotBase.td"
include "dialects/Ingot/IR/IngotStructuredOps.td"

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
    4 activations quantized to eight bits, which is what they then are; without
    it that is not allowed.

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

def Ingot_QuantizeRowsOp : Ingot_StructuredOp<"quantize_rows"> {
  let summary = "Rows of activations as codes for products with quantized weights";
  let description = [{
    `x` (M x K, f32) becomes M x ceil(K / block) x W words of 32 bits. The words
    of a block are its codes, `activation_bits` each, then the scale and the sum
    of the codes, both as the bits of an f32. Codes past K are zero.

    With 8 or 16 bits the scale is the block's largest magnitude divided by 127
    or 32767 and a code is the nearest integer to value / scale, halves to even.
    24 bits are a code of 16 bits and one of 8 for what is left of the value, in
    units of scale / 256: all codes of 16 bits of the block come first. With 32
    bits the codes are the values themselves, the scale is one and the sum zero.
    A block with a value that is not finite has a scale that is not finite, so
    that products with it are NaN or infinite.

    Codes of 16 and 32 bits keep their order. Those of 8 bits stand in the order
    in which `quantized_linear` meets the weights of `weight_bits` bits: byte j
    of word c of every 32 / weight_bits codes is code
    `2 * (c + (j % 2) * 8 / weight_bits) + j / 2`.

    ```mlir
    %1 = ingot.quantize_rows ins(%x : tensor<?x576xf32>) outs(%0 : tensor<?x18x18xi32>)
           {activation_bits = 16, weight_bits = 4, block = 32} -> tensor<?x18x18xi32>
    ```
  }];
  let arguments = (ins Ingot_Shaped:$x, Ingot_Shaped:$init,
                       I64Attr:$activation_bits, I64Attr:$weight_bits, I64Attr:$block);
  let assemblyFormat = [{
    `ins` `(` $x `:` type($x) `)` `outs` `(` $init `:` type($init) `)` attr-dict
    (`->` type($results)^)?
  }];
}

def Ingot_QuantizedLinearOp : Ingot_StructuredOp<"quantized_linear"> {
  let summary = "A product with a weight matrix of packed codes";
  let description = [{
    Rows made by `quantize_rows` (M x B x W) times a K x N matrix of unsigned
    codes of `weight_bits` bits. Rows of 32 bits may also be floats as they are
    (M x K) where blocks divide K. For blocks b of K,

        y[m, n] = sum over b of (scale[b, n] * x_scale[m, b]
                                 * sum over k in b of (code[k, n] - zero[b, n]) * x_code[m, k])

    where the sum over k of codes is exact and blocks are added in order. With
    activations of 32 bits products are rounded as they are added, in order of
    k: over all of K where there is one scale for it, else block by block. No
    sum depends on the number of rows.

    `codes` are words of 32 bits, ceil(N/16) x B x (block * weight_bits / 32) x
    16. Word w of a column holds codes k = w * 32 / weight_bits + 2t + h of the
    block at bit 16h + t * weight_bits. `scale` is ceil(N/16) x B x 16, or
    ceil(N/16) x 1 x 16 if it is the same for all of K; zero past N. `zero` has
    the shape of `scale` (i8 read as unsigned, or float); without it every zero
    point is `zero_point`.

    ```mlir
    %1 = ingot.quantized_linear ins(%x, %codes, %scale : tensor<?x18x18xi32>, tensor<36x18x4x16xi32>, tensor<36x18x16xf16>)
           outs(%0 : tensor<?x576xf32>)
           {activation_bits = 16, weight_bits = 4, block = 32, zero_point = 8} -> tensor<?x576xf32>
    ```
  }];
  let arguments = (ins Ingot_Shaped:$x, Ingot_Shaped:$codes, Ingot_Shaped:$scale,
                       Optional<Ingot_Shaped>:$zero, Ingot_Shaped:$init,
                       I64Attr:$activation_bits, I64Attr:$weight_bits, I64Attr:$block,
                       DefaultValuedAttr<I64Attr, "0">:$zero_point);
  let assemblyFormat = [{
    `ins` `(` $x `,` $codes `,` $scale (`,` $zero^)? `:` type($x) `,` type($codes) `,` type($scale)
    (`,` type($zero)^)? `)` `outs` `(` $init `:` type($init) `)` attr-dict (`->` type($results)^)?
  }];
}

#endif
