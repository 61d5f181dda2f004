//===- ReduceMasks.cpp - normal form of the masks of attention ------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "MaskForm.h"
#include "Matchers.h"
#include "ingot/Transforms/Recognition.h"

#include <cmath>

namespace ingot {
#define GEN_PASS_DEF_REDUCEMASKS
#include "lib/Transforms/Recognition/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot;

namespace {

class MaskReducer {
public:
  explicit MaskReducer(Operation *root) : rewriter(root) {}

  void run(Operation *root) {
    SmallVector<AttentionOp> attentions;
    root->walk([&](AttentionOp op) { attentions.push_back(op); });
    for (AttentionOp op : attentions)
      reduce(op);
    rewriter.eraseDead();
  }

private:
  void reduce(AttentionOp op) {
    Value bias = op.getBias();
    // A mask that the op has already comes with its own meaning of rows
    // without visible keys.
    if (!bias || op.getKeyMask() || op.getCausal() || op.getWindow() != 0)
      return;
    DimShape q = rewriter.shapes.shapeOf(op.getQ()),
             k = rewriter.shapes.shapeOf(op.getK());
    AttentionExtents extents = {q[0], q[2], q[1], k[1]};
    MaskAnalysis analysis(rewriter.shapes, {extents.batch, extents.heads,
                                            extents.queries, extents.keys});
    AdditiveMask split = splitMask(bias, analysis);
    if (split.bias == bias ||
        (!split.visible.isTrue() &&
         !hidesKeys(split.fill, elementTypeOf(op.getQ()))))
      return;
    std::optional<MaskForm> form =
        reduceMask(split.visible, extents, rewriter.shapes);
    if (!form)
      return;
    OpBuilder builder(op);
    Location loc = op.getLoc();
    Value rest;
    if (split.bias) {
      rest = buildBias(builder, loc, split.bias, extents, rewriter.shapes);
      if (!rest)
        return;
    }
    Value keyMask = buildKeyMask(builder, loc, *form, extents, rewriter.shapes);
    // Rows that the bias hides as a whole are NaN by arithmetic, or uniform if
    // it is finite.
    DeadRow dead = split.visible.isTrue()   ? op.getDeadRow()
                   : std::isinf(split.fill) ? DeadRow::NaN
                                            : DeadRow::Uniform;
    Value offset = buildQueryOffset(builder, loc, *form, extents);
    auto attention = AttentionOp::create(
        builder, loc, op.getQ(), op.getK(), op.getV(), keyMask, rest,
        op.getScale().convertToDouble(), form->causal, form->window,
        op.getSoftcap().convertToDouble(), dead);
    if (offset)
      attention.getQueryOffsetMutable().assign(offset);
    rewriter.replace(op->getResult(0), attention->getResult(0));
  }

  GraphRewriter rewriter;
};

struct ReduceMasksPass : ingot::impl::ReduceMasksBase<ReduceMasksPass> {
  void runOnOperation() override {
    MaskReducer(getOperation()).run(getOperation());
  }
};

} // namespace
