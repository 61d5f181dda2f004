//===- ManifestBuilder.cpp - what an artifact says of its program ---------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Driver/ManifestBuilder.h"

#include "dialects/Ingot/IR/IngotOps.h"
#include "ingot/Analysis/ShapeAnalysis.h"
#include "ingot/Conversion/MegaToCpu/TileCosts.h"
#include "ingot/Transforms/Decoder.h"
#include "ingot/Transforms/Entries.h"
#include "lib/Conversion/MegaToCpu/Program.h"

#include "llvm/ADT/MapVector.h"

using namespace mlir;

namespace ingot {

namespace {

std::optional<rt::DType> dtypeOf(Type type) {
  if (type.isF32())
    return rt::DType::F32;
  if (type.isF64())
    return rt::DType::F64;
  if (type.isF16())
    return rt::DType::F16;
  if (type.isBF16())
    return rt::DType::BF16;
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer)
    return std::nullopt;
  bool isUnsigned = integer.isUnsigned();
  switch (integer.getWidth()) {
  case 1:
    return rt::DType::Bool;
  case 2:
    return isUnsigned ? rt::DType::U2 : rt::DType::I2;
  case 4:
    return isUnsigned ? rt::DType::U4 : rt::DType::I4;
  case 8:
    return isUnsigned ? rt::DType::U8 : rt::DType::I8;
  case 16:
    return isUnsigned ? rt::DType::U16 : rt::DType::I16;
  case 32:
    return isUnsigned ? rt::DType::U32 : rt::DType::I32;
  case 64:
    return isUnsigned ? rt::DType::U64 : rt::DType::I64;
  default:
    return std::nullopt;
  }
}

rt::Dim dimOf(const DimExpr &expr) {
  if (std::optional<int64_t> value = expr.getConstant())
    return rt::Dim::fixed(*value);
  return rt::Dim::symbolic(expr.str());
}

/// Describes one argument or result by its type and attributes.
std::optional<rt::TensorInfo> describe(Type type, DictionaryAttr attrs,
                                       const std::string &fallbackName) {
  rt::TensorInfo info;
  auto get = [&](StringRef name) {
    return attrs ? attrs.get(name) : Attribute();
  };
  auto name = dyn_cast_or_null<StringAttr>(get(nameAttrName));
  info.name = name ? name.str() : fallbackName;
  auto tensor = dyn_cast<ShapedType>(type);
  if (!tensor || !tensor.hasRank())
    return std::nullopt;
  Type element = tensor.getElementType();
  if (auto model = dyn_cast_or_null<TypeAttr>(get("ingot.type")))
    element = model.getValue();
  std::optional<rt::DType> dtype = dtypeOf(element);
  if (!dtype)
    return std::nullopt;
  info.dtype = *dtype;
  DimShape dims;
  if (auto attr = dyn_cast_or_null<DimsAttr>(get(dimsAttrName)))
    dims = attr.getDims();
  for (int64_t i = 0; i < tensor.getRank(); ++i) {
    if (!tensor.isDynamicDim(i))
      info.dims.push_back(rt::Dim::fixed(tensor.getDimSize(i)));
    else if (size_t(i) < dims.size())
      info.dims.push_back(dimOf(dims[i]));
    else
      info.dims.push_back(rt::Dim::symbolic("?"));
  }
  return info;
}

std::string text(Attribute attr) {
  auto string = dyn_cast_or_null<StringAttr>(attr);
  return string ? string.str() : std::string();
}

uint64_t number(Attribute attr) {
  auto integer = dyn_cast_or_null<IntegerAttr>(attr);
  return integer ? integer.getInt() : 0;
}

/// Adds the inputs and outputs of one program.
LogicalResult describeTensors(func::FuncOp func,
                              std::vector<rt::TensorInfo> &inputs,
                              std::vector<rt::TensorInfo> &outputs) {
  for (auto [i, type] : llvm::enumerate(func.getArgumentTypes())) {
    // State is no input.
    if (isa<CacheType>(type))
      continue;
    auto info =
        describe(type, func.getArgAttrDict(i), "input" + std::to_string(i));
    if (!info)
      return func.emitError("unsupported type: input ") << i << " is " << type;
    inputs.push_back(std::move(*info));
  }
  for (auto [i, type] : llvm::enumerate(func.getResultTypes())) {
    auto info =
        describe(type, func.getResultAttrDict(i), "output" + std::to_string(i));
    if (!info)
      return func.emitError("unsupported type: output ") << i << " is " << type;
    outputs.push_back(std::move(*info));
  }
  return success();
}

/// What code generation says of stages.
/// The kernels of a stage whose tiles were chosen.
std::vector<rt::CutInfo> cutsOf(Attribute attr) {
  std::vector<rt::CutInfo> cuts;
  auto array = dyn_cast_or_null<ArrayAttr>(attr);
  if (!array)
    return cuts;
  for (auto cut : array.getAsRange<DictionaryAttr>()) {
    ArrayRef<int64_t> sizes =
        cut.getAs<DenseI64ArrayAttr>("sizes").asArrayRef();
    cuts.push_back(
        {text(cut.get("of")), Tile{sizes[0], sizes[1], sizes[2]}.str()});
  }
  return cuts;
}

std::vector<rt::StageInfo> stagesOf(Attribute attr) {
  std::vector<rt::StageInfo> stages;
  auto array = dyn_cast_or_null<ArrayAttr>(attr);
  if (!array)
    return stages;
  auto numbers = [](Attribute attr) -> std::vector<uint32_t> {
    auto list = dyn_cast_or_null<DenseI64ArrayAttr>(attr);
    return list ? std::vector<uint32_t>(list.asArrayRef().begin(),
                                        list.asArrayRef().end())
                : std::vector<uint32_t>();
  };
  for (auto stage : array.getAsRange<DictionaryAttr>())
    stages.push_back({text(stage.get("name")), text(stage.get("ops")),
                      text(stage.get("nodes")), text(stage.get("flops")),
                      text(stage.get("bytes")), text(stage.get("tiles")),
                      text(stage.get("sync")), numbers(stage.get("reads")),
                      numbers(stage.get("writes")),
                      stage.contains("times") ? number(stage.get("times")) : 1,
                      cutsOf(stage.get("cut"))});
  return stages;
}

/// What code generation says of the buffers between them.
std::vector<rt::BufferInfo> buffersOf(Attribute attr) {
  std::vector<rt::BufferInfo> buffers;
  auto array = dyn_cast_or_null<ArrayAttr>(attr);
  if (!array)
    return buffers;
  for (auto buffer : array.getAsRange<DictionaryAttr>())
    buffers.push_back({text(buffer.get("name")), text(buffer.get("offset")),
                       text(buffer.get("bytes")), bool(buffer.get("each"))});
  return buffers;
}

} // namespace

