//===- MegaOps.cpp - programs, stages, and how ops are written ------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Mega/IR/MegaOps.h"

#include "mlir/Interfaces/FunctionImplementation.h"

using namespace mlir;
using namespace ingot::mega;

//===----------------------------------------------------------------------===//
// The part in the text of an access
//===----------------------------------------------------------------------===//

using UnresolvedOperands = SmallVectorImpl<OpAsmParser::UnresolvedOperand>;

/// Parses a list of numbers and values in brackets, which may be missing.
static ParseResult parseMixedList(OpAsmParser &parser,
                                  OpAsmParser::Delimiter delimiter,
                                  UnresolvedOperands &values,
                                  DenseI64ArrayAttr &numbers) {
  SmallVector<int64_t> integers;
  ParseResult result = parser.parseCommaSeparatedList(delimiter, [&] {
    OpAsmParser::UnresolvedOperand value;
    OptionalParseResult isValue = parser.parseOptionalOperand(value);
    if (!isValue.has_value())
      return parser.parseInteger(integers.emplace_back());
    values.push_back(value);
    integers.push_back(ShapedType::kDynamic);
    return *isValue;
  });
  numbers = parser.getBuilder().getDenseI64ArrayAttr(integers);
  return result;
}

/// Parses `[offsets] [sizes] [strides]`, or nothing for the whole buffer.
static ParseResult
parseAccessPart(OpAsmParser &parser, UnresolvedOperands &offsets,
                DenseI64ArrayAttr &staticOffsets, UnresolvedOperands &sizes,
                DenseI64ArrayAttr &staticSizes, UnresolvedOperands &strides,
                DenseI64ArrayAttr &staticStrides) {
  if (parseMixedList(parser, OpAsmParser::Delimiter::OptionalSquare, offsets,
                     staticOffsets))
    return failure();
  OpAsmParser::Delimiter next = staticOffsets.empty()
                                    ? OpAsmParser::Delimiter::OptionalSquare
                                    : OpAsmParser::Delimiter::Square;
  return failure(parseMixedList(parser, next, sizes, staticSizes) ||
                 parseMixedList(parser, next, strides, staticStrides));
}

static void printAccessPart(OpAsmPrinter &p, AccessOp op, OperandRange offsets,
                            DenseI64ArrayAttr staticOffsets, OperandRange sizes,
                            DenseI64ArrayAttr staticSizes, OperandRange strides,
                            DenseI64ArrayAttr staticStrides) {
  if (op.isWhole())
    return;
  printDynamicIndexList(p, op, offsets, staticOffsets);
  p << ' ';
  printDynamicIndexList(p, op, sizes, staticSizes);
  p << ' ';
  printDynamicIndexList(p, op, strides, staticStrides);
}

//===----------------------------------------------------------------------===//
// The prologues in the text of a stage
//===----------------------------------------------------------------------===//

/// Parses `prologue each %condition { ... }` as often as it stands there.
static ParseResult
parsePrologues(OpAsmParser &parser, UnresolvedOperands &conditions,
               SmallVectorImpl<std::unique_ptr<Region>> &prologues) {
  while (succeeded(parser.parseOptionalKeyword("prologue"))) {
    auto region = std::make_unique<Region>();
    if (parser.parseKeyword("each") ||
        parser.parseOperand(conditions.emplace_back()) ||
        parser.parseRegion(*region))
      return failure();
    if (region->empty())
      region->emplaceBlock();
    prologues.push_back(std::move(region));
  }
  return success();
}

static void printPrologues(OpAsmPrinter &p, StageOp, OperandRange conditions,
                           MutableArrayRef<Region> prologues) {
  for (auto [condition, region] : llvm::zip_equal(conditions, prologues)) {
    p << " prologue each " << condition << ' ';
    p.printRegion(region);
  }
}

#define GET_OP_CLASSES
#include "dialects/Mega/IR/MegaOps.cpp.inc"

//===----------------------------------------------------------------------===//
// ProgramOp
//===----------------------------------------------------------------------===//

