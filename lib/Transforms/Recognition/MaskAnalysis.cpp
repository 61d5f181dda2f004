//===- MaskAnalysis.cpp - the element of a mask at a symbolic position ----===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "MaskAnalysis.h"

#include "Matchers.h"

using namespace mlir;
using namespace ingot;
using Kind = MaskElement::Kind;

/// Masks are a few dozen ops deep and as many wide; bounds keep hostile graphs
/// cheap, in which shared values make a tree of exponential size.
static constexpr unsigned maxDepth = 64;
static constexpr unsigned maxElements = 2000;
/// A predicate with more conditions is no mask of the normal form.
static constexpr size_t maxAtoms = 16;

StringRef ingot::nameOf(MaskAxis axis) {
  // No parsed symbol begins with a question mark.
  static constexpr llvm::StringLiteral names[] = {"?batch", "?head", "?query",
                                                  "?key"};
  return names[static_cast<int>(axis)];
}

bool MaskAtom::operator==(const MaskAtom &other) const {
  return expr == other.expr && tensor == other.tensor && index == other.index &&
         value == other.value && negated == other.negated;
}

void MaskPredicate::add(const MaskAtom &atom) {
  if (!atom.tensor) {
    if (std::optional<int64_t> low = atom.expr.lowerBound(); low && *low >= 0)
      return;
    if (std::optional<int64_t> high = atom.expr.upperBound(); high && *high < 0)
      isFalse = true;
  }
  // Of two bounds for the same the closer one stays.
  auto implies = [](const MaskAtom &a, const MaskAtom &b) {
    std::optional<int64_t> more =
        a.tensor || b.tensor ? std::nullopt : (b.expr - a.expr).lowerBound();
    return more && *more >= 0;
  };
  if (llvm::is_contained(atoms, atom) ||
      llvm::any_of(atoms,
                   [&](const auto &known) { return implies(known, atom); }))
    return;
  llvm::erase_if(atoms,
                 [&](const auto &known) { return implies(atom, known); });
  atoms.push_back(atom);
}

void MaskPredicate::add(const MaskPredicate &other) {
  isFalse |= other.isFalse;
  for (const MaskAtom &atom : other.atoms)
    add(atom);
}

MaskPredicate MaskAnalysis::truthOf(const MaskElement &element) {
  if (element.kind == Kind::Truth)
    return element.predicate;
  MaskPredicate predicate;
  if (element.kind == Kind::Real) {
    predicate.isFalse = element.whenTrue == 0.0;
    return predicate;
  }
  MaskAtom atom;
  atom.tensor = element.tensor;
  atom.index = element.index;
  atom.negated = true;
  predicate.add(atom);
  return predicate;
}

std::optional<MaskElement> MaskAnalysis::elementAtPosition(Value value) {
  DimShape shape = shapes.shapeOf(value);
  if (shape.size() > extents.size())
    return std::nullopt;
  Index position;
  for (int i = 0; i < 4; ++i)
    position.push_back(DimExpr::symbol(nameOf(static_cast<MaskAxis>(i))));
  std::optional<Index> index = broadcastIndex(shape, extents, position);
  if (!index)
    return std::nullopt;
  budget = maxElements;
  return element(value, *index, 0);
}

MaskElement MaskAnalysis::elementAt(Value value, ArrayRef<DimExpr> index) {
  budget = maxElements;
  return element(value, Index(index), 0);
}

std::optional<MaskAnalysis::Index>
MaskAnalysis::sourceIndex(OpOperand &operand, ArrayRef<DimExpr> index) {
  Operation *op = operand.getOwner();
  if (op->hasTrait<Elementwise>())
    return broadcastIndex(shapes.shapeOf(operand.get()),
                          shapes.shapeOf(op->getResult(0)), Index(index));
  std::optional<DimExpr> assumed;
  std::optional<Index> moved;
  if (isa<ReshapeOp, TransposeOp, BroadcastToOp, SliceOp>(op) &&
      operand.getOperandNumber() == 0)
    moved = movedIndex(op, Index(index), assumed);
  return assumed ? std::nullopt : moved;
}

//===----------------------------------------------------------------------===//
// Indices
//===----------------------------------------------------------------------===//

std::optional<MaskAnalysis::Index>
MaskAnalysis::broadcastIndex(const DimShape &from, const DimShape &to,
                             const Index &index) {
  if (from.size() > to.size())
    return std::nullopt;
  Index result;
  size_t offset = to.size() - from.size();
  for (auto [i, dim] : llvm::enumerate(from)) {
    if (dim.isConstant(1))
      result.push_back(DimExpr());
    else if (dim == to[offset + i])
      result.push_back(index[offset + i]);
    else
      return std::nullopt;
  }
  return result;
}

