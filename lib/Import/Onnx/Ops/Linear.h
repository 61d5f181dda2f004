//===- Linear.h - matrix products, also of fused ops ------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_LIB_IMPORT_ONNX_OPS_LINEAR_H
#define INGOT_LIB_IMPORT_ONNX_OPS_LINEAR_H

#include "../Registry.h"

namespace ingot::onnxin {

/// alpha * A' * B' + beta * C by the operands and attributes of Gemm. A null
/// result with no reported error leaves its reason in the emitter.
Value generalProduct(NodeContext &n);

} // namespace ingot::onnxin

#endif // INGOT_LIB_IMPORT_ONNX_OPS_LINEAR_H
