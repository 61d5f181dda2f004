//===- CallOps.cpp - programs that run other programs ---------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Mega/IR/CallOps.h"

using namespace mlir;
using namespace ingot::mega;

#define GET_OP_CLASSES
#include "dialects/Mega/IR/CallOps.cpp.inc"

//===----------------------------------------------------------------------===//
// CallOp
//===----------------------------------------------------------------------===//

/// Checks what is given for the arguments of `callee` that have `role`.
static LogicalResult verifyGiven(CallOp call, ProgramOp callee, StringRef role,
                                 OperandRange given) {
  SmallVector<BlockArgument> wanted;
  for (BlockArgument arg : callee.getArguments()) {
    auto own =
        callee.getArgAttrOfType<StringAttr>(arg.getArgNumber(), "ingot.role");
    if (own && own.getValue() == role)
      wanted.push_back(arg);
  }
  if (wanted.size() != given.size())
    return call.emitOpError("gives ")
           << given.size() << " " << role << "s, expected " << wanted.size();
  for (auto [number, value, arg] : llvm::enumerate(given, wanted)) {
    auto from = cast<MemRefType>(value.getType());
    auto to = dyn_cast<MemRefType>(arg.getType());
    if (!to || from.getElementType() != to.getElementType() ||
        !from.getLayout().isIdentity())
      return call.emitOpError("gives ")
             << from << " as " << role << " " << number << ", expected "
             << arg.getType() << " or another dense shape";
    auto own = dyn_cast<BlockArgument>(value);
    if (!own || !isa<ProgramOp>(own.getOwner()->getParentOp()))
      return call.emitOpError("gives what is no argument of the program as ")
             << role << " " << number;
  }
  return success();
}

LogicalResult CallOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto callee =
      symbols.lookupNearestSymbolFrom<ProgramOp>(*this, getCalleeAttr());
  if (!callee)
    return emitOpError("calls '") << getCallee() << "', which is no program";
  if (callee.getBody()
          .walk([](CallOp) { return WalkResult::interrupt(); })
          .wasInterrupted())
    return emitOpError("calls '")
           << getCallee() << "', which calls programs itself";
  if (failed(verifyGiven(*this, callee, "input", getInputs())))
    return failure();
  // What a program is given does not overlap.
  for (Value output : getOutputs())
    if (llvm::count(getOperands(), output) > 1)
      return emitOpError("gives a buffer that is written twice");
  return verifyGiven(*this, callee, "output", getOutputs());
}

//===----------------------------------------------------------------------===//
// SingleOp and TellOp
//===----------------------------------------------------------------------===//

void SingleOp::build(OpBuilder &, OperationState &state) {
  state.addRegion()->emplaceBlock();
}

LogicalResult TellOp::verify() {
  if (!(*this)->getParentOfType<SingleOp>())
    return emitOpError("is not in a '") << SingleOp::getOperationName() << "'";
  return success();
}
