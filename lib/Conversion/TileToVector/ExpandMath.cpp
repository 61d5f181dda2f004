//===- ExpandMath.cpp - elementary functions to arithmetic ----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "FloatMath.h"
#include "ingot/Conversion/TileToVector.h"

#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

using namespace mlir;
using namespace ingot;
using arith::CmpFPredicate;

namespace ingot {
#define GEN_PASS_DEF_EXPANDMATH
#include "lib/Conversion/TileToVector/TileToVector.h.inc"
} // namespace ingot

static bool isNarrowFloat(Type type) {
  return isa<Float16Type, BFloat16Type>(getElementTypeOrSelf(type));
}

/// Whether every float among the types is f32 or f64.
static bool areFloatsSupported(TypeRange types) {
  return llvm::all_of(types, [](Type type) {
    Type element = getElementTypeOrSelf(type);
    return !isa<FloatType>(element) || element.isF32() || element.isF64();
  });
}

/// Arithmetic on f16 and bf16: in f32, rounded after every op.
static void widenNarrow(Operation *op) {
  KernelBuilder b(op->getLoc(), op);
  SmallVector<Value> operands;
  for (Value operand : op->getOperands()) {
    if (isNarrowFloat(operand.getType()))
      operand = arith::ExtFOp::create(
          b, withElement(operand.getType(), b.getF32Type()), operand);
    operands.push_back(operand);
  }
  SmallVector<Type> types;
  for (Type type : op->getResultTypes())
    types.push_back(isNarrowFloat(type) ? withElement(type, b.getF32Type())
                                        : type);
  Operation *wide =
      b.create(op->getLoc(), op->getName().getIdentifier(), operands, types,
               op->getAttrDictionary().getValue());
  for (auto [from, to] : llvm::zip_equal(op->getResults(), wide->getResults()))
    from.replaceAllUsesWith(
        from.getType() == to.getType()
            ? Value(to)
            : arith::TruncFOp::create(b, from.getType(), to).getResult());
  op->erase();
}

/// f64 to f32 so that rounding once more cannot round the wrong way: toward
/// zero, with the last bit set where something was lost.
static Value truncateToOdd(KernelBuilder &b, Value x) {
  Type single = withElement(x.getType(), b.getF32Type());
  Type bits = withElement(x.getType(), b.getI32Type());
  Value rounded = arith::TruncFOp::create(b, single, x);
  Value back = arith::ExtFOp::create(b, x.getType(), rounded);
  Value exact = b.compare(CmpFPredicate::UEQ, back, x);
  Value away = b.compare(CmpFPredicate::OGT, emitAbs(b, back), emitAbs(b, x));
  Value asInt = arith::BitcastOp::create(b, bits, rounded);
  Value one = b.splatInt(bits, 1);
  Value toZero = b.select(away, b.sub(asInt, one), asInt);
  Value odd = arith::OrIOp::create(b, toZero, one);
  return arith::BitcastOp::create(b, single, b.select(exact, asInt, odd));
}

/// Conversions that have no instruction: f64 to f16 and bf16, bf16 to f64.
static void splitConversion(Operation *op) {
  KernelBuilder b(op->getLoc(), op);
  Value in = op->getOperand(0);
  Type out = op->getResult(0).getType();
  Type from = getElementTypeOrSelf(in.getType()),
       to = getElementTypeOrSelf(out);
  if (isa<arith::TruncFOp>(op) && from.isF64() && isNarrowFloat(to)) {
    op->setOperand(0, truncateToOdd(b, in));
  } else if (isa<arith::ExtFOp>(op) && from.isBF16() && to.isF64()) {
    op->setOperand(
        0, arith::ExtFOp::create(b, withElement(out, b.getF32Type()), in));
  }
}

using Unary = Value (*)(KernelBuilder &, Value);

/// In f64, for f32 operands too: nearly correctly rounded there.
static Value inDouble(KernelBuilder &b, ValueRange operands,
                      function_ref<Value(ValueRange)> function) {
  Type type = operands.front().getType();
  if (getElementTypeOrSelf(type).isF64())
    return function(operands);
  SmallVector<Value> wide;
  for (Value operand : operands)
    wide.push_back(arith::ExtFOp::create(
        b, withElement(operand.getType(), b.getF64Type()), operand));
  return arith::TruncFOp::create(b, type, function(wide));
}

/// Half away from zero.
static Value emitRound(KernelBuilder &b, Value x) {
  bool wide = getElementTypeOrSelf(x.getType()).isF64();
  // The largest float below a half: adding a half could round up by itself.
  Value half =
      b.splat(x.getType(), wide ? 0x1.fffffffffffffp-2 : 0x1.fffffep-2);
  return math::TruncOp::create(b, b.add(x, emitCopySign(b, half, x)));
}

