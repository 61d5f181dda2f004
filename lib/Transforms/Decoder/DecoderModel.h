//===- DecoderModel.h - what a decoder's inputs and outputs mean *- C++ -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dialects/Ingot/IR/IngotOps.h"
#include "ingot/Analysis/ShapeAnalysis.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <map>
#include <optional>
#include <string>

namespace ingot {

/// Keys or values that an input brings along and an output gives back with
/// those of the new tokens behind them.
struct CacheTensor {
  mlir::BlockArgument past;
  /// The op that extends it.
  mlir::Operation *extension = nullptr;
  /// Where each row's new tokens are written, if that is data; null if they
  /// follow the past's last position.
  mlir::Value lengths;
  /// The dim of positions.
  int64_t axis = 0;
  /// What is appended.
  mlir::Value added;
  /// The results that the extended tensor is.
  llvm::SmallVector<unsigned> results;
};

/// The tensors of a function that are extended and returned.
llvm::SmallVector<CacheTensor> findCacheTensors(mlir::func::FuncOp func);

/// Whether keys reached by a transpose are batch x positions x heads x depth.
struct CacheView {
  unsigned tensor = 0; // index of a CacheTensor
  llvm::SmallVector<int64_t> permutation;
  /// Whether there are more positions behind the last one, which hold nothing.
  bool isFilledUp = false;
  bool operator==(const CacheView &other) const {
    return tensor == other.tensor && permutation == other.permutation;
  }
};

/// Keys and values that attentions read together.
struct DecoderCache {
  /// The views of keys and values; several where the model keeps the same
  /// keys and values more than once.
  llvm::SmallVector<std::pair<CacheView, CacheView>> views;
  /// In the order of the program.
  llvm::SmallVector<AttentionOp> readers;
  /// Positions to keep, 0 for all.
  int64_t window = 0;
};

/// Rows of a table of numbers for each head, chosen by the distance between a
/// query and a key.
struct RelativeBias {
  /// R x heads, made of weights.
  mlir::Value table;
  /// By distance; the last one is for all greater distances as well.
  llvm::SmallVector<int64_t> rows;
};

/// How one attention sees its cache.
struct DecoderAttention {
  unsigned cache = 0;
  int64_t window = 0;
  /// What is added to its scores.
  std::optional<RelativeBias> bias;
};

/// Keys and values that depend on no token, such as those of an encoder.
struct BoundCache {
  /// Batch x positions x heads x depth.
  mlir::Value keys, values;
  llvm::SmallVector<AttentionOp> readers;
};

/// A decoder taken apart.
struct Decoder {
  llvm::SmallVector<CacheTensor> tensors;
  llvm::SmallVector<DecoderCache> caches;
  llvm::DenseMap<mlir::Operation *, DecoderAttention> attentions;
  llvm::SmallVector<BoundCache> boundCaches;
  /// What they are computed from, in the order of the inputs, and how many
  /// positions they have.
  llvm::SmallVector<mlir::BlockArgument> boundInputs;
  DimExpr boundLength;
  mlir::BlockArgument tokens;
  llvm::SmallVector<mlir::BlockArgument> positions;
  /// Whether positions are told from tokens by their table alone.
  bool positionsAreLookups = false;
  /// Of each row, how many positions are cached, where the model has it as
  /// data; and the input of lengths that it comes from, if that is no mask.
  mlir::Value lengths;
  mlir::BlockArgument lengthInput;
  /// Masks, with the number that makes every key visible.
  llvm::SmallVector<std::pair<mlir::BlockArgument, int64_t>> masks;
  unsigned logits = 0;
  /// Other outputs; they depend on no token.
  llvm::SmallVector<unsigned> constantResults;
  /// The batch, and the lengths of what is new and of the past. Programs for
  /// one token a row have 1 for what is new.
  DimExpr rows, seq, past;
  /// Positions that a table of the model has; 0 for no limit.
  int64_t maxPositions = 0;
};

/// Takes a recognised decoder apart; reports every reason why it is none.
mlir::FailureOr<Decoder> findDecoder(mlir::func::FuncOp func,
                                     ShapeAnalysis &shapes);

/// Finds the input that the lengths of rows come from; false if they are not
/// the number of ones of a mask, or an input of last positions, less the new
/// tokens.
bool traceLengths(mlir::Value lengths, ShapeAnalysis &shapes, Decoder &decoder);

/// Notes that no sequence of a module's decoder has more positions than `most`.
void limitPositions(mlir::ModuleOp module, int64_t most);

/// Whether what `value` holds depends on tokens, on what was computed from
/// earlier ones, or on where they are. Adds the other inputs that it depends on
/// to `others`.
bool dependsOnTokens(mlir::Value value, ShapeAnalysis &shapes,
                     const Decoder &decoder,
                     llvm::SmallDenseSet<mlir::Value> &others);

/// Adds the function `bind`, which fills the bound caches of `func` from their
/// inputs. `caches` are the types of all caches, the bound ones last.
void addBindEntry(mlir::func::FuncOp func, const Decoder &decoder,
                  llvm::ArrayRef<CacheType> caches);

/// The name of a decoder's cache.
inline std::string cacheName(size_t index) {
  return "ingot.cache." + std::to_string(index);
}

/// What messages call an argument or a result.
std::string inputName(mlir::BlockArgument argument);
std::string outputName(mlir::func::FuncOp func, unsigned result);

/// `value` without casts between tensor types.
mlir::Value stripTensorCasts(mlir::Value value);

/// Gives every row its own positions where the program counts them from the
/// length of the past; `positions` makes them (rows x seq, i64). Returns the
/// tensors that took the place of such counts. What adds the number of a token
/// to `past` is such a count of rows already.
llvm::SmallVector<mlir::Value>
liftPositions(mlir::func::FuncOp func, const Decoder &decoder, mlir::Value past,
              llvm::function_ref<mlir::Value()> positions);

/// Gives a program the logits of each row's last real token alone: the value
/// `logits` (... seq ...) with `seq` = 1. What is not needed for all tokens is
/// computed for that one.
mlir::Value takeLastToken(mlir::func::FuncOp func, mlir::Value logits,
                          mlir::Value past, mlir::Value count,
                          const Decoder &decoder);

} // namespace ingot
