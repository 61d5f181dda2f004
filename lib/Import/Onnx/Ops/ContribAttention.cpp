//===- ContribAttention.cpp - com.microsoft's attention ops ---------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// MultiHeadAttention, Attention and RotaryEmbedding, spelled out as
// primitives that recognition knows.
//
//===----------------------------------------------------------------------===//
#include "../Registry.h"
#include "AttentionParts.h"
#include <cmath>
#include <limits>

using namespace llvm;
using namespace mlir;

namespace ingot::onnxin {
namespace {

constexpr StringLiteral kMicrosoft = "com.microsoft";

DimExpr constant(int64_t value) { return DimExpr::constant(value); }

/// Operands of an attention as B x H x S x D, the past among keys and values.
struct Operands {
  Value q, k, v;
  DimExpr past;
};

/// Where `visible` is false the filter's value is added to a score.
Value filtered(NodeContext &n, Value visible, Type type) {
  double fill = n.real("mask_filter_value", -10000.0f);
  return n.e.where(visible, n.e.scalar(0, type), n.e.scalar(fill, type));
}

/// A mask over keys, in one of the forms of mask_index and key_padding_mask,
/// as an addend of the scores.
Value readMask(NodeContext &n, size_t input, const Operands &o) {
  Emitter &e = n.e;
  Value mask = n.value(input);
  if (!mask)
    return {};
  const DimShape shape = e.dims(mask), dq = e.dims(o.q);
  const DimExpr &batch = dq[0], &keys = e.dims(o.k)[2];
  Type type = e.element(o.q), i64 = e.builder.getI64Type();
  Value zero = e.scalarLike(0, mask);
  if (shape.size() == 1) {
    Value column = e.alongAxis(e.iota(keys, i64), 3, 4);
    auto bound = [&](const DimExpr &first) {
      Value part = e.cast(e.sliceAxis(mask, 0, first, batch), i64);
      return e.alongAxis(part, 0, 4);
    };
    // Of a length that is known only when the program is run it is a row's
    // number of keys; a run with ends and begins is refused by the reshape.
    bool isOpen = shape[0].getSymbol() || batch.getSymbol();
    if (isOpen && (shape[0].getSymbol() || shape[0].isConstant()) &&
        shape[0] != batch)
      mask = e.reshape(mask, {batch});
    if (mask && e.dims(mask)[0] == batch)
      return filtered(n, e.binary<LessOp>(column, bound({})), type);
    if (shape[0] == batch + batch) {
      Value inside =
          e.binary<AndOp>(e.binary<LessOp>(column, bound({})),
                          e.binary<GreaterEqualOp>(column, bound(batch)));
      return filtered(n, inside, type);
    }
    return e.fail("a mask of " + shape[0].str() + " elements for " +
                  batch.str() + " rows");
  }
  Value visible = e.binary<GreaterOp>(mask, zero);
  if (shape.size() == 2)
    return filtered(n, e.unsqueeze(visible, {1, 2}), type);
  if (shape.size() == 3)
    return filtered(n, e.unsqueeze(visible, {1}), type);
  return e.fail("a mask of rank " + Twine(shape.size()));
}

/// The result as B x S x (H*D), from the operands and the op's own mask and
/// bias inputs.
Value attend(NodeContext &n, const Operands &o, size_t maskAt, size_t biasAt) {
  Emitter &e = n.e;
  Value mask = n.has(maskAt) ? readMask(n, maskAt, o) : Value();
  if (!n.has(maskAt))
    n.ignore({"mask_filter_value"});
  double scale = n.real("scale", 0);
  if (scale == 0) {
    std::optional<int64_t> depth = e.dims(o.q)[3].getConstant();
    if (!depth || *depth <= 0) {
      n.dataDependent("the size of a head");
      return {};
    }
    scale = 1 / std::sqrt(double(*depth));
  }
  Value scores = e.mul(e.matmul(o.q, e.transpose(o.k, {0, 1, 3, 2})),
                       e.scalarLike(scale, o.q));
  if (n.has(maskAt))
    scores = e.add(scores, mask);
  if (n.has(biasAt))
    scores = e.add(scores, n.value(biasAt));
  if (n.integer("unidirectional", 0)) {
    Value visible = causalMask(e, e.dims(o.q)[2], e.dims(o.k)[2], o.past);
    Value hidden =
        e.scalarLike(-std::numeric_limits<double>::infinity(), scores);
    scores = e.add(scores, e.where(visible, e.scalarLike(0, scores), hidden));
  }
  return mergeHeads(e, e.matmul(e.softmax(scores, 3), o.v));
}

bool refuseInputs(NodeContext &n, size_t from) {
  for (size_t i = from; i < n.inputs(); ++i)
    if (n.has(i))
      n.unsupportedAttribute("input " + std::to_string(i), "given");
  return !n.failed();
}

/// One of the tensors that a packed operand holds along its dim 3, as
/// B x H x S x D.
Value unpack(Emitter &e, Value packed, int64_t which) {
  Value one =
      e.squeeze(e.sliceAxis(packed, 3, constant(which), constant(1)), {3});
  return e.transpose(one, {0, 2, 1, 3});
}

void multiHeadAttention(NodeContext &n) {
  Emitter &e = n.e;
  int64_t heads = n.integer("num_heads", 0);
  if (heads <= 0)
    return n.error("num_heads = " + Twine(heads));
  // A shared buffer and beams.
  if (!refuseInputs(n, 8))
    return;
  if (n.wants(3))
    return n.unsupportedAttribute("qk", "an output");
  if (n.has(6) != n.has(7))
    return n.error("a past key without a value, or a value without a key");
  Operands o;
  bool packed = n.rank(0) == 5, packedKeys = n.has(1) && n.rank(1) == 5;
  // A bias comes for q, k and v in a row; each has its own number of features.
  auto biased = [&](Value x, const DimExpr &first) -> Value {
    if (!n.has(3) || !x)
      return x;
    if (e.rank(x) != 3)
      return e.fail("a bias for an operand of rank " + Twine(e.rank(x)));
    return e.add(x, e.sliceAxis(n.value(3), 0, first, e.dims(x)[2]));
  };
  if (packed || packedKeys) {
    if (n.has(3))
      return n.unsupportedAttribute("bias", "given for packed operands");
    Value keys = n.value(packed ? 0 : 1);
    if (packed ? n.has(1) || n.has(2) : n.has(2))
      return n.error("packed operands and others");
    o.q = packed ? unpack(e, keys, 0) : headsFirst(e, n.value(0), heads);
    o.k = unpack(e, keys, packed ? 1 : 0);
    o.v = unpack(e, keys, packed ? 2 : 1);
  } else {
    if (!n.has(1) || !n.has(2))
      return n.error("a query without keys and values");
    Value q = n.value(0), k = n.value(1), v = n.value(2);
    if (!q || !k || !v)
      return n.out(0, {});
    if (e.rank(q) != 3)
      return n.error("a query of rank " + Twine(e.rank(q)));
    const DimExpr width = e.dims(q)[2];
    o.q = headsFirst(e, biased(q, {}), heads);
    // Keys and values of a cross attention have their heads apart already.
    o.k = e.rank(k) == 4 ? k : headsFirst(e, biased(k, width), heads);
    o.v = e.rank(v) == 4 ? v : headsFirst(e, biased(v, width + width), heads);
    if (n.has(3) && (e.rank(k) == 4 || e.rank(v) == 4))
      return n.unsupportedAttribute("bias", "given for keys of rank 4");
  }
  if (n.has(6)) {
    if (n.rank(6) != 4)
      return n.error("a past of rank " + Twine(n.rank(6)));
    o.past = n.dims(6)[2];
    o.k = e.concat({n.value(6), o.k}, 2);
    o.v = e.concat({n.value(7), o.v}, 2);
  }
  if (!o.q || !o.k || !o.v)
    return n.out(0, {});
  if (n.wants(1))
    n.out(1, o.k);
  if (n.wants(2))
    n.out(2, o.v);
  Value y = attend(n, o, 4, 5);
  if (!n.failed())
    n.out(0, y);
}

void attention(NodeContext &n) {
  Emitter &e = n.e;
  int64_t heads = n.integer("num_heads", 0);
  if (heads <= 0)
    return n.error("num_heads = " + Twine(heads));
  if (!refuseInputs(n, 6))
    return;
  if (n.integer("do_rotary", 0))
    return n.unsupportedAttribute("do_rotary", "1");
  if (n.integer("past_present_share_buffer", 0))
    return n.unsupportedAttribute("past_present_share_buffer", "1");
  n.ignore({"rotary_embedding_dim"});
  if (n.rank(0) != 3 || n.rank(1) != 2)
    return n.error("operands of ranks " + Twine(n.rank(0)) + " and " +
                   Twine(n.rank(1)));
  Value all = e.matmul(n.value(0), n.value(1));
  if (n.has(2))
    all = e.add(all, n.value(2));
  if (!all)
    return n.out(0, {});
  const DimExpr width = e.dims(all)[2];
  DimExpr third = DimExpr::floorDiv(width, constant(3));
  DimShape sizes = {third, third, third};
  if (auto given = n.optionalIntegers("qkv_hidden_sizes");
      given && !given->empty()) {
    if (given->size() != 3)
      return n.error("qkv_hidden_sizes of other than three numbers");
    for (int i = 0; i < 3; ++i)
      sizes[i] = constant((*given)[i]);
    if (sizes[0] != sizes[1])
      return n.error("queries and keys of different widths");
  }
  Operands o;
  o.q = headsFirst(e, e.sliceAxis(all, 2, {}, sizes[0]), heads);
  o.k = headsFirst(e, e.sliceAxis(all, 2, sizes[0], sizes[1]), heads);
  o.v =
      headsFirst(e, e.sliceAxis(all, 2, sizes[0] + sizes[1], sizes[2]), heads);
  if (n.has(4)) {
    // Keys and values of the past in one tensor.
    Value past = n.value(4);
    if (!past || e.rank(past) != 5)
      return past ? n.error("a past of rank " + Twine(e.rank(past)))
                  : n.out(0, {});
    auto part = [&](int64_t which) {
      return e.squeeze(e.sliceAxis(past, 0, constant(which), constant(1)), {0});
    };
    o.past = e.dims(past)[3];
    o.k = e.concat({part(0), o.k}, 2);
    o.v = e.concat({part(1), o.v}, 2);
  }
  if (!o.q || !o.k || !o.v)
    return n.out(0, {});
  if (n.wants(1))
    n.out(1, e.concat({e.unsqueeze(o.k, {0}), e.unsqueeze(o.v, {0})}, 0));
  Value y = attend(n, o, 3, 5);
  if (!n.failed())
    n.out(0, y);
}

void rotaryEmbedding(NodeContext &n) {
  Emitter &e = n.e;
  int64_t heads = n.integer("num_heads", 0),
          part = n.integer("rotary_embedding_dim", 0);
  bool interleaved = n.integer("interleaved", 0) != 0, flat = n.rank(0) == 3;
  if (n.integer("is_packed_batching", 0))
    return n.unsupportedAttribute("is_packed_batching", "1");
  if (double scale = n.real("scale", 1); scale != 1)
    return n.unsupportedAttribute("scale", std::to_string(scale));
  Value x = n.value(0), positions = n.value(1), cosine = n.value(2),
        sine = n.value(3);
  if (!x || !positions || !cosine || !sine)
    return n.out(0, {});
  if ((!flat && n.rank(0) != 4) || n.rank(2) != 2 || n.rank(3) != 2)
    return n.error("operands of ranks " + Twine(n.rank(0)) + ", " +
                   Twine(n.rank(2)) + " and " + Twine(n.rank(3)));
  std::optional<int64_t> pairs = n.dims(2)[1].getConstant();
  if (part && (!pairs || part != 2 * *pairs))
    return n.error("tables of " + n.dims(2)[1].str() +
                   " pairs for rotary_embedding_dim = " + Twine(part));
  if (part && flat && heads <= 0)
    return n.error("num_heads is missing");
  if (flat && heads <= 0) {
    // The tables have the width of a head.
    std::optional<int64_t> width = n.dims(0)[2].getConstant();
    if (!width || !pairs || *pairs <= 0 || *width % (2 * *pairs))
      return n.error("num_heads is missing");
    heads = *width / (2 * *pairs);
  }
  if (flat)
    x = tokensByHead(e, x, heads);
  if (n.rank(1) == 1) {
    // Where the first token stands.
    const DimExpr &tokens = n.dims(0)[flat ? 1 : 2];
    Value steps = e.iota(tokens, e.element(positions));
    positions =
        e.unsqueeze(e.add(e.reshape(positions, {constant(1)}), steps), {0});
  } else if (n.rank(1) != 2) {
    return n.error("position_ids of rank " + Twine(n.rank(1)));
  }
  Value y = rotate(e, x, cosine, sine, positions, flat ? 2 : 1, interleaved);
  n.out(0, flat ? e.reshape(y, n.dims(0)) : y);
}

} // namespace

void addContribAttentionOps(Registry &r) {
  r.addIn(kMicrosoft, "MultiHeadAttention", 1, multiHeadAttention);
  r.addIn(kMicrosoft, "Attention", 1, attention);
  r.addIn(kMicrosoft, "RotaryEmbedding", 1, rotaryEmbedding);
}

} // namespace ingot::onnxin
