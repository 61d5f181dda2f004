//===- Decider.h - programs for the values of an input ----------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_LIB_IMPORT_ONNX_DECIDER_H
#define INGOT_LIB_IMPORT_ONNX_DECIDER_H

#include "Errors.h"
#include "ModelFile.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace ingot::onnxin {

/// Imports a model as `main`; where a boolean input decides an `If`, as `main`
/// for true and a second function for false (Entries.h). Null after errors.
mlir::OwningOpRef<mlir::ModuleOp>
importPrograms(ModelFile &file, mlir::MLIRContext *context,
               const OnnxImportOptions &options,
               std::vector<ImportError> &errors);

} // namespace ingot::onnxin

#endif // INGOT_LIB_IMPORT_ONNX_DECIDER_H
