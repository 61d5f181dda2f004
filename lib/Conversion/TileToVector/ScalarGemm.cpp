//===- ScalarGemm.cpp - products one element at a time --------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ScalarGemm.h"

using namespace mlir;
using namespace ingot;

void ingot::emitScalarGemm(KernelBuilder &b, const MatrixView &x,
                           const MatrixView &w, WeightLayout layout, Value bias,
                           const MatrixView &out) {
  Type stored = out.elementType();
  bool packed = layout != WeightLayout::Plain;
  // Narrow floats are summed in f32.
  Type type = isa<Float16Type, BFloat16Type>(stored) ? b.getF32Type() : stored;
  b.loop(b.index(0), x.rows(b), 1, [&](Value row) {
    b.loop(b.index(0), out.columns(b), 1, [&](Value column) {
      Value panel, lane;
      if (packed) {
        panel = b.createOrFold<arith::DivUIOp>(column, b.index(panelWidth));
        lane = b.createOrFold<arith::RemUIOp>(column, b.index(panelWidth));
      }
      Value zero = arith::ConstantOp::create(b, b.getZeroAttr(type));
      Value sum =
          b.loop(b.index(0), x.columns(b), 1, zero,
                 [&](Value at, ValueRange carried) -> SmallVector<Value> {
                   Value lhs = b.widen(b.load(x.memref, x.at(row, at)), type);
                   SmallVector<Value> place = w.at(at, column);
                   if (packed)
                     place = {panel, at, lane};
                   if (layout == WeightLayout::Pairs) {
                     Value two = b.index(2);
                     place[1] = b.createOrFold<arith::DivUIOp>(at, two);
                     place.push_back(b.createOrFold<arith::RemUIOp>(at, two));
                   }
                   Value rhs = b.load(w.memref, place);
                   rhs = b.widen(rhs, type);
                   if (isa<FloatType>(type))
                     return {b.fma(lhs, rhs, carried[0])};
                   return {b.add(b.mul(lhs, rhs), carried[0])};
                 })
              .front();
      if (bias)
        sum = b.add(sum, b.widen(b.load(bias, column), type));
      if (type != stored)
        sum = arith::TruncFOp::create(b, stored, sum);
      b.store(sum, out.memref, out.at(row, column));
    });
  });
}