std::optional<MaskAxis> MaskAnalysis::axisOf(const DimExpr &expr) {
  std::optional<std::string> symbol = expr.getSymbol();
  for (MaskAxis axis :
       {MaskAxis::Batch, MaskAxis::Head, MaskAxis::Query, MaskAxis::Key})
    if (symbol == nameOf(axis).str())
      return axis;
  return std::nullopt;
}

bool MaskAnalysis::isWithin(const DimExpr &expr, const DimExpr &extent) {
  if (std::optional<int64_t> value = expr.getConstant()) {
    std::optional<int64_t> low = extent.lowerBound();
    return *value == 0 || (*value > 0 && low && *value < *low);
  }
  std::optional<std::string> symbol = expr.getSymbol();
  if (!symbol)
    return false;
  for (int i = 0; i < 4; ++i)
    if (*symbol == nameOf(static_cast<MaskAxis>(i)))
      return extents[i] == extent;
  return false;
}

/// A term as an expression of its own.
static std::optional<DimExpr> asExpr(const DimExpr::Term &term) {
  DimExpr product = DimExpr::constant(term.coefficient);
  for (const DimExpr::AtomRef &atom : term.atoms) {
    // The names of positions are none that can be parsed.
    std::optional<DimExpr> factor = atom->kind == DimExpr::AtomKind::Symbol
                                        ? DimExpr::symbol(atom->name)
                                        : DimExpr::parse(atom->text);
    if (!factor)
      return std::nullopt;
    product = product * *factor;
  }
  return product;
}

