//===- Expr.h - values of the size expressions in a manifest --------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TOOLS_INGOT_EXPR_H
#define INGOT_TOOLS_INGOT_EXPR_H

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace ingot::cli {

/// Values of the symbolic dims.
using Symbols = std::map<std::string, int64_t, std::less<>>;

/// Evaluates text such as `batch * (seq + 3) floordiv 4 + max(seq, 8)`:
/// numbers, symbols (bare or in double quotes), + - *, floordiv, ceildiv,
/// mod (all three infix, binding like *), max(...), min(...), broadcast(...)
/// and parentheses. Throws Error on bad syntax, an unknown symbol, a division
/// by a number below one or an overflow.
int64_t evaluate(std::string_view text, const Symbols &symbols);

} // namespace ingot::cli

#endif // INGOT_TOOLS_INGOT_EXPR_H
