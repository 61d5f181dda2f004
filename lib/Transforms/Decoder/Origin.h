//===- Origin.h - what values are computed from -----------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "mlir/IR/Operation.h"
#include "llvm/ADT/SetVector.h"

namespace ingot {

/// The ops that `values` come from, and the inputs that these read, in an order
/// that is the same in every run.
struct Origin {
  explicit Origin(llvm::ArrayRef<mlir::Value> values) {
    llvm::SmallVector<mlir::Value> worklist(values);
    while (!worklist.empty()) {
      mlir::Value value = worklist.pop_back_val();
      if (auto input = llvm::dyn_cast<mlir::BlockArgument>(value))
        inputs.insert(input);
      else if (ops.insert(value.getDefiningOp()).second)
        llvm::append_range(worklist, value.getDefiningOp()->getOperands());
    }
  }

  llvm::SmallPtrSet<mlir::Operation *, 32> ops;
  llvm::SmallSetVector<mlir::BlockArgument, 4> inputs;
};

} // namespace ingot
