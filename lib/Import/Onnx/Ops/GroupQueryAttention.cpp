//===- GroupQueryAttention.cpp - attention that keeps its own lengths -----===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// com.microsoft GroupQueryAttention: every row of the batch has its own number
// of cached positions, seqlens_k + 1 - S, which alone says where its tokens
// stand, which keys they see and where their keys and values are kept.
//
//===----------------------------------------------------------------------===//
#include "../Registry.h"
#include "AttentionParts.h"
#include <cmath>

using namespace llvm;
using namespace mlir;

namespace ingot::onnxin {
namespace {

DimExpr constant(int64_t value) { return DimExpr::constant(value); }

/// The inputs, by position.
enum Input : size_t {
  Query,
  Key,
  KeyValue,
  PastKey,
  PastValue,
  Lengths,
  Total,
  Cosines,
  Sines,
  Positions,
  Bias,
  FirstOther
};

class Importing {
public:
  explicit Importing(NodeContext &n) : n(n), e(n.e) {}

  void run() {
    if (!readAttributes() || !splitOperands() || !readLengths())
      return n.failed() ? void() : n.out(0, {});
    if (doRotary)
      rotateBoth();
    if (!q || !k)
      return n.out(0, {});
    Value keys = keep(k, PastKey, 1), values = keep(v, PastValue, 2);
    Value bias = n.has(Bias) ? readBias() : Value();
    if (n.has(Bias) && !bias)
      return n.failed() ? void() : n.out(0, {});
    if (!scale) {
      std::optional<int64_t> depth = e.dims(q)[3].getConstant();
      if (!depth || *depth <= 0)
        return n.dataDependent("the size of a head");
      scale = 1 / std::sqrt(double(*depth));
    }
    Value y = e.rowAttention(q, e.transpose(keys, {0, 2, 1, 3}),
                             e.transpose(values, {0, 2, 1, 3}), bias, past,
                             *scale, window, softcap);
    n.out(0, e.mergeDims(y, 2, 4));
  }

private:
  bool readAttributes() {
    heads = n.integer("num_heads", 0);
    groups = n.integer("kv_num_heads", 0);
    doRotary = n.integer("do_rotary", 0) != 0;
    interleaved = n.integer("rotary_interleaved", 0) != 0;
    softcap = n.real("softcap", 0);
    if (double given = n.real("scale", 0); given != 0)
      scale = given;
    if (int64_t last = n.integer("local_window_size", -1); last > 0)
      window = last;
    else if (last != -1)
      n.unsupportedAttribute("local_window_size", std::to_string(last));
    if (heads <= 0 || groups <= 0 || heads % groups != 0) {
      n.error("num_heads = " + Twine(heads) +
              " and kv_num_heads = " + Twine(groups));
      return false;
    }
    if (softcap < 0) {
      n.unsupportedAttribute("softcap", std::to_string(softcap));
      return false;
    }
    if (n.integer("smooth_softmax", 0) > 0)
      n.unsupportedAttribute("smooth_softmax", "1");
    for (StringRef name : {"k_quant_type", "v_quant_type"})
      if (std::string type = n.text(name, "NONE"); type != "NONE")
        n.unsupportedAttribute(name, type);
    if (n.integer("kv_cache_bit_width", 0) != 0)
      n.unsupportedAttribute("kv_cache_bit_width", "an integer cache");
    if (n.integer("causal", 1) != 1)
      n.unsupportedAttribute("causal", "0");
    if (n.integer("sliding_window_cache", 0) != 0)
      n.unsupportedAttribute("sliding_window_cache", "1");
    // Of the norms, which are further inputs.
    n.ignore({"qk_norm_epsilon"});
    if (n.integer("qk_output", 0) != 0 || n.wants(3))
      n.unsupportedAttribute("qk_output", "an output");
    // What follows the bias: head sinks, scales of an integer cache, norms.
    for (size_t i = FirstOther; i < n.inputs(); ++i)
      if (n.has(i))
        n.unsupportedAttribute("input " + std::to_string(i), "given");
    for (size_t i : {Query, Lengths, Total})
      if (!n.has(i))
        n.error("input " + Twine(i) + " is missing");
    if (n.has(Key) != n.has(KeyValue) || n.has(PastKey) != n.has(PastValue))
      n.error("a key without a value, or a value without a key");
    if (doRotary && (!n.has(Cosines) || !n.has(Sines)))
      n.error("do_rotary without tables");
    return !n.failed();
  }

