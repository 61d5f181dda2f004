//===- Attention.cpp - attention and rotary embedding as primitives -------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Attention is spelled out as exporters of older opsets do; recognition finds
// it again, together with all other spellings.
//
//===----------------------------------------------------------------------===//
#include "../Registry.h"
#include "AttentionParts.h"
#include <cmath>
#include <limits>

using namespace llvm;
using namespace mlir;

namespace ingot::onnxin {
static DimExpr constant(int64_t value) { return DimExpr::constant(value); }

Value tokensByHead(Emitter &e, Value x, int64_t heads) {
  if (!x)
    return {};
  if (e.rank(x) != 3 || heads <= 0)
    return e.fail("rank " + Twine(e.rank(x)) + " with " + Twine(heads) +
                  " heads");
  const DimShape d = e.dims(x);
  return e.reshape(x, {d[0], d[1], constant(heads),
                       DimExpr::floorDiv(d[2], constant(heads))});
}

Value headsFirst(Emitter &e, Value x, int64_t heads) {
  return e.transpose(tokensByHead(e, x, heads), {0, 2, 1, 3});
}

Value mergeHeads(Emitter &e, Value x) {
  return e.mergeDims(e.transpose(x, {0, 2, 1, 3}), 2, 4);
}

Value repeatHeads(Emitter &e, Value x, const DimExpr &heads) {
  if (!x || e.dims(x)[1] == heads)
    return x;
  const DimShape d = e.dims(x);
  DimExpr times = DimExpr::floorDiv(heads, d[1]);
  x = e.broadcastTo(e.unsqueeze(x, {2}), {d[0], d[1], times, d[2], d[3]});
  return e.reshape(x, {d[0], heads, d[2], d[3]});
}

Value causalMask(Emitter &e, const DimExpr &queries, const DimExpr &keys,
                 const DimExpr &past) {
  Type i64 = e.builder.getI64Type();
  Value row = e.unsqueeze(e.iota(queries, i64), {1});
  Value column = e.unsqueeze(e.iota(keys, i64), {0});
  if (!past.isConstant(0))
    row = e.add(row, e.fromDims({past}, true));
  return e.binary<LessEqualOp>(column, row);
}

Value rotate(Emitter &e, Value x, Value cosine, Value sine, Value positions,
             int64_t headAxis, bool interleaved) {
  if (!x || !cosine || !sine)
    return {};
  auto table = [&](Value all) -> Value {
    if (positions)
      all = e.make<GatherOp>(all, positions, 0);
    if (all && e.rank(all) != 3)
      return e.fail("tables of rank " + Twine(e.rank(all)));
    return all ? e.unsqueeze(all, {headAxis}) : Value();
  };
  cosine = table(cosine);
  sine = table(sine);
  if (!e.sameElements(x, cosine) || !e.sameElements(x, sine))
    return {};
  DimExpr rest = e.dims(x)[3] - e.dims(cosine)[3] - e.dims(cosine)[3];
  if (std::optional<int64_t> most = rest.upperBound(); most && *most < 0)
    return e.fail("tables of " + e.dims(cosine)[3].str() + " pairs for " +
                  e.dims(x)[3].str() + " features");
  return e.make<RopeOp>(x, cosine, sine, interleaved);
}

namespace {

/// As headsFirst; operands of rank 4 are that already.
Value splitHeads(NodeContext &n, Value x, int64_t heads) {
  return !x || n.e.rank(x) == 4 ? x : headsFirst(n.e, x, heads);
}

/// The square root of the factor on the scores: q and k both get it.
Value scaleRoot(NodeContext &n, Value q) {
  Emitter &e = n.e;
  double scale = n.real("scale", 0);
  if (!q)
    return {};
  const DimExpr &size = e.dims(q).back();
  if (!n.hasAttribute("scale")) {
    if (!size.getConstant()) {
      Value root = e.cast(e.fromDims({size}, true), e.builder.getF32Type());
      root = e.make<ReciprocalOp>(e.make<SqrtOp>(e.make<SqrtOp>(root)));
      return e.cast(root, e.element(q));
    }
    scale = 1 / std::sqrt(double(*size.getConstant()));
  }
  return e.scalarLike(std::sqrt(scale), q);
}

struct MaskParts {
  Value bias;    ///< Added to the scores.
  Value visible; ///< Where false, a key is not seen.
};

Value both(Emitter &e, Value a, Value b) {
  return a && b ? e.binary<AndOp>(a, b) : a ? a : b;
}

MaskParts readMask(NodeContext &n, const DimExpr &queries, const DimExpr &keys,
                   const DimExpr &past) {
  Emitter &e = n.e;
  MaskParts parts;
  Type i64 = e.builder.getI64Type();
  if (n.has(3)) {
    Value mask = n.value(3);
    if (mask && e.rank(mask) > 0 && e.dims(mask).back() != keys) {
      // Keys behind the end of the mask are not seen.
      DimShape low(e.rank(mask)), high(e.rank(mask));
      high.back() = keys - e.dims(mask).back();
      Value fill =
          e.element(mask).isInteger(1)
              ? e.scalarLike(0, mask)
              : e.scalarLike(-std::numeric_limits<double>::infinity(), mask);
      mask = e.pad(mask, fill, low, high);
    }
    if (mask && e.element(mask).isInteger(1))
      parts.visible = mask;
    else
      parts.bias = mask;
  }
  if (n.integer("is_causal", 0)) {
    parts.visible = both(e, parts.visible, causalMask(e, queries, keys, past));
  }
  if (n.has(6)) {
    Value column = e.alongAxis(e.iota(keys, i64), 3, 4);
    Value length = e.alongAxis(e.cast(n.value(6), i64), 0, 4);
    parts.visible = both(e, parts.visible, e.binary<LessOp>(column, length));
  }
  return parts;
}

void attention(NodeContext &n) {
  Emitter &e = n.e;
  int64_t heads = n.integer("q_num_heads", 0),
          kvHeads = n.integer("kv_num_heads", 0);
  double softcap = n.real("softcap", 0);
  int64_t mode = n.integer("qk_matmul_output_mode", 0);
  int64_t precision = n.integer("softmax_precision", 0);
  bool flat = n.rank(0) == 3;
  if (mode < 0 || mode > 3)
    return n.unsupportedAttribute("qk_matmul_output_mode", Twine(mode));
  Value q = splitHeads(n, n.value(0), heads);
  Value k = splitHeads(n, n.value(1), kvHeads),
        v = splitHeads(n, n.value(2), kvHeads);
  if (!q || !k || !v || e.rank(q) != 4)
    return n.out(0, {});
  DimExpr past;
  if (n.has(4)) {
    past = n.dims(4).size() == 4 ? n.dims(4)[2] : DimExpr();
    k = e.concat({n.value(4), k}, 2);
    v = e.concat({n.value(5), v}, 2);
    if (!k || !v)
      return n.out(0, {});
  }
  if (n.wants(1))
    n.out(1, k);
  if (n.wants(2))
    n.out(2, v);
  Value root = scaleRoot(n, q);
  const DimShape dq = e.dims(q), dk = e.dims(k);
  MaskParts mask = readMask(n, dq[2], dk[2], past);
  if (n.failed() || !e.why.empty())
    return n.out(0, {});
  k = repeatHeads(e, k, dq[1]);
  v = repeatHeads(e, v, dq[1]);
  Value scores =
      e.matmul(e.mul(q, root), e.mul(e.transpose(k, {0, 1, 3, 2}), root));
  Value shown = scores;
  if (softcap > 0) {
    Value cap = e.scalarLike(softcap, scores);
    scores = e.mul(e.make<TanhOp>(e.div(scores, cap)), cap);
  }
  if (mode == 1)
    shown = scores;
  if (mask.bias)
    scores = e.add(scores, mask.bias);
  if (mask.visible) {
    Value hidden =
        e.scalarLike(-std::numeric_limits<double>::infinity(), scores);
    scores =
        e.add(scores, e.where(mask.visible, e.scalarLike(0, scores), hidden));
  }
  if (mode == 2)
    shown = scores;
  if (!scores)
    return n.out(0, {});
  Type type = e.element(q);
  if (precision) {
    Type wide = elementTypeFor(precision, n.importer.context());
    if (!wide || !isa<FloatType>(wide))
      return n.unsupportedAttribute("softmax_precision", Twine(precision));
    scores = e.cast(scores, wide);
  }
  Value weights = e.cast(e.softmax(scores, 3), type);
  if (mode == 3)
    shown = weights;
  if (n.wants(3))
    n.out(3, shown);
  Value y = e.matmul(weights, v);
  n.out(0, flat ? mergeHeads(e, y) : y);
}

/// Rotates pairs of features by angles given as cosines and sines.
void rotaryEmbedding(NodeContext &n) {
  Emitter &e = n.e;
  int64_t heads = n.integer("num_heads", 0),
          part = n.integer("rotary_embedding_dim", 0);
  bool interleaved = n.integer("interleaved", 0) != 0, flat = n.rank(0) == 3;
  Value x = n.value(0), cosine = n.value(1), sine = n.value(2);
  if (!x || !cosine || !sine)
    return n.out(0, {});
  if (flat && heads <= 0)
    return n.error("num_heads is missing");
  if (!flat && n.rank(0) != 4)
    return n.error("rank " + Twine(n.rank(0)));
  if (flat)
    x = tokensByHead(e, x, heads);
  if (part < 0 || part % 2)
    return n.error("rotary_embedding_dim = " + Twine(part));
  if (part && n.dims(1).back().isConstant() &&
      n.dims(1).back() != constant(part / 2))
    return n.error("tables of " + n.dims(1).back().str() +
                   " pairs for rotary_embedding_dim = " + Twine(part));
  Value positions = n.has(3) ? n.value(3) : Value();
  Value y = rotate(e, x, cosine, sine, positions, flat ? 2 : 1, interleaved);
  n.out(0, flat ? e.reshape(y, n.dims(0)) : y);
}

} // namespace

void addAttentionOps(Registry &r) {
  r.add("Attention", 23, attention);
  r.add("RotaryEmbedding", 23, rotaryEmbedding);
}

} // namespace ingot::onnxin
