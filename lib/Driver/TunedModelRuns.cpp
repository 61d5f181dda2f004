//===- TunedModelRuns.cpp - runs from inputs to outputs -------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Driver/TunedModelRuns.h"

using namespace ingot;

namespace {
/// Extents that open dims get: one for batches, one for others.
struct UsualSize {
  int64_t batch, other;
};
} // namespace

/// The rows of the kernels: few, many, a batch of many.
static constexpr UsualSize usualSizes[] = {{1, 16}, {1, 128}, {8, 128}};

rt::Status TunedModelRuns::chooseSizes(Variant &variant, double end,
                                       double longest) {
  const rt::Manifest &manifest = variant.program.manifest;
  rt::Status reason;
  for (const UsualSize &usual : usualSizes) {
    llvm::StringMap<int64_t> values;
    std::string text;
    for (const rt::Symbol &symbol : manifest.symbols) {
      int64_t value = valueOf(symbol, usual.batch, usual.other);
      values[symbol.name] = value;
      text +=
          (text.empty() ? "" : " ") + symbol.name + "=" + std::to_string(value);
    }
    if (text.empty())
      text = "the only size";
    if (llvm::is_contained(texts, text))
      continue;
    // Integers are ones, or zeros where the model refuses ones.
    for (int64_t integer : {1, 0}) {
      auto inputs = TunedInputs::make(manifest.inputs, values, integer);
      if (!inputs.ok())
        return inputs.status();
      double start = now();
      if (isCancelled() || start >= end)
        return {};
      sizes.push_back(std::move(*inputs));
      reason = runOnce(variant, sizes.size() - 1, end - start);
      bool isLong =
          reason.code() == rt::Code::TimeLimit || now() - start > longest;
      if (reason.ok() && !isLong) {
        texts.push_back(text);
        break;
      }
      sizes.pop_back();
      if (isLong)
        return {};
    }
  }
  return sizes.empty() ? reason : rt::Status();
}

rt::Status TunedModelRuns::runOnce(Variant &variant, size_t size,
                                   double limit) {
  variant.session->tracer().start();
  return variant.session->run(sizes[size].views(), {}, {.timeLimit = limit})
      .status();
}
