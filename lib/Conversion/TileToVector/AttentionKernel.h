//===- AttentionKernel.h - what the attention kernels share -----*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "KernelBuilder.h"
#include "dialects/Ingot/IR/IngotOps.h"
#include "ingot/Target/CpuCapabilities.h"

namespace ingot {

/// Operands and sizes of one attention op, and how scores become visible
/// scores.
class AttentionShape {
public:
  AttentionShape(KernelBuilder &b, AttentionOp op);

  /// Accessors of ops are not const.
  mutable AttentionOp op;
  mlir::Value batches, queries, heads, keys, depth, valueDepth;
  /// Query 0's position among the keys, in the row begun last.
  mlir::Value offset;

  /// Begins a row of the batch: its queries may have positions of their own.
  void beginRow(KernelBuilder &b, mlir::Value batch);

  /// The key and value head that query head `head` reads.
  mlir::Value keyHead(KernelBuilder &b, mlir::Value head) const;
  /// The keys that queries first..last may see: begin (a multiple of
  /// `tile`) and end.
  std::pair<mlir::Value, mlir::Value> visibleKeys(KernelBuilder &b,
                                                  mlir::Value first,
                                                  mlir::Value last,
                                                  int64_t tile) const;
  /// Finishes the scores of one key: softcap, bias, masks. `score` is a scalar
  /// or a vector over the queries from `query` on; a query beyond the last
  /// repeats it.
  mlir::Value finish(KernelBuilder &b, mlir::Value score, mlir::Value batch,
                     mlir::Value head, mlir::Value query,
                     mlir::Value key) const;

private:
  /// The offset that all rows share.
  mlir::Value sharedOffset;

  mlir::Value biasAt(KernelBuilder &b, mlir::Value batch, mlir::Value head,
                     mlir::Value query, mlir::Value key, mlir::Type type) const;
};

/// Online softmax over tiles of keys held on the stack; false if the op's
/// types or layouts do not fit.
bool emitTiledAttention(KernelBuilder &b, AttentionShape &shape,
                        const TargetInfo &target);

/// Any type and layout, one score at a time.
void emitPlainAttention(KernelBuilder &b, AttentionShape &shape);

} // namespace ingot
