//===- DotProducts.h - products of codes in registers -----------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "KernelBuilder.h"
#include "ingot/Target/CpuCapabilities.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace ingot {

/// sum + the products of pairs of bf16 in vectors of 16 floats and 32 bf16: the
/// second of a pair is added before the first, each with one rounding to
/// nearest even. Numbers below the normal ones are taken and left as zeros.
inline mlir::Value addBfloatPairs(KernelBuilder &b, mlir::Value sum,
                                  mlir::Value x, mlir::Value y) {
  return mlir::LLVM::CallIntrinsicOp::create(
             b, sum.getType(),
             b.getStringAttr("llvm.x86.avx512bf16.dpbf16ps.512"), {sum, x, y})
      .getResult(0);
}

/// Sums of products in registers of `lanes` words.
class DotProducts {
public:
  DotProducts(KernelBuilder &b, const TargetInfo &target)
      : b(b), isX86(target.isX86), wide(target.hasAvx512bw),
        fused(wide ? target.hasAvx512Vnni : target.hasAvxVnni) {}

  /// As many 32-bit words as a register holds.
  int64_t lanes() const { return wide ? 16 : isX86 ? 8 : 4; }
  /// Whether bytes are multiplied and added to 32 bits in one step.
  bool hasFused() const { return fused; }
  mlir::VectorType type(unsigned bits) const {
    return mlir::VectorType::get(lanes() * 32 / bits, b.getIntegerType(bits));
  }
  mlir::Value cast(mlir::Value words, unsigned bits) const {
    return mlir::vector::BitCastOp::create(b, type(bits), words);
  }

  /// sum + the products of pairs of signed 16-bit numbers.
  mlir::Value pairs(mlir::Value sum, mlir::Value x, mlir::Value y) const {
    if (!isX86)
      return b.add(sum, addPairs(widen<mlir::arith::ExtSIOp>(x, 32),
                                 widen<mlir::arith::ExtSIOp>(y, 32)));
    if (fused)
      return call(wide ? "llvm.x86.avx512.vpdpwssd.512"
                       : "llvm.x86.avx512.vpdpwssd.256",
                  32, {sum, x, y});
    return b.add(sum, call(wide ? "llvm.x86.avx512.pmaddw.d.512"
                                : "llvm.x86.avx2.pmadd.wd",
                           32, {x, y}));
  }
  /// sum + the products of four unsigned with four signed bytes.
  mlir::Value quads(mlir::Value sum, mlir::Value x, mlir::Value y) const {
    return call(wide ? "llvm.x86.avx512.vpdpbusd.512"
                     : "llvm.x86.avx512.vpdpbusd.256",
                32, {sum, x, y});
  }
  /// The products of pairs of unsigned with signed bytes in 16 bits.
  mlir::Value shortPairs(mlir::Value x, mlir::Value y) const {
    if (!isX86)
      return addPairs(widen<mlir::arith::ExtUIOp>(x, 16),
                      widen<mlir::arith::ExtSIOp>(y, 16));
    return call(wide ? "llvm.x86.avx512.pmaddubs.w.512"
                     : "llvm.x86.avx2.pmadd.ub.sw",
                16, {x, y});
  }

private:
  /// Numbers of twice as many bits.
  template <typename Extend>
  mlir::Value widen(mlir::Value x, unsigned bits) const {
    auto vector = llvm::cast<mlir::VectorType>(x.getType());
    return Extend::create(
        b, mlir::VectorType::get(vector.getShape(), b.getIntegerType(bits)), x);
  }
  /// The products of neighbours, added.
  mlir::Value addPairs(mlir::Value x, mlir::Value y) const {
    mlir::Value products = b.mul(x, y);
    auto parts = mlir::vector::DeinterleaveOp::create(b, products);
    return b.add(parts.getRes1(), parts.getRes2());
  }
  mlir::Value call(llvm::StringRef name, unsigned bits,
                   mlir::ValueRange operands) const {
    return mlir::LLVM::CallIntrinsicOp::create(b, type(bits),
                                               b.getStringAttr(name), operands)
        .getResult(0);
  }

  KernelBuilder &b;
  bool isX86, wide, fused;
};

} // namespace ingot
