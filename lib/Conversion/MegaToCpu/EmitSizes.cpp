//===- EmitSizes.cpp - the function from dims to sizes --------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Conversion/MegaToCpu/AbiAccess.h"
#include "lib/Conversion/MegaToCpu/Program.h"

#include "dialects/Ingot/IR/IngotOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace ingot {

namespace {

/// Builds the body of the function from dims to sizes.
class SizesBuilder {
public:
  SizesBuilder(const Program &program, ErrorTable &errors, OpBuilder &b)
      : program(program), errors(errors), b(b), loc(b.getUnknownLoc()),
        access(b, loc) {}

  LogicalResult run(func::FuncOp func) {
    Block *body = func.addEntryBlock();
    b.setInsertionPointToStart(body);
    loadInputDims(body->getArgument(0));
    bindSymbols();
    for (auto [i, symbol] : llvm::enumerate(program.symbols)) {
      Value value = dims.emit(b, loc, DimExpr::symbol(symbol.name));
      if (!value && isUsed(symbol.name))
        return program.main->emitError("data-dependent shape: dim '")
               << symbol.name << "' does not follow from the inputs' dims";
      if (!value)
        value = constant(0);
      access.storeIndexAt(body->getArgument(2), i, value);
    }
    emitChecks();

    IRMapping map;
    Value workers = arith::IndexCastOp::create(b, loc, b.getIndexType(),
                                               body->getArgument(1));
    mega::ProgramOp main = program.main;
    for (unsigned i = 0; i < main.getNumArguments(); ++i)
      if (program.roleOf(i) == "workers")
        map.map(main.getArgument(i), workers);
    auto ret = cast<mega::ReturnOp>(main.getProgram().getTerminator());
    for (auto [i, operand] : llvm::enumerate(ret.getOperands())) {
      Value value = cloneSize(b, program, dims, operand, map);
      if (!value)
        return failure();
      bool isLast = i + 1 == ret.getNumOperands();
      if (isLast)
        access.storeIndexAt(body->getArgument(4), 0, value);
      else
        access.storeIndexAt(body->getArgument(3), i, value);
    }
    func::ReturnOp::create(b, loc, status);
    return success();
  }

private:
  /// Whether the program computes with the symbol.
  bool isUsed(StringRef name) {
    mega::ProgramOp main = program.main;
    WalkResult result = main.walk([&](SizeOp size) {
      llvm::StringSet<> names;
      for (const DimExpr &expr : size.getExpr().getDims())
        expr.collectSymbols(names);
      return names.contains(name) ? WalkResult::interrupt()
                                  : WalkResult::advance();
    });
    return result.wasInterrupted();
  }

  void loadInputDims(Value inDims) {
    int64_t next = 0;
    for (const DimShape &shape : program.inputDims)
      for (size_t dim = 0; dim < shape.size(); ++dim)
        loaded.push_back(access.indexAt(inDims, next++));
  }

  /// Calls `visit(expr, loaded value, input, dim)` for every input dim.
  template <typename Visit> void forEachDim(Visit visit) {
    size_t next = 0;
    for (auto [input, shape] : llvm::enumerate(program.inputDims))
      for (auto [dim, expr] : llvm::enumerate(shape))
        visit(expr, loaded[next++], input, dim);
  }

  /// Finds every symbol's value: a dim that is the symbol, else one that is
  /// linear in it.
  void bindSymbols() {
    forEachDim([&](const DimExpr &expr, Value value, size_t, size_t) {
      std::optional<std::string> name = expr.getSymbol();
      if (name && !dims.isBound(*name))
        dims.bind(*name, value);
    });
    bool changed = true;
    while (changed) {
      changed = false;
      forEachDim([&](const DimExpr &expr, Value value, size_t, size_t) {
        changed |= solveFor(expr, value);
      });
    }
  }

