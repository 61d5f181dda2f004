//===- MaskElementwise.cpp - elementwise ops at a symbolic position -------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "MaskAnalysis.h"

#include <cmath>

using namespace mlir;
using namespace ingot;
using Kind = MaskElement::Kind;

MaskElement ingot::makeInteger(DimExpr number) {
  MaskElement element;
  element.kind = Kind::Integer;
  element.number = std::move(number);
  return element;
}

MaskElement ingot::makeReal(double value) {
  MaskElement element;
  element.kind = Kind::Real;
  element.whenTrue = value;
  return element;
}

MaskElement ingot::makeTruth(MaskPredicate predicate) {
  MaskElement element;
  element.kind = Kind::Truth;
  element.predicate = std::move(predicate);
  return element;
}

MaskElement ingot::makeTruth(bool value) {
  MaskPredicate predicate;
  predicate.isFalse = !value;
  return makeTruth(std::move(predicate));
}

MaskElement ingot::makeChoice(MaskPredicate predicate, double a, double b) {
  if (predicate.isTrue())
    return makeReal(a);
  if (predicate.isFalse)
    return makeReal(b);
  MaskElement element;
  element.kind = Kind::Choice;
  element.predicate = std::move(predicate);
  element.whenTrue = a;
  element.whenFalse = b;
  return element;
}

std::optional<MaskPredicate> ingot::negate(const MaskPredicate &predicate) {
  MaskPredicate result;
  if (predicate.isTrue() || predicate.isFalse) {
    result.isFalse = !predicate.isFalse;
    return result;
  }
  if (predicate.atoms.size() != 1)
    return std::nullopt;
  MaskAtom atom = predicate.atoms[0];
  if (atom.tensor)
    atom.negated = !atom.negated;
  else
    atom.expr = DimExpr() - atom.expr - DimExpr::constant(1);
  result.add(atom);
  return result;
}

/// The condition `expr >= 0`.
static MaskElement notNegative(const DimExpr &expr) {
  MaskPredicate predicate;
  MaskAtom atom;
  atom.expr = expr;
  predicate.add(atom);
  return makeTruth(std::move(predicate));
}

/// The number that an element is for certain.
static std::optional<double> numberOf(const MaskElement &element) {
  if (element.kind == Kind::Real)
    return element.whenTrue;
  if (element.kind == Kind::Integer)
    if (std::optional<int64_t> value = element.number.getConstant())
      return static_cast<double>(*value);
  return std::nullopt;
}

/// What a comparison with the numbers of a choice makes of it.
static MaskElement compareChoice(const MaskElement &x,
                                 llvm::function_ref<bool(double)> holds) {
  bool whenTrue = holds(x.whenTrue), whenFalse = holds(x.whenFalse);
  if (whenTrue == whenFalse)
    return makeTruth(whenTrue);
  if (whenTrue)
    return makeTruth(x.predicate);
  if (std::optional<MaskPredicate> negated = negate(x.predicate))
    return makeTruth(*negated);
  return {};
}

MaskElement MaskAnalysis::ofComparison(Operation *op, const MaskElement &a,
                                       const MaskElement &b) {
  if (a.kind == Kind::Integer && b.kind == Kind::Integer) {
    DimExpr one = DimExpr::constant(1), more = a.number - b.number,
            less = b.number - a.number;
    if (isa<LessEqualOp>(op))
      return notNegative(less);
    if (isa<LessOp>(op))
      return notNegative(less - one);
    if (isa<GreaterEqualOp>(op))
      return notNegative(more);
    if (isa<GreaterOp>(op))
      return notNegative(more - one);
    MaskElement both = notNegative(more);
    both.predicate.add(notNegative(less).predicate);
    return both;
  }
  // A constant on the left is compared the other way round.
  bool swapped = numberOf(a).has_value();
  const MaskElement &x = swapped ? b : a;
  std::optional<double> number = numberOf(swapped ? a : b);
  if (!number)
    return {};
  auto holds = [&](double value) {
    double left = swapped ? *number : value, right = swapped ? value : *number;
    if (isa<LessEqualOp>(op))
      return left <= right;
    if (isa<LessOp>(op))
      return left < right;
    if (isa<GreaterEqualOp>(op))
      return left >= right;
    if (isa<GreaterOp>(op))
      return left > right;
    return left == right;
  };
  if (x.kind == Kind::Choice)
    return compareChoice(x, holds);
  if (x.kind != Kind::Load || !x.tensor || !isa<EqualOp>(op))
    return {};
  MaskPredicate predicate;
  MaskAtom atom;
  atom.tensor = x.tensor;
  atom.index = x.index;
  atom.value = *number;
  predicate.add(atom);
  return makeTruth(std::move(predicate));
}

