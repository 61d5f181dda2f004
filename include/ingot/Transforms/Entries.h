//===- Entries.h - names of an image's functions ----------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A module has one program for each public function: the main one, and further
// entries over the same weights and caches, called by their functions' names.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "llvm/ADT/StringRef.h"

namespace ingot {

/// The function of the main program.
inline constexpr llvm::StringLiteral mainName = "main";

/// The function of a model's other program where the value of a boolean input
/// decides between two: it is run where that is false, the main one where it is
/// true. The module attribute says which input; it is gone where one of the
/// programs was chosen while compiling.
inline constexpr llvm::StringLiteral otherwiseName = "otherwise";
inline constexpr llvm::StringLiteral deciderAttrName = "ingot.decider";

/// Names of the two functions that the main program becomes; those of an entry
/// end in `_` and its name.
inline constexpr llvm::StringLiteral sizesName = "ingot_sizes";
inline constexpr llvm::StringLiteral entryName = "ingot_entry";

/// What code generation tells about a program, attributes of its function and
/// later, for the main one, of the module: the arena's size as text, the stages
/// and the buffers between them as dictionaries.
inline constexpr llvm::StringLiteral arenaAttrName = "ingot.arena";
inline constexpr llvm::StringLiteral stagesAttrName = "ingot.stages";
inline constexpr llvm::StringLiteral buffersAttrName = "ingot.buffers";
/// Module attribute: a dictionary with the same of each further entry.
inline constexpr llvm::StringLiteral entriesAttrName = "ingot.entries";
/// Attribute of the module of weight functions: which weights each function is
/// called with and which it makes, a list of dictionaries (`function`,
/// `inputs`, `outputs`).
inline constexpr llvm::StringLiteral callsAttrName = "ingot.calls";

} // namespace ingot
