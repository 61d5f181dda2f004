//===- Reshape.cpp - the same elements under other dims ------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Emitter.h"

#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;
using namespace ingot;

namespace {
/// Dims [fromBegin, fromEnd) of one shape hold the same elements as dims
/// [toBegin, toEnd) of another.
struct Group {
  unsigned fromBegin, fromEnd, toBegin, toEnd;
};
} // namespace

static SmallVector<DimExpr> prefixProducts(const DimShape &dims) {
  SmallVector<DimExpr> result = {DimExpr::constant(1)};
  for (const DimExpr &dim : dims)
    result.push_back(result.back() * dim);
  return result;
}

/// The finest pairing of consecutive dims with provably equal products. What
/// is left at the end joins the last group. Both shapes have a dim at least.
static SmallVector<Group> groupDims(const DimShape &from, const DimShape &to) {
  SmallVector<DimExpr> a = prefixProducts(from), b = prefixProducts(to);
  SmallVector<Group> groups;
  unsigned i0 = 0, j0 = 0;
  for (unsigned i = 1; i <= from.size(); ++i)
    for (unsigned j = j0 + 1; j <= to.size(); ++j)
      if (a[i] == b[j]) {
        groups.push_back({i0, i, j0, j});
        i0 = i;
        j0 = j;
        break;
      }
  if (groups.empty() || a.back() != b.back())
    return {{0, unsigned(from.size()), 0, unsigned(to.size())}};
  groups.back().fromEnd = from.size();
  groups.back().toEnd = to.size();
  return groups;
}

static ReassociationIndices range(unsigned begin, unsigned end) {
  ReassociationIndices result;
  llvm::append_range(result, llvm::seq<int64_t>(begin, end));
  return result;
}

/// `x` with each group of dims collapsed to one; a group without dims cannot
/// be, an empty list of groups makes a scalar.
static Tensor collapse(Emitter &e, const Tensor &x,
                       ArrayRef<ReassociationIndices> groups) {
  DimShape dims;
  for (const ReassociationIndices &group : groups) {
    dims.push_back(DimExpr::constant(1));
    for (int64_t i : group)
      dims.back() = dims.back() * x.dims[i];
  }
  if (static_cast<int64_t>(groups.size()) == x.rank())
    return {x.value, dims};
  Value value = tensor::CollapseShapeOp::create(e, x.value, groups);
  auto type = tensorOf(dims, x.element());
  if (value.getType() != type)
    value = tensor::CastOp::create(e, type, value);
  return {value, dims};
}

/// The inverse of `collapse`.
static Tensor expand(Emitter &e, Value value,
                     ArrayRef<ReassociationIndices> groups,
                     const DimShape &dims) {
  auto type = tensorOf(dims, getElementTypeOrSelf(value.getType()));
  if (static_cast<int64_t>(groups.size()) != type.getRank()) {
    // A dim whose parts are not all static must not be static either.
    auto collapsed = tensor::CollapseShapeOp::inferCollapsedType(
        type, SmallVector<ReassociationIndices>(groups));
    if (value.getType() != collapsed)
      value = tensor::CastOp::create(e, collapsed, value);
    value =
        tensor::ExpandShapeOp::create(e, type, value, groups, e.sizes(dims));
  } else if (value.getType() != type) {
    value = tensor::CastOp::create(e, type, value);
  }
  return {value, dims};
}

Tensor Emitter::reshape(const Tensor &x, const DimShape &dims) {
  if (x.dims == dims)
    return x;
  if (x.dims.empty() && dims.empty())
    return x;
  DimExpr count = product(x.dims), wanted = product(dims);
  if (count.isConstant() && wanted.isConstant() && count != wanted) {
    check(arith::ConstantIntOp::create(*this, 0, 1),
          "shapes of different sizes");
    return {empty(dims, x.element()), dims};
  }
  checkEqual(count, wanted, "shapes of different sizes");
  // Nothing to keep, and products of zero tell no groups of dims apart.
  if (count.isConstant(0) || wanted.isConstant(0))
    return {empty(dims, x.element()), dims};
  // Between a scalar and dims that only turn out to be one at run time lies a
  // cast of the type.
  DimExpr one = DimExpr::constant(1);
  if (x.dims.empty()) {
    Tensor ones = expand(*this, x.value, {}, DimShape(dims.size(), one));
    auto type = tensorOf(dims, x.element());
    if (ones.value.getType() != type)
      ones.value = tensor::CastOp::create(*this, type, ones.value);
    return {ones.value, dims};
  }
  if (dims.empty()) {
    DimShape ones(x.rank(), one);
    auto type = tensorOf(ones, x.element());
    Value value = x.value;
    if (value.getType() != type)
      value = tensor::CastOp::create(*this, type, value);
    return {collapse(*this, {value, ones}, {}).value, dims};
  }
  SmallVector<ReassociationIndices> from, to;
  for (const Group &group : groupDims(x.dims, dims)) {
    from.push_back(range(group.fromBegin, group.fromEnd));
    to.push_back(range(group.toBegin, group.toEnd));
  }
  Tensor collapsed = collapse(*this, x, from);
  return expand(*this, collapsed.value, to, dims);
}

Tensor Emitter::dropUnitDims(const Tensor &x,
                             const llvm::SmallBitVector &drop) {
  if (drop.none())
    return x;
  SmallVector<ReassociationIndices> groups;
  ReassociationIndices pending;
  DimShape dims;
  for (int64_t i = 0; i < x.rank(); ++i) {
    pending.push_back(i);
    if (drop[i])
      continue;
    groups.push_back(pending);
    dims.push_back(x.dims[i]);
    pending.clear();
  }
  if (!groups.empty())
    llvm::append_range(groups.back(), pending);
  return {collapse(*this, x, groups).value, dims};
}

Tensor Emitter::rows(const Tensor &x) {
  if (x.rank() == 2)
    return x;
  DimExpr count = DimExpr::constant(1);
  for (const DimExpr &dim : ArrayRef(x.dims).drop_back())
    count = count * dim;
  return reshape(x, {count, x.dims.back()});
}

Tensor Emitter::transpose(const Tensor &x, ArrayRef<int64_t> permutation) {
  if (llvm::equal(permutation, llvm::seq<int64_t>(0, x.rank())))
    return x;
  DimShape dims;
  // Dim permutation[i] of x is read at index i.
  SmallVector<AffineExpr> exprs(x.rank());
  for (auto [i, dim] : llvm::enumerate(permutation)) {
    dims.push_back(x.dims[dim]);
    exprs[dim] = getAffineDimExpr(i);
  }
  return generic(
      dims, x.element(), x.value,
      AffineMap::get(x.rank(), 0, exprs, getContext()),
      [](ImplicitLocOpBuilder &, ValueRange in) -> Value { return in[0]; });
}
