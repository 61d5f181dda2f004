//===- EmitCall.cpp - programs that run other programs --------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Conversion/MegaToCpu/EmitCall.h"

#include "lib/Conversion/MegaToCpu/AbiAccess.h"
#include "lib/Conversion/MegaToCpu/EmitMark.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace ingot;

constexpr llvm::StringLiteral bodyName = "ingot_body";

func::FuncOp ingot::emitBodyFunction(OpBuilder &b, Location loc,
                                     func::FuncOp entry, StringRef suffix) {
  Type i64 = b.getI64Type();
  SmallVector<Type> inputs(entry.getArgumentTypes());
  inputs.push_back(i64);
  auto body = func::FuncOp::create(b, loc, (Twine(bodyName) + suffix).str(),
                                   b.getFunctionType(inputs, i64));
  body.setPrivate();
  // Once in the image, whoever calls it.
  body.setNoInline(true);
  OpBuilder::InsertionGuard guard(b);
  Block *block = entry.addEntryBlock();
  b.setInsertionPointToStart(block);
  SmallVector<Value> arguments(block->getArguments());
  arguments.push_back(i64Constant(b, loc, 0));
  func::CallOp::create(b, loc, body, arguments);
  func::ReturnOp::create(b, loc);
  return body;
}

/// The address of an array of pointers on the worker's stack, made where its
/// function begins: calls in a repetition take no more of it each turn.
static Value pointerArray(OpBuilder &b, Location loc, Value context,
                          ValueRange pointers) {
  Type ptr = context.getType();
  Value array;
  {
    OpBuilder::InsertionGuard guard(b);
    auto func = b.getInsertionBlock()->getParentOp();
    b.setInsertionPointToStart(&func->getRegion(0).front());
    Value count = i64Constant(b, loc, std::max<size_t>(pointers.size(), 1));
    array = LLVM::AllocaOp::create(b, loc, ptr, ptr, count);
  }
  AbiAccess access(b, loc);
  for (auto [i, pointer] : llvm::enumerate(pointers))
    LLVM::StoreOp::create(b, loc, pointer,
                          access.address(array, int64_t(i) * 8));
  return array;
}

Value ingot::emitCall(OpBuilder &b, Location loc, const WorkerValues &values,
                      int64_t number, mega::CallOp op,
                      const llvm::DenseMap<Value, Value> &pointers) {
  auto arrayOf = [&](OperandRange given) {
    auto own = llvm::map_to_vector(
        given, [&](Value buffer) { return pointers.lookup(buffer); });
    return pointerArray(b, loc, values.context, own);
  };
  emitMark(b, loc, values.log, markCall - number);
  AbiAccess access(b, loc);
  Value context = values.context;
  access.setField(context, ContextField::Inputs, arrayOf(op.getInputs()));
  access.setField(context, ContextField::Outputs, arrayOf(op.getOutputs()));
  Value call = access.address(access.field(context, ContextField::Calls),
                              number * int64_t(CallField::Bytes));
  access.setField(context, ContextField::Arena,
                  access.pointerAt(call, int64_t(CallField::Arena) / 8));
  access.setField(context, ContextField::Symbols,
                  access.pointerAt(call, int64_t(CallField::Symbols) / 8));
  Type i64 = b.getI64Type();
  auto number64 = [&](Value value) -> Value {
    return arith::IndexCastOp::create(b, loc, i64, value);
  };
  Value expected = values.expected ? values.expected : i64Constant(b, loc, 0);
  return func::CallOp::create(b, loc,
                              (Twine(bodyName) + "_" + op.getCallee()).str(),
                              TypeRange{i64},
                              ValueRange{context, number64(values.worker),
                                         number64(values.workers), expected})
      .getResult(0);
}

/// Asks the host; whether it wants no more.
static Value emitTell(OpBuilder &b, Location loc, Value context, Value number) {
  Value tell = AbiAccess(b, loc).field(context, ContextField::Tell);
  auto type = LLVM::LLVMFunctionType::get(
      b.getI32Type(), {context.getType(), number.getType()});
  Value answer =
      LLVM::CallOp::create(b, loc, type, ValueRange{tell, context, number})
          .getResult();
  Value zero = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(0));
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, answer, zero);
}

void ingot::emitSingle(OpBuilder &b, Location loc, Value context, Value worker,
                       Value log, mega::SingleOp single, IRMapping &map) {
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value isFirst =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, worker, zero);
  auto branch = scf::IfOp::create(b, loc, isFirst, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  for (Operation &op : single.getBody().front())
    b.clone(op, map);
  emitMark(b, loc, log, markSingle);
  branch.walk([&](mega::TellOp tell) {
    b.setInsertionPoint(tell);
    tell.replaceAllUsesWith(emitTell(b, loc, context, tell.getNumber()));
    tell.erase();
  });
}
