//===- MadeInputs.h - inputs that nobody has to give ----------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_MACHINE_MADEINPUTS_H
#define INGOT_MACHINE_MADEINPUTS_H

#include "runtime/core/Manifest.h"

#include <cstddef>
#include <span>
#include <string>

namespace ingot::machine {

/// Whether a dim of this name is that of a batch.
bool namesBatch(std::string name);

/// Fills an input: floats between -1 and 1, always the same for the same name;
/// integers and truth values are all `integer`.
void fill(std::span<std::byte> data, rt::DType dtype, std::string_view name,
          int64_t integer);

} // namespace ingot::machine

#endif // INGOT_MACHINE_MADEINPUTS_H