  /// Binds the only unknown symbol s of `expr` = a * s + rest.
  bool solveFor(const DimExpr &expr, Value value) {
    std::string unknown;
    DimExpr factor, rest;
    for (const DimExpr::Term &term : expr.getTerms()) {
      DimExpr product = DimExpr::constant(term.coefficient);
      bool hasUnknown = false;
      for (const DimExpr::AtomRef &atom : term.atoms) {
        if (atom->kind == DimExpr::AtomKind::Symbol &&
            !dims.isBound(atom->name)) {
          if (hasUnknown || (!unknown.empty() && unknown != atom->name))
            return false;
          hasUnknown = true;
          unknown = atom->name;
          continue;
        }
        std::optional<DimExpr> parsed = DimExpr::parse(atom->text);
        if (!parsed)
          return false;
        product = product * *parsed;
      }
      (hasUnknown ? factor : rest) = (hasUnknown ? factor : rest) + product;
    }
    if (unknown.empty())
      return false;
    Value a = dims.emit(b, loc, factor), c = dims.emit(b, loc, rest);
    if (!a || !c)
      return false;
    Value one = arith::ConstantIndexOp::create(b, loc, 1);
    Value zero = arith::ConstantIndexOp::create(b, loc, 0);
    Value numerator = arith::SubIOp::create(b, loc, value, c);
    Value divisor = arith::MaxSIOp::create(b, loc, a, one);
    Value solution = arith::MaxSIOp::create(
        b, loc, zero, arith::DivSIOp::create(b, loc, numerator, divisor));
    dims.bind(unknown, solution);
    return true;
  }

  /// Compares every input dim with its expression and every symbol with its
  /// range; the first failure's id becomes the status.
  void emitChecks() {
    status = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(0));
    forEachDim([&](const DimExpr &expr, Value value, size_t input, size_t dim) {
      Value expected = dims.emit(b, loc, expr);
      if (!expected || expected == value)
        return;
      check(arith::CmpIPredicate::eq, value, expected,
            "input '" + program.inputName(input) + "': dim " + Twine(dim) +
                " must be " + expr.str());
    });
    for (const SymbolInfo &symbol : program.symbols) {
      if (!dims.isBound(symbol.name))
        continue;
      Value value = dims.emit(b, loc, DimExpr::symbol(symbol.name));
      if (symbol.min > 0)
        check(arith::CmpIPredicate::sge, value, constant(symbol.min),
              "dim '" + symbol.name + "' must be at least " +
                  Twine(symbol.min));
      if (symbol.max)
        check(arith::CmpIPredicate::sle, value, constant(*symbol.max),
              "dim '" + symbol.name + "' must be at most " +
                  Twine(*symbol.max));
    }
  }

  Value constant(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }

  void check(arith::CmpIPredicate predicate, Value lhs, Value rhs,
             const Twine &message) {
    Value holds = arith::CmpIOp::create(b, loc, predicate, lhs, rhs);
    Value id = arith::ConstantOp::create(
        b, loc, b.getI32IntegerAttr(errors.idOf(message.str())));
    Value none = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(0));
    Value isFirst =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, status, none);
    Value now = arith::SelectOp::create(b, loc, holds, none, id);
    status = arith::SelectOp::create(b, loc, isFirst, now, status);
  }

  const Program &program;
  ErrorTable &errors;
  OpBuilder &b;
  Location loc;
  AbiAccess access;
  DimArith dims;
  SmallVector<Value> loaded;
  Value status;
};

} // namespace

LogicalResult emitSizes(const Program &program, ErrorTable &errors) {
  mega::ProgramOp main = program.main;
  OpBuilder b(main);
  Type ptr = LLVM::LLVMPointerType::get(b.getContext());
  auto func = func::FuncOp::create(
      b, main.getLoc(), (Twine(sizesName) + program.suffix).str(),
      b.getFunctionType({ptr, b.getI64Type(), ptr, ptr, ptr}, b.getI32Type()));
  return SizesBuilder(program, errors, b).run(func);
}

} // namespace ingot
