//===- Sizes.h - the sizes that a user gives to symbolic dims -------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TOOLS_INGOT_SIZES_H
#define INGOT_TOOLS_INGOT_SIZES_H

#include "tools/ingot/Expr.h"
#include "tools/ingot/io/Tensor.h"

#include "runtime/core/Manifest.h"

#include <CLI/App.hpp>

namespace ingot::cli {

/// Adds --dim NAME=N, which may be given once for each dim.
void addDimOption(CLI::App &command, std::vector<std::string> &dims,
                  const std::string &description);

/// The values of texts that --dim accepted. Throws Error if a name is none of
/// `symbols`, which it lists, or a value is out of the symbol's range.
Symbols readDims(const std::vector<std::string> &given,
                 const std::vector<rt::Symbol> &symbols);

/// A tensor of the declared name, dtype and dims without elements. Throws Error
/// if a dim has no value.
Tensor tensorAt(const rt::TensorInfo &info, const Symbols &values);

} // namespace ingot::cli

#endif // INGOT_TOOLS_INGOT_SIZES_H
