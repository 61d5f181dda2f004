//===- Registry.cpp - which function imports which op ---------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Registry.h"

using namespace llvm;

namespace ingot::onnxin {

static std::string keyOf(StringRef domain, StringRef op) {
  return (domain + "\n" + op).str();
}

void Registry::addIn(StringRef domain, StringRef op, int64_t since,
                     Handler handler) {
  SmallVector<Entry, 1> &entries = table[keyOf(domain, op)];
  entries.push_back({since, handler});
  llvm::sort(entries,
             [](const Entry &a, const Entry &b) { return a.since < b.since; });
}

const SmallVector<Registry::Entry, 1> *Registry::find(StringRef domain,
                                                      StringRef op) const {
  auto found = table.find(keyOf(domain, op));
  return found == table.end() ? nullptr : &found->second;
}

Handler Registry::select(ArrayRef<Entry> entries, int64_t version) {
  Handler handler = nullptr;
  for (const Entry &entry : entries)
    if (entry.since <= version)
      handler = entry.handler;
  return handler;
}

const Registry &Registry::get() {
  static const Registry registry = [] {
    Registry result;
    addElementwiseOps(result);
    addActivationOps(result);
    addShapeOps(result);
    addSliceOps(result);
    addIndexOps(result);
    addReduceOps(result);
    addLinearOps(result);
    addNormOps(result);
    addLossOps(result);
    addAttentionOps(result);
    addQuantOps(result);
    addConvOps(result);
    addMiscOps(result);
    addContribOps(result);
    addContribAttentionOps(result);
    addContribFusedOps(result);
    addGroupQueryAttention(result);
    return result;
  }();
  return registry;
}

} // namespace ingot::onnxin
