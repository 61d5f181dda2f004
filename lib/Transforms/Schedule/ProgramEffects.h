//===- ProgramEffects.h - what parts of a program do to memory --*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dialects/Mega/IR/MegaOps.h"
#include "llvm/ADT/SetVector.h"

namespace ingot {

/// What one or several ops of a program do to memory, all workers together.
class ProgramEffects {
public:
  ProgramEffects() = default;
  /// Of `op`, which stands in a program itself.
  explicit ProgramEffects(mlir::Operation *op);
  /// Of the tiles of a step, without what comes before and behind it.
  explicit ProgramEffects(const mega::StageStep &step);

  /// Adds those of `other`.
  void join(ProgramEffects other);

  /// Why something has to wait until all workers are done with something else.
  struct Order {
    /// It has to, whatever holds.
    bool isNeeded = false;
    /// It has to unless all of these hold.
    llvm::SetVector<mlir::Value> unless;

    explicit operator bool() const { return isNeeded || !unless.empty(); }
  };

  /// Whether `next` has to wait for these: one of the two writes what the other
  /// touches, or these check something. Buffers of which each worker has its
  /// own under a condition matter where it does not hold.
  Order orderBefore(const ProgramEffects &next) const;

  /// Accesses of these and of `next` for which that has to wait, where nothing
  /// but accesses of tiles is why. All buffers are each worker's own under
  /// `each`, or under no condition if that is null.
  using AccessPair = std::pair<mega::AccessOp, mega::AccessOp>;
  std::optional<mlir::SmallVector<AccessPair>>
  pairsBefore(const ProgramEffects &next, mlir::Value each) const;

  /// Forgets what buffers that are each worker's own under one of `conditions`
  /// were used for.
  void dropEach(const llvm::SetVector<mlir::Value> &conditions);

  bool isEmpty() const { return accesses.empty() && !hasCheck && !hasUnknown; }

private:
  /// A buffer or state that is read or written.
  struct Access {
    /// The value, and everything that it is a view of.
    mlir::SmallVector<mlir::Value> views;
    bool isWrite;
    /// Which part of what the value stands for.
    mlir::SideEffects::Resource *resource;
    /// Of a tile; null for none.
    mega::AccessOp inTile = {};

    bool conflicts(const Access &other) const;
    /// The condition under which each worker has its own; null for never.
    mlir::Value each() const;
  };

  void addEffects(mlir::Operation *op,
                  llvm::function_ref<bool(mlir::Value)> isKnown);
  void add(mlir::Value value, bool isWrite,
           mlir::SideEffects::Resource *resource =
               mlir::SideEffects::DefaultResource::get(),
           mega::AccessOp inTile = {});

  mlir::SmallVector<Access> accesses;
  /// Later stages may rely on a check that nothing in memory tells of.
  bool hasCheck = false;
  /// Something touches memory without saying which.
  bool hasUnknown = false;
};

} // namespace ingot
