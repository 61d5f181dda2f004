//===- QuantizedProducts.cpp - products with weights held as codes --------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What is made of the weight here depends on weights alone, so that it is
// computed once, while compiling: codes, scales and zero points in the layout
// of `quantized_linear`.
//
//===----------------------------------------------------------------------===//
#include "Products.h"
#include "Quantize.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace ingot;

/// Columns whose codes lie beside each other.
static constexpr int64_t groupWidth = 16;
/// Codes of K that share a scale of the activations, at most: longer sums of
/// 8-bit codes do not fit into 32 bits.
static constexpr int64_t longestBlock = 128;
/// Codes of 16 bits alone would err by up to 8e-5 of a row's largest output.
static constexpr int64_t defaultActivationBits = 24;
/// Models whose weights have eight bits and one scale a column are held to the
/// accuracy of f32: over the six layers of MiniLM codes of 24 bits would move
/// outputs of order one by more than 1e-4.
static constexpr int64_t columnActivationBits = 32;
/// ONNX Runtime's number for a product that may round its activations to bytes.
static constexpr int64_t byteAccuracyLevel = 4;

static bool isWeightOnly(Value value,
                         llvm::SmallPtrSetImpl<Operation *> &seen) {
  Operation *op = value.getDefiningOp();
  if (!op || !isMemoryEffectFree(op) || op->getNumRegions() != 0)
    return false;
  if (!seen.insert(op).second || isa<WeightRefOp>(op) ||
      op->hasTrait<OpTrait::ConstantLike>())
    return true;
  return op->getNumOperands() != 0 &&
         llvm::all_of(op->getOperands(), [&](Value operand) {
           return isWeightOnly(operand, seen);
         });
}

/// Whether the model itself rounds these activations to codes. They keep their
/// values then: another rounding could move them across a step of the next
/// codes.
static bool isRounded(Value x) {
  while (Operation *op = x.getDefiningOp()) {
    if (isa<DequantizeOp>(op))
      return true;
    if (!isa<ReshapeOp, TransposeOp>(op))
      return false;
    x = op->getOperand(0);
  }
  return false;
}

/// Whether a cast keeps every float.
static bool isWidening(CastOp cast) {
  Type from = elementTypeOf(cast.getX()), to = elementTypeOf(cast.getResult());
  return to.isF32() && isa<Float32Type, Float16Type, BFloat16Type>(from);
}

namespace {

/// A K x N weight matrix of codes, and the layout it is packed in.
class CodedWeight {
public:
  /// Nothing unless `w` is a weight whose codes the kernels know.
  static std::optional<CodedWeight> match(Value w, Emitter &e);

  int64_t weightBits() const { return bits; }
  int64_t blockSize() const { return block; }
  int64_t rows() const { return depth; }
  int64_t columns() const { return width; }
  /// Whether blocks of K have scales of their own.
  bool isBlocked() const { return q.blockSize > 0 && q.blockSize < depth; }
  /// Bits of the activations, unless somebody asks for others.
  int64_t activationBits() const {
    if (level == byteAccuracyLevel)
      return 8;
    return bits == 8 && !isBlocked() ? columnActivationBits
                                     : defaultActivationBits;
  }

  Value packCodes(Emitter &e) const;
  Value packScales(Emitter &e) const;
  /// Null if all zero points are `commonZero`.
  Value packZeros(Emitter &e) const;
  int64_t commonZero() const { return common; }

  /// The code at a row and a column, from what `packCodes` gave: an unsigned
  /// number of 32 bits.
  Value unpackCode(ImplicitLocOpBuilder &b, Value packed, Value k,
                   Value n) const;
  /// The same for `packScales` and `packZeros`.
  Value unpackParameter(ImplicitLocOpBuilder &b, Value packed, Value k,
                        Value n) const;
  /// What is added to codes to make them unsigned.
  int64_t codeOffset() const;

private:
  int64_t blocks() const { return llvm::divideCeil(depth, block); }
  int64_t groups() const { return llvm::divideCeil(width, groupWidth); }
  /// The element of a scale or zero point for a column and a block.
  Value parameterAt(ImplicitLocOpBuilder &b, const Tensor &parameter,
                    Value blockIndex, Value column) const;
  /// A tensor of one element a group, block and column; zero past N.
  Value packParameter(
      Emitter &e, Type type, const Tensor &parameter,
      function_ref<Value(ImplicitLocOpBuilder &, Value)> convert) const;
  bool findZeroPoint(Value original);

