//===- Linear.cpp - matrix products ---------------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Linear.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringExtras.h"
#include <map>

using namespace llvm;
using namespace mlir;

namespace ingot::onnxin {

Value generalProduct(NodeContext &n) {
  Emitter &e = n.e;
  double alpha = n.real("alpha", 1), beta = n.real("beta", 1);
  Value a = n.value(0), b = n.value(1), c = n.value(2);
  bool transposeA = n.integer("transA", 0) != 0,
       transposeB = n.integer("transB", 0) != 0;
  if (n.rank(0) != 2 || n.rank(1) != 2) {
    n.error("ranks " + Twine(n.rank(0)) + " and " + Twine(n.rank(1)));
    return {};
  }
  if (transposeA)
    a = e.transpose(a, {1, 0});
  if (transposeB)
    b = e.transpose(b, {1, 0});
  Value y = e.matmul(a, b);
  if (alpha != 1)
    y = e.mul(y, e.scalarLike(alpha, y));
  if (c && beta != 0) {
    if (beta != 1)
      c = e.mul(c, e.scalarLike(beta, c));
    y = e.add(y, c);
  }
  return y;
}

namespace {

void matmul(NodeContext &n) { n.out(0, n.e.matmul(n.value(0), n.value(1))); }

void gemm(NodeContext &n) { n.out(0, generalProduct(n)); }

//===----------------------------------------------------------------------===//
// Einsum
//===----------------------------------------------------------------------===//

/// Dims that an ellipsis stands for are labelled from here on.
constexpr int kEllipsis = 256;

/// One operand with a label for each of its dims.
struct Labelled {
  Value value;
  SmallVector<int> labels;

