//===- Samples.cpp - what many measurements of one thing say --------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Machine/Samples.h"

#include <algorithm>

using namespace ingot::machine;

/// Between the neighbours of a place from 0 to 1 in sorted numbers.
static double at(const std::vector<double> &sorted, double place) {
  double index = place * double(sorted.size() - 1);
  size_t below = size_t(index), above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] +
         (sorted[above] - sorted[below]) * (index - double(below));
}

Summary ingot::machine::summarize(std::vector<double> samples) {
  if (samples.empty())
    return {};
  std::sort(samples.begin(), samples.end());
  Summary summary;
  summary.count = samples.size();
  summary.median = at(samples, 0.5);
  summary.least = samples.front();
  summary.most = samples.back();
  summary.low = at(samples, 0.1);
  summary.high = at(samples, 0.9);
  return summary;
}

double ingot::machine::median(std::vector<double> samples) {
  return summarize(std::move(samples)).median;
}
