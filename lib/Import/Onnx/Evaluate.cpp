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
#include "Importer.h"
#include "Registry.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace llvm;
using namespace mlir;

namespace ingot::onnxin {
namespace {

using Result = std::optional<Contents>;
using Evaluator = Result (*)(NodeContext &);

int64_t countOf(ArrayRef<int64_t> shape) {
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
  if (countOf(shape) > kMaxContents)
    return std::nullopt;
  return shape;
}

/// Calls `visit` with each index of `shape`, in order.
template <typename Visit>
bool forEachIndex(ArrayRef<int64_t> shape, Visit visit) {
  SmallVector<int64_t> index(shape.size(), 0);
  for (int64_t left = countOf(shape); left > 0; --left) {
    if (!visit(ArrayRef<int64_t>(index)))
      return false;
    for (size_t axis = shape.size(); axis-- > 0;) {
      if (++index[axis] < shape[axis])
        break;
      index[axis] = 0;
    }
  }
  return true;
}

/// An elementwise function of all inputs, numpy broadcasting.
template <typename Function>
Result elementwise(NodeContext &n, Function function) {
  SmallVector<const Contents *> operands;
  for (size_t i = 0; i != n.inputs(); ++i)
    operands.push_back(n.contents(i));
  std::optional<SmallVector<int64_t>> shape = broadcastShape(operands);
  if (!shape)
    return std::nullopt;
  Contents result;
  result.shape = *shape;
  SmallVector<SmallVector<int64_t>> strides;
  for (const Contents *operand : operands)
    strides.push_back(broadcastStrides(operand->shape, shape->size()));
  bool ok = forEachIndex(*shape, [&](ArrayRef<int64_t> index) {
    SmallVector<Number, 3> values;
    for (auto [operand, stride] : zip_equal(operands, strides)) {
      int64_t at = 0;
      for (auto [i, s] : zip_equal(index, stride))
        at += i * s;
      values.push_back(operand->numbers[at]);
    }
    MaybeNumber value = function(values);
    if (value)
      result.numbers.push_back(std::move(*value));
    return value.has_value();
  });
  return ok ? Result(std::move(result)) : std::nullopt;
}

template <MaybeNumber (*function)(const Number &, const Number &)>
Result binary(NodeContext &n) {
  if (n.inputs() != 2 || n.type(0) != n.type(1))
    return std::nullopt;
  return elementwise(n,
                     [](ArrayRef<Number> v) { return function(v[0], v[1]); });
}

template <MaybeNumber (*function)(const Number &, const Number &)>
Result variadic(NodeContext &n) {
  return elementwise(n, [](ArrayRef<Number> v) -> MaybeNumber {
    MaybeNumber result = v[0];
    for (const Number &next : v.drop_front())
      if (result)
        result = function(*result, next);
    return result;
  });
}

MaybeNumber truth(std::optional<bool> value) {
  return value ? MaybeNumber(Number::of(*value)) : std::nullopt;
}

template <std::optional<bool> (*function)(const Number &, const Number &),
          bool swap = false>
Result compare(NodeContext &n) {
  return elementwise(n, [](ArrayRef<Number> v) {
    return truth(swap ? function(v[1], v[0]) : function(v[0], v[1]));
  });
}

bool isInteger(Type type) { return isa_and_nonnull<IntegerType>(type); }

/// Integer division rounds towards zero.
Result divide(NodeContext &n) {
  if (!isInteger(n.type(0)))
    return binary<divNumbers>(n);
  return elementwise(n, [&](ArrayRef<Number> v) -> MaybeNumber {
    auto a = v[0].integer(), b = v[1].integer();
    if (a && b) {
      if (*b == 0 || (*a == INT64_MIN && *b == -1))
        return std::nullopt;
      return Number::of(*a / *b);
    }
    if (!isManageable(v[0].num) || !isManageable(v[1].num))
      return std::nullopt;
    if (auto exact = v[0].num.dividedBy(v[1].num))
      return Number{*exact, 1};
    if (!b || *b <= 0)
      return std::nullopt;
    // Below zero the floor differs from rounding towards zero. Where only one
    // dim decides that, smaller extents of it are refused when run.
    if (auto low = v[0].num.lowerBound(); !low || *low < 0) {
      ArrayRef<DimExpr::Term> terms = v[0].num.getTerms();
      if (terms.size() != 2 || terms[0].atoms.size() != 1 ||
          !terms[1].atoms.empty() || terms[0].coefficient <= 0 ||
          terms[0].atoms[0]->kind != DimExpr::AtomKind::Symbol ||
          terms[1].coefficient < -(int64_t(1) << 40))
        return std::nullopt;
      n.importer.requireAtLeast(
          terms[0].atoms[0]->name,
          divideCeilSigned(-terms[1].coefficient, terms[0].coefficient));
    }
    DimExpr quotient = DimExpr::floorDiv(v[0].num, v[1].num);
    return isManageable(quotient) ? MaybeNumber(Number{quotient, 1})
                                  : std::nullopt;
  });
}

Result modulo(NodeContext &n) {
  bool fmod = n.integer("fmod", 0) != 0;
  return elementwise(n, [&](ArrayRef<Number> v) -> MaybeNumber {
    auto a = v[0].integer(), b = v[1].integer();
    if (!a || !b || *b == 0 || *b == -1)
      return std::nullopt;
    int64_t rest = *a % *b;
    if (!fmod && rest != 0 && (rest < 0) != (*b < 0))
      rest += *b;
    return Number::of(rest);
  });
}

Result negate(NodeContext &n) {
  return elementwise(
      n, [](ArrayRef<Number> v) { return subNumbers(Number::of(0), v[0]); });
}

Result absolute(NodeContext &n) {
  return elementwise(n, [](ArrayRef<Number> v) -> MaybeNumber {
    std::optional<bool> negative = isLess(v[0], Number::of(0));
    if (!negative)
      return std::nullopt;
    return *negative ? subNumbers(Number::of(0), v[0]) : MaybeNumber(v[0]);
  });
}

Result logicalNot(NodeContext &n) {
  return elementwise(n, [](ArrayRef<Number> v) -> MaybeNumber {
    if (auto value = v[0].integer())
      return Number::of(*value == 0);
    return std::nullopt;
  });
}

template <bool isAnd> Result logical(NodeContext &n) {
  return elementwise(n, [](ArrayRef<Number> v) -> MaybeNumber {
    auto a = v[0].integer(), b = v[1].integer();
    if (!a || !b)
      return std::nullopt;
    return Number::of(isAnd ? (*a && *b) : (*a || *b));
  });
}

Result choose(NodeContext &n) {
  if (n.inputs() != 3 || n.type(1) != n.type(2))
    return std::nullopt;
  return elementwise(n, [](ArrayRef<Number> v) -> MaybeNumber {
    if (v[1] == v[2])
      return v[1];
    if (auto condition = v[0].integer())
      return *condition ? v[1] : v[2];
    return std::nullopt;
  });
}

template <MaybeNumber (*function)(const Number &)>
Result unary(NodeContext &n) {
  return elementwise(n, [](ArrayRef<Number> v) { return function(v[0]); });
}

/// Element types to which `number` converts without a change.
bool converts(const Number &number, Type to) {
  std::optional<int64_t> value = number.integer();
  if (isa<FloatType>(to))
    return !value || std::abs(*value) <= (int64_t(1) << 24);
  auto integer = dyn_cast<IntegerType>(to);
  if (!integer)
    return false;
  if (!value) // An extent; it fits wherever indices do.
    return number.den == 1 && integer.getWidth() >= 32;
  if (integer.isUnsigned())
    return *value >= 0 && (integer.getWidth() == 64 ||
                           *value < (int64_t(1) << integer.getWidth()));
  return integer.getWidth() == 64 ||
         (*value >= -(int64_t(1) << (integer.getWidth() - 1)) &&
          *value < (int64_t(1) << (integer.getWidth() - 1)));
}

Result castTo(NodeContext &n, Type to) {
  bool fromFloat = isa<FloatType>(n.type(0));
  return elementwise(n, [&](ArrayRef<Number> v) -> MaybeNumber {
    if (to.isInteger(1)) {
      if (auto zero = isEqual(v[0], Number::of(0)))
        return Number::of(!*zero);
      return std::nullopt;
    }
    Number value = v[0];
    if (fromFloat && isa<IntegerType>(to) && value.den != 1) {
      // Rounds towards zero.
      std::optional<bool> negative = isLess(value, Number::of(0));
      MaybeNumber rounded = !negative   ? std::nullopt
                            : *negative ? ceilNumber(value)
                                        : floorNumber(value);
      if (!rounded)
        return std::nullopt;
      value = *rounded;
    }
    return converts(value, to) ? MaybeNumber(value) : std::nullopt;
  });
}

Result cast(NodeContext &n) {
  Type to = elementTypeFor(n.integer("to", 0), n.importer.context());
  return to ? castTo(n, to) : std::nullopt;
}

//===----------------------------------------------------------------------===//
// Elements moved, not changed
//===----------------------------------------------------------------------===//

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
  if (countOf(to) != count)
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

/// Shape and Size read no elements at all, so they never need contents.
std::optional<Contents> shapeOf(NodeContext &n) {
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

std::optional<Contents> sizeOf(NodeContext &n) {
  DimExpr size = product(n.dims(0));
  return Contents{{}, {Number{size, 1}}};
}

Result constantOfShape(NodeContext &n) {
  SmallVector<int64_t> shape;
  for (const Number &number : n.contents(0)->numbers) {
    std::optional<int64_t> extent = number.integer();
    if (!extent || *extent < 0)
      return std::nullopt;
    shape.push_back(*extent);
  }
  int64_t count = countOf(shape);
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

struct Rule {
  Evaluator evaluate;
  /// The element type of the result: of input `typeFrom`, or boolean.
  int typeFrom = 0;
};

const StringMap<Rule> &rules() {
  static const StringMap<Rule> table = {
      {"Add", {binary<addNumbers>}},
      {"Sub", {binary<subNumbers>}},
      {"Mul", {binary<mulNumbers>}},
      {"Div", {divide}},
      {"Mod", {modulo}},
      {"Min", {variadic<minNumbers>}},
      {"Max", {variadic<maxNumbers>}},
      {"Neg", {negate}},
      {"Abs", {absolute}},
      {"Floor", {unary<floorNumber>}},
      {"Ceil", {unary<ceilNumber>}},
      {"Equal", {compare<isEqual>, -1}},
      {"Less", {compare<isLess>, -1}},
      {"LessOrEqual", {compare<isLessEqual>, -1}},
      {"Greater", {compare<isLess, true>, -1}},
      {"GreaterOrEqual", {compare<isLessEqual, true>, -1}},
      {"Not", {logicalNot, -1}},
      {"And", {logical<true>, -1}},
      {"Or", {logical<false>, -1}},
      {"Where", {choose, 1}},
      {"Gather", {gather}},
      {"Concat", {concat}},
      {"Reshape", {reshape}},
      {"Unsqueeze", {unsqueeze}},
      {"Squeeze", {squeeze}},
      {"Identity", {identity}},
      {"Slice", {slice}},
      {"Expand", {expand}},
      {"Range", {range}},
      {"ReduceProd", {reduce<mulNumbers>}},
      {"ReduceSum", {reduce<addNumbers>}},
      {"ReduceMax", {reduce<maxNumbers>}},
      {"ReduceMin", {reduce<minNumbers>}},
  };
  return table;
}

} // namespace

bool evaluateContents(NodeContext &n) {
  if (!n.node.domain.empty() || n.inputs() == 0 || n.outputs() != 1)
    return false;
  MLIRContext *context = n.importer.context();
  Type i64 = IntegerType::get(context, 64), i1 = IntegerType::get(context, 1);
  if (n.has(0) && (n.node.op == "Shape" || n.node.op == "Size")) {
    n.outContents(0, *(n.node.op == "Shape" ? shapeOf(n) : sizeOf(n)), i64);
    return true;
  }
  for (size_t i = 0; i != n.inputs(); ++i)
    if (n.has(i) && !n.contents(i))
      return false;
  if (!n.has(0))
    return false;
  Result result;
  Type type;
  if (n.node.op == "Cast") {
    type = elementTypeFor(n.integer("to", 0), context);
    result = cast(n);
  } else if (n.node.op == "CastLike" && n.inputs() == 2) {
    return false;
  } else if (n.node.op == "ConstantOfShape") {
    type = Type(Float32Type::get(context));
    if (const onnx::AttributeProto *given = n.attribute("value"))
      type = elementTypeFor(given->t().data_type(), context);
    result = type ? constantOfShape(n) : std::nullopt;
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
    if (isa<IntegerType>(type) && !converts(number, type))
      return false;
  n.outContents(0, std::move(*result), type);
  return true;
}

} // namespace ingot::onnxin
