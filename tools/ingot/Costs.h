//===- Costs.h - what the stages of a program cost ------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TOOLS_INGOT_COSTS_H
#define INGOT_TOOLS_INGOT_COSTS_H

#include "tools/ingot/Expr.h"

#include "runtime/core/Manifest.h"

#include <optional>

namespace ingot::cli {

/// An expression of the manifest at the sizes that are known.
struct Amount {
  std::string text;
  std::optional<int64_t> value;

  /// It stays without a value where it mentions a symbol that has none.
  static Amount at(const std::string &text, const Symbols &values);

  /// Whether no dims that a user can give tell it.
  bool isUnknown() const {
    return text.empty() || text.find('?') != std::string::npos;
  }
  /// The value as `format` writes it, or the expression.
  template <typename Format> std::string str(Format format) const {
    return isUnknown() ? "unknown" : value ? format(*value) : text;
  }
};

struct StageCost {
  const rt::StageInfo *info;
  Amount flops, bytes, tiles;

  bool isUnknown() const { return flops.isUnknown() || bytes.isUnknown(); }
};

/// The costs refer to `stages`.
std::vector<StageCost> costsOf(const std::vector<rt::StageInfo> &stages,
                               const Symbols &values);

/// The sum over the stages that are not unknown, as often as each is run, when
/// each has a value.
std::optional<double> total(const std::vector<StageCost> &stages,
                            Amount StageCost::*field);

/// How many stages a run comes to: one in a loop counts each time.
uint64_t runsOf(const std::vector<rt::StageInfo> &stages);

/// Bytes of one position of a cache.
uint64_t bytesPerToken(const rt::CacheInfo &cache);

} // namespace ingot::cli

#endif // INGOT_TOOLS_INGOT_COSTS_H
