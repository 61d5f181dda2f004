//===- LowerLinear.cpp - linear and matmul to register-tiled loops --------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Gemm.h"
#include "KernelPass.h"
#include "dialects/Ingot/IR/IngotOps.h"
#include "ingot/Conversion/TileToVector.h"
#include "ingot/Interfaces/TileHintInterface.h"

using namespace mlir;
using namespace ingot;

namespace ingot {
#define GEN_PASS_DEF_LOWERLINEAR
#include "lib/Conversion/TileToVector/TileToVector.h.inc"
} // namespace ingot

/// Loops over the dims of `out` before its last two; `body` gets their indices.
static void overBatch(KernelBuilder &b, Value out, SmallVector<Value> &indices,
                      function_ref<void(ValueRange)> body) {
  int64_t rank = cast<MemRefType>(out.getType()).getRank();
  int64_t at = indices.size();
  if (at + 2 == rank)
    return body(indices);
  b.loop(b.index(0), b.dim(out, at), 1, [&](Value i) {
    indices.push_back(i);
    overBatch(b, out, indices, body);
    indices.pop_back();
  });
}

/// The matrix of an operand at a point of the result's batch dims; a dim of one
/// is the same for all.
static MatrixView viewAt(KernelBuilder &b, Value memref, ValueRange batch) {
  auto type = cast<MemRefType>(memref.getType());
  MatrixView view{memref, {}};
  size_t own = type.getRank() - 2;
  for (auto [dim, index] : llvm::enumerate(batch.take_back(own)))
    view.prefix.push_back(type.getDimSize(dim) == 1 ? b.index(0) : index);
  return view;
}

/// Most rows of the weights at once, as the op's tile says.
static int64_t depthOf(Operation *op) {
  constexpr int64_t usual = 1024;
  auto attr = op->getAttrOfType<DictionaryAttr>(tileAttrName);
  auto sizes = attr ? attr.getAs<DenseI64ArrayAttr>("sizes") : nullptr;
  return sizes && sizes.size() == 3 && sizes[2] > 0 ? sizes[2] : usual;
}

static void lower(LinearOp op, const TargetInfo &target) {
  KernelBuilder b(op.getLoc(), op);
  SmallVector<Value> indices;
  WeightLayout layout = op.hasPairs()   ? WeightLayout::Pairs
                        : op.isPacked() ? WeightLayout::Panels
                                        : WeightLayout::Plain;
  overBatch(b, op.getInit(), indices, [&](ValueRange batch) {
    emitGemm(b, viewAt(b, op.getX(), batch), MatrixView{op.getW(), {}}, layout,
             op.getBias(), viewAt(b, op.getInit(), batch), depthOf(op), target);
  });
}

static void lower(MatmulOp op, const TargetInfo &target) {
  KernelBuilder b(op.getLoc(), op);
  SmallVector<Value> indices;
  overBatch(b, op.getInit(), indices, [&](ValueRange batch) {
    emitGemm(b, viewAt(b, op.getA(), batch), viewAt(b, op.getB(), batch),
             WeightLayout::Plain, /*bias=*/Value(),
             viewAt(b, op.getInit(), batch), depthOf(op), target);
  });
}

namespace {
struct LowerLinear : public ingot::impl::LowerLinearBase<LowerLinear> {
  using LowerLinearBase::LowerLinearBase;

  void runOnOperation() override {
    auto emit = [](Operation *op, const TargetInfo &info) {
      TypeSwitch<Operation *>(op).Case<LinearOp, MatmulOp>(
          [&](auto product) { lower(product, info); });
      return success();
    };
    if (failed(lowerToKernels(getOperation(), target,
                              llvm::IsaPred<LinearOp, MatmulOp>, emit)))
      signalPassFailure();
  }
};
} // namespace
