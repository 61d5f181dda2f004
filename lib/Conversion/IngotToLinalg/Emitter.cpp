//===- Emitter.cpp - what the lowerings build with -----------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Emitter.h"

#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;
using namespace ingot;

Type ingot::storageType(Type type) {
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer)
    return type;
  return IntegerType::get(type.getContext(), std::max(integer.getWidth(), 8u));
}

static std::optional<StringRef> nameIn(Location loc) {
  if (auto name = dyn_cast<NameLoc>(loc))
    return name.getName().getValue();
  if (auto fused = dyn_cast<FusedLoc>(loc))
    for (Location part : fused.getLocations())
      if (std::optional<StringRef> name = nameIn(part))
        return name;
  if (auto call = dyn_cast<CallSiteLoc>(loc))
    return nameIn(call.getCallee());
  return std::nullopt;
}

std::string ingot::nodeName(Operation *op) {
  if (std::optional<StringRef> name = nameIn(op->getLoc()))
    return name->str();
  return op->getName().getStringRef().str();
}

std::string ingot::checkMessage(Operation *op, const Twine &what) {
  return (what + " in '" + nodeName(op) + "'").str();
}

Tensor Emitter::tensor(Value original, Value converted) {
  Tensor result{converted, state.shapes.shapeOf(original)};
  auto type = tensorOf(result.dims, result.element());
  if (converted.getType() != type)
    result.value = tensor::CastOp::create(*this, type, converted);
  return result;
}

