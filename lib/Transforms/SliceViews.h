//===- SliceViews.h - slices move in front of reshapes ----------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "mlir/IR/PatternMatch.h"

namespace ingot {

/// A slice of an expanded tensor becomes the expansion of a slice, where it is
/// one piece of each dim that was expanded: so it meets the op that made the
/// tensor.
void populateSliceViewPatterns(mlir::RewritePatternSet &patterns);

} // namespace ingot
