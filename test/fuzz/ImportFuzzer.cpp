//===- ImportFuzzer.cpp - ONNX files from strangers -----------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Imports damaged models: each is refused with a reason or becomes a module
// that verifies.
#include "dialects/Ingot/IR/IngotDialect.h"
#include "ingot/Import/Onnx/Import.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Verifier.h"

#include <cstdio>
#include <cstdlib>

using namespace ingot;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  mlir::DialectRegistry registry;
  registry.insert<IngotDialect, mlir::arith::ArithDialect,
                  mlir::func::FuncDialect, mlir::tensor::TensorDialect>();
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  context.getDiagEngine().registerHandler([](mlir::Diagnostic &) {});

  auto bytes = llvm::MemoryBuffer::getMemBufferCopy(
      llvm::StringRef(reinterpret_cast<const char *>(data), size));
  OnnxImportOptions options;
  options.maxOps = 10'000;
  std::vector<ImportError> errors;
  auto module = importOnnxBuffer(std::move(bytes), "fuzzed.onnx", &context,
                                 options, errors);
  bool consistent =
      module ? mlir::succeeded(mlir::verify(*module)) : !errors.empty();
  if (!consistent) {
    std::fputs(module ? "the imported module does not verify\n"
                      : "refused without a reason\n",
               stderr);
    std::abort();
  }
  return 0;
}
