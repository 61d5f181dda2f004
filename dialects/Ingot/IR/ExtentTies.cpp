//===- ExtentTies.cpp - what ops take for granted of their operands -------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// On memrefs, as ops stand in tiles. Verifiers see to what types tell; here is
// what has to be so in a run.
#include "dialects/Ingot/IR/IngotOps.h"

using namespace mlir;
using namespace ingot;

/// Columns that stand together in packed weights.
static constexpr int64_t panelColumns = 16;

namespace {

/// Collects the ties of one op.
class TieCollector {
public:
  TieCollector(ArrayRef<DimShape> shapes, SmallVectorImpl<ExtentTie> &ties)
      : shapes(shapes), ties(ties) {}

  const DimShape &operator[](OpOperand &operand) const {
    return shapes[operand.getOperandNumber()];
  }
  /// The operand if it is there.
  const DimShape *find(MutableOperandRange operand) const {
    return operand.empty() ? nullptr : &(*this)[operand[0]];
  }

  void equal(const DimExpr &a, const DimExpr &b) { ties.push_back({a, b}); }
  void equal(const DimExpr &a, int64_t b) { equal(a, DimExpr::constant(b)); }
  void equal(ArrayRef<DimExpr> a, ArrayRef<DimExpr> b) {
    for (auto [mine, theirs] : llvm::zip_equal(a, b))
      equal(mine, theirs);
  }
  void noMore(const DimExpr &a, const DimExpr &b) {
    ties.push_back({a, b, /*mayBeLess=*/true});
  }
  /// One for all if the type says so.
  void equalOrOne(ArrayRef<DimExpr> dims, ArrayRef<DimExpr> full) {
    for (auto [mine, theirs] : llvm::zip_equal(dims, full))
      if (!mine.isConstant(1))
        equal(mine, theirs);
  }
  /// One for all if it is one in a run.
  void mayBroadcast(const DimExpr &dim, const DimExpr &full) {
    equal(dim * (dim - full), dim - full);
  }

private:
  ArrayRef<DimShape> shapes;
  SmallVectorImpl<ExtentTie> &ties;
};

DimExpr panelsOf(const DimExpr &columns) {
  return DimExpr::ceilDiv(columns, DimExpr::constant(panelColumns));
}

ArrayRef<DimExpr> allButLast(const DimShape &shape) {
  return ArrayRef<DimExpr>(shape).drop_back();
}

} // namespace

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

void LinearOp::getExtentTies(ArrayRef<DimShape> operands,
                             SmallVectorImpl<ExtentTie> &ties) {
  TieCollector tie(operands, ties);
  const DimShape &x = tie[getXMutable()], &w = tie[getWMutable()],
                 &init = tie[getInitMutable()];
  tie.equal(allButLast(x), allButLast(init));
  if (isPacked()) {
    tie.equal(w[0], panelsOf(init.back()));
    DimExpr depth = x.back();
    if (hasPairs()) {
      depth = DimExpr::ceilDiv(depth, DimExpr::constant(2));
      tie.equal(w[3], 2);
    }
    tie.equal(w[1], depth);
    tie.equal(w[2], panelColumns);
  } else {
    tie.equal(w[0], x.back());
    tie.equal(w[1], init.back());
  }
  if (const DimShape *bias = tie.find(getBiasMutable()))
    tie.equal(bias->front(), init.back());
}

void MatmulOp::getExtentTies(ArrayRef<DimShape> operands,
                             SmallVectorImpl<ExtentTie> &ties) {
  TieCollector tie(operands, ties);
  const DimShape &a = tie[getAMutable()], &b = tie[getBMutable()],
                 &init = tie[getInitMutable()];
  ArrayRef<DimExpr> batch = ArrayRef<DimExpr>(init).drop_back(2);
  for (const DimShape *factor : {&a, &b}) {
    ArrayRef<DimExpr> own = ArrayRef<DimExpr>(*factor).drop_back(2);
    tie.equalOrOne(own, batch.take_back(own.size()));
  }
  tie.equal(a[a.size() - 2], init[init.size() - 2]);
  tie.equal(b.back(), init.back());
  tie.equal(b[b.size() - 2], a.back());
}

