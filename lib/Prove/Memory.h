//===- Memory.h - which elements a view is of -------------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "lib/Prove/Values.h"

namespace ingot::prove {

/// What is planned as one piece of memory.
struct Buffer {
  enum class Kind {
    /// An argument of the program: no two share a byte.
    Argument,
    /// A view of the arena that every worker has.
    Arena,
    /// A view of the arena of one worker's own, in a tile.
    Scratch,
    /// Such a view that stays from stage to stage: of as many buffers as there
    /// are workers, the worker's at hand.
    Own,
    /// A tile's stack, or a constant.
    Private,
    /// A decoder's state.
    Cache
  };
  Kind kind;
  /// The argument, the view or the allocation.
  Value value;
  SmallVector<Poly> shape;
  /// Of the arena: where it begins and how much it takes, in bytes.
  Poly offset, bytes;

  bool isInArena() const {
    return kind == Kind::Arena || kind == Kind::Scratch || kind == Kind::Own;
  }
};

/// A box of elements of a buffer.
struct Part {
  Buffer buffer;
  /// The extents that the coordinates are counted in, of as many elements as
  /// the buffer has: a reshape of it has other ones.
  SmallVector<Poly> shape;
  SmallVector<Poly> offsets, sizes, strides;
  /// The dim of `shape` that a dim of the view goes along; none if it has one
  /// element.
  SmallVector<std::optional<unsigned>> dims;
  /// False if the view is of a part of these elements that is no box.
  bool isExact = true;
  /// What has to hold for views on the way to be inside of what they are of,
  /// where the box does not show it.
  std::vector<Formula> needs;

  bool isWhole() const;
  /// The last index along a dim.
  Poly lastOf(unsigned dim) const;
  /// That the element at `position` is of the part.
  Formula contains(ArrayRef<Poly> position) const;
  /// That every element of `other` is of the part.
  Formula covers(const Part &other) const;
  /// That `position` is one of the buffer's.
  static Formula isInside(ArrayRef<Poly> position, ArrayRef<Poly> shape);
};

/// Whether the two are one and the same piece of memory.
bool isSameBuffer(const Buffer &a, const Buffer &b);

/// Follows views to what they are of.
class Memory {
public:
  explicit Memory(Values &values) : values(values) {}

  /// Nothing if some op on the way is not understood.
  std::optional<Part> partOf(Value memref, const Tile &tile);
  /// Of what an op does to a cache: tokens of all rows, heads, and keys or
  /// values.
  std::optional<Part> cachePartOf(Operation *op, const Tile &tile);

  /// How a buffer is called in diagnostics.
  std::string nameOf(const Buffer &buffer);

private:
  Part wholeOf(Buffer buffer);
  Buffer inArena(Buffer::Kind kind, Value view, Value offset, const Tile &tile);
  /// Of a weight that is a view of the bytes of its family.
  Part ofWeights(memref::ViewOp view, const Tile &tile);
  Part cut(Part source, Value view, ArrayRef<OpFoldResult> offsets,
           ArrayRef<OpFoldResult> sizes, ArrayRef<OpFoldResult> strides,
           const Tile &tile);
  Part reshaped(Part source, Value result,
                ArrayRef<ReassociationIndices> groups, bool isExpand,
                const Tile &tile);

  Values &values;
};

} // namespace ingot::prove
