//===- Decider.cpp - programs for the values of an input ------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Results of the two branches of an `If` may have dims that have nothing to do
// with each other. Where the condition is an input of the model, or follows
// from one, the model is therefore imported twice, with either value as a
// constant, and whoever runs it looks at the input. What the programs have in
// common, weights above all, later passes find out.
//
//===----------------------------------------------------------------------===//
#include "Decider.h"

#include "Evaluate.h"
#include "Importer.h"
#include "ingot/Transforms/Entries.h"

#include "llvm/ADT/StringSwitch.h"

#include <map>

using namespace llvm;
using namespace mlir;

namespace ingot::onnxin {

//===----------------------------------------------------------------------===//
// What an input decides
//===----------------------------------------------------------------------===//

/// Called for every input: one of a single boolean may decide, the assumed one
/// is a constant.
void Importer::noteDecider(ValueId input) {
  Tensor &tensor = tensors[input];
  if (!tensor.type.isInteger(1))
    return;
  if (!assumption) {
    if (elementsOf(input) != Elements::Several)
      tensor.decider = input;
    return;
  }
  if (assumption->input != graph.names[input])
    return;
  auto contents = std::make_shared<Contents>();
  contents->shape.assign(tensor.dims.size(), 1);
  contents->numbers.push_back(Number::of(assumption->value));
  tensor.contents = std::move(contents);
  // Whoever wants it as data gets the constant.
  tensor.value = {};
}

/// What the file says of the number of an input's elements.
Importer::Elements Importer::elementsOf(ValueId input) {
  auto found =
      find_if(graph.inputs, [&](auto &it) { return it.first == input; });
  Elements result = Elements::One;
  for (const auto &dim : found->second->type().tensor_type().shape().dim())
    if (!dim.has_dim_value() || dim.dim_value() < 0)
      result = Elements::Unknown;
    else if (dim.dim_value() != 1)
      return Elements::Several;
  return result;
}

/// What is computed from one input and constants is decided by that input.
void Importer::passDecider(const Node &node) {
  if (assumption || !node.domain.empty() || node.outputs.size() != 1 ||
      node.outputs[0] == kAbsent || !canEvaluate(node.op))
    return;
  ValueId found = kAbsent;
  for (ValueId id : node.inputs) {
    if (id == kAbsent || tensors[id].contents)
      continue;
    ValueId other = tensors[id].decider;
    if (other == kAbsent || (found != kAbsent && found != other))
      return;
    found = other;
  }
  // A condition has one element: so has what it is merely another shape of.
  bool keepsNumber =
      llvm::StringSwitch<bool>(node.op)
          .Cases({"Cast", "Identity", "Not", "Reshape", "Squeeze", "Unsqueeze"},
                 true)
          .Default(false);
  if (found == kAbsent ||
      (!keepsNumber && elementsOf(found) == Elements::Unknown))
    return;
  if (!tensors[node.outputs[0]].contents)
    tensors[node.outputs[0]].decider = found;
}

bool Importer::isDecided(ValueId id) {
  ValueId input = tensors[id].decider;
  if (input == kAbsent)
    return false;
  if (decider.empty())
    decider = graph.names[input];
  return true;
}

//===----------------------------------------------------------------------===//
// Two programs in a module
//===----------------------------------------------------------------------===//

namespace {

/// The inputs of a program that nothing reads and whose dims are not numbers.
llvm::StringSet<> unreadInputs(ModuleOp module) {
  llvm::StringSet<> names;
  auto main = module.lookupSymbol<func::FuncOp>(mainName);
  for (BlockArgument argument : main.getArguments()) {
    unsigned index = argument.getArgNumber();
    auto dims = main.getArgAttrOfType<DimsAttr>(index, "ingot.dims");
    if (argument.use_empty() && any_of(dims.getDims(), [](const DimExpr &dim) {
          return !dim.isConstant();
        }))
      names.insert(
          main.getArgAttrOfType<StringAttr>(index, "ingot.name").getValue());
  }
  return names;
}

/// Adds to `taken` what `second` must not call its dims: names of weights of
/// `first`, and of its dims with other bounds. Whether one of them does.
bool meetDims(ModuleOp first, ModuleOp second, llvm::StringSet<> &taken) {
  bool meet = false;
  auto take = [&](StringRef name) {
    taken.insert(name);
    meet |= second.lookupSymbol<DimOp>(name) != nullptr;
  };
  for (auto weight : first.getOps<WeightOp>())
    take(weight.getSymName());
  for (auto dim : first.getOps<DimOp>()) {
    auto other = second.lookupSymbol<DimOp>(dim.getSymName());
    if (other && other.getMin() != dim.getMin())
      take(dim.getSymName());
  }
  return meet;
}

/// Moves the program of `second` into `first`, with what it needs. Weights of
/// the same bytes are one.
void join(ModuleOp first, ModuleOp second) {
  using Key = std::tuple<std::string, uint64_t, uint64_t, const void *>;
  auto keyOf = [](WeightOp weight) {
    return Key(weight.getFile().str(), weight.getOffset(), weight.getLength(),
               weight.getType().getAsOpaquePointer());
  };
  std::map<Key, StringAttr> known;
  for (auto weight : first.getOps<WeightOp>())
    known[keyOf(weight)] = weight.getSymNameAttr();
  SymbolTable symbols(first);
  auto main = first.lookupSymbol<func::FuncOp>(mainName);
  auto other = second.lookupSymbol<func::FuncOp>(mainName);
  // Beside their like, so that the module reads as those of one program do.
  Operation *lastDim = nullptr;
  for (auto dim : first.getOps<DimOp>())
    lastDim = dim;
  llvm::DenseMap<StringAttr, StringAttr> names;
  for (Operation &op : llvm::make_early_inc_range(*second.getBody())) {
    if (auto weight = dyn_cast<WeightOp>(op)) {
      StringAttr before = weight.getSymNameAttr();
      StringAttr &name = known[keyOf(weight)];
      if (!name) {
        weight->remove();
        name = symbols.insert(weight, main->getIterator());
      }
      names[before] = name;
    } else if (auto dim = dyn_cast<DimOp>(op)) {
      if (first.lookupSymbol<DimOp>(dim.getSymName()))
        continue;
      dim->remove();
      symbols.insert(dim, lastDim ? std::next(lastDim->getIterator())
                                  : first.getBody()->begin());
      lastDim = dim;
    }
  }
  other.walk([&](WeightRefOp ref) {
    ref.setWeightAttr(
        FlatSymbolRefAttr::get(names.lookup(ref.getWeightAttr().getAttr())));
  });
  other->remove();
  other.setSymName(otherwiseName);
  symbols.insert(other, first.getBody()->end());
}

/// Imports the programs for both values of an input.
class ProgramPair {
public:
  ProgramPair(ModelFile &file, const OnnxImportOptions &options,
              StringRef input, std::vector<ImportError> &list,
              MLIRContext *context)
      : file(file), options(options), list(list), input(input),
        context(context) {}