  int64_t find(int label) const {
    const auto *at = llvm::find(labels, label);
    return at == labels.end() ? -1 : at - labels.begin();
  }
};

/// Sums a dim away.
void sumOut(Emitter &e, Labelled &x, int64_t axis) {
  x.value = e.reduce(ReduceKind::Sum, x.value, {axis}, false);
  x.labels.erase(x.labels.begin() + axis);
}

/// Replaces two dims of the same label by their diagonal.
void takeDiagonals(Emitter &e, Labelled &x) {
  for (size_t i = 0; i < x.labels.size() && x.value; ++i)
    for (size_t j = i + 1; j < x.labels.size();) {
      if (x.labels[i] != x.labels[j]) {
        ++j;
        continue;
      }
      const DimShape dims = e.dims(x.value);
      Type i64 = e.builder.getI64Type();
      Value row = e.alongAxis(e.iota(dims[i], i64), i, dims.size());
      Value column = e.alongAxis(e.iota(dims[j], i64), j, dims.size());
      x.value = e.where(e.binary<EqualOp>(row, column), x.value,
                        e.scalarLike(0, x.value));
      sumOut(e, x, j);
      if (!x.value)
        return;
    }
}

/// Dims in the order of `labels`, those it lacks inserted with extent one.
Value arrange(Emitter &e, const Labelled &x, ArrayRef<int> labels) {
  SmallVector<int64_t> order, missing;
  for (auto [i, label] : enumerate(labels))
    if (int64_t at = x.find(label); at >= 0)
      order.push_back(at);
    else
      missing.push_back(i);
  return e.unsqueeze(e.transpose(x.value, order), missing);
}

/// The product of two operands, summed over labels that nothing else needs.
Labelled contract(Emitter &e, const Labelled &a, const Labelled &b,
                  const llvm::DenseSet<int> &needed) {
  SmallVector<int> batch, left, right, summed;
  for (int label : a.labels)
    if (b.find(label) >= 0)
      (needed.contains(label) ? batch : summed).push_back(label);
    else
      left.push_back(label);
  for (int label : b.labels)
    if (a.find(label) < 0)
      right.push_back(label);
  // batch x left x summed times batch x summed x right.
  auto concat = [](std::initializer_list<ArrayRef<int>> parts) {
    SmallVector<int> all;
    for (ArrayRef<int> part : parts)
      llvm::append_range(all, part);
    return all;
  };
  Labelled result;
  result.labels = concat({batch, left, right});
  if (summed.empty()) {
    result.value =
        e.mul(arrange(e, a, result.labels), arrange(e, b, result.labels));
    return result;
  }
  Value x = arrange(e, a, concat({batch, left, summed}));
  Value y = arrange(e, b, concat({batch, summed, right}));
  if (!x || !y)
    return result;
  int64_t nb = batch.size(), nl = left.size(), ns = summed.size(),
          nr = right.size();
  const DimShape dx = e.dims(x), dy = e.dims(y);
  x = e.mergeDims(e.mergeDims(x, nb + nl, nb + nl + ns), nb, nb + nl);
  y = e.mergeDims(e.mergeDims(y, nb + ns, nb + ns + nr), nb, nb + ns);
  Value product = e.matmul(x, y);
  if (!product)
    return result;
  DimShape to(e.dims(product).begin(), e.dims(product).begin() + nb);
  to.append(dx.begin() + nb, dx.begin() + nb + nl);
  to.append(dy.begin() + nb + ns, dy.end());
  result.value = e.reshape(product, to);
  return result;
}

/// The labels of one term; false where they do not fit the rank.
bool parseTerm(StringRef text, int64_t rank, SmallVectorImpl<int> &labels,
               size_t &ellipsis) {
  int64_t named = 0;
  bool has = false;
  for (char c : text)
    named += c != '.';
  while (!text.empty()) {
    if (text.consume_front("...")) {
      if (has || named > rank)
        return false;
      has = true;
      size_t stands = rank - named;
      ellipsis = std::max(ellipsis, stands);
      for (size_t i = 0; i != stands; ++i)
        labels.push_back(kEllipsis + (stands - 1 - i));
    } else if (isAlpha(text.front())) {
      labels.push_back(text.front());
      text = text.drop_front();
    } else {
      return false;
    }
  }
  return int64_t(labels.size()) == rank;
}

void einsum(NodeContext &n) {
  Emitter &e = n.e;
  std::string equation = n.text("equation", "");
  llvm::erase_if(equation, [](char c) { return c == ' '; });
  auto [from, to] = StringRef(equation).split("->");
  SmallVector<StringRef> terms;
  from.split(terms, ',');
  auto bad = [&] { n.error("equation '" + equation + "'"); };
  if (terms.size() != n.inputs())
    return bad();
  size_t ellipsis = 0;
  SmallVector<Labelled> operands;
  std::map<int, int> uses;
  for (auto [i, term] : enumerate(terms)) {
    Labelled operand;
    operand.value = n.value(i);
    if (!operand.value)
      return n.out(0, {});
    if (!parseTerm(term, n.rank(i), operand.labels, ellipsis))
      return bad();
    for (int label : operand.labels)
      ++uses[label];
    operands.push_back(std::move(operand));
  }
  SmallVector<int> wanted;
  if (StringRef(equation).contains("->")) {
    size_t dots = StringRef(to).contains("...") ? ellipsis : 0, unused = 0;
    if (!parseTerm(
            to,
            int64_t(llvm::count_if(to, [](char c) { return c != '.'; })) + dots,
            wanted, unused))
      return bad();
  } else {
    // Implicit: what occurs once, in alphabetical order, after the ellipsis.
    for (size_t i = ellipsis; i-- > 0;)
      wanted.push_back(kEllipsis + i);
    for (auto [label, count] : uses)
      if (label < kEllipsis && count == 1)
        wanted.push_back(label);
  }
  for (int label : wanted)
    if (!uses.count(label) || llvm::count(wanted, label) != 1)
      return bad();

  for (Labelled &operand : operands)
    takeDiagonals(e, operand);
  Labelled total = operands.front();
  for (size_t i = 0; i != operands.size(); ++i) {
    llvm::DenseSet<int> needed(wanted.begin(), wanted.end());
    for (size_t j = i + 1; j < operands.size(); ++j)
      needed.insert(operands[j].labels.begin(), operands[j].labels.end());
    if (i > 0)
      total = contract(e, total, operands[i], needed);
    if (!total.value)
      return n.out(0, {});
    for (size_t axis = total.labels.size(); axis-- > 0;)
      if (!needed.contains(total.labels[axis]))
        sumOut(e, total, axis);
  }
  n.out(0, arrange(e, total, wanted));
}

/// Sum over the operands minus their zero points, in 32 bits.
void matmulInteger(NodeContext &n) {
  Emitter &e = n.e;
  Type i32 = e.builder.getI32Type();
  Value a = e.cast(n.value(0), i32), b = e.cast(n.value(1), i32);
  if (n.has(2)) {
    // One zero point per row of A.
    Value zero = e.cast(n.value(2), i32);
    if (zero && e.rank(zero) == 1 && !e.dims(zero)[0].isConstant(1))
      zero = e.unsqueeze(zero, {1});
    a = e.sub(a, zero);
  }
  if (n.has(3))
    b = e.sub(b, e.cast(n.value(3), i32));
  n.out(0, e.matmul(a, b, i32));
}

} // namespace

void addLinearOps(Registry &r) {
  r.add("MatMul", 1, matmul);
  r.add("Gemm", 7, gemm);
  r.add("Einsum", 12, einsum);
  r.add("MatMulInteger", 10, matmulInteger);
}

} // namespace ingot::onnxin
