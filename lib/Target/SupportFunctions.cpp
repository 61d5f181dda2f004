//===- SupportFunctions.cpp - what code generation calls by itself --------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Target/SupportFunctions.h"

#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/Module.h"

using namespace llvm;

namespace {

/// Starts a function of the given name, or returns null if the module has a
/// body for it. Code generation must not turn the body into a call of itself.
Function *define(Module &module, StringRef name, FunctionType *type) {
  Function *func = module.getFunction(name);
  if (func && !func->isDeclaration())
    return nullptr;
  if (!func)
    func = Function::Create(type, GlobalValue::ExternalLinkage, name, module);
  func->setVisibility(GlobalValue::HiddenVisibility);
  func->addFnAttr("no-builtins");
  func->addFnAttr(Attribute::NoUnwind);
  func->addFnAttr(Attribute::NoInline);
  BasicBlock::Create(module.getContext(), "entry", func);
  return func;
}

/// A string instruction, which reads and changes rdi, rcx and a third register
/// (rsi or al).
void emitRepeat(IRBuilder<> &b, StringRef code, StringRef third,
                ArrayRef<Value *> operands) {
  SmallVector<Type *> types;
  for (Value *operand : operands)
    types.push_back(operand->getType());
  auto *result = StructType::get(b.getContext(), types);
  auto *type = FunctionType::get(result, types, false);
  std::string constraints =
      ("={di},=" + third + ",={cx},0,1,2,~{memory},~{dirflag},~{fpsr},~{flags}")
          .str();
  b.CreateCall(InlineAsm::get(type, code, constraints, /*hasSideEffects=*/true),
               operands);
}

} // namespace

void ingot::addSupportFunctions(Module &module) {
  LLVMContext &context = module.getContext();
  IRBuilder<> b(context);
  Type *ptr = b.getPtrTy(), *i64 = b.getInt64Ty();
  auto *copyType = FunctionType::get(ptr, {ptr, ptr, i64}, false);
  if (Function *func = define(module, "memcpy", copyType)) {
    b.SetInsertPoint(&func->getEntryBlock());
    emitRepeat(b, "rep movsb", "{si}",
               {func->getArg(0), func->getArg(1), func->getArg(2)});
    b.CreateRet(func->getArg(0));
  }

  if (Function *func = define(module, "memmove", copyType)) {
    Value *to = func->getArg(0), *from = func->getArg(1),
          *count = func->getArg(2);
    auto *up = BasicBlock::Create(context, "up", func);
    auto *down = BasicBlock::Create(context, "down", func);
    auto *done = BasicBlock::Create(context, "done", func);
    b.SetInsertPoint(&func->getEntryBlock());
    // Going up is wrong only if the target begins inside the source.
    Value *distance =
        b.CreateSub(b.CreatePtrToInt(to, i64), b.CreatePtrToInt(from, i64));
    b.CreateCondBr(b.CreateICmpULT(distance, count), down, up);
    b.SetInsertPoint(up);
    emitRepeat(b, "rep movsb", "{si}", {to, from, count});
    b.CreateBr(done);
    b.SetInsertPoint(down);
    Value *last = b.CreateSub(count, b.getInt64(1));
    emitRepeat(b, "std\nrep movsb\ncld", "{si}",
               {b.CreateGEP(b.getInt8Ty(), to, last),
                b.CreateGEP(b.getInt8Ty(), from, last), count});
    b.CreateBr(done);
    b.SetInsertPoint(done);
    b.CreateRet(to);
  }

  auto *setType = FunctionType::get(ptr, {ptr, b.getInt32Ty(), i64}, false);
  if (Function *func = define(module, "memset", setType)) {
    b.SetInsertPoint(&func->getEntryBlock());
    emitRepeat(b, "rep stosb", "{ax}",
               {func->getArg(0), func->getArg(1), func->getArg(2)});
    b.CreateRet(func->getArg(0));
  }
}
