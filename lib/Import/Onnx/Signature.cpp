//===- Signature.cpp - inputs, outputs and the symbols of their dims ------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Importer.h"

#include "ingot/Transforms/Entries.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using namespace mlir;
using onnx::TensorProto;
using onnx::TypeProto;

namespace ingot::onnxin {
namespace {

/// Longer texts of dims are names, not expressions.
constexpr size_t kMaxDimText = 200;
/// Larger extents are mistakes.
constexpr int64_t kMaxExtent = int64_t(1) << 40;

bool isSymbolChar(char c) { return isAlnum(c) || c == '_' || c == '.'; }

/// Whether a text can be used as the name of a symbol as it is.
bool isSymbolName(StringRef text) {
  static const llvm::StringSet<> reserved = {
      "floordiv", "ceildiv", "mod", "max", "min", "broadcast"};
  return !text.empty() && text.size() <= kMaxDimText &&
         (isAlpha(text[0]) || text[0] == '_') && all_of(text, isSymbolChar) &&
         !reserved.contains(text.lower());
}

/// Whether the file leaves a dim open: -1 stands for it, too.
bool isOpen(const onnx::TensorShapeProto::Dimension &dim) {
  return !dim.has_dim_value() || dim.dim_value() < 0;
}

/// The name of a dim that has none in the file.
std::string ownNameOf(const onnx::ValueInfoProto &input, size_t index) {
  return input.name() + "_d" + std::to_string(index);
}

/// What an open dim of an input is called.
std::string nameOfDim(const onnx::ValueInfoProto &input, size_t index) {
  const auto &dim = input.type().tensor_type().shape().dim(index);
  StringRef text = StringRef(dim.dim_param()).trim();
  return text.empty() ? ownNameOf(input, index) : text.str();
}

/// The kind of a type that is no tensor.
StringRef kindOf(const TypeProto &type) {
  switch (type.value_case()) {
  case TypeProto::kSequenceType:
    return "sequence";
  case TypeProto::kMapType:
    return "map";
  case TypeProto::kOptionalType:
    return "optional";
  case TypeProto::kSparseTensorType:
    return "sparse tensor";
  case TypeProto::kOpaqueType:
    return "opaque";
  default:
    return "undeclared";
  }
}

} // namespace

/// The symbol that stands for `text`: itself where it can be a name.
std::string Importer::symbolFor(StringRef text) {
  std::string &name = symbolNames[text];
  if (!name.empty())
    return name;
  std::string wanted = text.substr(0, 60).str();
  if (!isSymbolName(wanted)) {
    for (char &c : wanted)
      if (!isSymbolChar(c))
        c = '_';
    if (wanted.empty() || !(isAlpha(wanted[0]) || wanted[0] == '_'))
      wanted = "d_" + wanted;
    if (!isSymbolName(wanted))
      wanted += "_";
  }
  name = wanted;
  for (unsigned i = 1; !usedSymbols.insert(name).second; ++i)
    name = wanted + "_" + std::to_string(i);
  symbolOrder.push_back(name);
  return name;
}

void Importer::requireAtLeast(StringRef symbol, int64_t min) {
  int64_t &known = minima[symbol];
  known = std::max(known, min);
}

/// Notes the symbols that are an input's dim by themselves: expressions over
/// them can be checked when the program is run, others could not be computed.
void Importer::collectSymbols() {
  usedSymbols.insert(mainName);
  usedSymbols.insert(otherwiseName);
  if (assumption)
    for (const auto &name : assumption->taken)
      usedSymbols.insert(name.getKey());
  if (options.eraseDims)
    return;
  for (auto [id, info] : graph.inputs) {
    if (assumption && assumption->unread.contains(info->name()))
      continue;
    for (const auto &dim : info->type().tensor_type().shape().dim())
      // One that had to be renamed cannot be found by an expression.
      if (isSymbolName(dim.dim_param()) &&
          !fixedDims.contains(dim.dim_param()) &&
          symbolFor(dim.dim_param()) == dim.dim_param())
        plainSymbols.insert(dim.dim_param());
  }
}

DimShape Importer::inputDims(const onnx::ValueInfoProto &info) {
  DimShape dims;
  const auto &declared = info.type().tensor_type().shape().dim();
  // A condition has one element, whatever its dims are called.
  if (assumption && assumption->input == info.name())
    return DimShape(declared.size(), DimExpr::constant(1));
  bool isUnread = assumption && assumption->unread.contains(info.name());
  for (auto [index, dim] : enumerate(declared)) {
    if (!options.eraseDims && !isOpen(dim)) {
      dims.push_back(DimExpr::constant(dim.dim_value()));
      continue;
    }
    if (auto number = fixedDims.find(nameOfDim(info, index));
        number != fixedDims.end()) {
      dims.push_back(DimExpr::constant(number->second));
      continue;
    }
    StringRef text = StringRef(dim.dim_param()).trim();
    if (options.eraseDims || text.empty()) {
      dims.push_back(DimExpr::symbol(symbolFor(ownNameOf(info, index))));
      continue;
    }
    if (isUnread) {
      dims.push_back(DimExpr::symbol(symbolFor("unread " + text.str())));
      continue;
    }
    if (!isSymbolName(text) && text.size() <= kMaxDimText) {
      std::optional<DimExpr> expr = DimExpr::parse(text);
      llvm::StringSet<> names;
      if (expr)
        expr->collectSymbols(names);
      bool computable =
          expr && isManageable(*expr) && all_of(names, [&](const auto &entry) {
            return plainSymbols.contains(entry.getKey()) ||
                   fixedDims.contains(entry.getKey());
          });
      if (computable) {
        dims.push_back(
            expr->substitute([&](StringRef name) -> std::optional<DimExpr> {
              auto number = fixedDims.find(name);
              if (number == fixedDims.end())
                return std::nullopt;
              return DimExpr::constant(number->second);
            }));
        continue;
      }
    }
    dims.push_back(DimExpr::symbol(symbolFor(text)));
  }
  return dims;
}

/// The integer that a setting's text is; nothing, with the reason in `why`, if
/// it is none.
static std::optional<int64_t> settingValue(StringRef text, std::string &why) {
  if (text == "true" || text == "false")
    return text == "true";
  int64_t value = 0;
  if (!text.getAsInteger(10, value))
    return value;
  StringRef digits = text;
  (void)digits.consume_front("-");
  bool isNumber = !digits.empty() && all_of(digits, llvm::isDigit);
  why = isNumber ? "it does not fit into 64 bits"
                 : "it is neither an integer nor true or false";
  return std::nullopt;
}

/// Why no element of an integer type can be `value`; empty if one can.
static std::string whyNot(int64_t value, mlir::IntegerType type) {
  unsigned width = type.getWidth();
  bool isSigned = width > 1 && !type.isUnsigned();
  APInt least = isSigned ? APInt::getSignedMinValue(width)
                         : APInt::getMinValue(width),
        most = isSigned ? APInt::getSignedMaxValue(width)
                        : APInt::getMaxValue(width);
  bool fits = isSigned ? width >= 64 || isIntN(width, value)
                       : value >= 0 && (width >= 64 || isUIntN(width, value));
  if (fits)
    return "";
  std::string text;
  raw_string_ostream os(text);
  os << "its elements are from ";
  least.print(os, isSigned);
  os << " to ";
  most.print(os, isSigned);
  return text;
}

/// Makes a constant of the input that a setting names; false after an error.
bool Importer::applySetting(StringRef setting, llvm::StringSet<> &done) {
  auto refuse = [&](const Twine &message) {
    errors.add("", message);
    return false;
  };
  auto [name, text] = setting.rsplit('=');
  if (name.size() == setting.size())
    return refuse("the setting '" + setting +
                  "' is not of the form NAME=VALUE");
  auto input = find_if(graph.inputs, [wanted = name](const auto &entry) {
    return entry.second->name() == wanted;
  });
  if (input == graph.inputs.end()) {
    if (done.contains(name))
      return refuse("the input '" + name + "' is set twice");
    SmallVector<std::string> names;
    for (auto [id, info] : graph.inputs)
      names.push_back("'" + info->name() + "'");
    return refuse("there is no input '" + name + "' to set; " +
                  (names.empty()
                       ? "none is left"
                       : "the model's inputs are " + join(names, ", ")));
  }
  auto cannot = [&](const Twine &reason) {
    return refuse("the input '" + name + "' cannot be set to '" + text +
                  "': " + reason);
  };
  auto [id, info] = *input;
  const auto &type = info->type().tensor_type();
  Tensor tensor;
  tensor.type = elementTypeFor(type.elem_type(), context());
  auto integer = dyn_cast_if_present<mlir::IntegerType>(tensor.type);
  if (!integer)
    return cannot("it is not of integers or booleans, but of " +
                  Twine(info->type().has_tensor_type()
                            ? dtypeName(type.elem_type())
                            : kindOf(info->type()).str()));
  if (!type.has_shape())
    return cannot("its rank is not declared");
  std::string why;
  std::optional<int64_t> value = settingValue(text, why);
  if (value)
    why = whyNot(*value, integer);
  if (!why.empty())
    return cannot(why);
  auto contents = std::make_shared<Contents>();
  int64_t count = 1;
  for (auto [axis, dim] : enumerate(type.shape().dim())) {
    // A dim without a number would have to be chosen too.
    if (isOpen(dim))
      return cannot("its dim " + Twine(axis) + " is not a number");
    if (MulOverflow(count, int64_t(dim.dim_value()), count) ||
        count > kMaxContents)
      return cannot("it has more than " + Twine(kMaxContents) + " elements");
    contents->shape.push_back(dim.dim_value());
    tensor.dims.push_back(DimExpr::constant(dim.dim_value()));
  }
  contents->numbers.assign(count, Number::of(*value));
  tensor.contents = std::move(contents);
  tensors[id] = std::move(tensor);
  graph.inputs.erase(input);
  done.insert(name);
  return true;
}

/// Turns the inputs that the user fixed into constants; false after errors.
bool Importer::applySettings() {
  llvm::StringSet<> done;
  bool valid = true;
  for (StringRef setting : options.settings)
    valid &= applySetting(setting, done);
  return valid;
}

/// Reads the dims that the user made numbers; false after errors.
bool Importer::readFixedDims() {
  SmallVector<std::string> names;
  for (auto [id, info] : graph.inputs)
    for (auto [index, dim] :
         enumerate(info->type().tensor_type().shape().dim())) {
      std::string name = nameOfDim(*info, index);
      if (isOpen(dim) && !is_contained(names, name))
        names.push_back(name);
    }
  bool valid = true;
  auto refuse = [&](const Twine &message) {
    errors.add("", message);
    valid = false;
  };
  for (StringRef given : options.dims) {
    auto [name, text] = given.rsplit('=');
    int64_t number = 0;
    if (name.size() == given.size())
      refuse("the dim '" + given + "' is not of the form NAME=NUMBER");
    else if (!is_contained(names, name))
      refuse("no input has a dim '" + name + "' that is open; " +
             (names.empty() ? "all are numbers"
                            : "open are '" + join(names, "', '") + "'"));
    else if (text.getAsInteger(10, number) || number < 0 || number > kMaxExtent)
      refuse("the dim '" + name + "' cannot be '" + text +
             "': it is no integer from 0 to " + Twine(kMaxExtent));
    else if (!fixedDims.try_emplace(name, number).second)
      refuse("the dim '" + name + "' is given twice");
  }
  if (valid && options.eraseDims && !options.dims.empty())
    refuse("dims are taken as unknown and given as numbers");
  return valid;
}

bool Importer::importInputs() {
  if (!applySettings() || !readFixedDims())
    return false;
  collectSymbols();
  SmallVector<Type> types;
  SmallVector<DimShape> shapes;
  bool known = true;
  for (auto [id, info] : graph.inputs) {
    Tensor &tensor = tensors[id];
    tensor.bad = true;
    const TypeProto &type = info->type();
    std::string what = "input '" + info->name() + "'";
    int dtype = type.tensor_type().elem_type();
    if (!type.has_tensor_type()) {
      errors.add(kUnsupportedType, kindOf(type) + " " + what);
    } else if (dtype == TensorProto::STRING) {
      errors.add(kUnsupportedType, "string " + what);
    } else if (!elementTypeFor(dtype, context())) {
      errors.add(kUnsupportedDtype, dtypeName(dtype) + " " + what);
    } else if (!type.tensor_type().has_shape()) {
      errors.add(kDataDependent, "the rank of " + what + " is not declared");
    } else {
      tensor.bad = false;
      tensor.type = elementTypeFor(dtype, context());
      tensor.dims = inputDims(*info);
      for (const DimExpr &dim : tensor.dims)
        if (auto value = dim.getConstant(); value && *value > kMaxExtent)
          errors.add("", what + " has a dim of " + Twine(*value));
      shapes.push_back(tensor.dims);
      types.push_back(tensorOf(tensor.dims, tensor.type));
    }
    known &= !tensor.bad;
  }
  // Nodes that do not depend on a bad input can still be looked at.
  OpBuilder at = OpBuilder::atBlockEnd(module->getBody());
  function = func::FuncOp::create(
      at, UnknownLoc::get(context()), "main",
      mlir::FunctionType::get(context(), known ? TypeRange(types) : TypeRange(),
                              {}));
  symbols.insert(function);
  Block *body = function.addEntryBlock();
  emit.builder.setInsertionPointToStart(body);
  if (!known)
    return true;
  for (auto [index, input] : enumerate(graph.inputs)) {
    auto [id, info] = input;
    BlockArgument argument = body->getArgument(index);
    tensors[id].value = argument;
    emit.setDims(argument, shapes[index]);
    noteDecider(id);
    function.setArgAttr(index, "ingot.name",
                        StringAttr::get(context(), info->name()));
    function.setArgAttr(index, "ingot.dims",
                        DimsAttr::get(context(), shapes[index]));
  }
  return true;
}

/// Compares an output with what the file declares. Names of dims are hints;
/// numbers are claims.
void Importer::checkDeclared(StringRef name, const TypeProto &type,
                             const Tensor &tensor) {
  if (!type.has_tensor_type())
    return;
  int dtype = type.tensor_type().elem_type();
  std::string where = ("output '" + name + "'").str();
  if (dtype && tensor.type != elementTypeFor(dtype, context())) {
    std::string made;
    raw_string_ostream(made) << tensor.type;
    errors.add("", where + " is declared with elements of type " +
                       dtypeName(dtype) + ", but they are " + made);
    return;
  }
  if (options.eraseDims || !type.tensor_type().has_shape())
    return;
  const auto &declared = type.tensor_type().shape().dim();
  bool fits = size_t(declared.size()) == tensor.dims.size();
  for (int i = 0; fits && i != declared.size(); ++i) {
    std::optional<int64_t> computed = tensor.dims[i].getConstant();
    fits = isOpen(declared[i]) || !computed ||
           *computed == declared[i].dim_value();
  }
  if (fits)
    return;
  SmallVector<std::string> said, made;
  for (const auto &dim : declared)
    said.push_back(dim.has_dim_value() ? std::to_string(dim.dim_value())
                                       : dim.dim_param());
  for (const DimExpr &dim : tensor.dims)
    made.push_back(dim.str());
  errors.add("", where + " is declared as [" + join(said, ", ") +
                     "], but it is [" + join(made, ", ") + "]");
}

void Importer::importOutputs() {
  SmallVector<Value> values;
  SmallVector<DictionaryAttr> attributes;
  Builder b(context());
  for (auto [id, info] : graph.outputs) {
    Value value = materialize(id);
    if (!value) {
      errors.add("", "output '" + info->name() + "' was not computed");
      return;
    }
    checkDeclared(info->name(), info->type(), tensors[id]);
    values.push_back(value);
    attributes.push_back(b.getDictionaryAttr(
        {b.getNamedAttr("ingot.name", b.getStringAttr(info->name())),
         b.getNamedAttr("ingot.dims",
                        DimsAttr::get(context(), emit.dims(value)))}));
  }
  func::ReturnOp::create(emit.builder, UnknownLoc::get(context()), values);
  function.setFunctionType(
      mlir::FunctionType::get(context(), function.getFunctionType().getInputs(),
                              TypeRange(ValueRange(values))));
  function.setAllResultAttrs(attributes);

  OpBuilder front = OpBuilder::atBlockBegin(module->getBody());
  for (const std::string &name : symbolOrder) {
    DimOp::create(front, UnknownLoc::get(context()), name,
                  uint64_t(minima.lookup(name)), IntegerAttr());
  }
}

} // namespace ingot::onnxin