void ProgramOp::build(OpBuilder &b, OperationState &state, StringRef name,
                      FunctionType type) {
  Properties &properties = state.getOrAddProperties<Properties>();
  properties.setSymName(b.getStringAttr(name));
  properties.setFunctionType(TypeAttr::get(type));
  Block &body = state.addRegion()->emplaceBlock();
  for (Type input : type.getInputs())
    body.addArgument(input, state.location);
}

ParseResult ProgramOp::parse(OpAsmParser &parser, OperationState &result) {
  auto typeOf = [](Builder &b, ArrayRef<Type> inputs, ArrayRef<Type> results,
                   function_interface_impl::VariadicFlag, std::string &) {
    return b.getFunctionType(inputs, results);
  };
  return function_interface_impl::parseFunctionOp(
      parser, result, /*allowVariadic=*/false,
      getFunctionTypeAttrName(result.name), typeOf,
      getArgAttrsAttrName(result.name), getResAttrsAttrName(result.name));
}

void ProgramOp::print(OpAsmPrinter &p) {
  function_interface_impl::printFunctionOp(
      p, *this, /*isVariadic=*/false, getFunctionTypeAttrName(),
      getArgAttrsAttrName(), getResAttrsAttrName());
}

LogicalResult ProgramOp::verifyRegions() {
  Operation *last = getProgram().empty() ? nullptr : &getProgram().back();
  if (!isa_and_nonnull<ReturnOp>(last))
    return emitOpError("does not end in '")
           << ReturnOp::getOperationName() << "'";
  return success();
}

//===----------------------------------------------------------------------===//
// ReturnOp
//===----------------------------------------------------------------------===//

LogicalResult ReturnOp::verify() {
  auto program = cast<ProgramOp>((*this)->getParentOp());
  ArrayRef<Type> expected = program.getResultTypes();
  if (expected == ArrayRef<Type>(SmallVector<Type>(getOperandTypes())))
    return success();
  InFlightDiagnostic diagnostic = emitOpError("returns (")
                                  << getOperandTypes() << "), expected ("
                                  << expected << ")";
  diagnostic.attachNote(program.getLoc()) << "the program";
  return diagnostic;
}

//===----------------------------------------------------------------------===//
// BarrierOp
//===----------------------------------------------------------------------===//

void BarrierOp::build(OpBuilder &, OperationState &state, Value unless) {
  state.getOrAddProperties<Properties>().operandSegmentSizes = {0,
                                                                unless ? 1 : 0};
  if (unless)
    state.addOperands(unless);
}

//===----------------------------------------------------------------------===//
// StageOp
//===----------------------------------------------------------------------===//

BarrierOp StageStep::getBarrier() const {
  return block->empty() ? BarrierOp() : dyn_cast<BarrierOp>(block->back());
}

void StageOp::build(OpBuilder &, OperationState &state, ValueRange conditions,
                    Value each) {
  state.getOrAddProperties<Properties>().operandSegmentSizes = {
      int32_t(conditions.size()), each ? 1 : 0};
  state.addOperands(conditions);
  if (each)
    state.addOperands(each);
  for (size_t i = 0; i <= conditions.size(); ++i)
    state.addRegion()->emplaceBlock();
}

SmallVector<StageStep> StageOp::getSteps() {
  SmallVector<StageStep> steps;
  for (auto [condition, region] :
       llvm::zip_equal(getConditions(), getPrologues()))
    steps.push_back({&region.front(), condition, /*isPrologue=*/true});
  steps.push_back({&getBody().front(), getEach(), /*isPrologue=*/false});
  return steps;
}

LogicalResult StageOp::verify() {
  if (getConditions().size() != getPrologues().size())
    return emitOpError("has ") << getConditions().size() << " conditions for "
                               << getPrologues().size() << " prologues";
  return success();
}

