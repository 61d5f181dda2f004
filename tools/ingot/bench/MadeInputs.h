//===- MadeInputs.h - inputs that nobody has to give ----------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TOOLS_INGOT_BENCH_MADEINPUTS_H
#define INGOT_TOOLS_INGOT_BENCH_MADEINPUTS_H

#include "tools/ingot/Sizes.h"

namespace ingot::cli {

/// Gives each symbol that has no value one, within its bounds: 1 if its name is
/// that of a batch, else 128. Returns the names of those.
std::vector<std::string> addDefaultSizes(const std::vector<rt::Symbol> &symbols,
                                         Symbols &values);

/// Fills a tensor that has dims: floats between -1 and 1, always the same for
/// the same name; integers and truth values are all `integer`.
void fill(Tensor &tensor, int64_t integer);

/// Ids of a prompt: small, and different from their neighbours.
std::vector<int64_t> madePrompt(size_t length, uint64_t vocabulary);

} // namespace ingot::cli

#endif // INGOT_TOOLS_INGOT_BENCH_MADEINPUTS_H
