//===- ShapeSupport.cpp - shapes of ops as expressions --------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/IngotOps.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace ingot;

Type ingot::elementTypeOf(Value value) {
  return getElementTypeOrSelf(value.getType());
}

std::string ingot::operandDimSymbol(unsigned operand, unsigned dim) {
  // No parsed name begins with a question mark.
  return "?" + std::to_string(operand) + "." + std::to_string(dim);
}

SmallVector<DimShape> ingot::opaqueShapes(ValueRange operands) {
  SmallVector<DimShape> shapes;
  for (auto [i, operand] : llvm::enumerate(operands)) {
    DimShape &shape = shapes.emplace_back();
    auto type = dyn_cast<ShapedType>(operand.getType());
    if (!type || !type.hasRank())
      continue;
    for (auto [j, extent] : llvm::enumerate(type.getShape()))
      shape.push_back(ShapedType::isDynamic(extent)
                          ? DimExpr::symbol(operandDimSymbol(i, j))
                          : DimExpr::constant(extent));
  }
  return shapes;
}

RankedTensorType ingot::tensorOf(ArrayRef<DimExpr> dims, Type type) {
  SmallVector<int64_t> extents;
  for (const DimExpr &dim : dims) {
    std::optional<int64_t> extent = dim.getConstant();
    extents.push_back(extent && *extent >= 0 ? *extent : ShapedType::kDynamic);
  }
  return RankedTensorType::get(extents, type);
}

bool ingot::compatibleTypes(TypeRange a, TypeRange b) {
  return a.size() == b.size() &&
         llvm::all_of(llvm::zip_equal(a, b), [](auto pair) {
           auto [x, y] = pair;
           return getElementTypeOrSelf(x) == getElementTypeOrSelf(y) &&
                  succeeded(verifyCompatibleShape(x, y));
         });
}

FailureOr<DimShape> ingot::broadcastShapes(ArrayRef<DimShape> shapes) {
  size_t rank = 0;
  for (const DimShape &shape : shapes)
    rank = std::max(rank, shape.size());
  DimShape result(rank, DimExpr::constant(1));
  for (const DimShape &shape : shapes)
    for (auto [i, dim] : llvm::enumerate(llvm::reverse(shape))) {
      DimExpr &target = result[rank - 1 - i];
      std::optional<int64_t> a = target.getConstant(), b = dim.getConstant();
      if (a && b && *a != *b && *a != 1 && *b != 1)
        return failure();
      target = DimExpr::broadcast(target, dim);
    }
  return result;
}

//===----------------------------------------------------------------------===//
// From expressions to values
//===----------------------------------------------------------------------===//

static bool needsResolving(const DimExpr &expr,
                           function_ref<Value(StringRef)> resolve) {
  if (!resolve)
    return false;
  llvm::StringSet<> names;
  expr.collectSymbols(names);
  return llvm::any_of(names,
                      [&](const auto &name) { return resolve(name.getKey()); });
}

static Value materializeAtom(OpBuilder &builder, Location loc,
                             const DimExpr::Atom &atom,
                             function_ref<Value(StringRef)> resolve) {
  if (atom.kind == DimExpr::AtomKind::Symbol) {
    if (Value value = resolve(atom.name))
      return value;
    return SizeOp::create(builder, loc, DimExpr::symbol(atom.name));
  }
  Value a = materializeDim(builder, loc, atom.args[0], resolve);
  Value b = materializeDim(builder, loc, atom.args[1], resolve);
  switch (atom.kind) {
  case DimExpr::AtomKind::FloorDiv:
    return arith::FloorDivSIOp::create(builder, loc, a, b);
  case DimExpr::AtomKind::Max:
    return arith::MaxSIOp::create(builder, loc, a, b);
  case DimExpr::AtomKind::Min:
    return arith::MinSIOp::create(builder, loc, a, b);
  default: {
    Value one = arith::ConstantIndexOp::create(builder, loc, 1);
    Value isOne =
        arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, a, one);
    return arith::SelectOp::create(builder, loc, isOne, b, a);
  }
  }
}

Value ingot::materializeDim(OpBuilder &builder, Location loc,
                            const DimExpr &expr,
                            function_ref<Value(StringRef)> resolve) {
  if (std::optional<int64_t> value = expr.getConstant())
    return arith::ConstantIndexOp::create(builder, loc, *value);
  if (!needsResolving(expr, resolve))
    return SizeOp::create(builder, loc, expr);
  Value sum;
  for (const DimExpr::Term &term : expr.getTerms()) {
    Value product;
    for (const DimExpr::AtomRef &atom : term.atoms) {
      Value factor = materializeAtom(builder, loc, *atom, resolve);
      product = product ? arith::MulIOp::create(builder, loc, product, factor)
                        : factor;
    }
    if (term.coefficient != 1 || !product) {
      Value factor =
          arith::ConstantIndexOp::create(builder, loc, term.coefficient);
      product = product ? arith::MulIOp::create(builder, loc, product, factor)
                        : factor;
    }
    sum = sum ? arith::AddIOp::create(builder, loc, sum, product) : product;
  }
  return sum;
}

