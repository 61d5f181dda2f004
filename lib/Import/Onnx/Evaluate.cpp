//===- Evaluate.cpp - shape arithmetic done while importing ---------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Nodes whose operands are all known elements (constants and functions of the
// input dims) are computed here. A function that cannot say what the elements
// of its result are returns nothing; the node is then imported as data.
//
//===----------------------------------------------------------------------===//
#include "Evaluate.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace llvm;
using namespace mlir;

namespace ingot::onnxin {

int64_t countElements(ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t extent : shape)
    if (MulOverflow(count, extent, count) || count > kMaxContents)
      return kMaxContents + 1;
  return count;
}

/// Strides of `from` when it is read at indices of the broadcast shape `to`.
SmallVector<int64_t> broadcastStrides(ArrayRef<int64_t> from, size_t rank) {
  SmallVector<int64_t> strides(rank, 0);
  int64_t stride = 1;
  for (size_t i = 0; i != from.size(); ++i) {
    size_t axis = from.size() - 1 - i;
    strides[rank - 1 - i] = from[axis] == 1 ? 0 : stride;
    stride *= from[axis];
  }
  return strides;
}

std::optional<SmallVector<int64_t>>
broadcastShape(ArrayRef<const Contents *> operands) {
  SmallVector<int64_t> shape;
  for (const Contents *operand : operands) {
    size_t rank = std::max(shape.size(), operand->shape.size());
    shape.insert(shape.begin(), rank - shape.size(), 1);
    for (size_t i = 0; i != operand->shape.size(); ++i) {
      int64_t &extent = shape[rank - 1 - i];
      int64_t other = operand->shape[operand->shape.size() - 1 - i];
      if (extent != other && extent != 1 && other != 1)
        return std::nullopt;
      extent = extent == 1 ? other : extent;
    }
  }
  if (countElements(shape) > kMaxContents)
    return std::nullopt;
  return shape;
}

/// Element types to which `number` fitsType without a change.
bool fitsType(const Number &number, Type to) {
  std::optional<int64_t> value = number.integer();
  if (isa<FloatType>(to))
    return !value || std::abs(*value) <= (int64_t(1) << 24);
  auto integer = dyn_cast<mlir::IntegerType>(to);
  if (!integer)
    return false;
  if (integer.getWidth() == 1)
    return value && (*value == 0 || *value == 1);
  if (!value) // An extent; it fits wherever indices do.
    return number.den == 1 && integer.getWidth() >= 32;
  if (integer.isUnsigned())
    return *value >= 0 && (integer.getWidth() == 64 ||
                           *value < (int64_t(1) << integer.getWidth()));
  return integer.getWidth() == 64 ||
         (*value >= -(int64_t(1) << (integer.getWidth() - 1)) &&
          *value < (int64_t(1) << (integer.getWidth() - 1)));
}

static const EvaluationRules &rules() {
  static const EvaluationRules table = [] {
    EvaluationRules result;
    addArithmeticRules(result);
    addMovementRules(result);
    return result;
  }();
  return table;
}

bool canEvaluate(StringRef op) { return op == "Cast" || rules().contains(op); }

bool evaluateContents(NodeContext &n) {
  if (!n.node.domain.empty() || n.inputs() == 0 || n.outputs() != 1)
    return false;
  MLIRContext *context = n.importer.context();
  Type i64 = mlir::IntegerType::get(context, 64),
       i1 = mlir::IntegerType::get(context, 1);
  if (n.has(0) && (n.node.op == "Shape" || n.node.op == "Size")) {
    n.outContents(0, *(n.node.op == "Shape" ? shapeOf(n) : sizeOf(n)), i64);
    return true;
  }
  for (size_t i = 0; i != n.inputs(); ++i)
    if (n.has(i) && !n.contents(i))
      return false;
  if (!n.has(0))
    return false;
  Evaluated result;
  Type type;
  if (n.node.op == "Cast") {
    type = elementTypeFor(n.integer("to", 0), context);
    result = castElements(n);
  } else if (n.node.op == "CastLike" && n.inputs() == 2) {
    return false;
  } else if (n.node.op == "ConstantOfShape") {
    type = Type(Float32Type::get(context));
    if (const onnx::AttributeProto *given = n.attribute("value"))
      type = elementTypeFor(given->t().data_type(), context);
    result = type ? filledShape(n) : std::nullopt;
  } else {
    auto rule = rules().find(n.node.op);
    if (rule == rules().end())
      return false;
    for (size_t i = 0; i != n.inputs(); ++i)
      if (!n.has(i) && i < 2)
        return false;
    type = rule->second.typeFrom < 0 ? i1 : n.type(rule->second.typeFrom);
    result = rule->second.evaluate(n);
  }
  if (!result || n.failed())
    return false;
  // Arithmetic of narrow types wraps around; numbers here do not.
  for (const Number &number : result->numbers)
    if (isa<mlir::IntegerType>(type) && !fitsType(number, type))
      return false;
  n.outContents(0, std::move(*result), type);
  return true;
}

} // namespace ingot::onnxin
