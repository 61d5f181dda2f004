//===- Registry.h - which function imports which op -------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_LIB_IMPORT_ONNX_REGISTRY_H
#define INGOT_LIB_IMPORT_ONNX_REGISTRY_H

#include "NodeContext.h"

namespace ingot::onnxin {

/// Imports one node: reads its operands and attributes, sets its results.
using Handler = void (*)(NodeContext &);

/// The ops that can be imported, each from the opset that gave it the form the
/// handler knows.
class Registry {
public:
  struct Entry {
    int64_t since;
    Handler handler;
  };

  /// Adds an op of ONNX's own domain.
  void add(llvm::StringRef op, int64_t since, Handler handler) {
    addIn("", op, since, handler);
  }
  void addIn(llvm::StringRef domain, llvm::StringRef op, int64_t since,
             Handler handler);
  /// The entries of an op in ascending order, or null if it is unknown.
  const llvm::SmallVector<Entry, 1> *find(llvm::StringRef domain,
                                          llvm::StringRef op) const;
  /// The entry for a version of the domain, or null if that is too old.
  static Handler select(llvm::ArrayRef<Entry> entries, int64_t version);

  /// All ops that this importer knows.
  static const Registry &get();

private:
  llvm::StringMap<llvm::SmallVector<Entry, 1>> table;
};

/// The newest opset of ONNX's own domain whose definitions are known here.
inline constexpr int64_t kNewestOpset = 27;

// One per op family; each lives in Ops/<Family>.cpp.
void addElementwiseOps(Registry &registry);
void addActivationOps(Registry &registry);
void addShapeOps(Registry &registry);
void addSliceOps(Registry &registry);
void addIndexOps(Registry &registry);
void addReduceOps(Registry &registry);
void addLinearOps(Registry &registry);
void addNormOps(Registry &registry);
void addLossOps(Registry &registry);
void addAttentionOps(Registry &registry);
void addQuantOps(Registry &registry);
void addConvOps(Registry &registry);
void addMiscOps(Registry &registry);
void addContribOps(Registry &registry);
void addContribAttentionOps(Registry &registry);
void addContribFusedOps(Registry &registry);
void addGroupQueryAttention(Registry &registry);

/// Computes the node's results as contents where all it reads is known; returns
/// whether it did. Such a node needs no code.
bool evaluateContents(NodeContext &node);

} // namespace ingot::onnxin

#endif // INGOT_LIB_IMPORT_ONNX_REGISTRY_H
