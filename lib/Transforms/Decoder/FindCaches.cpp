//===- FindCaches.cpp - tensors that a decoder extends and returns --------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Transforms/Decoder.h"
#include "lib/Transforms/Decoder/DecoderModel.h"

using namespace mlir;
using namespace ingot;

Value ingot::stripTensorCasts(Value value) {
  while (auto cast = value.getDefiningOp<tensor::CastOp>())
    value = cast.getSource();
  return value;
}

std::string ingot::inputName(BlockArgument argument) {
  auto func = cast<func::FuncOp>(argument.getOwner()->getParentOp());
  if (auto name = func.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                                    nameAttrName))
    return name.str();
  return "input " + std::to_string(argument.getArgNumber());
}

std::string ingot::outputName(func::FuncOp func, unsigned result) {
  if (auto name = func.getResultAttrOfType<StringAttr>(result, nameAttrName))
    return name.str();
  return "output " + std::to_string(result);
}

void ingot::limitPositions(ModuleOp module, int64_t most) {
  if (auto known = module->getAttrOfType<IntegerAttr>(positionLimitAttrName))
    most = std::min(most, known.getInt());
  module->setAttr(positionLimitAttrName,
                  Builder(module).getI64IntegerAttr(most));
}

/// The buffer that `value` is, made larger at most: only what was written at
/// the rows' positions is ever read.
static Value bufferOf(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    auto reshape = dyn_cast<ReshapeOp>(op);
    bool keepsDims =
        reshape && cast<RankedTensorType>(reshape.getX().getType()).getRank() ==
                       static_cast<int64_t>(reshape.getTo().getDims().size());
    if (!keepsDims && !isa<PadOp, tensor::CastOp>(op))
      break;
    value = op->getOperand(0);
  }
  return value;
}

SmallVector<CacheTensor> ingot::findCacheTensors(func::FuncOp func) {
  SmallVector<CacheTensor> found;
  Block &body = func.getBody().front();
  Operation *ret = body.getTerminator();
  llvm::DenseMap<Value, SmallVector<unsigned>> results;
  for (auto [i, value] : llvm::enumerate(ret->getOperands()))
    results[stripTensorCasts(value)].push_back(i);
  for (Operation &op : body) {
    CacheTensor tensor;
    tensor.extension = &op;
    Value old;
    if (auto concat = dyn_cast<ConcatOp>(op);
        concat && concat.getInputs().size() == 2) {
      old = stripTensorCasts(concat.getInputs()[0]);
      tensor.added = concat.getInputs()[1];
      tensor.axis = concat.getAxis();
    } else if (auto write = dyn_cast<WriteRowsOp>(op);
               write && !write.getCircular()) {
      old = bufferOf(write.getX());
      tensor.added = write.getUpdate();
      tensor.axis = write.getAxis();
      tensor.lengths = write.getAt();
    } else {
      continue;
    }
    auto returned = results.find(op.getResult(0));
    if (returned == results.end())
      continue;
    auto past = dyn_cast<BlockArgument>(old);
    auto type = past ? dyn_cast<RankedTensorType>(past.getType()) : nullptr;
    // Batch, heads, positions and depth, in some order with the batch first.
    if (!type || past.getOwner() != &body || type.getRank() != 4 ||
        tensor.axis == 0 || !isa<FloatType>(type.getElementType()))
      continue;
    tensor.past = past;
    tensor.results = returned->second;
    found.push_back(std::move(tensor));
  }
  return found;
}
