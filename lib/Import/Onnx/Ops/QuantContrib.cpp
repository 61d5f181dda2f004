//===- QuantContrib.cpp - quantized ops of the com.microsoft domain -------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "../Importer.h"
#include "Quant.h"

using namespace llvm;
using namespace mlir;

namespace ingot::onnxin {
namespace {

constexpr StringLiteral kMicrosoft = "com.microsoft";

/// Extents in attributes are at most this.
constexpr int64_t kMaxExtent = int64_t(1) << 30;

/// "the scales 's'": an operand in messages.
std::string called(NodeContext &n, size_t i, StringRef what) {
  return (what + " '" + n.importer.nameOf(n.node.inputs[i]) + "'").str();
}

/// The dims of an operand as numbers; reports an error where they are none.
std::optional<SmallVector<int64_t>> fixedDims(NodeContext &n, size_t i,
                                              StringRef what) {
  SmallVector<int64_t> dims;
  for (const DimExpr &dim : n.dims(i)) {
    std::optional<int64_t> extent = dim.getConstant();
    if (!extent) {
      n.error(called(n, i, what) + " has a dim that is not constant");
      return std::nullopt;
    }
    dims.push_back(*extent);
  }
  return dims;
}

std::string textOf(ArrayRef<int64_t> dims) {
  std::string text;
  raw_string_ostream stream(text);
  interleave(dims, stream, "x");
  return text.empty() ? "a scalar" : text;
}

/// Checks that an operand has the dims `wanted`, or as many elements in one
/// dim where `flat` allows it.
bool checkDims(NodeContext &n, size_t i, StringRef what,
               ArrayRef<int64_t> wanted, bool flat) {
  std::optional<SmallVector<int64_t>> dims = fixedDims(n, i, what);
  if (!dims)
    return false;
  int64_t count = 1;
  for (int64_t extent : wanted)
    count *= extent;
  if (ArrayRef<int64_t>(*dims) == wanted ||
      (flat && dims->size() == 1 && dims->front() == count))
    return true;
  n.error(called(n, i, what) + " has the shape " + textOf(*dims) +
          " instead of " + textOf(wanted));
  return false;
}

DimShape shapeOf(ArrayRef<int64_t> dims) {
  DimShape shape;
  for (int64_t extent : dims)
    shape.push_back(DimExpr::constant(extent));
  return shape;
}

/// Operand `i`, bytes that hold packed unsigned codes along its last dim, as
/// these codes; `dims` are those of the codes.
Value unpacked(NodeContext &n, size_t i, unsigned bits,
               ArrayRef<int64_t> dims) {
  Emitter &e = n.e;
  Type code = e.builder.getIntegerType(bits, /*isSigned=*/false);
  if (Value view = n.importer.viewBytes(n.node.inputs[i], code, dims))
    return view;
  Value bytes = n.value(i);
  if (bits == 8)
    return e.reshape(bytes, shapeOf(dims));
  // Bytes that some node made.
  int64_t each = 8 / bits;
  SmallVector<int64_t> grouped(dims);
  grouped.back() /= each;
  grouped.push_back(1);
  SmallVector<APInt> shifts;
  for (int64_t at = 0; at != each; ++at)
    shifts.push_back(APInt(8, at * bits));
  auto vector = RankedTensorType::get(each, e.element(bytes));
  Value low = e.binary<ShiftRightOp>(
      e.reshape(bytes, shapeOf(grouped)),
      e.constant(DenseElementsAttr::get(vector, shifts)));
  low = e.binary<BitAndOp>(low, e.scalarLike((1 << bits) - 1, low));
  return e.cast(e.reshape(low, shapeOf(dims)), code);
}

/// The first `size` elements along the last dim.
Value firstColumns(Emitter &e, Value x, int64_t size) {
  if (!x)
    return x;
  int64_t axis = e.rank(x) - 1;
  if (e.dims(x)[axis].isConstant(size))
    return x;
  return e.sliceAxis(x, axis, DimExpr::constant(0), DimExpr::constant(size));
}

/// Zero points that a format implies.
Value impliedZero(Emitter &e, unsigned bits, ArrayRef<int64_t> dims) {
  auto type = RankedTensorType::get(
      dims, e.builder.getIntegerType(bits, /*isSigned=*/false));
  return e.constant(
      DenseElementsAttr::get(type, APInt(bits, uint64_t(1) << (bits - 1))));
}

/// Zero points with the dims `dims` of the scales: packed unsigned codes, or
/// floats; those that the format implies where operand `i` is absent.
Value zeroPoints(NodeContext &n, size_t i, unsigned bits,
                 ArrayRef<int64_t> dims, bool flat) {
  Emitter &e = n.e;
  if (!n.has(i))
    return impliedZero(e, bits, dims);
  if (isa<FloatType>(n.type(i))) {
    if (!checkDims(n, i, "zero_points", dims, flat))
      return {};
    return e.reshape(e.cast(n.value(i), e.builder.getF32Type()), shapeOf(dims));
  }
  if (!n.type(i).isUnsignedInteger(8)) {
    n.unsupportedType(n.type(i));
    return {};
  }
  SmallVector<int64_t> packed(dims);
  packed.back() = packedBytes(dims.back(), bits);
  if (!checkDims(n, i, "zero_points", packed, flat))
    return {};
  packed.back() *= 8 / bits;
  return firstColumns(e, unpacked(n, i, bits, packed), dims.back());
}

/// A required attribute that is an extent; 0 after an error.
int64_t extent(NodeContext &n, StringRef name) {
  if (!n.hasAttribute(name)) {
    n.error("it lacks the attribute '" + name + "'");
    return 0;
  }
  int64_t value = n.integer(name, 0);
  if (value > 0 && value <= kMaxExtent)
    return value;
  if (!n.failed())
    n.error("attribute '" + name + "' is " + Twine(value));
  return 0;
}

bool checkBlocks(NodeContext &n, int64_t bits, int64_t block) {
  if (bits != 2 && bits != 4 && bits != 8)
    n.unsupportedAttribute("bits", Twine(bits));
  else if (block < 16 || !isPowerOf2_64(block))
    n.error("attribute 'block_size' is " + Twine(block) +
            ", not a power of two from 16 on");
  return !n.failed();
}

/// x times the transpose of a matrix of N rows, each of blocks of codes.
void matmulNBits(NodeContext &n) {
  Emitter &e = n.e;
  int64_t rows = extent(n, "N"), depth = extent(n, "K");
  int64_t block = extent(n, "block_size"), bits = n.integer("bits", 4);
  int64_t level = n.integer("accuracy_level", 0);
  if (n.failed() || !checkBlocks(n, bits, block))
    return;
  if (int64_t prepacked = n.integer("weight_prepacked", 0))
    return n.unsupportedAttribute("weight_prepacked", Twine(prepacked));
  if (n.has(4))
    return n.unsupported(kUnsupportedAttribute, "input 'g_idx' of MatMulNBits");
  if (!n.has(0) || !n.has(1) || !n.has(2))
    return n.error("it lacks one of A, B and scales");
  if (!n.type(1).isUnsignedInteger(8))
    return n.unsupportedType(n.type(1));
  if (!isa<FloatType>(n.type(0)))
    return n.unsupportedType(n.type(0));
  if (!isa<FloatType>(n.type(2)))
    return n.unsupportedType(n.type(2));
  int64_t blocks = divideCeil(depth, block);
  if (!checkDims(n, 1, "B", {rows, blocks, block * bits / 8}, true) ||
      !checkDims(n, 2, "scales", {rows, blocks}, true))
    return;
  Value zero = zeroPoints(n, 3, bits, {rows, blocks}, true);
  if (n.failed())
    return;
  // Sums are in f32 whatever the type of the operands.
  Type f32 = e.builder.getF32Type();
  Value codes =
      firstColumns(e, unpacked(n, 1, bits, {rows, blocks * block}), depth);
  Value scale = e.reshape(e.cast(n.value(2), f32), shapeOf({rows, blocks}));
  Value w = dequantize(e, codes, scale, zero, 1, block);
  if (w && level)
    w.getDefiningOp()->setAttr("ingot.accuracy_level",
                               e.builder.getI64IntegerAttr(level));
  Value y = e.matmul(e.cast(n.value(0), f32), e.transpose(w, {1, 0}));
  if (n.has(5)) {
    if (!checkDims(n, 5, "bias", {rows}, false))
      return;
    y = e.add(y, e.cast(n.value(5), f32));
  }
  n.out(0, e.cast(y, n.type(0)));
}

/// The values that 4-bit codes stand for: floats of four bits without special
/// values (their largest is one), and quantiles of the normal distribution.
constexpr float kFloat4[16] = {
    0.0f,         0.0052083333f,  0.66666667f,  1.0f,
    0.33333333f,  0.5f,           0.16666667f,  0.25f,
    -0.0f,        -0.0052083333f, -0.66666667f, -1.0f,
    -0.33333333f, -0.5f,          -0.16666667f, -0.25f};
constexpr float kNormalFloat4[16] = {
    -1.0f,        -0.69619280f, -0.52507305f, -0.39491750f,
    -0.28444138f, -0.18477343f, -0.09105004f, 0.0f,
    0.079580300f, 0.16093020f,  0.24611230f,  0.33791524f,
    0.44070983f,  0.56261700f,  0.72295684f,  1.0f};

/// x times the transpose of a matrix of N rows whose 4-bit codes, the first of
/// each byte in its high half, name values of a table. Blocks, which run over
/// the ends of rows, have a factor.
void matmulBnb4(NodeContext &n) {
  Emitter &e = n.e;
  int64_t rows = extent(n, "N"), depth = extent(n, "K");
  int64_t block = extent(n, "block_size");
  int64_t kind = n.integer("quant_type", 1);
  n.ignore({"training_mode"});
  if (n.failed())
    return;
  if (block < 16 || !isPowerOf2_64(block))
    return n.error("attribute 'block_size' is " + Twine(block) +
                   ", not a power of two from 16 on");
  if (kind != 0 && kind != 1)
    return n.unsupportedAttribute("quant_type", Twine(kind));
  if (n.integer("transB", 1) != 1)
    return n.unsupportedAttribute("transB", "0");
  if (!n.has(0) || !n.has(1) || !n.has(2))
    return n.error("it lacks one of A, B and absmax");
  if (!n.type(1).isUnsignedInteger(8))
    return n.unsupportedType(n.type(1));
  if (!isa<FloatType>(n.type(0)) || !isa<FloatType>(n.type(2)))
    return n.unsupportedType(n.type(isa<FloatType>(n.type(0)) ? 2 : 0));
  int64_t count = rows * depth, bytes = divideCeil(count, 2);
  int64_t blocks = divideCeil(count, block);
  if (!checkDims(n, 1, "B", {bytes, 1}, true) ||
      !checkDims(n, 2, "absmax", {blocks}, true))
    return;
  Type f32 = e.builder.getF32Type();
  Value packed = e.reshape(n.value(1), shapeOf({bytes, 1}));
  auto shifts = RankedTensorType::get({2}, e.element(packed));
  Value codes = e.binary<ShiftRightOp>(
      packed, e.constant(DenseElementsAttr::get(
                  shifts, ArrayRef<APInt>{APInt(8, 4), APInt(8, 0)})));
  codes = e.binary<BitAndOp>(codes, e.scalarLike(15, codes));
  codes = firstColumns(e, e.reshape(codes, shapeOf({bytes * 2})), count);
  auto table = RankedTensorType::get({16}, f32);
  Value values = e.make<GatherOp>(
      e.constant(DenseElementsAttr::get(
          table, ArrayRef<float>(kind == 1 ? kNormalFloat4 : kFloat4))),
      e.cast(codes, e.builder.getI32Type()), int64_t(0));
  Value factors = e.reshape(e.cast(n.value(2), f32), shapeOf({blocks, 1}));
  factors = e.reshape(e.broadcastTo(factors, shapeOf({blocks, block})),
                      shapeOf({blocks * block}));
  Value w = e.mul(values, firstColumns(e, factors, count));
  w = e.reshape(w, shapeOf({rows, depth}));
  Value y = e.matmul(e.cast(n.value(0), f32), e.transpose(w, {1, 0}));
  n.out(0, e.cast(y, n.type(0)));
}

/// Slices of a table; an index out of range gives zeros, as in ONNX Runtime.
Value gatherOrZeros(Emitter &e, Value table, Value indices, int64_t axis) {
  if (!table || !indices)
    return {};
  int64_t extent = e.dims(table)[axis].getConstant().value_or(0);
  int64_t after = e.rank(table) - axis - 1;
  Value none = e.scalarLike(0, indices);
  // Compared as 64-bit numbers: the extent may not fit the indices' type.
  Value wide = e.cast(indices, e.builder.getI64Type());
  Value inside = e.binary<AndOp>(
      e.binary<GreaterEqualOp>(wide, e.scalarLike(-extent, wide)),
      e.binary<LessOp>(wide, e.scalarLike(extent, wide)));
  Value y = e.make<GatherOp>(table, e.where(inside, indices, none), axis);
  SmallVector<int64_t> axes;
  for (int64_t i = 0; i != after; ++i)
    axes.push_back(e.rank(indices) + i);
  return e.where(e.unsqueeze(inside, axes), y, e.scalarLike(0, y));
}

/// Slices of a table of blocks of codes: codes and scales are chosen first.
void gatherBlockQuantized(NodeContext &n) {
  Emitter &e = n.e;
  int64_t bits = n.integer("bits", 4), block = n.integer("block_size", 128);
  int64_t gatherAxis = n.integer("gather_axis", 0);
  int64_t quantizeAxis = n.integer("quantize_axis", 1);
  if (n.failed() || !checkBlocks(n, bits, block))
    return;
  if (!n.has(0) || !n.has(1) || !n.has(2))
    return n.error("it lacks one of data, indices and scales");
  std::optional<SmallVector<int64_t>> dims = fixedDims(n, 0, "data");
  if (!dims)
    return;
  std::optional<int64_t> gathered = n.normalAxis(gatherAxis, dims->size());
  std::optional<int64_t> quantized = n.normalAxis(quantizeAxis, dims->size());
  if (!gathered || !quantized)
    return;
  bool isPacked = n.type(0).isUnsignedInteger(8);
  if (!isPacked && !(n.type(0).isInteger(bits) && bits < 8))
    return n.unsupportedType(n.type(0));
  if (isPacked && (*quantized != int64_t(dims->size()) - 1 || *gathered != 0))
    return n.error("bytes of codes gathered along axis " + Twine(*gathered) +
                   " and quantized along axis " + Twine(*quantized));
  if (isPacked)
    dims->back() *= 8 / bits;
  SmallVector<int64_t> scaleDims(*dims);
  scaleDims[*quantized] = divideCeil(scaleDims[*quantized], block);
  if (!checkDims(n, 2, "scales", scaleDims, false))
    return;
  Value codes, zero;
  if (isPacked) {
    zero = zeroPoints(n, 3, bits, scaleDims, false);
    codes = unpacked(n, 0, bits, *dims);
  } else {
    codes = n.value(0);
    if (n.has(3)) {
      if (n.type(3) != n.type(0))
        return n.unsupportedType(n.type(3));
      if (!checkDims(n, 3, "zero_points", scaleDims, false))
        return;
      zero = n.value(3);
    }
  }
  if (n.failed())
    return;
  Value table = dequantize(e, codes, n.value(2), zero, *quantized, block);
  n.out(0, gatherOrZeros(e, table, n.value(1), *gathered));
}

/// A scale of the columns of a product, or of all of it.
Value columnScale(Emitter &e, Value scale) {
  if (scale && e.rank(scale) == 1 && e.dims(scale)[0].isConstant(1))
    return e.reshape(scale, {});
  return scale;
}

/// The sums of products of codes as floats.
void outScaled(NodeContext &n, Value a, Value b, Value scaleA, Value scaleB,
               size_t bias) {
  Emitter &e = n.e;
  Value sums =
      e.cast(e.matmul(a, b, e.builder.getI32Type()), e.builder.getF32Type());
  Value factor = e.mul(columnScale(e, scaleA), columnScale(e, scaleB));
  Value y = e.mul(sums, factor);
  if (n.has(bias))
    y = e.add(y, n.value(bias));
  n.out(0, y);
}

void matmulIntegerToFloat(NodeContext &n) {
  Emitter &e = n.e;
  if (n.rank(0) < 2 || n.rank(1) < 2)
    return n.error("ranks " + Twine(n.rank(0)) + " and " + Twine(n.rank(1)));
  Value a = shiftedCodes(e, n.value(0), n.value(4), n.rank(0) - 2);
  Value b = shiftedCodes(e, n.value(1), n.value(5), n.rank(1) - 1);
  outScaled(n, a, b, n.value(2), n.value(3), 6);
}

void dynamicQuantizeMatmul(NodeContext &n) {
  Emitter &e = n.e;
  if (n.rank(1) < 2)
    return n.error("ranks " + Twine(n.rank(0)) + " and " + Twine(n.rank(1)));
  DynamicCodes x = quantizeDynamically(e, n.value(0));
  Value a = shiftedCodes(e, x.codes, x.zero, 0);
  Value b = shiftedCodes(e, n.value(1), n.value(3), n.rank(1) - 1);
  outScaled(n, a, b, x.scale, n.value(2), 4);
}

} // namespace

void addQuantContribOps(Registry &r) {
  r.addIn(kMicrosoft, "MatMulNBits", 1, matmulNBits);
  r.addIn(kMicrosoft, "MatMulBnb4", 1, matmulBnb4);
  r.addIn(kMicrosoft, "GatherBlockQuantized", 1, gatherBlockQuantized);
  r.addIn(kMicrosoft, "MatMulIntegerToFloat", 1, matmulIntegerToFloat);
  r.addIn(kMicrosoft, "DynamicQuantizeMatMul", 1, dynamicQuantizeMatmul);
}

} // namespace ingot::onnxin
