//===- IngotStructuredOps.td - what stages are made of -----*- tablegen -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Ops in destination style: `outs` is overwritten, never read. On tensors the
// result is the new value of `outs`; on memrefs there is no result.
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_STRUCTURED_OPS
#define INGOT_STRUCTURED_OPS

include "dialects/Ingot/IR/IngotBase.td"

def Ingot_Shaped : AnyTypeOf<[AnyRankedTensor, AnyMemRef]>;

class Ingot_StructuredOp<string mnemonic, list<Trait> traits = []>
    : Ingot_Op<mnemonic, !listconcat(traits, [
        DestinationStyleOpInterface,
        DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
        DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>,
        DeclareOpInterfaceMethods<ShapeInferenceInterface>,
        DeclareOpInterfaceMethods<ExtentTiesInterface>,
        DeclareOpInterfaceMethods<TilingInterface, [
          "getLoopIteratorTypes", "getIterationDomain", "getTiledImplementation",
          "getResultTilePosition", "generateResultTileValue",
          "getIterationDomainTileFromResultTile"]>,
        DeclareOpInterfaceMethods<CostInterface, ["getFlops"]>])> {
  let results = (outs Variadic<AnyRankedTensor>:$results);
  /// C++ declarations that an op adds.
  code moreDeclarations = "";

  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
  }] # moreDeclarations;
  let hasVerifier = 1;
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::reifyResultShapes(
        ::mlir::OpBuilder &builder, ::mlir::ReifiedRankedShapedTypeDims &dims) {
      return ::ingot::reifyDestinations(getOperation(), builder, dims);
    }
    void $cppClass::getEffects(
        ::llvm::SmallVectorImpl<::mlir::SideEffects::EffectInstance<
            ::mlir::MemoryEffects::Effect>> &effects) {
      ::ingot::addDestinationEffects(*this, effects);
    }
  }];
}

def Ingot_LinearOp : Ingot_StructuredOp<"linear"> {
  let summary = "A product with a weight matrix";
  let description = [{
    `x` (... x K) times `w` (K x N), plus `bias` (N) if given. In stages `x` is
    M x K and `w` may be packed as ceil(N/16) x K x 16, padded with zeros; of
    bf16 also in pairs along K, ceil(N/16) x ceil(K/2) x 16 x 2, next to `x` of
    bf16 or f32. Sums over K run in one order whatever the number of rows. If `w` is
    dequantized from codes, `activation_bits` (8, 16, 24 or 32) is how exact the
    model wants `x` to be taken.

    ```mlir
    %1 = ingot.linear ins(%x, %w, %b : tensor<?x?x384xf32>, tensor<384x1536xf32>, tensor<1536xf32>)
                      outs(%0 : tensor<?x?x1536xf32>) -> tensor<?x?x1536xf32>
    ```
  }];
  let arguments = (ins Ingot_Shaped:$x, Ingot_Shaped:$w, Optional<Ingot_Shaped>:$bias,
                       Ingot_Shaped:$init, OptionalAttr<I64Attr>:$activation_bits);
  let assemblyFormat = [{
    `ins` `(` $x `,` $w (`,` $bias^)? `:` type($x) `,` type($w) (`,` type($bias)^)? `)`
    `outs` `(` $init `:` type($init) `)` attr-dict (`->` type($results)^)?
  }];
  let builders = [OpBuilder<(ins "::mlir::Value":$x, "::mlir::Value":$w,
                                 CArg<"::mlir::Value", "{}">:$bias)>];
  let moreDeclarations = [{
    /// Whether `w` is in a packed layout, and whether in that of pairs.
    bool isPacked();
    bool hasPairs();
  }];
}

