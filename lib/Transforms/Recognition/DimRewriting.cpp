//===- DimRewriting.cpp - parts of dims in place of others ----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "DimRewriting.h"

#include "dialects/Ingot/IR/IngotOps.h"
#include "ingot/Analysis/ShapeAnalysis.h"

#include "mlir/IR/AttrTypeSubElements.h"

using namespace mlir;
using namespace ingot;

DimExpr ingot::replaceMinima(const DimExpr &expr,
                             llvm::function_ref<std::optional<DimExpr>(
                                 const DimExpr &a, const DimExpr &b)>
                                 replace) {
  DimExpr result;
  for (const DimExpr::Term &term : expr.getTerms()) {
    DimExpr product = DimExpr::constant(term.coefficient);
    for (const DimExpr::AtomRef &atom : term.atoms) {
      DimExpr factor = DimExpr::symbol(atom->name);
      if (atom->kind != DimExpr::AtomKind::Symbol) {
        DimExpr a = replaceMinima(atom->args[0], replace),
                b = replaceMinima(atom->args[1], replace);
        switch (atom->kind) {
        case DimExpr::AtomKind::FloorDiv:
          factor = DimExpr::floorDiv(a, b);
          break;
        case DimExpr::AtomKind::Max:
          factor = DimExpr::max(a, b);
          break;
        case DimExpr::AtomKind::Min:
          factor = replace(a, b).value_or(DimExpr::min(a, b));
          break;
        default:
          factor = DimExpr::broadcast(a, b);
        }
      }
      product = product * factor;
    }
    result = result + product;
  }
  return result;
}

/// `type` with the extents that turned out to be constant.
static RankedTensorType refined(RankedTensorType type, const DimShape &shape) {
  SmallVector<int64_t> extents(type.getShape());
  for (auto [extent, dim] : llvm::zip_equal(extents, shape))
    if (ShapedType::isDynamic(extent))
      extent = dim.getConstant().value_or(ShapedType::kDynamic);
  return RankedTensorType::get(extents, type.getElementType());
}

/// Gives a destination-style op a destination of another type.
static void refineDestination(DestinationStyleOpInterface op,
                              RankedTensorType type) {
  auto empty = op.getDpsInits()[0].getDefiningOp<tensor::EmptyOp>();
  if (!empty)
    return;
  SmallVector<Value> sizes;
  for (auto [i, extent] : llvm::enumerate(type.getShape()))
    if (ShapedType::isDynamic(extent))
      sizes.push_back(empty.getDynamicSize(i));
  OpBuilder builder(op);
  op.getDpsInitsMutable()[0].set(
      tensor::EmptyOp::create(builder, op.getLoc(), type, sizes));
  op->getResult(0).setType(type);
}

void ingot::replaceDims(Operation *root,
                        function_ref<DimExpr(const DimExpr &)> change) {
  AttrTypeReplacer replacer;
  replacer.addReplacement([&](DimsAttr attr) -> std::optional<Attribute> {
    DimShape dims = attr.getDims();
    for (DimExpr &dim : dims)
      dim = change(dim);
    return DimsAttr::get(attr.getContext(), dims);
  });
  replacer.recursivelyReplaceElementsIn(root, /*replaceAttrs=*/true,
                                        /*replaceLocs=*/false,
                                        /*replaceTypes=*/false);
}

void ingot::refineTypes(func::FuncOp function) {
  ShapeAnalysis shapes;
  SmallVector<Operation *> ops;
  function.walk([&](ShapeInferenceInterface op) { ops.push_back(op); });
  for (Operation *op : ops) {
    if (op->getNumResults() != 1)
      continue;
    Value result = op->getResult(0);
    auto type = cast<RankedTensorType>(result.getType());
    RankedTensorType exact = refined(type, shapes.shapeOf(result));
    if (exact == type)
      continue;
    if (auto destination = dyn_cast<DestinationStyleOpInterface>(op))
      refineDestination(destination, exact);
    else
      result.setType(exact);
  }
  for (Block &block : function.getBody())
    if (auto terminator = dyn_cast<func::ReturnOp>(block.getTerminator()))
      function.setType(FunctionType::get(function.getContext(),
                                         function.getArgumentTypes(),
                                         terminator.getOperandTypes()));
}
