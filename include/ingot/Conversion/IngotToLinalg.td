//===- IngotToLinalg.td - ingot ops to linalg --------------*- tablegen -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_CONVERSION_INGOTTOLINALG
#define INGOT_CONVERSION_INGOTTOLINALG

include "mlir/Pass/PassBase.td"

def ConvertIngotToLinalg : Pass<"convert-ingot-to-linalg", "::mlir::ModuleOp"> {
  let summary = "Turns ingot ops on tensors into linalg ops and tiles' structured ops";
  let description = [{
    Elementwise ops, reductions, gathers and windows become `linalg.generic`,
    moves of data become `tensor` ops. `linear` gets a packed weight and
    operands of rank two, `matmul` operands of rank three, the norms and
    `softmax` operands of rank two; with `attention` they stay ingot ops, in
    f32.

    Unsigned integers become signless and booleans become `i8` holding 0 or 1;
    the ops keep their meaning by the code chosen for them. Every dim that is
    not static is an `ingot.size` expression.

    A `linear` whose weight is dequantized from codes of at most 8 bits, by scales
    for all of it, for each column or for blocks of K, becomes `quantized_linear`:
    the weight stays codes, and the activations become codes of 24 bits, of 8
    where the weight's `ingot.accuracy_level` is 4, or of what `activation_bits`
    of the op asks. Beside codes of 8 bits with a scale a column, and where the
    model itself dequantizes them, they keep their values (32 bits).

    A `linear` whose weight is of bf16, or was widened from that, keeps it as
    pairs along K. With `bfloat-products` what it multiplies stays bf16 too, if
    the model has it so; otherwise that becomes f32.

    What the model can get wrong at run time (an index out of range, extents
    that do not broadcast) is guarded by `ingot.check`, and is harmless until
    the check is looked at: indices are clamped.

    Ops that cannot be converted are all reported, each at its own location.

    Example:

    ```mlir
    %1 = ingot.neg %0 : (tensor<?xf32>) -> tensor<?xf32>
    // becomes
    %n = ingot.size <seq>
    %e = tensor.empty(%n) : tensor<?xf32>
    %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
        ins(%0 : tensor<?xf32>) outs(%e : tensor<?xf32>) {
    ^bb0(%in: f32, %out: f32):
      %2 = arith.negf %in : f32
      linalg.yield %2 : f32
    } -> tensor<?xf32>
    ```
  }];
  let options = [Option<"activationBits", "activation-bits", "int64_t", /*default=*/"0",
                        "Bits of the activations that meet weights kept as codes (8, 16, "
                        "24 or 32); 0 for what the model asks">,
                 Option<"bfloatProducts", "bfloat-products", "bool", /*default=*/"false",
                        "Whether the target has products of pairs of bf16">];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

#endif // INGOT_CONVERSION_INGOTTOLINALG
