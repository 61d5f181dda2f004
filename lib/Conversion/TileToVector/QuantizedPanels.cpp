//===- QuantizedPanels.cpp - products with unpacked codes -----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "QuantizedPanels.h"

using namespace mlir;
using namespace ingot;

static constexpr int64_t groupWidth = PackedColumns::groupWidth;
/// Rows from which on panels are made.
static constexpr int64_t fewestRows = 8;
/// Groups, and most rows of K, of which panels are made at once: they and that
/// part of the rows stay in a second-level cache.
static constexpr int64_t panelGroups = 2, panelDepth = 512;

bool QuantizedPanels::canTake(QuantizedLinearOp op) {
  auto rankOf = [](Value memref) {
    return cast<MemRefType>(memref.getType()).getRank();
  };
  return op.getActivationBits() == 32 && rankOf(op.getX()) == 2 &&
         isLastDimContiguous(op.getX()) && isLastDimContiguous(op.getInit()) &&
         !cast<MemRefType>(op.getCodes().getType()).isDynamicDim(1) &&
         cast<MemRefType>(op.getScale().getType()).getDimSize(1) == 1;
}

QuantizedPanels::QuantizedPanels(KernelBuilder &b, QuantizedLinearOp op,
                                 const TargetInfo &target)
    : b(b), op(op), target(target), weights(b, op, groupWidth) {}

Value QuantizedPanels::isWorthwhile() {
  return b.compare(arith::CmpIPredicate::uge, b.dim(op.getX(), 0),
                   b.index(fewestRows));
}

void QuantizedPanels::unpack(Value firstGroup, Value groups, Value firstBlock,
                             Value panels) {
  int64_t block = op.getBlock(), perWord = weights.codesPerWord();
  int64_t blocks = cast<MemRefType>(panels.getType()).getDimSize(1) / block;
  b.loop(b.index(0), groups, 1, [&](Value number) {
    Value group = b.add(firstGroup, number);
    b.loop(b.index(0), b.index(blocks), 1, [&](Value inner) {
      Value outer = b.add(firstBlock, inner);
      Value zero = weights.zeroPoint(group, outer, 0);
      b.loop(b.index(0), b.index(block / perWord), 1, [&](Value word) {
        Value codes = weights.codes(group, outer, word, 0);
        Value first =
            b.add(b.mul(inner, b.index(block)), b.mul(word, b.index(perWord)));
        for (int64_t k = 0; k < perWord; ++k)
          b.storeVector(weights.value(codes, k, zero), panels,
                        {number, b.add(first, b.index(k)), b.index(0)});
      });
    });
  });
}

void QuantizedPanels::applyScales(Value firstGroup, Value groups) {
  Value init = op.getInit(), columns = b.dim(init, 1);
  VectorType floats = weights.floats();
  std::optional<int64_t> known = getConstantIntValue(columns);
  bool hasWholeGroups = known && *known % groupWidth == 0;
  b.loop(b.index(0), b.dim(init, 0), 1, [&](Value row) {
    b.loop(b.index(0), groups, 1, [&](Value number) {
      Value group = b.add(firstGroup, number);
      Value scale = weights.scale(group, Value(), 0);
      Value column = b.mul(group, b.index(groupWidth));
      SmallVector<Value> at = {row, column};
      if (hasWholeGroups)
        return b.storeVector(b.mul(b.loadVector(floats, init, at), scale), init,
                             at);
      Value mask = b.mask(b.sub(columns, column), groupWidth);
      Value sums = vector::MaskedLoadOp::create(b, floats, init, at, mask,
                                                b.splat(floats, 0.0));
      vector::MaskedStoreOp::create(b, init, at, mask, b.mul(sums, scale));
    });
  });
}

void QuantizedPanels::emit() {
  Value init = op.getInit(), zero = b.index(0);
  auto type = cast<MemRefType>(init.getType());
  int64_t blocks = cast<MemRefType>(op.getCodes().getType()).getDimSize(1);
  int64_t count = std::clamp<int64_t>(panelDepth / op.getBlock(), 1, blocks);
  while (blocks % count != 0)
    --count;
  int64_t depth = count * op.getBlock(), width = panelGroups * groupWidth;
  Value panels = memref::AllocaOp::create(
      b, MemRefType::get({panelGroups, depth, groupWidth}, b.getF32Type()),
      b.getI64IntegerAttr(64));
  auto part = [&](Value memref, Value column, OpFoldResult columns) {
    SmallVector<OpFoldResult> offsets = {b.getIndexAttr(0), column};
    SmallVector<OpFoldResult> sizes = {getAsOpFoldResult(b.dim(memref, 0)),
                                       columns};
    SmallVector<OpFoldResult> strides(2, b.getIndexAttr(1));
    Value view = memref::SubViewOp::create(b, memref, offsets, sizes, strides);
    return MatrixView{view, {}};
  };
  Value allGroups = b.dim(op.getCodes(), 0), allColumns = b.dim(init, 1);
  b.loop(zero, allGroups, panelGroups, [&](Value group) {
    Value groups = b.minIndex(b.sub(allGroups, group), b.index(panelGroups));
    Value column = b.mul(group, b.index(groupWidth));
    OpFoldResult columns = b.getIndexAttr(width);
    if (type.isDynamicDim(1) || type.getDimSize(1) % width != 0)
      columns = b.minIndex(b.sub(allColumns, column), b.index(width));
    MatrixView out = part(init, column, columns);
    b.loop(zero, b.index(blocks), count, [&](Value block) {
      unpack(group, groups, block, panels);
      Value k = b.mul(block, b.index(op.getBlock()));
      Value resumes;
      if (count < blocks)
        resumes = b.compare(arith::CmpIPredicate::ne, block, zero);
      addGemm(b, part(op.getX(), k, b.getIndexAttr(depth)), panels, out,
              resumes, target);
    });
    applyScales(group, groups);
  });
}