/// The extent of a shaped value's dim as a value.
static Value dimOf(OpBuilder &builder, Location loc, Value value, int64_t dim) {
  if (isa<MemRefType>(value.getType()))
    return memref::DimOp::create(builder, loc, value, dim);
  return tensor::DimOp::create(builder, loc, value, dim);
}

static std::function<Value(StringRef)>
operandResolver(OpBuilder &builder, Location loc, ValueRange operands) {
  return [&builder, loc, operands](StringRef name) -> Value {
    if (!name.consume_front("?"))
      return {};
    auto [operand, dim] = name.split('.');
    unsigned i, j;
    if (operand.getAsInteger(10, i) || dim.getAsInteger(10, j) ||
        i >= operands.size())
      return {};
    return dimOf(builder, loc, operands[i], j);
  };
}

/// `shape` as mixed sizes for a result of type `type`.
static SmallVector<OpFoldResult> mixedSizes(OpBuilder &builder, Location loc,
                                            ValueRange operands,
                                            ArrayRef<DimExpr> shape,
                                            ShapedType type) {
  auto resolve = operandResolver(builder, loc, operands);
  SmallVector<OpFoldResult> sizes;
  for (auto [dim, extent] : llvm::zip_equal(shape, type.getShape())) {
    if (!ShapedType::isDynamic(extent))
      sizes.push_back(builder.getIndexAttr(extent));
    else
      sizes.push_back(materializeDim(builder, loc, dim, resolve));
  }
  return sizes;
}

LogicalResult ingot::reifyByInference(Operation *op, OpBuilder &builder,
                                      ReifiedRankedShapedTypeDims &dims) {
  auto inference = cast<ShapeInferenceInterface>(op);
  SmallVector<DimShape> results;
  if (failed(inference.inferShapes(opaqueShapes(op->getOperands()), results)))
    return failure();
  for (auto [shape, result] : llvm::zip_equal(results, op->getResults()))
    dims.push_back(mixedSizes(builder, op->getLoc(), op->getOperands(), shape,
                              cast<ShapedType>(result.getType())));
  return success();
}

LogicalResult ingot::reifyDestinations(Operation *op, OpBuilder &builder,
                                       ReifiedRankedShapedTypeDims &dims) {
  for (Value init : cast<DestinationStyleOpInterface>(op).getDpsInits()) {
    if (!isa<RankedTensorType>(init.getType()))
      return failure();
    dims.push_back(tensor::getMixedSizes(builder, op->getLoc(), init));
  }
  return success();
}

Value ingot::makeDestination(OpBuilder &builder, Location loc,
                             ValueRange operands, ArrayRef<DimExpr> shape,
                             Type type) {
  return tensor::EmptyOp::create(
      builder, loc,
      mixedSizes(builder, loc, operands, shape, tensorOf(shape, type)), type);
}

LogicalResult ingot::verifyRotation(Operation *op, Value rotated,
                                    ValueRange tables) {
  auto x = cast<ShapedType>(rotated.getType());
  if (x.getRank() == 0 || !isa<FloatType>(x.getElementType()))
    return op->emitOpError("rotates ") << x;
  for (Value table : tables) {
    auto type = cast<ShapedType>(table.getType());
    bool fits = type.getRank() == x.getRank() &&
                type.getElementType() == x.getElementType();
    for (int64_t dim = 0; fits && dim < x.getRank() - 1; ++dim)
      fits = type.isDynamicDim(dim) || type.getDimSize(dim) == 1 ||
             x.isDynamicDim(dim) || type.getDimSize(dim) == x.getDimSize(dim);
    int64_t pairs = fits ? type.getShape().back() : 0;
    fits &= ShapedType::isDynamic(pairs) || x.isDynamicDim(x.getRank() - 1) ||
            2 * pairs <= x.getShape().back();
    if (!fits)
      return op->emitOpError("rotates ") << x << " by " << type;
  }
  return success();
}

void ingot::addDestinationEffects(
    DestinationStyleOpInterface op,
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<MemRefType, CacheType>(operand.get().getType()))
      continue;
    if (op.isDpsInit(&operand))
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
    else
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
  }
}

DimExpr ingot::bytesOfTensors(Operation *op, ArrayRef<DimShape> operands,
                              ArrayRef<DimShape> results) {
  auto bytesOf = [](Type type, const DimShape &shape) {
    Type element = getElementTypeOrSelf(type);
    if (!isa<ShapedType>(type) || !element.isIntOrFloat())
      return DimExpr();
    return DimExpr::ceilDiv(
        product(shape) *
            DimExpr::constant(element.getIntOrFloatBitWidth() == 1
                                  ? 8
                                  : element.getIntOrFloatBitWidth()),
        DimExpr::constant(8));
  };
  auto destination = dyn_cast<DestinationStyleOpInterface>(op);
  DimExpr total;
  for (auto [operand, shape] : llvm::zip_equal(op->getOpOperands(), operands))
    if (!destination || !destination.isDpsInit(&operand))
      total = total + bytesOf(operand.get().getType(), shape);
  for (auto [type, shape] : llvm::zip_equal(op->getResultTypes(), results))
    total = total + bytesOf(type, shape);
  return total;
}
