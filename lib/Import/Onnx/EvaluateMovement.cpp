//===- EvaluateMovement.cpp - shape arithmetic: elements moved ------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Evaluate.h"

using namespace llvm;
using namespace mlir;

namespace ingot::onnxin {
namespace {

using Result = Evaluated;

/// The elements of `from` at the flat positions `at`.
Result pick(const Contents &from, SmallVector<int64_t> shape,
            ArrayRef<int64_t> at) {
  Contents result;
  result.shape = std::move(shape);
  for (int64_t i : at)
    result.numbers.push_back(from.numbers[i]);
  return result;
}

std::optional<int64_t> axisOf(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank)
    return std::nullopt;
  return axis < 0 ? axis + rank : axis;
}

Result gather(NodeContext &n) {
  const Contents &x = *n.contents(0), &indices = *n.contents(1);
  std::optional<int64_t> axis = axisOf(n.integer("axis", 0), x.shape.size());
  if (!axis || x.shape.size() != 1)
    return std::nullopt;
  SmallVector<int64_t> at;
  for (const Number &number : indices.numbers) {
    std::optional<int64_t> index = number.integer();
    if (index && *index < 0)
      index = *index + x.shape[0];
    if (!index || *index < 0 || *index >= x.shape[0])
      return std::nullopt;
    at.push_back(*index);
  }
  return pick(x, indices.shape, at);
}

Result concat(NodeContext &n) {
  std::optional<int64_t> axis =
      axisOf(n.integer("axis", 0), n.contents(0)->shape.size());
  if (!axis || n.contents(0)->shape.size() != 1)
    return std::nullopt;
  Contents result;
  for (size_t i = 0; i != n.inputs(); ++i) {
    const Contents &part = *n.contents(i);
    if (part.shape.size() != 1 || n.type(i) != n.type(0))
      return std::nullopt;
    llvm::append_range(result.numbers, part.numbers);
  }
  if (int64_t(result.numbers.size()) > kMaxContents)
    return std::nullopt;
  result.shape = {int64_t(result.numbers.size())};
  return result;
}

/// The same elements in the shape `to`, whose -1 (at most one) is solved.
Result reshaped(const Contents &x, SmallVector<int64_t> to) {
  int64_t known = 1, open = -1;
  for (auto [i, extent] : enumerate(to)) {
    if (extent == -1 && open < 0)
      open = i;
    else if (extent < 0 || extent > kMaxContents)
      return std::nullopt;
    else
      known *= extent ? extent : 1;
  }
  int64_t count = x.numbers.size();
  if (open >= 0) {
    if (known == 0 || count % known != 0)
      return std::nullopt;
    to[open] = count / known;
  }
  if (countElements(to) != count)
    return std::nullopt;
  return Contents{std::move(to), x.numbers};
}

Result reshape(NodeContext &n) {
  if (!n.has(1) || !n.contents(1))
    return std::nullopt;
  SmallVector<int64_t> to;
  bool zeroIsZero = n.integer("allowzero", 0) != 0;
  for (auto [i, number] : enumerate(n.contents(1)->numbers)) {
    std::optional<int64_t> value = number.integer();
    if (!value)
      return std::nullopt;
    if (*value == 0 && !zeroIsZero) {
      if (i >= n.contents(0)->shape.size())
        return std::nullopt;
      value = n.contents(0)->shape[i];
    }
    to.push_back(*value);
  }
  return reshaped(*n.contents(0), std::move(to));
}

std::optional<SmallVector<int64_t>> axesOf(NodeContext &n) {
  if (auto given = n.optionalIntegers("axes"))
    return given;
  SmallVector<int64_t> axes;
  if (!n.has(1))
    return std::nullopt;
  for (const Number &number : n.contents(1)->numbers) {
    if (!number.integer())
      return std::nullopt;
    axes.push_back(*number.integer());
  }
  return axes;
}

Result unsqueeze(NodeContext &n) {
  const Contents &x = *n.contents(0);
  std::optional<SmallVector<int64_t>> axes = axesOf(n);
  if (!axes)
    return std::nullopt;
  int64_t rank = x.shape.size() + axes->size();
  SmallVector<int64_t> shape(rank, -1);
  for (int64_t axis : *axes) {
    std::optional<int64_t> normal = axisOf(axis, rank);
    if (!normal || shape[*normal] == 1)
      return std::nullopt;
    shape[*normal] = 1;
  }
  const int64_t *next = x.shape.begin();
  for (int64_t &extent : shape)
    if (extent == -1)
      extent = *next++;
  return Contents{shape, x.numbers};
}

Result squeeze(NodeContext &n) {
  const Contents &x = *n.contents(0);
  std::optional<SmallVector<int64_t>> axes = axesOf(n);
  BitVector dropped(x.shape.size());
  if (axes) {
    for (int64_t axis : *axes) {
      std::optional<int64_t> normal = axisOf(axis, x.shape.size());
      if (!normal || x.shape[*normal] != 1)
        return std::nullopt;
      dropped.set(*normal);
    }
  } else {
    for (auto [i, extent] : enumerate(x.shape))
      if (extent == 1)
        dropped.set(i);
  }
  SmallVector<int64_t> shape;
  for (auto [i, extent] : enumerate(x.shape))
    if (!dropped.test(i))
      shape.push_back(extent);
  return Contents{shape, x.numbers};
}

Result identity(NodeContext &n) { return *n.contents(0); }

Result slice(NodeContext &n) {
  const Contents &x = *n.contents(0);
  if (x.shape.size() != 1)
    return std::nullopt;
  int64_t size = x.shape[0], step = 1, start, end;
  auto single = [&](size_t i, StringRef attribute, int64_t &value) {
    if (auto given = n.optionalIntegers(attribute)) {
      if (given->size() != 1)
        return false;
      value = given->front();
      return true;
    }
    if (!n.has(i))
      return false;
    const Contents &operand = *n.contents(i);
    if (operand.numbers.size() != 1 || !operand.numbers[0].integer())
      return false;
    value = *operand.numbers[0].integer();
    return true;
  };
  int64_t axis = 0;
  if (!single(1, "starts", start) || !single(2, "ends", end))
    return std::nullopt;
  if ((n.has(3) || n.hasAttribute("axes")) && !single(3, "axes", axis))
    return std::nullopt;
  if (n.has(4) && !single(4, "steps", step))
    return std::nullopt;
  if (step == 0 || step == INT64_MIN || !axisOf(axis, 1))
    return std::nullopt;
  auto clamp = [&](int64_t value) {
    value = value < 0 ? value + size : value;
    return step > 0 ? std::clamp<int64_t>(value, 0, size)
                    : std::clamp<int64_t>(value, -1, size - 1);
  };
  // INT64_MIN + size stays negative, so clamping gives the right end.
  start = clamp(start);
  end = clamp(end);
  SmallVector<int64_t> at;
  for (int64_t i = start; step > 0 ? i < end : i > end; i += step) {
    at.push_back(i);
    if (step > size || step < -size)
      break;
  }
  return pick(x, {int64_t(at.size())}, at);
}

//===----------------------------------------------------------------------===//
// Shapes of other tensors, and vectors made from numbers
//===----------------------------------------------------------------------===//

Result expand(NodeContext &n) {
  Contents target;
  for (const Number &number : n.contents(1)->numbers) {
    std::optional<int64_t> extent = number.integer();
    if (!extent || *extent < 0)
      return std::nullopt;
    target.shape.push_back(*extent);
  }
  const Contents &x = *n.contents(0);
  auto shape = broadcastShape({&x, &target});
  if (!shape)
    return std::nullopt;
  SmallVector<int64_t> strides = broadcastStrides(x.shape, shape->size()), at;
  forEachIndex(*shape, [&](ArrayRef<int64_t> index) {
    int64_t position = 0;
    for (auto [i, s] : zip_equal(index, strides))
      position += i * s;
    at.push_back(position);
    return true;
  });
  return pick(x, *shape, at);
}

Result range(NodeContext &n) {
  std::optional<int64_t> v[3];
  for (size_t i = 0; i != 3; ++i)
    if (n.contents(i) && n.contents(i)->numbers.size() == 1)
      v[i] = n.contents(i)->numbers[0].integer();
  if (!v[0] || !v[1] || !v[2] || *v[2] == 0 || isa<FloatType>(n.type(0)))
    return std::nullopt;
  Contents result;
  int64_t at = *v[0];
  while (*v[2] > 0 ? at < *v[1] : at > *v[1]) {
    if (int64_t(result.numbers.size()) == kMaxContents)
      return std::nullopt;
    result.numbers.push_back(Number::of(at));
    if (AddOverflow(at, *v[2], at))
      return std::nullopt;
  }
  result.shape = {int64_t(result.numbers.size())};
  return result;
}

/// Folds all elements of a vector.
template <MaybeNumber (*function)(const Number &, const Number &)>
Result reduce(NodeContext &n) {
  const Contents &x = *n.contents(0);
  if (x.shape.size() > 1 || x.numbers.empty())
    return std::nullopt;
  if (std::optional<SmallVector<int64_t>> axes = axesOf(n)) {
    if (axes->empty() || x.shape.empty())
      return std::nullopt;
  }
  MaybeNumber total = x.numbers[0];
  for (const Number &next : ArrayRef(x.numbers).drop_front())
    if (total)
      total = function(*total, next);
  if (!total)
    return std::nullopt;
  bool keep = n.integer("keepdims", 1) != 0;
  return Contents{SmallVector<int64_t>(keep ? x.shape.size() : 0, 1), {*total}};
}

} // namespace

