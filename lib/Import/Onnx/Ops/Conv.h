//===- Conv.h - convolution, also for quantized operands --------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_LIB_IMPORT_ONNX_OPS_CONV_H
#define INGOT_LIB_IMPORT_ONNX_OPS_CONV_H

#include "../Registry.h"

namespace ingot::onnxin {

/// A convolution of `x` with `w` by the node's attributes; `bias` may be null.
/// A null result with no reported error leaves its reason in the emitter.
Value convolve(NodeContext &n, Value x, Value w, Value bias);

} // namespace ingot::onnxin

#endif // INGOT_LIB_IMPORT_ONNX_OPS_CONV_H