  QuantizedTensor q;
  bool transposed = false, isSigned = false;
  int64_t depth = 0, width = 0, bits = 8, block = 0, common = 0, level = 0;
  bool hasZeros = false;
};

} // namespace

/// What is added to a signed code to make it unsigned.
static int64_t offsetOf(bool isSigned, int64_t bits) {
  return isSigned ? int64_t(1) << (bits - 1) : 0;
}

int64_t CodedWeight::codeOffset() const { return offsetOf(isSigned, bits); }

bool CodedWeight::findZeroPoint(Value original) {
  common = offsetOf(isSigned, bits);
  if (!original)
    return true;
  Type type = q.zeroPointType;
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer) {
    hasZeros = true;
    return isa<Float32Type, Float16Type>(type);
  }
  if (integer.getWidth() > bits || integer.isUnsigned() == isSigned)
    return false;
  DenseElementsAttr elements;
  if (matchPattern(original, m_Constant(&elements)) && elements.isSplat()) {
    APInt value = elements.getSplatValue<APInt>();
    common += isSigned ? value.getSExtValue()
                       : static_cast<int64_t>(value.getZExtValue());
    return true;
  }
  hasZeros = true;
  return true;
}

std::optional<CodedWeight> CodedWeight::match(Value w, Emitter &e) {
  CodedWeight result;
  // Codes may lie as N x K; narrow floats lose nothing when they are widened.
  while (true) {
    if (auto transpose = w.getDefiningOp<TransposeOp>()) {
      if (transpose.getPermutation() != ArrayRef<int64_t>{1, 0})
        return std::nullopt;
      result.transposed = !result.transposed;
      w = transpose.getX();
    } else if (auto cast = w.getDefiningOp<CastOp>();
               cast && !cast.getBitcast() && isWidening(cast)) {
      w = cast.getX();
    } else {
      break;
    }
  }
  auto op = w.getDefiningOp<DequantizeOp>();
  auto codes =
      op ? dyn_cast<IntegerType>(elementTypeOf(op.getCodes())) : IntegerType();
  if (!codes || codes.getWidth() < 2 || codes.getWidth() > 8)
    return std::nullopt;
  auto type = cast<RankedTensorType>(op.getCodes().getType());
  llvm::SmallPtrSet<Operation *, 8> seen;
  if (type.getRank() != 2 || !type.hasStaticShape() ||
      type.getNumElements() == 0 || !isWeightOnly(op.getResult(), seen))
    return std::nullopt;
  Type scaleType = elementTypeOf(op.getScale());
  if (!isa<Float32Type, Float16Type, BFloat16Type>(scaleType))
    return std::nullopt;

  int64_t depthAxis = result.transposed ? 1 : 0;
  result.depth = type.getDimSize(depthAxis);
  result.width = type.getDimSize(1 - depthAxis);
  result.bits = codes.getWidth() <= 2 ? 2 : codes.getWidth() <= 4 ? 4 : 8;
  result.isSigned = !codes.isUnsigned();
  auto scale = cast<RankedTensorType>(op.getScale().getType());
  if (auto level = op->getAttrOfType<IntegerAttr>("ingot.accuracy_level"))
    result.level = level.getInt();
  int64_t blockSize = op.getBlockSize(), axis = op.getAxis();
  bool single = scale.hasStaticShape() && scale.getNumElements() == 1;
  if (blockSize > 0) {
    if (axis != depthAxis || (blockSize < result.depth && blockSize % 16 != 0))
      return std::nullopt;
  } else if (scale.getRank() == 1 && !single && axis == depthAxis) {
    return std::nullopt;
  }
  result.q = QuantizedTensor::of(op, e);
  if (result.isBlocked())
    result.block = std::min(blockSize & -blockSize, longestBlock);
  else
    result.block = result.depth % 64 == 0 ? 64 : 32;
  // Signed codes narrower than their storage keep their own width.
  if (!result.findZeroPoint(op.getZeroPoint()))
    return std::nullopt;
  return result;
}