  /// q, k and v as B x S x heads x depth.
  bool splitOperands() {
    Value packed = n.value(Query);
    if (!packed || e.rank(packed) != 3) {
      if (packed)
        n.error("a query of rank " + Twine(e.rank(packed)));
      return false;
    }
    batch = e.dims(packed)[0];
    queries = e.dims(packed)[1];
    if (n.has(Key)) {
      q = tokensByHead(e, packed, heads);
      k = tokensByHead(e, n.value(Key), groups);
      v = tokensByHead(e, n.value(KeyValue), groups);
    } else {
      DimExpr all = constant(heads + 2 * groups);
      DimExpr depth = DimExpr::floorDiv(e.dims(packed)[2], all);
      Value split = e.reshape(packed, {batch, queries, all, depth});
      q = e.sliceAxis(split, 2, {}, constant(heads));
      k = e.sliceAxis(split, 2, constant(heads), constant(groups));
      v = e.sliceAxis(split, 2, constant(heads + groups), constant(groups));
    }
    if (q && k && e.dims(q)[3] != e.dims(k)[3])
      e.fail("heads of " + e.dims(q)[3].str() + " and " + e.dims(k)[3].str() +
             " features");
    return q && k && v && e.why.empty();
  }

  /// How many positions each row has cached. A first prompt, whose rows may
  /// be padded on the right, begins at zero.
  bool readLengths() {
    Type i64 = e.builder.getI64Type();
    Value last = e.reshape(e.cast(n.value(Lengths), i64), {batch});
    DimExpr before = queries - constant(1);
    Value begin = e.sub(last, e.fromDims({before}, true));
    past = e.binary<MaxOp>(begin, e.scalar(0, i64));
    // Rows of another buffer than the past's: it must hold all of them.
    const Contents *total = n.contents(Total);
    DimExpr held =
        n.has(PastKey) && n.rank(PastKey) == 4 ? n.dims(PastKey)[2] : DimExpr();
    size = n.has(PastKey) ? held : queries;
    if (total && total->numbers.size() == 1 && total->numbers[0].den == 1)
      size = DimExpr::max(held, total->numbers[0].num);
    return past && e.why.empty();
  }

  void rotateBoth() {
    Value positions;
    if (n.has(Positions)) {
      positions = n.value(Positions);
    } else {
      Value steps = e.unsqueeze(e.iota(queries, e.builder.getI64Type()), {0});
      positions = e.add(e.unsqueeze(past, {1}), steps);
    }
    if (!positions)
      return;
    auto turn = [&](Value x) {
      return rotate(e, x, n.value(Cosines), n.value(Sines), positions, 2,
                    interleaved);
    };
    q = turn(q);
    k = turn(k);
  }

  /// The buffer of keys or values with the new ones written; B x G x size x
  /// depth. Beyond a row's end it keeps what was there.
  Value keep(Value fresh, size_t input, size_t output) {
    fresh = e.transpose(fresh, {0, 2, 1, 3});
    if (!fresh)
      return {};
    DimShape shape = e.dims(fresh);
    shape[2] = size;
    Value buffer;
    if (n.has(input)) {
      buffer = n.value(input);
      if (!buffer || e.rank(buffer) != 4)
        return buffer ? e.fail("a past of rank " + Twine(e.rank(buffer)))
                      : Value();
      DimShape old = shape;
      old[2] = e.dims(buffer)[2];
      buffer = e.reshape(buffer, old);
      if (!e.sameElements(fresh, buffer))
        return {};
      DimShape low(4), high(4);
      high[2] = size - old[2];
      if (!high[2].isConstant(0))
        buffer = e.pad(buffer, e.scalarLike(0, buffer), low, high);
    } else {
      buffer = e.broadcastTo(e.scalarLike(0, fresh), shape);
    }
    Value kept = e.make<WriteRowsOp>(buffer, fresh, past, 2, false);
    if (n.wants(output))
      n.out(output, kept);
    return kept;
  }

  /// The bias may be narrower than the buffer: what it lacks is not seen.
  Value readBias() {
    Value bias = n.value(Bias);
    if (!bias || !e.sameElements(q, bias))
      return {};
    if (e.rank(bias) != 4)
      return e.fail("a bias of rank " + Twine(e.rank(bias)));
    DimShape low(4), high(4);
    high[3] = size - e.dims(bias)[3];
    if (high[3].isConstant(0))
      return bias;
    return e.pad(bias, e.scalarLike(0, bias), low, high);
  }

  NodeContext &n;
  Emitter &e;
  int64_t heads = 0, groups = 0, window = 0;
  bool doRotary = false, interleaved = false;
  double softcap = 0;
  std::optional<double> scale;
  DimExpr batch, queries, size;
  Value q, k, v, past;
};

void groupQueryAttention(NodeContext &n) { Importing(n).run(); }

} // namespace

void addGroupQueryAttention(Registry &r) {
  r.addIn("com.microsoft", "GroupQueryAttention", 1, groupQueryAttention);
}

} // namespace ingot::onnxin
