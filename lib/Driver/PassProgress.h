//===- PassProgress.h - how far a pass pipeline has come --------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassInstrumentation.h"

#include <functional>

namespace ingot {

/// Tells the share done of a pipeline on `root` after each of its `total`
/// passes. What runs nested on functions, on other threads too, counts as the
/// one pass that holds it.
class PassProgress : public mlir::PassInstrumentation {
public:
  PassProgress(mlir::Operation *root, size_t total,
               std::function<void(double)> report)
      : root(root), total(total), report(std::move(report)) {}

  void runAfterPass(mlir::Pass *, mlir::Operation *op) override {
    // Only the thread that runs the pipeline comes here with the root.
    if (op == root && done < total)
      report(double(++done) / double(total));
  }

private:
  mlir::Operation *root;
  size_t total, done = 0;
  std::function<void(double)> report;
};

} // namespace ingot
