//===- StageLeftovers.cpp - stages for what is outside of one -------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/IngotOps.h"
#include "ingot/Transforms/Passes.h"
#include "lib/Transforms/TileSizes.h"

#include "mlir/Dialect/SCF/Transforms/TileUsingInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace ingot {
#define GEN_PASS_DEF_STAGELEFTOVERS
#include "lib/Transforms/Passes.h.inc"
} // namespace ingot

using namespace mlir;

namespace {

/// What every worker may do for itself: compute values, make views, read
/// single elements, check them.
bool isUniform(Operation &op) {
  return isMemoryEffectFree(&op) ||
         isa<memref::AllocOp, memref::LoadOp, ingot::CheckOp>(op);
}

struct StageLeftoversPass
    : ingot::impl::StageLeftoversBase<StageLeftoversPass> {
  void runOnOperation() override {
    func::FuncOp func = getOperation();
    if (func.isExternal())
      return;
    IRRewriter rewriter(&getContext());
    func.walk([&](memref::CopyOp copy) {
      rewriter.setInsertionPoint(copy);
      rewriter.replaceOpWithNewOp<linalg::CopyOp>(copy, copy.getSource(),
                                                  copy.getTarget());
    });

    Block &body = func.getBody().front();
    for (auto loop : body.getOps<scf::ForOp>())
      if (failed(stage(rewriter, *loop.getBody())))
        return signalPassFailure();
    if (failed(stage(rewriter, body)))
      return signalPassFailure();
    func.walk([&](memref::DimOp dim) { resolve(rewriter, dim); });
  }

  LogicalResult stage(IRRewriter &rewriter, Block &body) {
    for (Operation &op : llvm::make_early_inc_range(body)) {
      if (isUniform(op) || isStaged(op) || op.hasTrait<OpTrait::IsTerminator>())
        continue;
      if (op.getNumResults() != 0)
        return op.emitError("has results and memory effects outside of a "
                            "stage");
      if (auto tileable = dyn_cast<TilingInterface>(op))
        if (failed(tile(rewriter, tileable)))
          return failure();
    }
    wrapRest(rewriter, body);
    return success();
  }

  /// A stage, or a loop over layers, whose body is staged by itself.
  static bool isStaged(Operation &op) {
    return isa<scf::ForallOp>(op) ||
           (isa<scf::ForOp>(op) && op.getNumResults() == 0);
  }

  /// The size of a reshape that was given as it was made.
  static void resolve(IRRewriter &rewriter, memref::DimOp dim) {
    auto expand = dim.getSource().getDefiningOp<memref::ExpandShapeOp>();
    std::optional<int64_t> index = dim.getConstantIndex();
    if (!expand || !index)
      return;
    rewriter.setInsertionPoint(dim);
    rewriter.replaceOp(
        dim, getValueOrCreateConstantIndexOp(
                 rewriter, dim.getLoc(), expand.getMixedOutputShape()[*index]));
  }

  LogicalResult tile(IRRewriter &rewriter, TilingInterface op) {
    SmallVector<int64_t> sizes = ingot::chooseTileSizes(op);
    if (llvm::all_of(sizes, [](int64_t size) { return size == 0; }))
      return success();
    scf::SCFTilingOptions options;
    options.setLoopType(scf::SCFTilingOptions::LoopType::ForallOp);
    options.setTileSizes(getAsIndexOpFoldResult(&getContext(), sizes));
    rewriter.setInsertionPoint(op);
    // No known op refuses tiles of its own loops; the interface lets it.
    if (failed(scf::tileUsingSCF(rewriter, op, options)))
      return op->emitError("cannot be cut into tiles");
    rewriter.eraseOp(op);
    return success();
  }

  /// Puts every op that is still outside of a stage into one of one tile.
  void wrapRest(IRRewriter &rewriter, Block &body) {
    scf::ForallOp open;
    for (Operation &op : llvm::make_early_inc_range(body)) {
      if (isStaged(op) || isa<memref::LoadOp>(op)) {
        open = nullptr;
        continue;
      }
      if (isUniform(op) || op.hasTrait<OpTrait::IsTerminator>())
        continue;
      // The open stage moves down to the op, behind values made since.
      if (!open) {
        rewriter.setInsertionPoint(&op);
        open = scf::ForallOp::create(
            rewriter, op.getLoc(),
            ArrayRef<OpFoldResult>{rewriter.getIndexAttr(1)},
            /*outputs=*/ValueRange(), /*mapping=*/std::nullopt);
      } else {
        rewriter.moveOpBefore(open, &op);
      }
      rewriter.moveOpBefore(&op, open.getTerminator());
    }
  }
};

} // namespace
