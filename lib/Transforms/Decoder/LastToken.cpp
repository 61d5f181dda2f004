//===- LastToken.cpp - compute for each row's last token alone ------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Of the logits only those of a row's last token are wanted, and of what they
// are computed from only that token's part, back to where tokens mix or where
// all of them are wanted for a cache. An op that works token by token is cloned
// for sequences of one token; what it reads of ops that stay as they are is
// chosen from all tokens.
//
//===----------------------------------------------------------------------===//
#include "ingot/Transforms/Decoder.h"
#include "lib/Transforms/Decoder/DecoderModel.h"
#include "lib/Transforms/Recognition/Matchers.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace ingot;

namespace {

/// Where the tokens of a tensor are: dim `dim` is the sequence, or other dims
/// merged with it. In row-major order there are `outer` sequences.
struct TokenDim {
  size_t dim = 0;
  DimExpr outer;
};

class LastTokenBuilder {
public:
  LastTokenBuilder(func::FuncOp func, Value past, Value count,
                   const Decoder &decoder)
      : body(func.getBody().front()), decoder(decoder) {
    OpBuilder b(func.getContext());
    b.setInsertionPointAfterValue(count);
    Location loc = NameLoc::get(b.getStringAttr(countInputName), func.getLoc());
    Type i64 = b.getI64Type();
    Value one = buildScalar(b, loc, 1, i64), zero = buildScalar(b, loc, 0, i64);
    Value last = MaxOp::create(b, loc, SubOp::create(b, loc, count, one), zero);
    lastPast = AddOp::create(b, loc, past, last);
    lastCount = MinOp::create(b, loc, count, one);
    DimExpr unit = DimExpr::constant(1);
    lastIndex = buildReshape(b, loc, last, {decoder.rows, unit, unit}, shapes);
  }

  Value run(Value logits) {
    // Shapes are asked before anything changes.
    for (Operation &op : body)
      for (Value value : op.getResults())
        if (isa<RankedTensorType>(value.getType()))
          shapes.shapeOf(value);
    llvm::SmallPtrSet<Operation *, 32> wanted, whole;
    addCone(logits, wanted);
    for (Operation &op : body) {
      bool appends = isa<KvAppendOp>(op);
      if (!appends && !(wanted.contains(&op) && !isTokenwise(&op)))
        continue;
      for (Value operand : op.getOperands())
        addCone(operand, whole);
      if (!appends)
        whole.insert(&op);
    }
    SmallVector<Operation *> order;
    for (Operation &op : body)
      if (wanted.contains(&op) && !whole.contains(&op))
        order.push_back(&op);
    for (Operation *op : order)
      if (hasTokens(op) && canClone(op))
        clone(op);
    Value result = lastOf(logits, body.getTerminator());
    return result;
  }

private:
  /// The ops that `value` is computed from; sizes are nobody's content.
  void addCone(Value value, llvm::SmallPtrSet<Operation *, 32> &cone) {
    SmallVector<Value> worklist = {value};
    while (!worklist.empty()) {
      Operation *op = worklist.pop_back_val().getDefiningOp();
      if (op && !isa<tensor::EmptyOp>(op) && cone.insert(op).second)
        llvm::append_range(worklist, op->getOperands());
    }
  }

  bool isSequence(const DimExpr &expr) const {
    llvm::StringSet<> names;
    expr.collectSymbols(names);
    return names.contains(*decoder.seq.getSymbol());
  }

  bool hasTokens(Value value) {
    return isa<RankedTensorType>(value.getType()) &&
           llvm::any_of(shapes.shapeOf(value),
                        [&](const DimExpr &dim) { return isSequence(dim); });
  }
  bool hasTokens(Operation *op) {
    return op->getNumResults() == 1 && hasTokens(op->getResult(0));
  }

  /// Empty if tokens are not in one dim.
  std::optional<TokenDim> tokensOf(Value value) {
    std::optional<TokenDim> found;
    DimExpr outer = DimExpr::constant(1);
    for (auto [i, dim] : llvm::enumerate(shapes.shapeOf(value))) {
      if (isSequence(dim)) {
        std::optional<DimExpr> merged = dim.dividedBy(decoder.seq);
        if (found || !merged || isSequence(*merged))
          return std::nullopt;
        found = TokenDim{i, outer * *merged};
      }
      outer = outer * dim;
    }
    return found;
  }