Tensor Emitter::tensor(Value original) {
  return tensor(original, rewriter.getRemappedValue(original));
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

Value Emitter::index(int64_t value) {
  return arith::ConstantIndexOp::create(*this, value);
}

Value Emitter::size(const DimExpr &expr) {
  return materializeDim(*this, getLoc(), expr);
}

SmallVector<OpFoldResult> Emitter::sizes(ArrayRef<DimExpr> dims) {
  SmallVector<OpFoldResult> result;
  for (const DimExpr &dim : dims) {
    std::optional<int64_t> extent = dim.getConstant();
    if (extent && *extent >= 0)
      result.push_back(getIndexAttr(*extent));
    else
      result.push_back(size(dim));
  }
  return result;
}

Value Emitter::empty(ArrayRef<DimExpr> dims, Type element) {
  return tensor::EmptyOp::create(*this, sizes(dims), element);
}

Tensor Emitter::fill(ArrayRef<DimExpr> dims, Value element) {
  Value init = empty(dims, element.getType());
  Value result = linalg::FillOp::create(*this, element, init).getResult(0);
  return {result, DimShape(dims)};
}

void Emitter::check(Value condition, const Twine &what) {
  CheckOp::create(*this, condition, checkMessage(op, what));
}

void Emitter::checkEqual(const DimExpr &a, const DimExpr &b,
                         const Twine &what) {
  if (a == b)
    return;
  Value equal =
      arith::CmpIOp::create(*this, arith::CmpIPredicate::eq, size(a), size(b));
  check(equal, what);
}

//===----------------------------------------------------------------------===//
// Generics
//===----------------------------------------------------------------------===//

Tensor Emitter::generic(ArrayRef<DimExpr> dims, Type element, ValueRange inputs,
                        ArrayRef<AffineMap> maps, Body body) {
  Value init = empty(dims, element);
  SmallVector<AffineMap> allMaps(maps);
  allMaps.push_back(getMultiDimIdentityMap(dims.size()));
  SmallVector<utils::IteratorType> iterators(dims.size(),
                                             utils::IteratorType::parallel);
  auto build = [&](OpBuilder &b, Location loc, ValueRange args) {
    ImplicitLocOpBuilder inner(loc, b);
    linalg::YieldOp::create(inner, body(inner, args.drop_back()));
  };
  auto result = linalg::GenericOp::create(*this, init.getType(), inputs, init,
                                          allMaps, iterators, build);
  return {result.getResult(0), DimShape(dims)};
}

Tensor Emitter::compute(ArrayRef<DimExpr> dims, Type element, Body body) {
  return generic(dims, element, {}, {},
                 [&](ImplicitLocOpBuilder &b, ValueRange) -> Value {
                   SmallVector<Value> indices;
                   for (int64_t i = 0, e = dims.size(); i < e; ++i)
                     indices.push_back(linalg::IndexOp::create(b, i));
                   return body(b, indices);
                 });
}

Tensor Emitter::map(ArrayRef<Tensor> inputs, Type element, Body body) {
  SmallVector<Value> values;
  for (const Tensor &input : inputs)
    values.push_back(input.value);
  SmallVector<AffineMap> maps(inputs.size(),
                              getMultiDimIdentityMap(inputs[0].rank()));
  return generic(inputs[0].dims, element, values, maps, body);
}

Tensor Emitter::fold(const Tensor &x, ArrayRef<int64_t> axes, Value init,
                     Body body) {
  SmallVector<utils::IteratorType> iterators;
  SmallVector<AffineExpr> kept;
  DimShape dims;
  for (int64_t i = 0; i < x.rank(); ++i) {
    if (llvm::is_contained(axes, i)) {
      iterators.push_back(utils::IteratorType::reduction);
      continue;
    }
    iterators.push_back(utils::IteratorType::parallel);
    kept.push_back(getAffineDimExpr(i));
    dims.push_back(x.dims[i]);
  }
  SmallVector<AffineMap> maps = {
      getMultiDimIdentityMap(x.rank()),
      AffineMap::get(x.rank(), 0, kept, getContext())};
  auto build = [&](OpBuilder &b, Location loc, ValueRange args) {
    ImplicitLocOpBuilder inner(loc, b);
    linalg::YieldOp::create(inner, body(inner, args));
  };
  auto result = linalg::GenericOp::create(*this, init.getType(), x.value, init,
                                          maps, iterators, build);
  return {result.getResult(0), dims};
}

//===----------------------------------------------------------------------===//
// Broadcasting
//===----------------------------------------------------------------------===//

namespace {
/// How one operand of a broadcast is read.
struct Reading {
  /// A scalar that stands for the whole operand.
  Value scalar;
  /// Or an input of the generic.
  Value input;
  AffineMap map;
  /// Or elements at indices, one factor per dim of the operand; a null factor
  /// is one.
  Tensor source;
  SmallVector<Value> factors;
};
} // namespace

/// The element of a tensor that was filled with one.
static Value filledWith(Value value) {
  auto fill = value.getDefiningOp<linalg::FillOp>();
  return fill ? fill.value() : Value();
}

static Reading readBroadcast(Emitter &e, const Tensor &x,
                             ArrayRef<DimExpr> dims) {
  int64_t offset = dims.size() - x.rank();
  DimExpr one = DimExpr::constant(1);
  llvm::SmallBitVector unit(x.rank()), undecided(x.rank());
  for (auto [i, dim] : llvm::enumerate(x.dims)) {
    if (dim == dims[offset + i])
      continue;
    (dim == one ? unit : undecided).set(i);
  }
  Reading reading;
  if (undecided.none()) {
    if (Value scalar = filledWith(x.value)) {
      reading.scalar = scalar;
      return reading;
    }
    SmallVector<AffineExpr> exprs;
    for (int64_t i = 0; i < x.rank(); ++i)
      if (!unit[i])
        exprs.push_back(e.getAffineDimExpr(offset + i));
    reading.input = e.dropUnitDims(x, unit).value;
    reading.map = AffineMap::get(dims.size(), 0, exprs, e.getContext());
    return reading;
  }
  reading.source = x;
  for (int64_t i = 0; i < x.rank(); ++i) {
    if (unit[i]) {
      reading.factors.push_back(e.index(0));
      continue;
    }
    if (!undecided[i]) {
      reading.factors.push_back(Value());
      continue;
    }
    Value extent = e.size(x.dims[i]), target = e.size(dims[offset + i]);
    auto equal = [&](Value a, Value b) -> Value {
      return arith::CmpIOp::create(e, arith::CmpIPredicate::eq, a, b);
    };
    Value isOne = equal(extent, e.index(1));
    e.check(arith::OrIOp::create(e, isOne, equal(extent, target)),
            "operands do not broadcast");
    reading.factors.push_back(
        arith::SelectOp::create(e, isOne, e.index(0), e.index(1)));
  }
  return reading;
}

Tensor Emitter::zip(ArrayRef<Tensor> inputs, ArrayRef<DimExpr> dims,
                    Type element, Body body) {
  SmallVector<Reading> readings;
  SmallVector<Value> values;
  SmallVector<AffineMap> maps;
  for (const Tensor &input : inputs) {
    readings.push_back(readBroadcast(*this, input, dims));
    if (readings.back().input) {
      values.push_back(readings.back().input);
      maps.push_back(readings.back().map);
    }
  }
  auto build = [&](ImplicitLocOpBuilder &b, ValueRange args) -> Value {
    SmallVector<Value> elements;
    for (const Reading &reading : readings) {
      if (reading.input) {
        elements.push_back(args.front());
        args = args.drop_front();
        continue;
      }
      if (reading.scalar) {
        // A constant of its own lets the generic be moved and tiled freely.
        Operation *def = reading.scalar.getDefiningOp();
        bool constant = isa_and_nonnull<arith::ConstantOp>(def);
        elements.push_back(constant ? b.clone(*def)->getResult(0)
                                    : reading.scalar);
        continue;
      }
      SmallVector<Value> indices;
      int64_t offset = dims.size() - reading.source.rank();
      for (auto [i, factor] : llvm::enumerate(reading.factors)) {
        Value index = linalg::IndexOp::create(b, offset + i);
        if (factor)
          index = arith::MulIOp::create(b, index, factor);
        indices.push_back(index);
      }
      elements.push_back(
          tensor::ExtractOp::create(b, reading.source.value, indices));
    }
    return body(b, elements);
  };
  return generic(dims, element, values, maps, build);
}

Tensor Emitter::castFloat(const Tensor &x, Type element) {
  auto from = dyn_cast<FloatType>(x.element());
  auto to = cast<FloatType>(element);
  if (from == to)
    return x;
  return map(x, element, [&](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
    if (from.getWidth() < to.getWidth())
      return arith::ExtFOp::create(b, to, in[0]);
    return arith::TruncFOp::create(b, to, in[0]);
  });
}
