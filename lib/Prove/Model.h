//===- Model.h - what a program does, as checkers see it --------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "lib/Prove/Bounds.h"
#include "lib/Prove/Cases.h"
#include "lib/Prove/Memory.h"
#include "lib/Prove/Solver.h"
#include "lib/Prove/Steps.h"

namespace ingot::mega {
class CallOp;
class SingleOp;
} // namespace ingot::mega

namespace ingot::prove {

/// Something that reads or writes memory that others may touch.
struct Access {
  Operation *op;
  /// What is touched; null where it is the cache that `op` names.
  Value memref;
  /// Every tile of these; null where every worker does it.
  mega::TilesOp tiles;
  /// The stage's number, counted from 1, and its prologue's; or 0 for none.
  unsigned stage, prologue;
  /// How many barriers come before at which workers wait.
  unsigned interval;
  bool reads, writes;
  /// Whether each worker runs every one of the tiles.
  bool isEach = false;
  /// Without tiles: whether worker 0 does it alone, or a called program does.
  bool isSingle = false, isCall = false;
  /// Whether it counts, or looks at counts, at once with others that do.
  bool isCounting = false;
};

/// A program and what can be asked of it. Checkers share it, so that none asks
/// for what another one has found.
class Model {
public:
  explicit Model(mega::ProgramOp program);

  /// Calls `check` for each way that conditions of stages and barriers can
  /// turn out, with what the program does then. An error if `check` fails, if
  /// some op is not understood or if no sizes are possible at all.
  LogicalResult forEachCase(llvm::function_ref<LogicalResult()> check);

  /// What `access` touches for `tile`.
  const Part &partOf(const Access &access, const Tile &tile);
  Tile tileOf(const Access &access, StringRef tag, bool isWitness = false) {
    return {access.tiles, tag.str(), isWitness};
  }

  /// What the checks before `op` have found to hold.
  std::vector<Formula> factsAt(Operation *op);
  std::vector<Formula> factsAt(const Access &access) {
    return factsAt(access.op);
  }

  /// The op of a tile that writes all of what `access` is of before another
  /// uses it; null if there is none.
  Operation *firstWriter(const Access &access);
  /// Whether an op of the tile writes all of what `access` is of.
  bool isWrittenEntirely(const Access &access);

  /// Whether `poly` is shown not to be negative, part by part.
  bool isNonNegative(const Poly &poly);
  /// Whether one is shown to lie behind the other in the arena, part by part.
  bool areInOrder(const Buffer &a, const Buffer &b);

  /// Whether the bytes of two buffers in the arena are apart.
  const Outcome &areApart(const Buffer &a, const Buffer &b);

  /// Whether what `writes` write, all tiles of each, is all of `target`, or all
  /// of its buffer if `isWhole`.
  Outcome cover(ArrayRef<const Access *> writes, const Part &target,
                bool isWhole);

  /// A phrase for diagnostics: the stage and what it does.
  std::string describe(const Access &access);
  /// A phrase for remarks: how much was asked since forEachCase was called.
  std::string describeWork() const;
  /// How the program is called: with its module, where that has a name.
  std::string name();

  mega::ProgramOp program;
  Terms terms;
  Values values;
  Memory memory;
  Solver solver;
  Bounds bounds;
  /// In the order of the program, in the case at hand.
  std::vector<Access> accesses;

private:
  /// Collects what the program does; an error where some op is not understood.
  LogicalResult collect();
  /// Whether sizes were found for which all checks hold.
  bool mayHappen();
  bool isShown(const Poly &poly);
  bool isShareNonNegative(const Poly &poly);
  LogicalResult addTiles(const Step &step, mega::TilesOp tiles);
  LogicalResult addCall(mega::CallOp op);
  LogicalResult addSingle(mega::SingleOp op);
  LogicalResult addOutside(Operation *op);
  LogicalResult add(Access access);
  /// What part of the goal "some write covers the element" the one is.
  std::optional<Formula> covering(const Access &write, unsigned number,
                                  ArrayRef<Poly> position, ArrayRef<Poly> shape,
                                  std::vector<Formula> &facts);

  /// Once they have been found, they stay.
  std::optional<std::vector<Case>> cases;
  bool isPossible = false;
  unsigned queriesBefore = 0;
  unsigned interval = 0;
  /// Conditions that are checked outside of stages.
  std::vector<std::pair<Operation *, Formula>> checks;
  std::map<std::pair<void *, void *>, Outcome> apart;
  /// By op, memory and the tile's tag.
  std::map<std::tuple<void *, void *, std::string>, Part> parts;
};

/// That the operands of each op in a tile fit together: as far as its loops go
/// in one, there is something in the others. An error where they do not, or
/// where it is not known what an op needs.
LogicalResult checkOperands(Model &model);

/// An error at `a` about the two, with a note at `b` and the outcome.
LogicalResult reportPair(Model &model, const Access &a, const Access &b,
                         StringRef problem, const Outcome &outcome);

/// Adds the outcome and the program to an error.
void attach(Model &model, InFlightDiagnostic &diagnostic,
            const Outcome &outcome);

/// An error at `access`, with the outcome.
LogicalResult report(Model &model, const Access &access, StringRef problem,
                     const Outcome &outcome);

} // namespace ingot::prove
