//===- EmitBarrier.cpp - how workers wait for others ----------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Conversion/MegaToCpu/EmitBarrier.h"

#include "dialects/Mega/IR/CounterOps.h"
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

/// Looks at a counter that others count in.
static Value loadCount(OpBuilder &b, Location loc, Value counter) {
  return LLVM::LoadOp::create(b, loc, b.getI64Type(), counter, /*alignment=*/8,
                              /*isVolatile=*/false, /*isNonTemporal=*/false,
                              /*isInvariant=*/false,
                              /*isInvariantGroup=*/false,
                              LLVM::AtomicOrdering::acquire);
}

/// Whether the run has failed or was stopped.
static Value loadIsStopped(OpBuilder &b, Location loc, Value context) {
  Value error = LLVM::LoadOp::create(
      b, loc, b.getI32Type(),
      ingot::AbiAccess(b, loc).field(context, ingot::ContextField::Error),
      /*alignment=*/4, /*isVolatile=*/false, /*isNonTemporal=*/false,
      /*isInvariant=*/false, /*isInvariantGroup=*/false,
      LLVM::AtomicOrdering::monotonic);
  Value zero = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(0));
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, error, zero);
}

/// Lets some time pass before a worker looks again, which it did `looks` times;
/// how often that is then.
static Value emitPatience(OpBuilder &b, Location loc,
                          const ingot::TargetInfo &cpu, Value context,
                          Value looks) {
  emitPause(b, loc, cpu);
  Value next =
      arith::AddIOp::create(b, loc, looks, ingot::i64Constant(b, loc, 1));
  Value isLong = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sgt, next,
                                       ingot::i64Constant(b, loc, spinLimit));
  scf::IfOp::create(b, loc, isLong, [&](OpBuilder &b, Location loc) {
    Value relax =
        ingot::AbiAccess(b, loc).field(context, ingot::ContextField::Relax);
    auto type = LLVM::LLVMFunctionType::get(
        LLVM::LLVMVoidType::get(b.getContext()), {context.getType()});
    LLVM::CallOp::create(b, loc, type, ValueRange{relax, context});
    scf::YieldOp::create(b, loc);
  });
  return next;
}

/// Counts a worker in; the answer is the count before.
static Value arriveAt(OpBuilder &b, Location loc, Value counter) {
  return LLVM::AtomicRMWOp::create(b, loc, LLVM::AtomicBinOp::add, counter,
                                   ingot::i64Constant(b, loc, 1),
                                   LLVM::AtomicOrdering::acq_rel);
}

static void emitBarrierFunction(OpBuilder &b, Location loc,
                                const ingot::TargetInfo &cpu) {
  Type ptr = LLVM::LLVMPointerType::get(b.getContext());
  Type i64 = b.getI64Type(), i1 = b.getI1Type();
  auto func = func::FuncOp::create(b, loc, ingot::barrierName,
                                   b.getFunctionType({ptr, i64, i1}, i1));
  func.setPrivate();
  func.setNoInline(true);
  OpBuilder::InsertionGuard guard(b);
  Block *body = func.addEntryBlock();
  b.setInsertionPointToStart(body);
  ingot::AbiAccess access(b, loc);
  Value context = body->getArgument(0), target = body->getArgument(1);
  Value counter = access.field(context, ingot::ContextField::Barrier);
  scf::IfOp::create(b, loc, body->getArgument(2),
                    [&](OpBuilder &b, Location loc) {
                      arriveAt(b, loc, counter);
                      scf::YieldOp::create(b, loc);
                    });

  scf::WhileOp::create(
      b, loc, TypeRange{i64}, ValueRange{ingot::i64Constant(b, loc, 0)},
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Value isMissing =
            arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt,
                                  loadCount(b, loc, counter), target);
        scf::ConditionOp::create(b, loc, isMissing, args);
      },
      [&](OpBuilder &b, Location loc, ValueRange args) {
        scf::YieldOp::create(b, loc,
                             emitPatience(b, loc, cpu, context, args[0]));
      });

  Value isStopped = loadIsStopped(b, loc, context);
  scf::IfOp::create(b, loc, isStopped, [&](OpBuilder &b, Location loc) {
    LLVM::AtomicRMWOp::create(b, loc, LLVM::AtomicBinOp::add, counter,
                              ingot::i64Constant(b, loc, barrierRelease),
                              LLVM::AtomicOrdering::release);
    scf::YieldOp::create(b, loc);
  });
  func::ReturnOp::create(b, loc, isStopped);
}

