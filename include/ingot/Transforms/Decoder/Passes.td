//===- Passes.td - decoders with a cache ---------------------*- tablegen -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TRANSFORMS_DECODER_PASSES
#define INGOT_TRANSFORMS_DECODER_PASSES

include "mlir/Pass/PassBase.td"

def ChooseProgram : Pass<"ingot-choose-program", "::mlir::ModuleOp"> {
  let summary = "Keep the program with a past where an input decides";
  let description = [{
    A model that computes without a past in one branch of an `If` and with one
    in the other has two programs, `main` and `otherwise`. With an empty past
    they give the same: the one with a past is kept, and is `main`. Lines for
    people about what became of inputs are its `ingot.replaced`.

    Of an encoder-decoder model the branch without a past also computes keys and
    values of cross-attention, which a host gives to the other branch at every
    step. The program kept computes them itself, in the same way, if what they
    come from is read by nothing else in it; `ingot-cache-to-state` then moves
    that to the function `bind`. Which result is which input follows from
    outputs that pass an input on, or, where the branch with a past has a
    constant as a stand-in, from names that end as those of the other pasts and
    presents do.

    Example: with `past.0.self` given back as `present.0.self` with something
    appended, `past.0.cross` becomes what `otherwise` computes as
    `present.0.cross`.
  }];
  let dependentDialects = ["::ingot::IngotDialect",
                           "::mlir::tensor::TensorDialect"];
}

def GrowCaches : Pass<"ingot-grow-caches", "::mlir::ModuleOp"> {
  let summary = "Append to caches of fixed extent instead of writing to them";
  let description = [{
    Some exporters bring a buffer for keys or values along, write the new ones
    to it at positions that are an input, and hide what lies behind by a mask.
    Whoever keeps such a cache writes at the positions past, past + 1, ...: the
    buffer becomes a past of that length to which the new ones are appended, and
    the numbers of its positions take the place of the input. So do the numbers
    of positions that count for each row, where they are another input, and the
    causal mask of one for each query and key that is one. Readers
    of the whole buffer get it filled up to its extent with zeros, which no
    causal query sees. An extent that is a number stays the limit of positions;
    a symbol is past + sequence from then on, and a name of its own for how many
    positions there are that of the new tokens.

    Example: with `%at` an input of `<seq>`,
    ```mlir
    %1 = ingot.scatter_nd %past, %at, %new
    ```
    for a buffer of `<40, heads, depth>` becomes
    ```mlir
    %1 = ingot.concat %past, %new {axis = 0 : i64}
    %2 = ingot.pad %1 {high = #ingot.dims<40 - past - seq, 0, 0>}
    ```
  }];
  let dependentDialects = ["::ingot::IngotDialect"];
}

def UnifyDecoderDims : Pass<"ingot-unify-decoder-dims", "::mlir::ModuleOp"> {
  let summary = "Name equal dims of a decoder by one symbol";
  let description = [{
    In a program whose cache is state nobody passes pasts and masks any more,
    so that their dims are ours to choose: all pasts get one length and the
    batch of the new keys; a mask over positions gets the length past +
    sequence, and one over keys that do not grow theirs. Steps have a token or
    more, and positions end before any constant that they are cut at, such as
    the rows of a table; the least of these becomes the module's
    `ingot.position_limit`. Runs before recognition, which then sees masks of
    the right size.

    Example: with a past of `<batch, 3, past, 16>` that `<batch, 3, seq, 16>`
    is appended to, an input `attention_mask` of `<batch, total>` becomes one
    of `<batch, past + seq>`.
  }];
  let dependentDialects = ["::ingot::IngotDialect"];
}

def CacheToState : Pass<"ingot-cache-to-state", "::mlir::ModuleOp"> {
  let summary = "Turn pasts and presents of a decoder into caches";
  let description = [{
    Finds, by what is computed and not by names, the inputs that a decoder
    extends with new keys and values, attends over and gives back, and replaces
    them by `!ingot.cache` arguments: new keys and values are appended, and
    causal attention becomes `ingot.paged_attention`. The inputs `ingot.past`
    and `ingot.count` (one i64 a row) take the place of masks and positions:
    token s of row b stands at position past[b] + s and sees every position up
    to its own. Of the logits only those of each row's last real token are
    computed; what comes after the last append is computed for that token
    alone. What does not fit is refused, every reason at once.

    Keys and values that depend on no token, as those of cross-attention, become
    bound caches: a second function, `bind`, computes them from the inputs that
    they come from and appends them, and the input `ingot.bound` says how many
    positions each row has of them. Outputs that depend on no token are dropped.
    A bias of the scores that a table has by the distance between query and key
    becomes the attention's own.

    `last_token = false` keeps the logits of every token. `all_entry` adds a
    second function, `all`, that does, for the same caches.

    Example: `attention(q, concat(%past_k, k), concat(%past_v, v))` becomes
    ```mlir
    ingot.kv_append ins(k, v) past(%past) count(%count) into(%cache)
    ingot.paged_attention ins(q) past(%past) count(%count) cache(%cache)
    ```
  }];
  let options = [
    Option<"kvType", "kv-type", "std::string", /*default=*/"",
           "Element type of the caches: f32, f16, or empty for the model's own">,
    Option<"lastToken", "last-token", "bool", /*default=*/"true",
           "Compute the logits of each row's last real token only">,
    Option<"allEntry", "all-entry", "bool", /*default=*/"false",
           "Add the function `all` that computes the logits of every token">
  ];
  let dependentDialects = ["::ingot::IngotDialect"];
}

def AddDecodeEntry : Pass<"ingot-add-decode-entry", "::mlir::ModuleOp"> {
  let summary = "Add the program for one token a row";
  let description = [{
    Generation reads one token a row most of the time. From the function `all`,
    which gives the logits of every token, makes the function `decode`: the same
    program with the length of the sequence replaced by 1 in every shape, and
    with that dim gone from the logits. Nothing is added where the length is a
    number or must be more than 1.

    Example: `%ids: tensor<?x?xi64> {ingot.dims = #ingot.dims<batch, seq>}`
    becomes `%ids: tensor<?x1xi64> {ingot.dims = #ingot.dims<batch, 1>}`, and
    logits of `<batch, seq, 32>` become logits of `<batch, 32>`.
  }];
  let dependentDialects = ["::ingot::IngotDialect"];
}

def PlaceCaches : Pass<"ingot-place-caches", "::mlir::ModuleOp"> {
  let summary = "Give every cache its group and its place in a page";
  let description = [{
    Caches with the same window form a group, which has pages of its own: only
    what a window keeps needs memory. Bound caches are another group. A page of a group holds 128 positions of
    every cache of the group, cache after cache, each aligned to 64 bytes: keys,
    then values. Arguments get `ingot.role` = "cache", `ingot.cache_group`,
    `ingot.key_offset` and `ingot.value_offset`; the module gets the groups'
    windows and bytes of a page as `ingot.cache_groups`. All functions that have
    caches share them and must agree on them.

    Example: two caches of 3 heads of depth 16 in f32 share pages of 98304
    bytes; the second one's keys begin at 49152.
  }];
  let dependentDialects = ["::ingot::IngotDialect"];
}

#endif // INGOT_TRANSFORMS_DECODER_PASSES
