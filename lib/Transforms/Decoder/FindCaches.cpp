//===- FindCaches.cpp - tensors that a decoder extends and returns --------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
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

SmallVector<CacheTensor> ingot::findCacheTensors(func::FuncOp func) {
  SmallVector<CacheTensor> found;
  Block &body = func.getBody().front();
  Operation *ret = body.getTerminator();
  llvm::DenseMap<Value, SmallVector<unsigned>> results;
  for (auto [i, value] : llvm::enumerate(ret->getOperands()))
    results[stripTensorCasts(value)].push_back(i);
  for (auto concat : body.getOps<ConcatOp>()) {
    auto returned = results.find(concat.getResult());
    if (concat.getInputs().size() != 2 || returned == results.end())
      continue;
    auto past =
        dyn_cast<BlockArgument>(stripTensorCasts(concat.getInputs()[0]));
    auto type = past ? dyn_cast<RankedTensorType>(past.getType()) : nullptr;
    // Batch, heads, positions and depth, in some order with the batch first.
    if (!type || past.getOwner() != &body || type.getRank() != 4 ||
        concat.getAxis() == 0 || !isa<FloatType>(type.getElementType()))
      continue;
    CacheTensor tensor;
    tensor.past = past;
    tensor.concat = concat;
    tensor.axis = concat.getAxis();
    tensor.added = concat.getInputs()[1];
    tensor.results = returned->second;
    found.push_back(std::move(tensor));
  }
  return found;
}
