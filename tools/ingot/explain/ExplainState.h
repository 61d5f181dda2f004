//===- ExplainState.h - what explain says of a cache ------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TOOLS_INGOT_EXPLAIN_EXPLAINSTATE_H
#define INGOT_TOOLS_INGOT_EXPLAIN_EXPLAINSTATE_H

#include "runtime/core/Manifest.h"

#include <nlohmann/json.hpp>
#include <string>

namespace ingot::cli {

/// Which inputs and outputs became state, what it costs and what took the
/// place of others; empty for a program without state.
std::string stateText(const rt::Manifest &manifest);

/// The same for programs to read.
nlohmann::ordered_json stateJson(const rt::StateInfo &state);

} // namespace ingot::cli

#endif // INGOT_TOOLS_INGOT_EXPLAIN_EXPLAINSTATE_H
