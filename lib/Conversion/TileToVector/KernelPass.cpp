//===- KernelPass.cpp - what passes that emit kernels share ---------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "KernelPass.h"

#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;
using namespace ingot;

LogicalResult ingot::lowerToKernels(
    Operation *root, StringRef target,
    function_ref<bool(Operation *)> isHandled,
    function_ref<LogicalResult(Operation *, const TargetInfo &)> emit) {
  std::string error;
  std::optional<TargetInfo> info = lookupTarget(target, error);
  if (!info)
    return root->emitError(error);
  // Collected first: kernels hold ops too.
  SmallVector<Operation *> ops;
  root->walk([&](Operation *op) {
    if (isHandled(op) &&
        llvm::none_of(op->getOperandTypes(), llvm::IsaPred<TensorType>))
      ops.push_back(op);
  });
  for (Operation *op : ops) {
    if (failed(emit(op, *info)))
      return failure();
    op->erase();
  }
  return success();
}