MaskElement MaskAnalysis::ofArithmetic(Operation *op, const MaskElement &a,
                                       const MaskElement &b) {
  if (a.kind == Kind::Integer && b.kind == Kind::Integer) {
    if (isa<AddOp>(op))
      return makeInteger(a.number + b.number);
    if (isa<SubOp>(op))
      return makeInteger(a.number - b.number);
    if (isa<MulOp>(op))
      return makeInteger(a.number * b.number);
    return {};
  }
  auto compute = [&](double x, double y) {
    if (isa<AddOp>(op))
      return x + y;
    if (isa<SubOp>(op))
      return x - y;
    return isa<MulOp>(op) ? x * y : x / y;
  };
  std::optional<double> x = numberOf(a), y = numberOf(b);
  if (x && y)
    return makeReal(compute(*x, *y));
  if (a.kind == Kind::Choice && y)
    return makeChoice(a.predicate, compute(a.whenTrue, *y),
                      compute(a.whenFalse, *y));
  if (b.kind == Kind::Choice && x)
    return makeChoice(b.predicate, compute(*x, b.whenTrue),
                      compute(*x, b.whenFalse));
  // Where either is zero, so is the product.
  if (isa<MulOp>(op) && a.kind == Kind::Choice && b.kind == Kind::Choice &&
      a.whenFalse == 0.0 && b.whenFalse == 0.0 && std::isfinite(a.whenTrue) &&
      std::isfinite(b.whenTrue)) {
    MaskPredicate both = a.predicate;
    both.add(b.predicate);
    return makeChoice(std::move(both), a.whenTrue * b.whenTrue, 0.0);
  }
  return {};
}

MaskElement MaskAnalysis::ofTriangle(Operation *op, const Index &index,
                                     unsigned depth) {
  auto triangle = cast<TriluOp>(op);
  MaskElement x = element(triangle.getX(), index, depth + 1), diagonal;
  diagonal = makeInteger(DimExpr());
  if (Value given = triangle.getK())
    diagonal = element(given, {}, depth + 1);
  if (diagonal.kind != Kind::Integer)
    return {};
  DimExpr right = index.back() - index[index.size() - 2] - diagonal.number;
  MaskElement inside =
      notNegative(triangle.getUpper() ? right : DimExpr() - right);
  if (x.kind == Kind::Truth) {
    inside.predicate.add(x.predicate);
    return inside;
  }
  std::optional<double> number = numberOf(x);
  return number ? makeChoice(inside.predicate, *number, 0.0) : MaskElement();
}

/// `condition ? a : b`
static MaskElement select(const MaskElement &condition, const MaskElement &a,
                          const MaskElement &b) {
  MaskPredicate predicate = MaskAnalysis::truthOf(condition);
  if (predicate.isTrue())
    return a;
  if (predicate.isFalse)
    return b;
  std::optional<double> x = numberOf(a), y = numberOf(b);
  if (x && y)
    return makeChoice(predicate, *x, *y);
  // Two choices with the same fill are one choice by both conditions.
  if (a.kind == Kind::Choice && y && a.whenFalse == *y) {
    predicate.add(a.predicate);
    return makeChoice(predicate, a.whenTrue, *y);
  }
  std::optional<MaskPredicate> negated = negate(predicate);
  if (b.kind == Kind::Choice && x && b.whenFalse == *x && negated) {
    negated->add(b.predicate);
    return makeChoice(*negated, b.whenTrue, *x);
  }
  return {};
}

MaskElement MaskAnalysis::ofElementwise(Operation *op, const Index &index,
                                        unsigned depth) {
  DimShape to = shapes.shapeOf(op->getResult(0));
  SmallVector<MaskElement, 3> operands;
  for (Value operand : op->getOperands()) {
    std::optional<Index> inner =
        broadcastIndex(shapes.shapeOf(operand), to, index);
    if (!inner)
      return {};
    operands.push_back(element(operand, *inner, depth + 1));
  }
  if (isa<WhereOp>(op))
    return select(operands[0], operands[1], operands[2]);
  if (isa<NotOp>(op)) {
    std::optional<MaskPredicate> negated = negate(truthOf(operands[0]));
    return negated ? makeTruth(*negated) : MaskElement();
  }
  if (isa<AndOp>(op)) {
    MaskPredicate both = truthOf(operands[0]);
    both.add(truthOf(operands[1]));
    return makeTruth(std::move(both));
  }
  if (isa<OrOp>(op)) {
    MaskPredicate a = truthOf(operands[0]), b = truthOf(operands[1]);
    if (a.isTrue() || b.isTrue())
      return makeTruth(true);
    if (a.isFalse || b.isFalse)
      return makeTruth(a.isFalse ? b : a);
    return {};
  }
  if (isa<NegOp>(op) && operands[0].kind == Kind::Integer)
    return makeInteger(DimExpr() - operands[0].number);
  if (isa<NegOp>(op) && operands[0].kind == Kind::Choice)
    return makeChoice(operands[0].predicate, -operands[0].whenTrue,
                      -operands[0].whenFalse);
  if (isa<EqualOp, LessOp, LessEqualOp, GreaterOp, GreaterEqualOp>(op))
    return ofComparison(op, operands[0], operands[1]);
  if (isa<AddOp, SubOp, MulOp, DivOp>(op))
    return ofArithmetic(op, operands[0], operands[1]);
  return {};
}
