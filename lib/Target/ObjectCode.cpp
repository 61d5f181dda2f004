//===- ObjectCode.cpp - LLVM dialect to objects ---------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Target/ObjectCode.h"

#include "lib/Target/SupportFunctions.h"

#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Analysis/CGSCCPassManager.h"
#include "llvm/Analysis/LoopAnalysisManager.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

using namespace llvm;

namespace {

/// A machine for `target`, or null with `error` set.
std::unique_ptr<TargetMachine> createMachine(const ingot::TargetInfo &target,
                                             std::string &error) {
  static const bool isInitialized = [] {
    // LLVM's own names.
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser();
    LLVMInitializeAArch64TargetInfo();
    LLVMInitializeAArch64Target();
    LLVMInitializeAArch64TargetMC();
    LLVMInitializeAArch64AsmPrinter();
    LLVMInitializeAArch64AsmParser();
    return true;
  }();
  (void)isInitialized;
  Triple triple(target.triple);
  const Target *backend = TargetRegistry::lookupTarget(triple, error);
  if (!backend)
    return nullptr;
  TargetOptions options;
  options.AllowFPOpFusion = FPOpFusion::Standard;
  std::unique_ptr<TargetMachine> machine(backend->createTargetMachine(
      triple, target.cpu, target.features, options, Reloc::PIC_,
      CodeModel::Small, CodeGenOptLevel::Default));
  if (!machine)
    error = "cannot create a code generator for " + target.name;
  return machine;
}

/// Runs behind the code generator's passes, on one function after the other.
struct CountFunctions : FunctionPass {
  static char ID;
  CountFunctions(size_t total, const ingot::ObjectProgress &report)
      : FunctionPass(ID), total(total), report(report) {}

  bool runOnFunction(Function &) override {
    report(double(++done) / double(total));
    return false;
  }
  void getAnalysisUsage(AnalysisUsage &usage) const override {
    usage.setPreservesAll();
  }

  size_t total, done = 0;
  const ingot::ObjectProgress &report;
};
char CountFunctions::ID = 0;

} // namespace

std::unique_ptr<llvm::Module>
ingot::translateToLlvmIr(mlir::ModuleOp module, LLVMContext &context,
                         const TargetInfo &target,
                         ArrayRef<StringRef> exported) {
  std::string error;
  std::unique_ptr<TargetMachine> machine = createMachine(target, error);
  if (!machine) {
    module.emitError(error);
    return nullptr;
  }
  std::unique_ptr<Module> llvmModule =
      mlir::translateModuleToLLVMIR(module, context, "ingot");
  if (!llvmModule) {
    module.emitError("cannot be translated to LLVM IR");
    return nullptr;
  }
  llvmModule->setTargetTriple(Triple(target.triple));
  llvmModule->setDataLayout(machine->createDataLayout());
  for (GlobalValue &value : llvmModule->global_values())
    if (!value.isDeclaration() && !is_contained(exported, value.getName()))
      value.setLinkage(GlobalValue::InternalLinkage);
  addSupportFunctions(*llvmModule);
  for (Function &func : *llvmModule) {
    if (func.isDeclaration())
      continue;
    func.addFnAttr("target-cpu", target.cpu);
    func.addFnAttr("tune-cpu", target.tuneCpu);
    func.addFnAttr("target-features", target.features);
    func.addFnAttr(Attribute::NoUnwind);
  }
  return llvmModule;
}

void ingot::optimizeLlvmIr(Module &module) {
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager components;
  ModuleAnalysisManager modules;
  PassBuilder builder;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  ModulePassManager passes;
  // A fixed text: parsing cannot fail.
  cantFail(builder.parsePassPipeline(
      passes, "function(sroa,early-cse<memssa>,instcombine<no-verify-fixpoint>,"
              "simplifycfg,"
              "loop-mssa(loop-rotate,licm),gvn,instcombine<no-verify-fixpoint>,"
              "loop-mssa(licm),"
              "simplifycfg)"));
  passes.run(module, modules);
}

SmallVector<char, 0> ingot::emitObject(Module &module, const TargetInfo &target,
                                       std::string &error,
                                       const ObjectProgress &progress) {
  std::unique_ptr<TargetMachine> machine = createMachine(target, error);
  if (!machine)
    return {};
  SmallVector<char, 0> object;
  raw_svector_ostream stream(object);
  legacy::PassManager passes;
  if (machine->addPassesToEmitFile(passes, stream, nullptr,
                                   CodeGenFileType::ObjectFile)) {
    error = "the code generator cannot emit objects";
    return {};
  }
  if (progress) {
    size_t total = count_if(
        module, [](const Function &func) { return !func.isDeclaration(); });
    passes.add(new CountFunctions(total, progress));
  }
  passes.run(module);
  return object;
}

mlir::FailureOr<SmallVector<char, 0>>
ingot::compileImage(mlir::ModuleOp module, const TargetInfo &target,
                    ArrayRef<StringRef> exported,
                    const ObjectProgress &progress) {
  LLVMContext context;
  std::unique_ptr<Module> llvmModule =
      translateToLlvmIr(module, context, target, exported);
  if (!llvmModule)
    return mlir::failure();
  optimizeLlvmIr(*llvmModule);
  std::string error;
  SmallVector<char, 0> object =
      emitObject(*llvmModule, target, error, progress);
  if (object.empty())
    return module.emitError(error), mlir::failure();
  SmallVector<char, 0> image =
      linkImage(StringRef(object.data(), object.size()), target, error);
  if (image.empty())
    return module.emitError(error), mlir::failure();
  return image;
}
