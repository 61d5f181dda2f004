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
include "mlir/Interfaces/ViewLikeInterface.td"

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

def Ingot_CachePartOp : Ingot_Op<"cache_part", [
    Pure, DeclareOpInterfaceMethods<ViewLikeOpInterface>]> {
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
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "Appends keys and values to a cache";
  let description = [{
    Token s of row b, for s < count[b], goes to position past[b] + s. `keys` are
    B x S x G x D and `values` B x S x G x Dv; `past` and `count` are vectors of
    B. Rounds to the cache's element type.

    ```mlir
    ingot.kv_append ins(%k, %v : tensor<?x?x3x64xf32>, tensor<?x?x3x64xf32>)
        past(%past : tensor<?xi64>) count(%count : tensor<?xi64>) into(%cache : !ingot.cache<...>)
    ```
  }];
  let arguments = (ins AnyRankedTensor:$keys, AnyRankedTensor:$values,
                       AnyRankedTensor:$past, AnyRankedTensor:$count,
                       Ingot_CacheType:$cache);
  let assemblyFormat = [{
    `ins` `(` $keys `,` $values `:` type($keys) `,` type($values) `)`
    `past` `(` $past `:` type($past) `)` `count` `(` $count `:` type($count) `)`
    `into` `(` $cache `:` type($cache) `)` attr-dict
  }];
  let hasVerifier = 1;
}

def Ingot_CacheStoreOp : Ingot_Op<"cache_store", [
    DeclareOpInterfaceMethods<ExtentTiesInterface>,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
    DeclareOpInterfaceMethods<TilingInterface, [
      "getLoopIteratorTypes", "getIterationDomain", "getTiledImplementation"]>]> {
  let summary = "Puts keys or values where they are appended to a cache";
  let description = [{
    What `kv_append` becomes in stages, once for the keys and once for the
    values. Row r of `x` (R x G x D) is token s = (first + r) mod tokens of row b
    = (first + r) div tokens of the batch and goes, if s < count[b], to position
    past[b] + s. A tile is some of the rows and some of the heads.

    ```mlir
    ingot.cache_store <keys> ins(%k : tensor<?x3x64xf32>) rows(%first of %tokens)
        past(%past : tensor<?xi64>) count(%count : tensor<?xi64>) into(%cache : !ingot.cache<...>)
    ```
  }];
  let arguments = (ins Ingot_CacheSideAttr:$side, Ingot_Shaped:$x, Index:$first,
                       Index:$tokens, Ingot_Shaped:$past, Ingot_Shaped:$count,
                       Ingot_CacheType:$cache);
  let assemblyFormat = [{
    $side `ins` `(` $x `:` type($x) `)` `rows` `(` $first `of` $tokens `)`
    `past` `(` $past `:` type($past) `)` `count` `(` $count `:` type($count) `)`
    `into` `(` $cache `:` type($cache) `)` attr-dict
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

def Ingot_PageAttentionOp : Ingot_StructuredOp<"page_attention"> {
  let summary = "Attention over a cache, each page by itself";
  let description = [{
    What `paged_attention` becomes in stages where a row has one query, so that
    more workers than there are heads have something to do. `q` is B x H x D. For
    row b, page p < `pages` and head h, element [b, p, h] of the result
    (B x P x H x (Dv + 2)) is the sum over the page's visible keys of their value
    times exp(score - m), the sum of these factors, and m, the largest score.
    Pages that the query of a row sees no key of are not written.

    ```mlir
    %1 = ingot.page_attention ins(%q : tensor<?x9x64xf32>) past(%past : tensor<?xi64>)
        count(%count : tensor<?xi64>) pages(%pages from %first) cache(%cache : !ingot.cache<...>)
        outs(%0 : tensor<?x64x9x66xf32>) {scale = 0.125 : f64} -> tensor<?x64x9x66xf32>
    ```

    In a tile of pages `first` is the number of its first page.
  }];
  let arguments = (ins Ingot_Shaped:$q, Ingot_Shaped:$past, Ingot_Shaped:$count,
                       Index:$first, Index:$pages, Ingot_CacheType:$cache,
                       Ingot_Shaped:$init, F64Attr:$scale,
                       DefaultValuedAttr<I64Attr, "0">:$window,
                       DefaultValuedAttr<F64Attr, "0.0">:$softcap);
  let assemblyFormat = [{
    `ins` `(` $q `:` type($q) `)` `past` `(` $past `:` type($past) `)`
    `count` `(` $count `:` type($count) `)` `pages` `(` $pages `from` $first `)`
    `cache` `(` $cache `:` type($cache) `)`
    `outs` `(` $init `:` type($init) `)` attr-dict (`->` type($results)^)?
  }];
}

def Ingot_MergePagesOp : Ingot_StructuredOp<"merge_pages"> {
  let summary = "One result of the parts that pages gave";
  let description = [{
    `parts` is what `page_attention` made of the first P pages; the result
    (B x H x Dv) is what `paged_attention` gives, in bits: pages are joined one
    after the other. A row without a query gets zeros.

    ```mlir
    %1 = ingot.merge_pages ins(%parts : tensor<?x?x9x66xf32>) past(%past : tensor<?xi64>)
        count(%count : tensor<?xi64>) outs(%0 : tensor<?x9x64xf32>) -> tensor<?x9x64xf32>
    ```
  }];
  let arguments = (ins Ingot_Shaped:$parts, Ingot_Shaped:$past, Ingot_Shaped:$count,
                       Ingot_Shaped:$init, DefaultValuedAttr<I64Attr, "0">:$window);
  let assemblyFormat = [{
    `ins` `(` $parts `:` type($parts) `)` `past` `(` $past `:` type($past) `)`
    `count` `(` $count `:` type($count) `)` `outs` `(` $init `:` type($init) `)`
    attr-dict (`->` type($results)^)?
  }];
}

#endif
