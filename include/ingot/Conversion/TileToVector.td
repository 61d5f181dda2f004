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
    walked in vectors of 16 lanes (8 where 64-bit elements are read or written,
    and no more than a register holds where the body has a function or a
    division, which take many registers) with a scalar loop for what is left; where there is none, a contiguous
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
  let options = [Option<"target", "target", "std::string",
                        /*default=*/"\"x86-64-v3\"",
                        "The CPU whose registers vectors are for">];
  let dependentDialects = ["arith::ArithDialect", "affine::AffineDialect",
                           "linalg::LinalgDialect", "memref::MemRefDialect",
                           "scf::SCFDialect", "vector::VectorDialect"];
}

def LowerRotate : Pass<"ingot-lower-rotate"> {
  let summary = "Turns rotations on memrefs into generics";
  let description = [{
    `ingot.rotate` becomes one `linalg.generic` for the first and one for the
    second of the pairs, on views of the features, and one that copies the
    features beyond the pairs if there are any.

    Example:

    ```mlir
    ingot.rotate ins(%x, %c, %s : memref<4x8xf32>, memref<4x4xf32>, memref<4x4xf32>)
        outs(%y : memref<4x8xf32>)
    // becomes
    %a = memref.subview %x[0, 0] [4, 4] [1, 1]
    %b = memref.subview %x[0, 4] [4, 4] [1, 1]
    linalg.generic ... ins(%a, %c, %b, %s) outs(%low) { a * c - b * s }
    linalg.generic ... ins(%a, %s, %b, %c) outs(%high) { a * s + b * c }
    ```
  }];
  let dependentDialects = ["arith::ArithDialect", "linalg::LinalgDialect",
                           "memref::MemRefDialect"];
}

def ExpandMath : Pass<"ingot-expand-math"> {
  let summary = "Writes elementary functions out as arithmetic";
  let description = [{
    `math` functions on scalars and vectors become arithmetic and bit
    operations, so that no library is needed: f32 and f64 by own polynomials
    (the rarer f32 functions in f64), f16 and bf16 in f32. Angles beyond 2^27
    are reduced by as many bits of 2/pi as they need, in a branch that is taken
    only where a lane has one. What is one instruction on every supported CPU
    stays (sqrt, floor, ceil, trunc, roundeven, fma, abs, copysign). Also
    expanded are `arith.remf`, arithmetic on bf16 and f16, conversions to and
    from bf16, `ipowi`, and floor and ceiling division. A function or type it
    does not know is an error.

    Example:

    ```mlir
    %1 = math.rsqrt %0 : vector<16xf32>
    // becomes
    %one = arith.constant dense<1.0> : vector<16xf32>
    %root = math.sqrt %0 : vector<16xf32>
    %1 = arith.divf %one, %root : vector<16xf32>
    ```
  }];
  let dependentDialects = ["arith::ArithDialect", "math::MathDialect",
                           "scf::SCFDialect", "vector::VectorDialect"];
}

def LowerLinear : Pass<"ingot-lower-linear"> {
  let summary = "Turns linear and matmul on memrefs into register-tiled loops";
  let description = [{
    `ingot.linear` and `ingot.matmul` on memrefs become loops over tiles whose
    sums stay in registers: 6 rows by one panel of 16 columns, or 12 rows by two
    panels with AVX-512. Weights are packed panels, ceil(N/16) x K x 16, or plain
    K x N. For every row the products are added in one order over K, whatever
    the number of rows. Pairs of bf16 along K, ceil(N/16) x ceil(K/2) x 16 x 2,
    are multiplied with pairs of `x` by vdpbf16ps where `x` is of bf16 and the
    target has the instruction, and else become floats in registers.

    Example:

    ```mlir
    ingot.linear ins(%x, %w : memref<?x384xf32>, memref<24x384x16xf32>)
                 outs(%c : memref<?x384xf32>)
    // becomes, inside loops over panels %p and rows
    %sums:6 = scf.for %k = %c0 to %c384 step %c1 iter_args(...) {
      %b = vector.load %w[%p, %k, %c0] : memref<24x384x16xf32>, vector<16xf32>
      %s = memref.load %x[%row, %k] : memref<?x384xf32>
      %v = vector.broadcast %s : f32 to vector<16xf32>
      %n = math.fma %v, %b, %acc : vector<16xf32>
      ...
    }
    ```
  }];
  let options = [Option<"target", "target", "std::string",
                        /*default=*/"\"x86-64-v3\"",
                        "The CPU to choose tiles for">];
  let dependentDialects = ["arith::ArithDialect", "LLVM::LLVMDialect",
                           "math::MathDialect", "memref::MemRefDialect",
                           "scf::SCFDialect", "vector::VectorDialect"];
}

