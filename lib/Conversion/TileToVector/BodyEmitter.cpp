//===- BodyEmitter.cpp - scalar bodies on vectors -------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "BodyEmitter.h"

#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace ingot;

bool ingot::isVectorElement(Type type) {
  if (auto integer = dyn_cast<IntegerType>(type))
    return llvm::is_contained({8u, 16u, 32u, 64u}, integer.getWidth());
  return isa<IndexType, Float16Type, BFloat16Type, Float32Type, Float64Type>(
      type);
}

AccessKind ingot::classifyAccess(Type operand, AffineMap map, unsigned dim) {
  auto memref = dyn_cast<MemRefType>(operand);
  if (!memref)
    return AccessKind::Invariant;
  std::optional<unsigned> moving;
  for (auto [i, expr] : llvm::enumerate(map.getResults())) {
    if (!expr.isFunctionOfDim(dim))
      continue;
    if (moving)
      return AccessKind::Gather;
    moving = i;
  }
  if (!moving)
    return AccessKind::Invariant;
  AffineExpr rest = simplifyAffineExpr(
      map.getResult(*moving) - getAffineDimExpr(dim, map.getContext()),
      map.getNumDims(), map.getNumSymbols());
  SmallVector<int64_t> strides;
  int64_t offset;
  if (rest.isFunctionOfDim(dim) ||
      failed(memref.getStridesAndOffset(strides, offset)) ||
      strides[*moving] != 1 || strides.back() != 1)
    return AccessKind::Gather;
  return AccessKind::Contiguous;
}

SmallVector<Value> BodyEmitter::indicesAt(AffineMap map, int64_t laneIndex) {
  SmallVector<Value> dims = point;
  if (laneIndex != 0)
    dims[vectorDim] = arith::AddIOp::create(
        b, loc, dims[vectorDim],
        arith::ConstantIndexOp::create(b, loc, laneIndex));
  SmallVector<Value> indices;
  for (AffineExpr expr : map.getResults())
    indices.push_back(affine::expandAffineExpr(b, loc, expr, dims, {}));
  return indices;
}

LaneValue BodyEmitter::load(OpOperand &operand) {
  Value source = operand.get();
  auto memref = dyn_cast<MemRefType>(source.getType());
  if (!memref)
    return {source, LaneValue::Uniform};
  AffineMap map = op.getMatchingIndexingMap(&operand);
  AccessKind access = lanes == 1 ? AccessKind::Invariant
                                 : classifyAccess(memref, map, vectorDim);
  if (access == AccessKind::Invariant)
    return {memref::LoadOp::create(b, loc, source, indicesAt(map, 0)),
            LaneValue::Uniform};
  auto type = VectorType::get(lanes, memref.getElementType());
  if (access == AccessKind::Contiguous)
    return {vector::LoadOp::create(b, loc, type, source, indicesAt(map, 0)),
            LaneValue::Varying};
  SmallVector<Value> elements;
  for (int64_t i = 0; i < lanes; ++i)
    elements.push_back(
        memref::LoadOp::create(b, loc, source, indicesAt(map, i)));
  return {vector::FromElementsOp::create(b, loc, type, elements),
          LaneValue::Varying};
}

void BodyEmitter::store(OpOperand &operand, LaneValue value) {
  AffineMap map = op.getMatchingIndexingMap(&operand);
  Value stored = materialize(value);
  if (lanes == 1)
    memref::StoreOp::create(b, loc, stored, operand.get(), indicesAt(map, 0));
  else
    vector::StoreOp::create(b, loc, stored, operand.get(), indicesAt(map, 0));
}

Value BodyEmitter::materialize(LaneValue value) {
  if (lanes == 1 || value.kind == LaneValue::Varying)
    return value.value;
  Type element = value.value.getType();
  auto type = VectorType::get(lanes, element);
  Value splat = vector::BroadcastOp::create(b, loc, type, value.value);
  if (value.kind == LaneValue::Uniform)
    return splat;
  SmallVector<Attribute> steps;
  for (int64_t i = 0; i < lanes; ++i)
    steps.push_back(b.getIntegerAttr(element, i));
  Value step =
      arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, steps));
  return arith::AddIOp::create(b, loc, splat, step);
}

LaneValue BodyEmitter::lookup(Value value) const {
  auto it = values.find(value);
  // What the body does not define comes from above and is the same everywhere.
  return it == values.end() ? LaneValue{value, LaneValue::Uniform} : it->second;
}

Value BodyEmitter::lane(LaneValue value, int64_t index) {
  switch (value.kind) {
  case LaneValue::Uniform:
    return value.value;
  case LaneValue::Linear: {
    if (index == 0)
      return value.value;
    Value step = arith::ConstantOp::create(
        b, loc, b.getIntegerAttr(value.value.getType(), index));
    return arith::AddIOp::create(b, loc, value.value, step);
  }
  case LaneValue::Varying:
    break;
  }
  return vector::ExtractOp::create(b, loc, value.value, index);
}

