//===- Dealing.h - which worker runs which tile -----------------*- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "lib/Prove/Cases.h"
#include "lib/Prove/Solver.h"
#include "lib/Prove/Steps.h"
#include "lib/Prove/Values.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace ingot::prove {

/// Ops between the stages that are the same in both programs carry one number.
constexpr llvm::StringLiteral sameAttrName = "ingot.prove.same";

/// Compares a program of stages with what became of it: each index space is a
/// call of a function with a loop over numbers of tiles, whose bounds and step
/// the worker computes.
class Dealing {
public:
  /// For a number of workers, or for any.
  Dealing(mega::ProgramOp before, mega::ProgramOp after,
          std::optional<int64_t> count, Answers &answers);

  /// What is wrong, at which op; nothing if each tile is run once.
  struct Problem {
    Operation *op;
    std::string text;
  };
  std::optional<Problem> check();

  unsigned spaces = 0;
  unsigned numQueries() const { return solver.numQueries(); }

private:
  /// An index space and the loop that runs a worker's share of it.
  struct Space {
    mega::TilesOp tiles;
    func::CallOp call;
    scf::ForOp loop;
    /// Does what a tile does once it has waited; null if the loop does it.
    func::CallOp work;
    /// Calls of one function are told apart by it.
    std::string tag;
    SmallVector<Poly> counts;
    Poly all = 1;
  };
  /// Bounds and step of the loop, for a worker.
  struct Share {
    Poly first, end, step;
  };

  /// A step and what became of its index spaces.
  struct Dealt {
    Step step;
    SmallVector<Space> spaces;
  };
  /// Who runs what some step writes for each worker apart: whoever runs one of
  /// these spaces, or everyone.
  using Readers = std::optional<SmallVector<const Space *>>;

  std::optional<Problem> find(const Step &step, ArrayRef<func::CallOp> calls);
  std::optional<Problem> checkStep(const Dealt &dealt);
  std::optional<Problem> checkStep(const Dealt &dealt, const Case &known,
                                   bool isEach);
  std::optional<Problem> checkSpace(const Space &space, bool isEach,
                                    const Readers &readers);
  Readers readersOf(const Dealt &dealt);
  bool isRunByReaders(const Share &share, const Space &space,
                      const Readers &readers, std::vector<Formula> facts);

  //===--------------------------------------------------------------------===//
  // Arrivals
  //===--------------------------------------------------------------------===//

  std::optional<Problem> checkMeetings();
  std::optional<Problem> checkMeeting(mega::BarrierOp barrier);
  std::optional<Problem> checkOutside(Operation *op);
  /// The barriers behind `op`, up to one at which workers always wait.
  static SmallVector<mega::BarrierOp> meetingsBehind(Operation *op);
  /// Whether so many workers, those of the first numbers, are waited for at the
  /// first of these where anyone waits, in the case at hand.
  bool areAwaited(ArrayRef<mega::BarrierOp> meetings, const Poly &many,
                  ArrayRef<Formula> facts);

  /// What checks have found to hold where `op` of the second program is.
  std::vector<Formula> factsAt(Operation *op);
  std::optional<Problem> checkOrigins(const Space &space);
  /// The numbers that the tile counts at and waits for, each as it is written
  /// and as its loop computes it; false if its loop has other ops.
  bool collectCounting(const Space &space, const Tile &tile,
                       SmallVectorImpl<std::pair<Poly, Poly>> &pairs);
  /// Takes what a function is called with for its arguments.
  void enter(func::CallOp call, const std::string &tag);
  /// The number of a tile, whose numbers along the dims are its digits.
  struct Digits {
    Poly number;
    /// By dim: the digit, and the number that those before it make.
    SmallVector<Poly> own, before;
    std::vector<Formula> facts;
  };
  Digits digitsOf(const Space &space, const Tile &tile);
  /// Takes a loop to be at the tile, and what it divides the number by for what
  /// that is shown to give.
  void enterLoop(scf::ForOp loop, const Space &space, const Digits &digits,
                 const std::string &tag);
  /// The same of the tile's work, which has to be of no other tile.
  std::optional<Problem> enterWork(const Space &space, const Digits &digits,
                                   const std::string &tag);
  /// For the worker of a number; by `kind` the tags of several are told apart.
  Share shareOf(const Space &space, const std::string &kind,
                const Poly &worker);
  /// Conditions of choices on the way to what a space is called with, where
  /// those of `known` hold or not.
  void collectChoices(const Space &space, const Case &known,
                      llvm::SetVector<Value> &conditions);
  void collectChoices(Value value, const Case &known,
                      llvm::SetVector<Value> &conditions,
                      llvm::SmallPtrSetImpl<Operation *> &seen);

  bool proves(ArrayRef<Formula> facts, const Formula &goal) {
    return bool(solver.prove(facts, goal));
  }

  mega::ProgramOp before, after;
  std::vector<Dealt> all;
  Terms terms;
  Values values;
  Solver solver;
  Value workerArgument;
  /// Values of the first program, as values of the second.
  llvm::DenseMap<Value, Value> same;
};

} // namespace ingot::prove