/// Shape and Size read no elements at all, so they never need contents.
Evaluated shapeOf(NodeContext &n) {
  const DimShape &dims = n.dims(0);
  int64_t rank = dims.size();
  auto clamp = [&](int64_t value) {
    return std::clamp<int64_t>(value < 0 ? value + rank : value, 0, rank);
  };
  int64_t start = clamp(n.integer("start", 0)),
          end = clamp(n.integer("end", rank));
  Contents result;
  for (int64_t i = start; i < end; ++i)
    result.numbers.push_back({dims[i], 1});
  result.shape = {int64_t(result.numbers.size())};
  return result;
}

Evaluated sizeOf(NodeContext &n) {
  DimExpr size = product(n.dims(0));
  return Contents{{}, {Number{size, 1}}};
}

Evaluated filledShape(NodeContext &n) {
  SmallVector<int64_t> shape;
  for (const Number &number : n.contents(0)->numbers) {
    std::optional<int64_t> extent = number.integer();
    if (!extent || *extent < 0)
      return std::nullopt;
    shape.push_back(*extent);
  }
  int64_t count = countElements(shape);
  if (count > kMaxContents)
    return std::nullopt;
  Number value = Number::of(0);
  if (const onnx::AttributeProto *given = n.attribute("value")) {
    Tensor tensor;
    if (!n.importer.readTensor(given->t(), "attribute", tensor) ||
        !tensor.contents || tensor.contents->numbers.size() != 1)
      return std::nullopt;
    value = tensor.contents->numbers[0];
  }
  return Contents{shape, std::vector<Number>(count, value)};
}

void addMovementRules(EvaluationRules &rules) {
  rules["Gather"] = {gather};
  rules["Concat"] = {concat};
  rules["Reshape"] = {reshape};
  rules["Unsqueeze"] = {unsqueeze};
  rules["Squeeze"] = {squeeze};
  rules["Identity"] = {identity};
  rules["Slice"] = {slice};
  rules["Expand"] = {expand};
  rules["Range"] = {range};
  rules["ReduceProd"] = {reduce<mulNumbers>};
  rules["ReduceSum"] = {reduce<addNumbers>};
  rules["ReduceMax"] = {reduce<maxNumbers>};
  rules["ReduceMin"] = {reduce<minNumbers>};
}

} // namespace ingot::onnxin
