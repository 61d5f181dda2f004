//===- Memory.cpp - which elements a view is of ---------------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Prove/Memory.h"

#include "dialects/Ingot/IR/IngotOps.h"
#include "ingot/Analysis/ShapeAnalysis.h"

using namespace mlir;
using namespace ingot;
using namespace ingot::prove;

//===----------------------------------------------------------------------===//
// Regions
//===----------------------------------------------------------------------===//

bool Part::isWhole() const {
  if (!isExact)
    return false;
  for (unsigned dim = 0; dim < shape.size(); ++dim)
    if (!(offsets[dim] == Poly(0)) || !(sizes[dim] == shape[dim]) ||
        !(strides[dim] == Poly(1)))
      return false;
  return true;
}

Poly Part::lastOf(unsigned dim) const {
  return offsets[dim] + (sizes[dim] - 1) * strides[dim];
}

Formula Part::contains(ArrayRef<Poly> position) const {
  std::vector<Formula> parts;
  for (unsigned dim = 0; dim < shape.size(); ++dim) {
    // With a stride, the elements between are counted too.
    parts.push_back(atLeast(position[dim], offsets[dim]));
    parts.push_back(atLeast(lastOf(dim), position[dim]));
  }
  return Formula::all(parts);
}

Formula Part::covers(const Part &other) const {
  if (!isExact || shape != other.shape)
    return Formula::any({});
  std::vector<Formula> parts;
  for (unsigned dim = 0; dim < shape.size(); ++dim) {
    parts.push_back(equal(strides[dim], 1));
    parts.push_back(atLeast(other.offsets[dim], offsets[dim]));
    parts.push_back(atLeast(lastOf(dim), other.lastOf(dim)));
  }
  return Formula::all(parts);
}

Formula Part::isInside(ArrayRef<Poly> position, ArrayRef<Poly> shape) {
  std::vector<Formula> parts;
  for (auto [at, extent] : llvm::zip_equal(position, shape)) {
    parts.push_back(atLeast(at, 0));
    parts.push_back(lessThan(at, extent));
  }
  return Formula::all(parts);
}

bool ingot::prove::isSameBuffer(const Buffer &a, const Buffer &b) {
  if (a.value == b.value)
    return true;
  // Each buffer has a number, where memory was planned; what takes the place of
  // another has another one.
  auto numberOf = [](const Buffer &buffer) {
    return buffer.value.getDefiningOp()->getAttr("ingot.buffer");
  };
  return a.kind == Buffer::Kind::Arena && b.kind == Buffer::Kind::Arena &&
         numberOf(a) == numberOf(b) && a.offset == b.offset &&
         a.shape == b.shape &&
         cast<MemRefType>(a.value.getType()).getElementType() ==
             cast<MemRefType>(b.value.getType()).getElementType();
}

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

Part Memory::wholeOf(Buffer buffer) {
  Part part;
  part.shape = buffer.shape;
  part.sizes = buffer.shape;
  part.offsets.assign(part.shape.size(), 0);
  part.strides.assign(part.shape.size(), 1);
  for (unsigned dim = 0; dim < part.shape.size(); ++dim)
    part.dims.push_back(dim);
  part.buffer = std::move(buffer);
  return part;
}

static int64_t bytesOfElement(Type type) {
  return type.isIndex() ? 8 : llvm::divideCeil(type.getIntOrFloatBitWidth(), 8);
}

Buffer Memory::inArena(Buffer::Kind kind, Value view, Value offset,
                       const Tile &tile) {
  Buffer buffer{kind, view, values.shapeOf(view, tile), 0, 0};
  buffer.offset = values.valueOf(offset, tile);
  buffer.bytes =
      bytesOfElement(cast<MemRefType>(view.getType()).getElementType());
  for (const Poly &extent : buffer.shape)
    buffer.bytes = buffer.bytes * extent;
  return buffer;
}

Part Memory::ofWeights(memref::ViewOp view, const Tile &tile) {
  Buffer buffer =
      inArena(Buffer::Kind::Argument, view, view.getByteShift(), tile);
  // Nobody writes weights, so that those of a family need not be told apart.
  buffer.value = view.getSource();
  Poly begin = buffer.offset, end = begin + buffer.bytes;
  Part part = wholeOf(std::move(buffer));
  part.needs.push_back(atLeast(begin, 0));
  part.needs.push_back(
      atLeast(values.shapeOf(view.getSource(), tile).front(), end));
  return part;
}

