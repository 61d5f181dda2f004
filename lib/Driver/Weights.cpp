//===- Weights.cpp - what the artifact keeps of the model's weights -------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Driver/Weights.h"

#include "dialects/Ingot/IR/IngotOps.h"
#include "runtime/core/Abi.h"

#include "llvm/Support/DynamicLibrary.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/raw_ostream.h"

#include <thread>

using namespace mlir;

namespace ingot {

namespace {

constexpr llvm::StringLiteral placeAttrName = "ingot.place";

int64_t placeOf(WeightOp weight) {
  return weight->getAttrOfType<IntegerAttr>(placeAttrName).getInt();
}

/// Aligned memory of any size.
class Arena {
public:
  explicit Arena(size_t bytes)
      : memory(static_cast<unsigned char *>(
            llvm::allocate_buffer(std::max<size_t>(bytes, 1), 64))),
        bytes(std::max<size_t>(bytes, 1)) {}
  ~Arena() { llvm::deallocate_buffer(memory, bytes, 64); }
  Arena(const Arena &) = delete;
  Arena &operator=(const Arena &) = delete;
  unsigned char *get() const { return memory; }

private:
  unsigned char *memory;
  size_t bytes;
};

} // namespace

std::optional<llvm::StringRef> WeightFiles::bytes(llvm::StringRef file,
                                                  uint64_t offset,
                                                  uint64_t length,
                                                  std::string &error) {
  std::unique_ptr<llvm::MemoryBuffer> &buffer = files[file];
  if (!buffer) {
    auto opened = llvm::MemoryBuffer::getFile(file, /*IsText=*/false,
                                              /*RequiresNullTerminator=*/false);
    if (!opened) {
      error = ("cannot read '" + file + "': " + opened.getError().message())
                  .str();
      return std::nullopt;
    }
    buffer = std::move(*opened);
  }
  if (offset > buffer->getBufferSize() ||
      length > buffer->getBufferSize() - offset) {
    error = ("'" + file + "' is too short").str();
    return std::nullopt;
  }
  return buffer->getBuffer().substr(offset, length);
}

LogicalResult copyWeights(ModuleOp module, WeightFiles &files,
                          std::span<unsigned char> section) {
  for (auto weight : module.getOps<WeightOp>()) {
    if (!weight->hasAttr(placeAttrName) || weight.getFile().empty())
      continue;
    std::string error;
    std::optional<llvm::StringRef> data = files.bytes(
        weight.getFile(), weight.getOffset(), weight.getLength(), error);
    if (!data)
      return weight.emitError("weight '")
             << weight.getSymName() << "': " << error;
    memcpy(section.data() + placeOf(weight), data->data(), data->size());
  }
  return success();
}

WeightFunctions::WeightFunctions(ModuleOp nested) {
  auto main = nested.lookupSymbol<func::FuncOp>("main");
  auto nameOf = [](Attribute attr) {
    return cast<FlatSymbolRefAttr>(attr).getValue().str();
  };
  for (unsigned i = 0; i < main.getNumArguments(); ++i)
    inputs.push_back(nameOf(main.getArgAttr(i, "ingot.weight")));
  for (unsigned i = 0; i < main.getNumResults(); ++i)
    outputs.push_back(nameOf(main.getResultAttr(i, "ingot.weight")));
}

LogicalResult runWeightFunctions(ModuleOp module,
                                 const WeightFunctions &functions,
                                 llvm::ArrayRef<char> image, WeightFiles &files,
                                 std::span<unsigned char> section) {
  SymbolTable symbols(module);
  std::vector<void *> inputs, outputs;
  std::vector<int64_t> inDims;
  size_t numOutDims = 0;
  for (const std::string &name : functions.inputs) {
    auto weight = symbols.lookup<WeightOp>(name);
    std::string error;
    std::optional<llvm::StringRef> data = files.bytes(
        weight.getFile(), weight.getOffset(), weight.getLength(), error);
    if (!data)
      return weight.emitError("weight '") << name << "': " << error;
    inputs.push_back(const_cast<char *>(data->data()));
    llvm::append_range(inDims, cast<ShapedType>(weight.getType()).getShape());
  }
  for (const std::string &name : functions.outputs) {
    auto weight = symbols.lookup<WeightOp>(name);
    if (!weight->hasAttr(placeAttrName))
      return weight.emitError("has no place");
    outputs.push_back(section.data() + placeOf(weight));
    numOutDims += cast<ShapedType>(weight.getType()).getRank();
  }

  llvm::SmallString<128> path;
  int fd = -1;
  if (std::error_code code =
          llvm::sys::fs::createTemporaryFile("ingot-weights", "so", fd, path))
    return module.emitError("cannot create a temporary file: ")
           << code.message();
  llvm::FileRemover remover(path);
  {
    llvm::raw_fd_ostream stream(fd, /*shouldClose=*/true);
    stream.write(image.data(), image.size());
  }
  std::string error;
  llvm::sys::DynamicLibrary library =
      llvm::sys::DynamicLibrary::getLibrary(path.c_str(), &error);
  if (!library.isValid())
    return module.emitError("cannot load the weight functions: ") << error;
  auto sizes = reinterpret_cast<IngotSizesFn>(
      library.getAddressOfSymbol("ingot_sizes"));
  auto entry = reinterpret_cast<IngotEntryFn>(
      library.getAddressOfSymbol("ingot_entry"));

  constexpr int64_t workers = 2;
  std::vector<int64_t> symbolValues(1), outDims(numOutDims + 1);
  int64_t arenaBytes = 0;
  int32_t status = sizes(inDims.data(), workers, symbolValues.data(),
                         outDims.data(), &arenaBytes);
  if (status != 0)
    return module.emitError("the weight functions refuse the weights");
  Arena arena(arenaBytes);
  alignas(64) int64_t barrier[8] = {};
  int32_t failed = 0;
  IngotContext context{};
  context.inputs = inputs.data();
  context.outputs = outputs.data();
  context.weights = section.data();
  context.arena = arena.get();
  context.symbols = symbolValues.data();
  context.barrier = barrier;
  context.error = &failed;
  context.relax = [](IngotContext *) { std::this_thread::yield(); };
  std::thread other([&] { entry(&context, 1, workers); });
  entry(&context, 0, workers);
  other.join();
  llvm::sys::DynamicLibrary::closeLibrary(library);
  if (failed != 0)
    return module.emitError("a check failed while weights were computed");
  return success();
}

} // namespace ingot
