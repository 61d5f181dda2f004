//===- TilesOp.cpp - index spaces of tiles --------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Mega/IR/MegaOps.h"

using namespace mlir;
using namespace ingot::mega;

void TilesOp::build(OpBuilder &b, OperationState &state,
                    ArrayRef<OpFoldResult> extents,
                    ArrayRef<OpFoldResult> steps) {
  SmallVector<Value> dynamicExtents, dynamicSteps;
  SmallVector<int64_t> staticExtents, staticSteps;
  dispatchIndexOpFoldResults(extents, dynamicExtents, staticExtents);
  dispatchIndexOpFoldResults(steps, dynamicSteps, staticSteps);
  Properties &properties = state.getOrAddProperties<Properties>();
  properties.setStaticExtents(b.getDenseI64ArrayAttr(staticExtents));
  properties.setStaticSteps(b.getDenseI64ArrayAttr(staticSteps));
  properties.setOperandSegmentSizes(
      {int32_t(dynamicExtents.size()), int32_t(dynamicSteps.size())});
  state.addOperands(dynamicExtents);
  state.addOperands(dynamicSteps);
  Block &body = state.addRegion()->emplaceBlock();
  for (size_t i = 0; i < extents.size(); ++i)
    body.addArgument(b.getIndexType(), state.location);
}

SmallVector<OpFoldResult> TilesOp::getMixedExtents() {
  return getMixedValues(getStaticExtents(), getExtents(), getContext());
}

SmallVector<OpFoldResult> TilesOp::getMixedSteps() {
  return getMixedValues(getStaticSteps(), getSteps(), getContext());
}

void TilesOp::print(OpAsmPrinter &p) {
  p << " (";
  llvm::interleaveComma(getOrigin(), p, [&](BlockArgument arg) {
    p.printRegionArgument(arg, {}, true);
  });
  p << ") in ";
  printDynamicIndexList(p, *this, getExtents(), getStaticExtents(),
                        /*valueTypes=*/{}, OpAsmParser::Delimiter::Paren);
  p << " step ";
  printDynamicIndexList(p, *this, getSteps(), getStaticSteps(),
                        /*valueTypes=*/{}, OpAsmParser::Delimiter::Paren);
  p << ' ';
  p.printRegion(getBody(), /*printEntryBlockArgs=*/false);
  p.printOptionalAttrDict((*this)->getAttrs(),
                          {getStaticExtentsAttrName(), getStaticStepsAttrName(),
                           getOperandSegmentSizesAttrName()});
}

ParseResult TilesOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &b = parser.getBuilder();
  Type index = b.getIndexType();
  SmallVector<OpAsmParser::Argument> origin;
  SmallVector<OpAsmParser::UnresolvedOperand> extents, steps;
  DenseI64ArrayAttr staticExtents, staticSteps;
  Region *body = result.addRegion();
  if (parser.parseArgumentList(origin, OpAsmParser::Delimiter::Paren) ||
      parser.parseKeyword("in") ||
      parseDynamicIndexList(parser, extents, staticExtents,
                            /*valueTypes=*/nullptr,
                            OpAsmParser::Delimiter::Paren) ||
      parser.parseKeyword("step") ||
      parseDynamicIndexList(parser, steps, staticSteps, /*valueTypes=*/nullptr,
                            OpAsmParser::Delimiter::Paren) ||
      parser.resolveOperands(extents, index, result.operands) ||
      parser.resolveOperands(steps, index, result.operands))
    return failure();
  for (OpAsmParser::Argument &arg : origin)
    arg.type = index;
  if (parser.parseRegion(*body, origin) ||
      parser.parseOptionalAttrDict(result.attributes))
    return failure();
  if (body->empty()) {
    Block &block = body->emplaceBlock();
    for (OpAsmParser::Argument &arg : origin)
      block.addArgument(index, arg.sourceLoc.value_or(result.location));
  }
  Properties &properties = result.getOrAddProperties<Properties>();
  properties.setStaticExtents(staticExtents);
  properties.setStaticSteps(staticSteps);
  properties.setOperandSegmentSizes(
      {int32_t(extents.size()), int32_t(steps.size())});
  return success();
}

