//===- LoopOp.cpp - parts of a program that follow each other -------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Mega/IR/MegaOps.h"

using namespace mlir;
using namespace ingot::mega;

void LoopOp::build(OpBuilder &b, OperationState &state, int64_t count) {
  state.getOrAddProperties<Properties>().setCount(b.getI64IntegerAttr(count));
  state.addRegion()->emplaceBlock().addArgument(b.getIndexType(),
                                                state.location);
}

void LoopOp::print(OpAsmPrinter &p) {
  p << ' ';
  p.printRegionArgument(getNumber(), {}, /*omitType=*/true);
  p << " = 0 to " << int64_t(getCount()) << ' ';
  p.printRegion(getBody(), /*printEntryBlockArgs=*/false);
  p.printOptionalAttrDict((*this)->getAttrs(), {getCountAttrName()});
}

ParseResult LoopOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &b = parser.getBuilder();
  OpAsmParser::Argument number;
  number.type = b.getIndexType();
  int64_t first = 0, count = 0;
  SMLoc start;
  Region *body = result.addRegion();
  if (parser.parseArgument(number) || parser.parseEqual() ||
      failed(parser.getCurrentLocation(&start)) || parser.parseInteger(first) ||
      parser.parseKeyword("to") || parser.parseInteger(count))
    return failure();
  if (first != 0)
    return parser.emitError(start, "a loop counts from 0");
  result.getOrAddProperties<Properties>().setCount(b.getI64IntegerAttr(count));
  if (parser.parseRegion(*body, number) ||
      parser.parseOptionalAttrDict(result.attributes))
    return failure();
  if (body->empty())
    body->emplaceBlock().addArgument(b.getIndexType(), b.getUnknownLoc());
  return success();
}

LogicalResult LoopOp::verify() {
  if (int64_t(getCount()) < 1)
    return emitOpError("runs ")
           << int64_t(getCount()) << " times, expected 1 or more";
  return success();
}

LogicalResult LoopOp::verifyRegions() {
  Block &body = getBody().front();
  if (body.getNumArguments() != 1 || !body.getArgument(0).getType().isIndex())
    return emitOpError("expected one number as the argument of its body");
  if (body.empty())
    return emitOpError("has nothing to repeat");
  return success();
}
