//===- EvaluateArithmetic.cpp - shape arithmetic: elements computed -------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Evaluate.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace llvm;
using namespace mlir;

namespace ingot::onnxin {
namespace {

using Result = Evaluated;

/// An elementwise function of all inputs, numpy broadcasting.
template <typename Function>
Result elementwise(NodeContext &n, size_t arity, Function function) {
  if (n.inputs() != arity)
    return std::nullopt;
  SmallVector<const Contents *> operands;
  for (size_t i = 0; i != n.inputs(); ++i) {
    operands.push_back(n.contents(i));
    if (!operands.back())
      return std::nullopt;
  }
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
  return elementwise(n, 2,
                     [](ArrayRef<Number> v) { return function(v[0], v[1]); });
}

template <MaybeNumber (*function)(const Number &, const Number &)>
Result variadic(NodeContext &n) {
  return elementwise(n, n.inputs(), [](ArrayRef<Number> v) -> MaybeNumber {
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
  return elementwise(n, 2, [](ArrayRef<Number> v) {
    return truth(swap ? function(v[1], v[0]) : function(v[0], v[1]));
  });
}

bool isInteger(Type type) { return isa_and_nonnull<mlir::IntegerType>(type); }

/// Integer division rounds towards zero.
Result divide(NodeContext &n) {
  if (!isInteger(n.type(0)))
    return binary<divNumbers>(n);
  return elementwise(n, 2, [&](ArrayRef<Number> v) -> MaybeNumber {
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
  return elementwise(n, 2, [&](ArrayRef<Number> v) -> MaybeNumber {
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
      n, 1, [](ArrayRef<Number> v) { return subNumbers(Number::of(0), v[0]); });
}

Result absolute(NodeContext &n) {
  return elementwise(n, 1, [](ArrayRef<Number> v) -> MaybeNumber {
    std::optional<bool> negative = isLess(v[0], Number::of(0));
    if (!negative)
      return std::nullopt;
    return *negative ? subNumbers(Number::of(0), v[0]) : MaybeNumber(v[0]);
  });
}

Result logicalNot(NodeContext &n) {
  return elementwise(n, 1, [](ArrayRef<Number> v) -> MaybeNumber {
    if (auto value = v[0].integer())
      return Number::of(*value == 0);
    return std::nullopt;
  });
}

template <bool isAnd> Result logical(NodeContext &n) {
  return elementwise(n, 2, [](ArrayRef<Number> v) -> MaybeNumber {
    auto a = v[0].integer(), b = v[1].integer();
    if (!a || !b)
      return std::nullopt;
    return Number::of(isAnd ? (*a && *b) : (*a || *b));
  });
}

Result choose(NodeContext &n) {
  if (n.inputs() != 3 || n.type(1) != n.type(2))
    return std::nullopt;
  return elementwise(n, 3, [](ArrayRef<Number> v) -> MaybeNumber {
    if (v[1] == v[2])
      return v[1];
    if (auto condition = v[0].integer())
      return *condition ? v[1] : v[2];
    return std::nullopt;
  });
}

template <MaybeNumber (*function)(const Number &)>
Result unary(NodeContext &n) {
  return elementwise(n, 1, [](ArrayRef<Number> v) { return function(v[0]); });
}

Result castTo(NodeContext &n, Type to) {
  bool fromFloat = isa<FloatType>(n.type(0));
  return elementwise(n, 1, [&](ArrayRef<Number> v) -> MaybeNumber {
    if (to.isInteger(1)) {
      if (auto zero = isEqual(v[0], Number::of(0)))
        return Number::of(!*zero);
      return std::nullopt;
    }
    Number value = v[0];
    if (fromFloat && isa<mlir::IntegerType>(to) && value.den != 1) {
      // Rounds towards zero.
      std::optional<bool> negative = isLess(value, Number::of(0));
      MaybeNumber rounded = !negative   ? std::nullopt
                            : *negative ? ceilNumber(value)
                                        : floorNumber(value);
      if (!rounded)
        return std::nullopt;
      value = *rounded;
    }
    return fitsType(value, to) ? MaybeNumber(value) : std::nullopt;
  });
}

} // namespace

Evaluated castElements(NodeContext &n) {
  Type to = elementTypeFor(n.integer("to", 0), n.importer.context());
  return to ? castTo(n, to) : std::nullopt;
}

void addArithmeticRules(EvaluationRules &rules) {
  rules["Add"] = {binary<addNumbers>};
  rules["Sub"] = {binary<subNumbers>};
  rules["Mul"] = {binary<mulNumbers>};
  rules["Div"] = {divide};
  rules["Mod"] = {modulo};
  rules["Min"] = {variadic<minNumbers>};
  rules["Max"] = {variadic<maxNumbers>};
  rules["Neg"] = {negate};
  rules["Abs"] = {absolute};
  rules["Floor"] = {unary<floorNumber>};
  rules["Ceil"] = {unary<ceilNumber>};
  rules["Equal"] = {compare<isEqual>, -1};
  rules["Less"] = {compare<isLess>, -1};
  rules["LessOrEqual"] = {compare<isLessEqual>, -1};
  rules["Greater"] = {compare<isLess, true>, -1};
  rules["GreaterOrEqual"] = {compare<isLessEqual, true>, -1};
  rules["Not"] = {logicalNot, -1};
  rules["And"] = {logical<true>, -1};
  rules["Or"] = {logical<false>, -1};
  rules["Where"] = {choose, 1};
}

} // namespace ingot::onnxin
