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

    Example: `%1 = exp(%0); %2 = neg(%1)` becomes one generic whose body is
    `math.exp` followed by `arith.negf`.
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

#endif // INGOT_TRANSFORMS_PASSES
