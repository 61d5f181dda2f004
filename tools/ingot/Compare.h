//===- Compare.h - whether an output is close to the expected one ---------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TOOLS_INGOT_COMPARE_H
#define INGOT_TOOLS_INGOT_COMPARE_H

#include "tools/ingot/io/CaseMeta.h"

namespace ingot::cli {

/// The outcome of comparing one tensor.
struct Comparison {
  /// Empty when the tensors agree, else the reason, for people.
  std::string difference;
  /// Largest absolute difference over the finite elements (floats only).
  double largest = 0;
};

/// Compares with an expected tensor: the same dtype and shape; floats (16-bit
/// ones by value) within the tolerance, where NaN equals NaN and an infinity
/// only itself; integers and booleans exactly.
Comparison compare(const Tensor &got, const Tensor &want, Tolerance tolerance);

} // namespace ingot::cli

#endif // INGOT_TOOLS_INGOT_COMPARE_H
