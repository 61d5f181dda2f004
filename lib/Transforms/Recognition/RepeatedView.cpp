//===- RepeatedView.cpp - tensors that repeat fewer elements --------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "RepeatedView.h"

using namespace mlir;
using namespace ingot;

/// A cast that keeps every value.
static bool isWidening(CastOp cast) {
  auto from = dyn_cast<FloatType>(elementTypeOf(cast.getX()));
  auto to = dyn_cast<FloatType>(elementTypeOf(cast));
  return from && to && !cast.getBitcast() &&
         (from == to || (to.isF32() && (from.isF16() || from.isBF16())));
}

SmallVector<int64_t> ParameterForm::dimsFor(ArrayRef<int64_t> shape) const {
  if (axis < 0)
    return {};
  if (block == 0)
    return {shape[axis]};
  SmallVector<int64_t> dims(shape);
  dims[axis] = llvm::divideCeil(dims[axis], block);
  return dims;
}

RepeatedView::RepeatedView(Value source)
    : source(source), element(elementTypeOf(source)) {
  auto type = cast<RankedTensorType>(source.getType());
  int64_t stride = type.getNumElements();
  for (int64_t extent : type.getShape()) {
    stride /= extent;
    dims.push_back({Factor{extent, stride}});
  }
}

bool RepeatedView::apply(Operation *op) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  element = type.getElementType();
  if (isa<CastOp>(op))
    return true;
  if (isa<ReshapeOp>(op))
    return reshape(type.getShape());
  if (isa<BroadcastToOp>(op))
    return broadcast(type.getShape());
  if (auto transpose = dyn_cast<TransposeOp>(op)) {
    dims = llvm::map_to_vector(transpose.getPermutation(),
                               [&](int64_t from) { return dims[from]; });
    return true;
  }
  SmallVector<int64_t> extents = shape();
  for (auto [dim, from, to] : llvm::zip_equal(dims, extents, type.getShape()))
    dim.insert(dim.begin(), Factor{to / from, 0});
  return true;
}

std::optional<RepeatedView> RepeatedView::of(Value value) {
  auto isKnown = [](Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    return type && type.hasStaticShape() && type.getNumElements() != 0;
  };
  if (!isKnown(value))
    return std::nullopt;
  SmallVector<Operation *> chain;
  while (Operation *op = value.getDefiningOp()) {
    auto cast = dyn_cast<CastOp>(op);
    if (!isa<ReshapeOp, BroadcastToOp, TransposeOp, TileOp>(op) &&
        !(cast && isWidening(cast)))
      break;
    if (!isKnown(op->getOperand(0)))
      break;
    chain.push_back(op);
    value = op->getOperand(0);
  }
  RepeatedView view(value);
  // What is no view starts anew.
  for (Operation *op : llvm::reverse(chain))
    if (!view.apply(op))
      view = RepeatedView(op->getResult(0));
  return view;
}

std::optional<RepeatedView> RepeatedView::ofParameter(Value parameter,
                                                      ParameterForm form,
                                                      ArrayRef<int64_t> shape) {
  std::optional<RepeatedView> view = of(parameter);
  if (!view)
    return std::nullopt;
  bool isVector = form.axis >= 0 && form.block == 0;
  // A vector of one element stands for the whole tensor.
  if (isVector && view->shape() == ArrayRef<int64_t>{1}) {
    view->dims.clear();
    return view->broadcast(shape) ? view : std::nullopt;
  }
  if (view->shape() != form.dimsFor(shape))
    return std::nullopt;
  if (isVector) {
    Dim dim = view->dims[0];
    view->dims.assign(shape.size(), {Factor{1, 0}});
    view->dims[form.axis] = dim;
  } else if (form.block > 0) {
    if (shape[form.axis] % form.block != 0)
      return std::nullopt;
    view->dims[form.axis].push_back({form.block, 0});
  }
  return view->broadcast(shape) ? view : std::nullopt;
}

SmallVector<int64_t> RepeatedView::shape() const {
  SmallVector<int64_t> extents;
  for (const Dim &dim : dims) {
    int64_t extent = 1;
    for (Factor factor : dim)
      extent *= factor.extent;
    extents.push_back(extent);
  }
  return extents;
}

bool RepeatedView::reshape(ArrayRef<int64_t> shape) {
  SmallVector<Factor> left;
  for (const Dim &dim : llvm::reverse(dims))
    for (Factor factor : llvm::reverse(dim))
      if (factor.extent != 1)
        left.push_back(factor);
  SmallVector<Dim> result;
  for (int64_t wanted : shape) {
    Dim &dim = result.emplace_back();
    while (wanted > 1) {
      if (left.empty())
        return false;
      Factor factor = left.pop_back_val();
      if (wanted % factor.extent != 0) {
        if (factor.extent % wanted != 0)
          return false;
        // The outer part takes longer steps.
        int64_t inner = factor.extent / wanted;
        left.push_back({inner, factor.stride});
        factor = {wanted, factor.stride * inner};
      }
      dim.push_back(factor);
      wanted /= factor.extent;
    }
  }
  dims = std::move(result);
  return left.empty();
}

