//===- Values.h - values of a program as polynomials ------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dialects/Ingot/IR/DimExpr.h"
#include "dialects/Ingot/IR/IngotOps.h"
#include "dialects/Mega/IR/MegaOps.h"
#include "lib/Prove/Terms.h"

namespace ingot::prove {

/// A tile at hand, or the worker outside of all tiles: two of different tags
/// are any two. A witness is a tile of which its user says which it is.
struct Tile {
  mega::TilesOp tiles;
  std::string tag;
  bool isWitness = false;
};

/// Reads index arithmetic. What it does not know is an unknown of its own.
class Values {
public:
  Values(mega::ProgramOp program, Terms &terms);

  Poly valueOf(OpFoldResult value, const Tile &tile);
  /// An expression whose symbols mean what `resolve` says, if it says so, and
  /// dims of the model otherwise.
  using Resolve = llvm::function_ref<std::optional<Poly>(StringRef symbol)>;
  Poly valueOf(const DimExpr &expr, Resolve resolve = nullptr);
  /// A condition. Of one that is none over indices nothing is known but that
  /// it is the same wherever the value is.
  Formula conditionOf(Value value, const Tile &tile);
  /// The extents of a buffer.
  SmallVector<Poly> shapeOf(Value memref, const Tile &tile);

  /// The number of the tile along a dim, which times the step is its origin.
  Poly numberOf(const Tile &tile, unsigned dim);
  Poly extentOf(const Tile &tile, unsigned dim);
  Poly stepOf(const Tile &tile, unsigned dim);

  /// Which worker runs a tile of this tag, and of how many.
  Poly workerOf(StringRef tag);
  Poly workers();

  /// That the runtime finds a dim in its range.
  Formula rangeOf(DimOp dim);

  /// Takes for known from now on which conditions hold.
  void assume(llvm::DenseMap<Value, bool> conditions);
  /// Whether a condition holds of which that is assumed.
  bool holds(Value condition) const { return assumed.lookup(condition); }

  /// Takes a value for known, in tiles of one tag or in all.
  void define(Value value, const Poly &poly, StringRef tag = "*");
  /// Takes a value for another one.
  void alias(Value value, Value other) { aliases[value] = other; }
  /// Takes the number of workers for known.
  void setWorkers(int64_t count) { knownWorkers = count; }

  /// Whether `value` is not the same for all workers.
  bool dependsOnWorker(Value value);
  /// What an argument of the program is.
  StringRef roleOf(Value argument);

  Terms &terms;

private:
  Poly compute(Value value, const Tile &tile);
  Poly fromArith(Operation *op, const Tile &tile);
  std::optional<Formula> compareOf(Operation *op, const Tile &tile);
  Poly dimOf(StringRef name, DimOp symbol);
  Poly fromAffine(AffineExpr expr, ArrayRef<Poly> dims, ArrayRef<Poly> symbols);
  SmallVector<Poly> fromMap(AffineMap map, ValueRange operands,
                            const Tile &tile);
  Poly opaque(Value value, const Tile &tile);
  Poly truncatedDiv(const Poly &a, const Poly &b, Value value,
                    const Tile &tile);
  Poly extentOfArgument(BlockArgument arg, int64_t dim);

  mega::ProgramOp program;
  std::map<std::pair<void *, std::string>, Poly> known;
  /// Of what was told, not computed.
  std::map<std::pair<void *, std::string>, Poly> defined;
  llvm::DenseMap<Value, Value> aliases;
  std::optional<int64_t> knownWorkers;
  llvm::DenseMap<Value, bool> assumed;
  llvm::DenseMap<Value, unsigned> opaqueNumbers;
  llvm::DenseMap<Value, bool> workerDependence;
};

} // namespace ingot::prove
