//===- KernelBuilder.cpp - shorthand for writing kernels ------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "KernelBuilder.h"

using namespace mlir;
using namespace ingot;

Value KernelBuilder::index(int64_t value) {
  return arith::ConstantIndexOp::create(*this, value);
}

static Attribute constantOf(Type type, TypedAttr element) {
  if (auto vector = dyn_cast<VectorType>(type))
    return DenseElementsAttr::get(vector, static_cast<Attribute>(element));
  return element;
}

Value KernelBuilder::splat(Type type, double value) {
  return arith::ConstantOp::create(
      *this, cast<TypedAttr>(constantOf(
                 type, getFloatAttr(getElementTypeOrSelf(type), value))));
}

Value KernelBuilder::splatInt(Type type, int64_t value) {
  return arith::ConstantOp::create(
      *this, cast<TypedAttr>(constantOf(
                 type, getIntegerAttr(getElementTypeOrSelf(type), value))));
}

Value KernelBuilder::broadcast(Value scalar, int64_t lanes) {
  if (lanes == 0)
    return scalar;
  return vector::BroadcastOp::create(
      *this, VectorType::get(lanes, scalar.getType()), scalar);
}

Value KernelBuilder::castFloat(Value value, Type element) {
  auto to = [&](Type next) -> Value {
    Type from = getElementTypeOrSelf(value.getType());
    if (from == next)
      return value;
    Type type = next;
    if (auto vector = dyn_cast<VectorType>(value.getType()))
      type = vector.clone(next);
    if (next.getIntOrFloatBitWidth() > from.getIntOrFloatBitWidth())
      return arith::ExtFOp::create(*this, type, value);
    return arith::TruncFOp::create(*this, type, value);
  };
  // Only f32 has instructions to and from every other.
  if (getElementTypeOrSelf(value.getType()) != element)
    value = to(getF32Type());
  return to(element);
}

static bool isFloat(Value value) {
  return isa<FloatType>(getElementTypeOrSelf(value.getType()));
}

Value KernelBuilder::widen(Value value, Type type) {
  if (value.getType() == type)
    return value;
  bool fromFloat = isa<FloatType>(getElementTypeOrSelf(value.getType()));
  bool toFloat = isa<FloatType>(getElementTypeOrSelf(type));
  if (fromFloat)
    return arith::ExtFOp::create(*this, type, value);
  if (toFloat)
    return arith::SIToFPOp::create(*this, type, value);
  return arith::ExtSIOp::create(*this, type, value);
}

Value KernelBuilder::add(Value a, Value b) {
  return isFloat(a) ? createOrFold<arith::AddFOp>(a, b)
                    : createOrFold<arith::AddIOp>(a, b);
}

Value KernelBuilder::sub(Value a, Value b) {
  return isFloat(a) ? createOrFold<arith::SubFOp>(a, b)
                    : createOrFold<arith::SubIOp>(a, b);
}

Value KernelBuilder::mul(Value a, Value b) {
  return isFloat(a) ? createOrFold<arith::MulFOp>(a, b)
                    : createOrFold<arith::MulIOp>(a, b);
}

Value KernelBuilder::div(Value a, Value b) {
  return isFloat(a) ? createOrFold<arith::DivFOp>(a, b)
                    : createOrFold<arith::DivSIOp>(a, b);
}

Value KernelBuilder::fma(Value a, Value b, Value c) {
  return math::FmaOp::create(*this, a, b, c);
}

Value KernelBuilder::maxNotNan(Value a, Value b) {
  return arith::MaxNumFOp::create(
      *this, a, b, arith::FastMathFlags::nnan | arith::FastMathFlags::nsz);
}

Value KernelBuilder::minIndex(Value a, Value b) {
  return createOrFold<arith::MinSIOp>(a, b);
}

Value KernelBuilder::maxIndex(Value a, Value b) {
  return createOrFold<arith::MaxSIOp>(a, b);
}

Value KernelBuilder::compare(arith::CmpIPredicate predicate, Value a, Value b) {
  return createOrFold<arith::CmpIOp>(predicate, a, b);
}

Value KernelBuilder::compare(arith::CmpFPredicate predicate, Value a, Value b) {
  return arith::CmpFOp::create(*this, predicate, a, b);
}

Value KernelBuilder::select(Value condition, Value a, Value b) {
  return arith::SelectOp::create(*this, condition, a, b);
}

Value KernelBuilder::dim(Value memref, int64_t dim) {
  auto type = cast<MemRefType>(memref.getType());
  if (!type.isDynamicDim(dim))
    return index(type.getDimSize(dim));
  return createOrFold<memref::DimOp>(memref, dim);
}

Value KernelBuilder::load(Value memref, ValueRange indices) {
  return memref::LoadOp::create(*this, memref, indices);
}

void KernelBuilder::store(Value value, Value memref, ValueRange indices) {
  memref::StoreOp::create(*this, value, memref, indices);
}

Value KernelBuilder::loadVector(VectorType type, Value memref,
                                ValueRange indices) {
  return vector::LoadOp::create(*this, type, memref, indices);
}

void KernelBuilder::storeVector(Value value, Value memref, ValueRange indices) {
  vector::StoreOp::create(*this, value, memref, indices);
}

Value KernelBuilder::mask(Value count, int64_t lanes) {
  return vector::CreateMaskOp::create(
      *this, VectorType::get(lanes, getI1Type()), ValueRange{count});
}

SmallVector<Value> KernelBuilder::loop(Value lower, Value upper, int64_t step,
                                       ValueRange carried, LoopBody body) {
  auto from = getConstantIntValue(lower), to = getConstantIntValue(upper);
  if (from && to && *from >= *to)
    return SmallVector<Value>(carried);
  if (from && to && *from + step >= *to)
    return body(lower, carried);
  auto forOp = scf::ForOp::create(*this, lower, upper, index(step), carried);
  InsertionGuard guard(*this);
  setInsertionPointToStart(forOp.getBody());
  SmallVector<Value> next =
      body(forOp.getInductionVar(), forOp.getRegionIterArgs());
  if (!carried.empty())
    scf::YieldOp::create(*this, next);
  return SmallVector<Value>(forOp.getResults());
}

void KernelBuilder::loop(Value lower, Value upper, int64_t step,
                         function_ref<void(Value)> body) {
  loop(lower, upper, step, ValueRange(), [&](Value i, ValueRange) {
    body(i);
    return SmallVector<Value>();
  });
}

void KernelBuilder::when(Value condition, function_ref<void()> then,
                         function_ref<void()> otherwise) {
  if (auto known = getConstantIntValue(condition)) {
    if (*known != 0)
      then();
    else if (otherwise)
      otherwise();
    return;
  }
  auto ifOp = scf::IfOp::create(*this, condition,
                                /*withElseRegion=*/bool(otherwise));
  InsertionGuard guard(*this);
  setInsertionPointToStart(ifOp.thenBlock());
  then();
  if (otherwise) {
    setInsertionPointToStart(ifOp.elseBlock());
    otherwise();
  }
}

bool ingot::isLastDimContiguous(Value memref) {
  return cast<MemRefType>(memref.getType()).isLastDimUnitStride();
}