void describeOps(ModuleOp module, rt::Manifest &manifest) {
  llvm::MapVector<StringRef, uint64_t> counts;
  // Further entries are made of the same ops.
  if (auto main = module.lookupSymbol<func::FuncOp>(mainName))
    main.walk([&](Operation *op) {
      if (isa_and_nonnull<IngotDialect>(op->getDialect()) &&
          !isa<WeightRefOp, SizeOp, ConstantOp, FromDimsOp, CheckOp>(op))
        ++counts[op->getName().stripDialect()];
    });
  for (auto &[name, count] : counts)
    manifest.ops.push_back({name.str(), count});
}

/// What a host is told of outputs that two programs give: where dims differ,
/// both.
static void joinOutputs(std::vector<rt::TensorInfo> &outputs,
                        const std::vector<rt::TensorInfo> &others) {
  for (auto [output, other] : llvm::zip_equal(outputs, others))
    for (auto [dim, alternative] : llvm::zip_equal(output.dims, other.dims))
      if (dim.str() != alternative.str())
        dim = rt::Dim::symbolic(dim.str() + " or " + alternative.str());
}

LogicalResult describeSignature(ModuleOp module, rt::Manifest &manifest) {
  for (auto dim : module.getOps<DimOp>()) {
    rt::Symbol symbol{dim.getSymName().str(), int64_t(dim.getMin())};
    if (std::optional<uint64_t> max = dim.getMax())
      symbol.max = *max;
    manifest.symbols.push_back(std::move(symbol));
  }
  auto main = module.lookupSymbol<func::FuncOp>(mainName);
  if (!main)
    return module.emitError("has no function 'main'");
  if (failed(describeTensors(main, manifest.inputs, manifest.outputs)))
    return failure();
  for (auto func : module.getOps<func::FuncOp>()) {
    if (func == main || !func.isPublic() || func.isExternal())
      continue;
    rt::EntryInfo entry;
    entry.name = func.getSymName().str();
    entry.sizesSymbol = (sizesName + Twine("_") + entry.name).str();
    entry.entrySymbol = (entryName + Twine("_") + entry.name).str();
    // Its functions know every symbol of the module, too.
    entry.symbols = manifest.symbols;
    if (failed(describeTensors(func, entry.inputs, entry.outputs)))
      return failure();
    manifest.entries.push_back(std::move(entry));
  }
  if (auto decider = module->getAttrOfType<StringAttr>(deciderAttrName)) {
    manifest.decider = {decider.str(), otherwiseName.str()};
    auto entry = llvm::find_if(manifest.entries, [](const rt::EntryInfo &info) {
      return info.name == otherwiseName;
    });
    joinOutputs(manifest.outputs, entry->outputs);
  }
  return success();
}