  OwningOpRef<ModuleOp> run() {
    OwningOpRef<ModuleOp> first = program(true, {}),
                          second = program(false, {});
    if (!first || !second)
      return nullptr;
    // Hardly any model needs a second try.
    llvm::StringSet<> taken;
    while (second && meetDims(*first, *second, taken))
      second = program(false, taken);
    if (!second || !checkResults(*first, *second))
      return nullptr;
    join(*first, *second);
    (*first)->setAttr(deciderAttrName, StringAttr::get(context, input));
    return first;
  }

private:
  OwningOpRef<ModuleOp> program(bool value, const llvm::StringSet<> &taken) {
    Assumption assumption{input, value, {}, taken};
    OwningOpRef<ModuleOp> module = import(assumption);
    if (!module)
      return nullptr;
    assumption.unread = unreadInputs(*module);
    return assumption.unread.empty() ? std::move(module) : import(assumption);
  }

  OwningOpRef<ModuleOp> import(const Assumption &assumption) {
    std::vector<ImportError> found;
    Errors errors(found);
    std::unique_ptr<Graph> graph =
        buildGraph(file.model(), options.maxOps, errors);
    OwningOpRef<ModuleOp> module =
        Importer(file, *graph, options, errors, context, &assumption).run();
    // What both programs have in common is wrong once.
    for (ImportError &error : found)
      if (none_of(list, [&](const ImportError &known) {
            return known.str() == error.str();
          }))
        list.push_back(std::move(error));
    return module;
  }

  /// The host is told of one signature: elements and ranks of results must not
  /// depend on the input.
  bool checkResults(ModuleOp first, ModuleOp second) {
    auto a = first.lookupSymbol<func::FuncOp>(mainName),
         b = second.lookupSymbol<func::FuncOp>(mainName);
    for (unsigned i = 0; i != a.getNumResults(); ++i) {
      auto x = cast<RankedTensorType>(a.getResultTypes()[i]),
           y = cast<RankedTensorType>(b.getResultTypes()[i]);
      if (x.getRank() == y.getRank() &&
          x.getElementType() == y.getElementType())
        continue;
      std::string text;
      raw_string_ostream os(text);
      os << "output '"
         << a.getResultAttrOfType<StringAttr>(i, "ingot.name").getValue()
         << "' has " << x.getRank() << " dims of " << x.getElementType()
         << " where input '" << input << "' is true, " << y.getRank()
         << " dims of " << y.getElementType() << " where it is false";
      Errors(list).add(kSubgraph, text);
    }
    return list.empty();
  }

  ModelFile &file;
  const OnnxImportOptions &options;
  std::vector<ImportError> &list;
  std::string input;
  MLIRContext *context;
};

} // namespace

OwningOpRef<ModuleOp> importPrograms(ModelFile &file, MLIRContext *context,
                                     const OnnxImportOptions &options,
                                     std::vector<ImportError> &list) {
  std::string input;
  {
    std::vector<ImportError> found;
    Errors errors(found);
    std::unique_ptr<Graph> graph =
        buildGraph(file.model(), options.maxOps, errors);
    OwningOpRef<ModuleOp> module;
    if (errors.empty()) {
      Importer importer(file, *graph, options, errors, context);
      module = importer.run();
      input = importer.deciderName();
    }
    // What is wrong before the condition is met is met again.
    if (input.empty()) {
      list = std::move(found);
      return module;
    }
  }
  return ProgramPair(file, options, input, list, context).run();
}

} // namespace ingot::onnxin