std::optional<Part> Memory::partOf(Value memref, const Tile &tile) {
  if (isa<BlockArgument>(memref)) {
    if (values.roleOf(memref).empty() || values.roleOf(memref) == "arena")
      return std::nullopt;
    return wholeOf(
        {Buffer::Kind::Argument, memref, values.shapeOf(memref, tile), 0, 0});
  }
  Operation *op = memref.getDefiningOp();
  // What is on a worker's stack outlives no tile.
  auto isOnStack = [&](Value value) {
    mega::TilesOp tiles = tile.tiles;
    return value.getDefiningOp<memref::AllocaOp>() &&
           (!tiles || tiles.isInside(value));
  };
  if (isOnStack(memref) || isa<memref::GetGlobalOp>(op))
    return wholeOf(
        {Buffer::Kind::Private, memref, values.shapeOf(memref, tile), 0, 0});
  if (auto view = dyn_cast<memref::ViewOp>(op)) {
    if (values.roleOf(view.getSource()) == "arena")
      return wholeOf(
          inArena(Buffer::Kind::Arena, view, view.getByteShift(), tile));
    if (values.roleOf(view.getSource()) == "weight")
      return ofWeights(view, tile);
    if (isOnStack(view.getSource()))
      return wholeOf({Buffer::Kind::Private, view.getSource(),
                      values.shapeOf(view, tile), 0, 0});
    return std::nullopt;
  }
  if (auto scratch = dyn_cast<mega::ScratchOp>(op)) {
    if (values.roleOf(scratch.getArena()) != "arena")
      return std::nullopt;
    Buffer::Kind kind = !scratch.getEach() ? Buffer::Kind::Scratch
                        : values.holds(scratch.getEach()) ? Buffer::Kind::Own
                                                          : Buffer::Kind::Arena;
    return wholeOf(inArena(kind, scratch, scratch.getOffset(), tile));
  }
  if (auto cast = dyn_cast<memref::CastOp>(op))
    return partOf(cast.getSource(), tile);
  if (!isa<mega::AccessOp, memref::SubViewOp, memref::ExpandShapeOp,
           memref::CollapseShapeOp>(op))
    return std::nullopt;

  std::optional<Part> source = partOf(op->getOperand(0), tile);
  if (!source)
    return std::nullopt;
  if (auto access = dyn_cast<mega::AccessOp>(op)) {
    if (access.isWhole())
      return source;
    return cut(*source, memref, access.getMixedOffsets(),
               access.getMixedSizes(), access.getMixedStrides(), tile);
  }
  if (auto view = dyn_cast<memref::SubViewOp>(op))
    return cut(*source, memref, view.getMixedOffsets(), view.getMixedSizes(),
               view.getMixedStrides(), tile);
  if (auto expand = dyn_cast<memref::ExpandShapeOp>(op))
    return reshaped(*source, memref, expand.getReassociationIndices(), true,
                    tile);
  auto collapse = llvm::cast<memref::CollapseShapeOp>(op);
  return reshaped(*source, memref, collapse.getReassociationIndices(), false,
                  tile);
}

Part Memory::cut(Part source, Value view, ArrayRef<OpFoldResult> offsets,
                 ArrayRef<OpFoldResult> sizes, ArrayRef<OpFoldResult> strides,
                 const Tile &tile) {
  auto type = cast<MemRefType>(view.getType());
  if (!source.isExact) {
    // It stands for all that it is of; the part is inside of that.
    SmallVector<Poly> shape =
        values.shapeOf(view.getDefiningOp()->getOperand(0), tile);
    for (unsigned dim = 0; dim < sizes.size(); ++dim) {
      Poly offset = values.valueOf(offsets[dim], tile);
      Poly size = values.valueOf(sizes[dim], tile);
      Poly last = offset + (size - 1) * values.valueOf(strides[dim], tile);
      source.needs.push_back(atLeast(offset, 0));
      source.needs.push_back(lessThan(last, shape[dim]));
    }
    return source;
  }
  SmallVector<int64_t> whole;
  for (OpFoldResult size : sizes)
    whole.push_back(getConstantIntValue(size).value_or(ShapedType::kDynamic));
  auto dropped = computeRankReductionMask(whole, type.getShape());
  Part part = source;
  part.dims.clear();
  for (unsigned dim = 0; dim < sizes.size(); ++dim) {
    std::optional<unsigned> along = source.dims[dim];
    if (!dropped || !dropped->contains(dim))
      part.dims.push_back(along);
    if (!along) {
      // Of a single element there is no part but it.
      part.needs.push_back(equal(values.valueOf(offsets[dim], tile), 0));
      part.needs.push_back(equal(values.valueOf(sizes[dim], tile), 1));
      continue;
    }
    part.offsets[*along] =
        source.offsets[*along] +
        source.strides[*along] * values.valueOf(offsets[dim], tile);
    part.sizes[*along] = values.valueOf(sizes[dim], tile);
    part.strides[*along] =
        source.strides[*along] * values.valueOf(strides[dim], tile);
  }
  return part;
}