bool RepeatedView::broadcast(ArrayRef<int64_t> to) {
  if (to.size() < dims.size())
    return false;
  dims.insert(dims.begin(), to.size() - dims.size(), Dim{Factor{1, 0}});
  SmallVector<int64_t> extents = shape();
  for (auto [dim, from, wanted] : llvm::zip_equal(dims, extents, to)) {
    if (from == wanted)
      continue;
    if (from != 1)
      return false;
    dim = {Factor{wanted, 0}};
  }
  return true;
}

int64_t RepeatedView::repeats(const Dim &dim) {
  int64_t count = 1;
  for (Factor factor : llvm::reverse(dim)) {
    if (factor.stride != 0 && factor.extent != 1)
      break;
    count *= factor.extent;
  }
  return count;
}

bool RepeatedView::isRepeated(const Dim &dim) {
  return llvm::all_of(dim, [](Factor factor) {
    return factor.stride == 0 || factor.extent == 1;
  });
}

bool RepeatedView::dropLast(Dim &dim, int64_t count) {
  while (count > 1) {
    if (dim.empty())
      return false;
    Factor factor = dim.pop_back_val();
    if (count % factor.extent == 0) {
      count /= factor.extent;
    } else if (factor.extent % count == 0) {
      dim.push_back({factor.extent / count, factor.stride * count});
      count = 1;
    } else {
      return false;
    }
  }
  return true;
}

std::optional<ParameterForm> RepeatedView::form() const {
  SmallVector<int64_t> varying;
  for (auto [axis, dim] : llvm::enumerate(dims))
    if (!isRepeated(dim))
      varying.push_back(axis);
  if (varying.empty())
    return ParameterForm{};
  if (varying.size() == 1 && repeats(dims[varying[0]]) == 1)
    return ParameterForm{varying[0], 0};
  for (int64_t axis = dims.size() - 1; axis >= 0; --axis)
    if (int64_t count = repeats(dims[axis]); count > 1)
      return ParameterForm{axis, count};
  return std::nullopt;
}

bool RepeatedView::has(ParameterForm form) const {
  for (auto [axis, dim] : llvm::enumerate(dims)) {
    if (static_cast<int64_t>(axis) == form.axis) {
      if (form.block == 0)
        continue;
      if (repeats(dim) % form.block != 0)
        return false;
    } else if (form.block == 0 && !isRepeated(dim)) {
      return false;
    }
  }
  return true;
}

Value RepeatedView::build(OpBuilder &builder, Location loc, ParameterForm form,
                          ShapeAnalysis &shapes) const {
  SmallVector<Dim> kept;
  for (auto [axis, dim] : llvm::enumerate(dims)) {
    if (form.block == 0 && static_cast<int64_t>(axis) != form.axis)
      continue;
    Dim &part = kept.emplace_back(dim);
    if (form.block > 0 && static_cast<int64_t>(axis) == form.axis &&
        !dropLast(part, form.block))
      return {};
  }
  SmallVector<Factor> factors, steps;
  for (const Dim &dim : kept)
    for (Factor factor : dim)
      if (factor.extent != 1)
        factors.push_back(factor);
  SmallVector<int64_t> places;
  for (auto [i, factor] : llvm::enumerate(factors))
    if (factor.stride != 0)
      places.push_back(i);
  SmallVector<int64_t> order = places;
  llvm::sort(order, [&](int64_t a, int64_t b) {
    return factors[a].stride > factors[b].stride;
  });
  // Every element of the source must be met, in an order that is a transpose.
  int64_t stride = 1;
  for (int64_t i : llvm::reverse(order)) {
    if (factors[i].stride != stride)
      return {};
    stride *= factors[i].extent;
  }
  auto type = cast<RankedTensorType>(source.getType());
  if (stride != type.getNumElements())
    return {};

  auto toShape = [](ArrayRef<int64_t> extents) {
    return llvm::map_to_vector(
        extents, [](int64_t extent) { return DimExpr::constant(extent); });
  };
  SmallVector<int64_t> extents, permutation, single, full;
  for (int64_t i : order)
    extents.push_back(factors[i].extent);
  for (int64_t i : places)
    permutation.push_back(llvm::find(order, i) - order.begin());
  for (Factor factor : factors) {
    single.push_back(factor.stride == 0 ? 1 : factor.extent);
    full.push_back(factor.extent);
  }
  SmallVector<int64_t> result;
  for (const Dim &dim : kept) {
    int64_t &extent = result.emplace_back(1);
    for (Factor factor : dim)
      extent *= factor.extent;
  }
  Value value = source;
  if (type.getElementType() != element)
    value = CastOp::create(builder, loc, value, element);
  if (!llvm::is_sorted(permutation)) {
    value = buildReshape(builder, loc, value, toShape(extents), shapes);
    value = buildTranspose(builder, loc, value, permutation);
  }
  if (single != full) {
    value = buildReshape(builder, loc, value, toShape(single), shapes);
    value = BroadcastToOp::create(
        builder, loc, value,
        DimsAttr::get(builder.getContext(), toShape(full)));
  }
  return buildReshape(builder, loc, value, toShape(result), shapes);
}
