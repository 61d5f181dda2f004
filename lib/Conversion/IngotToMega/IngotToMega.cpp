//===- IngotToMega.cpp - functions of stages to programs ------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Conversion/IngotToMega.h"

#include "dialects/Mega/IR/MegaOps.h"

namespace ingot {
#define GEN_PASS_DEF_CONVERTINGOTTOMEGA
#include "lib/Conversion/IngotToMega/IngotToMega.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot::mega;

namespace {

/// What a tile does to a buffer: nothing, or a mode.
using Mode = uint32_t;
constexpr Mode nothing = 0;
constexpr Mode read = Mode(AccessMode::Read);
constexpr Mode write = Mode(AccessMode::Write);

/// What `op` does to `buffer`, one of its operands, itself.
Mode modeOf(Operation *op, Value buffer) {
  if (auto effects = dyn_cast<MemoryEffectOpInterface>(op)) {
    Mode mode = nothing;
    SmallVector<MemoryEffects::EffectInstance> instances;
    effects.getEffectsOnValue(buffer, instances);
    for (const MemoryEffects::EffectInstance &effect : instances) {
      if (isa<MemoryEffects::Read>(effect.getEffect()))
        mode |= read;
      if (isa<MemoryEffects::Write>(effect.getEffect()))
        mode |= write;
    }
    return mode;
  }
  return isMemoryEffectFree(op) ? nothing : read | write;
}

/// What is done to `buffer` and its views where `isCounted` holds of the user.
Mode modeOfUses(Value buffer, llvm::function_ref<bool(Operation *)> isCounted) {
  Mode mode = nothing;
  for (Operation *user : buffer.getUsers()) {
    if (!isCounted(user))
      continue;
    auto view = dyn_cast<ViewLikeOpInterface>(user);
    mode |= view && view.getViewSource() == buffer
                ? modeOfUses(view->getResult(0), isCounted)
                : modeOf(user, buffer);
  }
  return mode;
}

/// Puts accesses between a tile and the memory outside of its stage.
class AccessNamer {
public:
  AccessNamer(TilesOp tiles, RewriterBase &rewriter)
      : tiles(tiles), rewriter(rewriter) {}

  void run() {
    SmallVector<memref::SubViewOp> views;
    tiles.getBody().walk([&](memref::SubViewOp view) {
      if (!tiles.isInside(view.getSource()))
        views.push_back(view);
    });
    for (memref::SubViewOp view : views)
      nameView(view);
    // Everything else takes the whole buffer.
    llvm::SetVector<Value> buffers;
    tiles.getBody().walk([&](Operation *op) {
      if (isa<AccessOp>(op))
        return;
      for (Value operand : op->getOperands())
        if (isa<MemRefType>(operand.getType()) && !tiles.isInside(operand))
          buffers.insert(operand);
    });
    for (Value buffer : buffers)
      nameWhole(buffer);
  }

private:
  bool isCounted(Operation *user) {
    return tiles->isProperAncestor(user) && !isa<AccessOp>(user);
  }

  void nameView(memref::SubViewOp view) {
    Mode mode = modeOfUses(view, [&](Operation *op) { return isCounted(op); });
    if (mode == nothing)
      return;
    rewriter.setInsertionPoint(view);
    rewriter.replaceOpWithNewOp<AccessOp>(view, AccessMode(mode), view);
  }

  void nameWhole(Value buffer) {
    Mode mode =
        modeOfUses(buffer, [&](Operation *op) { return isCounted(op); });
    if (mode == nothing)
      return;
    rewriter.setInsertionPointToStart(&tiles.getBody().front());
    auto access =
        AccessOp::create(rewriter, buffer.getLoc(), AccessMode(mode), buffer);
    rewriter.replaceUsesWithIf(buffer, access, [&](OpOperand &use) {
      return use.getOwner() != access && isCounted(use.getOwner());
    });
  }

