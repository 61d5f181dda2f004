//===- BufferTable.cpp - which stage touches which buffer -----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Conversion/MegaToCpu/BufferTable.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace ingot {

/// The value that an access of `buffer` goes back to.
static Value rootOf(Value buffer) {
  while (Operation *op = buffer.getDefiningOp()) {
    if (isa<memref::ViewOp, mega::ScratchOp>(op))
      return buffer;
    auto view = dyn_cast<ViewLikeOpInterface>(op);
    if (!view)
      return {};
    buffer = view.getViewSource();
  }
  return buffer;
}

/// The value of an index that is known before the program runs. A buffer that
/// each worker may have for itself stands where it is when they share it.
std::optional<DimExpr> BufferTable::sizeOf(Value value) {
  auto ofSelect = [&](Value other) -> std::optional<DimExpr> {
    if (auto select = other.getDefiningOp<arith::SelectOp>())
      return sizeOf(select.getFalseValue());
    return std::nullopt;
  };
  return shapes.indexValue(value, ofSelect);
}

DictionaryAttr BufferTable::descriptionOf(Value buffer) {
  Builder b(program.getContext());
  NamedAttrList attrs;
  if (auto argument = dyn_cast<BlockArgument>(buffer)) {
    unsigned number = argument.getArgNumber();
    auto role = program.getArgAttrOfType<StringAttr>(number, "ingot.role");
    if (argument.getOwner() != &program.getProgram() || !role ||
        (role != "input" && role != "output"))
      return {};
    auto name = program.getArgAttrOfType<StringAttr>(number, nameAttrName);
    attrs.set("name", name ? name : b.getStringAttr(role.getValue()));
    return attrs.getDictionary(program.getContext());
  }
  Operation *op = buffer.getDefiningOp();
  if (!op->getAttr("ingot.buffer"))
    return {};
  auto view = dyn_cast<memref::ViewOp>(op);
  auto scratch = dyn_cast<mega::ScratchOp>(op);
  auto type = cast<MemRefType>(buffer.getType());
  Type element = type.getElementType();
  std::optional<DimExpr> bytes = DimExpr::constant(llvm::divideCeil(
      element.isIndex() ? 64 : element.getIntOrFloatBitWidth(), 8));
  for (int64_t dim : type.getShape())
    if (!ShapedType::isDynamic(dim))
      bytes = *bytes * DimExpr::constant(dim);
  for (Value size : view ? view.getSizes() : scratch.getSizes()) {
    std::optional<DimExpr> extent = sizeOf(size);
    bytes = bytes && extent ? std::optional(*bytes * *extent) : std::nullopt;
  }
  std::optional<DimExpr> offset =
      sizeOf(view ? view.getByteShift() : scratch.getOffset());
  if (bytes)
    attrs.set("bytes", b.getStringAttr(bytes->str()));
  if (offset)
    attrs.set("offset", b.getStringAttr(offset->str()));
  if (scratch && scratch.getEach())
    attrs.set("each", b.getUnitAttr());
  return attrs.getDictionary(program.getContext());
}

std::optional<int64_t> BufferTable::numberOf(Value buffer) {
  Value root = rootOf(buffer);
  if (!root)
    return std::nullopt;
  auto known = table.find(root);
  if (known == table.end()) {
    DictionaryAttr description = descriptionOf(root);
    if (!description)
      return std::nullopt;
    known = table.insert({root, description}).first;
  }
  return known - table.begin();
}

void BufferTable::describe(mega::TilesOp tiles, NamedAttrList &stage) {
  llvm::SmallSetVector<int64_t, 4> reads, writes;
  tiles.walk([&](mega::AccessOp access) {
    std::optional<int64_t> number = numberOf(access.getSource());
    if (number && access.mayRead())
      reads.insert(*number);
    if (number && access.mayWrite())
      writes.insert(*number);
  });
  Builder b(program.getContext());
  stage.set("reads", b.getDenseI64ArrayAttr(reads.getArrayRef()));
  stage.set("writes", b.getDenseI64ArrayAttr(writes.getArrayRef()));
}

ArrayAttr BufferTable::buffers() {
  SmallVector<Attribute> all;
  for (const auto &[buffer, description] : table)
    all.push_back(description);
  return ArrayAttr::get(program.getContext(), all);
}

} // namespace ingot
