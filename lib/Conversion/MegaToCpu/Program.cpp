//===- Program.cpp - a program by the roles of its arguments --------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Conversion/MegaToCpu/Program.h"

#include "dialects/Ingot/IR/IngotOps.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace ingot {

ErrorTable::ErrorTable(ModuleOp module) : module(module) {
  if (auto known = module->getAttrOfType<ArrayAttr>("ingot.errors"))
    messages.append(known.begin(), known.end());
  else
    messages.push_back(StringAttr::get(module.getContext(), ""));
}

int32_t ErrorTable::idOf(StringRef message) {
  auto attr = StringAttr::get(module.getContext(), message);
  auto *known = llvm::find(messages, attr);
  int32_t id = known - messages.begin();
  if (known == messages.end()) {
    messages.push_back(attr);
    module->setAttr("ingot.errors",
                    ArrayAttr::get(module.getContext(), messages));
  }
  return id;
}

StringRef Program::roleOf(unsigned argument) const {
  mega::ProgramOp op = main;
  auto role = op.getArgAttrOfType<StringAttr>(argument, "ingot.role");
  return role ? role.getValue() : StringRef();
}

std::string Program::inputName(unsigned position) const {
  mega::ProgramOp op = main;
  if (auto name =
          op.getArgAttrOfType<StringAttr>(inputs[position], "ingot.name"))
    return name.str();
  return std::to_string(position);
}

FailureOr<Program> Program::create(mega::ProgramOp main, std::string suffix) {
  Program program{main, std::move(suffix), {}, {}, {}, {}};
  auto module = main->getParentOfType<ModuleOp>();
  for (auto dim : module.getOps<DimOp>())
    program.symbols.push_back(
        {dim.getSymName().str(), int64_t(dim.getMin()), dim.getMax()});

  for (unsigned i = 0; i < main.getNumArguments(); ++i) {
    StringRef role = program.roleOf(i);
    if (role == "output")
      program.outputs.push_back(i);
    if (role != "input" && role != "shared")
      continue;
    program.inputs.push_back(i);
    auto type = dyn_cast<MemRefType>(main.getArgument(i).getType());
    if (!type)
      return main.emitError("input ") << i << " is not a buffer";
    DimShape shape;
    if (auto dims = main.getArgAttrOfType<DimsAttr>(i, "ingot.dims"))
      shape = dims.getDims();
    if (!shape.empty() && shape.size() != size_t(type.getRank()))
      return main.emitError("input ") << i << " has a wrong number of dims";
    for (int64_t dim = shape.size(); dim < type.getRank(); ++dim) {
      if (!type.isDynamicDim(dim)) {
        shape.push_back(DimExpr::constant(type.getDimSize(dim)));
        continue;
      }
      std::string name = "in" + std::to_string(i) + "_" + std::to_string(dim);
      program.symbols.push_back({name, 0, std::nullopt});
      shape.push_back(DimExpr::symbol(name));
    }
    program.inputDims.push_back(std::move(shape));
  }
  return program;
}

std::optional<DimExpr> Program::inputDim(memref::DimOp op) const {
  auto arg = dyn_cast<BlockArgument>(op.getSource());
  std::optional<int64_t> index = op.getConstantIndex();
  mega::ProgramOp program = main;
  if (!arg || !index || arg.getOwner() != &program.getProgram())
    return std::nullopt;
  auto *position = llvm::find(inputs, arg.getArgNumber());
  if (position == inputs.end())
    return std::nullopt;
  const DimShape &shape = inputDims[position - inputs.begin()];
  if (*index < 0 || size_t(*index) >= shape.size())
    return std::nullopt;
  return shape[*index];
}

Value cloneSize(OpBuilder &b, const Program &program, const DimArith &dims,
                Value value, IRMapping &map) {
  if (Value known = map.lookupOrNull(value))
    return known;
  Operation *op = value.getDefiningOp();
  Value result;
  if (auto size = dyn_cast_or_null<SizeOp>(op)) {
    result = dims.emit(b, op->getLoc(), size.getExpr().getDims().front());
  } else if (auto dim = dyn_cast_or_null<memref::DimOp>(op)) {
    if (std::optional<DimExpr> expr = program.inputDim(dim))
      result = dims.emit(b, op->getLoc(), *expr);
  } else if (op && isMemoryEffectFree(op) && op->getNumRegions() == 0) {
    for (Value operand : op->getOperands())
      if (!cloneSize(b, program, dims, operand, map))
        return {};
    b.clone(*op, map);
    return map.lookup(value);
  }
  if (!result) {
    if (op)
      op->emitError("data-dependent shape: a size depends on data");
    else
      program.main->emitError("a size depends on an unknown argument");
    return {};
  }
  map.map(value, result);
  return result;
}

} // namespace ingot
