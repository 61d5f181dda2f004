//===- IngotShapeOps.td - moving and choosing elements -----*- tablegen -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_SHAPE_OPS
#define INGOT_SHAPE_OPS

include "dialects/Ingot/IR/IngotBase.td"

def Ingot_ReshapeOp : Ingot_ValueOp<"reshape"> {
  let summary = "The same elements in another shape";
  let description = [{
    Row-major order is kept. The number of elements must be equal; where that
    is not apparent it is checked at run time.

    ```mlir
    %1 = ingot.reshape %0 to <batch, seq, 12, 32> : (tensor<?x?x384xf32>) -> tensor<?x?x12x32xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$x, Ingot_DimsAttr:$to);
  let shape = "return adaptor.getTo().getDims();";
  let assemblyFormat = "$x `to` $to attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Ingot_TransposeOp : Ingot_ValueOp<"transpose"> {
  let summary = "A permutation of the dims";
  let description = [{
    Dim `i` of the result is dim `permutation[i]` of the operand.

    ```mlir
    %1 = ingot.transpose %0 by [0, 2, 1] : (tensor<2x3x4xf32>) -> tensor<2x4x3xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$x, DenseI64ArrayAttr:$permutation);
  let assemblyFormat = "$x `by` $permutation attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def Ingot_BroadcastToOp : Ingot_ValueOp<"broadcast_to"> {
  let summary = "Repeats dims of extent one up to a shape";
  let description = [{
    The result has the numpy broadcast of the operand's shape and `to` (as
    ONNX's Expand: a dim of `to` that is one keeps the operand's extent).

    ```mlir
    %1 = ingot.broadcast_to %0 to <batch, 4> : (tensor<1x4xf32>) -> tensor<?x4xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$x, Ingot_DimsAttr:$to);
  let shape = "return ::ingot::broadcastShapes({shapes[0], adaptor.getTo().getDims()});";
  let assemblyFormat = "$x `to` $to attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
}

def Ingot_ConcatOp : Ingot_ValueOp<"concat"> {
  let summary = "Tensors one after the other along an axis";
  let description = "The operands agree in all dims but `axis` (not negative).";
  let arguments = (ins Variadic<AnyRankedTensor>:$inputs, I64Attr:$axis);
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Ingot_SliceOp : Ingot_ValueOp<"slice"> {
  let summary = "A regular part of a tensor";
  let description = [{
    Element `i` of a result dim is element `start + i * step` of the operand's.
    There is one start, size and step for every dim; a step may be negative.
    The part lies inside the operand; what is not apparent is checked at run
    time.

    ```mlir
    %1 = ingot.slice %0 from <0, 1> size <batch, seq - 1> step [1, 1]
       : (tensor<?x?xf32>) -> tensor<?x?xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$x, Ingot_DimsAttr:$starts,
                       Ingot_DimsAttr:$sizes, DenseI64ArrayAttr:$steps);
  let shape = "return adaptor.getSizes().getDims();";
  let assemblyFormat = [{
    $x `from` $starts `size` $sizes `step` $steps attr-dict `:` functional-type(operands, results)
  }];
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Ingot_PadOp : Ingot_ValueOp<"pad"> {
  let summary = "A tensor with a border";
  let description = [{
    `low` and `high` elements are added before and after each dim; negative
    numbers remove elements. `value` (a scalar tensor, absent: zero) fills the
    border in mode `constant`.
  }];
  let arguments = (ins AnyRankedTensor:$x, Optional<AnyRankedTensor>:$value,
                       Ingot_DimsAttr:$low, Ingot_DimsAttr:$high,
                       DefaultValuedAttr<Ingot_PadModeAttr, "::ingot::PadMode::Constant">:$mode);
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Ingot_TileOp : Ingot_ValueOp<"tile"> {
  let summary = "A tensor repeated along its dims";
  let description = "Dim `i` is repeated `repeats[i]` times.";
  let arguments = (ins AnyRankedTensor:$x, Ingot_DimsAttr:$repeats);
  let hasVerifier = 1;
}

def Ingot_ReverseOp : Ingot_ValueOp<"reverse"> {
  let summary = "A tensor with an axis reversed";
  let description = [{
    Along `axis` the elements come in the opposite order. With `lengths`, a
    vector over `batch_axis`, only the first `lengths[b]` of them do.
  }];
  let arguments = (ins AnyRankedTensor:$x, Optional<AnyRankedTensor>:$lengths,
                       I64Attr:$axis, DefaultValuedAttr<I64Attr, "0">:$batch_axis);
  let shape = "return shapes[0];";
}

def Ingot_TriluOp : Ingot_ValueOp<"trilu"> {
  let summary = "The upper or lower triangle of matrices";
  let description = [{
    Keeps element (i, j) of the last two dims where `j - i >= k` (upper) or
    `j - i <= k` (lower), zeros elsewhere. `k` is a scalar tensor or absent (0).
  }];
  let arguments = (ins AnyRankedTensor:$x, Optional<AnyRankedTensor>:$k,
                       DefaultValuedAttr<BoolAttr, "true">:$upper);
  let shape = "return shapes[0];";
  let hasVerifier = 1;
}

def Ingot_RangeOp : Ingot_ValueOp<"range"> {
  let summary = "An arithmetic progression";
  let description = [{
    `start + i * step` for `i` below `size`, of the type of `start` and `step`,
    which are scalar tensors.

    ```mlir
    %1 = ingot.range %start, %step size <seq> : (tensor<i64>, tensor<i64>) -> tensor<?xi64>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$start, AnyRankedTensor:$step, Ingot_DimsAttr:$size);
  let shape = "return adaptor.getSize().getDims();";
  let assemblyFormat = [{
    $start `,` $step `size` $size attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Ingot_OneHotOp : Ingot_ValueOp<"one_hot"> {
  let summary = "Vectors with one distinguished element";
  let description = [{
    Inserts a dim of extent `depth` at `axis`: `on` where its index equals the
    element of `indices` (negative ones count from the end), `off` elsewhere.
    `values` is the vector (off, on).
  }];
  let arguments = (ins AnyRankedTensor:$indices, AnyRankedTensor:$values,
                       Ingot_DimsAttr:$depth, I64Attr:$axis);
  let elementType = "elementTypeOf(adaptor.getValues())";
}

def Ingot_EmbeddingOp : Ingot_ValueOp<"embedding"> {
  let summary = "Rows of a table chosen by ids";
  let description = [{
    `table` is V x D, `ids` of any shape; the result has the shape of `ids`
    with D appended. Negative ids count from the end; an id out of range is a
    run-time error.

    ```mlir
    %1 = ingot.embedding %table, %ids : (tensor<30522x384xf32>, tensor<?x?xi64>) -> tensor<?x?x384xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$table, AnyRankedTensor:$ids);
  let assemblyFormat = "$table `,` $ids attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Ingot_GatherOp : Ingot_ValueOp<"gather"> {
  let summary = "Slices chosen by an index tensor along an axis";
  let description = [{
    The result's shape is that of `x` with dim `axis` replaced by the shape of
    `indices`. Negative indices count from the end; out of range is an error.
  }];
  let arguments = (ins AnyRankedTensor:$x, AnyRankedTensor:$indices, I64Attr:$axis);
  let hasVerifier = 1;
}

def Ingot_GatherElementsOp : Ingot_ValueOp<"gather_elements"> {
  let summary = "Elements chosen along an axis, one per index";
  let description = [{
    `result[i][j] = x[indices[i][j]][j]` for axis 0, and so on.
  }];
  let arguments = (ins AnyRankedTensor:$x, AnyRankedTensor:$indices, I64Attr:$axis);
  let shape = "return shapes[1];";
  let hasVerifier = 1;
}

def Ingot_GatherNdOp : Ingot_ValueOp<"gather_nd"> {
  let summary = "Slices chosen by index vectors";
  let description = [{
    The last dim of `indices` (constant extent) indexes the dims of `x` after
    the first `batch_dims`, which the two operands share.
  }];
  let arguments = (ins AnyRankedTensor:$x, AnyRankedTensor:$indices,
                       DefaultValuedAttr<I64Attr, "0">:$batch_dims);
  let hasVerifier = 1;
}

def Ingot_ScatterElementsOp : Ingot_ValueOp<"scatter_elements"> {
  let summary = "A tensor with elements replaced, one per index";
  let description = [{
    The inverse of `gather_elements`: writes `updates[i][j]` to
    `result[indices[i][j]][j]` for axis 0; `reduction` combines with what is
    there.
  }];
  let arguments = (ins AnyRankedTensor:$x, AnyRankedTensor:$indices,
                       AnyRankedTensor:$updates, I64Attr:$axis,
                       DefaultValuedAttr<Ingot_ScatterKindAttr, "::ingot::ScatterKind::None">:$reduction);
  let shape = "return shapes[0];";
  let hasVerifier = 1;
}

def Ingot_ScatterNdOp : Ingot_ValueOp<"scatter_nd"> {
  let summary = "A tensor with slices replaced";
  let description = [{
    The inverse of `gather_nd` without batch dims: slices of `updates` are
    written where the last dim of `indices` says.
  }];
  let arguments = (ins AnyRankedTensor:$x, AnyRankedTensor:$indices,
                       AnyRankedTensor:$updates,
                       DefaultValuedAttr<Ingot_ScatterKindAttr, "::ingot::ScatterKind::None">:$reduction);
  let shape = "return shapes[0];";
  let hasVerifier = 1;
}

def Ingot_WriteRowsOp : Ingot_ValueOp<"write_rows"> {
  let summary = "A buffer with entries written from a position of each row on";
  let description = [{
    `x` is B x ...; `update` has its dims but for dim `axis`; `at` is a vector
    of B positions (i64). Along `axis`, entry `at[b] + i` of row b becomes entry
    i of the update; all others are those of `x`. With `circular` positions
    wrap around at the end; otherwise a position out of range is a run-time
    error.

    ```mlir
    %1 = ingot.write_rows %x, %new, %at {axis = 2 : i64}
       : (tensor<?x3x?x16xf32>, tensor<?x3x?x16xf32>, tensor<?xi64>) -> tensor<?x3x?x16xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$x, AnyRankedTensor:$update, AnyRankedTensor:$at,
                       I64Attr:$axis, DefaultValuedAttr<BoolAttr, "false">:$circular);
  let assemblyFormat = "$x `,` $update `,` $at attr-dict `:` functional-type(operands, results)";
  let shape = "return shapes[0];";
  let hasVerifier = 1;
}

def Ingot_RopeOp : Ingot_ValueOp<"rope"> {
  let summary = "Pairs of features rotated by angles of their position";
  let description = [{
    Rotary embedding (Su et al. 2021, equation 34). `cos` and `sin` have the
    rank of `x`; each of their dims is that of `x` or one, and the last, R, is
    the number of pairs: the first 2R features are rotated, the rest stays.
    Pair i is features i and R + i, or 2i and 2i + 1 if `interleaved`; of a
    pair (a, b) becomes (cos a - sin b, sin a + cos b).

    ```mlir
    %1 = ingot.rope %x, %cos, %sin
       : (tensor<?x6x?x16xf32>, tensor<?x1x?x8xf32>, tensor<?x1x?x8xf32>) -> tensor<?x6x?x16xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$x, AnyRankedTensor:$cos, AnyRankedTensor:$sin,
                       DefaultValuedAttr<BoolAttr, "false">:$interleaved);
  let assemblyFormat = "$x `,` $cos `,` $sin attr-dict `:` functional-type(operands, results)";
  let shape = "return shapes[0];";
  let hasVerifier = 1;
}

#endif
