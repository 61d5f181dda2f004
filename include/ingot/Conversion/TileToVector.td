//===- TileToVector.td - kernel passes ---------------------*- tablegen -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_CONVERSION_TILETOVECTOR
#define INGOT_CONVERSION_TILETOVECTOR

include "mlir/Pass/PassBase.td"

def VectorizeGeneric : Pass<"ingot-vectorize-generic"> {
  let summary = "Turns linalg ops on memrefs into loops over vectors";
  let description = [{
    Every linalg op on memrefs, named or generic, and every memref.copy becomes
    `scf.for` loops. A parallel dim along which all results are contiguous is
    walked in vectors of 16 lanes (8 where 64-bit elements are read or written)
    with a scalar loop for what is left; where there is none, a contiguous
    reduction dim with a known combiner gets a vector of partial results that
    is combined in a fixed order. Everything else becomes scalar loops.

    Example:

    ```mlir
    linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
        ins(%a : memref<?xf32>) outs(%b : memref<?xf32>) {
    ^bb0(%x: f32, %y: f32):
      %0 = arith.addf %x, %x : f32
      linalg.yield %0 : f32
    }
    // becomes
    scf.for %i = %c0 to %full step %c16 {
      %0 = vector.load %a[%i] : memref<?xf32>, vector<16xf32>
      %1 = arith.addf %0, %0 : vector<16xf32>
      vector.store %1, %b[%i] : memref<?xf32>, vector<16xf32>
    }
    scf.for %i = %full to %n step %c1 { ... }
    ```
  }];
  let dependentDialects = ["arith::ArithDialect", "affine::AffineDialect",
                           "linalg::LinalgDialect", "memref::MemRefDialect",
                           "scf::SCFDialect", "vector::VectorDialect"];
}

#endif // INGOT_CONVERSION_TILETOVECTOR
