//===- Contents.cpp - small integer tensors as dim expressions ----------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Contents.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <cstring>
#include <numeric>

using namespace llvm;
using onnx::TensorProto;

namespace ingot::onnxin {
namespace {

/// Bounds on what is kept as an expression: nested expressions can grow
/// exponentially in the number of nodes that make them.
constexpr size_t kMaxExprText = 768;
constexpr int64_t kMaxCoefficient = int64_t(1) << 40;
constexpr int64_t kMaxDenominator = int64_t(1) << 20;

MaybeNumber checked(DimExpr num, int64_t den) {
  if (den <= 0 || den > kMaxDenominator || !isManageable(num))
    return std::nullopt;
  if (den != 1) {
    int64_t common = den;
    for (const DimExpr::Term &term : num.getTerms())
      common = std::gcd(common, term.coefficient);
    if (common > 1) {
      if (auto divided = num.dividedBy(DimExpr::constant(common))) {
        num = *divided;
        den /= common;
      }
    }
  }
  return Number{std::move(num), den};
}

/// Both as constants, if they are.
std::optional<std::pair<int64_t, int64_t>> constants(const Number &a,
                                                     const Number &b) {
  auto x = a.integer(), y = b.integer();
  if (x && y)
    return std::make_pair(*x, *y);
  return std::nullopt;
}

/// Whether arithmetic on the two cannot overflow; INT64_MAX as an open end of
/// a slice is a common constant.
bool manageable(const Number &a, const Number &b) {
  for (const Number *number : {&a, &b}) {
    std::optional<int64_t> value = number->num.getConstant();
    if (value && (*value > kMaxCoefficient || *value < -kMaxCoefficient))
      return false;
    if (!isManageable(number->num))
      return false;
  }
  return true;
}

/// The element at `at`; nothing for floats that are no small fraction.
MaybeNumber elementAt(int dtype, const char *at) {
  auto load = [&](auto value) {
    std::memcpy(&value, at, sizeof(value));
    return value;
  };
  auto fraction = [](double value) -> MaybeNumber {
    if (!std::isfinite(value) || std::abs(value) > double(kMaxCoefficient))
      return std::nullopt;
    for (int64_t den = 1; den <= (1 << 16); den *= 2) {
      double scaled = value * double(den);
      if (scaled == std::floor(scaled))
        return checked(DimExpr::constant(int64_t(scaled)), den);
    }
    return std::nullopt;
  };
  auto half = [&](const fltSemantics &semantics) {
    APFloat value(semantics, APInt(16, load(uint16_t())));
    bool lost = false;
    value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
    return fraction(value.convertToDouble());
  };
  switch (dtype) {
  case TensorProto::INT64:
    return Number::of(load(int64_t()));
  case TensorProto::INT32:
    return Number::of(load(int32_t()));
  case TensorProto::INT16:
    return Number::of(load(int16_t()));
  case TensorProto::INT8:
    return Number::of(load(int8_t()));
  case TensorProto::UINT8:
    return Number::of(load(uint8_t()));
  case TensorProto::UINT16:
    return Number::of(load(uint16_t()));
  case TensorProto::UINT32:
    return Number::of(load(uint32_t()));
  case TensorProto::UINT64: {
    uint64_t value = load(uint64_t());
    if (value > uint64_t(INT64_MAX))
      return std::nullopt;
    return Number::of(int64_t(value));
  }
  case TensorProto::BOOL:
    return Number::of(load(uint8_t()) != 0);
  case TensorProto::FLOAT:
    return fraction(load(float()));
  case TensorProto::DOUBLE:
    return fraction(load(double()));
  case TensorProto::FLOAT16:
    return half(APFloat::IEEEhalf());
  case TensorProto::BFLOAT16:
    return half(APFloat::BFloat());
  default:
    return std::nullopt;
  }
}

} // namespace

bool isManageable(const DimExpr &expr) {
  if (expr.isConstant())
    return true;
  for (const DimExpr::Term &term : expr.getTerms())
    if (term.coefficient > kMaxCoefficient ||
        term.coefficient < -kMaxCoefficient)
      return false;
  return expr.getTerms().size() <= 32 && expr.str().size() <= kMaxExprText;
}

APInt packedElement(ArrayRef<char> bytes, int64_t i, unsigned bits) {
  int64_t each = 8 / bits;
  unsigned byte = static_cast<unsigned char>(bytes[i / each]);
  return APInt(8, byte).lshr(bits * (i % each)).trunc(bits);
}

std::shared_ptr<const Contents> contentsOf(const TensorData &data) {
  if (data.elements > kMaxContents)
    return nullptr;
  unsigned bits = bitsOf(data.dtype);
  size_t width = bits / 8;
  auto contents = std::make_shared<Contents>();
  contents->shape = data.dims;
  if (bits < 8) {
    bool isSigned =
        data.dtype == TensorProto::INT4 || data.dtype == TensorProto::INT2;
    for (int64_t i = 0; i != data.elements; ++i) {
      APInt code = packedElement(data.bytes, i, bits);
      contents->numbers.push_back(Number::of(
          isSigned ? code.getSExtValue() : int64_t(code.getZExtValue())));
    }
    return contents;
  }
  for (int64_t i = 0; i != data.elements; ++i) {
    MaybeNumber number = elementAt(data.dtype, data.bytes.data() + i * width);
    if (!number)
      return nullptr;
    contents->numbers.push_back(std::move(*number));
  }
  return contents;
}

MaybeNumber addNumbers(const Number &a, const Number &b) {
  if (auto both = constants(a, b)) {
    int64_t sum;
    if (AddOverflow(both->first, both->second, sum))
      return std::nullopt;
    return Number::of(sum);
  }
  if (!manageable(a, b))
    return std::nullopt;
  return checked(a.num * DimExpr::constant(b.den) +
                     b.num * DimExpr::constant(a.den),
                 a.den * b.den);
}

MaybeNumber subNumbers(const Number &a, const Number &b) {
  if (auto both = constants(a, b)) {
    int64_t difference;
    if (SubOverflow(both->first, both->second, difference))
      return std::nullopt;
    return Number::of(difference);
  }
  if (!manageable(a, b))
    return std::nullopt;
  return checked(a.num * DimExpr::constant(b.den) -
                     b.num * DimExpr::constant(a.den),
                 a.den * b.den);
}

MaybeNumber mulNumbers(const Number &a, const Number &b) {
  if (auto both = constants(a, b)) {
    int64_t product;
    if (MulOverflow(both->first, both->second, product))
      return std::nullopt;
    return Number::of(product);
  }
  if (!manageable(a, b))
    return std::nullopt;
  return checked(a.num * b.num, a.den * b.den);
}

MaybeNumber divNumbers(const Number &a, const Number &b) {
  if (!manageable(a, b))
    return std::nullopt;
  std::optional<int64_t> divisor = b.num.getConstant();
  if (divisor && (*divisor == 0 || std::abs(*divisor) > kMaxDenominator))
    return std::nullopt;
  if (divisor) {
    int64_t sign = *divisor < 0 ? -1 : 1;
    return checked(a.num * DimExpr::constant(b.den * sign),
                   a.den * *divisor * sign);
  }
  if (auto exact = a.num.dividedBy(b.num))
    return checked(*exact * DimExpr::constant(b.den), a.den);
  return std::nullopt;
}

MaybeNumber floorNumber(const Number &a) {
  if (a.den == 1)
    return a;
  return checked(DimExpr::floorDiv(a.num, DimExpr::constant(a.den)), 1);
}

MaybeNumber ceilNumber(const Number &a) {
  if (a.den == 1)
    return a;
  return checked(DimExpr::ceilDiv(a.num, DimExpr::constant(a.den)), 1);
}

MaybeNumber minNumbers(const Number &a, const Number &b) {
  if (auto less = isLessEqual(a, b))
    return *less ? a : b;
  if (a.den != 1 || b.den != 1 || !manageable(a, b))
    return std::nullopt;
  return checked(DimExpr::min(a.num, b.num), 1);
}

MaybeNumber maxNumbers(const Number &a, const Number &b) {
  if (auto less = isLessEqual(a, b))
    return *less ? b : a;
  if (a.den != 1 || b.den != 1 || !manageable(a, b))
    return std::nullopt;
  return checked(DimExpr::max(a.num, b.num), 1);
}

std::optional<bool> isLess(const Number &a, const Number &b) {
  if (auto both = constants(a, b))
    return both->first < both->second;
  MaybeNumber difference = subNumbers(b, a);
  if (!difference)
    return std::nullopt;
  if (auto low = difference->num.lowerBound(); low && *low > 0)
    return true;
  if (auto high = difference->num.upperBound(); high && *high <= 0)
    return false;
  return std::nullopt;
}

std::optional<bool> isLessEqual(const Number &a, const Number &b) {
  if (std::optional<bool> less = isLess(b, a))
    return !*less;
  return std::nullopt;
}

std::optional<bool> isEqual(const Number &a, const Number &b) {
  if (a == b)
    return true;
  std::optional<bool> less = isLess(a, b), greater = isLess(b, a);
  if ((less && *less) || (greater && *greater))
    return false;
  if (less && greater)
    return true;
  return std::nullopt;
}

} // namespace ingot::onnxin
