//===- ingot-translate.cpp - translations between formats, one by one -----===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Import/Onnx/Import.h"
#include "ingot/Pipelines/CpuPipelines.h"
#include "ingot/Pipelines/Registration.h"
#include "ingot/Target/ObjectCode.h"

#include "mlir/Tools/mlir-translate/MlirTranslateMain.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/CommandLine.h"

using namespace mlir;

namespace {

llvm::cl::opt<std::string>
    targetCpu("target-cpu", llvm::cl::init("native"),
              llvm::cl::desc("CPU to make code for: native, x86-64-v3, "
                             "x86-64-v4, aarch64"));

llvm::cl::opt<bool>
    eraseDims("onnx-erase-dims", llvm::cl::init(false),
              llvm::cl::desc("Take every dim of an ONNX model's inputs as "
                             "unknown"));

/// Lowers `module` to LLVM's dialect.
LogicalResult lower(ModuleOp module, ingot::TargetInfo &target) {
  std::string error;
  std::optional<ingot::TargetInfo> found =
      ingot::lookupTarget(targetCpu, error);
  if (!found)
    return module.emitError(error);
  target = *found;
  PassManager passes(module.getContext());
  ingot::buildStagesPipeline(passes);
  ingot::buildCpuPipeline(passes, target);
  ingot::buildLlvmPipeline(passes);
  return passes.run(module);
}

LogicalResult printLlvmIr(ModuleOp module, raw_ostream &out) {
  ingot::TargetInfo target;
  if (failed(lower(module, target)))
    return failure();
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> llvmModule = ingot::translateToLlvmIr(
      module, context, target, ingot::imageExports(module));
  if (!llvmModule)
    return failure();
  ingot::optimizeLlvmIr(*llvmModule);
  out << *llvmModule;
  return success();
}

LogicalResult writeImage(ModuleOp module, raw_ostream &out) {
  ingot::TargetInfo target;
  if (failed(lower(module, target)))
    return failure();
  FailureOr<SmallVector<char, 0>> image =
      ingot::compileImage(module, target, ingot::imageExports(module));
  if (failed(image))
    return failure();
  out << StringRef(image->data(), image->size());
  return success();
}

} // namespace

int main(int argc, char **argv) {
  ingot::registerOnnxTranslation([] {
    ingot::OnnxImportOptions options;
    options.eraseDims = eraseDims;
    return options;
  });
  TranslateFromMLIRRegistration toLlvmIr(
      "ingot-to-llvmir", "Compile a module of linalg and ingot ops to LLVM IR",
      [](ModuleOp module, raw_ostream &out) {
        return printLlvmIr(module, out);
      },
      ingot::registerDialects);
  TranslateFromMLIRRegistration toImage(
      "ingot-to-image",
      "Compile a module of linalg and ingot ops to a linked image",
      [](ModuleOp module, raw_ostream &out) { return writeImage(module, out); },
      ingot::registerDialects);
  return failed(mlirTranslateMain(argc, argv, "Ingot's translations\n")) ? 1
                                                                         : 0;
}