LogicalResult TilesOp::verify() {
  if (getRank() == 0)
    return emitOpError("expected at least one dim");
  if (getStaticSteps().size() != size_t(getRank()))
    return emitOpError("has ") << getRank() << " extents and "
                               << getStaticSteps().size() << " steps";
  auto countDynamic = [](ArrayRef<int64_t> values) {
    return llvm::count_if(values, ShapedType::isDynamic);
  };
  if (countDynamic(getStaticExtents()) != int64_t(getExtents().size()) ||
      countDynamic(getStaticSteps()) != int64_t(getSteps().size()))
    return emitOpError("has not one operand for each dynamic extent and step");
  for (int64_t extent : getStaticExtents())
    if (!ShapedType::isDynamic(extent) && extent < 0)
      return emitOpError("extent ") << extent << " is negative";
  for (int64_t step : getStaticSteps())
    if (!ShapedType::isDynamic(step) && step <= 0)
      return emitOpError("step ") << step << " is not positive";
  Block &body = getBody().front();
  if (body.getNumArguments() != getRank() ||
      !llvm::all_of(body.getArgumentTypes(),
                    [](Type type) { return type.isIndex(); }))
    return emitOpError("body takes ")
           << body.getArgumentTypes() << ", expected " << getRank()
           << " of type index";
  return success();
}

/// What the memory at `value` belongs to: the access of `tiles` that it is a
/// view of, or else the value that it begins with.
static Value originOf(Value value, TilesOp tiles) {
  while (tiles.isInside(value) && !value.getDefiningOp<AccessOp>()) {
    auto view = value.getDefiningOp<ViewLikeOpInterface>();
    if (!view)
      break;
    value = view.getViewSource();
  }
  return value;
}

/// Checks that `op`, inside of `tiles`, keeps to what accesses say.
static LogicalResult verifyEffects(MemoryEffectOpInterface op, TilesOp tiles) {
  SmallVector<MemoryEffects::EffectInstance> effects;
  op.getEffects(effects);
  for (const MemoryEffects::EffectInstance &effect : effects) {
    bool isWrite = isa<MemoryEffects::Write>(effect.getEffect());
    bool isRead = isa<MemoryEffects::Read>(effect.getEffect());
    if (!effect.getValue() || (!isRead && !isWrite) ||
        !isa<BaseMemRefType>(effect.getValue().getType()))
      continue;
    Value origin = originOf(effect.getValue(), tiles);
    StringRef verb = isWrite ? "writes" : "reads";
    if (auto access = origin.getDefiningOp<AccessOp>()) {
      if (isWrite ? access.mayWrite() : access.mayRead())
        continue;
      InFlightDiagnostic diagnostic =
          op->emitOpError(verb) << " what is accessed as '"
                                << stringifyAccessMode(access.getMode()) << "'";
      diagnostic.attachNote(access.getLoc()) << "the access";
      return diagnostic;
    }
    if (tiles.isInside(origin))
      continue;
    InFlightDiagnostic diagnostic =
        op->emitOpError(verb)
        << " memory from outside of the stage without 'mega.access'";
    diagnostic.attachNote(origin.getLoc()) << "the memory";
    return diagnostic;
  }
  return success();
}

LogicalResult TilesOp::verifyRegions() {
  WalkResult result = getBody().walk([&](Operation *op) {
    auto effects = dyn_cast<MemoryEffectOpInterface>(op);
    if (!effects || succeeded(verifyEffects(effects, *this)))
      return WalkResult::advance();
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

void TilesOp::populateBoundsForIndexValue(Value value,
                                          ValueBoundsConstraintSet &set) {
  unsigned dim = cast<BlockArgument>(value).getArgNumber();
  set.bound(value) >= 0;
  set.bound(value) < set.getExpr(getMixedExtents()[dim]);
}
