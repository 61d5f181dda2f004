//===- TunedModelRuns.h - runs from inputs to outputs -----------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "lib/Driver/TunedInputs.h"
#include "lib/Driver/TunedRuns.h"

namespace ingot {

/// Runs variants of a model on made-up inputs: a short text, a long one, a
/// batch of them, as far as the model's open dims go.
class TunedModelRuns : public TunedRuns {
public:
  using TunedRuns::TunedRuns;

protected:
  rt::Status chooseSizes(Variant &variant, double end, double longest) override;
  rt::Status runOnce(Variant &variant, size_t size, double limit) override;

private:
  /// The inputs at each size.
  std::vector<TunedInputs> sizes;
};

} // namespace ingot
