//===- SupportFunctions.h - what code generation calls by itself *- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

namespace llvm {
class Module;
} // namespace llvm

namespace ingot {

/// Defines memcpy, memmove and memset in `module`, invisible outside of it.
void addSupportFunctions(llvm::Module &module);

} // namespace ingot
