//===- AbiAccess.cpp - reading and writing the runtime's structures -------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Conversion/MegaToCpu/AbiAccess.h"

using namespace mlir;

namespace ingot {

Value i64Constant(OpBuilder &b, Location loc, int64_t value) {
  return arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(value));
}

Value AbiAccess::address(Value base, int64_t bytes) {
  auto type = LLVM::LLVMPointerType::get(b.getContext());
  return LLVM::GEPOp::create(b, loc, type, b.getI8Type(), base,
                             ArrayRef<LLVM::GEPArg>{int32_t(bytes)});
}

Value AbiAccess::address(Value base, Value bytes) {
  return LLVM::GEPOp::create(b, loc, base.getType(), b.getI8Type(), base,
                             ArrayRef<LLVM::GEPArg>{bytes});
}

Value AbiAccess::field(Value context, ContextField field) {
  auto type = LLVM::LLVMPointerType::get(b.getContext());
  return LLVM::LoadOp::create(b, loc, type, address(context, int64_t(field)));
}

void AbiAccess::setField(Value context, ContextField field, Value pointer) {
  LLVM::StoreOp::create(b, loc, pointer, address(context, int64_t(field)));
}

Value AbiAccess::pointerAt(Value base, int64_t index) {
  auto type = LLVM::LLVMPointerType::get(b.getContext());
  return LLVM::LoadOp::create(b, loc, type, address(base, index * 8));
}

Value AbiAccess::indexAt(Value base, int64_t index) {
  Value value =
      LLVM::LoadOp::create(b, loc, b.getI64Type(), address(base, index * 8));
  return arith::IndexCastOp::create(b, loc, b.getIndexType(), value);
}

void AbiAccess::storeIndexAt(Value base, int64_t index, Value value) {
  Value number = arith::IndexCastOp::create(b, loc, b.getI64Type(), value);
  LLVM::StoreOp::create(b, loc, number, address(base, index * 8));
}

Value AbiAccess::bytes(Value pointer) {
  auto type = MemRefType::get({ShapedType::kDynamic}, b.getI8Type());
  Type i64 = b.getI64Type();
  auto array = LLVM::LLVMArrayType::get(i64, 1);
  auto descriptor = LLVM::LLVMStructType::getLiteral(
      b.getContext(),
      {pointer.getType(), pointer.getType(), i64, array, array});
  auto constant = [&](int64_t value) -> Value {
    return LLVM::ConstantOp::create(b, loc, i64, b.getI64IntegerAttr(value));
  };
  Value result = LLVM::PoisonOp::create(b, loc, descriptor);
  auto insert = [&](Value value, ArrayRef<int64_t> position) {
    result = LLVM::InsertValueOp::create(b, loc, result, value, position);
  };
  insert(pointer, {0});
  insert(pointer, {1});
  insert(constant(0), {2});
  insert(constant(std::numeric_limits<int64_t>::max()), {3, 0});
  insert(constant(1), {4, 0});
  return UnrealizedConversionCastOp::create(b, loc, type, result).getResult(0);
}

Value AbiAccess::buffer(Value pointer, MemRefType type,
                        ValueRange dynamicDims) {
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  return memref::ViewOp::create(b, loc, type, bytes(pointer), zero,
                                dynamicDims);
}

} // namespace ingot
