//===- Bufferization.cpp - buffers for the dialect's structured ops -------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Interfaces/Bufferization.h"

#include "dialects/Ingot/IR/IngotDialect.h"
#include "dialects/Ingot/IR/IngotOps.h"

#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"

using namespace mlir;
using namespace mlir::bufferization;

namespace {

/// The op's operands, with buffers in place of tensors.
FailureOr<SmallVector<Value>> buffersOf(Operation *op, RewriterBase &rewriter,
                                        const BufferizationOptions &options,
                                        BufferizationState &state) {
  SmallVector<Value> operands;
  for (Value operand : op->getOperands()) {
    if (!isa<TensorType>(operand.getType())) {
      operands.push_back(operand);
      continue;
    }
    FailureOr<Value> buffer = getBuffer(rewriter, operand, options, state);
    if (failed(buffer))
      return failure();
    operands.push_back(*buffer);
  }
  return operands;
}

/// The same op on buffers, without results. The destination is overwritten and
/// never read.
template <typename OpTy>
struct DestinationModel
    : DstBufferizableOpInterfaceExternalModel<DestinationModel<OpTy>, OpTy> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const AnalysisState &) const {
    return !cast<DestinationStyleOpInterface>(op).isDpsInit(&operand);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto destination = cast<DestinationStyleOpInterface>(op);
    rewriter.setInsertionPoint(op);
    FailureOr<SmallVector<Value>> operands =
        buffersOf(op, rewriter, options, state);
    if (failed(operands))
      return failure();
    SmallVector<Value> results;
    for (OpOperand &init : destination.getDpsInitsMutable())
      results.push_back((*operands)[init.getOperandNumber()]);
    mlir::clone(rewriter, op, TypeRange(), *operands);
    replaceOpWithBufferizedValues(rewriter, op, results);
    return success();
  }
};

/// The same op on buffers, for one that reads its operands and has no results.
template <typename OpTy>
struct ReaderModel
    : BufferizableOpInterface::ExternalModel<ReaderModel<OpTy>, OpTy> {
  bool bufferizesToMemoryRead(Operation *, OpOperand &,
                              const AnalysisState &) const {
    return true;
  }
  bool bufferizesToMemoryWrite(Operation *, OpOperand &,
                               const AnalysisState &) const {
    return false;
  }
  AliasingValueList getAliasingValues(Operation *, OpOperand &,
                                      const AnalysisState &) const {
    return {};
  }
  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    rewriter.setInsertionPoint(op);
    FailureOr<SmallVector<Value>> operands =
        buffersOf(op, rewriter, options, state);
    if (failed(operands))
      return failure();
    mlir::clone(rewriter, op, TypeRange(), *operands);
    rewriter.eraseOp(op);
    return success();
  }
};

/// A weight of a family is a view of its bytes.
struct WeightViewModel
    : BufferizableOpInterface::ExternalModel<WeightViewModel,
                                             ingot::WeightViewOp> {
  bool bufferizesToMemoryRead(Operation *, OpOperand &,
                              const AnalysisState &) const {
    return false;
  }
  bool bufferizesToMemoryWrite(Operation *, OpOperand &,
                               const AnalysisState &) const {
    return false;
  }
  AliasingValueList getAliasingValues(Operation *op, OpOperand &operand,
                                      const AnalysisState &) const {
    if (!isa<TensorType>(operand.get().getType()))
      return {};
    return {{op->getResult(0), BufferRelation::Unknown}};
  }
  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto view = cast<ingot::WeightViewOp>(op);
    rewriter.setInsertionPoint(op);
    FailureOr<Value> family =
        getBuffer(rewriter, view.getFamily(), options, state);
    if (failed(family))
      return failure();
    Location loc = op->getLoc();
    Value stride =
        arith::ConstantIndexOp::create(rewriter, loc, view.getStride());
    Value begin =
        arith::MulIOp::create(rewriter, loc, view.getNumber(), stride);
    auto type = cast<RankedTensorType>(view.getType());
    replaceOpWithNewBufferizedOp<memref::ViewOp>(
        rewriter, op, MemRefType::get(type.getShape(), type.getElementType()),
        *family, begin, ValueRange());
    return success();
  }
};

template <typename... OpTys> void attach(MLIRContext *context) {
  (OpTys::template attachInterface<DestinationModel<OpTys>>(*context), ...);
}

} // namespace

void ingot::registerBufferization(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, IngotDialect *) {
    attach<LinearOp, MatmulOp, QuantizeRowsOp, QuantizedLinearOp, AttentionOp,
           PageAttentionOp, MergePagesOp, PagedAttentionOp, SoftmaxOp,
           LayerNormOp, RmsNormOp, RotateOp>(context);
    CacheStoreOp::attachInterface<ReaderModel<CacheStoreOp>>(*context);
    WeightViewOp::attachInterface<WeightViewModel>(*context);
  });
}
