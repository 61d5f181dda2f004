//===- Bufferize.cpp - tensors to buffers, results written in place -------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Transforms/Passes.h"

#include "mlir/Dialect/Bufferization/Transforms/BufferUtils.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/IR/Threading.h"

namespace ingot {
#define GEN_PASS_DEF_BUFFERIZE
#include "lib/Transforms/Passes.h.inc"
} // namespace ingot

using namespace mlir;

namespace {

/// Of constants in memory: a line, and the widest vector.
constexpr uint64_t constantAlignment = 64;

MemRefType bufferTypeOf(RankedTensorType type) {
  return MemRefType::get(type.getShape(), type.getElementType());
}

struct BufferizePass : ingot::impl::BufferizeBase<BufferizePass> {
  void runOnOperation() override {
    if (failed(placeConstants(getOperation())))
      return signalPassFailure();
    SmallVector<func::FuncOp> funcs;
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (!func.isExternal())
        funcs.push_back(func);
    ParallelDiagnosticHandler inOrder(&getContext());
    auto work = [&](size_t i) {
      inOrder.setOrderIDForThread(i);
      LogicalResult result = bufferize(funcs[i]);
      inOrder.eraseOrderIDForThread();
      return result;
    };
    if (failed(failableParallelForEach(
            &getContext(), llvm::to_vector(llvm::seq(funcs.size())), work)))
      signalPassFailure();
  }

  LogicalResult bufferize(func::FuncOp func) {
    IRRewriter rewriter(&getContext());
    for (auto loop : func.getBody().front().getOps<scf::ForOp>())
      carryInPlace(loop, rewriter);
    if ((func.isPublic() && failed(takeBuffers(func))) ||
        failed(resolveDims(func)))
      return failure();
    splitEmptyTensors(rewriter, func);
    if (failed(bufferization::eliminateEmptyTensors(rewriter, func)))
      return failure();
    bufferization::OneShotBufferizationOptions options;
    options.opFilter.denyOperation<func::FuncOp>();
    options.opFilter.denyDialect<func::FuncDialect>();
    bufferization::BufferizationState state;
    if (failed(bufferization::runOneShotBufferize(func, options, state)))
      return failure();
    for (auto loop : func.getBody().front().getOps<scf::ForOp>())
      keepPlaces(loop, rewriter);
    return checkBuffers(func);
  }

  /// Makes globals of all constants. That belongs to the module, which no two
  /// functions may change at the same time.
  static LogicalResult placeConstants(ModuleOp module) {
    SmallVector<arith::ConstantOp> constants;
    for (auto func : module.getOps<func::FuncOp>())
      func.walk([&](arith::ConstantOp constant) {
        if (isa<RankedTensorType>(constant.getType()))
          constants.push_back(constant);
      });
    SymbolTableCollection symbols;
    OpBuilder b(module.getContext());
    for (arith::ConstantOp constant : constants) {
      FailureOr<memref::GlobalOp> global =
          bufferization::getGlobalFor(constant, symbols, constantAlignment);
      if (failed(global))
        return constant.emitError("has no place in memory");
      b.setInsertionPoint(constant);
      Location loc = constant.getLoc();
      Value memory = memref::GetGlobalOp::create(b, loc, global->getType(),
                                                 global->getName());
      Value tensor = bufferization::ToTensorOp::create(
          b, loc, constant.getType(), memory, /*restrict=*/true,
          /*writable=*/false);
      constant.replaceAllUsesWith(tensor);
      constant.erase();
    }
    return success();
  }

