//===- Registration.h - everything the tools need registered ----*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace ingot {

/// Adds the dialects and external interface models that Ingot's passes use.
void registerDialects(mlir::DialectRegistry &registry);

/// Registers Ingot's passes and named pipelines with the global pass registry;
/// for the command-line tools.
void registerPasses();

} // namespace ingot
