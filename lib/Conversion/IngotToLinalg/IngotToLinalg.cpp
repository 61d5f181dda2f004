//===- IngotToLinalg.cpp - the pass --------------------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Conversion/IngotToLinalg.h"
#include "Packed.h"

#include "mlir/Dialect/Func/Transforms/FuncConversions.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"

namespace ingot {
#define GEN_PASS_DEF_CONVERTINGOTTOLINALG
#include "lib/Conversion/IngotToLinalg/IngotToLinalg.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot;

namespace {

class SignlessTypes : public TypeConverter {
public:
  SignlessTypes() {
    addConversion([](Type type) { return type; });
    addConversion([](RankedTensorType type) -> Type {
      return type.clone(storageType(type.getElementType()));
    });
  }
};

struct ConvertIngotToLinalgPass
    : ingot::impl::ConvertIngotToLinalgBase<ConvertIngotToLinalgPass> {
  using ConvertIngotToLinalgBase::ConvertIngotToLinalgBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(checkDims(module)))
      return signalPassFailure();
    LoweringState state;
    if (!llvm::is_contained({0, 8, 16, 24, 32}, activationBits)) {
      module.emitError("activations of ")
          << activationBits << " bits instead of 8, 16, 24 or 32";
      return signalPassFailure();
    }
    state.activationBits = activationBits;
    state.bfloatProducts = bfloatProducts;
    // While the ops are there to be asked.
    module.walk([&](Operation *op) {
      for (Value result : op->getResults())
        if (isa<RankedTensorType>(result.getType()))
          state.shapes.shapeOf(result);
      for (Region &region : op->getRegions())
        for (Block &block : region)
          for (Value argument : block.getArguments())
            if (isa<RankedTensorType>(argument.getType()))
              state.shapes.shapeOf(argument);
    });
    noteTiedWeights(module, state);
    noteModelTypes(module);

    SignlessTypes types;
    for (auto weight : module.getOps<WeightOp>()) {
      Type type = packedType(cast<RankedTensorType>(weight.getType()));
      weight.setTypeAttr(
          TypeAttr::get(type ? type : types.convertType(weight.getType())));
    }

    RewritePatternSet set(&getContext());
    LoweringPatterns patterns{set, types, state};
    populateCacheLowerings(patterns);
    populateElementwiseLowerings(patterns);
    populateGatherLowerings(patterns);
    populateGenerateLowerings(patterns);
    populatePaddingLowerings(patterns);
    populateProductLowerings(patterns);
    populateQuantizeLowerings(patterns);
    populateReduceLowerings(patterns);
    populateRopeLowerings(patterns);
    populateScanLowerings(patterns);
    populateScatterLowerings(patterns);
    populateShapeLowerings(patterns);
    populateStructuredLowerings(patterns);
    populateSymbolLowerings(patterns);
    populateWindowLowerings(patterns);

    ConversionTarget target(getContext());
    target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
    auto isDone = [&](Operation *op) {
      if (isa<SizeOp, DimOp, WeightOp, CheckOp>(op))
        return true;
      if (isa<WeightRefOp>(op))
        return types.isLegal(op);
      return state.kernels.contains(op);
    };
    // What has no lowering stays, so that every such op can be reported.
    target.addDynamicallyLegalDialect<IngotDialect>(
        [&](Operation *op) -> std::optional<bool> {
          return isDone(op) ? std::optional<bool>(true) : std::nullopt;
        });
    populateFunctionOpInterfaceTypeConversionPattern<func::FuncOp>(set, types);
    populateReturnOpTypeConversionPattern(set, types);
    scf::populateSCFStructuralTypeConversionsAndLegality(types, set, target);
    target.addDynamicallyLegalOp<func::FuncOp>([&](func::FuncOp func) {
      return types.isSignatureLegal(func.getFunctionType()) &&
             types.isLegal(&func.getBody());
    });
    target.addDynamicallyLegalOp<func::ReturnOp>(
        [&](Operation *op) { return types.isLegal(op); });

