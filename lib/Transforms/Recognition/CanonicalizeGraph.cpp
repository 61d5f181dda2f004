//===- CanonicalizeGraph.cpp - remove what moves nothing ------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Matchers.h"
#include "ingot/Transforms/Recognition.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"

namespace ingot {
#define GEN_PASS_DEF_CANONICALIZEGRAPH
#include "lib/Transforms/Recognition/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot;

namespace {

/// Groups consecutive dims of `from` so that group i has the product `to[i]`.
/// Dims of one go with the group before them, or the first one.
std::optional<SmallVector<SmallVector<int64_t>>>
groupDims(ArrayRef<DimExpr> from, ArrayRef<DimExpr> to) {
  SmallVector<SmallVector<int64_t>> groups;
  size_t next = 0;
  for (const DimExpr &target : to) {
    SmallVector<int64_t> group;
    DimExpr size = DimExpr::constant(1);
    while (next < from.size() && (group.empty() || size != target)) {
      size = size * from[next];
      group.push_back(next++);
    }
    if (size != target || group.empty())
      return std::nullopt;
    groups.push_back(std::move(group));
  }
  while (next < from.size() && from[next].isConstant(1))
    groups.back().push_back(next++);
  if (next != from.size() || groups.empty())
    return std::nullopt;
  return groups;
}

class Canonicalizer {
public:
  explicit Canonicalizer(Operation *root) : rewriter(root) {}

  /// One sweep; whether anything changed.
  bool sweep(Operation *root) {
    SmallVector<Operation *> ops;
    root->walk([&](Operation *op) { ops.push_back(op); });
    for (Operation *op : ops)
      simplify(op);
    rewriter.eraseDead();
    return rewriter.changed();
  }

private:
  void simplify(Operation *op) {
    if (op->use_empty() || op->getNumResults() != 1)
      return;
    if (auto dim = dyn_cast<tensor::DimOp>(op))
      return nameDim(dim);
    if (auto destination = dyn_cast<DestinationStyleOpInterface>(op))
      return nameDestination(destination);
    if (auto reshape = dyn_cast<ReshapeOp>(op)) {
      if (!dropIfSameShape(op, reshape.getX()))
        collapse(reshape);
    } else if (auto broadcast = dyn_cast<BroadcastToOp>(op)) {
      dropIfSameShape(op, broadcast.getX());
    } else if (auto cast = dyn_cast<CastOp>(op)) {
      if (elementTypeOf(cast.getX()) == elementTypeOf(cast))
        rewriter.replace(cast, cast.getX());
      else
        shortenCasts(cast);
    } else if (auto slice = dyn_cast<SliceOp>(op)) {
      if (llvm::all_of(slice.getSteps(), [](int64_t s) { return s == 1; }) &&
          llvm::all_of(slice.getStarts().getDims(),
                       [](const DimExpr &s) { return s.isConstant(0); }))
        dropIfSameShape(op, slice.getX());
    } else if (auto concat = dyn_cast<ConcatOp>(op)) {
      if (concat.getInputs().size() == 1)
        rewriter.replace(concat, concat.getInputs()[0]);
    } else if (auto rope = dyn_cast<RopeOp>(op)) {
      turnBack(rope);
    } else {
      dropNeutral(op);
    }
  }

  /// Whether an expression is one over declared symbols.
  static bool isNamed(const DimExpr &expr) {
    llvm::StringSet<> names;
    expr.collectSymbols(names);
    return llvm::none_of(
        names, [](const auto &name) { return name.getKey().starts_with("?"); });
  }

  void nameDim(tensor::DimOp op) {
    std::optional<DimExpr> expr = rewriter.shapes.indexValue(op.getResult());
    if (!expr || !isNamed(*expr) ||
        op.getSource().getDefiningOp<tensor::EmptyOp>())
      return;
    OpBuilder builder(op);
    rewriter.replace(op, SizeOp::create(builder, op.getLoc(), *expr));
  }

  /// Destinations get their extents from symbols, not from other tensors, so
  /// that nothing seems to depend on a tensor that only its size is asked of.
  void nameDestination(DestinationStyleOpInterface op) {
    if (op.getNumDpsInits() != 1)
      return;
    Value init = op.getDpsInits()[0];
    auto empty = init.getDefiningOp<tensor::EmptyOp>();
    if (!empty || llvm::all_of(empty.getDynamicSizes(), [](Value size) {
          return static_cast<bool>(size.getDefiningOp<SizeOp>());
        }))
      return;
    const DimShape shape = rewriter.shapes.shapeOf(op->getResult(0));
    auto type = cast<RankedTensorType>(init.getType());
    OpBuilder builder(op);
    SmallVector<Value> sizes;
    for (auto [dim, extent] : llvm::zip_equal(shape, type.getShape())) {
      if (!isNamed(dim))
        return;
      if (ShapedType::isDynamic(extent))
        sizes.push_back(SizeOp::create(builder, op.getLoc(), dim));
    }
    op.getDpsInitsMutable()[0].set(
        tensor::EmptyOp::create(builder, op.getLoc(), type, sizes));
  }

  bool dropIfSameShape(Operation *op, Value x) {
    if (!rewriter.shapes.sameShape(op->getResult(0), x))
      return false;
    rewriter.replace(op->getResult(0), x);
    return true;
  }

