//===- Import.cpp - ONNX file to ingot dialect ----------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Import/Onnx/Import.h"

#include "Decider.h"
#include "dialects/Ingot/IR/IngotOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/Support/SourceMgr.h"

using namespace llvm;
using namespace mlir;

namespace ingot {

static OwningOpRef<ModuleOp> import(onnxin::ModelFile &file,
                                    MLIRContext *context,
                                    const OnnxImportOptions &options,
                                    std::vector<ImportError> &list) {
  context->loadDialect<IngotDialect, func::FuncDialect, arith::ArithDialect,
                       tensor::TensorDialect>();
  return onnxin::importPrograms(file, context, options, list);
}

OwningOpRef<ModuleOp> importOnnxFile(StringRef path, MLIRContext *context,
                                     const OnnxImportOptions &options,
                                     std::vector<ImportError> &errors) {
  std::string error;
  std::unique_ptr<onnxin::ModelFile> file =
      onnxin::ModelFile::open(path, error);
  if (!file) {
    onnxin::Errors(errors).add("", error);
    return nullptr;
  }
  return import(*file, context, options, errors);
}

OwningOpRef<ModuleOp> importOnnxBuffer(std::unique_ptr<MemoryBuffer> buffer,
                                       StringRef path, MLIRContext *context,
                                       const OnnxImportOptions &options,
                                       std::vector<ImportError> &errors) {
  std::string error;
  std::unique_ptr<onnxin::ModelFile> file =
      onnxin::ModelFile::parse(std::move(buffer), path, error);
  if (!file) {
    onnxin::Errors(errors).add("", error);
    return nullptr;
  }
  return import(*file, context, options, errors);
}

void registerOnnxTranslation(std::function<OnnxImportOptions()> readOptions) {
  static TranslateToMLIRRegistration registration(
      "onnx-to-ingot", "import an ONNX file as a module in the ingot dialect",
      [readOptions = std::move(readOptions)](
          const std::shared_ptr<SourceMgr> &sources,
          MLIRContext *context) -> OwningOpRef<Operation *> {
        const MemoryBuffer *buffer =
            sources->getMemoryBuffer(sources->getMainFileID());
        StringRef path = buffer->getBufferIdentifier();
        OnnxImportOptions options;
        if (readOptions)
          options = readOptions();
        std::vector<ImportError> errors;
        // Read again by name, so that external data is found beside it.
        OwningOpRef<ModuleOp> module =
            path == "<stdin>"
                ? importOnnxBuffer(MemoryBuffer::getMemBufferCopy(
                                       buffer->getBuffer(), "model.onnx"),
                                   "", context, options, errors)
                : importOnnxFile(path, context, options, errors);
        for (const ImportError &error : errors)
          emitError(UnknownLoc::get(context)) << error.str();
        return OwningOpRef<Operation *>(module ? module.release().getOperation()
                                               : nullptr);
      },
      [](DialectRegistry &registry) {
        registry.insert<IngotDialect, func::FuncDialect, arith::ArithDialect,
                        tensor::TensorDialect>();
      });
}

} // namespace ingot