    // Casts between a converted value and an op that was not are no error of
    // their own.
    ConversionConfig config;
    config.buildMaterializations = false;
    if (failed(
            applyPartialConversion(module, target, std::move(set), config)) ||
        failed(report(module, state, isDone)))
      signalPassFailure();
  }

  /// Every dim must be known as an expression of the model's symbols.
  LogicalResult checkDims(ModuleOp module) {
    LogicalResult result = success();
    for (auto func : module.getOps<func::FuncOp>())
      for (BlockArgument argument : func.getArguments()) {
        auto type = dyn_cast<RankedTensorType>(argument.getType());
        if (!type || type.hasStaticShape() ||
            func.getArgAttrOfType<DimsAttr>(argument.getArgNumber(),
                                            dimsAttrName))
          continue;
        result = emitError(argument.getLoc())
                 << "unsupported type: argument " << argument.getArgNumber()
                 << " has dims of which nothing is known";
      }
    return result;
  }

  /// Finds the tables that lookups share with products.
  void noteTiedWeights(ModuleOp module, LoweringState &state) {
    module.walk([&](LinearOp op) {
      Value w = op.getW();
      bool isTurned = false, isCast = false;
      while (Operation *def = w.getDefiningOp()) {
        if (!isa<TransposeOp, CastOp>(def))
          break;
        isTurned ^= isa<TransposeOp>(def);
        isCast |= isa<CastOp>(def);
        w = def->getOperand(0);
      }
      if (!isTurned)
        return;
      if (auto table = w.getDefiningOp<DequantizeOp>()) {
        state.tiedTables.try_emplace(table, op.getW());
        Operation *codes = table.getCodes().getDefiningOp();
        if (isa_and_nonnull<WeightRefOp, ConstantOp>(codes))
          state.tiedTables.try_emplace(codes, op.getW());
      }
      auto weight = w.getDefiningOp<WeightRefOp>();
      auto areAll = [&](auto isType) {
        return llvm::all_of(op->getOperands(), [&](Value operand) {
          return isType(elementTypeOf(operand));
        });
      };
      if (weight && !isCast &&
          (areAll([](Type type) { return type.isF32(); }) ||
           areAll([](Type type) { return type.isBF16(); })))
        state.tiedWeights.insert(weight.getWeight());
    });
  }

  /// Keeps the element types that the model's user sees.
  void noteModelTypes(ModuleOp module) {
    auto elementOf = [](Type type) -> TypeAttr {
      Type element = getElementTypeOrSelf(type);
      bool same = storageType(element) == element;
      return same ? TypeAttr() : TypeAttr::get(element);
    };
    for (auto func : module.getOps<func::FuncOp>()) {
      for (auto [i, type] : llvm::enumerate(func.getArgumentTypes()))
        if (TypeAttr element = elementOf(type))
          func.setArgAttr(i, typeAttrName, element);
      for (auto [i, type] : llvm::enumerate(func.getResultTypes()))
        if (TypeAttr element = elementOf(type))
          func.setResultAttr(i, typeAttrName, element);
    }
  }

  /// Reports every op that could not be converted.
  LogicalResult report(ModuleOp module, LoweringState &state,
                       function_ref<bool(Operation *)> isDone) {
    LogicalResult result = success();
    module.walk([&](Operation *op) {
      if (!isa_and_nonnull<IngotDialect>(op->getDialect()) || isDone(op))
        return;
      auto *it = state.refusals.find(op);
      if (it != state.refusals.end())
        result = emitError(op->getLoc()) << it->second;
      else
        result = emitError(op->getLoc()) << "unsupported op: " << op->getName();
    });
    if (failed(result))
      return result;
    module.walk([&](UnrealizedConversionCastOp cast) {
      result = emitError(cast.getLoc())
               << "unsupported type: between " << cast.getOperandTypes()
               << " and " << cast.getResultTypes();
    });
    return result;
  }
};

} // namespace
