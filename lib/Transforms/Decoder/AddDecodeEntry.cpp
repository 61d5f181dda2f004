//===- AddDecodeEntry.cpp - a program for one token a row -----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ingot/Transforms/Decoder.h"
#include "lib/Transforms/Decoder/DecoderModel.h"
#include "lib/Transforms/Recognition/DimRewriting.h"
#include "lib/Transforms/Recognition/Matchers.h"

namespace ingot {
#define GEN_PASS_DEF_ADDDECODEENTRY
#include "lib/Transforms/Decoder/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot;

namespace {

/// Gives one symbol of a function the value 1.
class Specializer {
public:
  Specializer(func::FuncOp func, StringRef symbol)
      : func(func), symbol(symbol.str()) {}

  void run() {
    // Types follow from dims as they were.
    SmallVector<std::pair<Value, RankedTensorType>> changed;
    auto visit = [&](Value value) {
      if (RankedTensorType type = specialized(value))
        changed.emplace_back(value, type);
    };
    func.walk(
        [&](Block *block) { llvm::for_each(block->getArguments(), visit); });
    func.walk([&](Operation *op) { llvm::for_each(op->getResults(), visit); });

    replaceDims(func, [&](const DimExpr &dim) { return specialized(dim); });
    for (auto [value, type] : changed) {
      if (auto empty = value.getDefiningOp<tensor::EmptyOp>())
        dropSizes(empty, type);
      value.setType(type);
    }
  }

private:
  DimExpr specialized(const DimExpr &expr) const {
    return expr.substitute([&](StringRef name) -> std::optional<DimExpr> {
      return name == symbol ? std::optional(DimExpr::constant(1))
                            : std::nullopt;
    });
  }

  /// The type of `value` if it changes.
  RankedTensorType specialized(Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (!type || type.hasStaticShape())
      return {};
    SmallVector<int64_t> extents(type.getShape());
    for (auto [extent, dim] : llvm::zip_equal(extents, shapes.shapeOf(value)))
      if (ShapedType::isDynamic(extent))
        if (std::optional<int64_t> constant = specialized(dim).getConstant())
          extent = *constant;
    RankedTensorType now = type.clone(extents);
    return now == type ? RankedTensorType() : now;
  }

  /// Drops the operands of dims that are static in `type`.
  static void dropSizes(tensor::EmptyOp empty, RankedTensorType type) {
    SmallVector<Value> sizes;
    unsigned next = 0;
    for (auto [before, now] :
         llvm::zip_equal(empty.getType().getShape(), type.getShape())) {
      if (!ShapedType::isDynamic(before))
        continue;
      Value size = empty.getDynamicSizes()[next++];
      if (ShapedType::isDynamic(now))
        sizes.push_back(size);
    }
    empty.getDynamicSizesMutable().assign(sizes);
  }

  func::FuncOp func;
  std::string symbol;
  ShapeAnalysis shapes;
};

struct AddDecodeEntryPass
    : ingot::impl::AddDecodeEntryBase<AddDecodeEntryPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto all = module.lookupSymbol<func::FuncOp>(allEntryName);
    if (!all)
      return;
    FailureOr<std::string> seq = sequenceOf(all);
    if (failed(seq))
      return signalPassFailure();
    // A number is no choice.
    if (seq->empty())
      return;
    // One token may be too few.
    auto dim = module.lookupSymbol<DimOp>(*seq);
    if (dim && dim.getMin() > 1)
      return;
    func::FuncOp decode = all.clone();
    decode.setName(decodeEntryName);
    SymbolTable(module).insert(decode);
    Specializer(decode, *seq).run();
    dropSequence(decode);
  }

  /// The symbol of the tokens' second dim; empty if that is a number.
  static FailureOr<std::string> sequenceOf(func::FuncOp func) {
    auto state = func->getAttrOfType<DictionaryAttr>(stateAttrName);
    auto name = state ? state.getAs<StringAttr>("tokens") : StringAttr();
    for (BlockArgument argument : func.getArguments()) {
      unsigned i = argument.getArgNumber();
      if (!name || func.getArgAttr(i, nameAttrName) != name)
        continue;
      auto dims = func.getArgAttrOfType<DimsAttr>(i, dimsAttrName);
      if (dims && dims.getDims().size() == 2)
        return dims.getDims()[1].getSymbol().value_or("");
    }
    return func.emitError("does not say which input holds its tokens");
  }

  /// Of one token the logits are those of the last one.
  static void dropSequence(func::FuncOp func) {
    auto ret = cast<func::ReturnOp>(func.getBody().front().getTerminator());
    ShapeAnalysis shapes;
    Value logits = ret.getOperand(0);
    DimShape dims = shapes.shapeOf(logits);
    dims.erase(dims.begin() + 1);
    OpBuilder b(ret);
    logits = buildReshape(b, logits.getLoc(), logits, dims, shapes);
    ret.getOperandsMutable().assign(logits);
    func.setType(b.getFunctionType(func.getBody().front().getArgumentTypes(),
                                   logits.getType()));
    func.setResultAttr(0, dimsAttrName, DimsAttr::get(b.getContext(), dims));
  }
};

} // namespace