  /// Whether each token of the result follows from the same token of the
  /// operands.
  bool isTokenwise(Operation *op) {
    if (op->getNumResults() != 1)
      return false;
    Value result = op->getResult(0);
    if (!hasTokens(result))
      return llvm::none_of(op->getOperands(),
                           [&](Value operand) { return hasTokens(operand); });
    std::optional<TokenDim> to = tokensOf(result);
    if (!to)
      return false;
    const size_t rank = shapes.shapeOf(result).size();
    SmallVector<std::optional<TokenDim>> from;
    for (Value operand : op->getOperands()) {
      from.push_back(std::nullopt);
      if (!hasTokens(operand) || operand.getDefiningOp<tensor::EmptyOp>())
        continue;
      from.back() = tokensOf(operand);
      if (!from.back())
        return false;
    }
    // Operand `i` has its tokens as far from the end as the result has.
    auto isAligned = [&](size_t i) {
      return !from[i] ||
             shapes.shapeOf(op->getOperand(i)).size() - from[i]->dim ==
                 rank - to->dim;
    };
    auto allAligned = [&] {
      return llvm::all_of(llvm::seq<size_t>(0, from.size()), isAligned);
    };
    if (op->hasTrait<Elementwise>() || isa<BroadcastToOp, tensor::CastOp>(op))
      return allAligned();
    return llvm::TypeSwitch<Operation *, bool>(op)
        .Case([&](ReshapeOp) { return from[0] && from[0]->outer == to->outer; })
        .Case([&](TransposeOp) { return true; })
        .Case([&](SliceOp slice) {
          // Rows of a table are no tokens.
          if (!from[0])
            return false;
          size_t dim = from[0]->dim;
          return slice.getStarts().getDims()[dim].isConstant(0) &&
                 slice.getSteps()[dim] == 1 &&
                 shapes.shapeOf(slice.getX())[dim] ==
                     slice.getSizes().getDims()[dim];
        })
        .Case([&](RopeOp) { return allAligned() && to->dim + 1 < rank; })
        .Case([&](ConcatOp concat) {
          return allAligned() && concat.getAxis() != to->dim;
        })
        .Case<LinearOp, LayerNormOp, RmsNormOp>([&](auto) {
          // The weights and what follows them have no tokens.
          return from[0] && isAligned(0) && to->dim + 1 < rank &&
                 llvm::none_of(ArrayRef(from).drop_front(),
                               [](auto &tokens) { return bool(tokens); });
        })
        .Case([&](SoftmaxOp softmax) {
          return isAligned(0) && softmax.getAxis() != to->dim;
        })
        .Case([&](ReduceOp reduce) {
          return from[0] &&
                 !llvm::is_contained(reduce.getAxes(),
                                     static_cast<int64_t>(from[0]->dim)) &&
                 from[0]->outer == to->outer;
        })
        .Case([&](EmbeddingOp) { return !from[0] && from[1]; })
        .Case([&](PagedAttentionOp) { return from[0] && from[0]->dim == 1; })
        .Default(false);
  }

  /// Whether every operand can be had for the last token.
  bool canClone(Operation *op) {
    return llvm::all_of(op->getOperands(), [&](Value operand) {
      return !hasTokens(operand) || operand.getDefiningOp<tensor::EmptyOp>() ||
             map.contains(operand) || canChoose(operand);
    });
  }

  /// Whether the last token of each row can be chosen from `value`.
  bool canChoose(Value value) {
    std::optional<TokenDim> tokens = tokensOf(value);
    return tokens && shapes.shapeOf(value).size() >= 2 &&
           (tokens->dim == 0
                ? tokens->outer == decoder.rows
                : shapes.shapeOf(value)[0] == decoder.rows &&
                      shapes.shapeOf(value)[tokens->dim] == decoder.seq);
  }

