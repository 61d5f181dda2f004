//===- Norm.h - normalizations that several op families use -----*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_LIB_IMPORT_ONNX_OPS_NORM_H
#define INGOT_LIB_IMPORT_ONNX_OPS_NORM_H

#include "../Registry.h"

namespace ingot::onnxin {

/// Mean and variance over axes that stay with extent one.
struct Moments {
  Value mean, centred, variance;
};
Moments momentsOf(Emitter &e, Value x, llvm::ArrayRef<int64_t> axes);

/// 1 / sqrt(x + epsilon)
Value rsqrtOf(Emitter &e, Value x, double epsilon);

/// What LayerNormalization returns beside its result.
struct NormStatistics {
  Value mean, inverse;
};

/// Layer normalization over the dims from `axis` on; `beta` may be null.
Value layerNormFrom(Emitter &e, Value x, Value gamma, Value beta, int64_t axis,
                    double epsilon, NormStatistics *statistics = nullptr);

/// Root-mean-square normalization; `wide`: narrow floats are computed in f32.
Value rmsNormFrom(Emitter &e, Value x, Value gamma, int64_t axis,
                  double epsilon, bool wide);

} // namespace ingot::onnxin

#endif // INGOT_LIB_IMPORT_ONNX_OPS_NORM_H
