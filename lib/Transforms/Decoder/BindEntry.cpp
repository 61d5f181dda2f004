//===- BindEntry.cpp - a program that fills caches before the first token -===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Transforms/Decoder.h"
#include "lib/Transforms/Decoder/DecoderModel.h"
#include "lib/Transforms/Recognition/Matchers.h"

using namespace mlir;
using namespace ingot;

void ingot::addBindEntry(func::FuncOp func, const Decoder &decoder,
                         ArrayRef<CacheType> caches) {
  OpBuilder b(func.getContext());
  b.setInsertionPointAfter(func);
  auto bind = func::FuncOp::create(b, func.getLoc(), bindEntryName,
                                   b.getFunctionType({}, {}));
  Block *body = bind.addEntryBlock();
  auto addArgument = [&](Type type, ArrayRef<NamedAttribute> attrs) {
    unsigned index = bind.getNumArguments();
    (void)bind.insertArgument(index, type, b.getDictionaryAttr(attrs),
                              func.getLoc());
    return bind.getArgument(index);
  };

  IRMapping map;
  for (BlockArgument input : decoder.boundInputs)
    map.map(input,
            addArgument(input.getType(), function_interface_impl::getArgAttrs(
                                             func, input.getArgNumber())));
  NamedAttribute rows = b.getNamedAttr(
      dimsAttrName, DimsAttr::get(b.getContext(), {decoder.rows}));
  auto addLengths = [&](StringRef name) {
    return addArgument(
        tensorOf({decoder.rows}, b.getI64Type()),
        {rows, b.getNamedAttr(nameAttrName, b.getStringAttr(name))});
  };
  Value past = addLengths(pastInputName), count = addLengths(countInputName);
  SmallVector<Value> bound;
  for (auto [i, type] : llvm::enumerate(caches)) {
    Value cache = addArgument(
        type, b.getNamedAttr(nameAttrName, b.getStringAttr(cacheName(i))));
    if (type.getBound())
      bound.push_back(cache);
  }

  // What the keys and values are computed from, in the program's order.
  llvm::SmallPtrSet<Operation *, 32> needed;
  SmallVector<Value> worklist;
  for (const BoundCache &cache : decoder.boundCaches)
    worklist.append({cache.keys, cache.values});
  while (!worklist.empty())
    if (Operation *op = worklist.pop_back_val().getDefiningOp();
        op && needed.insert(op).second)
      llvm::append_range(worklist, op->getOperands());
  b.setInsertionPointToEnd(body);
  for (Operation &op : func.getBody().front())
    if (needed.contains(&op))
      b.clone(op, map);
  for (auto [cache, handle] : llvm::zip_equal(decoder.boundCaches, bound))
    KvAppendOp::create(b, cache.keys.getLoc(), map.lookup(cache.keys),
                       map.lookup(cache.values), past, count, handle);
  func::ReturnOp::create(b, func.getLoc());
}