def LowerQuantized : Pass<"ingot-lower-quantized"> {
  let summary = "Turns products with packed codes on memrefs into vector loops";
  let description = [{
    `ingot.quantize_rows` on memrefs becomes loops over blocks of 16 lanes.
    `ingot.quantized_linear` becomes loops over groups of 16 columns, whose codes
    are read once for four rows, or for one: the codes of a word are shifted and
    masked in place and multiplied in pairs (16-bit activations) or in fours
    (8 bits), with VNNI if the target has it; the integer sum of a block is
    exact. Blocks are added as floats in one order whatever the number of rows.

    Example:

    ```mlir
    ingot.quantized_linear
        ins(%x, %codes, %scale : memref<?x18x18xi32>, memref<36x18x4x16xi32>, memref<36x18x16xf16>)
        outs(%y : memref<?x576xf32>)
        {activation_bits = 16, weight_bits = 4, block = 32, zero_point = 8}
    // becomes, inside loops over groups %g and rows %r
    %sums = scf.for %block = %c0 to %c18 step %c1 iter_args(%sum = %zeros) -> (vector<16xf32>) {
      %w = vector.load %codes[%g, %block, %c0, %c0] : memref<36x18x4x16xi32>, vector<16xi32>
      %x0 = memref.load %x[%r, %block, %c0] : memref<?x18x18xi32>
      ...
      %d = llvm.call_intrinsic "llvm.x86.avx512.vpdpwssd.512"(%acc, %q, %xs) : (...) -> vector<16xi32>
      ...
    }
    ```
  }];
  let options = [Option<"target", "target", "std::string",
                        /*default=*/"\"x86-64-v3\"",
                        "The CPU to choose instructions for">];
  let dependentDialects = ["arith::ArithDialect", "LLVM::LLVMDialect",
                           "math::MathDialect", "memref::MemRefDialect",
                           "scf::SCFDialect", "vector::VectorDialect"];
}

def LowerAttention : Pass<"ingot-lower-attention"> {
  let summary = "Turns attention on memrefs into an online softmax over tiles";
  let description = [{
    `ingot.attention` on memrefs becomes loops over 48 queries by 48 keys: the
    scores of a tile lie on the stack, and the S x T matrix of scores never
    exists (Dao et al. 2022). Tiles of keys begin at the same keys for every
    query, so that a row's result does not depend on how queries are cut. f32
    with a known head size takes the fast path; other types and layouts are
    computed one score at a time. A row that sees no key, or only scores of
    -inf, gives what `dead_row` says.

    Example:

    ```mlir
    ingot.attention ins(%q, %k, %v : memref<1x?x1x32xf32>, ...)
        outs(%o : memref<1x?x1x32xf32>) {scale = 0.17 : f64}
    // becomes
    %weights = memref.alloca() : memref<48x48xf32>
    scf.for %first = %c0 to %queries step %c48 {
      scf.for %key = %c0 to %keys step %c48 { ... }
    }
    ```
  }];
  let options = [Option<"target", "target", "std::string",
                        /*default=*/"\"x86-64-v3\"",
                        "The CPU to choose tiles for">];
  let dependentDialects = ["arith::ArithDialect", "math::MathDialect",
                           "memref::MemRefDialect", "scf::SCFDialect",
                           "vector::VectorDialect"];
}

def LowerCache : Pass<"ingot-lower-cache"> {
  let summary = "Turns ops on caches into loops over pages";
  let description = [{
    `ingot.kv_append` on memrefs becomes loops that store keys transposed and
    copy values; `ingot.paged_attention` becomes an online softmax with a page
    as its tile (Dao et al. 2022). Rows of its tiles are pairs of a query and a
    query head of one key head, so that heads of a group share every load of
    keys and values: up to 6, or 12 with AVX-512, and as few as one token has.
    A page gives a row its maximum, sum and result, in one order, and then joins
    the row's own; a page that the row does not see leaves them alone. So no
    row depends on how queries are cut or on what else is in the batch. Hidden
    keys and values are never computed with. Memory is reached through
    `ingot.cache_page` only. Depths so large that one row's scratch takes more
    than 64 KiB of stack are an error.

    Example:

    ```mlir
    ingot.paged_attention ins(%q : memref<1x?x9x64xf32>) past(%past : memref<1xi64>)
        count(%count : memref<1xi64>) cache(%cache : !ingot.cache<...>)
        outs(%o : memref<1x?x9x64xf32>) {scale = 0.125 : f64}
    // becomes, for every row and key head
    scf.for %page = %begin to %end step %c1 {
      %k, %v = ingot.cache_page %cache[%row, %page] : ...
      %scores:24 = scf.for %d = %c0 to %c64 step %c1 iter_args(...) { ... }
      ...
    }
    ```
  }];
  let options = [Option<"target", "target", "std::string",
                        /*default=*/"\"x86-64-v3\"",
                        "The CPU to choose tiles for">];
  let dependentDialects = ["arith::ArithDialect", "math::MathDialect",
                           "memref::MemRefDialect", "scf::SCFDialect",
                           "vector::VectorDialect"];
}

def LowerNorms : Pass<"ingot-lower-norms"> {
  let summary = "Turns softmax and norms on memrefs into vector loops";
  let description = [{
    `ingot.softmax`, `ingot.layer_norm` and `ingot.rms_norm` on memrefs become
    loops over rows. In f32 with a contiguous last dim a row is walked in
    vectors of 16 lanes, the last one masked; sums keep 16 partial sums that are
    folded in a fixed order. The variance is taken in a second pass around the
    mean. Other types and axes are computed element by element.

    Example:

    ```mlir
    ingot.rms_norm ins(%x, %g : memref<?x64xf32>, memref<64xf32>)
        outs(%y : memref<?x64xf32>) {epsilon = 1.0e-6 : f64}
    // becomes
    scf.for %row = %c0 to %rows step %c1 {
      %sum = scf.for %j = %c0 to %c64 step %c16 iter_args(...) { ... }
      ...
    }
    ```
  }];
  let dependentDialects = ["arith::ArithDialect", "math::MathDialect",
                           "memref::MemRefDialect", "scf::SCFDialect",
                           "vector::VectorDialect"];
}

#endif // INGOT_CONVERSION_TILETOVECTOR
