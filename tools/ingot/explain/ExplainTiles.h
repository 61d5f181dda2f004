//===- ExplainTiles.h - how kernels are cut -------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TOOLS_INGOT_EXPLAIN_EXPLAINTILES_H
#define INGOT_TOOLS_INGOT_EXPLAIN_EXPLAINTILES_H

#include "runtime/core/Manifest.h"

#include <nlohmann/json.hpp>

namespace ingot::cli {

/// The tiles of a program's kernels and, if the artifact was tuned, how long
/// the ones that were tried took; empty if no tile was chosen.
std::string tileText(const rt::Manifest &manifest,
                     const std::vector<rt::StageInfo> &stages);

nlohmann::ordered_json tuningJson(const rt::TuningInfo &tuning);

} // namespace ingot::cli

#endif // INGOT_TOOLS_INGOT_EXPLAIN_EXPLAINTILES_H
