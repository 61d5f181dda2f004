//===- RecognizeEmbedding.cpp - find lookups in tables --------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Matchers.h"
#include "ingot/Transforms/Recognition.h"

namespace ingot {
#define GEN_PASS_DEF_RECOGNIZEEMBEDDING
#include "lib/Transforms/Recognition/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot;

namespace {

class EmbeddingMatcher {
public:
  explicit EmbeddingMatcher(Operation *root) : rewriter(root) {}

  void run(Operation *root) {
    SmallVector<GatherOp> gathers;
    root->walk([&](GatherOp op) { gathers.push_back(op); });
    for (GatherOp op : gathers)
      rewrite(op);
    rewriter.eraseDead();
  }

private:
  /// Whether the rows are angles of a rotary embedding and nothing else.
  static bool isRotary(Value rows) {
    SmallVector<Operation *> readers = readersOf(rows);
    return !readers.empty() && llvm::all_of(readers, [&](Operation *reader) {
      if (auto rope = dyn_cast<RopeOp>(reader))
        return rope.getX() != rows;
      return isa<ReshapeOp>(reader) && isRotary(reader->getResult(0));
    });
  }

  void rewrite(GatherOp op) {
    Value table = op.getX(), ids = op.getIndices();
    if (op.getAxis() != 0 || rankOf(table) != 2 || !weights.isWeight(table) ||
        op.use_empty() || isRotary(op))
      return;
    OpBuilder builder(op);
    Value result;
    if (auto dequantize = table.getDefiningOp<DequantizeOp>())
      result = lookUpCodes(builder, op, dequantize);
    if (!result)
      result = EmbeddingOp::create(builder, op.getLoc(), table, ids);
    rewriter.replace(op, result);
  }

  /// Looks up codes and decodes the rows; nothing for blocked scales.
  Value lookUpCodes(OpBuilder &builder, GatherOp op, DequantizeOp table) {
    if (table.getBlockSize() != 0)
      return {};
    Location loc = op.getLoc();
    Value ids = op.getIndices();
    int64_t rank = rankOf(ids) + 1;
    bool perRow = rankOf(table.getScale()) == 1 && table.getAxis() == 0;
    Value codes =
        EmbeddingOp::create(builder, loc, table.getCodes(), ids).getResult();
    // One scale, or one a column, holds for every row.
    if (!perRow)
      return DequantizeOp::create(builder, loc, codes, table.getScale(),
                                  table.getZeroPoint(), rank - 1,
                                  /*block_size=*/0);
    Type type = elementTypeOf(table);
    Value decoded = CastOp::create(builder, loc, codes, type);
    if (Value zeroPoint = table.getZeroPoint()) {
      Value rows = rowsOf(builder, loc, zeroPoint, ids);
      decoded = SubOp::create(builder, loc, decoded,
                              CastOp::create(builder, loc, rows, type));
    }
    return MulOp::create(builder, loc, decoded,
                         rowsOf(builder, loc, table.getScale(), ids));
  }

  /// The elements of a vector that belong to the ids, with a last dim of one.
  Value rowsOf(OpBuilder &builder, Location loc, Value vector, Value ids) {
    Value rows = GatherOp::create(builder, loc, vector, ids, /*axis=*/0);
    DimShape shape = rewriter.shapes.shapeOf(rows);
    shape.push_back(DimExpr::constant(1));
    return buildReshape(builder, loc, rows, shape, rewriter.shapes);
  }

  GraphRewriter rewriter;
  WeightAnalysis weights;
};

struct RecognizeEmbeddingPass
    : ingot::impl::RecognizeEmbeddingBase<RecognizeEmbeddingPass> {
  void runOnOperation() override {
    EmbeddingMatcher(getOperation()).run(getOperation());
  }
};

} // namespace
