//===- EmitPrefetch.h - memory fetched before it is read --------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dialects/Mega/IR/MegaOps.h"

namespace ingot {

/// On a call that fetches ahead what is read behind the next barrier: it may
/// happen at any time until then.
inline constexpr llvm::StringLiteral prefetchAttrName = "ingot.prefetch";

/// Replaces each `mega.fetch` of `prefetch` by instructions.
void emitFetches(mega::PrefetchOp prefetch);

} // namespace ingot