Value CodedWeight::packCodes(Emitter &e) const {
  int64_t perWord = 32 / bits, words = block / perWord;
  auto constant = [](int64_t value) { return DimExpr::constant(value); };
  DimShape dims = {constant(groups()), constant(blocks()), constant(words),
                   constant(groupWidth)};
  bool ragged = depth % block != 0, raggedColumns = width % groupWidth != 0;
  auto body = [&](ImplicitLocOpBuilder &b, ValueRange at) -> Value {
    auto index = [&](int64_t value) -> Value {
      return arith::ConstantIndexOp::create(b, value);
    };
    auto number = [&](int64_t value) -> Value {
      return arith::ConstantOp::create(b, b.getI32IntegerAttr(value));
    };
    auto scaled = [&](Value value, int64_t by, Value plus) -> Value {
      return arith::AddIOp::create(
          b, arith::MulIOp::create(b, value, index(by)), plus);
    };
    // Codes past K or N meet a zero of the activations or of the scales.
    auto inside = [&](Value value, int64_t extent, bool needed) -> Value {
      return needed ? arith::MinUIOp::create(b, value, index(extent - 1))
                    : value;
    };
    Value column =
        inside(scaled(at[0], groupWidth, at[3]), width, raggedColumns);
    Value word = scaled(at[1], words, at[2]), result = number(0);
    for (int64_t i = 0; i < perWord; ++i) {
      Value k = inside(scaled(word, perWord, index(i)), depth, ragged);
      SmallVector<Value> where = {k, column};
      if (transposed)
        std::swap(where[0], where[1]);
      Value code = tensor::ExtractOp::create(b, q.codes.value, where);
      code = arith::ExtUIOp::create(b, b.getI32Type(), code);
      if (isSigned)
        code = arith::AddIOp::create(b, code, number(offsetOf(true, bits)));
      code = arith::AndIOp::create(b, code, number((1 << bits) - 1));
      int64_t shift = i % 2 * 16 + i / 2 * bits;
      code = arith::ShLIOp::create(b, code, number(shift));
      result = arith::OrIOp::create(b, result, code);
    }
    return result;
  };
  return e.compute(dims, e.getI32Type(), body).value;
}

Value CodedWeight::parameterAt(ImplicitLocOpBuilder &b, const Tensor &parameter,
                               Value blockIndex, Value column) const {
  auto type = cast<RankedTensorType>(parameter.value.getType());
  auto zero = [&]() -> Value { return arith::ConstantIndexOp::create(b, 0); };
  SmallVector<Value> where;
  if (q.blockSize > 0) {
    Value each = arith::ConstantIndexOp::create(
        b, std::max<int64_t>(q.blockSize / block, 1));
    where = {isBlocked() ? arith::DivUIOp::create(b, blockIndex, each) : zero(),
             column};
    if (transposed)
      std::swap(where[0], where[1]);
  } else if (type.getRank() == 1) {
    where = {type.getDimSize(0) == 1 ? zero() : column};
  }
  return tensor::ExtractOp::create(b, parameter.value, where);
}

