//===- InputRoles.cpp - tokens and positions among inputs -----------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "lib/Transforms/Decoder/InputRoles.h"

#include "lib/Transforms/Decoder/Origin.h"

using namespace mlir;
using namespace ingot;

namespace {

/// What becomes of an input's elements.
struct Fate {
  /// Rows of the tables that they choose from.
  llvm::SmallVector<int64_t> tables;
  /// They become angles of a rotation.
  bool rotates = false;
  /// An op that makes something else of them.
  Operation *other = nullptr;
};

/// The number of rows of a table that is chosen from along its first dim.
std::optional<int64_t> rowsOf(Value table) {
  auto type = cast<RankedTensorType>(table.getType());
  if (type.getRank() < 1 || type.isDynamicDim(0))
    return std::nullopt;
  return type.getDimSize(0);
}

/// Whether `op` keeps a number or multiplies it by one of the model's.
bool keepsMeaning(Operation *op) {
  if (isa<ReshapeOp, TransposeOp, BroadcastToOp, CastOp, ConcatOp, SliceOp,
          tensor::CastOp>(op))
    return true;
  return isa<MulOp, DivOp>(op) && llvm::any_of(op->getOperands(), [](Value v) {
           return isa_and_nonnull<ConstantOp, WeightRefOp>(v.getDefiningOp());
         });
}

/// Whether `op` compares an element with one of the model's numbers, or joins
/// the outcomes of such comparisons.
bool judges(Operation *op) {
  if (isa<AndOp, OrOp, NotOp>(op))
    return true;
  return isa<LessOp, LessEqualOp, GreaterOp, GreaterEqualOp, EqualOp>(op) &&
         llvm::any_of(op->getOperands(), [](Value v) {
           return isa_and_nonnull<ConstantOp>(v.getDefiningOp());
         });
}

/// Whether `use` chooses between the features of each token as a whole.
bool choosesRows(OpOperand &use) {
  auto condition = cast<RankedTensorType>(use.get().getType());
  return use.getOperandNumber() == 0 && condition.getRank() > 0 &&
         condition.getShape().back() == 1;
}

/// Follows the elements of `value` to what they are used for. Multiplied by
/// frequencies they are matrices at times, when heads share them.
Fate follow(Value value) {
  Fate fate;
  SmallVector<Value> worklist = {value};
  llvm::SmallDenseSet<Value> seen;
  while (!worklist.empty()) {
    Value current = worklist.pop_back_val();
    if (!seen.insert(current).second)
      continue;
    for (OpOperand &use : current.getUses()) {
      Operation *op = use.getOwner();
      std::optional<int64_t> rows;
      if (auto embedding = dyn_cast<EmbeddingOp>(op))
        rows = use.getOperandNumber() == 1 ? rowsOf(embedding.getTable())
                                           : std::nullopt;
      else if (auto gather = dyn_cast<GatherOp>(op))
        rows = use.getOperandNumber() == 1 && gather.getAxis() == 0
                   ? rowsOf(gather.getX())
                   : std::nullopt;
      if (rows)
        fate.tables.push_back(*rows);
      else if (isa<CosOp, SinOp>(op))
        fate.rotates = true;
      else if (isa<WhereOp>(op) && choosesRows(use))
        continue;
      else if (keepsMeaning(op) || judges(op) ||
               isa<MatmulOp, LinearOp, WhereOp>(op))
        llvm::append_range(worklist, op->getResults());
      else if (!isa<tensor::DimOp>(op))
        fate.other = op;
    }
  }
  return fate;
}

/// An input whose meaning has to be found.
struct Candidate {
  BlockArgument input;
  Fate fate;
};

} // namespace

bool ingot::dependsOnTokens(Value value, ShapeAnalysis &shapes,
                            const Decoder &decoder,
                            llvm::SmallDenseSet<Value> &others) {
  llvm::StringSet<> ofTokens;
  decoder.past.collectSymbols(ofTokens);
  decoder.seq.collectSymbols(ofTokens);
  auto countTokens = [&](ArrayRef<DimExpr> dims) {
    return llvm::any_of(dims, [&](const DimExpr &dim) {
      llvm::StringSet<> names;
      dim.collectSymbols(names);
      return llvm::any_of(names.keys(), [&](StringRef name) {
        return ofTokens.contains(name);
      });
    });
  };
  auto hasTokens = [&](BlockArgument input) {
    const DimShape dims = shapes.shapeOf(input);
    return (decoder.seq.isConstant() &&
            dims == DimShape{decoder.rows, decoder.seq}) ||
           countTokens(dims);
  };
  // Numbers and extents may be written into an op.
  auto namesTokens = [&](Operation *op) {
    return llvm::any_of(op->getAttrDictionary(), [&](NamedAttribute attr) {
      auto dims = dyn_cast<DimsAttr>(attr.getValue());
      return dims && countTokens(dims.getDims());
    });
  };
  Origin origin(value);
  if (llvm::any_of(origin.ops, namesTokens) ||
      llvm::any_of(origin.inputs, hasTokens))
    return true;
  others.insert_range(origin.inputs);
  return false;
}