func::FuncOp ingot::declareAwait(OpBuilder &b, Location loc) {
  Type ptr = LLVM::LLVMPointerType::get(b.getContext());
  Type index = b.getIndexType();
  auto func = func::FuncOp::create(
      b, loc, awaitName,
      b.getFunctionType(
          {ptr, mega::countersType(b.getContext()), index, index, index},
          b.getI1Type()));
  func.setPrivate();
  return func;
}

static void emitAwaitBody(func::FuncOp func, const ingot::TargetInfo &cpu) {
  func.setNoInline(true);
  Block *body = func.addEntryBlock();
  OpBuilder b = OpBuilder::atBlockBegin(body);
  Location loc = func.getLoc();
  Type i64 = b.getI64Type(), i1 = b.getI1Type();
  Value context = body->getArgument(0), first = body->getArgument(2);
  auto number = [&](Value index) -> Value {
    return arith::IndexCastOp::create(b, loc, i64, index);
  };
  Value target = number(body->getArgument(4));
  Value counters = LLVM::IntToPtrOp::create(
      b, loc, context.getType(),
      number(memref::ExtractAlignedPointerAsIndexOp::create(
          b, loc, body->getArgument(1))));
  Value end = arith::AddIOp::create(b, loc, first, body->getArgument(3));
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value yes = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
  auto all = scf::ForOp::create(b, loc, first, end, one, ValueRange(yes));
  b.setInsertionPointToStart(all.getBody());
  constexpr int64_t lineBytes =
      ingot::mega::counterWidth * int64_t(sizeof(int64_t));
  Value at = arith::MulIOp::create(b, loc, number(all.getInductionVar()),
                                   ingot::i64Constant(b, loc, lineBytes));
  Value counter = ingot::AbiAccess(b, loc).address(counters, at);
  // It ends when nothing is missing, or what is missing will never come.
  auto wait = scf::WhileOp::create(
      b, loc, TypeRange{i64, i1},
      ValueRange{ingot::i64Constant(b, loc, 0), yes},
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Value isMissing =
            arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt,
                                  loadCount(b, loc, counter), target);
        Value isUnderWay =
            arith::XOrIOp::create(b, loc, loadIsStopped(b, loc, context), yes);
        Value isDone = arith::XOrIOp::create(b, loc, isMissing, yes);
        Value goesOn = arith::AndIOp::create(b, loc, isMissing, isUnderWay);
        scf::ConditionOp::create(b, loc, goesOn, ValueRange{args[0], isDone});
      },
      [&](OpBuilder &b, Location loc, ValueRange args) {
        scf::YieldOp::create(
            b, loc,
            ValueRange{emitPatience(b, loc, cpu, context, args[0]), args[1]});
      });
  Value isHere =
      arith::AndIOp::create(b, loc, all.getRegionIterArg(0), wait.getResult(1));
  scf::YieldOp::create(b, loc, isHere);
  b.setInsertionPointToEnd(body);
  func::ReturnOp::create(b, loc, all.getResults());
}

void ingot::emitWaitFunctions(OpBuilder &b, Location loc,
                              const TargetInfo &cpu) {
  emitBarrierFunction(b, loc, cpu);
  auto module = cast<ModuleOp>(b.getInsertionBlock()->getParentOp());
  if (auto await = module.lookupSymbol<func::FuncOp>(awaitName))
    emitAwaitBody(await, cpu);
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
