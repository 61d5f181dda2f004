//===- DimArith.cpp - dim expressions as index arithmetic -----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Conversion/MegaToCpu/DimArith.h"

using namespace mlir;

namespace ingot {

Value DimArith::emit(OpBuilder &b, Location loc, const DimExpr &expr) const {
  Value sum;
  for (const DimExpr::Term &term : expr.getTerms()) {
    Value product;
    if (term.coefficient != 1 || term.atoms.empty())
      product = arith::ConstantIndexOp::create(b, loc, term.coefficient);
    for (const DimExpr::AtomRef &atom : term.atoms) {
      Value factor = emitAtom(b, loc, *atom);
      if (!factor)
        return {};
      product = product ? b.createOrFold<arith::MulIOp>(loc, product, factor)
                        : factor;
    }
    sum = sum ? b.createOrFold<arith::AddIOp>(loc, sum, product) : product;
  }
  return sum ? sum : Value(arith::ConstantIndexOp::create(b, loc, 0));
}

Value DimArith::emitAtom(OpBuilder &b, Location loc,
                         const DimExpr::Atom &atom) const {
  if (atom.kind == DimExpr::AtomKind::Symbol)
    return symbols.lookup(atom.name);
  Value lhs = emit(b, loc, atom.args[0]);
  Value rhs = emit(b, loc, atom.args[1]);
  if (!lhs || !rhs)
    return {};
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  switch (atom.kind) {
  case DimExpr::AtomKind::FloorDiv:
    return b.createOrFold<arith::FloorDivSIOp>(
        loc, lhs, b.createOrFold<arith::MaxSIOp>(loc, rhs, one));
  case DimExpr::AtomKind::Max:
    return b.createOrFold<arith::MaxSIOp>(loc, lhs, rhs);
  case DimExpr::AtomKind::Min:
    return b.createOrFold<arith::MinSIOp>(loc, lhs, rhs);
  case DimExpr::AtomKind::Broadcast: {
    Value isOne =
        b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::eq, lhs, one);
    return b.createOrFold<arith::SelectOp>(loc, isOne, rhs, lhs);
  }
  case DimExpr::AtomKind::Symbol:
    break;
  }
  return {};
}

} // namespace ingot
