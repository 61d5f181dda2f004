//===- Bufferization.h - buffers for the dialect's structured ops *- C++
//-*-===//
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

/// Makes the ops of the ingot dialect in destination style bufferizable: on
/// buffers they write to their destination.
void registerBufferization(mlir::DialectRegistry &registry);

} // namespace ingot
