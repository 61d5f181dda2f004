//===- EmitMark.cpp - notes of when a worker did what ---------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Conversion/MegaToCpu/EmitMark.h"

#include "lib/Conversion/MegaToCpu/AbiAccess.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

constexpr llvm::StringLiteral markName = "ingot_mark";
/// Byte offsets in IngotTraceLog, and bytes of an IngotTraceMark.
constexpr int64_t capacityOffset = 8, countOffset = 16, markBytes = 16;

/// Adds a mark to `log`, which is not null.
static void note(OpBuilder &b, Location loc, Value log, Value what) {
  ingot::AbiAccess access(b, loc);
  Type ptr = log.getType(), i64 = b.getI64Type();
  Value countPlace = access.address(log, countOffset);
  Value count = LLVM::LoadOp::create(b, loc, i64, countPlace);
  Value capacity =
      LLVM::LoadOp::create(b, loc, i64, access.address(log, capacityOffset));
  Value hasRoom =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, count, capacity);
  scf::IfOp::create(b, loc, hasRoom, [&](OpBuilder &b, Location loc) {
    ingot::AbiAccess access(b, loc);
    Value marks = LLVM::LoadOp::create(b, loc, ptr, log);
    Value place = access.address(
        marks, arith::MulIOp::create(b, loc, count,
                                     ingot::i64Constant(b, loc, markBytes)));
    LLVM::StoreOp::create(b, loc, what, place);
    Value ticks =
        LLVM::CallIntrinsicOp::create(
            b, loc, i64, b.getStringAttr("llvm.readcyclecounter"), ValueRange())
            .getResults();
    LLVM::StoreOp::create(b, loc, ticks, access.address(place, 8));
    scf::YieldOp::create(b, loc);
  });
  Value next =
      arith::AddIOp::create(b, loc, count, ingot::i64Constant(b, loc, 1));
  LLVM::StoreOp::create(b, loc, next, countPlace);
}

void ingot::emitMarkFunction(OpBuilder &b, Location loc) {
  Type ptr = LLVM::LLVMPointerType::get(b.getContext());
  auto func = func::FuncOp::create(
      b, loc, markName, b.getFunctionType({ptr, b.getI64Type()}, {}));
  func.setPrivate();
  func.setNoInline(true);
  OpBuilder::InsertionGuard guard(b);
  Block *body = func.addEntryBlock();
  b.setInsertionPointToStart(body);
  Value log = body->getArgument(0);
  Value isTraced = LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::ne, log,
                                        LLVM::ZeroOp::create(b, loc, ptr));
  scf::IfOp::create(b, loc, isTraced, [&](OpBuilder &b, Location loc) {
    note(b, loc, log, body->getArgument(1));
    scf::YieldOp::create(b, loc);
  });
  func::ReturnOp::create(b, loc);
}

void ingot::emitMark(OpBuilder &b, Location loc, Value log, int64_t what) {
  func::CallOp::create(b, loc, markName, TypeRange(),
                       ValueRange{log, ingot::i64Constant(b, loc, what)});
}
