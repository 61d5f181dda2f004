//===- IngotCacheOps.td - keys and values kept between runs -*- tablegen -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The state of a decoder. A cache belongs to the session and reaches a program
// as a handle; no value of the program holds its content, so that nothing can
// copy it unnoticed.
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_CACHE_OPS
#define INGOT_CACHE_OPS

include "dialects/Ingot/IR/IngotBase.td"
include "dialects/Ingot/IR/IngotStructuredOps.td"

def Ingot_CacheType : TypeDef<Ingot_Dialect, "Cache"> {
  let mnemonic = "cache";
  let summary = "A handle of the keys and values of one attention";
  let description = [{
    Per row of a batch a table of pages. A page holds 128 positions
    (`cachePagePositions`): the keys as heads x key_depth x 128, the values as
    heads x 128 x value_depth. `window` w > 0 says that only the last w
    positions of a row need to be kept. What a `bound` cache holds does not grow
    with a row's tokens: it is written once, before the first of them, as keys
    and values of an encoder are.

    ```mlir
    !ingot.cache<heads = 3, key_depth = 64, value_depth = 64, type = f32, window = 0>
    ```
  }];
  let parameters = (ins "int64_t":$heads, "int64_t":$key_depth, "int64_t":$value_depth,
                        "::mlir::Type":$type, "int64_t":$window,
                        DefaultValuedParameter<"bool", "false">:$bound);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Ingot_CachePartOp : Ingot_Op<"cache_part", [Pure]> {
  let summary = "Some rows and heads of a cache";
  let description = [{
    The rows from `row` on and as many heads from `head` on as the result's type
    has. A handle of the same pages: nothing is read or copied.

    ```mlir
    %1 = ingot.cache_part %0[%row, %head]
       : !ingot.cache<heads = 3, key_depth = 64, value_depth = 64, type = f32, window = 0>
      to !ingot.cache<heads = 1, key_depth = 64, value_depth = 64, type = f32, window = 0>
    ```
  }];
  let arguments = (ins Ingot_CacheType:$cache, Index:$row, Index:$head);
  let results = (outs Ingot_CacheType:$result);
  let assemblyFormat = "$cache `[` $row `,` $head `]` attr-dict `:` type($cache) `to` type($result)";
  let hasVerifier = 1;
}

def Ingot_CacheMemberOp : Ingot_Op<"cache_member", [Pure]> {
  let summary = "One of several caches, by its number";
  let description = [{
    The cache at position `number` of the list, which is within it. A loop over
    layers names the cache of the layer at hand so.

    ```mlir
    %1 = ingot.cache_member [%i] of %a, %b, %c
       : !ingot.cache<heads = 3, key_depth = 64, value_depth = 64, type = f32, window = 0>
    ```
  }];
  let arguments = (ins Index:$number, Variadic<Ingot_CacheType>:$caches);
  let results = (outs Ingot_CacheType:$result);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def Ingot_CachePageOp : Ingot_Op<"cache_page", [Pure]> {
  let summary = "The memory of one page of one row";
  let description = [{
    Keys (heads x key_depth x 128) and values (heads x 128 x value_depth) of
    page number `page` of row `row`. The page must exist.

    ```mlir
    %k, %v = ingot.cache_page %0[%row, %page]
       : !ingot.cache<heads = 3, key_depth = 64, value_depth = 64, type = f32, window = 0>
      to memref<3x64x128xf32>, memref<3x128x64xf32>
    ```

    In a part of a cache the two have the part's heads.
  }];
  let arguments = (ins Ingot_CacheType:$cache, Index:$row, Index:$page);
  let results = (outs AnyMemRef:$keys, AnyMemRef:$values);
  let assemblyFormat = [{
    $cache `[` $row `,` $page `]` attr-dict `:` type($cache) `to` type($keys) `,` type($values)
  }];
  let builders = [OpBuilder<(ins "::mlir::Value":$cache, "::mlir::Value":$row, "::mlir::Value":$page)>];
  let hasVerifier = 1;
}

def Ingot_KvAppendOp : Ingot_Op<"kv_append", [
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
    DeclareOpInterfaceMethods<TilingInterface, [
      "getLoopIteratorTypes", "getIterationDomain", "getTiledImplementation"]>]> {
  let summary = "Appends keys and values to a cache";
  let description = [{
    Token s of row b, for s < count[b], goes to position past[b] + s. `keys` are
    B x S x G x D and `values` B x S x G x Dv; `past` and `count` are vectors of
    B. In a tile of tokens `first` is the number of its first token. Rounds to
    the cache's element type.

    ```mlir
    ingot.kv_append ins(%k, %v : tensor<?x?x3x64xf32>, tensor<?x?x3x64xf32>)
        past(%past : tensor<?xi64>) count(%count : tensor<?xi64>) into(%cache : !ingot.cache<...>)
    ```
  }];
  let arguments = (ins Ingot_Shaped:$keys, Ingot_Shaped:$values, Ingot_Shaped:$past,
                       Ingot_Shaped:$count, Optional<Index>:$first, Ingot_CacheType:$cache);
  let assemblyFormat = [{
    `ins` `(` $keys `,` $values `:` type($keys) `,` type($values) `)`
    `past` `(` $past `:` type($past) `)` `count` `(` $count `:` type($count) `)`
    (`first` `(` $first^ `)`)? `into` `(` $cache `:` type($cache) `)` attr-dict
  }];
  let hasVerifier = 1;
}

def Ingot_PagedAttentionOp : Ingot_StructuredOp<"paged_attention", [AttrSizedOperandSegments]> {
  let summary = "Attention over a cache";
  let description = [{
    `q` is B x S x H x D. Query s of row b stands at position past[b] + s and
    sees the cached positions up to its own, the last `window` of them if that
    is positive; query head h reads cached head h / (H / G). Queries from
    count[b] on give zeros. Otherwise as `ingot.attention`: softmax over the
    visible keys of `softcap(scale * q.k)`, times v. The new keys and values
    were appended before. In a tile of queries `first` is the number of its
    first query. `bias` (H x L) is added to scores by distance: that of a key n
    positions before the query gets bias[h, min(n, L - 1)].

    Of a bound cache every query sees all positions, and past[b] is how many
    there are.

    A row's result depends on the row alone, in bits: scores, maxima and sums
    of a page are taken in one order however queries are cut, and pages follow
    each other in order.

    ```mlir
    %1 = ingot.paged_attention ins(%q : tensor<?x?x9x64xf32>)
        past(%past : tensor<?xi64>) count(%count : tensor<?xi64>) cache(%cache : !ingot.cache<...>)
        outs(%0 : tensor<?x?x9x64xf32>) {scale = 0.125 : f64} -> tensor<?x?x9x64xf32>
    ```
  }];
  let arguments = (ins Ingot_Shaped:$q, Ingot_Shaped:$past, Ingot_Shaped:$count,
                       Optional<Index>:$first, Ingot_CacheType:$cache,
                       Optional<Ingot_Shaped>:$bias, Ingot_Shaped:$init,
                       F64Attr:$scale, DefaultValuedAttr<I64Attr, "0">:$window,
                       DefaultValuedAttr<F64Attr, "0.0">:$softcap);
  let assemblyFormat = [{
    `ins` `(` $q `:` type($q) `)` `past` `(` $past `:` type($past) `)`
    `count` `(` $count `:` type($count) `)` (`first` `(` $first^ `)`)?
    `cache` `(` $cache `:` type($cache) `)` (`bias` `(` $bias^ `:` type($bias) `)`)?
    `outs` `(` $init `:` type($init) `)` attr-dict (`->` type($results)^)?
  }];
  let builders = [OpBuilder<(ins "::mlir::Value":$q, "::mlir::Value":$past,
      "::mlir::Value":$count, "::mlir::Value":$cache, "::mlir::Value":$bias, "double":$scale,
      CArg<"int64_t", "0">:$window, CArg<"double", "0.0">:$softcap)>];
}

#endif
