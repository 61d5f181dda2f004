//===- CounterOps.cpp - tiles that wait for tiles -------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Mega/IR/CounterOps.h"

using namespace mlir;
using namespace ingot::mega;

#define GET_OP_CLASSES
#include "dialects/Mega/IR/CounterOps.cpp.inc"

MemRefType ingot::mega::countersType(MLIRContext *context) {
  return MemRefType::get({ShapedType::kDynamic, counterWidth},
                         IntegerType::get(context, 64));
}

bool ingot::mega::areCounters(Type type) {
  return type == countersType(type.getContext());
}

/// Counters are those of the program, and of a stage's tiles.
static LogicalResult verifyPlace(Operation *op, Value counters) {
  auto tiles = cast<TilesOp>(op->getParentOp());
  if (!isa<StageOp>(tiles->getParentOp()))
    return op->emitOpError("stands in tiles of no stage");
  if (tiles.isInside(counters))
    return op->emitOpError("has counters of the tile's own");
  return success();
}

LogicalResult SignalOp::verify() {
  if (getOperation() != &getOperation()->getBlock()->back())
    return emitOpError("is not the last op of its tile");
  return verifyPlace(getOperation(), getCounters());
}

LogicalResult AwaitOp::verify() {
  for (Operation &op : *getOperation()->getBlock()) {
    if (&op == getOperation())
      break;
    if (isa<AwaitOp>(op) || isMemoryEffectFree(&op))
      continue;
    InFlightDiagnostic diagnostic =
        emitOpError("comes after what touches memory in its tile");
    diagnostic.attachNote(op.getLoc()) << "what touches memory";
    return diagnostic;
  }
  return verifyPlace(getOperation(), getCounters());
}