void QuantizeRowsOp::getExtentTies(ArrayRef<DimShape> operands,
                                   SmallVectorImpl<ExtentTie> &ties) {
  TieCollector tie(operands, ties);
  const DimShape &x = tie[getXMutable()], &init = tie[getInitMutable()];
  tie.equal(x[0], init[0]);
  tie.equal(init[1], DimExpr::ceilDiv(x[1], DimExpr::constant(getBlock())));
  // The codes of a block, a scale and a sum.
  tie.equal(init[2], getBlock() * getActivationBits() / 32 + 2);
}

void QuantizedLinearOp::getExtentTies(ArrayRef<DimShape> operands,
                                      SmallVectorImpl<ExtentTie> &ties) {
  TieCollector tie(operands, ties);
  const DimShape &x = tie[getXMutable()], &codes = tie[getCodesMutable()],
                 &scale = tie[getScaleMutable()], &init = tie[getInitMutable()];
  int64_t block = getBlock();
  tie.equal(x[0], init[0]);
  tie.equal(codes[0], panelsOf(init[1]));
  if (x.size() == 2) {
    tie.equal(x[1], codes[1] * DimExpr::constant(block));
  } else {
    tie.equal(x[1], codes[1]);
    tie.equal(x[2], block * getActivationBits() / 32 + 2);
  }
  tie.equal(codes[2], block * getWeightBits() / 32);
  tie.equal(codes[3], panelColumns);
  tie.equal(scale[0], codes[0]);
  tie.equalOrOne(scale[1], codes[1]);
  tie.equal(scale[2], panelColumns);
  if (const DimShape *zero = tie.find(getZeroMutable()))
    tie.equal(*zero, scale);
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

void AttentionOp::getExtentTies(ArrayRef<DimShape> operands,
                                SmallVectorImpl<ExtentTie> &ties) {
  TieCollector tie(operands, ties);
  const DimShape &q = tie[getQMutable()], &k = tie[getKMutable()],
                 &v = tie[getVMutable()], &init = tie[getInitMutable()];
  const DimExpr &batch = init[0], &queries = init[1], &heads = init[2],
                &keys = k[1], &keyHeads = k[2];
  tie.equal(allButLast(q), allButLast(init));
  tie.equal(k[0], batch);
  tie.equal(k[3], q[3]);
  tie.equal(allButLast(v), allButLast(k));
  tie.equal(v[3], init[3]);
  // So many query heads share a key head.
  DimExpr group =
      DimExpr::max(DimExpr::floorDiv(heads, keyHeads), DimExpr::constant(1));
  tie.noMore(DimExpr::ceilDiv(heads, group), keyHeads);
  if (const DimShape *mask = tie.find(getKeyMaskMutable())) {
    tie.mayBroadcast((*mask)[0], batch);
    tie.mayBroadcast((*mask)[1], keys);
  }
  if (const DimShape *bias = tie.find(getBiasMutable())) {
    const DimExpr *full[] = {&batch, &heads, &queries, &keys};
    for (auto [dim, extent] : llvm::zip_equal(*bias, full))
      tie.mayBroadcast(dim, *extent);
  }
  if (const DimShape *past = tie.find(getPastMutable()))
    tie.equal(past->front(), batch);
}

void PagedAttentionOp::getExtentTies(ArrayRef<DimShape> operands,
                                     SmallVectorImpl<ExtentTie> &ties) {
  TieCollector tie(operands, ties);
  const DimShape &q = tie[getQMutable()], &init = tie[getInitMutable()];
  CacheType cache = getCache().getType();
  tie.equal(allButLast(q), allButLast(init));
  tie.equal(q[3], cache.getKeyDepth());
  tie.equal(init[3], cache.getValueDepth());
  DimExpr cached = DimExpr::constant(cache.getHeads());
  tie.equal(DimExpr::floorDiv(q[2], cached) * cached, q[2]);
  tie.equal(tie[getPastMutable()][0], q[0]);
  tie.equal(tie[getCountMutable()][0], q[0]);
  if (const DimShape *bias = tie.find(getBiasMutable()))
    tie.equal(bias->front(), q[2]);
}

void PageAttentionOp::getExtentTies(ArrayRef<DimShape> operands,
                                    SmallVectorImpl<ExtentTie> &ties) {
  TieCollector tie(operands, ties);
  const DimShape &q = tie[getQMutable()], &init = tie[getInitMutable()];
  CacheType cache = getCache().getType();
  tie.equal(q[0], init[0]);
  tie.noMore(tie[getPagesMutable()][0], init[1]);
  tie.equal(q[1], init[2]);
  tie.equal(q[2], cache.getKeyDepth());
  tie.equal(init[3], cache.getValueDepth() + pagePartExtra);
  DimExpr cached = DimExpr::constant(cache.getHeads());
  tie.equal(DimExpr::floorDiv(q[1], cached) * cached, q[1]);
  tie.equal(tie[getPastMutable()][0], q[0]);
  tie.equal(tie[getCountMutable()][0], q[0]);
}

void MergePagesOp::getExtentTies(ArrayRef<DimShape> operands,
                                 SmallVectorImpl<ExtentTie> &ties) {
  TieCollector tie(operands, ties);
  const DimShape &parts = tie[getPartsMutable()], &init = tie[getInitMutable()];
  tie.equal(parts[0], init[0]);
  tie.equal(parts[2], init[1]);
  tie.equal(parts[3], init[2] + DimExpr::constant(pagePartExtra));
  tie.equal(tie[getPastMutable()][0], init[0]);
  tie.equal(tie[getCountMutable()][0], init[0]);
}

void CacheStoreOp::getExtentTies(ArrayRef<DimShape> operands,
                                 SmallVectorImpl<ExtentTie> &ties) {
  TieCollector tie(operands, ties);
  const DimShape &x = tie[getXMutable()];
  CacheType cache = getCache().getType();
  bool isKeys = getSide() == CacheSide::Keys;
  tie.noMore(x[1], DimExpr::constant(cache.getHeads()));
  tie.equal(x[2], isKeys ? cache.getKeyDepth() : cache.getValueDepth());
  // Rows are the tokens of each row of the batch, one after the other.
  const DimExpr &first = tie[getFirstMutable()][0],
                &tokens = tie[getTokensMutable()][0],
                &batch = tie[getPastMutable()][0];
  tie.noMore(DimExpr::constant(0), first);
  tie.noMore(first + x[0], tokens * batch);
  tie.equal(tie[getCountMutable()][0], batch);
}

//===----------------------------------------------------------------------===//
// Softmax, norms, rotation
//===----------------------------------------------------------------------===//

void SoftmaxOp::getExtentTies(ArrayRef<DimShape> operands,
                              SmallVectorImpl<ExtentTie> &ties) {
  TieCollector tie(operands, ties);
  tie.equal(tie[getXMutable()], tie[getInitMutable()]);
}

void LayerNormOp::getExtentTies(ArrayRef<DimShape> operands,
                                SmallVectorImpl<ExtentTie> &ties) {
  TieCollector tie(operands, ties);
  const DimShape &init = tie[getInitMutable()];
  tie.equal(tie[getXMutable()], init);
  tie.equal(tie[getGammaMutable()][0], init.back());
  if (const DimShape *beta = tie.find(getBetaMutable()))
    tie.equal(beta->front(), init.back());
}

void RmsNormOp::getExtentTies(ArrayRef<DimShape> operands,
                              SmallVectorImpl<ExtentTie> &ties) {
  TieCollector tie(operands, ties);
  const DimShape &init = tie[getInitMutable()];
  tie.equal(tie[getXMutable()], init);
  tie.equal(tie[getGammaMutable()][0], init.back());
}

void RotateOp::getExtentTies(ArrayRef<DimShape> operands,
                             SmallVectorImpl<ExtentTie> &ties) {
  TieCollector tie(operands, ties);
  const DimShape &init = tie[getInitMutable()], &cos = tie[getCosMutable()],
                 &sin = tie[getSinMutable()];
  tie.equal(tie[getXMutable()], init);
  tie.equalOrOne(allButLast(cos), allButLast(init));
  tie.equalOrOne(allButLast(sin), allButLast(init));
  tie.equal(sin.back(), cos.back());
  // Pairs of features; what is left after them is copied.
  tie.noMore(cos.back() * DimExpr::constant(2), init.back());
}
