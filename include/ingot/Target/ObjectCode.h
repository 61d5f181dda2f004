//===- ObjectCode.h - LLVM dialect to a linked image ------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ingot/Target/CpuCapabilities.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LLVM.h"

#include <functional>
#include <memory>
#include <string>

namespace llvm {
class LLVMContext;
class Module;
} // namespace llvm

namespace ingot {

/// Translates a module in the LLVM dialect to LLVM IR for `target`. Only
/// `exported` functions stay visible. Functions that code generation may call
/// by itself (memcpy, memmove, memset) are added. Null after an error, which
/// is reported on the module.
std::unique_ptr<llvm::Module>
translateToLlvmIr(mlir::ModuleOp module, llvm::LLVMContext &context,
                  const TargetInfo &target,
                  llvm::ArrayRef<llvm::StringRef> exported);

/// Cleans up what the MLIR passes left: stack slots, invariant code, repeated
/// loads. Kernels are in their final form already.
void optimizeLlvmIr(llvm::Module &module);

/// Told the share of a module's functions that have their machine code.
using ObjectProgress = std::function<void(double)>;

/// Emits a relocatable object for `target`; empty with `error` set on failure.
llvm::SmallVector<char, 0> emitObject(llvm::Module &module,
                                      const TargetInfo &target,
                                      std::string &error,
                                      const ObjectProgress &progress = {});

/// Links objects to an image that needs nothing from outside: a position
/// independent ELF shared object without undefined symbols. Empty with `error`
/// set on failure.
llvm::SmallVector<char, 0> linkImage(llvm::ArrayRef<llvm::StringRef> objects,
                                     const TargetInfo &target,
                                     std::string &error);

/// The whole way from a module in the LLVM dialect to an image. Failures are
/// reported on the module.
mlir::FailureOr<llvm::SmallVector<char, 0>>
compileImage(mlir::ModuleOp module, const TargetInfo &target,
             llvm::ArrayRef<llvm::StringRef> exported,
             const ObjectProgress &progress = {});

} // namespace ingot