Part Memory::reshaped(Part source, Value result,
                      ArrayRef<ReassociationIndices> groups, bool isExpand,
                      const Tile &tile) {
  if (source.isWhole()) {
    Buffer reshaped = source.buffer;
    reshaped.shape = values.shapeOf(result, tile);
    Part whole = wholeOf(reshaped);
    whole.buffer = source.buffer;
    whole.needs = source.needs;
    return whole;
  }
  // Otherwise dims of one element come and go, all others stay.
  SmallVector<Poly> wide =
      isExpand ? values.shapeOf(result, tile)
               : values.shapeOf(result.getDefiningOp()->getOperand(0), tile);
  SmallVector<std::optional<unsigned>> dims;
  for (auto [narrow, group] : llvm::enumerate(groups)) {
    SmallVector<int64_t> large;
    for (int64_t dim : group)
      if (!(wide[dim] == Poly(1)))
        large.push_back(dim);
    if (large.size() > 1) {
      source.isExact = false;
      return source;
    }
    if (!isExpand) {
      dims.push_back(large.empty() ? std::nullopt : source.dims[large[0]]);
      continue;
    }
    for (int64_t dim : group) {
      bool isLarge = !large.empty() && large[0] == dim;
      dims.push_back(isLarge ? source.dims[narrow] : std::nullopt);
    }
  }
  source.dims = dims;
  return source;
}

//===----------------------------------------------------------------------===//
// Caches
//===----------------------------------------------------------------------===//

std::optional<Part> Memory::cachePartOf(Operation *op, const Tile &tile) {
  Value cache;
  for (Value operand : op->getOperands())
    if (isa<CacheType>(operand.getType()))
      cache = operand;
  if (!cache)
    return std::nullopt;
  int64_t heads = cast<CacheType>(cache.getType()).getHeads();
  Poly head = 0;
  while (auto part = cache.getDefiningOp<CachePartOp>()) {
    head = head + values.valueOf(part.getHead(), tile);
    cache = part.getCache();
  }
  if (values.roleOf(cache) != "cache")
    return std::nullopt;
  auto extent = [&](const std::string &name) {
    return values.terms.make(name, name, false, [](const Poly &atom) {
      return std::vector<Formula>{atLeast(atom, 0)};
    });
  };
  constexpr int64_t sides = 2;
  Poly tokens = extent("tokens of a cache");
  Part part = wholeOf(
      {Buffer::Kind::Cache,
       cache,
       {tokens, int64_t(cast<CacheType>(cache.getType()).getHeads()), sides},
       0,
       0});
  part.offsets[1] = head;
  part.sizes[1] = heads;
  if (auto store = dyn_cast<CacheStoreOp>(op)) {
    // Every token of every row of the batch has a place of its own.
    SmallVector<Poly> shape = values.shapeOf(store.getX(), tile);
    part.offsets = {values.valueOf(store.getFirst(), tile), head,
                    int64_t(store.getSide())};
    part.sizes = {shape[0], shape[1], 1};
  }
  return part;
}

std::string Memory::nameOf(const Buffer &buffer) {
  auto arg = dyn_cast<BlockArgument>(buffer.value);
  if (!arg)
    return (buffer.kind == Buffer::Kind::Own
                ? "the worker's own buffer at byte "
                : "the buffer at byte ") +
           values.terms.text(buffer.offset) + " of the arena";
  auto program = cast<mega::ProgramOp>(arg.getOwner()->getParentOp());
  std::string role = values.roleOf(arg).str();
  if (auto name = program.getArgAttrOfType<StringAttr>(arg.getArgNumber(),
                                                       nameAttrName))
    return role + " '" + name.getValue().str() + "'";
  return role + " argument " + std::to_string(arg.getArgNumber());
}
