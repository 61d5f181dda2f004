//===- NodeContext.cpp - what the import of one node sees -----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "NodeContext.h"

#include "Importer.h"

using namespace llvm;
using namespace mlir;

namespace ingot::onnxin {

NodeContext::NodeContext(Importer &importer, const Node &node)
    : importer(importer), node(node), e(importer.emitter()) {}

const Tensor &NodeContext::in(size_t i) const {
  static const Tensor absent;
  return has(i) ? importer.tensor(node.inputs[i]) : absent;
}

Value NodeContext::value(size_t i) {
  if (has(i))
    return importer.materialize(node.inputs[i]);
  if (!is_contained(missed, i))
    missed.push_back(i);
  return {};
}

const Contents *NodeContext::contents(size_t i) const {
  return has(i) ? importer.contents(node.inputs[i]) : nullptr;
}

std::optional<SmallVector<int64_t>> NodeContext::constants(size_t i,
                                                           StringRef what) {
  SmallVector<int64_t> values;
  const Contents *known = contents(i);
  if (known)
    for (const Number &number : known->numbers)
      if (std::optional<int64_t> value = number.integer())
        values.push_back(*value);
  if (known && values.size() == known->numbers.size())
    return values;
  dataDependent(what);
  return std::nullopt;
}

std::optional<DimShape> NodeContext::expressions(size_t i, StringRef what) {
  DimShape values;
  const Contents *known = contents(i);
  if (known)
    for (const Number &number : known->numbers)
      if (number.den == 1)
        values.push_back(number.num);
  if (known && values.size() == known->numbers.size())
    return values;
  dataDependent(what);
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

const onnx::AttributeProto *NodeContext::attribute(StringRef name) {
  seen.insert(name);
  for (auto &[key, value] : node.attributes)
    if (key == name)
      return value;
  return nullptr;
}

bool NodeContext::hasAttribute(StringRef name) { return attribute(name); }

int64_t NodeContext::integer(StringRef name, int64_t otherwise) {
  const onnx::AttributeProto *found = attribute(name);
  if (!found)
    return otherwise;
  if (found->has_i() || found->type() == onnx::AttributeProto::INT)
    return found->i();
  error("attribute '" + name + "' should be an integer");
  return otherwise;
}

double NodeContext::real(StringRef name, double otherwise) {
  const onnx::AttributeProto *found = attribute(name);
  if (!found)
    return otherwise;
  if (found->has_f() || found->type() == onnx::AttributeProto::FLOAT)
    return found->f();
  error("attribute '" + name + "' should be a number");
  return otherwise;
}

std::string NodeContext::text(StringRef name, StringRef otherwise) {
  const onnx::AttributeProto *found = attribute(name);
  if (!found)
    return otherwise.str();
  if (found->has_s() || found->type() == onnx::AttributeProto::STRING)
    return found->s();
  error("attribute '" + name + "' should be a string");
  return otherwise.str();
}

std::optional<SmallVector<int64_t>>
NodeContext::optionalIntegers(StringRef name) {
  const onnx::AttributeProto *found = attribute(name);
  if (!found)
    return std::nullopt;
  return SmallVector<int64_t>(found->ints().begin(), found->ints().end());
}

SmallVector<int64_t> NodeContext::integers(StringRef name) {
  return optionalIntegers(name).value_or(SmallVector<int64_t>());
}

void NodeContext::ignore(std::initializer_list<StringRef> names) {
  for (StringRef name : names)
    seen.insert(name);
}

std::optional<SmallVector<int64_t>> NodeContext::axes(size_t i,
                                                      StringRef name) {
  if (std::optional<SmallVector<int64_t>> given = optionalIntegers(name))
    return given;
  if (!has(i))
    return std::nullopt;
  return constants(i, "axes");
}

std::optional<int64_t> NodeContext::normalAxis(int64_t axis, int64_t rank) {
  if (axis >= -rank && axis < rank)
    return axis < 0 ? axis + rank : axis;
  error("axis " + Twine(axis) + " of a tensor of rank " + Twine(rank));
  return std::nullopt;
}

bool NodeContext::normalAxes(MutableArrayRef<int64_t> axes, int64_t rank) {
  for (int64_t &axis : axes) {
    std::optional<int64_t> normal = normalAxis(axis, rank);
    if (!normal)
      return false;
    axis = *normal;
  }
  return true;
}

void NodeContext::checkAttributes() {
  for (auto &[name, value] : node.attributes)
    if (!seen.contains(name))
      unsupported(kUnsupportedAttribute, "'" + name + "' of " + node.op);
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

std::string NodeContext::whyNothing() const {
  if (!e.why.empty() || missed.empty())
    return e.why.empty() ? "it cannot be imported" : e.why;
  std::string text =
      missed.size() == 1 ? "it lacks input " : "it lacks one of the inputs ";
  raw_string_ostream stream(text);
  interleaveComma(missed, stream);
  return text;
}

void NodeContext::out(size_t i, Value value) {
  if (!value) {
    if (!failed())
      error(whyNothing());
    return;
  }
  if (!wants(i))
    return;
  Tensor tensor;
  tensor.type = e.element(value);
  tensor.dims = e.dims(value);
  tensor.value = value;
  importer.define(node.outputs[i], std::move(tensor));
}

void NodeContext::outContents(size_t i, Contents contents, Type type) {
  if (!wants(i))
    return;
  Tensor tensor;
  tensor.type = type;
  for (int64_t extent : contents.shape)
    tensor.dims.push_back(DimExpr::constant(extent));
  tensor.contents = std::make_shared<const Contents>(std::move(contents));
  importer.define(node.outputs[i], std::move(tensor));
}

void NodeContext::pass(size_t result, size_t input) {
  if (!has(input))
    return error("input " + Twine(input) + " is absent");
  if (wants(result))
    importer.define(node.outputs[result], in(input));
}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

void NodeContext::unsupported(StringRef tag, const Twine &message) {
  hasFailed = true;
  importer.errorList().add(tag, message, node.name);
}

void NodeContext::error(const Twine &message) {
  unsupported("", node.op + ": " + message);
}

void NodeContext::unsupportedAttribute(StringRef name, const Twine &value) {
  unsupported(kUnsupportedAttribute,
              "'" + name + "' = " + value + " of " + node.op);
}

void NodeContext::dataDependent(const Twine &what) {
  unsupported(kDataDependent, what + " of " + node.op);
}

void NodeContext::unsupportedType(Type type) {
  std::string text;
  raw_string_ostream(text) << type;
  unsupported(kUnsupportedDtype, text + " in " + node.op);
}

} // namespace ingot::onnxin
