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
#include "llvm/TargetParser/Triple.h"

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

/// Copies `count` bytes `from` somewhere, or fills them with the byte `fill`
/// where `from` is null: blocks of 16 bytes, then what is left, from the first
/// byte to the last or the other way around. For CPUs without instructions of
/// that kind. Goes on building behind the loops.
void emitBlocks(IRBuilder<> &b, Value *to, Value *from, Value *fill,
                Value *count, bool isDown = false) {
  LLVMContext &context = b.getContext();
  Function *func = b.GetInsertBlock()->getParent();
  Type *i64 = b.getInt64Ty(), *i8 = b.getInt8Ty();
  Value *place = b.CreateAlloca(i64);
  b.CreateStore(isDown ? count : b.getInt64(0), place);
  for (unsigned bytes : {16, 1}) {
    auto *head = BasicBlock::Create(context, "head", func);
    auto *body = BasicBlock::Create(context, "body", func);
    auto *after = BasicBlock::Create(context, "after", func);
    b.CreateBr(head);
    b.SetInsertPoint(head);
    Value *at = b.CreateLoad(i64, place), *step = b.getInt64(bytes);
    Value *left = isDown ? at : b.CreateSub(count, at);
    b.CreateCondBr(b.CreateICmpUGE(left, step), body, after);
    b.SetInsertPoint(body);
    Value *next = isDown ? b.CreateSub(at, step) : b.CreateAdd(at, step);
    Value *offset = isDown ? next : at;
    auto *type = FixedVectorType::get(i8, bytes);
    Value *block =
        from
            ? b.CreateAlignedLoad(type, b.CreateGEP(i8, from, offset), Align(1))
            : b.CreateVectorSplat(bytes, fill);
    b.CreateAlignedStore(block, b.CreateGEP(i8, to, offset), Align(1));
    b.CreateStore(next, place);
    b.CreateBr(head);
    b.SetInsertPoint(after);
  }
}

/// Copies upwards.
void emitCopy(IRBuilder<> &b, bool isX86, Value *to, Value *from,
              Value *count) {
  if (isX86)
    emitRepeat(b, "rep movsb", "{si}", {to, from, count});
  else
    emitBlocks(b, to, from, nullptr, count);
}

/// Copies from the last byte to the first.
void emitCopyDown(IRBuilder<> &b, bool isX86, Value *to, Value *from,
                  Value *count) {
  if (!isX86) {
    emitBlocks(b, to, from, nullptr, count, /*isDown=*/true);
    return;
  }
  Value *last = b.CreateSub(count, b.getInt64(1));
  emitRepeat(b, "std\nrep movsb\ncld", "{si}",
             {b.CreateGEP(b.getInt8Ty(), to, last),
              b.CreateGEP(b.getInt8Ty(), from, last), count});
}

/// Fills with the lowest byte of `value`.
void emitFill(IRBuilder<> &b, bool isX86, Value *to, Value *value,
              Value *count) {
  if (isX86)
    emitRepeat(b, "rep stosb", "{ax}", {to, value, count});
  else
    emitBlocks(b, to, nullptr, b.CreateTrunc(value, b.getInt8Ty()), count);
}

} // namespace

void ingot::addSupportFunctions(Module &module) {
  LLVMContext &context = module.getContext();
  bool isX86 = module.getTargetTriple().isX86();
  IRBuilder<> b(context);
  Type *ptr = b.getPtrTy(), *i64 = b.getInt64Ty();
  auto *copyType = FunctionType::get(ptr, {ptr, ptr, i64}, false);
  if (Function *func = define(module, "memcpy", copyType)) {
    b.SetInsertPoint(&func->getEntryBlock());
    emitCopy(b, isX86, func->getArg(0), func->getArg(1), func->getArg(2));
    b.CreateRet(func->getArg(0));
  }

  if (Function *func = define(module, "memmove", copyType)) {
    Value *to = func->getArg(0), *from = func->getArg(1),
          *count = func->getArg(2);
    auto *up = BasicBlock::Create(context, "up", func);
    auto *down = BasicBlock::Create(context, "down", func);
    b.SetInsertPoint(&func->getEntryBlock());
    // Going up is wrong only if the target begins inside the source.
    Value *distance =
        b.CreateSub(b.CreatePtrToInt(to, i64), b.CreatePtrToInt(from, i64));
    b.CreateCondBr(b.CreateICmpULT(distance, count), down, up);
    b.SetInsertPoint(up);
    emitCopy(b, isX86, to, from, count);
    b.CreateRet(to);
    b.SetInsertPoint(down);
    emitCopyDown(b, isX86, to, from, count);
    b.CreateRet(to);
  }

  auto *setType = FunctionType::get(ptr, {ptr, b.getInt32Ty(), i64}, false);
  if (Function *func = define(module, "memset", setType)) {
    b.SetInsertPoint(&func->getEntryBlock());
    emitFill(b, isX86, func->getArg(0), func->getArg(1), func->getArg(2));
    b.CreateRet(func->getArg(0));
  }
}