  /// Operations with their neutral element, where the constant adds no dims.
  void dropNeutral(Operation *op) {
    Value result = op->getResult(0);
    auto drop = [&](Value kept, Value constant, double neutral) {
      if (splatConstant(constant) == neutral &&
          elementTypeOf(kept) == elementTypeOf(result))
        return dropIfSameShape(op, kept);
      return false;
    };
    if (isa<MulOp, AndOp>(op))
      drop(op->getOperand(0), op->getOperand(1), 1.0) ||
          drop(op->getOperand(1), op->getOperand(0), 1.0);
    else if (isa<OrOp>(op))
      drop(op->getOperand(0), op->getOperand(1), 0.0) ||
          drop(op->getOperand(1), op->getOperand(0), 0.0);
    else if (isa<DivOp>(op))
      drop(op->getOperand(0), op->getOperand(1), 1.0);
  }

  /// A boolean of a boolean that was a number on the way is the boolean.
  void shortenCasts(CastOp cast) {
    auto inner = cast.getX().getDefiningOp<CastOp>();
    if (!inner || cast.getBitcast() || inner.getBitcast())
      return;
    Value x = inner.getX();
    if (elementTypeOf(x).isInteger(1) && elementTypeOf(cast).isInteger(1))
      rewriter.replace(cast, x);
  }

  /// A transpose between a merge of dims and the split of the same dims is a
  /// transpose of the unmerged tensor.
  void collapse(ReshapeOp split) {
    auto transpose = split.getX().getDefiningOp<TransposeOp>();
    auto merge =
        transpose ? transpose.getX().getDefiningOp<ReshapeOp>() : ReshapeOp();
    if (!merge)
      return;
    DimShape source = rewriter.shapes.shapeOf(merge.getX());
    auto groups = groupDims(source, rewriter.shapes.shapeOf(merge));
    if (!groups)
      return;
    SmallVector<int64_t> permutation;
    for (int64_t dim : transpose.getPermutation())
      llvm::append_range(permutation, (*groups)[dim]);
    DimShape permuted;
    for (int64_t dim : permutation)
      permuted.push_back(source[dim]);
    auto parts = groupDims(permuted, rewriter.shapes.shapeOf(split));
    if (!parts)
      return;
    // Dims that stay merged must have been neighbours all along.
    SmallVector<std::pair<int64_t, int64_t>> firstDims;
    for (auto [i, part] : llvm::enumerate(*parts)) {
      for (size_t j = 1; j < part.size(); ++j)
        if (permutation[part[j]] != permutation[part[0]] + int64_t(j))
          return;
      firstDims.push_back({permutation[part[0]], i});
    }
    llvm::sort(firstDims);
    DimShape merged;
    SmallVector<int64_t> order(parts->size());
    for (auto [place, first] : llvm::enumerate(firstDims)) {
      order[first.second] = place;
      DimExpr size = DimExpr::constant(1);
      for (int64_t dim : (*parts)[first.second])
        size = size * permuted[dim];
      merged.push_back(size);
    }
    OpBuilder builder(split);
    Location loc = split.getLoc();
    Value x = buildReshape(builder, loc, merge.getX(), merged, rewriter.shapes);
    rewriter.replace(split, buildTranspose(builder, loc, x, order));
  }

  /// A rotation between a transpose and its inverse needs neither: the tables
  /// turn instead.
  void turnBack(RopeOp rope) {
    auto transpose = rope.getX().getDefiningOp<TransposeOp>();
    if (!transpose)
      return;
    SmallVector<int64_t> inverse =
        invertPermutationVector(transpose.getPermutation());
    SmallVector<Operation *> readers = readersOf(rope);
    bool areInverse = llvm::all_of(readers, [&](Operation *reader) {
      auto back = dyn_cast<TransposeOp>(reader);
      return back && back.getPermutation() == ArrayRef<int64_t>(inverse);
    });
    if (readers.empty() || !areInverse ||
        inverse.back() != static_cast<int64_t>(inverse.size()) - 1)
      return;
    OpBuilder builder(rope);
    Location loc = rope.getLoc();
    Value turned = RopeOp::create(builder, loc, transpose.getX(),
                                  turn(builder, loc, rope.getCos(), inverse),
                                  turn(builder, loc, rope.getSin(), inverse),
                                  rope.getInterleaved());
    for (Operation *reader : readers)
      rewriter.replace(reader->getResult(0), turned);
  }

  /// A transpose of a table, which is a reshape where only dims of one move.
  Value turn(OpBuilder &builder, Location loc, Value table,
             ArrayRef<int64_t> permutation) {
    DimShape shape = rewriter.shapes.shapeOf(table), turned;
    int64_t last = -1;
    bool isReshape = !table.getDefiningOp<TransposeOp>();
    for (int64_t dim : permutation) {
      turned.push_back(shape[dim]);
      if (shape[dim].isConstant(1))
        continue;
      isReshape &= dim > last;
      last = dim;
    }
    if (isReshape)
      return buildReshape(builder, loc, table, turned, rewriter.shapes);
    return buildTranspose(builder, loc, table, permutation);
  }

  GraphRewriter rewriter;
};

struct CanonicalizeGraphPass
    : ingot::impl::CanonicalizeGraphBase<CanonicalizeGraphPass> {
  void runOnOperation() override {
    // A sweep sees what the one before uncovered; stopping early is correct.
    constexpr unsigned maxSweeps = 16;
    for (unsigned i = 0; i < maxSweeps; ++i)
      if (!Canonicalizer(getOperation()).sweep(getOperation()))
        break;
  }
};

} // namespace