def Ingot_MatmulOp : Ingot_StructuredOp<"matmul"> {
  let summary = "A product of two (stacks of) matrices";
  let description = [{
    As numpy's matmul with operands of rank two or more: ... x M x K times
    ... x K x N, batch dims broadcast. In stages both are of rank three with
    equal batch dims.

    ```mlir
    %1 = ingot.matmul ins(%a, %b : tensor<?x4x8xf32>, tensor<?x8x4xf32>)
                      outs(%0 : tensor<?x4x4xf32>) -> tensor<?x4x4xf32>
    ```
  }];
  let arguments = (ins Ingot_Shaped:$a, Ingot_Shaped:$b, Ingot_Shaped:$init);
  let assemblyFormat = [{
    `ins` `(` $a `,` $b `:` type($a) `,` type($b) `)`
    `outs` `(` $init `:` type($init) `)` attr-dict (`->` type($results)^)?
  }];
  let builders = [OpBuilder<(ins "::mlir::Value":$a, "::mlir::Value":$b,
                                 CArg<"::mlir::Type", "{}">:$element_type)>];
}

def Ingot_AttentionOp : Ingot_StructuredOp<"attention", [AttrSizedOperandSegments]> {
  let summary = "Scaled dot-product attention";
  let description = [{
    `q` is B x S x H x D, `k` and `v` are B x T x G x D (v's last dim may
    differ); query head h reads key and value head h / (H / G). Per query and
    head: softmax over the keys of `softcap(scale * q.k) + bias`, times v.
    `softcap` c > 0 means `c * tanh(s / c)`.

    Keys are visible where `key_mask` (B x T, i1 or i8) is true and, if
    `causal`, where `key <= query + query_offset` (absent: T - S; a tile of queries
    carries its own). If rows of the batch have their queries at positions of
    their own, `past` (B, i64) says where they begin: `key <= past[b] + query +
    query_offset`, and an absent query_offset is zero. `window` w > 0 keeps the
    last w visible positions, self included. `bias` (dims B, H, S, T, each full
    or one) is added to the scores. `dead_row` says what a row means whose keys
    are all masked by key_mask, causal and window.

    The S x T matrix of scores is never held (online softmax; Dao et al. 2022,
    algorithm 1).

    ```mlir
    %1 = ingot.attention ins(%q, %k, %v : tensor<?x?x12x32xf32>, tensor<?x?x12x32xf32>, tensor<?x?x12x32xf32>)
           key_mask(%m : tensor<?x?xi1>) outs(%0 : tensor<?x?x12x32xf32>)
           {scale = 0.17677669 : f64} -> tensor<?x?x12x32xf32>
    ```
  }];
  let arguments = (ins Ingot_Shaped:$q, Ingot_Shaped:$k, Ingot_Shaped:$v,
                       Optional<Ingot_Shaped>:$key_mask, Optional<Ingot_Shaped>:$bias,
                       Optional<Index>:$query_offset, Optional<Ingot_Shaped>:$past,
                       Ingot_Shaped:$init, F64Attr:$scale,
                       DefaultValuedAttr<BoolAttr, "false">:$causal,
                       DefaultValuedAttr<I64Attr, "0">:$window,
                       DefaultValuedAttr<F64Attr, "0.0">:$softcap,
                       DefaultValuedAttr<Ingot_DeadRowAttr, "::ingot::DeadRow::Zero">:$dead_row);
  let assemblyFormat = [{
    `ins` `(` $q `,` $k `,` $v `:` type($q) `,` type($k) `,` type($v) `)`
    (`key_mask` `(` $key_mask^ `:` type($key_mask) `)`)?
    (`bias` `(` $bias^ `:` type($bias) `)`)? (`offset` `(` $query_offset^ `)`)?
    (`past` `(` $past^ `:` type($past) `)`)?
    `outs` `(` $init `:` type($init) `)` attr-dict (`->` type($results)^)?
  }];
  let builders = [OpBuilder<(ins "::mlir::Value":$q, "::mlir::Value":$k, "::mlir::Value":$v,
      "::mlir::Value":$key_mask, "::mlir::Value":$bias, "double":$scale,
      CArg<"bool", "false">:$causal, CArg<"int64_t", "0">:$window,
      CArg<"double", "0.0">:$softcap,
      CArg<"::ingot::DeadRow", "::ingot::DeadRow::Zero">:$dead_row)>];
}

