//===- Passes.td - from exporters' spellings to canonical ops --*- tablegen -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TRANSFORMS_RECOGNITION_PASSES
#define INGOT_TRANSFORMS_RECOGNITION_PASSES

include "mlir/Pass/PassBase.td"

def BoundDims : Pass<"ingot-bound-dims", "::mlir::ModuleOp"> {
  let summary = "Find the bounds of dims that a model implies";
  let description = [{
    Where an op broadcasts a dim `min(c, s)`, the slice of a table of c positions,
    against a dim s, the model is valid only for s up to c. The bound
    goes to the declaration of s, so that a longer input is refused, and the
    expression becomes s.

    Where an op broadcasts a dim s against a sum of others, the two are equal:
    s becomes the sum wherever it stands, inputs included, and a run with
    another extent is refused. (That s is one and repeated is not taken for
    what the model means.)

    Example: with a table of 64 positions, `ingot.dim @seq` becomes
    `ingot.dim @seq {max = 64}` and `min(64, seq)` becomes `seq`.
  }];
  let dependentDialects = ["::ingot::IngotDialect"];
}

def CanonicalizeGraph : Pass<"ingot-canonicalize-graph", "::mlir::func::FuncOp"> {
  let summary = "Remove ops that provably change nothing";
  let description = [{
    Reshapes, broadcasts and slices to the shape that a tensor has already, by
    the expressions of its dims; casts to the same type; operations with their
    neutral element; a transpose hidden between a merge and the split of the
    same dims; a transpose before a rotation and its inverse after it.

    Example: for `%x : tensor<?x?x4xf32>` with dims `<batch, seq, 4>`,
    `ingot.reshape %x to <batch, seq, 4>` becomes `%x`.
  }];
  let dependentDialects = ["::ingot::IngotDialect"];
}

def MergeWeights : Pass<"ingot-merge-weights", "::mlir::ModuleOp"> {
  let summary = "Make one of weights that hold the same";
  let description = [{
    Programs that rewrite models compute what depends on constants alone, and
    write a tied table once more where it was reshaped or transposed. Weights of
    one type and the same bytes become one; a matrix of floats that is the
    transpose of an earlier one becomes that and an `ingot.transpose`. Files are
    compared where a few elements agree; what cannot be read is left for the
    artifact's writer to report.

    Example: where `@head : tensor<8x40xf32>` holds the transpose of `@table :
    tensor<40x8xf32>`, `ingot.weight_ref @head` becomes
    `ingot.transpose(ingot.weight_ref @table)`.
  }];
  let dependentDialects = ["::ingot::IngotDialect"];
}

def ThinWeights : Pass<"ingot-thin-weights", "::mlir::ModuleOp"> {
  let summary = "Keep one of the equal elements of parameters written out";
  let description = [{
    Scales and minima of blocks may have been written out by programs that
    rewrite models, an element for every code. A weight that is added to another
    one, subtracted from it or multiplied with it, and whose elements are equal
    in blocks along a dim, becomes a slice, one element a block, that is
    broadcast: what `ingot-recognize-dequantize` takes for parameters of blocks.

    Example: `add(dequantize(...), %m : 4x64xf32)` in whose weight every 32
    elements are equal gets `broadcast(slice %m size <4, 2> step [1, 32])`.
  }];
  let dependentDialects = ["::ingot::IngotDialect"];
}

def RecognizeNorms : Pass<"ingot-recognize-norms", "::mlir::func::FuncOp"> {
  let summary = "Find layer_norm and rms_norm in primitives";
  let description = [{
    Both are found as chains of means, roots and products, whatever the order
    of operands and whether the root is divided by or multiplied as a
    reciprocal. A norm without a weight gets a weight of ones.

    Example: `mul(mul(x, rsqrt(add(mean(mul(x, x)), eps))), gamma)` becomes
    `ingot.rms_norm`.
  }];
  let dependentDialects = ["::ingot::IngotDialect"];
}

def RecognizeActivations : Pass<"ingot-recognize-activations", "::mlir::func::FuncOp"> {
  let summary = "Find gelu and silu in primitives";
  let description = [{
    Products are flattened first, so that it does not matter how they are
    nested and where the factor one half sits. A gate `a * sigmoid(b)` is not
    a silu and stays.

    Example: `mul(mul(0.5, x), add(erf(div(x, sqrt 2)), 1))` becomes
    `ingot.gelu`.
  }];
  let dependentDialects = ["::ingot::IngotDialect"];
}

