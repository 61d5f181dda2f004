//===- StageInfo.cpp - what a stage holds and costs -----------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Transforms/StageInfo.h"

#include "dialects/Ingot/IR/IngotOps.h"
#include "ingot/Interfaces/TileHintInterface.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace ingot {

namespace {

/// Nodes that are named in full; the rest is counted.
constexpr size_t maxNames = 4;

void collectNames(Location loc, llvm::SetVector<StringAttr> &names) {
  if (auto name = dyn_cast<NameLoc>(loc))
    names.insert(name.getName());
  else if (auto fused = dyn_cast<FusedLoc>(loc))
    for (Location part : fused.getLocations())
      collectNames(part, names);
  else if (auto call = dyn_cast<CallSiteLoc>(loc))
    collectNames(call.getCallee(), names);
}

/// What people call the op: a generic is named after its arithmetic.
std::string nameOf(Operation *op) {
  auto generic = dyn_cast<linalg::GenericOp>(op);
  if (!generic)
    return op->getName().stripDialect().str();
  llvm::SetVector<StringRef> names;
  for (Operation &inner : generic.getBody()->without_terminator())
    if (!inner.hasTrait<OpTrait::ConstantLike>())
      names.insert(inner.getName().stripDialect());
  if (names.empty())
    return "move";
  SmallVector<StringRef> kept(names.begin(), names.end());
  if (kept.size() > maxNames)
    kept.resize(maxNames);
  return (generic.getNumReductionLoops() ? "reduce(" : "map(") +
         llvm::join(kept, ",") + ")";
}

} // namespace

StageInfo::StageInfo(func::FuncOp func) {
  auto addResults = [&](Block &block) {
    for (Operation &op : block)
      for (Value result : op.getResults())
        if (isa<RankedTensorType>(result.getType()))
          shapes.shapeOf(result);
  };
  addResults(func.getBody().front());
  for (auto loop : func.getBody().front().getOps<scf::ForOp>())
    addResults(*loop.getBody());
}

DimExpr StageInfo::flopsOf(Operation *op) {
  auto shapesOf = [&](ValueRange values) {
    SmallVector<DimShape> result;
    for (Value value : values)
      result.push_back(isa<RankedTensorType>(value.getType())
                           ? shapes.shapeOf(value)
                           : DimShape());
    return result;
  };
  if (auto cost = dyn_cast<CostInterface>(op))
    return cost.getFlops(shapesOf(op->getOperands()),
                         shapesOf(op->getResults()));
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (!linalgOp)
    return {};
  int64_t perElement = 0;
  for (Operation &inner : linalgOp.getBlock()->without_terminator())
    if (isa<arith::ArithDialect, math::MathDialect>(inner.getDialect()) &&
        !inner.hasTrait<OpTrait::ConstantLike>())
      ++perElement;
  DimExpr count = DimExpr::constant(perElement);
  SmallVector<bool> seen(linalgOp.getNumLoops(), false);
  for (OpOperand &operand : linalgOp->getOpOperands()) {
    if (!isa<RankedTensorType>(operand.get().getType()))
      continue;
    const DimShape shape = shapes.shapeOf(operand.get());
    AffineMap map = linalgOp.getMatchingIndexingMap(&operand);
    for (auto [position, expr] : llvm::enumerate(map.getResults())) {
      auto loop = dyn_cast<AffineDimExpr>(expr);
      if (!loop || seen[loop.getPosition()])
        continue;
      seen[loop.getPosition()] = true;
      count = count * shape[position];
    }
  }
  return count;
}

DimExpr StageInfo::bytesOf(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || value.getDefiningOp<tensor::EmptyOp>())
    return {};
  Type element = type.getElementType();
  int64_t bits = element.isIndex() ? 64 : element.getIntOrFloatBitWidth();
  return product(shapes.shapeOf(value)) *
         DimExpr::constant(llvm::divideCeil(bits, 8));
}

Location StageInfo::locationOf(const llvm::SetVector<Operation *> &members) {
  MLIRContext *context = members.front()->getContext();
  llvm::SetVector<StringAttr> nodes;
  SmallVector<std::string> ops;
  SmallVector<Location> locations;
  DimExpr flops, bytes;
  llvm::SmallDenseSet<Value> counted;
  // Producers joined after the root: reading order is the reverse.
  for (Operation *op : llvm::reverse(members)) {
    locations.push_back(op->getLoc());
    collectNames(op->getLoc(), nodes);
    std::string name = nameOf(op);
    if (name != "fill")
      ops.push_back(name);
    flops = flops + flopsOf(op);
    for (Value operand : op->getOperands())
      if (!members.contains(operand.getDefiningOp()) &&
          counted.insert(operand).second)
        bytes = bytes + bytesOf(operand);
  }
  for (Value result : members.front()->getResults())
    bytes = bytes + bytesOf(result);

  SmallVector<StringRef> names;
  for (StringAttr name : ArrayRef(nodes.getArrayRef()).take_front(maxNames))
    names.push_back(name);
  std::string nodeText = llvm::join(names, ", ");
  if (nodes.size() > maxNames)
    nodeText += " and " + std::to_string(nodes.size() - maxNames) + " more";
  Builder b(context);
  SmallVector<Attribute> tiles;
  for (Operation *op : llvm::reverse(members))
    if (Attribute tile = op->getAttr(tileAttrName))
      tiles.push_back(tile);
  DictionaryAttr description = b.getDictionaryAttr(
      {b.getNamedAttr("cut", b.getArrayAttr(tiles)),
       b.getNamedAttr("bytes", b.getStringAttr(bytes.str())),
       b.getNamedAttr("flops", b.getStringAttr(flops.str())),
       b.getNamedAttr("nodes", b.getStringAttr(nodeText)),
       b.getNamedAttr("ops", b.getStringAttr(llvm::join(ops, " + ")))});
  return FusedLoc::get(context, locations, description);
}

DictionaryAttr StageInfo::of(Location loc) {
  if (auto fused = dyn_cast<FusedLoc>(loc))
    return dyn_cast_or_null<DictionaryAttr>(fused.getMetadata());
  return {};
}

} // namespace ingot
