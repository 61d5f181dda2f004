//===- EmitBarrier.cpp - where the workers of a team meet -----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Conversion/MegaToCpu/EmitBarrier.h"

#include "lib/Conversion/MegaToCpu/AbiAccess.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

/// Pauses in a barrier before the runtime is asked how to wait on: about as
/// long as a barrier takes when nobody is late.
static constexpr int64_t spinLimit = 32;
/// INGOT_BARRIER_RELEASE of the ABI.
static constexpr int64_t barrierRelease = int64_t(1) << 48;

/// Tells the CPU that it spins.
static void emitPause(OpBuilder &b, Location loc,
                      const ingot::TargetInfo &cpu) {
  if (cpu.isX86) {
    LLVM::CallIntrinsicOp::create(
        b, loc, b.getStringAttr("llvm.x86.sse2.pause"), ValueRange());
    return;
  }
  // The hint `yield`.
  Value yield = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(1));
  LLVM::CallIntrinsicOp::create(b, loc, b.getStringAttr("llvm.aarch64.hint"),
                                ValueRange(yield));
}

/// Counts a worker in; the answer is the count before.
static Value arriveAt(OpBuilder &b, Location loc, Value counter) {
  return LLVM::AtomicRMWOp::create(b, loc, LLVM::AtomicBinOp::add, counter,
                                   ingot::i64Constant(b, loc, 1),
                                   LLVM::AtomicOrdering::acq_rel);
}

void ingot::emitBarrierFunction(OpBuilder &b, Location loc,
                                const TargetInfo &cpu) {
  Type ptr = LLVM::LLVMPointerType::get(b.getContext());
  Type i64 = b.getI64Type(), i1 = b.getI1Type();
  auto func = func::FuncOp::create(b, loc, barrierName,
                                   b.getFunctionType({ptr, i64, i1}, i1));
  func.setPrivate();
  func.setNoInline(true);
  OpBuilder::InsertionGuard guard(b);
  Block *body = func.addEntryBlock();
  b.setInsertionPointToStart(body);
  ingot::AbiAccess access(b, loc);
  Value context = body->getArgument(0), target = body->getArgument(1);
  Value counter = access.field(context, ingot::ContextField::Barrier);
  Value one = ingot::i64Constant(b, loc, 1);
  scf::IfOp::create(b, loc, body->getArgument(2),
                    [&](OpBuilder &b, Location loc) {
                      arriveAt(b, loc, counter);
                      scf::YieldOp::create(b, loc);
                    });

  auto wait = scf::WhileOp::create(
      b, loc, TypeRange{i64}, ValueRange{ingot::i64Constant(b, loc, 0)},
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Value count = LLVM::LoadOp::create(
            b, loc, i64, counter, /*alignment=*/8, /*isVolatile=*/false,
            /*isNonTemporal=*/false, /*isInvariant=*/false,
            /*isInvariantGroup=*/false, LLVM::AtomicOrdering::acquire);
        Value isMissing = arith::CmpIOp::create(
            b, loc, arith::CmpIPredicate::slt, count, target);
        scf::ConditionOp::create(b, loc, isMissing, args);
      },
      [&](OpBuilder &b, Location loc, ValueRange args) {
        emitPause(b, loc, cpu);
        Value spins = arith::AddIOp::create(b, loc, args[0], one);
        Value isLong =
            arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sgt, spins,
                                  ingot::i64Constant(b, loc, spinLimit));
        scf::IfOp::create(b, loc, isLong, [&](OpBuilder &b, Location loc) {
          Value relax = ingot::AbiAccess(b, loc).field(
              context, ingot::ContextField::Relax);
          auto type = LLVM::LLVMFunctionType::get(
              LLVM::LLVMVoidType::get(b.getContext()), {ptr});
          LLVM::CallOp::create(b, loc, type, ValueRange{relax, context});
          scf::YieldOp::create(b, loc);
        });
        scf::YieldOp::create(b, loc, spins);
      });
  (void)wait;

  Value error = LLVM::LoadOp::create(
      b, loc, b.getI32Type(), access.field(context, ingot::ContextField::Error),
      /*alignment=*/4, /*isVolatile=*/false, /*isNonTemporal=*/false,
      /*isInvariant=*/false, /*isInvariantGroup=*/false,
      LLVM::AtomicOrdering::monotonic);
  Value zero = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(0));
  Value isStopped =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, error, zero);
  scf::IfOp::create(b, loc, isStopped, [&](OpBuilder &b, Location loc) {
    LLVM::AtomicRMWOp::create(b, loc, LLVM::AtomicBinOp::add, counter,
                              ingot::i64Constant(b, loc, barrierRelease),
                              LLVM::AtomicOrdering::release);
    scf::YieldOp::create(b, loc);
  });
  func::ReturnOp::create(b, loc, isStopped);
}

Value ingot::emitArrival(OpBuilder &b, Location loc, Value context,
                         Value target, Value arrives) {
  auto arrival = scf::IfOp::create(
      b, loc, arrives,
      [&](OpBuilder &b, Location loc) {
        Value counter = AbiAccess(b, loc).field(context, ContextField::Barrier);
        Value before = arriveAt(b, loc, counter);
        Value now =
            arith::AddIOp::create(b, loc, before, i64Constant(b, loc, 1));
        scf::YieldOp::create(
            b, loc,
            ValueRange(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt,
                                             now, target)));
      },
      // Whoever has had nothing to do has time.
      [&](OpBuilder &b, Location loc) {
        Value yes = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
        scf::YieldOp::create(b, loc, yes);
      });
  return arrival.getResult(0);
}