std::optional<MaskAnalysis::Index>
MaskAnalysis::reshapeIndex(const DimShape &from, const DimShape &to,
                           const Index &index,
                           std::optional<DimExpr> &assumed) {
  // Dims of one come and go.
  Index result(from.size());
  size_t next = 0;
  bool aligned = true;
  for (auto [i, dim] : llvm::enumerate(from)) {
    if (dim.isConstant(1))
      continue;
    while (next < to.size() && to[next].isConstant(1))
      ++next;
    if (next == to.size() || to[next] != dim) {
      aligned = false;
      break;
    }
    result[i] = index[next++];
  }
  while (aligned && next < to.size())
    aligned = to[next++].isConstant(1);
  if (aligned)
    return result;
  // The row-major number of the element, taken apart by the other dims.
  DimExpr linear;
  for (auto [dim, i] : llvm::zip_equal(to, index))
    linear = linear * dim + i;
  for (size_t i = from.size(); i-- > 0;) {
    if (i == 0) {
      result[0] = linear;
      break;
    }
    if (from[i].getTerms().empty())
      return std::nullopt;
    // Long division by the divisor's leading term.
    std::optional<DimExpr> lead = asExpr(from[i].getTerms()[0]);
    DimExpr quotient, rest = linear;
    bool changed = lead.has_value();
    for (size_t steps = 0; changed && steps < maxAtoms; ++steps) {
      changed = false;
      for (const DimExpr::Term &term : rest.getTerms()) {
        std::optional<DimExpr> product = asExpr(term);
        if (!product)
          return std::nullopt;
        if (std::optional<DimExpr> exact = product->dividedBy(*lead)) {
          quotient = quotient + *exact;
          rest = rest - *exact * from[i];
          changed = true;
          break;
        }
      }
    }
    // A key may lie behind the end of a mask of another length: whoever cuts
    // the mask to the keys' length checks that.
    if (!isWithin(rest, from[i])) {
      if (axisOf(rest) != MaskAxis::Key || !from[i].getSymbol())
        return std::nullopt;
      assumed = from[i];
    }
    result[i] = rest;
    linear = quotient;
  }
  if (from.empty() && linear != DimExpr())
    return std::nullopt;
  return result;
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

MaskElement MaskAnalysis::element(Value value, const Index &index,
                                  unsigned depth) {
  MaskElement leaf;
  leaf.tensor = value;
  leaf.index = index;
  Operation *op = value.getDefiningOp();
  if (!op || depth > maxDepth || budget == 0)
    return leaf;
  --budget;
  MaskElement result = leaf;
  if (isa<ConstantOp, FromDimsOp>(op))
    result = ofConstant(value, index);
  else if (isa<RangeOp>(op))
    result = ofRange(op, index, depth);
  else if (isa<ReshapeOp, TransposeOp, BroadcastToOp, SliceOp>(op))
    result = ofMovement(op, index, depth);
  else if (isa<GatherOp, GatherNdOp, ConcatOp>(op))
    result = ofGather(op, index, depth);
  else if (isa<CastOp>(op))
    result = ofCast(value, index, depth);
  else if (isa<TriluOp>(op))
    result = ofTriangle(op, index, depth);
  else if (op->hasTrait<Elementwise>())
    result = ofElementwise(op, index, depth);
  if (result.predicate.atoms.size() > maxAtoms)
    return leaf;
  // An element of which nothing is known is best read where it is computed
  // last, unless it only was moved.
  return result.kind == Kind::Load && !result.tensor ? leaf : result;
}

/// The element of a small constant whose numbers grow in equal steps along its
/// only dim that is not one.
static MaskElement ofSteps(ConstantOp op, ArrayRef<DimExpr> index) {
  auto elements = dyn_cast<DenseIntElementsAttr>(op.getValue());
  if (!elements || elements.getElementType().isInteger(1) ||
      elements.getNumElements() < 2)
    return {};
  std::optional<size_t> along;
  for (auto [i, extent] : llvm::enumerate(elements.getType().getShape())) {
    if (extent == 1)
      continue;
    if (along)
      return {};
    along = i;
  }
  auto numbers =
      llvm::map_to_vector(elements.getValues<APInt>(),
                          [](const APInt &n) { return n.getSExtValue(); });
  // Far from overflow, as numbers of positions are.
  constexpr int64_t most = int64_t(1) << 30;
  int64_t step = 0;
  for (auto [i, number] : llvm::enumerate(numbers)) {
    if (number <= -most || number >= most)
      return {};
    if (i == 1)
      step = number - numbers[0];
    if (number != numbers[0] + static_cast<int64_t>(i) * step)
      return {};
  }
  return makeInteger(DimExpr::constant(numbers[0]) +
                     index[*along] * DimExpr::constant(step));
}

MaskElement MaskAnalysis::ofConstant(Value value, const Index &index) {
  Operation *op = value.getDefiningOp();
  Type type = elementTypeOf(value);
  if (auto dims = dyn_cast<FromDimsOp>(op)) {
    DimShape shape = dims.getDims().getDims();
    std::optional<int64_t> at =
        index.empty() ? std::optional<int64_t>(0) : index[0].getConstant();
    if (!at || *at < 0 || *at >= static_cast<int64_t>(shape.size()))
      return {};
    return makeInteger(shape[*at]);
  }
  std::optional<double> splat = splatConstant(value);
  if (!splat)
    return ofSteps(cast<ConstantOp>(op), index);
  if (type.isInteger(1))
    return makeTruth(*splat != 0.0);
  return isa<IntegerType>(type)
             ? makeInteger(DimExpr::constant(static_cast<int64_t>(*splat)))
             : makeReal(*splat);
}

MaskElement MaskAnalysis::ofRange(Operation *op, const Index &index,
                                  unsigned depth) {
  auto range = cast<RangeOp>(op);
  if (!isa<IntegerType>(elementTypeOf(range)))
    return {};
  // The start may be a size, such as that of the past.
  MaskElement start = element(range.getStart(), Index(), depth + 1);
  std::optional<double> step = scalarConstant(range.getStep());
  if (start.kind != Kind::Integer || !step)
    return {};
  return makeInteger(start.number +
                     index[0] * DimExpr::constant(static_cast<int64_t>(*step)));
}

std::optional<MaskAnalysis::Index>
MaskAnalysis::movedIndex(Operation *op, const Index &index,
                         std::optional<DimExpr> &assumed) {
  DimShape from = shapes.shapeOf(op->getOperand(0)),
           to = shapes.shapeOf(op->getResult(0));
  std::optional<Index> moved;
  if (isa<ReshapeOp>(op)) {
    moved = reshapeIndex(from, to, index, assumed);
  } else if (isa<BroadcastToOp>(op)) {
    moved = broadcastIndex(from, to, index);
  } else if (auto transpose = dyn_cast<TransposeOp>(op)) {
    moved = Index(from.size());
    for (auto [i, dim] : llvm::enumerate(transpose.getPermutation()))
      (*moved)[dim] = index[i];
  } else if (auto slice = dyn_cast<SliceOp>(op)) {
    moved = Index();
    for (auto [i, start, step] :
         llvm::zip_equal(index, slice.getStarts().getDims(), slice.getSteps()))
      moved->push_back(start + i * DimExpr::constant(step));
  }
  return moved;
}

MaskElement MaskAnalysis::ofMovement(Operation *op, const Index &index,
                                     unsigned depth) {
  std::optional<DimExpr> assumed;
  std::optional<Index> moved = movedIndex(op, index, assumed);
  if (!moved)
    return {};
  MaskElement result = element(op->getOperand(0), *moved, depth + 1);
  return assumed && !isReadByKey(result, *assumed) ? MaskElement() : result;
}

bool MaskAnalysis::isReadByKey(const MaskElement &element,
                               const DimExpr &extent) {
  auto reads = [&](Value tensor, const Index &index) {
    DimShape shape = tensor ? shapes.shapeOf(tensor) : DimShape();
    for (auto [dim, at] : llvm::zip(shape, index))
      if (dim == extent && axisOf(at) == MaskAxis::Key)
        return true;
    return false;
  };
  if (element.kind == Kind::Load)
    return reads(element.tensor, element.index);
  return element.kind == Kind::Truth && !element.predicate.isFalse &&
         llvm::all_of(element.predicate.atoms, [&](const MaskAtom &atom) {
           return reads(atom.tensor, atom.index);
         });
}

MaskElement MaskAnalysis::ofGather(Operation *op, const Index &index,
                                   unsigned depth) {
  auto isIndex = [](const MaskElement &element) {
    std::optional<int64_t> low = element.kind == Kind::Integer
                                     ? element.number.lowerBound()
                                     : std::nullopt;
    return low && *low >= 0;
  };
  if (auto gather = dyn_cast<GatherOp>(op)) {
    int64_t axis = gather.getAxis(), rank = rankOf(gather.getIndices());
    Index inner(index.begin() + axis, index.begin() + axis + rank);
    MaskElement at = element(gather.getIndices(), inner, depth + 1);
    if (!isIndex(at))
      return {};
    Index outer(index.begin(), index.begin() + axis);
    outer.push_back(at.number);
    outer.append(index.begin() + axis + rank, index.end());
    return element(gather.getX(), outer, depth + 1);
  }
  if (auto gather = dyn_cast<GatherNdOp>(op)) {
    DimShape shape = shapes.shapeOf(gather.getIndices());
    std::optional<int64_t> count = shape.back().getConstant();
    if (gather.getBatchDims() != 0 || !count)
      return {};
    size_t leading = shape.size() - 1;
    Index inner(index.begin(), index.begin() + leading), outer;
    inner.push_back(DimExpr());
    for (int64_t i = 0; i < *count; ++i) {
      inner.back() = DimExpr::constant(i);
      MaskElement at = element(gather.getIndices(), inner, depth + 1);
      if (!isIndex(at))
        return {};
      outer.push_back(at.number);
    }
    outer.append(index.begin() + leading, index.end());
    return element(gather.getX(), outer, depth + 1);
  }
  auto concat = cast<ConcatOp>(op);
  std::optional<int64_t> at = index[concat.getAxis()].getConstant();
  for (Value input : concat.getInputs()) {
    std::optional<int64_t> extent =
        shapes.shapeOf(input)[concat.getAxis()].getConstant();
    if (!at || !extent)
      return {};
    if (*at < *extent) {
      Index inner = index;
      inner[concat.getAxis()] = DimExpr::constant(*at);
      return element(input, inner, depth + 1);
    }
    *at -= *extent;
  }
  return {};
}

MaskElement MaskAnalysis::ofCast(Value value, const Index &index,
                                 unsigned depth) {
  auto op = value.getDefiningOp<CastOp>();
  if (op.getBitcast())
    return {};
  Type from = elementTypeOf(op.getX()), to = elementTypeOf(op);
  MaskElement x = element(op.getX(), index, depth + 1);
  if (to.isInteger(1)) {
    if (x.kind == Kind::Integer)
      return x.number.isConstant() ? makeTruth(!x.number.isConstant(0))
                                   : MaskElement();
    if (x.kind == Kind::Choice) {
      if (x.whenTrue != 0.0 && x.whenFalse == 0.0)
        return makeTruth(x.predicate);
      std::optional<MaskPredicate> negated = negate(x.predicate);
      if (x.whenTrue == 0.0 && x.whenFalse != 0.0 && negated)
        return makeTruth(*negated);
      return {};
    }
    return makeTruth(truthOf(x));
  }
  // Masks hold zeros and ones, whatever their type.
  if (x.kind == Kind::Truth ||
      (x.kind == Kind::Load && isa<IntegerType>(from) && isa<FloatType>(to)))
    return makeChoice(truthOf(x), 1.0, 0.0);
  bool number = x.kind == Kind::Real || x.kind == Kind::Choice;
  if (number && isa<FloatType>(from) && isa<FloatType>(to)) {
    auto round = [&](double &value) {
      APFloat rounded(value);
      bool lost = false;
      rounded.convert(cast<FloatType>(to).getFloatSemantics(),
                      APFloat::rmNearestTiesToEven, &lost);
      rounded.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                      &lost);
      value = rounded.convertToDouble();
    };
    round(x.whenTrue);
    round(x.whenFalse);
    return x;
  }
  auto width = [](Type type) { return type.getIntOrFloatBitWidth(); };
  if (isa<IntegerType>(from) && isa<IntegerType>(to) &&
      (number || x.kind == Kind::Load || width(to) >= 32) &&
      (width(to) >= width(from) || width(to) >= 32))
    return x;
  if (x.kind == Kind::Integer && x.number.isConstant() && isa<FloatType>(to))
    return makeReal(static_cast<double>(*x.number.getConstant()));
  return {};
}
