//===- KernelPass.h - what passes that emit kernels share -------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ingot/Target/CpuCapabilities.h"

#include "mlir/IR/Operation.h"

namespace ingot {

/// Replaces every op below `root` that `isHandled` and that works on buffers:
/// `emit` writes its kernel for the machine that `target` names, before it.
/// Reports a machine that there is none of.
llvm::LogicalResult
lowerToKernels(mlir::Operation *root, llvm::StringRef target,
               llvm::function_ref<bool(mlir::Operation *)> isHandled,
               llvm::function_ref<llvm::LogicalResult(mlir::Operation *,
                                                      const TargetInfo &)>
                   emit);

} // namespace ingot