  /// Rewrites the signature of `func` to buffers in destination style.
  LogicalResult takeBuffers(func::FuncOp func) {
    Block &body = func.getBody().front();
    if (func.getBody().getBlocks().size() != 1)
      return func.emitError("expected one block");
    OpBuilder b(func.getContext());
    StringAttr role = b.getStringAttr("ingot.role");
    unsigned numInputs = func.getNumArguments();
    SmallVector<Type> argTypes;
    SmallVector<Attribute> argAttrs;
    auto attrsWithRole = [&](DictionaryAttr attrs, StringRef value) {
      NamedAttrList list(attrs);
      list.set(role, b.getStringAttr(value));
      return list.getDictionary(b.getContext());
    };

    b.setInsertionPointToStart(&body);
    for (unsigned i = 0; i < numInputs; ++i) {
      BlockArgument arg = body.getArgument(i);
      DictionaryAttr attrs = func.getArgAttrDict(i);
      auto type = dyn_cast<RankedTensorType>(arg.getType());
      if (!type) {
        argTypes.push_back(arg.getType());
        argAttrs.push_back(attrs ? attrs : b.getDictionaryAttr({}));
        continue;
      }
      arg.setType(bufferTypeOf(type));
      argTypes.push_back(arg.getType());
      argAttrs.push_back(
          func.getArgAttr(i, role) ? attrs : attrsWithRole(attrs, "input"));
      auto tensor = bufferization::ToTensorOp::create(
          b, arg.getLoc(), type, arg, /*restrict=*/true, /*writable=*/false);
      arg.replaceAllUsesExcept(tensor.getResult(), tensor);
    }

    auto ret = cast<func::ReturnOp>(body.getTerminator());
    b.setInsertionPoint(ret);
    SmallVector<Value> dims;
    for (auto [i, result] : llvm::enumerate(ret.getOperands())) {
      auto type = dyn_cast<RankedTensorType>(result.getType());
      if (!type)
        return ret.emitError("result ") << i << " is not a ranked tensor";
      for (int64_t dim = 0; dim < type.getRank(); ++dim)
        dims.push_back(tensor::DimOp::create(b, ret.getLoc(), result, dim));
      MemRefType buffer = bufferTypeOf(type);
      Value arg = body.addArgument(buffer, ret.getLoc());
      argTypes.push_back(buffer);
      argAttrs.push_back(attrsWithRole(func.getResultAttrDict(i), "output"));
      auto [source, destination] = lookThroughReshapes(b, result, arg);
      bufferization::MaterializeInDestinationOp::create(
          b, ret.getLoc(), /*result=*/Type(), source, destination,
          /*restrict=*/true, /*writable=*/true);
    }
    ret.getOperandsMutable().assign(dims);
    func.setType(b.getFunctionType(
        argTypes, SmallVector<Type>(dims.size(), b.getIndexType())));
    func.removeResAttrsAttr();
    func.setArgAttrsAttr(b.getArrayAttr(argAttrs));
    return success();
  }

  /// What a loop carries is written to where it was read, once that is over,
  /// and its sizes are those that it began with.
  static void carryInPlace(scf::ForOp loop, IRRewriter &rewriter) {
    auto yield = cast<scf::YieldOp>(loop.getBody()->getTerminator());
    for (auto [i, arg] : llvm::enumerate(loop.getRegionIterArgs())) {
      Location loc = yield.getLoc();
      Value init = loop.getInitArgs()[i];
      for (Value carried : {Value(arg), Value(loop.getResult(i))})
        for (Operation *user : llvm::make_early_inc_range(carried.getUsers()))
          if (auto dim = dyn_cast<tensor::DimOp>(user))
            rewriter.modifyOpInPlace(
                dim, [&] { dim.getSourceMutable().assign(init); });
      rewriter.setInsertionPoint(yield);
      Value next = yield.getOperand(i), place = arg;
      SmallVector<tensor::ExpandShapeOp> reshapes;
      while (auto expand = next.getDefiningOp<tensor::ExpandShapeOp>()) {
        place = tensor::CollapseShapeOp::create(
            rewriter, loc, expand.getSrcType(), place,
            expand.getReassociationIndices());
        reshapes.push_back(expand);
        next = expand.getSrc();
      }
      next = bufferization::MaterializeInDestinationOp::create(
                 rewriter, loc, next.getType(), next, place)
                 .getResult();
      for (tensor::ExpandShapeOp expand : llvm::reverse(reshapes))
        next = tensor::ExpandShapeOp::create(
            rewriter, loc, expand.getResultType(), next,
            expand.getReassociationIndices(), expand.getMixedOutputShape());
      rewriter.modifyOpInPlace(yield, [&] { yield.setOperand(i, next); });
    }
  }

