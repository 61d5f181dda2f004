//===- Importer.cpp - turns a flat graph into a module --------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Importer.h"
#include "Counting.h"

#include "Registry.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using namespace mlir;
using onnx::TensorProto;

namespace ingot::onnxin {

/// Branches of constant conditions nest no deeper than this.
static constexpr unsigned kMaxBranchDepth = 32;

/// Initializers of at most this many elements are constants in the IR.
static constexpr int64_t kMaxConstant = 64;

Importer::Importer(ModelFile &file, Graph &graph,
                   const OnnxImportOptions &options, Errors &errors,
                   MLIRContext *context, const Assumption *assumption)
    : file(file), graph(graph), options(options), errors(errors),
      assumption(assumption),
      module(ModuleOp::create(UnknownLoc::get(context))), symbols(*module),
      emit(OpBuilder(context)) {}

OwningOpRef<ModuleOp> Importer::run() {
  checkSupport();
  tensors.resize(graph.names.size());
  bool inputsKnown = importInputs();
  importInitializers(0);
  if (inputsKnown)
    importNodes(graph.nodes);
  if (!errors.empty() || !decider.empty())
    return nullptr;
  importOutputs();
  if (!errors.empty())
    return nullptr;
  if (!verifyModule())
    return nullptr;
  return std::move(module);
}

/// What the dialect refuses is an error of the node it came from.
bool Importer::verifyModule() {
  ScopedDiagnosticHandler handler(context(), [&](Diagnostic &diagnostic) {
    StringRef node;
    if (auto name = dyn_cast<NameLoc>(diagnostic.getLocation()))
      node = name.getName();
    errors.add("", diagnostic.str(), node);
    return success();
  });
  bool valid = succeeded(verify(*module));
  if (!valid && errors.empty())
    errors.add("", "the imported module is not valid");
  return valid;
}

/// Reports everything that no handler exists for, before any work is done.
void Importer::checkSupport() {
  const Registry &registry = Registry::get();
  bool newestReported = false;
  for (const Node &node : graph.nodes) {
    StringRef domain = node.domain.empty() ? "ai.onnx" : node.domain;
    const auto *entries = registry.find(node.domain, node.op);
    if (!entries) {
      errors.add(kUnsupportedOp,
                 node.domain.empty() ? node.op.str()
                                     : (node.domain + "." + node.op).str(),
                 node.name);
      continue;
    }
    if (node.domain.empty() && node.opset > kNewestOpset) {
      if (!newestReported)
        errors.add(kUnsupportedOpset, domain + " " + Twine(node.opset) +
                                          " (up to " + Twine(kNewestOpset) +
                                          ")");
      newestReported = true;
    } else if (node.domain.empty() && node.opset <= 0) {
      errors.add("", "the model imports no version of " + domain, node.name);
    } else if (!Registry::select(*entries, std::max<int64_t>(node.opset, 1))) {
      errors.add(kUnsupportedOpset,
                 node.op + " of " + domain + " " + Twine(node.opset) +
                     " (from " + Twine(entries->front().since) + ")",
                 node.name);
    }
  }
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

Type elementTypeFor(int dtype, MLIRContext *context) {
  Builder b(context);
  switch (dtype) {
  case TensorProto::FLOAT:
    return b.getF32Type();
  case TensorProto::DOUBLE:
    return b.getF64Type();
  case TensorProto::FLOAT16:
    return b.getF16Type();
  case TensorProto::BFLOAT16:
    return b.getBF16Type();
  case TensorProto::BOOL:
    return b.getI1Type();
  case TensorProto::INT8:
    return b.getIntegerType(8);
  case TensorProto::INT16:
    return b.getIntegerType(16);
  case TensorProto::INT32:
    return b.getIntegerType(32);
  case TensorProto::INT64:
    return b.getIntegerType(64);
  case TensorProto::INT4:
    return b.getIntegerType(4);
  case TensorProto::INT2:
    return b.getIntegerType(2);
  case TensorProto::UINT2:
    return b.getIntegerType(2, false);
  case TensorProto::UINT4:
    return b.getIntegerType(4, false);
  case TensorProto::UINT8:
    return b.getIntegerType(8, false);
  case TensorProto::UINT16:
    return b.getIntegerType(16, false);
  case TensorProto::UINT32:
    return b.getIntegerType(32, false);
  case TensorProto::UINT64:
    return b.getIntegerType(64, false);
  default:
    return nullptr;
  }
}

bool Importer::readTensor(const TensorProto &proto, StringRef where,
                          Tensor &tensor) {
  std::string what = (where + " '" + proto.name() + "'").str();
  tensor.bad = true;
  if (proto.data_type() == TensorProto::STRING) {
    errors.add(kUnsupportedType, "string " + what);
    return false;
  }
  tensor.type = elementTypeFor(proto.data_type(), context());
  if (!tensor.type) {
    errors.add(kUnsupportedDtype, dtypeName(proto.data_type()) + " " + what);
    return false;
  }
  auto data = std::make_shared<TensorData>();
  std::string error;
  if (!file.resolve(proto, *data, error)) {
    errors.add("", error);
    return false;
  }
  tensor.bad = false;
  for (int64_t extent : data->dims)
    tensor.dims.push_back(DimExpr::constant(extent));
  tensor.contents = contentsOf(*data);
  tensor.data = std::move(data);
  return true;
}

void Importer::importInitializers(size_t from) {
  for (size_t i = from; i != graph.initializers.size(); ++i) {
    auto [id, proto] = graph.initializers[i];
    readTensor(*proto, "initializer", tensors[id]);
  }
}

const Contents *Importer::contents(ValueId id) {
  return tensors[id].contents.get();
}

Value Importer::materialize(ValueId id) {
  Tensor &known = tensors[id];
  if (!known.value)
    known.value = materialize(known, graph.names[id]);
  return known.value;
}

Value Importer::materialize(Tensor &known, StringRef name) {
  if (known.value)
    return known.value;
  if (known.data)
    return materializeData(*known.data, known.type, name);
  if (known.contents)
    return materializeContents(*known.contents, known.type);
  return {};
}

Value Importer::materializeWeight(StringRef path, uint64_t offset,
                                  uint64_t length, RankedTensorType type,
                                  StringRef name) {
  // Before the function, in the order in which the program needs them.
  OpBuilder weights(function);
  // Bytes that several names share are one weight.
  Value &known = weightsAt[{path.str(), offset, type.getAsOpaquePointer()}];
  if (known)
    return known;
  // Symbols of dims share the module's table.
  std::string symbol = name.empty() ? "weight" : name.str();
  while (usedSymbols.contains(symbol))
    symbol += "_weight";
  auto weight =
      WeightOp::create(weights, emit.loc, symbol, type, path, offset, length);
  symbols.insert(weight);
  auto ref = WeightRefOp::create(emit.builder, emit.loc, type,
                                 FlatSymbolRefAttr::get(weight));
  DimShape dims;
  for (int64_t extent : type.getShape())
    dims.push_back(DimExpr::constant(extent));
  emit.setDims(ref.getResult(), dims);
  return known = ref.getResult();
}

Value Importer::viewBytes(ValueId id, Type type, ArrayRef<int64_t> dims) {
  const Tensor &tensor = tensors[id];
  auto shaped = RankedTensorType::get(dims, type);
  if (tensor.data) {
    TensorData view = *tensor.data;
    view.dims.assign(dims.begin(), dims.end());
    view.elements = shaped.getNumElements();
    return materializeData(view, type, graph.names[id]);
  }
  Value value = tensor.value;
  while (value)
    if (auto reshape = value.getDefiningOp<ReshapeOp>())
      value = reshape.getX();
    else
      break;
  auto ref = value ? value.getDefiningOp<WeightRefOp>() : WeightRefOp();
  if (!ref)
    return {};
  auto weight = symbols.lookup<WeightOp>(ref.getWeight());
  return materializeWeight(weight.getFile(), weight.getOffset(),
                           weight.getLength(), shaped, ref.getWeight());
}

Value Importer::materializeData(const TensorData &data, Type type,
                                StringRef name) {
  auto shaped = RankedTensorType::get(data.dims, type);
  if (data.elements > kMaxConstant)
    if (Value computed = materializeCounting(emit, data, type))
      return computed;
  if (data.elements > kMaxConstant && !data.file.empty()) {
    SmallString<128> path(sys::path::parent_path(file.path()));
    sys::path::append(path, data.file);
    return materializeWeight(path, data.offset, data.bytes.size(), shaped,
                             name);
  }
  if (unsigned width = type.getIntOrFloatBitWidth(); width > 1 && width < 8) {
    SmallVector<APInt> codes;
    for (int64_t i = 0; i != data.elements; ++i)
      codes.push_back(packedElement(data.bytes, i, width));
    return emit.constant(DenseElementsAttr::get(shaped, codes));
  }
  if (type.isInteger(1)) {
    SmallVector<bool> bits;
    for (char byte : data.bytes)
      bits.push_back(byte != 0);
    return emit.constant(DenseElementsAttr::get(shaped, bits));
  }
  return emit.constant(DenseElementsAttr::getFromRawBuffer(shaped, data.bytes));
}

Value Importer::materializeContents(const Contents &contents, Type type) {
  bool fixed = all_of(contents.numbers, [](const Number &number) {
    return number.num.isConstant();
  });
  if (fixed) {
    auto shaped = RankedTensorType::get(contents.shape, type);
    SmallVector<mlir::Attribute> elements;
    for (const Number &number : contents.numbers) {
      int64_t value = *number.num.getConstant();
      if (isa<FloatType>(type))
        elements.push_back(
            emit.builder.getFloatAttr(type, double(value) / number.den));
      else
        elements.push_back(IntegerAttr::get(
            type, APInt(type.getIntOrFloatBitWidth(), uint64_t(value),
                        /*isSigned=*/true, /*implicitTrunc=*/true)));
    }
    return emit.constant(DenseElementsAttr::get(shaped, elements));
  }
  SmallVector<DimExpr> numerators;
  bool whole = true;
  for (const Number &number : contents.numbers) {
    numerators.push_back(number.num);
    whole &= number.den == 1;
  }
  Value value = emit.fromDims(numerators, contents.shape.empty());
  if (contents.shape.size() > 1) {
    DimShape shape;
    for (int64_t extent : contents.shape)
      shape.push_back(DimExpr::constant(extent));
    value = emit.reshape(value, shape);
  }
  value = emit.cast(value, type);
  if (whole)
    return value;
  Contents divisors;
  divisors.shape = contents.shape;
  for (const Number &number : contents.numbers)
    divisors.numbers.push_back(Number::of(number.den));
  return emit.div(value, materializeContents(divisors, type));
}

void Importer::define(ValueId id, Tensor tensor) {
  tensors[id] = std::move(tensor);
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

void Importer::importNodes(ArrayRef<Node> nodes) {
  for (const Node &node : nodes)
    importNode(node);
}

void Importer::importNode(const Node &node) {
  auto poison = [&] {
    for (ValueId id : node.outputs)
      if (id != kAbsent)
        tensors[id].bad = true;
  };
  const auto *entries = Registry::get().find(node.domain, node.op);
  Handler handler =
      entries ? Registry::select(*entries, std::max<int64_t>(node.opset, 1))
              : nullptr;
  bool ready = handler != nullptr;
  for (ValueId id : node.inputs)
    ready &= id == kAbsent || !tensors[id].bad;
  for (ValueId id : node.captured)
    ready &= id == kAbsent || !tensors[id].bad;
  // What went wrong before was reported there.
  if (!ready)
    return poison();
  if (++imported > options.maxOps) {
    if (imported == options.maxOps + 1)
      errors.add("",
                 "the model has more than " + Twine(options.maxOps) + " nodes");
    return poison();
  }

  At at(emit, NameLoc::get(StringAttr::get(context(), node.name)));
  emit.why.clear();
  NodeContext nodeContext(*this, node);
  if (!evaluateContents(nodeContext)) {
    handler(nodeContext);
    if (!nodeContext.failed())
      nodeContext.checkAttributes();
  }
  if (nodeContext.failed())
    return poison();
  for (ValueId id : node.outputs) {
    if (id == kAbsent)
      continue;
    Tensor &made = tensors[id];
    if (made.bad)
      continue;
    if (!made.type) {
      nodeContext.unsupported(kUnsupportedAttribute,
                              "output '" + graph.names[id] + "' of " + node.op);
      made.bad = true;
      continue;
    }
  }
  passDecider(node);
}

bool Importer::importBranch(const onnx::GraphProto &body, const Node &node,
                            SmallVectorImpl<ValueId> &results) {
  if (branchDepth >= kMaxBranchDepth) {
    errors.add(kSubgraph, "nested too deeply", node.name);
    return false;
  }
  size_t before = errors.recorded();
  size_t initializers = graph.initializers.size();
  std::vector<Node> nodes;
  if (!expandSubgraph(graph, file.model(), body, *node.scope, options.maxOps,
                      errors, nodes, results))
    return false;
  tensors.resize(graph.names.size());
  importInitializers(initializers);
  ++branchDepth;
  for (const Node &inner : nodes) {
    if (!Registry::get().find(inner.domain, inner.op))
      errors.add(kUnsupportedOp, inner.op, inner.name);
    importNode(inner);
  }
  --branchDepth;
  return errors.recorded() == before;
}

} // namespace ingot::onnxin
