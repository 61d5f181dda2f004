//===- AttentionParts.h - what spellings of attention share -----*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_LIB_IMPORT_ONNX_OPS_ATTENTIONPARTS_H
#define INGOT_LIB_IMPORT_ONNX_OPS_ATTENTIONPARTS_H

#include "../Importer.h"

namespace ingot::onnxin {

/// B x S x (H*D) as B x S x H x D.
Value tokensByHead(Emitter &e, Value x, int64_t heads);
/// B x S x (H*D) as B x H x S x D.
Value headsFirst(Emitter &e, Value x, int64_t heads);
/// B x H x S x D as B x S x (H*D).
Value mergeHeads(Emitter &e, Value x);

/// Every key-value head once for each query head that reads it.
Value repeatHeads(Emitter &e, Value x, const DimExpr &heads);

/// True where key <= query + past, as queries x keys.
Value causalMask(Emitter &e, const DimExpr &queries, const DimExpr &keys,
                 const DimExpr &past);

/// `x` of rank 4 with its features rotated. `cosine` and `sine` are tables of
/// positions x pairs, chosen from by `positions`, or already one row for each
/// token (rank 3); `headAxis` is the dim of `x` that they do not have.
Value rotate(Emitter &e, Value x, Value cosine, Value sine, Value positions,
             int64_t headAxis, bool interleaved);

} // namespace ingot::onnxin

#endif // INGOT_LIB_IMPORT_ONNX_OPS_ATTENTIONPARTS_H