def RecognizeDequantize : Pass<"ingot-recognize-dequantize", "::mlir::func::FuncOp"> {
  let summary = "Find dequantized weights in primitives";
  let description = [{
    `mul(cast(codes), scale)` of integer weights becomes `ingot.dequantize` if
    the scale, whatever broadcasts and reshapes it comes through, is one number,
    or one for each place along an axis or for each block along it. A zero
    point subtracted before the product becomes its operand.

    A minimum that is added to each block of dequantized values goes to the zero
    point: it is divided by the scale. Where the scale is zero or too small for
    that, the block gets another one, beside which the codes do not count.

    A matrix that is dequantized in a shape of more dims, one of them a block,
    is dequantized as a matrix instead.

    Example: `mul(cast(%codes : 4x8xi8), %scale : 1x8xf32)` becomes
    `ingot.dequantize %codes, %s {axis = 1}` with a scale of 8 elements.
  }];
  let dependentDialects = ["::ingot::IngotDialect"];
}

def RecognizeEmbedding : Pass<"ingot-recognize-embedding", "::mlir::func::FuncOp"> {
  let summary = "Find lookups in tables";
  let description = [{
    `ingot.gather` along axis 0 of a two-dimensional weight becomes
    `ingot.embedding`. Of a dequantized table the codes are looked up, and the
    scale rows with them: the table is never decoded as a whole. The tables of
    `ingot.rope` are no embeddings.

    Example: `ingot.gather %table, %ids {axis = 0}` becomes
    `ingot.embedding %table, %ids`.
  }];
  let dependentDialects = ["::ingot::IngotDialect"];
}

def RecognizeLinear : Pass<"ingot-recognize-linear", "::mlir::func::FuncOp"> {
  let summary = "Find products with weight matrices, and their biases";
  let description = [{
    `ingot.matmul` whose right operand is a matrix that depends on weights
    alone becomes `ingot.linear`; an addition of a weight vector to its only
    use becomes its bias.

    Example: `ingot.add(ingot.matmul(%x, %w), %b)` becomes
    `ingot.linear ins(%x, %w, %b)`.
  }];
  let dependentDialects = ["::ingot::IngotDialect"];
}

def RecognizeRope : Pass<"ingot-recognize-rope", "::mlir::func::FuncOp"> {
  let summary = "Find rotary embedding in primitives";
  let description = [{
    `x * cos + concat(-high, low) * sin`, where low and high are the halves of
    the features and the halves of each table are equal, and
    `concat(low * cos - high * sin, low * sin + high * cos)` become
    `ingot.rope`. Features that a concat appends unrotated join it. Pairs may
    be neighbours as well, taken apart and woven by slices of every second
    feature or by a dim of two.

    Example: `add(mul(x, concat(c, c)), mul(concat(neg(x[8:]), x[:8]),
    concat(s, s)))` becomes `ingot.rope x, c, s`.
  }];
  let dependentDialects = ["::ingot::IngotDialect"];
}

def RecognizeAttention : Pass<"ingot-recognize-attention", "::mlir::func::FuncOp"> {
  let summary = "Find scaled dot-product attention in primitives";
  let description = [{
    From each softmax back to the product of queries and keys and forward to
    the product with the values. Scales are collected wherever they stand; the
    mask is evaluated for a symbolic position and split into a key mask, a
    causal bound and a window; what is not of that form is a bias. Heads are
    moved to B x S x H x D, which absorbs the transposes around. A guard
    against NaN decides, with the mask's fill value, what a row means whose
    keys are all masked. Attention of which the probabilities are used
    elsewhere, or whose mask cannot be represented, stays as it is.

    Example: `matmul(softmax(add(matmul(q, transpose(k)), mask)), v)` becomes
    `ingot.attention ins(q, k, v) key_mask(m)`.
  }];
  let dependentDialects = ["::ingot::IngotDialect"];
}

def ReduceMasks : Pass<"ingot-reduce-masks", "::mlir::func::FuncOp"> {
  let summary = "Turn the masks of attention ops into their normal form";
  let description = [{
    For `ingot.attention` ops that came with a mask as their bias: the bias is
    evaluated for a symbolic position (batch, head, query, key), and if it is a
    choice between zero and minus infinity (or the lowest float) by a
    conjunction of a key mask, `key <= query + offset` and a window, these
    become operands and attributes.

    Example: a bias `where(cast(%mask) expanded to Bx1xSxT, 0, -inf)` becomes
    `key_mask(%mask)`.
  }];
  let dependentDialects = ["::ingot::IngotDialect"];
}

#endif // INGOT_TRANSFORMS_RECOGNITION_PASSES