  /// `value` for the last token alone, before `user`.
  Value lastOf(Value value, Operation *user) {
    if (!hasTokens(value))
      return value;
    if (Value known = map.lookupOrNull(value))
      return known;
    OpBuilder b(value.getContext());
    b.setInsertionPointAfterValue(isa<BlockArgument>(value) ? lastIndex
                                                            : value);
    Value chosen = choose(b, value);
    map.map(value, chosen);
    return chosen;
  }

  Value choose(OpBuilder &b, Value value) {
    Location loc = lastIndex.getLoc();
    TokenDim tokens = *tokensOf(value);
    const DimShape shape = shapes.shapeOf(value);
    Value x = value;
    SmallVector<int64_t> back = llvm::to_vector(
        llvm::seq<int64_t>(0, static_cast<int64_t>(shape.size())));
    if (tokens.dim == 0) {
      DimShape split = {decoder.rows, decoder.seq};
      split.append(shape.begin() + 1, shape.end());
      x = buildReshape(b, loc, x, split, shapes);
    } else {
      std::rotate(back.begin() + 1, back.begin() + tokens.dim,
                  back.begin() + tokens.dim + 1);
      x = buildTranspose(b, loc, x, back);
    }
    x = GatherNdOp::create(b, loc, x, lastIndex, /*batch_dims=*/1);
    if (tokens.dim == 0) {
      DimShape merged = {decoder.rows};
      merged.append(shape.begin() + 1, shape.end());
      return buildReshape(b, loc, x, merged, shapes);
    }
    SmallVector<int64_t> inverse(back.size());
    for (auto [i, dim] : llvm::enumerate(back))
      inverse[dim] = i;
    return buildTranspose(b, loc, x, inverse);
  }

  DimExpr shortened(const DimExpr &expr) const {
    std::string seq = *decoder.seq.getSymbol();
    return expr.substitute([&](StringRef name) -> std::optional<DimExpr> {
      return name == seq ? std::optional(DimExpr::constant(1)) : std::nullopt;
    });
  }

  /// Clones a token-by-token op for sequences of one token.
  void clone(Operation *op) {
    Value result = op->getResult(0);
    DimShape dims;
    for (const DimExpr &dim : shapes.shapeOf(result))
      dims.push_back(shortened(dim));
    RankedTensorType type = tensorOf(dims, elementTypeOf(result));
    OpBuilder b(op);
    IRMapping operands;
    for (Value operand : op->getOperands()) {
      if (operands.contains(operand))
        continue;
      if (!operand.getDefiningOp<tensor::EmptyOp>()) {
        operands.map(operand, lastOf(operand, op));
        continue;
      }
      SmallVector<Value> sizes;
      for (auto [dim, extent] : llvm::zip_equal(dims, type.getShape()))
        if (ShapedType::isDynamic(extent))
          sizes.push_back(SizeOp::create(b, op->getLoc(), dim));
      operands.map(operand,
                   tensor::EmptyOp::create(b, op->getLoc(), type, sizes));
    }
    Operation *copy = b.clone(*op, operands);
    for (NamedAttribute attr : op->getAttrs())
      if (auto given = dyn_cast<DimsAttr>(attr.getValue())) {
        DimShape changed = given.getDims();
        for (DimExpr &dim : changed)
          dim = shortened(dim);
        copy->setAttr(attr.getName(), DimsAttr::get(op->getContext(), changed));
      }
    copy->getResult(0).setType(type);
    if (auto attention = dyn_cast<PagedAttentionOp>(copy)) {
      if (!attention.getCache().getType().getBound())
        attention.getPastMutable().assign(lastPast);
      attention.getCountMutable().assign(lastCount);
    }
    map.map(result, copy->getResult(0));
  }

  Block &body;
  const Decoder &decoder;
  ShapeAnalysis shapes;
  IRMapping map;
  Value lastPast, lastCount, lastIndex;
};

} // namespace

Value ingot::takeLastToken(func::FuncOp func, Value logits, Value past,
                           Value count, const Decoder &decoder) {
  return LastTokenBuilder(func, past, count, decoder).run(logits);
}