def Ingot_SoftmaxOp : Ingot_StructuredOp<"softmax"> {
  let summary = "The softmax along an axis";
  let description = [{
    `e^(x - max) / sum(e^(x - max))`, or its logarithm if `log`.

    ```mlir
    %1 = ingot.softmax ins(%x : tensor<?x?xf32>) outs(%0 : tensor<?x?xf32>) {axis = 1 : i64} -> tensor<?x?xf32>
    ```
  }];
  let arguments = (ins Ingot_Shaped:$x, Ingot_Shaped:$init, I64Attr:$axis,
                       DefaultValuedAttr<BoolAttr, "false">:$log);
  let assemblyFormat = [{
    `ins` `(` $x `:` type($x) `)` `outs` `(` $init `:` type($init) `)` attr-dict
    (`->` type($results)^)?
  }];
  let builders = [OpBuilder<(ins "::mlir::Value":$x, "int64_t":$axis,
                                 CArg<"bool", "false">:$log)>];
}

def Ingot_LayerNormOp : Ingot_StructuredOp<"layer_norm"> {
  let summary = "Layer normalization over the last axis";
  let description = [{
    `(x - mean) / sqrt(variance + epsilon) * gamma + beta` over the last dim N
    (Ba et al. 2016, equation 4); `gamma` and `beta` are vectors of N.

    ```mlir
    %1 = ingot.layer_norm ins(%x, %g, %b : tensor<?x?x384xf32>, tensor<384xf32>, tensor<384xf32>)
           outs(%0 : tensor<?x?x384xf32>) {epsilon = 1.0e-12 : f64} -> tensor<?x?x384xf32>
    ```
  }];
  let arguments = (ins Ingot_Shaped:$x, Ingot_Shaped:$gamma, Optional<Ingot_Shaped>:$beta,
                       Ingot_Shaped:$init, F64Attr:$epsilon);
  let assemblyFormat = [{
    `ins` `(` $x `,` $gamma (`,` $beta^)? `:` type($x) `,` type($gamma) (`,` type($beta)^)? `)`
    `outs` `(` $init `:` type($init) `)` attr-dict (`->` type($results)^)?
  }];
  let builders = [OpBuilder<(ins "::mlir::Value":$x, "::mlir::Value":$gamma,
                                 "::mlir::Value":$beta, "double":$epsilon)>];
}

def Ingot_RmsNormOp : Ingot_StructuredOp<"rms_norm"> {
  let summary = "Root-mean-square normalization over the last axis";
  let description = [{
    `x / sqrt(mean(x * x) + epsilon) * gamma` over the last dim N (Zhang and
    Sennrich 2019, equation 4).

    ```mlir
    %1 = ingot.rms_norm ins(%x, %g : tensor<?x?x64xf32>, tensor<64xf32>)
           outs(%0 : tensor<?x?x64xf32>) {epsilon = 1.0e-6 : f64} -> tensor<?x?x64xf32>
    ```
  }];
  let arguments = (ins Ingot_Shaped:$x, Ingot_Shaped:$gamma, Ingot_Shaped:$init, F64Attr:$epsilon);
  let assemblyFormat = [{
    `ins` `(` $x `,` $gamma `:` type($x) `,` type($gamma) `)`
    `outs` `(` $init `:` type($init) `)` attr-dict (`->` type($results)^)?
  }];
  let builders = [OpBuilder<(ins "::mlir::Value":$x, "::mlir::Value":$gamma, "double":$epsilon)>];
}

def Ingot_RotateOp : Ingot_StructuredOp<"rotate"> {
  let summary = "Pairs of features rotated, in destination style";
  let description = [{
    What `rope` becomes in stages: the same operands and meaning. The last dim is
    not cut into tiles.

    ```mlir
    %1 = ingot.rotate ins(%x, %cos, %sin : tensor<?x9x64xf32>, tensor<?x1x32xf32>, tensor<?x1x32xf32>)
           outs(%0 : tensor<?x9x64xf32>) -> tensor<?x9x64xf32>
    ```
  }];
  let arguments = (ins Ingot_Shaped:$x, Ingot_Shaped:$cos, Ingot_Shaped:$sin,
                       Ingot_Shaped:$init, UnitAttr:$interleaved);
  let assemblyFormat = [{
    `ins` `(` $x `,` $cos `,` $sin `:` type($x) `,` type($cos) `,` type($sin) `)`
    `outs` `(` $init `:` type($init) `)` attr-dict (`->` type($results)^)?
  }];
}

#endif