/// NaN where an operand is, as arith.minimumf and maximumf have it.
static Value emitClamp(KernelBuilder &b, Value x, Value low, Value high) {
  Value lifted = arith::MaximumFOp::create(b, x, low);
  return arith::MinimumFOp::create(b, lifted, high);
}

static Value emitCbrt(KernelBuilder &b, Value x) {
  Type type = x.getType();
  Value third = b.splat(type, 1.0 / 3.0), size = emitAbs(b, x);
  Value root = emitExp(b, b.mul(emitLog(b, size), third));
  // One step of Newton's; zero, infinity and NaN are right already.
  Value excess = b.sub(root, b.div(size, b.mul(root, root)));
  Value better = b.sub(root, b.mul(excess, third));
  Value usable = b.compare(CmpFPredicate::ORD, better, better);
  return emitCopySign(b, b.select(usable, better, root), x);
}

/// What replaces an op with one result; null if the op stays as it is.
static FailureOr<Value> expand(KernelBuilder &b, Operation *op) {
  ValueRange in = op->getOperands();
  Type type = op->getResult(0).getType();
  bool precise = getElementTypeOrSelf(type).isF64();
  auto wide = [&](function_ref<Value(ValueRange)> function) -> Value {
    return inDouble(b, in, function);
  };
  auto wideUnary = [&](Unary function) -> Value {
    return wide([&](ValueRange v) { return function(b, v[0]); });
  };
  auto scaledLog = [&](double factor) -> Value {
    return wide([&](ValueRange v) {
      return b.mul(emitLog(b, v[0]), b.splat(v[0].getType(), factor));
    });
  };
  auto classify = [&](CmpFPredicate predicate) -> Value {
    double limit = std::numeric_limits<double>::infinity();
    return b.compare(predicate, emitAbs(b, in[0]),
                     b.splat(in[0].getType(), limit));
  };
  return TypeSwitch<Operation *, FailureOr<Value>>(op)
      .Case<math::AbsFOp, math::AbsIOp, math::CeilOp, math::FloorOp,
            math::TruncOp, math::RoundEvenOp, math::SqrtOp, math::FmaOp,
            math::CopySignOp, math::CountLeadingZerosOp,
            math::CountTrailingZerosOp, math::CtPopOp>(
          [](auto) { return Value(); })
      .Case<math::ExpOp>([&](auto) { return emitExp(b, in[0]); })
      .Case<math::LogOp>([&](auto) { return emitLog(b, in[0]); })
      .Case<math::TanhOp>([&](auto) { return emitTanh(b, in[0]); })
      .Case<math::ErfOp>([&](auto) { return emitErf(b, in[0]); })
      .Case<math::RsqrtOp>([&](auto) {
        return b.div(b.splat(type, 1.0), math::SqrtOp::create(b, in[0]));
      })
      .Case<math::RoundOp>([&](auto) { return emitRound(b, in[0]); })
      .Case<math::ClampFOp>(
          [&](auto) { return emitClamp(b, in[0], in[1], in[2]); })
      .Case<math::IsNaNOp>(
          [&](auto) { return b.compare(CmpFPredicate::UNO, in[0], in[0]); })
      .Case<math::IsInfOp>([&](auto) { return classify(CmpFPredicate::OEQ); })
      .Case<math::IsFiniteOp>(
          [&](auto) { return classify(CmpFPredicate::OLT); })
      .Case<math::ErfcOp>([&](auto) { return wideUnary(emitErfc); })
      .Case<math::ExpM1Op>([&](auto) { return wideUnary(emitExpM1); })
      .Case<math::Log1pOp>([&](auto) { return wideUnary(emitLog1p); })
      .Case<math::TanOp>([&](auto) { return wideUnary(emitTan); })
      .Case<math::AtanOp>([&](auto) { return wideUnary(emitAtan); })
      .Case<math::SinhOp>([&](auto) { return wideUnary(emitSinh); })
      .Case<math::CoshOp>([&](auto) { return wideUnary(emitCosh); })
      .Case<math::AsinhOp>([&](auto) { return wideUnary(emitAsinh); })
      .Case<math::AcoshOp>([&](auto) { return wideUnary(emitAcosh); })
      .Case<math::AtanhOp>([&](auto) { return wideUnary(emitAtanh); })
      .Case<math::SinOp, math::CosOp>([&](auto op) {
        int64_t turns = isa<math::CosOp>(op.getOperation());
        return wide([&](ValueRange v) { return emitSin(b, v[0], turns); });
      })
      .Case<math::Exp2Op>([&](auto) {
        return wide([&](ValueRange v) {
          return emitPow(b, b.splat(v[0].getType(), 2.0), v[0], precise);
        });
      })
      .Case<math::Log2Op>(
          [&](auto) { return scaledLog(1.44269504088896340736); })
      .Case<math::Log10Op>(
          [&](auto) { return scaledLog(0.43429448190325182765); })
      .Case<math::AsinOp>([&](auto) {
        return wide([&](ValueRange v) {
          Value one = b.splat(v[0].getType(), 1.0);
          Value cosine = math::SqrtOp::create(
              b, b.mul(b.sub(one, v[0]), b.add(one, v[0])));
          return emitAtan(b, b.div(v[0], cosine));
        });
      })
      .Case<math::AcosOp>([&](auto) {
        return wide([&](ValueRange v) {
          Value one = b.splat(v[0].getType(), 1.0);
          Value ratio = b.div(b.sub(one, v[0]), b.add(one, v[0]));
          Value half = emitAtan(b, math::SqrtOp::create(b, ratio));
          return b.add(half, half);
        });
      })
      .Case<math::CbrtOp>([&](auto) {
        return wide([&](ValueRange v) { return emitCbrt(b, v[0]); });
      })
      .Case<math::Atan2Op>([&](auto) {
        return wide([&](ValueRange v) { return emitAtan2(b, v[0], v[1]); });
      })
      .Case<math::PowFOp>([&](auto) {
        return wide(
            [&](ValueRange v) { return emitPow(b, v[0], v[1], precise); });
      })
      .Case<math::FPowIOp>([&](auto) {
        Type exponent = withElement(type, getElementTypeOrSelf(type));
        Value y = arith::SIToFPOp::create(b, exponent, in[1]);
        return inDouble(b, {in[0], y}, [&](ValueRange v) {
          return emitPow(b, v[0], v[1], precise);
        });
      })
      .Case<math::IPowIOp>([&](auto) { return emitIntPow(b, in[0], in[1]); })
      .Case<arith::RemFOp>([&](auto) { return emitFmod(b, in[0], in[1]); })
      .Default([](Operation *) { return failure(); });
}