/// Adds a program that was made as one as an entry.
static LogicalResult describeProgram(ModuleOp module, mega::ProgramOp program,
                                     rt::Manifest &manifest) {
  std::string name = program.getSymName().str();
  FailureOr<Program> known = Program::create(program, "_" + name);
  if (failed(known))
    return failure();
  rt::EntryInfo entry;
  entry.name = name;
  entry.sizesSymbol = (sizesName + known->suffix).str();
  entry.entrySymbol = (entryName + known->suffix).str();
  for (const SymbolInfo &symbol : known->symbols) {
    rt::Symbol info{symbol.name, symbol.min};
    if (symbol.max)
      info.max = *symbol.max;
    entry.symbols.push_back(std::move(info));
  }
  auto add = [&](unsigned argument, std::vector<rt::TensorInfo> &to) {
    std::optional<rt::TensorInfo> info =
        describe(program.getArgumentTypes()[argument],
                 program.getArgAttrDict(argument), "");
    to.push_back(std::move(*info));
  };
  for (auto [argument, dims] :
       llvm::zip_equal(known->inputs, known->inputDims)) {
    add(argument, entry.inputs);
    rt::TensorInfo &info = entry.inputs.back();
    for (auto [to, from] : llvm::zip_equal(info.dims, dims)) {
      to = dimOf(from);
      // A dim of its own is called after the input, unless the model has one of
      // that name.
      auto symbol = llvm::find_if(entry.symbols, [&](const rt::Symbol &s) {
        return s.name == to.text;
      });
      if (symbol != entry.symbols.end() &&
          !module.lookupSymbol<DimOp>(to.text) &&
          llvm::none_of(entry.symbols, [&](const rt::Symbol &s) {
            return s.name == info.name;
          }))
        to.text = symbol->name = info.name;
    }
  }
  for (unsigned argument : known->outputs)
    add(argument, entry.outputs);
  manifest.entries.push_back(std::move(entry));
  return success();
}

LogicalResult describeAddedPrograms(ModuleOp module, rt::Manifest &manifest) {
  for (StringRef name : {sampleEntryName, loopEntryName})
    if (auto program = module.lookupSymbol<mega::ProgramOp>(name))
      if (failed(describeProgram(module, program, manifest)))
        return failure();
  return success();
}