  /// What a loop carries in a buffer has that buffer's shape each time: a
  /// reshape to and fro is the buffer itself.
  static void keepPlaces(scf::ForOp loop, IRRewriter &rewriter) {
    auto yield = cast<scf::YieldOp>(loop.getBody()->getTerminator());
    for (auto [i, arg] : llvm::enumerate(loop.getRegionIterArgs())) {
      Value place = yield.getOperand(i);
      while (Operation *op = place.getDefiningOp()) {
        if (!isa<memref::ExpandShapeOp, memref::CollapseShapeOp>(op))
          break;
        place = cast<ViewLikeOpInterface>(op).getViewSource();
      }
      if (place == arg && yield.getOperand(i).getType() == arg.getType())
        rewriter.modifyOpInPlace(yield, [&] { yield.setOperand(i, arg); });
    }
  }

  /// A result that only splits dims of another tensor is that tensor written
  /// to a view of the destination, so that it can be computed there.
  static std::pair<Value, Value> lookThroughReshapes(OpBuilder &b, Value source,
                                                     Value destination) {
    while (auto expand = source.getDefiningOp<tensor::ExpandShapeOp>()) {
      auto view = memref::CollapseShapeOp::create(
          b, expand.getLoc(), destination, expand.getReassociationIndices());
      auto type = cast<RankedTensorType>(expand.getSrc().getType());
      if (view.getType() != bufferTypeOf(type)) {
        view.erase();
        break;
      }
      source = expand.getSrc();
      destination = view;
    }
    return {source, destination};
  }

  /// Expresses sizes by those of the arguments, so that no tensor is kept
  /// alive for its size alone.
  LogicalResult resolveDims(func::FuncOp func) {
    MLIRContext *context = &getContext();
    RewritePatternSet patterns(context);
    memref::populateResolveRankedShapedTypeResultDimsPatterns(patterns);
    memref::populateResolveShapedTypeResultDimsPatterns(patterns);
    tensor::DimOp::getCanonicalizationPatterns(patterns, context);
    scf::ForallOp::getCanonicalizationPatterns(patterns, context);
    return applyPatternsGreedily(func, std::move(patterns));
  }

  /// Gives every use an empty tensor of its own. One for several values is one
  /// buffer, into which they are copied in turn. What is used in a loop is made
  /// there, so that its buffer is free behind its last use.
  static void splitEmptyTensors(IRRewriter &rewriter, func::FuncOp func) {
    SmallVector<tensor::EmptyOp> empties;
    func.walk([&](tensor::EmptyOp empty) { empties.push_back(empty); });
    for (tensor::EmptyOp empty : empties) {
      for (OpOperand &use : llvm::make_early_inc_range(empty->getUses())) {
        auto loop = use.getOwner()->getParentOfType<scf::ForOp>();
        if (loop && !loop->isProperAncestor(empty) &&
            loop->getBlock() == empty->getBlock())
          rewriter.setInsertionPointToStart(loop.getBody());
        else if (empty->hasOneUse())
          continue;
        else
          rewriter.setInsertionPoint(empty);
        Operation *own = rewriter.clone(*empty);
        rewriter.modifyOpInPlace(use.getOwner(),
                                 [&] { use.set(own->getResult(0)); });
      }
      if (empty->use_empty())
        rewriter.eraseOp(empty);
    }
  }

  LogicalResult checkBuffers(func::FuncOp func) {
    WalkResult result = func.walk([](Operation *op) {
      auto isTensor = [](Type type) { return isa<TensorType>(type); };
      if (llvm::any_of(op->getResultTypes(), isTensor) ||
          llvm::any_of(op->getOperandTypes(), isTensor)) {
        op->emitError("was given no buffer");
        return WalkResult::interrupt();
      }
      return WalkResult::advance();
    });
    return failure(result.wasInterrupted());
  }
};

} // namespace