/// Whether narrow floats among the op's types have to be widened.
static bool computesOnFloats(Operation *op) {
  if (isa<arith::ConstantOp, arith::SelectOp, arith::BitcastOp, arith::ExtFOp,
          arith::TruncFOp>(op))
    return false;
  return isa_and_nonnull<math::MathDialect, arith::ArithDialect>(
             op->getDialect()) &&
         (llvm::any_of(op->getOperandTypes(), isNarrowFloat) ||
          llvm::any_of(op->getResultTypes(), isNarrowFloat));
}

namespace {
struct ExpandMath : public ingot::impl::ExpandMathBase<ExpandMath> {
  void runOnOperation() override {
    SmallVector<Operation *> narrow, functions, conversions;
    getOperation()->walk([&](Operation *op) {
      if (computesOnFloats(op))
        narrow.push_back(op);
    });
    for (Operation *op : narrow)
      widenNarrow(op);

    bool failed = false;
    getOperation()->walk([&](Operation *op) {
      if (!isa_and_nonnull<math::MathDialect>(op->getDialect()) &&
          !isa<arith::RemFOp>(op))
        return;
      // Of nothing: no lanes to make code for.
      if (!areFloatsSupported(op->getOperandTypes()) ||
          !areFloatsSupported(op->getResultTypes())) {
        op->emitOpError("is not supported on this element type");
        failed = true;
        return;
      }
      functions.push_back(op);
    });
    for (Operation *op : functions) {
      KernelBuilder b(op->getLoc(), op);
      if (auto both = dyn_cast<math::SincosOp>(op)) {
        for (auto [turns, result] : llvm::enumerate(op->getResults()))
          result.replaceAllUsesWith(
              inDouble(b, op->getOperands(),
                       [&](ValueRange v) { return emitSin(b, v[0], turns); }));
        op->erase();
        continue;
      }
      FailureOr<Value> value = expand(b, op);
      if (llvm::failed(value)) {
        op->emitOpError("has no expansion into arithmetic");
        failed = true;
      } else if (*value) {
        op->getResult(0).replaceAllUsesWith(*value);
        op->erase();
      }
    }
    if (failed)
      return signalPassFailure();

    getOperation()->walk([&](Operation *op) {
      if (isa<arith::ExtFOp, arith::TruncFOp>(op))
        conversions.push_back(op);
    });
    for (Operation *op : conversions)
      splitConversion(op);

    RewritePatternSet patterns(&getContext());
    arith::populateExpandBFloat16Patterns(patterns);
    arith::populateCeilFloorDivExpandOpsPatterns(patterns);
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};
} // namespace
