//===- Quant.h - what the importers of quantized ops share ------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_LIB_IMPORT_ONNX_OPS_QUANT_H
#define INGOT_LIB_IMPORT_ONNX_OPS_QUANT_H

#include "../Registry.h"

namespace ingot::onnxin {

/// Unsigned 8-bit codes of data, and what they mean.
struct DynamicCodes {
  Value codes, scale, zero;
};

/// Codes whose scale and zero point come from the range of `x`, zero included.
DynamicCodes quantizeDynamically(Emitter &e, Value x);

/// codes - zero point in 32 bits; a null zero point is zero, a vector of them
/// lies along `axis`.
Value shiftedCodes(Emitter &e, Value codes, Value zero, int64_t axis);

/// The values of codes; `zero` may be null.
Value dequantize(Emitter &e, Value codes, Value scale, Value zero, int64_t axis,
                 int64_t block);

/// The codes of type `to` nearest to values; `zero` may be null.
Value quantize(Emitter &e, Value x, Value scale, Value zero, Type to,
               int64_t axis = 0, int64_t block = 0);

/// Whether a value has one element, whatever its rank.
bool hasOneElement(Emitter &e, Value value);

/// Sums of products of codes as result codes, whose scale and zero point are
/// operands of the node.
Value requantize(NodeContext &n, Value sums, Value scaleA, Value scaleB,
                 size_t scaleY, size_t zeroY);

/// The quantized ops of the com.microsoft domain.
void addQuantContribOps(Registry &registry);
/// Those of them that work on codes of activations.
void addQuantLinearOps(Registry &registry);

} // namespace ingot::onnxin

#endif // INGOT_LIB_IMPORT_ONNX_OPS_QUANT_H