Value CodedWeight::packParameter(
    Emitter &e, Type type, const Tensor &parameter,
    function_ref<Value(ImplicitLocOpBuilder &, Value)> convert) const {
  DimShape dims = {DimExpr::constant(groups()),
                   DimExpr::constant(isBlocked() ? blocks() : 1),
                   DimExpr::constant(groupWidth)};
  auto body = [&](ImplicitLocOpBuilder &b, ValueRange at) -> Value {
    Value wide = arith::ConstantIndexOp::create(b, groupWidth);
    Value column =
        arith::AddIOp::create(b, arith::MulIOp::create(b, at[0], wide), at[2]);
    Value last = arith::ConstantIndexOp::create(b, width - 1);
    Value safe = arith::MinUIOp::create(b, column, last);
    Value value = convert(b, parameterAt(b, parameter, at[1], safe));
    Value outside =
        arith::CmpIOp::create(b, arith::CmpIPredicate::ugt, column, last);
    Value zero = arith::ConstantOp::create(b, b.getZeroAttr(type));
    return arith::SelectOp::create(b, outside, zero, value);
  };
  return e.compute(dims, type, body).value;
}

Value CodedWeight::packScales(Emitter &e) const {
  Type stored = q.scale.element();
  Type type = isa<Float16Type>(stored) ? stored : Type(e.getF32Type());
  auto convert = [&](ImplicitLocOpBuilder &b, Value value) -> Value {
    return type == stored ? value : arith::ExtFOp::create(b, type, value);
  };
  return packParameter(e, type, q.scale, convert);
}

Value CodedWeight::packZeros(Emitter &e) const {
  if (!hasZeros)
    return {};
  Type stored = q.zeroPoint.element();
  int64_t offset = offsetOf(isSigned, bits);
  if (isa<FloatType>(stored)) {
    auto convert = [&](ImplicitLocOpBuilder &b, Value value) -> Value {
      if (!stored.isF32())
        value = arith::ExtFOp::create(b, b.getF32Type(), value);
      if (offset == 0)
        return value;
      return arith::AddFOp::create(
          b, value, arith::ConstantOp::create(b, b.getF32FloatAttr(offset)));
    };
    return packParameter(e, e.getF32Type(), q.zeroPoint, convert);
  }
  auto convert = [&](ImplicitLocOpBuilder &b, Value value) -> Value {
    auto byte = b.getI8Type();
    auto constant = [&](int64_t number) -> Value {
      return arith::ConstantOp::create(b, b.getI8IntegerAttr(number));
    };
    if (value.getType() != byte)
      value = isSigned ? Value(arith::ExtSIOp::create(b, byte, value))
                       : Value(arith::ExtUIOp::create(b, byte, value));
    return arith::AddIOp::create(b, value,
                                 constant(static_cast<int8_t>(offset)));
  };
  return packParameter(e, e.getI8Type(), q.zeroPoint, convert);
}

Value CodedWeight::unpackCode(ImplicitLocOpBuilder &b, Value packed, Value k,
                              Value n) const {
  auto index = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, value);
  };
  auto div = [&](Value value, int64_t by) -> Value {
    return arith::DivUIOp::create(b, value, index(by));
  };
  auto rem = [&](Value value, int64_t by) -> Value {
    return arith::RemUIOp::create(b, value, index(by));
  };
  auto scaled = [&](Value value, int64_t by) -> Value {
    return arith::MulIOp::create(b, value, index(by));
  };
  int64_t perWord = 32 / bits;
  Value inside = rem(k, block), at = rem(inside, perWord);
  Value word = tensor::ExtractOp::create(
      b, packed,
      ValueRange{div(n, groupWidth), div(k, block), div(inside, perWord),
                 rem(n, groupWidth)});
  Value shift = arith::AddIOp::create(b, scaled(rem(at, 2), 16),
                                      scaled(div(at, 2), bits));
  shift = arith::IndexCastOp::create(b, b.getI32Type(), shift);
  Value mask =
      arith::ConstantOp::create(b, b.getI32IntegerAttr((1 << bits) - 1));
  return arith::AndIOp::create(b, arith::ShRUIOp::create(b, word, shift), mask);
}

