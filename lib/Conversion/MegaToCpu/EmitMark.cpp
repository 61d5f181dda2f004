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

/// Reads the counter whose ticks a trace is in. Arm's counter of cycles is not
/// for programs; the one of the system is.
static Value readTicks(OpBuilder &b, Location loc,
                       const ingot::TargetInfo &target) {
  StringRef name =
      target.isX86 ? "llvm.readcyclecounter" : "llvm.readsteadycounter";
  return LLVM::CallIntrinsicOp::create(b, loc, b.getI64Type(),
                                       b.getStringAttr(name), ValueRange())
      .getResults();
}

/// Adds a mark to `log`, which is not null.
static void note(OpBuilder &b, Location loc, Value log, Value what,
                 const ingot::TargetInfo &target) {
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
    LLVM::StoreOp::create(b, loc, readTicks(b, loc, target),
                          access.address(place, 8));
    scf::YieldOp::create(b, loc);
  });
  Value next =
      arith::AddIOp::create(b, loc, count, ingot::i64Constant(b, loc, 1));
  LLVM::StoreOp::create(b, loc, next, countPlace);
}

void ingot::emitMarkFunction(OpBuilder &b, Location loc,
                             const TargetInfo &target) {
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
    note(b, loc, log, body->getArgument(1), target);
    scf::YieldOp::create(b, loc);
  });
  func::ReturnOp::create(b, loc);
}

void ingot::emitMark(OpBuilder &b, Location loc, Value log, int64_t what) {
  func::CallOp::create(b, loc, markName, TypeRange(),
                       ValueRange{log, ingot::i64Constant(b, loc, what)});
}
