//===- Misc.cpp - dropout, windows, control flow, other types -------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "../Importer.h"
#include "../Registry.h"
#include <cmath>

using namespace llvm;
using namespace mlir;

namespace ingot::onnxin {
namespace {

/// Inference: the operand itself and a mask that keeps everything.
void dropout(NodeContext &n) {
  n.ignore({"seed", "is_test"});
  double ratio = n.real("ratio", 0.5);
  if (n.has(2)) {
    std::optional<SmallVector<int64_t>> training =
        n.constants(2, "training_mode");
    if (!training)
      return;
    if (training->size() != 1)
      return n.error("training_mode is no scalar");
    if (training->front()) {
      const Contents *given = n.contents(1);
      bool keepsAll = n.has(1) ? given && given->numbers.size() == 1 &&
                                     given->numbers[0] == Number::of(0)
                               : ratio == 0;
      if (!keepsAll)
        return n.unsupportedAttribute("training_mode",
                                      "1 with a ratio above 0");
    }
  }
  n.pass(0, 0);
  if (n.wants(1))
    n.out(1, n.e.full(n.e.scalar(1, n.e.builder.getI1Type()), n.dims(0)));
}

/// a0 - a1 cos(2 pi i / N) + a2 cos(4 pi i / N), N the size or one less.
void cosineWindow(NodeContext &n, double a0, double a1, double a2) {
  Emitter &e = n.e;
  std::optional<DimShape> size = n.expressions(0, "the size");
  bool periodic = n.integer("periodic", 1) != 0;
  int64_t dtype = n.integer("output_datatype", 1);
  Type type = elementTypeFor(dtype, n.importer.context());
  if (!type)
    return n.unsupported(kUnsupportedDtype,
                         Twine("a window of ") + dtypeName(dtype));
  if (!size)
    return;
  if (size->size() != 1)
    return n.error("the size is no scalar");
  Type f64 = e.builder.getF64Type();
  DimExpr length = periodic ? (*size)[0] : (*size)[0] - DimExpr::constant(1);
  Value angle = e.mul(e.iota((*size)[0], f64), e.scalar(2 * M_PI, f64));
  angle = e.div(angle, e.cast(e.fromDims({length}, true), f64));
  Value y =
      e.sub(e.scalar(a0, f64), e.mul(e.make<CosOp>(angle), e.scalar(a1, f64)));
  if (a2 != 0) {
    Value twice = e.make<CosOp>(e.add(angle, angle));
    y = e.add(y, e.mul(twice, e.scalar(a2, f64)));
  }
  n.out(0, e.cast(y, type));
}

void hann(NodeContext &n) { cosineWindow(n, 0.5, 0.5, 0); }
void hamming(NodeContext &n) { cosineWindow(n, 25.0 / 46, 21.0 / 46, 0); }
void blackman(NodeContext &n) { cosineWindow(n, 0.42, 0.5, 0.08); }

/// The values of a branch, imported in place; false after an error.
bool importBranch(NodeContext &n, const Node &node,
                  const onnx::AttributeProto *branch,
                  SmallVectorImpl<ValueId> &results) {
  if (!n.importer.importBranch(branch->g(), node, results)) {
    n.unsupported(kSubgraph, "a branch of If");
    return false;
  }
  for (size_t i = 0; i != node.outputs.size(); ++i)
    if (node.outputs[i] != kAbsent &&
        (i >= results.size() || results[i] == kAbsent)) {
      n.error("its branch has too few results");
      return false;
    }
  return true;
}

/// Both branches, and a choice between their results. What a branch checks
/// while it runs is checked whichever is chosen.
void chooseBranch(NodeContext &n, const Node &node, Value condition,
                  const onnx::AttributeProto *const branches[2]) {
  Emitter &e = n.e;
  SmallVector<ValueId> other, then;
  if (!importBranch(n, node, branches[0], other) ||
      !importBranch(n, node, branches[1], then))
    return;
  condition = e.reshape(condition, {});
  for (size_t i = 0; i != node.outputs.size(); ++i) {
    if (node.outputs[i] == kAbsent)
      continue;
    const Tensor a = n.importer.tensor(then[i]),
                 b = n.importer.tensor(other[i]);
    if (a.type != b.type || a.dims != b.dims)
      return n.unsupported(
          kSubgraph,
          "If with a computed condition and results of different "
          "shapes (a boolean input alone may choose; --set fixes one)");
    Value value = e.where(condition, n.importer.materialize(then[i]),
                          n.importer.materialize(other[i]));
    if (!value)
      return n.out(i, {});
    Tensor chosen;
    chosen.type = e.element(value);
    chosen.dims = e.dims(value);
    chosen.value = value;
    n.importer.define(node.outputs[i], chosen);
  }
}

/// A branch whose condition is known is imported in place.
void ifNode(NodeContext &n) {
  const onnx::AttributeProto *branches[2] = {n.attribute("else_branch"),
                                             n.attribute("then_branch")};
  if (!branches[0] || !branches[1])
    return n.error("a branch is missing");
  const Contents *condition = n.contents(0);
  std::optional<int64_t> value;
  if (condition && condition->numbers.size() == 1)
    value = condition->numbers[0].integer();
  // Importing the branch may move the node's own record.
  Node node = n.node;
  if (!value && n.importer.isDecided(node.inputs[0]))
    return;
  if (!value) {
    Value given = n.value(0);
    if (!given || !n.e.element(given).isInteger(1))
      return n.error("a condition that is no boolean");
    return chooseBranch(n, node, given, branches);
  }
  SmallVector<ValueId> results;
  if (!importBranch(n, node, branches[*value != 0], results))
    return;
  for (size_t i = 0; i != node.outputs.size(); ++i)
    if (node.outputs[i] != kAbsent)
      n.importer.define(node.outputs[i], n.importer.tensor(results[i]));
}

void subgraph(NodeContext &n) { n.unsupported(kSubgraph, n.node.op); }

void otherType(NodeContext &n) { n.unsupported(kUnsupportedType, n.node.op); }

/// Determinants by cofactors would not scale; small static matrices only.
Value determinant(Emitter &e, Value x, int64_t size) {
  int64_t rank = e.rank(x);
  auto at = [&](Value m, int64_t axis, int64_t start, int64_t count) {
    return e.sliceAxis(m, axis, DimExpr::constant(start),
                       DimExpr::constant(count));
  };
  if (size == 1)
    return e.squeeze(x, {rank - 2, rank - 1});
  Value total;
  Value rest = at(x, rank - 2, 1, size - 1), first = at(x, rank - 2, 0, 1);
  for (int64_t i = 0; i != size; ++i) {
    SmallVector<Value> parts;
    if (i > 0)
      parts.push_back(at(rest, rank - 1, 0, i));
    if (i + 1 < size)
      parts.push_back(at(rest, rank - 1, i + 1, size - 1 - i));
    Value minor = e.concat(parts, rank - 1);
    if (!minor)
      return {};
    Value term =
        e.mul(e.squeeze(at(first, rank - 1, i, 1), {rank - 2, rank - 1}),
              determinant(e, minor, size - 1));
    total = !total ? term : i % 2 ? e.sub(total, term) : e.add(total, term);
  }
  return total;
}

void det(NodeContext &n) {
  int64_t rank = n.rank(0);
  if (rank < 2)
    return n.error("rank " + Twine(rank));
  std::optional<int64_t> size = n.dims(0)[rank - 1].getConstant();
  if (!size || n.dims(0)[rank - 2] != n.dims(0)[rank - 1])
    return n.dataDependent("the extent of the matrices");
  if (*size < 1 || *size > 4)
    return n.unsupportedAttribute("matrix size", Twine(*size));
  n.out(0, determinant(n.e, n.value(0), *size));
}

} // namespace

void addMiscOps(Registry &r) {
  r.add("Dropout", 7, dropout);
  r.add("HannWindow", 17, hann);
  r.add("HammingWindow", 17, hamming);
  r.add("BlackmanWindow", 17, blackman);
  r.add("Det", 11, det);
  r.add("If", 1, ifNode);
  for (StringRef op : {"Loop", "Scan", "SequenceMap"})
    r.add(op, 1, subgraph);
  for (StringRef op :
       {"SequenceEmpty", "SequenceConstruct", "SequenceInsert", "SequenceErase",
        "SequenceAt", "SequenceLength", "SplitToSequence", "ConcatFromSequence",
        "Optional", "OptionalGetElement", "OptionalHasElement", "StringConcat",
        "StringSplit", "StringNormalizer", "RegexFullMatch"})
    r.add(op, 1, otherType);
}

} // namespace ingot::onnxin