  TilesOp tiles;
  RewriterBase &rewriter;
};

struct ConvertIngotToMegaPass
    : ingot::impl::ConvertIngotToMegaBase<ConvertIngotToMegaPass> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    for (auto func :
         llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>())) {
      if (func.isExternal() || !func.isPublic())
        continue;
      if (!func.getBody().hasOneBlock()) {
        func.emitError("expected one block");
        return signalPassFailure();
      }
      if (failed(convert(func, rewriter)))
        return signalPassFailure();
    }
  }

  static LogicalResult convert(func::FuncOp func, IRRewriter &rewriter) {
    rewriter.setInsertionPoint(func);
    auto program = ProgramOp::create(rewriter, func.getLoc(), func.getSymName(),
                                     func.getFunctionType());
    program->setDiscardableAttrs(llvm::to_vector(func->getDiscardableAttrs()));
    program.setArgAttrsAttr(func.getArgAttrsAttr());
    program.setResAttrsAttr(func.getResAttrsAttr());
    rewriter.eraseBlock(&program.getProgram());
    rewriter.inlineRegionBefore(func.getBody(), program.getBody(),
                                program.getBody().end());
    rewriter.eraseOp(func);

    Block &body = program.getProgram();
    Operation *ret = body.getTerminator();
    rewriter.setInsertionPoint(ret);
    rewriter.replaceOpWithNewOp<ReturnOp>(ret, ret->getOperands());
    for (auto loop : llvm::make_early_inc_range(body.getOps<scf::ForOp>()))
      if (failed(makeLoop(loop, rewriter)))
        return failure();
    makeStages(body, rewriter);
    return success();
  }

  static void makeStages(Block &body, IRRewriter &rewriter) {
    for (auto loop : llvm::make_early_inc_range(body.getOps<scf::ForallOp>()))
      AccessNamer(makeStage(loop, rewriter), rewriter).run();
  }

  /// Replaces `loop` by one of stages.
  static LogicalResult makeLoop(scf::ForOp loop, IRRewriter &rewriter) {
    auto isNumber = [](Value value, int64_t number) {
      return isConstantIntValue(value, number);
    };
    std::optional<int64_t> count = getConstantIntValue(loop.getUpperBound());
    if (!count || *count < 1 || !isNumber(loop.getLowerBound(), 0) ||
        !isNumber(loop.getStep(), 1))
      return loop.emitError("a loop over layers has a number of them that is "
                            "known, and counts them from 0");
    if (loop.getNumResults() != 0)
      return loop.emitError("a loop over layers carries values in buffers "
                            "alone");
    rewriter.setInsertionPoint(loop);
    auto result = LoopOp::create(rewriter, loop.getLoc(), *count);
    Block &body = result.getBody().front();
    rewriter.eraseOp(loop.getBody()->getTerminator());
    rewriter.inlineBlockBefore(loop.getBody(), &body, body.end(),
                               result.getNumber());
    rewriter.eraseOp(loop);
    makeStages(body, rewriter);
    return success();
  }

  /// Replaces `loop` by a stage whose tiles are its iterations.
  static TilesOp makeStage(scf::ForallOp loop, IRRewriter &rewriter) {
    Location loc = loop.getLoc();
    rewriter.setInsertionPoint(loop);
    SmallVector<OpFoldResult> extents;
    AffineExpr a, b;
    bindDims(rewriter.getContext(), a, b);
    for (auto [lower, upper] :
         llvm::zip_equal(loop.getMixedLowerBound(), loop.getMixedUpperBound()))
      extents.push_back(affine::makeComposedFoldedAffineApply(
          rewriter, loc, a - b, {upper, lower}));
    auto stage = StageOp::create(rewriter, loc);
    rewriter.setInsertionPointToStart(&stage.getBody().front());
    auto tiles = TilesOp::create(rewriter, loc, extents, loop.getMixedStep());
    Block &body = tiles.getBody().front();
    rewriter.setInsertionPointToStart(&body);
    SmallVector<Value> origin;
    for (auto [arg, lower] :
         llvm::zip_equal(tiles.getOrigin(), loop.getMixedLowerBound()))
      origin.push_back(getValueOrCreateConstantIndexOp(
          rewriter, loc,
          affine::makeComposedFoldedAffineApply(rewriter, loc, a + b,
                                                {OpFoldResult(arg), lower})));
    rewriter.eraseOp(loop.getTerminator());
    rewriter.inlineBlockBefore(loop.getBody(), &body, body.end(), origin);
    rewriter.eraseOp(loop);
    return tiles;
  }
};

} // namespace
