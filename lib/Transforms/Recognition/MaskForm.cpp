//===- MaskForm.cpp - the normal form of attention masks ------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "MaskForm.h"

#include "Matchers.h"

#include <cmath>

using namespace mlir;
using namespace ingot;

/// `expr` as coefficient * position + rest, if it is linear in the position.
static std::optional<std::pair<int64_t, DimExpr>> linearIn(const DimExpr &expr,
                                                           MaskAxis axis) {
  auto at = [&](int64_t value) {
    return expr.substitute([&](StringRef name) -> std::optional<DimExpr> {
      if (name == nameOf(axis))
        return DimExpr::constant(value);
      return std::nullopt;
    });
  };
  DimExpr rest = at(0), slope = at(1) - rest;
  std::optional<int64_t> coefficient = slope.getConstant();
  if (!coefficient || expr != rest + slope * DimExpr::symbol(nameOf(axis)))
    return std::nullopt;
  return std::make_pair(*coefficient, rest);
}

static bool dependsOn(const DimExpr &expr, MaskAxis axis) {
  llvm::StringSet<> names;
  expr.collectSymbols(names);
  return names.contains(nameOf(axis));
}

static bool dependsOnPosition(const DimExpr &expr) {
  return dependsOn(expr, MaskAxis::Batch) || dependsOn(expr, MaskAxis::Head) ||
         dependsOn(expr, MaskAxis::Query) || dependsOn(expr, MaskAxis::Key);
}

namespace {
/// Which dim of a tensor an axis of the key mask is, and where it begins.
struct KeyAccess {
  int64_t batchDim = -1, keyDim = -1;
  DimShape starts;
};
} // namespace

/// How an atom's tensor is read by batch and key; empty if it is not.
static std::optional<KeyAccess> keyAccess(const MaskAtom &atom,
                                          const AttentionExtents &extents,
                                          ShapeAnalysis &shapes) {
  KeyAccess access;
  DimShape shape = shapes.shapeOf(atom.tensor);
  for (auto [i, index] : llvm::enumerate(atom.index)) {
    auto key = linearIn(index, MaskAxis::Key);
    auto batch = linearIn(index, MaskAxis::Batch);
    DimExpr start = index;
    if (key && key->first == 1 && access.keyDim < 0) {
      access.keyDim = i;
      start = key->second;
      // Reading past the end is an error of the model; here it must not occur.
      // A tensor whose extent is another symbol is checked when it is cut.
    } else if (batch && batch->first == 1 && access.batchDim < 0 &&
               shape[i] == extents.batch && batch->second.isConstant(0)) {
      access.batchDim = i;
      start = DimExpr();
    }
    if (dependsOnPosition(start))
      return std::nullopt;
    access.starts.push_back(start);
  }
  return access;
}

std::optional<MaskForm> ingot::reduceMask(const MaskPredicate &predicate,
                                          const AttentionExtents &extents,
                                          ShapeAnalysis &shapes) {
  if (predicate.isFalse)
    return std::nullopt;
  MaskForm form;
  SmallVector<DimExpr> lowerBounds, upperBounds;
  for (const MaskAtom &atom : predicate.atoms) {
    if (atom.tensor) {
      if (!keyAccess(atom, extents, shapes))
        return std::nullopt;
      form.keyAtoms.push_back(atom);
      continue;
    }
    auto query = linearIn(atom.expr, MaskAxis::Query);
    auto both = query ? linearIn(query->second, MaskAxis::Key) : std::nullopt;
    if (!both || dependsOnPosition(both->second))
      return std::nullopt;
    // A single query has position zero, which no expression shows.
    bool isQuery = query->first == 1 ||
                   (query->first == 0 && extents.queries.isConstant(1));
    if (isQuery && both->first == -1 && !form.causal) {
      form.causal = true;
      form.offset = both->second;
    } else if ((query->first == -1 ||
                (query->first == 0 && extents.queries.isConstant(1))) &&
               both->first == 1) {
      lowerBounds.push_back(both->second);
    } else if (query->first == 0 && both->first == -1) {
      upperBounds.push_back(both->second);
    } else {
      return std::nullopt;
    }
  }
  // An end of the keys says nothing where no query sees as far.
  for (const DimExpr &bound : upperBounds) {
    DimExpr last = form.offset + extents.queries - DimExpr::constant(1);
    std::optional<int64_t> behind = (bound - last).lowerBound();
    if (!form.causal || !behind || *behind < 0)
      return std::nullopt;
  }
  // key >= query - r with key <= query + offset leaves offset + r + 1 keys.
  for (const DimExpr &bound : lowerBounds) {
    std::optional<int64_t> size =
        (form.offset + bound + DimExpr::constant(1)).getConstant();
    if (!form.causal || !size || *size <= 0 || form.window != 0)
      return std::nullopt;
    form.window = *size;
  }
  return form;
}

