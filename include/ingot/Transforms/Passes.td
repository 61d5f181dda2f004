//===- Passes.td - passes over tensors ---------------------*- tablegen -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TRANSFORMS_PASSES
#define INGOT_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

def FuseElementwise : Pass<"ingot-fuse-elementwise", "::mlir::func::FuncOp"> {
  let summary = "Fuse chains of elementwise linalg ops";
  let description = [{
    Merges an elementwise `linalg.generic` into its only consumer and moves
    reshapes out of the way: a generic over an expanded tensor is rewritten to
    work on the collapsed one, so that it meets the op that produced the data.
    What checks its values on the way is checked where it is fused, and gone.

    Example: `%1 = exp(%0); %2 = neg(%1)` becomes one generic whose body is
    `math.exp` followed by `arith.negf`.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect",
                           "::mlir::affine::AffineDialect"];
}

def SplitByUse : Pass<"ingot-split-by-use", "::mlir::func::FuncOp"> {
  let summary = "Make in parts what is used in parts";
  let description = [{
    An op of whose result all that is used are slices without a common element is
    replaced by its tiles that they are, so that each can be computed together
    with what reads it. Slices move in front of reshapes for that. The op's
    kernel says where it may be cut.

    Example: of the product with the joint matrix of queries, keys and values
    ```mlir
    %0 = ingot.linear ins(%x, %w : ...) -> tensor<?x960xf32>
    %1 = tensor.extract_slice %0[0, 0] [%n, 768] [1, 1]
    %2 = tensor.extract_slice %0[0, 768] [%n, 192] [1, 1]
    ```
    become two products, with the first 48 and the last 12 panels of `%w`.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect",
                           "::mlir::affine::AffineDialect"];
}

def FormStages : Pass<"ingot-form-stages", "::mlir::func::FuncOp"> {
  let summary = "Turn tensor ops into stages: top-level loops over tiles";
  let description = [{
    Every op at the top level of a function that knows how to tile itself
    becomes one `scf.forall` over independent tiles. Producers that have no
    other use are fused into the tile where that computes nothing twice. The
    pass asks interfaces (`TilingInterface`, `DestinationStyleOpInterface`)
    only and never looks at an op's name.

    Example:
    ```mlir
    %1 = linalg.matmul ins(%a, %b) outs(%0) -> tensor<?x?xf32>
    %2 = linalg.generic ... ins(%1) ... -> tensor<?x?xf32>
    ```
    becomes
    ```mlir
    %2 = scf.forall (%i, %j) = (0, 0) to (%m, %n) step (24, 64) shared_outs(..) {
      %t1 = linalg.matmul ins(%a[%i], %b[%j]) ...
      %t2 = linalg.generic ins(%t1) ...
      scf.forall.in_parallel { tensor.parallel_insert_slice %t2 ... }
    }
    ```
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect",
                           "::mlir::affine::AffineDialect"];
}

def Bufferize : Pass<"ingot-bufferize", "::mlir::ModuleOp"> {
  let summary = "Give every tensor of the entry functions a buffer";
  let description = [{
    Public functions over tensors become functions over buffers in destination
    style: arguments are read-only buffers, and each result is written into a
    buffer argument that follows them, without a copy where the value can be
    computed there. What a function still returns are the dims of its results,
    all of them, in order. Arguments carry `ingot.role` ("input", "output").
    Constants become globals of the module, equal ones one.

    Example: `func @f(%a: tensor<?xf32>) -> tensor<?xf32>` becomes
    `func @f(%a: memref<?xf32> {ingot.role = "input"},
             %r: memref<?xf32> {ingot.role = "output"}) -> index`.
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::tensor::TensorDialect",
                           "::mlir::linalg::LinalgDialect"];
}

def StageLeftovers : Pass<"ingot-stage-leftovers", "::mlir::func::FuncOp"> {
  let summary = "Make stages of what is still outside of one";
  let description = [{
    After bufferization, an op at the top level that touches memory and is not
    in a stage becomes one: copies and other tileable ops a loop over tiles,
    the rest one tile that one worker runs. Neighbours of one tile share it.
    Reading one element stays outside: every worker does it for itself.

    Example: `memref.copy %a, %b` becomes
    `scf.forall (%i) = (0) to (%n) step (8192) { linalg.copy ... }`.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::affine::AffineDialect"];
}

def HoistWeightFunctions
    : Pass<"ingot-hoist-weight-functions", "::mlir::ModuleOp"> {
  let summary = "Move what depends on weights alone out of the program";
  let description = [{
    Tensor ops all of whose operands come from weights and constants move into
    the function `main` of a nested module `weight_functions`, which is compiled
    for the host and run once, while the artifact is written. Its arguments
    are weights (`ingot.weight` names them); each result is a new weight of the
    program, declared without a file. Large constants become weights as well.
    Several programs of a module share one such function, and what they compute
    alike is one weight.

    Example: `linear(%x, pack(weight_ref @w))` becomes
    `linear(%x, weight_ref @computed_0)`, and `pack` moves.
  }];
  let dependentDialects = ["::ingot::IngotDialect",
                           "::mlir::func::FuncDialect"];
}

def ShareWeightFunctions
    : Pass<"ingot-share-weight-functions", "::mlir::ModuleOp"> {
  let summary = "One function for what is computed alike from several weights";
  let description = [{
    Cuts the function of `weight_functions` into parts that have no computed
    value in common. A part becomes a function of its own, the first of them
    `main`, and parts that do the same share one. Which weights a function is
    called with, and which it makes, is a list of calls: the attribute
    `ingot.calls` of the nested module. So one function packs the weights of all
    layers.

    Example: `@main(%a {ingot.weight = @a}, %b {ingot.weight = @b})`, which
    transposes both, becomes `@main(%0)`, which transposes one, and
    ```mlir
    ingot.calls = [
      {function = @main, inputs = [@a], outputs = [@computed_0]},
      {function = @main, inputs = [@b], outputs = [@computed_1]}
    ]
    ```
  }];
  let dependentDialects = ["::mlir::func::FuncDialect"];
}

def RollLayers : Pass<"ingot-roll-layers", "::mlir::ModuleOp"> {
  let summary = "Make one loop of layers that differ in their weights alone";
  let description = [{
    Finds the longest run of equal parts of a program that follow each other: of
    the same ops with the same attributes and types, whatever they are, whose
    operands are made alike. What a part takes from the one before it is carried
    by the loop, what is the same for all is read from outside, and weights or
    caches that differ become a family which the loop's number picks from. The
    part may be one layer or a group of several. Runs of fewer than `least`
    parts stay, and so does what differs in anything else or whose values are
    needed behind the run; the option `remarks` tells why.

    A cache of a family is used by nothing but the loop, and caches lie equally
    far from each other in one page; so do the weights of a family, which may be
    members of one family alone.

    Example: `%2 = linear(%1, @w0); %3 = linear(%2, @w1); ...` becomes
    ```mlir
    %4 = scf.for %i = %c0 to %c30 step %c1 iter_args(%x = %1) {
      %w = ingot.weight_member [@w0, @w1, ...][%i] : tensor<64x64xf32>
      %y = linear(%x, %w)
      scf.yield %y
    }
    ```
  }];
  let options = [
    Option<"least", "least", "int64_t", "4", "Parts that are worth a loop">,
    Option<"remarks", "remarks", "bool", "false",
           "Emit a remark that tells what became of each program">
  ];
  let dependentDialects = ["::ingot::IngotDialect", "::mlir::scf::SCFDialect",
                           "::mlir::arith::ArithDialect"];
}

def PlaceWeights : Pass<"ingot-place-weights", "::mlir::ModuleOp"> {
  let summary = "Give every weight that is used its place in the artifact";
  let description = [{
    Weights get offsets in the weights section in the order of their first use,
    aligned to 64 bytes, and become arguments of the program (`ingot.role` =
    "weight", `ingot.weight_offset`). The place stays on `ingot.weight` as
    `ingot.place`, the section's size on the module as `ingot.weights_bytes`.
    Members of a family lie equally far from each other, so that what one time of
    a loop reads of several families lies together; the argument is the bytes
    from the first to the last.

    Example: `%w = ingot.weight_ref @w` becomes an argument
    `%w: tensor<4xf32> {ingot.role = "weight", ingot.weight_offset = 0}`.
  }];
  let dependentDialects = ["::ingot::IngotDialect",
                           "::mlir::func::FuncDialect"];
}

#endif // INGOT_TRANSFORMS_PASSES