SmallVector<LaneValue> BodyEmitter::emitBody(ArrayRef<LaneValue> args) {
  Block *body = op.getBlock();
  for (auto [arg, value] : llvm::zip_equal(body->getArguments(), args))
    values[arg] = value;
  for (Operation &bodyOp : body->without_terminator()) {
    if (auto index = dyn_cast<linalg::IndexOp>(bodyOp)) {
      bool moves = lanes != 1 && index.getDim() == vectorDim;
      values[index.getResult()] = {point[index.getDim()],
                                   moves ? LaneValue::Linear
                                         : LaneValue::Uniform};
      continue;
    }
    // Operands of nested regions count too.
    bool uniform = true;
    bodyOp.walk([&](Operation *nested) {
      for (Value operand : nested->getOperands())
        uniform &= lookup(operand).kind == LaneValue::Uniform;
      // A nested region may ask for an index that differs between lanes.
      if (auto index = dyn_cast<linalg::IndexOp>(nested))
        uniform &= lanes == 1 || index.getDim() != vectorDim;
    });
    // A check must see every lane, but once is enough where all are alike.
    if (uniform) {
      IRMapping mapping;
      for (auto &[from, to] : values)
        mapping.map(from, to.value);
      Operation *copy = b.clone(bodyOp, mapping);
      for (auto [from, to] :
           llvm::zip_equal(bodyOp.getResults(), copy->getResults()))
        values[from] = {to, LaneValue::Uniform};
      copy->walk([&](linalg::IndexOp index) {
        index.replaceAllUsesWith(point[index.getDim()]);
        index.erase();
      });
      continue;
    }
    if (emitLinear(bodyOp) || emitLoad(bodyOp))
      continue;
    if (OpTrait::hasElementwiseMappableTraits(&bodyOp) &&
        llvm::all_of(bodyOp.getResultTypes(),
                     [](Type t) { return VectorType::isValidElementType(t); }))
      emitElementwise(bodyOp);
    else
      emitByLane(bodyOp);
  }
  SmallVector<LaneValue> results;
  for (Value yielded : body->getTerminator()->getOperands())
    results.push_back(lookup(yielded));
  return results;
}

/// Sums and casts that keep "lane i is lane 0 plus i".
bool BodyEmitter::emitLinear(Operation &bodyOp) {
  auto define = [&](Value base) {
    values[bodyOp.getResult(0)] = {base, LaneValue::Linear};
    return true;
  };
  if (auto cast = dyn_cast<arith::IndexCastOp>(bodyOp)) {
    // Narrower types could wrap between two lanes.
    LaneValue in = lookup(cast.getIn());
    if (in.kind != LaneValue::Linear ||
        !(cast.getType().isInteger(64) || cast.getIn().getType().isInteger(64)))
      return false;
    return define(arith::IndexCastOp::create(b, loc, cast.getType(), in.value));
  }
  if (!isa<arith::AddIOp, arith::SubIOp>(bodyOp))
    return false;
  LaneValue lhs = lookup(bodyOp.getOperand(0));
  LaneValue rhs = lookup(bodyOp.getOperand(1));
  if (lhs.kind == LaneValue::Linear && rhs.kind == LaneValue::Uniform) {
    if (isa<arith::AddIOp>(bodyOp))
      return define(arith::AddIOp::create(b, loc, lhs.value, rhs.value));
    return define(arith::SubIOp::create(b, loc, lhs.value, rhs.value));
  }
  if (lhs.kind == LaneValue::Uniform && rhs.kind == LaneValue::Linear &&
      isa<arith::AddIOp>(bodyOp))
    return define(arith::AddIOp::create(b, loc, lhs.value, rhs.value));
  return false;
}

/// A load whose last index moves with the lanes is one vector.
bool BodyEmitter::emitLoad(Operation &bodyOp) {
  auto load = dyn_cast<memref::LoadOp>(bodyOp);
  if (!load || load.getIndices().empty() ||
      !isVectorElement(load.getMemRefType().getElementType()) ||
      !load.getMemRefType().isLastDimUnitStride())
    return false;
  SmallVector<Value> indices;
  for (Value index : load.getIndices()) {
    LaneValue value = lookup(index);
    bool last = indices.size() + 1 == load.getIndices().size();
    if (value.kind != (last ? LaneValue::Linear : LaneValue::Uniform))
      return false;
    indices.push_back(value.value);
  }
  auto type = VectorType::get(lanes, load.getMemRefType().getElementType());
  values[load.getResult()] = {
      vector::LoadOp::create(b, loc, type, lookup(load.getMemRef()).value,
                             indices),
      LaneValue::Varying};
  return true;
}

void BodyEmitter::emitElementwise(Operation &bodyOp) {
  SmallVector<Value> operands;
  for (Value operand : bodyOp.getOperands())
    operands.push_back(materialize(lookup(operand)));
  SmallVector<Type> types;
  for (Type type : bodyOp.getResultTypes())
    types.push_back(VectorType::get(lanes, type));
  Operation *wide = b.create(loc, bodyOp.getName().getIdentifier(), operands,
                             types, bodyOp.getAttrDictionary().getValue());
  for (auto [from, to] :
       llvm::zip_equal(bodyOp.getResults(), wide->getResults()))
    values[from] = {to, LaneValue::Varying};
}

/// Gathers, checks and control flow: the scalar op once for every lane.
void BodyEmitter::emitByLane(Operation &bodyOp) {
  SmallVector<SmallVector<Value>> elements(bodyOp.getNumResults());
  for (int64_t i = 0; i < lanes; ++i) {
    IRMapping mapping;
    bodyOp.walk([&](Operation *nested) {
      for (Value operand : nested->getOperands())
        if (values.contains(operand) && !mapping.contains(operand))
          mapping.map(operand, lane(lookup(operand), i));
    });
    Value moved = lane({point[vectorDim], LaneValue::Linear}, i);
    Operation *copy = b.clone(bodyOp, mapping);
    copy->walk([&](linalg::IndexOp index) {
      bool moves = index.getDim() == vectorDim;
      index.replaceAllUsesWith(moves ? moved : point[index.getDim()]);
      index.erase();
    });
    for (auto [list, result] : llvm::zip_equal(elements, copy->getResults()))
      list.push_back(result);
  }
  for (auto [list, result] : llvm::zip_equal(elements, bodyOp.getResults())) {
    auto type = VectorType::get(lanes, result.getType());
    values[result] = {vector::FromElementsOp::create(b, loc, type, list),
                      LaneValue::Varying};
  }
}