/// Checks that `step`, of `parent`, holds index spaces, and nothing else but a
/// barrier behind those of a prologue.
static LogicalResult verifyHoldsTiles(Operation *parent,
                                      const StageStep &step) {
  StringRef subject = step.isPrologue ? "has a prologue that " : "";
  if (step.getTiles().empty())
    return parent->emitOpError(subject)
           << "has no '" << TilesOp::getOperationName() << "'";
  for (Operation &op : *step.block) {
    if (isa<TilesOp>(op) || (step.isPrologue && &op == step.getBarrier()))
      continue;
    InFlightDiagnostic diagnostic = parent->emitOpError(subject)
                                    << "holds more than '"
                                    << TilesOp::getOperationName() << "'";
    if (step.isPrologue)
      diagnostic << " and a '" << BarrierOp::getOperationName()
                 << "' behind them";
    diagnostic.attachNote(op.getLoc()) << "'" << op.getName() << "'";
    return diagnostic;
  }
  return success();
}

/// Checks that what every worker runs writes what is its own.
static LogicalResult verifyOwn(const StageStep &step) {
  if (!step.each)
    return success();
  WalkResult result = step.block->walk([&](AccessOp access) {
    if (!access.mayWrite())
      return WalkResult::advance();
    Value buffer = access.getSource();
    while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>())
      buffer = view.getViewSource();
    auto alloc = buffer.getDefiningOp<AllocEachOp>();
    auto scratch = buffer.getDefiningOp<ScratchOp>();
    if ((alloc && alloc.getCondition() == step.each) ||
        (scratch && scratch.getEach() == step.each))
      return WalkResult::advance();
    InFlightDiagnostic diagnostic =
        access.emitOpError(step.isPrologue ? "of a prologue"
                                           : "of a stage that each worker runs")
        << " writes what is not its own";
    diagnostic.attachNote(buffer.getLoc()) << "the buffer";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

LogicalResult StageOp::verifyRegions() {
  for (const StageStep &step : getSteps())
    if (failed(verifyHoldsTiles(*this, step)) || failed(verifyOwn(step)))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// AllocEachOp
//===----------------------------------------------------------------------===//

LogicalResult AllocEachOp::verify() {
  if (getType().getNumDynamicDims() != getDynamicSizes().size())
    return emitOpError("has ")
           << getDynamicSizes().size() << " sizes for "
           << getType().getNumDynamicDims() << " dynamic dims";
  if (!getType().getLayout().isIdentity())
    return emitOpError("expected a buffer without layout, not ") << getType();
  return success();
}

//===----------------------------------------------------------------------===//
// PrefetchOp
//===----------------------------------------------------------------------===//

void PrefetchOp::build(OpBuilder &, OperationState &state) {
  state.addRegion()->emplaceBlock();
}

LogicalResult PrefetchOp::verifyRegions() {
  StageStep spaces{&getBody().front(), /*each=*/{}, /*isPrologue=*/false};
  if (failed(verifyHoldsTiles(*this, spaces)))
    return failure();
  bool fetches = false;
  for (TilesOp tiles : getTiles())
    for (Operation &op : tiles.getBody().front()) {
      auto access = dyn_cast<AccessOp>(op);
      fetches |= isa<FetchOp>(op);
      if (isa<FetchOp>(op) || (isPure(&op) && !(access && access.mayWrite())))
        continue;
      InFlightDiagnostic diagnostic =
          emitOpError("does more than to fetch what tiles read");
      diagnostic.attachNote(op.getLoc()) << "'" << op.getName() << "'";
      return diagnostic;
    }
  return fetches ? success() : emitOpError("fetches nothing");
}

LogicalResult FetchOp::verify() {
  if (int64_t(getBytes()) < 1)
    return emitOpError("of ")
           << int64_t(getBytes()) << " bytes, expected 1 or more";
  if (!isa<PrefetchOp>((*this)->getParentOp()->getParentOp()))
    return emitOpError("stands outside of '")
           << PrefetchOp::getOperationName() << "'";
  if (!getSource().getDefiningOp<AccessOp>())
    return emitOpError("expected the result of '")
           << AccessOp::getOperationName() << "'";
  return success();
}