int64_t ingot::rowsOfTables(Value value) {
  Fate fate = follow(value);
  return fate.tables.empty() ? 0 : *llvm::min_element(fate.tables);
}

LogicalResult ingot::assignInputRoles(func::FuncOp func, ShapeAnalysis &shapes,
                                      Decoder &decoder) {
  LogicalResult result = success();
  auto refuse = [&](BlockArgument input) {
    result = failure();
    return func.emitError("the cache cannot become state: input '")
           << inputName(input) << "' ";
  };
  Value logits =
      func.getBody().front().getTerminator()->getOperand(decoder.logits);
  int64_t vocabulary = *shapes.shapeOf(logits)[2].getConstant();
  SmallVector<Candidate> candidates;
  for (BlockArgument input : func.getArguments()) {
    bool known =
        llvm::any_of(decoder.tensors,
                     [&](auto &tensor) { return tensor.past == input; }) ||
        llvm::any_of(decoder.masks,
                     [&](auto &mask) { return mask.first == input; });
    known |= input == decoder.lengthInput ||
             llvm::is_contained(decoder.boundInputs, input);
    if (known || input.use_empty())
      continue;
    const DimShape shape = shapes.shapeOf(input);
    if (!isa<IntegerType>(elementTypeOf(input))) {
      refuse(input) << "is neither tokens nor positions nor a mask nor a past "
                       "that is extended";
      continue;
    }
    if (shape.size() != 2 || shape[0] != decoder.rows ||
        shape[1] != decoder.seq) {
      refuse(input) << "is no mask of keys that is understood, and has not the "
                       "dims of tokens and positions";
      continue;
    }
    Fate fate = follow(input);
    if (fate.other || (fate.tables.empty() && !fate.rotates)) {
      auto diagnostic = refuse(input);
      diagnostic << "is used in ways that tokens and positions are not";
      if (fate.other)
        diagnostic.attachNote(fate.other->getLoc()) << "used here";
      continue;
    }
    candidates.push_back({input, std::move(fate)});
  }
  if (failed(result))
    return result;

  // Tokens choose from tables alone; if several inputs do, from one with a row
  // for every logit.
  SmallVector<Candidate *> lookups, rotations, vocabularies;
  for (Candidate &candidate : candidates) {
    if (candidate.fate.rotates) {
      rotations.push_back(&candidate);
      continue;
    }
    lookups.push_back(&candidate);
    if (llvm::is_contained(candidate.fate.tables, vocabulary))
      vocabularies.push_back(&candidate);
  }
  auto namesOf = [](ArrayRef<Candidate *> list) {
    return llvm::join(
        llvm::map_range(list,
                        [](Candidate *candidate) {
                          return "'" + inputName(candidate->input) + "'";
                        }),
        ", ");
  };
  Candidate *tokens = lookups.size() == 1        ? lookups.front()
                      : vocabularies.size() == 1 ? vocabularies.front()
                                                 : nullptr;
  if (!tokens)
    return func.emitError("the cache cannot become state: which input holds "
                          "the tokens is not clear")
           << (lookups.empty() ? ": none chooses from a table"
                               : ": " + namesOf(lookups));
  llvm::erase(lookups, tokens);
  // Without rotations a second table is one of positions; with them it would
  // be of something else.
  if (lookups.size() > 1 || (!lookups.empty() && !rotations.empty()))
    return func.emitError("the cache cannot become state: which input holds "
                          "the positions is not clear: ")
           << namesOf(lookups)
           << (rotations.empty() ? "" : ", " + namesOf(rotations));
  decoder.tokens = tokens->input;
  decoder.positionsAreLookups = !lookups.empty();
  for (Candidate *candidate : llvm::concat<Candidate *>(lookups, rotations))
    decoder.positions.push_back(candidate->input);
  return success();
}