Value CodedWeight::unpackParameter(ImplicitLocOpBuilder &b, Value packed,
                                   Value k, Value n) const {
  auto index = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, value);
  };
  Value wide = index(groupWidth);
  Value blockIndex = isBlocked()
                         ? Value(arith::DivUIOp::create(b, k, index(block)))
                         : index(0);
  return tensor::ExtractOp::create(
      b, packed,
      ValueRange{arith::DivUIOp::create(b, n, wide), blockIndex,
                 arith::RemUIOp::create(b, n, wide)});
}

std::optional<ReadElement> ingot::readCodes(Emitter &e, Value w) {
  std::optional<CodedWeight> coded = CodedWeight::match(w, e);
  if (!coded)
    return std::nullopt;
  Value codes = coded->packCodes(e);
  return [coded, codes](ImplicitLocOpBuilder &b, Value k, Value n) -> Value {
    Value code = coded->unpackCode(b, codes, k, n);
    Value offset =
        arith::ConstantOp::create(b, b.getI32IntegerAttr(coded->codeOffset()));
    code = arith::SubIOp::create(b, code, offset);
    return arith::TruncIOp::create(b, b.getI8Type(), code);
  };
}

std::optional<ReadElement> ingot::readValues(Emitter &e, Value w) {
  std::optional<CodedWeight> coded = CodedWeight::match(w, e);
  if (!coded)
    return std::nullopt;
  Value codes = coded->packCodes(e), scales = coded->packScales(e);
  Value zeros = coded->packZeros(e);
  return [=](ImplicitLocOpBuilder &b, Value k, Value n) -> Value {
    Type f32 = b.getF32Type(), i32 = b.getI32Type();
    Value code = coded->unpackCode(b, codes, k, n);
    Value zero = zeros ? coded->unpackParameter(b, zeros, k, n)
                       : Value(arith::ConstantOp::create(
                             b, b.getI32IntegerAttr(coded->commonZero())));
    Value value;
    if (zero.getType() == f32) {
      value =
          arith::SubFOp::create(b, arith::SIToFPOp::create(b, f32, code), zero);
    } else {
      if (zero.getType() != i32)
        zero = arith::ExtUIOp::create(b, i32, zero);
      value =
          arith::SIToFPOp::create(b, f32, arith::SubIOp::create(b, code, zero));
    }
    Value scale = coded->unpackParameter(b, scales, k, n);
    if (scale.getType() != f32)
      scale = arith::ExtFOp::create(b, f32, scale);
    return arith::MulFOp::create(b, value, scale);
  };
}

std::optional<Tensor> ingot::multiplyCodes(Emitter &e, LinearOp op,
                                           const Tensor &x) {
  std::optional<CodedWeight> w = CodedWeight::match(op.getW(), e);
  if (!w)
    return std::nullopt;
  int64_t asked = op.getActivationBits().value_or(w->activationBits());
  if (isRounded(op.getX()))
    asked = 32;
  int64_t bits = e.state.activationBits ? e.state.activationBits : asked;

  auto attribute = [&](int64_t value) { return e.getI64IntegerAttr(value); };
  Value rows = x.value;
  if (bits != 32 || w->rows() % w->blockSize() != 0) {
    DimExpr blocks =
        DimExpr::constant(llvm::divideCeil(w->rows(), w->blockSize()));
    DimShape rowDims = {x.dims[0], blocks,
                        DimExpr::constant(w->blockSize() * bits / 32 + 2)};
    Value init = e.empty(rowDims, e.getI32Type());
    rows = e.kernel(QuantizeRowsOp::create(
        e, init.getType(), x.value, init, attribute(bits),
        attribute(w->weightBits()), attribute(w->blockSize())));
  }
  DimShape dims = {x.dims[0], DimExpr::constant(w->columns())};
  Value init = e.empty(dims, e.getF32Type());
  Value codes = w->packCodes(e), scales = w->packScales(e);
  Value zeros = w->packZeros(e);
  auto product = QuantizedLinearOp::create(
      e, init.getType(), rows, codes, scales, zeros, init, attribute(bits),
      attribute(w->weightBits()), attribute(w->blockSize()),
      attribute(zeros ? 0 : w->commonZero()));
  return Tensor{e.kernel(product), dims};
}
