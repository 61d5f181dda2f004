//===- Shape.cpp - reshapes, concatenation, constants, ranges -------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "../Importer.h"
#include "../Registry.h"

using namespace llvm;
using namespace mlir;

namespace ingot::onnxin {
namespace {

/// The dims that ONNX's Reshape gives `x` for the wanted shape `to`, where -1
/// stands for what remains and, unless `zeroIsZero`, 0 for the operand's dim.
std::optional<DimShape> reshapedDims(NodeContext &n, DimShape to,
                                     bool zeroIsZero) {
  const DimShape &from = n.dims(0);
  std::optional<size_t> open;
  DimExpr known = DimExpr::constant(1), total = DimExpr::constant(1);
  // Dims that stay where they are take no part in the division: they may be
  // zero.
  for (size_t i = 0; i != to.size(); ++i) {
    if (to[i].isConstant(-1)) {
      if (open) {
        n.error("two dims of the shape are -1");
        return std::nullopt;
      }
      open = i;
      continue;
    }
    if (auto value = to[i].getConstant(); value && *value < 0) {
      n.error("a dim of " + Twine(*value));
      return std::nullopt;
    }
    if (to[i].isConstant(0) && !zeroIsZero) {
      if (i >= from.size()) {
        n.error("dim " + Twine(i) + " is 0, but the operand has no such dim");
        return std::nullopt;
      }
      to[i] = from[i];
    }
  }
  if (!open)
    return to;
  SmallVector<bool> cancelled(from.size(), false);
  for (size_t i = 0; i != to.size(); ++i) {
    if (i == *open)
      continue;
    auto same = llvm::find_if(llvm::seq<size_t>(0, from.size()), [&](size_t j) {
      return !cancelled[j] && from[j] == to[i];
    });
    if (same != llvm::seq<size_t>(0, from.size()).end())
      cancelled[*same] = true;
    else
      known = known * to[i];
  }
  for (auto [dim, gone] : zip_equal(from, cancelled))
    if (!gone)
      total = total * dim;
  if (known.isConstant(0)) {
    n.error("-1 in a shape with a dim of 0");
    return std::nullopt;
  }
  if (std::optional<DimExpr> exact = total.dividedBy(known))
    to[*open] = *exact;
  else if (total.isConstant() && known.isConstant()) {
    n.error("elements of " + n.e.describe(n.value(0)) + " do not divide by " +
            Twine(*known.getConstant()));
    return std::nullopt;
  } else
    to[*open] = DimExpr::floorDiv(total, known);
  return to;
}

void reshapeTo(NodeContext &n, DimShape to, bool zeroIsZero) {
  if (!n.value(0))
    return n.out(0, {});
  if (std::optional<DimShape> dims = reshapedDims(n, std::move(to), zeroIsZero))
    n.out(0, n.e.reshape(n.value(0), *dims));
}

void reshape(NodeContext &n) {
  bool zeroIsZero = n.integer("allowzero", 0) != 0;
  if (std::optional<DimShape> to = n.expressions(1, "the shape"))
    reshapeTo(n, std::move(*to), zeroIsZero);
}

DimShape toDims(ArrayRef<int64_t> values) {
  return DimShape(map_range(values, DimExpr::constant));
}

/// Before opset 5 the shape is an attribute.
void reshape1(NodeContext &n) {
  reshapeTo(n, toDims(n.integers("shape")), false);
}

void flatten(NodeContext &n) {
  Value x = n.value(0);
  int64_t rank = n.rank(0), axis = n.integer("axis", 1);
  if (axis < -rank || axis > rank)
    return n.error("axis " + Twine(axis) + " of a tensor of rank " +
                   Twine(rank));
  axis = axis < 0 ? axis + rank : axis;
  ArrayRef<DimExpr> dims = n.dims(0);
  n.out(0, n.e.reshape(x, {product(dims.take_front(axis)),
                           product(dims.drop_front(axis))}));
}

void squeeze(NodeContext &n) {
  std::optional<SmallVector<int64_t>> axes = n.axes(1);
  if (n.failed())
    return;
  if (axes) {
    if (!n.normalAxes(*axes, n.rank(0)))
      return;
  } else {
    axes.emplace();
    for (auto [i, dim] : enumerate(n.dims(0)))
      if (dim.isConstant(1))
        axes->push_back(i);
      else if (!dim.isConstant())
        return n.dataDependent("which dims are 1");
  }
  n.out(0, n.e.squeeze(n.value(0), *axes));
}

void unsqueeze(NodeContext &n) {
  std::optional<SmallVector<int64_t>> axes = n.axes(1);
  if (n.failed())
    return;
  if (!axes)
    return n.error("it has no axes");
  if (!n.normalAxes(*axes, n.rank(0) + axes->size()))
    return;
  n.out(0, n.e.unsqueeze(n.value(0), *axes));
}

void transpose(NodeContext &n) {
  int64_t rank = n.rank(0);
  SmallVector<int64_t> order = n.optionalIntegers("perm").value_or(
      to_vector(llvm::reverse(llvm::seq<int64_t>(0, rank))));
  SmallVector<int64_t> sorted(order);
  llvm::sort(sorted);
  if (!llvm::equal(sorted, llvm::seq<int64_t>(0, rank)))
    return n.error("perm is not a permutation of " + Twine(rank) + " dims");
  n.out(0, n.e.transpose(n.value(0), order));
}

void expand(NodeContext &n) {
  if (std::optional<DimShape> to = n.expressions(1, "the shape"))
    n.out(0, n.e.broadcastTo(n.value(0), *to));
}

void concat(NodeContext &n) {
  SmallVector<Value> inputs;
  for (size_t i = 0; i != n.inputs(); ++i)
    if (n.has(i))
      inputs.push_back(n.value(i));
  if (inputs.empty())
    return n.error("it has no inputs");
  std::optional<int64_t> axis = n.normalAxis(n.integer("axis", 1), n.rank(0));
  if (axis)
    n.out(0, n.e.concat(inputs, *axis));
}

/// Parts of the given sizes along an axis.
void splitInto(NodeContext &n, int64_t axis, ArrayRef<DimExpr> sizes) {
  if (sizes.size() < n.outputs())
    return n.error(Twine(sizes.size()) + " parts for " + Twine(n.outputs()) +
                   " outputs");
  DimExpr start;
  for (size_t i = 0; i != n.outputs(); ++i) {
    n.out(i, n.e.sliceAxis(n.value(0), axis, start, sizes[i]));
    start = start + sizes[i];
  }
}

void splitEqually(NodeContext &n, int64_t axis, int64_t parts) {
  if (parts <= 0 || parts > 65536)
    return n.error(Twine(parts) + " parts");
  const DimExpr &whole = n.dims(0)[axis];
  DimExpr part = DimExpr::ceilDiv(whole, DimExpr::constant(parts));
  DimShape sizes(parts - 1, part);
  sizes.push_back(whole - part * DimExpr::constant(parts - 1));
  splitInto(n, axis, sizes);
}

void split(NodeContext &n) {
  std::optional<int64_t> axis = n.normalAxis(n.integer("axis", 0), n.rank(0));
  int64_t parts = n.integer("num_outputs", n.outputs());
  std::optional<SmallVector<int64_t>> given = n.optionalIntegers("split");
  if (!axis)
    return;
  if (given)
    return splitInto(n, *axis, toDims(*given));
  if (!n.has(1))
    return splitEqually(n, *axis, parts);
  if (std::optional<DimShape> sizes = n.expressions(1, "the split"))
    splitInto(n, *axis, *sizes);
}

void tile(NodeContext &n) {
  std::optional<DimShape> repeats = n.expressions(1, "the repeats");
  if (!repeats)
    return;
  if (int64_t(repeats->size()) != n.rank(0))
    return n.error(Twine(repeats->size()) + " repeats for rank " +
                   Twine(n.rank(0)));
  n.out(0, n.e.make<TileOp>(n.value(0),
                            DimsAttr::get(n.importer.context(), *repeats)));
}

void depthToSpace(NodeContext &n) {
  int64_t b = n.integer("blocksize", 0);
  std::string mode = n.text("mode", "DCR");
  if (b <= 0 || b > 4096 || n.rank(0) != 4 || (mode != "DCR" && mode != "CRD"))
    return n.error("blocksize, mode or rank");
  const DimShape d = n.dims(0);
  DimExpr block = DimExpr::constant(b);
  DimExpr depth = DimExpr::floorDiv(d[1], block * block);
  Value x = n.value(0);
  if (mode == "DCR") {
    x = n.e.reshape(x, {d[0], block, block, depth, d[2], d[3]});
    x = n.e.transpose(x, {0, 3, 4, 1, 5, 2});
  } else {
    x = n.e.reshape(x, {d[0], depth, block, block, d[2], d[3]});
    x = n.e.transpose(x, {0, 1, 4, 2, 5, 3});
  }
  n.out(0, n.e.reshape(x, {d[0], depth, d[2] * block, d[3] * block}));
}

void spaceToDepth(NodeContext &n) {
  int64_t b = n.integer("blocksize", 0);
  if (b <= 0 || b > 4096 || n.rank(0) != 4)
    return n.error("blocksize or rank");
  const DimShape d = n.dims(0);
  DimExpr block = DimExpr::constant(b);
  DimExpr h = DimExpr::floorDiv(d[2], block),
          w = DimExpr::floorDiv(d[3], block);
  Value x = n.e.reshape(n.value(0), {d[0], d[1], h, block, w, block});
  x = n.e.transpose(x, {0, 3, 5, 1, 2, 4});
  n.out(0, n.e.reshape(x, {d[0], d[1] * block * block, h, w}));
}

void identity(NodeContext &n) { n.pass(0, 0); }

/// Shape and Size are always computed while importing.
void shapeOnly(NodeContext &n) { n.error("it has no input"); }

void constant(NodeContext &n) {
  Tensor tensor;
  Builder &b = n.e.builder;
  auto set = [&](Value value) { n.out(0, value); };
  if (const auto *value = n.attribute("value")) {
    if (!n.importer.readTensor(value->t(), "constant", tensor)) {
      n.error("its value cannot be read");
      return;
    }
    if (n.wants(0))
      n.importer.define(n.node.outputs[0], std::move(tensor));
    return;
  }
  if (const auto *value = n.attribute("value_int"))
    return n.outContents(0, Contents{{}, {Number::of(value->i())}},
                         b.getI64Type());
  if (const auto *value = n.attribute("value_ints")) {
    Contents contents{{value->ints_size()}, {}};
    for (int64_t i : value->ints())
      contents.numbers.push_back(Number::of(i));
    if (value->ints_size() <= kMaxContents)
      return n.outContents(0, std::move(contents), b.getI64Type());
    return set(n.e.intVector(
        SmallVector<int64_t>(value->ints().begin(), value->ints().end())));
  }
  if (const auto *value = n.attribute("value_float"))
    return set(n.e.scalar(value->f(), b.getF32Type()));
  if (const auto *value = n.attribute("value_floats"))
    return set(n.e.constant(DenseElementsAttr::get(
        RankedTensorType::get({value->floats_size()}, b.getF32Type()),
        ArrayRef<float>(value->floats().data(), value->floats_size()))));
  for (StringRef name : {"value_string", "value_strings", "sparse_value"})
    if (n.hasAttribute(name))
      return n.unsupported(kUnsupportedType, "'" + name + "' of Constant");
  n.error("it has no value");
}

void constantOfShape(NodeContext &n) {
  std::optional<DimShape> shape = n.expressions(0, "the shape");
  if (!shape)
    return;
  Value value;
  if (const auto *given = n.attribute("value")) {
    Tensor tensor;
    if (!n.importer.readTensor(given->t(), "attribute", tensor))
      return n.error("its value cannot be read");
    value = n.e.reshape(n.importer.materialize(tensor, ""), {});
  } else {
    value = n.e.scalar(0, n.e.builder.getF32Type());
  }
  n.out(0, n.e.full(value, *shape));
}

/// The number of elements is known if the limits are; what they are may be
/// data.
void range(NodeContext &n) {
  const Contents *v[3];
  for (size_t i = 0; i != 3; ++i) {
    v[i] = n.contents(i);
    if (!v[i] || v[i]->numbers.size() != 1)
      return n.dataDependent("the limits");
  }
  MaybeNumber span = subNumbers(v[1]->numbers[0], v[0]->numbers[0]);
  MaybeNumber count = span ? divNumbers(*span, v[2]->numbers[0]) : std::nullopt;
  count = count ? ceilNumber(*count) : std::nullopt;
  count = count ? maxNumbers(*count, Number::of(0)) : std::nullopt;
  if (!count)
    return n.dataDependent("the limits");
  Value start = n.e.reshape(n.value(0), {}), step = n.e.reshape(n.value(2), {});
  if (!n.e.sameElements(start, step))
    return n.out(0, {});
  n.out(0, n.e.make<RangeOp>(
               start, step,
               DimsAttr::get(n.importer.context(), ArrayRef(count->num))));
}

void eyeLike(NodeContext &n) {
  Emitter &e = n.e;
  int64_t dtype = n.integer("dtype", 0), k = n.integer("k", 0);
  if (n.rank(0) != 2)
    return n.error("rank " + Twine(n.rank(0)));
  Type type = dtype ? elementTypeFor(dtype, n.importer.context()) : n.type(0);
  if (!type)
    return n.unsupported(kUnsupportedDtype,
                         Twine("EyeLike of ") + dtypeName(dtype));
  Type i64 = e.builder.getI64Type();
  Value row = e.unsqueeze(e.iota(n.dims(0)[0], i64), {1});
  Value column = e.unsqueeze(e.iota(n.dims(0)[1], i64), {0});
  Value equal = e.binary<EqualOp>(e.add(row, e.scalar(double(k), i64)), column);
  n.out(0, e.cast(equal, type));
}

} // namespace

void addShapeOps(Registry &r) {
  r.add("Reshape", 1, reshape1);
  r.add("Reshape", 5, reshape);
  r.add("Flatten", 1, flatten);
  r.add("Squeeze", 1, squeeze);
  r.add("Unsqueeze", 1, unsqueeze);
  r.add("Transpose", 1, transpose);
  r.add("Expand", 8, expand);
  r.add("Concat", 4, concat);
  r.add("Split", 2, split);
  r.add("Tile", 6, tile);
  r.add("DepthToSpace", 1, depthToSpace);
  r.add("SpaceToDepth", 1, spaceToDepth);
  r.add("Identity", 1, identity);
  r.add("Shape", 1, shapeOnly);
  r.add("Size", 1, shapeOnly);
  r.add("Constant", 1, constant);
  r.add("ConstantOfShape", 9, constantOfShape);
  r.add("Range", 11, range);
  r.add("EyeLike", 9, eyeLike);
}

} // namespace ingot::onnxin
