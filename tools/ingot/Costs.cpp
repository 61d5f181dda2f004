//===- Costs.cpp - what the stages of a program cost ----------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "tools/ingot/Costs.h"

#include "tools/ingot/io/Tensor.h"

using namespace ingot::cli;
namespace rt = ingot::rt;

Amount Amount::at(const std::string &text, const Symbols &values) {
  if (text.empty())
    return {text, {}};
  try {
    return {text, evaluate(text, values)};
  } catch (const Error &) {
    // It mentions a symbol without a value: the text says more.
    return {text, {}};
  }
}

std::vector<StageCost>
ingot::cli::costsOf(const std::vector<rt::StageInfo> &stages,
                    const Symbols &values) {
  std::vector<StageCost> costs;
  costs.reserve(stages.size());
  for (const rt::StageInfo &stage : stages)
    costs.push_back({&stage, Amount::at(stage.flops, values),
                     Amount::at(stage.bytes, values),
                     Amount::at(stage.tiles, values)});
  return costs;
}

std::optional<double> ingot::cli::total(const std::vector<StageCost> &stages,
                                        Amount StageCost::*field) {
  double sum = 0;
  for (const StageCost &stage : stages) {
    const Amount &amount = stage.*field;
    if (amount.isUnknown())
      continue;
    if (!amount.value)
      return std::nullopt;
    sum += double(*amount.value) * double(stage.info->times);
  }
  return sum;
}

uint64_t ingot::cli::runsOf(const std::vector<rt::StageInfo> &stages) {
  uint64_t runs = 0;
  for (const rt::StageInfo &stage : stages)
    runs += stage.times;
  return runs;
}

uint64_t ingot::cli::bytesPerToken(const rt::CacheInfo &cache) {
  return cache.heads * (cache.keyDepth + cache.valueDepth) *
         (cache.dtype == rt::DType::F16 ? 2 : 4);
}
