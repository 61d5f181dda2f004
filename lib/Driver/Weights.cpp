//===- Weights.cpp - what the artifact keeps of the model's weights -------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Driver/Weights.h"

#include "dialects/Ingot/IR/IngotOps.h"
#include "ingot/Transforms/Entries.h"
#include "runtime/core/Abi.h"

#include "llvm/Support/DynamicLibrary.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace ingot {

namespace {

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
  int64_t size() const { return int64_t(bytes); }

private:
  unsigned char *memory;
  size_t bytes;
};

} // namespace

WeightTable::WeightTable(ModuleOp module, ModuleOp functions) {
  llvm::StringMap<size_t> index;
  for (auto weight : module.getOps<WeightOp>()) {
    index[weight.getSymName()] = records.size();
    WeightRecord record{weight.getSymName().str(),
                        weight.getLoc(),
                        cast<RankedTensorType>(weight.getType()),
                        weight.getFile().str(),
                        weight.getOffset(),
                        weight.getLength(),
                        std::nullopt};
    if (auto place = weight->getAttrOfType<IntegerAttr>("ingot.place"))
      record.place = place.getInt();
    records.push_back(std::move(record));
  }
  if (auto bytes = module->getAttrOfType<IntegerAttr>("ingot.weights_bytes"))
    sectionBytes = bytes.getInt();
  auto list =
      functions ? functions->getAttrOfType<ArrayAttr>(callsAttrName) : nullptr;
  if (!list)
    return;
  auto indicesOf = [&](Attribute attr) {
    std::vector<size_t> indices;
    for (auto symbol : cast<ArrayAttr>(attr).getAsRange<FlatSymbolRefAttr>())
      indices.push_back(index.lookup(symbol.getValue()));
    return indices;
  };
  for (auto call : list.getAsRange<DictionaryAttr>()) {
    llvm::StringRef name = call.getAs<FlatSymbolRefAttr>("function").getValue();
    std::string suffix = name == mainName ? "" : "_" + name.str();
    calls.push_back({sizesName.str() + suffix, entryName.str() + suffix,
                     indicesOf(call.get("inputs")),
                     indicesOf(call.get("outputs"))});
  }
}

/// A weight's bytes in its file; fails with an error at the weight.
static FailureOr<llvm::StringRef> bytesOf(const WeightRecord &weight,
                                          WeightFiles &files) {
  std::string error;
  if (std::optional<llvm::StringRef> data =
          files.bytes(weight.file, weight.offset, weight.length, error))
    return *data;
  return emitError(weight.loc) << "weight '" << weight.name << "': " << error;
}

LogicalResult copyWeights(const WeightTable &table, WeightFiles &files,
                          std::span<unsigned char> section,
                          llvm::function_ref<void(double)> report) {
  for (auto [i, weight] : llvm::enumerate(table.records)) {
    if (!weight.place || weight.file.empty())
      continue;
    FailureOr<llvm::StringRef> data = bytesOf(weight, files);
    if (failed(data))
      return failure();
    memcpy(section.data() + *weight.place, data->data(), data->size());
    report(double(i + 1) / double(table.records.size()));
  }
  return success();
}

namespace {

/// The image of the weight functions, as a library of this process.
class FunctionImage {
public:
  FunctionImage(Location loc, std::span<unsigned char> section)
      : loc(loc), section(section) {}
  ~FunctionImage() {
    if (library.isValid())
      llvm::sys::DynamicLibrary::closeLibrary(library);
  }

  LogicalResult load(llvm::ArrayRef<char> image) {
    llvm::SmallString<128> path;
    int fd = -1;
    if (std::error_code code =
            llvm::sys::fs::createTemporaryFile("ingot-weights", "so", fd, path))
      return emitError(loc, "cannot create a temporary file: ")
             << code.message();
    llvm::FileRemover remover(path);
    {
      llvm::raw_fd_ostream stream(fd, /*shouldClose=*/true);
      stream.write(image.data(), image.size());
    }
    std::string error;
    library = llvm::sys::DynamicLibrary::getLibrary(path.c_str(), &error);
    if (!library.isValid())
      return emitError(loc, "cannot load the weight functions: ") << error;
    return success();
  }

  LogicalResult run(const WeightTable &table, const WeightCall &call,
                    WeightFiles &files) {
    std::vector<void *> inputs, outputs;
    std::vector<int64_t> inDims;
    size_t numOutDims = 0;
    for (size_t i : call.inputs) {
      const WeightRecord &weight = table.records[i];
      FailureOr<llvm::StringRef> data = bytesOf(weight, files);
      if (failed(data))
        return failure();
      inputs.push_back(const_cast<char *>(data->data()));
      llvm::append_range(inDims, weight.type.getShape());
    }
    for (size_t i : call.outputs) {
      const WeightRecord &weight = table.records[i];
      if (!weight.place)
        return emitError(weight.loc)
               << "weight '" << weight.name << "' has no place";
      outputs.push_back(section.data() + *weight.place);
      numOutDims += weight.type.getRank();
    }
    auto sizes = reinterpret_cast<IngotSizesFn>(
        library.getAddressOfSymbol(call.sizesSymbol.c_str()));
    auto entry = reinterpret_cast<IngotEntryFn>(
        library.getAddressOfSymbol(call.entrySymbol.c_str()));
    if (!sizes || !entry)
      return emitError(loc, "the image lacks the weight function '")
             << call.entrySymbol << "'";

    // One worker: the other processor is better used by code generation, and
    // nobody waits at a barrier.
    constexpr int64_t workers = 1;
    std::vector<int64_t> symbolValues(1), outDims(numOutDims + 1);
    int64_t arenaBytes = 0;
    if (sizes(inDims.data(), workers, symbolValues.data(), outDims.data(),
              &arenaBytes) != 0)
      return emitError(loc, "the weight functions refuse the weights");
    if (!arena || arenaBytes > arena->size())
      arena.emplace(arenaBytes);
    alignas(64) int64_t barrier[8] = {};
    int32_t failed = 0;
    IngotContext context{};
    context.inputs = inputs.data();
    context.outputs = outputs.data();
    context.weights = section.data();
    context.arena = arena->get();
    context.symbols = symbolValues.data();
    context.barrier = barrier;
    context.error = &failed;
    context.relax = [](IngotContext *) {};
    entry(&context, 0, workers);
    if (failed != 0)
      return emitError(loc, "a check failed while weights were computed");
    return success();
  }

private:
  Location loc;
  std::span<unsigned char> section;
  llvm::sys::DynamicLibrary library;
  std::optional<Arena> arena;
};

} // namespace

LogicalResult runWeightFunctions(const WeightTable &table, Location loc,
                                 llvm::ArrayRef<char> image, WeightFiles &files,
                                 std::span<unsigned char> section) {
  FunctionImage functions(loc, section);
  if (failed(functions.load(image)))
    return failure();
  for (const WeightCall &call : table.calls)
    if (failed(functions.run(table, call, files)))
      return failure();
  return success();
}

} // namespace ingot
