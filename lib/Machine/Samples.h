//===- Samples.h - what many measurements of one thing say ----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_MACHINE_SAMPLES_H
#define INGOT_MACHINE_SAMPLES_H

#include <cstddef>
#include <vector>

namespace ingot::machine {

/// Numbers; zeros if there are none.
struct Summary {
  size_t count = 0;
  double median = 0, least = 0, most = 0;
  /// Nine of ten are at least `low`, nine of ten at most `high`.
  double low = 0, high = 0;

  /// How far apart `low` and `high` are, as a share of the median.
  double spread() const { return median > 0 ? (high - low) / median : 0; }
};

Summary summarize(std::vector<double> samples);
double median(std::vector<double> samples);

} // namespace ingot::machine

#endif // INGOT_MACHINE_SAMPLES_H