Value ingot::buildKeyMask(OpBuilder &builder, Location loc,
                          const MaskForm &form, const AttentionExtents &extents,
                          ShapeAnalysis &shapes) {
  Value mask;
  DimExpr one = DimExpr::constant(1);
  for (const MaskAtom &atom : form.keyAtoms) {
    std::optional<KeyAccess> access = keyAccess(atom, extents, shapes);
    if (!access)
      return {};
    Value part = atom.tensor;
    DimShape shape = shapes.shapeOf(part), sizes(shape.size(), one);
    if (access->batchDim >= 0)
      sizes[access->batchDim] = extents.batch;
    if (access->keyDim >= 0)
      sizes[access->keyDim] = extents.keys;
    if (sizes != shape)
      part =
          SliceOp::create(builder, loc, part,
                          DimsAttr::get(builder.getContext(), access->starts),
                          DimsAttr::get(builder.getContext(), sizes),
                          SmallVector<int64_t>(shape.size(), 1));
    if (access->batchDim > access->keyDim && access->keyDim >= 0) {
      auto permutation = llvm::to_vector(
          llvm::seq<int64_t>(0, static_cast<int64_t>(shape.size())));
      std::swap(permutation[access->batchDim], permutation[access->keyDim]);
      part = buildTranspose(builder, loc, part, permutation);
    }
    part = buildReshape(builder, loc, part,
                        {access->batchDim >= 0 ? extents.batch : one,
                         access->keyDim >= 0 ? extents.keys : one},
                        shapes);
    Type type = elementTypeOf(part), truth = builder.getI1Type();
    bool negated = atom.negated;
    if (type.isInteger(1)) {
      negated ^= atom.value != 0.0;
      negated = !negated;
    } else if (atom.value == 0.0) {
      part = CastOp::create(builder, loc, part, truth);
      negated = !negated;
    } else {
      part = EqualOp::create(builder, loc, part,
                             buildScalar(builder, loc, atom.value, type));
    }
    if (negated)
      part = NotOp::create(builder, loc, part);
    mask = mask ? AndOp::create(builder, loc, mask, part).getResult() : part;
  }
  if (!mask || shapes.shapeOf(mask) == DimShape{extents.batch, extents.keys})
    return mask;
  return BroadcastToOp::create(
      builder, loc, mask,
      DimsAttr::get(builder.getContext(), {extents.batch, extents.keys}));
}

Value ingot::buildQueryOffset(OpBuilder &builder, Location loc,
                              const MaskForm &form,
                              const AttentionExtents &extents) {
  if (!form.causal || form.offset == extents.keys - extents.queries)
    return {};
  return SizeOp::create(builder, loc, form.offset);
}

AdditiveMask ingot::splitMask(Value mask, MaskAnalysis &analysis) {
  AdditiveMask split;
  std::optional<MaskElement> element = analysis.elementAtPosition(mask);
  if (element && element->kind == MaskElement::Kind::Real &&
      element->whenTrue == 0.0)
    return split;
  if (element && element->kind == MaskElement::Kind::Choice) {
    if (element->whenTrue == 0.0) {
      split.visible = element->predicate;
      split.fill = element->whenFalse;
      return split;
    }
    std::optional<MaskPredicate> negated = negate(element->predicate);
    if (element->whenFalse == 0.0 && negated) {
      split.visible = *negated;
      split.fill = element->whenTrue;
      return split;
    }
  }
  split.bias = mask;
  // A bias inside the choice.
  auto where = mask.getDefiningOp<WhereOp>();
  std::optional<MaskElement> condition =
      where ? analysis.elementAtPosition(where.getCondition()) : std::nullopt;
  if (!condition)
    return split;
  MaskPredicate visible = MaskAnalysis::truthOf(*condition);
  if (std::optional<double> fill = splatConstant(where.getB())) {
    split.visible = visible;
    split.fill = *fill;
    split.bias = where.getA();
  } else if (std::optional<double> fill = splatConstant(where.getA())) {
    if (std::optional<MaskPredicate> negated = negate(visible)) {
      split.visible = *negated;
      split.fill = *fill;
      split.bias = where.getB();
    }
  }
  return split;
}

bool ingot::hidesKeys(double fill, Type type) {
  // A score added to such a number is lost in its rounding, and the
  // exponential of the difference to a visible score is zero.
  constexpr double lowest = -1e30;
  if (std::isinf(fill))
    return fill < 0;
  return !type.isF16() && fill <= lowest;
}

Value ingot::buildBias(OpBuilder &builder, Location loc, Value bias,
                       const AttentionExtents &extents, ShapeAnalysis &shapes) {
  // Repeated rows need not be stored.
  while (auto broadcast = bias.getDefiningOp<BroadcastToOp>()) {
    if (rankOf(broadcast.getX()) > 4)
      break;
    bias = broadcast.getX();
  }
  DimShape full = {extents.batch, extents.heads, extents.queries, extents.keys};
  DimShape shape = shapes.shapeOf(bias);
  if (shape.size() > full.size())
    return {};
  DimShape to(full.size() - shape.size(), DimExpr::constant(1));
  llvm::append_range(to, shape);
  for (auto [dim, extent] : llvm::zip_equal(to, full)) {
    if (dim.isConstant(1) || dim == extent)
      continue;
    if (dim.isConstant())
      return {};
    // That the model adds the two makes them equal wherever it is valid; the
    // reshape checks it.
    dim = extent;
  }
  return buildReshape(builder, loc, bias, to, shapes);
}
