//===- RelativeBias.cpp - biases that depend on a distance ----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// T5 adds to each score a number of the head that a table has for the distance
// between query and key: near distances have rows of their own, far ones share
// rows by their logarithm. The arithmetic that turns positions into rows is
// followed back to the positions, and then done for every distance that there
// can be, once, while compiling.
//
//===----------------------------------------------------------------------===//
#include "lib/Transforms/Decoder/RelativeBias.h"
#include "lib/Transforms/Recognition/Matchers.h"

#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace ingot;
using Index = SmallVector<DimExpr>;

namespace {

constexpr llvm::StringLiteral distanceName = "?distance";

/// Arithmetic on the distance between a query and a key.
class DistanceFunction {
public:
  DistanceFunction(MaskAnalysis &analysis, const DimExpr &offset)
      : analysis(analysis), offset(offset) {}

  /// Takes the element of `value` at `index` apart; false if it depends on
  /// anything else.
  bool assign(Value value, ArrayRef<DimExpr> index) {
    std::optional<unsigned> found = add(value, index);
    return found && *found + 1 == steps.size();
  }

  /// The value for a distance.
  double operator()(int64_t distance) const {
    SmallVector<double> values;
    for (const Step &step : steps) {
      SmallVector<double, 3> operands;
      for (unsigned operand : step.operands)
        operands.push_back(values[operand]);
      values.push_back(step.op ? compute(step.op, operands)
                               : step.slope * distance + step.constant);
    }
    return values.back();
  }

private:
  /// An op over earlier steps, or slope * distance + constant.
  struct Step {
    Operation *op = nullptr;
    SmallVector<unsigned, 3> operands;
    double slope = 0.0, constant = 0.0;
  };

  std::optional<unsigned> add(Step step) {
    constexpr size_t maxSteps = 200;
    if (steps.size() == maxSteps)
      return std::nullopt;
    steps.push_back(std::move(step));
    return steps.size() - 1;
  }

  std::optional<unsigned> add(Value value, ArrayRef<DimExpr> index) {
    MaskElement element = analysis.elementAt(value, index);
    if (element.kind == MaskElement::Kind::Real)
      return add(Step{nullptr, {}, 0.0, element.whenTrue});
    if (element.kind == MaskElement::Kind::Integer)
      return addNumber(element.number);
    Operation *op = value.getDefiningOp();
    if (!op || !(isKnown(op) ||
                 isa<ReshapeOp, TransposeOp, SliceOp, BroadcastToOp>(op)))
      return std::nullopt;
    Step step;
    step.op = op;
    for (OpOperand &operand : op->getOpOperands()) {
      std::optional<Index> source = analysis.sourceIndex(operand, index);
      std::optional<unsigned> part =
          source ? add(operand.get(), *source) : std::nullopt;
      if (!part || !isKnown(op))
        return part;
      step.operands.push_back(*part);
    }
    return add(std::move(step));
  }

  /// A number that the distance gives alone.
  std::optional<unsigned> addNumber(const DimExpr &number) {
    // The query stands at offset + ?query, `distance` behind the key.
    DimExpr key = DimExpr::symbol(nameOf(MaskAxis::Key));
    DimExpr inDistance =
        number.substitute([&](StringRef name) -> std::optional<DimExpr> {
          if (name != nameOf(MaskAxis::Query))
            return std::nullopt;
          return key + DimExpr::symbol(distanceName) - offset;
        });
    if (isOneQuery)
      inDistance =
          number.substitute([&](StringRef name) -> std::optional<DimExpr> {
            if (name != nameOf(MaskAxis::Key))
              return std::nullopt;
            return offset - DimExpr::symbol(distanceName);
          });
    Step step;
    for (const DimExpr::Term &term : inDistance.getTerms()) {
      if (term.atoms.empty())
        step.constant = static_cast<double>(term.coefficient);
      else if (term.atoms.size() == 1 &&
               term.atoms[0]->kind == DimExpr::AtomKind::Symbol &&
               term.atoms[0]->name == distanceName)
        step.slope = static_cast<double>(term.coefficient);
      else
        return std::nullopt;
    }
    return inDistance.hasOverflown() ? std::nullopt : add(step);
  }

  static bool isKnown(Operation *op) {
    if (auto cast = dyn_cast<CastOp>(op); cast && cast.getBitcast())
      return false;
    Type type = elementTypeOf(op->getResult(0));
    return isa<AddOp, SubOp, MulOp, DivOp, NegOp, AbsOp, MinOp, MaxOp, LogOp,
               FloorOp, CeilOp, CastOp, WhereOp, LessOp, LessEqualOp, GreaterOp,
               GreaterEqualOp, EqualOp, AndOp, OrOp, NotOp>(op) &&
           (isa<IntegerType>(type) || type.isF32() || type.isF64());
  }

