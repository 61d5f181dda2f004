//===- DecoderNames.h - names in a decoder's program ------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The attributes, entries and inputs of a decoder whose cache is the session's
// state.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "llvm/ADT/StringRef.h"

namespace ingot {

/// Function attribute: what became of the model's inputs and outputs, a
/// dictionary with `tokens`, `past`, `count` and `logits` (names),
/// `max_positions` (0 for no limit) and `replaced` (lines for people). With
/// bound caches also `bound` (a name) and `bound_length` (a dim of the inputs
/// of the entry `bind`, as #ingot.dims).
inline constexpr llvm::StringLiteral stateAttrName = "ingot.state";
/// Function attribute: what became of inputs before that, lines for people.
inline constexpr llvm::StringLiteral replacedAttrName = "ingot.replaced";
/// Module attribute: the most positions for which the dims of a decoder's
/// program hold.
inline constexpr llvm::StringLiteral positionLimitAttrName =
    "ingot.position_limit";
/// Argument attribute: what takes the place of an input, in words.
inline constexpr llvm::StringLiteral meaningAttrName = "ingot.meaning";
/// The words for a token's position.
inline constexpr llvm::StringLiteral positionMeaning =
    "the row's past + the token's number";
/// Argument attribute of a cache: the model's names that it stands for, a
/// dictionary with `key_input`, `value_input`, `key_output`, `value_output`.
inline constexpr llvm::StringLiteral cacheNamesAttrName = "ingot.cache_names";
/// Argument attributes of a placed cache.
inline constexpr llvm::StringLiteral cacheGroupAttrName = "ingot.cache_group";
inline constexpr llvm::StringLiteral keyOffsetAttrName = "ingot.key_offset";
inline constexpr llvm::StringLiteral valueOffsetAttrName = "ingot.value_offset";
/// Module attribute: the groups of placed caches, dictionaries with `window`,
/// `page_bytes` and, where the caches are bound, `bound`.
inline constexpr llvm::StringLiteral cacheGroupsAttrName = "ingot.cache_groups";

/// Functions of further programs over the same weights and caches: the logits
/// of every token, and one token a row.
inline constexpr llvm::StringLiteral allEntryName = "all";
inline constexpr llvm::StringLiteral decodeEntryName = "decode";
/// The function that fills bound caches.
inline constexpr llvm::StringLiteral bindEntryName = "bind";
/// The program that chooses a token by logits. It is not made from the model.
inline constexpr llvm::StringLiteral sampleEntryName = "sample";
/// The program that chooses and reads token after token by calling the two.
inline constexpr llvm::StringLiteral loopEntryName = "generate";

/// Names of the inputs that take the place of masks and positions, and of what
/// does not change from token to token: how many positions a row has of it.
inline constexpr llvm::StringLiteral pastInputName = "ingot.past";
inline constexpr llvm::StringLiteral countInputName = "ingot.count";
inline constexpr llvm::StringLiteral boundInputName = "ingot.bound";

} // namespace ingot
