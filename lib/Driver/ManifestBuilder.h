//===- ManifestBuilder.h - what an artifact says of its program -*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ingot/Target/CpuCapabilities.h"
#include "runtime/core/Manifest.h"

#include "mlir/IR/BuiltinOps.h"

namespace ingot {

/// Counts the ops of the program after recognition.
void describeOps(mlir::ModuleOp module, rt::Manifest &manifest);

/// Adds the inputs, outputs and symbols of the main program and of each further
/// entry; the programs are on tensors and keep the model's element types as
/// `ingot.type`.
mlir::LogicalResult describeSignature(mlir::ModuleOp module,
                                      rt::Manifest &manifest);

/// Adds the programs that were not made from the model's functions as further
/// entries: that which chooses tokens, and that which does so again and again.
mlir::LogicalResult describeAddedPrograms(mlir::ModuleOp module,
                                          rt::Manifest &manifest);

/// Adds the state of a program with placed caches; nothing without one.
void describeState(mlir::ModuleOp module, rt::Manifest &manifest);

/// Adds the weights that have a place.
void describeWeights(mlir::ModuleOp module, rt::Manifest &manifest);

/// Adds what code generation left on the module: messages of runtime checks,
/// stages, the arena's size; and what the target requires.
void describeCode(mlir::ModuleOp module, const TargetInfo &target,
                  rt::Manifest &manifest);

} // namespace ingot