  /// Integers are far below 2^53, so that doubles hold them.
  static double compute(Operation *op, ArrayRef<double> x) {
    Type type = elementTypeOf(op->getResult(0));
    bool isWhole = isa<IntegerType>(type);
    auto log = [&](double value) {
      return type.isF32()
                 ? static_cast<double>(std::log(static_cast<float>(value)))
                 : std::log(value);
    };
    double result =
        llvm::TypeSwitch<Operation *, double>(op)
            .Case([&](AddOp) { return x[0] + x[1]; })
            .Case([&](SubOp) { return x[0] - x[1]; })
            .Case([&](MulOp) { return x[0] * x[1]; })
            .Case([&](DivOp) { return x[0] / x[1]; })
            .Case([&](NegOp) { return -x[0]; })
            .Case([&](AbsOp) { return std::abs(x[0]); })
            .Case([&](MinOp) { return std::min(x[0], x[1]); })
            .Case([&](MaxOp) { return std::max(x[0], x[1]); })
            .Case([&](LogOp) { return log(x[0]); })
            .Case([&](FloorOp) { return std::floor(x[0]); })
            .Case([&](CeilOp) { return std::ceil(x[0]); })
            .Case([&](CastOp) {
              return type.isInteger(1) ? double(x[0] != 0.0) : x[0];
            })
            .Case([&](WhereOp) { return x[0] != 0.0 ? x[1] : x[2]; })
            .Case([&](LessOp) { return double(x[0] < x[1]); })
            .Case([&](LessEqualOp) { return double(x[0] <= x[1]); })
            .Case([&](GreaterOp) { return double(x[0] > x[1]); })
            .Case([&](GreaterEqualOp) { return double(x[0] >= x[1]); })
            .Case([&](EqualOp) { return double(x[0] == x[1]); })
            .Case([&](AndOp) { return double(x[0] != 0.0 && x[1] != 0.0); })
            .Case([&](OrOp) { return double(x[0] != 0.0 || x[1] != 0.0); })
            .Case([&](NotOp) { return double(x[0] == 0.0); })
            .Default([](Operation *) { return NAN; });
    if (isWhole)
      return std::trunc(result);
    return type.isF32() ? static_cast<double>(static_cast<float>(result))
                        : result;
  }

public:
  /// The only query stands at the offset.
  bool isOneQuery = false;

private:
  MaskAnalysis &analysis;
  DimExpr offset;
  std::vector<Step> steps;
};

/// A table and the ids that choose from it.
struct Choice {
  Value table, ids;
};

std::optional<Choice> choiceOf(Operation *op) {
  if (auto embedding = dyn_cast<EmbeddingOp>(op))
    return Choice{embedding.getTable(), embedding.getIds()};
  if (auto gather = dyn_cast<GatherOp>(op); gather && gather.getAxis() == 0)
    return Choice{gather.getX(), gather.getIndices()};
  return std::nullopt;
}

} // namespace

std::optional<RelativeBias>
ingot::findRelativeBias(Value bias, const AttentionExtents &extents,
                        const DimExpr &offset, ShapeAnalysis &shapes) {
  MaskAnalysis analysis(
      shapes, {extents.batch, extents.heads, extents.queries, extents.keys});
  const DimShape dims = shapes.shapeOf(bias);
  if (dims.size() != 4)
    return std::nullopt;
  Index index;
  for (auto [i, dim] : llvm::enumerate(dims))
    index.push_back(dim.isConstant(1)
                        ? DimExpr()
                        : DimExpr::symbol(nameOf(static_cast<MaskAxis>(i))));
  Operation *op = bias.getDefiningOp();
  while (op && !choiceOf(op)) {
    std::optional<Index> source;
    auto cast = dyn_cast<CastOp>(op);
    if (cast && isa<FloatType>(elementTypeOf(cast.getX())))
      source = index;
    else if (isa<ReshapeOp, TransposeOp, SliceOp, BroadcastToOp>(op))
      source = analysis.sourceIndex(op->getOpOperand(0), index);
    if (!source)
      return std::nullopt;
    index = std::move(*source);
    op = op->getOperand(0).getDefiningOp();
  }
  if (!op)
    return std::nullopt;
  Choice choice = *choiceOf(op);
  auto table = cast<RankedTensorType>(choice.table.getType());
  WeightAnalysis weights;
  if (table.getRank() != 2 || !table.hasStaticShape() ||
      !isa<FloatType>(table.getElementType()) ||
      !weights.isWeight(choice.table) ||
      !extents.heads.isConstant(table.getDimSize(1)) ||
      (index.back() != DimExpr::symbol(nameOf(MaskAxis::Head)) &&
       table.getDimSize(1) != 1))
    return std::nullopt;
  index.pop_back();

  DistanceFunction rowAt(analysis, offset);
  rowAt.isOneQuery = extents.queries.isConstant(1);
  if (!rowAt.assign(choice.ids, index))
    return std::nullopt;
  RelativeBias found;
  found.table = choice.table;
  for (int64_t distance = 0; distance < maxBiasDistance; ++distance) {
    double row = rowAt(distance);
    // Also false for NaN.
    if (!(row >= 0 && row < static_cast<double>(table.getDimSize(0))))
      return std::nullopt;
    found.rows.push_back(static_cast<int64_t>(row));
  }
  while (found.rows.size() > 1 && found.rows.end()[-2] == found.rows.back())
    found.rows.pop_back();
  return found;
}

Value ingot::buildRelativeBias(OpBuilder &builder, Location loc,
                               const RelativeBias &bias) {
  auto type = RankedTensorType::get(static_cast<int64_t>(bias.rows.size()),
                                    builder.getI64Type());
  Value rows = ConstantOp::create(
      builder, loc, DenseElementsAttr::get(type, ArrayRef<int64_t>(bias.rows)));
  Value chosen = EmbeddingOp::create(builder, loc, bias.table, rows);
  if (!elementTypeOf(chosen).isF32())
    chosen = CastOp::create(builder, loc, chosen, builder.getF32Type());
  return buildTranspose(builder, loc, chosen, {1, 0});
}
