//===- PackedColumns.cpp - columns of packed codes ------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "PackedColumns.h"

using namespace mlir;
using namespace ingot;

PackedColumns::PackedColumns(KernelBuilder &b, QuantizedLinearOp op,
                             int64_t lanes)
    : b(b), op(op), laneCount(lanes), bits(op.getWeightBits()) {}

VectorType PackedColumns::floats() const {
  return VectorType::get(laneCount, b.getF32Type());
}

VectorType PackedColumns::words() const {
  return VectorType::get(laneCount, b.getI32Type());
}

bool PackedColumns::perColumn() {
  return cast<MemRefType>(op.getScale().getType()).getDimSize(1) == 1;
}

Value PackedColumns::parameter(Value memref, Value group, Value block,
                               int64_t column) {
  auto type = cast<MemRefType>(memref.getType());
  Value at = type.getDimSize(1) == 1 ? b.index(0) : block;
  Type stored = type.getElementType();
  Value value = b.loadVector(VectorType::get(laneCount, stored), memref,
                             {group, at, b.index(column)});
  if (stored.isF32())
    return value;
  if (isa<FloatType>(stored))
    return arith::ExtFOp::create(b, floats(), value);
  return arith::SIToFPOp::create(b, floats(),
                                 arith::ExtUIOp::create(b, words(), value));
}

Value PackedColumns::scale(Value group, Value block, int64_t column) {
  return parameter(op.getScale(), group, block, column);
}

Value PackedColumns::zeroPoint(Value group, Value block, int64_t column) {
  if (op.getZero())
    return parameter(op.getZero(), group, block, column);
  return b.splat(floats(),
                 static_cast<double>(static_cast<int64_t>(op.getZeroPoint())));
}

Value PackedColumns::codes(Value group, Value block, Value word,
                           int64_t column) {
  return b.loadVector(words(), op.getCodes(),
                      {group, block, word, b.index(column)});
}

Value PackedColumns::value(Value codes, int64_t k, Value zero) {
  int64_t shift = k % 2 * 16 + k / 2 * bits;
  Value code = arith::ShRUIOp::create(b, codes, b.splatInt(words(), shift));
  code = arith::AndIOp::create(b, code, b.splatInt(words(), (1 << bits) - 1));
  return b.sub(arith::SIToFPOp::create(b, floats(), code), zero);
}