void describeState(ModuleOp module, rt::Manifest &manifest) {
  auto main = module.lookupSymbol<func::FuncOp>(mainName);
  auto names =
      main ? main->getAttrOfType<DictionaryAttr>(stateAttrName) : nullptr;
  if (!names)
    return;
  rt::StateInfo state;
  state.pagePositions = cachePagePositions;
  state.maxPositions = number(names.get("max_positions"));
  state.tokensInput = text(names.get("tokens"));
  state.pastInput = text(names.get("past"));
  state.countInput = text(names.get("count"));
  state.logitsOutput = text(names.get("logits"));
  state.boundInput = text(names.get("bound"));
  if (auto length = dyn_cast_or_null<DimsAttr>(names.get("bound_length")))
    state.boundLength = dimOf(length.getDims().front());
  if (auto replaced = dyn_cast_or_null<ArrayAttr>(names.get("replaced")))
    for (Attribute line : replaced)
      state.replaced.push_back(text(line));
  if (auto groups = module->getAttrOfType<ArrayAttr>(cacheGroupsAttrName))
    for (auto group : groups.getAsRange<DictionaryAttr>())
      state.groups.push_back({number(group.get("window")),
                              number(group.get("page_bytes")),
                              group.contains("bound")});
  for (auto [i, type] : llvm::enumerate(main.getArgumentTypes())) {
    auto cache = dyn_cast<CacheType>(type);
    if (!cache)
      continue;
    rt::CacheInfo info;
    info.name = text(main.getArgAttr(i, nameAttrName));
    info.group = number(main.getArgAttr(i, cacheGroupAttrName));
    info.heads = cache.getHeads();
    info.keyDepth = cache.getKeyDepth();
    info.valueDepth = cache.getValueDepth();
    info.dtype = dtypeOf(cache.getType()).value_or(rt::DType::F32);
    info.keyOffset = number(main.getArgAttr(i, keyOffsetAttrName));
    info.valueOffset = number(main.getArgAttr(i, valueOffsetAttrName));
    if (auto model =
            main.getArgAttrOfType<DictionaryAttr>(i, cacheNamesAttrName)) {
      info.keyInput = text(model.get("key_input"));
      info.valueInput = text(model.get("value_input"));
      info.keyOutput = text(model.get("key_output"));
      info.valueOutput = text(model.get("value_output"));
    }
    state.caches.push_back(std::move(info));
  }
  manifest.state = std::move(state);
}

void describeWeights(ModuleOp module, rt::Manifest &manifest) {
  for (auto weight : module.getOps<WeightOp>()) {
    auto place = weight->getAttrOfType<IntegerAttr>("ingot.place");
    if (!place)
      continue;
    auto type = cast<RankedTensorType>(weight.getType());
    rt::WeightInfo info;
    info.name = weight.getSymName().str();
    info.offset = place.getInt();
    info.size = weight.getLength();
    info.dtype = dtypeOf(type.getElementType()).value_or(rt::DType::U8);
    info.dims.assign(type.getShape().begin(), type.getShape().end());
    manifest.weights.push_back(std::move(info));
  }
}

void describeCode(ModuleOp module, const TargetInfo &target,
                  rt::Manifest &manifest) {
  manifest.triple = target.triple;
  manifest.cpuFeatures.assign(target.required.begin(), target.required.end());
  manifest.errors.assign(1, "");
  if (auto errors = module->getAttrOfType<ArrayAttr>("ingot.errors")) {
    manifest.errors.clear();
    for (Attribute message : errors)
      manifest.errors.push_back(text(message));
  }
  manifest.arena = text(module->getAttr(arenaAttrName));
  manifest.stages = stagesOf(module->getAttr(stagesAttrName));
  manifest.buffers = buffersOf(module->getAttr(buffersAttrName));
  auto entries = module->getAttrOfType<DictionaryAttr>(entriesAttrName);
  for (rt::EntryInfo &entry : manifest.entries) {
    auto known =
        entries ? entries.getAs<DictionaryAttr>(entry.name) : DictionaryAttr();
    if (!known)
      continue;
    entry.arena = text(known.get(arenaAttrName));
    entry.stages = stagesOf(known.get(stagesAttrName));
    entry.buffers = buffersOf(known.get(buffersAttrName));
  }
}

} // namespace ingot
