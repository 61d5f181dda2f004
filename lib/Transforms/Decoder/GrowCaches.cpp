//===- GrowCaches.cpp - caches of fixed extent become ones that grow ------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/ShapeSupport.h"
#include "ingot/Transforms/Decoder.h"
#include "lib/Transforms/Decoder/BufferWrites.h"
#include "lib/Transforms/Decoder/DecoderModel.h"
#include "lib/Transforms/Decoder/Origin.h"
#include "lib/Transforms/Recognition/DimRewriting.h"
#include "lib/Transforms/Recognition/MaskAnalysis.h"
#include "lib/Transforms/Recognition/Matchers.h"

#include <limits>

namespace ingot {
#define GEN_PASS_DEF_GROWCACHES
#include "lib/Transforms/Decoder/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot;

namespace {

/// What is written to an input of four dims, and at which indices; the dims of
/// what is written that may be those of the new tokens.
struct ScatterParts {
  Value indices;
  DimShape tokens;
};

std::optional<ScatterParts> partsOf(Operation *op, ShapeAnalysis &shapes) {
  if (!isa<ScatterNdOp, ScatterElementsOp>(op))
    return std::nullopt;
  Value buffer = stripTensorCasts(op->getOperand(0));
  while (auto transpose = buffer.getDefiningOp<TransposeOp>())
    buffer = stripTensorCasts(transpose.getX());
  if (!isa<BlockArgument>(buffer) || rankOf(buffer) != 4)
    return std::nullopt;
  const DimShape updates = shapes.shapeOf(op->getOperand(2));
  ScatterParts parts = {op->getOperand(1), {}};
  if (auto elements = dyn_cast<ScatterElementsOp>(op)) {
    parts.tokens.push_back(updates[elements.getAxis()]);
    return parts;
  }
  size_t leading = shapes.shapeOf(parts.indices).size() - 1;
  const DimExpr rows = shapes.shapeOf(buffer)[0];
  for (const DimExpr &dim : ArrayRef(updates).take_front(leading))
    if (dim.getSymbol() && dim != rows)
      parts.tokens.push_back(dim);
  return parts;
}

/// The vectors of integers among inputs that `value` depends on.
SmallVector<BlockArgument> vectorsBehind(Value value) {
  SmallVector<BlockArgument> vectors;
  for (BlockArgument input : Origin(value).inputs)
    if (isa<IntegerType>(elementTypeOf(input)) && rankOf(input) == 1)
      vectors.push_back(input);
  return vectors;
}

/// Inputs of positions may have a name of their own for how many there are,
/// which is that of the new tokens: what is written says so.
void unifyLengths(func::FuncOp func) {
  ShapeAnalysis shapes;
  llvm::StringMap<DimExpr> meaning;
  for (Operation &op : func.getBody().front()) {
    std::optional<ScatterParts> parts = partsOf(&op, shapes);
    // Rotated keys may have as many as tokens and positions together say.
    if (!parts || parts->tokens.size() != 1 ||
        !(parts->tokens[0].getSymbol() || parts->tokens[0].isConstant(1)))
      continue;
    for (BlockArgument input : vectorsBehind(parts->indices)) {
      const DimExpr length = shapes.shapeOf(input)[0];
      bool isOwn = length.getSymbol() && length != parts->tokens[0] &&
                   llvm::none_of(func.getArguments(), [&](Value other) {
                     return other != input &&
                            isa<RankedTensorType>(other.getType()) &&
                            llvm::is_contained(shapes.shapeOf(other), length);
                   });
      if (isOwn)
        meaning.insert({*length.getSymbol(), parts->tokens[0]});
    }
  }
  if (meaning.empty())
    return;
  auto module = func->getParentOfType<ModuleOp>();
  replaceDims(module, [&](const DimExpr &dim) {
    return dim.substitute([&](StringRef name) -> std::optional<DimExpr> {
      auto found = meaning.find(name);
      return found == meaning.end() ? std::nullopt
                                    : std::optional(found->second);
    });
  });
  for (const auto &entry : meaning)
    if (Operation *dim = SymbolTable::lookupSymbolIn(module, entry.getKey()))
      dim->erase();
  refineTypes(func);
}

/// Rewrites one function.
class CacheGrower {
public:
  explicit CacheGrower(func::FuncOp func)
      : func(func), module(func->getParentOfType<ModuleOp>()) {}

  LogicalResult run() {
    SmallVector<BufferWrite> writes = findBufferWrites(func, shapes);
    if (writes.empty())
      return success();
    if (failed(check(writes)))
      return failure();
    SmallVector<BlockArgument> masks = findMasks();
    if (masks.size() > 1)
      return func.emitError("the cache cannot become state: inputs '")
             << inputName(masks[0]) << "' and '" << inputName(masks[1])
             << "' both say which keys a query sees: which one is causal is "
                "not clear";
    declarePast();
    SmallVector<BlockArgument> counts = findKeyCounts();
    llvm::SmallSetVector<BlockArgument, 2> places;
    for (const BufferWrite &write : writes)
      places.insert(write.places);
    for (BlockArgument input : places)
      replace(input, past, positionMeaning);
    for (BlockArgument input : counts)
      replace(input, past + tokens, "the row's past + its tokens");
    for (BlockArgument input : masks)
      replaceMask(input);
    for (const BufferWrite &write : writes)
      grow(write);
    finish();
    return success();
  }

private:
  InFlightDiagnostic refuse(const BufferWrite &write) {
    return write.op->emitError("the cache cannot become state: input '")
           << inputName(write.buffer) << "' ";
  }

  /// All buffers have one extent and are written for the same tokens.
  LogicalResult check(ArrayRef<BufferWrite> writes) {
    LogicalResult result = success();
    for (const BufferWrite &write : writes) {
      if (!write.places) {
        result = refuse(write) << write.problem;
        continue;
      }
      const DimShape buffer = shapes.shapeOf(write.buffer);
      const DimExpr &length = buffer[write.axis];
      DimExpr added = shapes.shapeOf(write.added)[addedAxis(write)];
      if (extent == DimExpr()) {
        extent = length;
        tokens = added;
        rows = buffer[0];
      }
      if (length != extent || added != tokens || buffer[0] != rows)
        result = refuse(write)
                 << "has a batch of " << buffer[0].str() << " and "
                 << length.str() << " positions, of which " << added.str()
                 << " are written; other inputs have " << rows.str() << ", "
                 << extent.str() << " and " << tokens.str();
      else if (llvm::any_of(write.buffer.getUsers(), [&](Operation *user) {
                 return !leadsTo(user, write.op);
               }))
        result = refuse(write) << "is read before it is written";
    }
    if (succeeded(result) &&
        (!(tokens.getSymbol() || tokens.isConstant(1)) || extent == tokens ||
         !(extent.getSymbol() || extent.isConstant())))
      result = refuse(writes.front())
               << "and what is written to it need lengths of their own, not "
               << extent.str() << " and " << tokens.str();
    return result;
  }

  /// Whether `op` is `write`, or a view that it alone reads.
  static bool leadsTo(Operation *op, Operation *write) {
    while (op != write && isa<TransposeOp, tensor::CastOp>(op)) {
      if (!op->hasOneUse())
        return false;
      op = *op->user_begin();
    }
    return op == write || isa<tensor::DimOp>(op);
  }

  static size_t addedAxis(const BufferWrite &write) {
    return llvm::find(write.view, write.axis) - write.view.begin();
  }

  OpBuilder atStart() {
    OpBuilder b(func.getContext());
    b.setInsertionPointToStart(&func.getBody().front());
    return b;
  }

  /// A symbol for the length of the past.
  void declarePast() {
    SymbolTable symbols(module);
    std::string name = "past";
    for (unsigned i = 0; symbols.lookup(name); ++i)
      name = "past_" + std::to_string(i);
    OpBuilder b(func);
    DimOp::create(b, func.getLoc(), name, /*min=*/0, /*max=*/IntegerAttr());
    past = DimExpr::symbol(name);
  }

  /// Uses numbers in place of an input of positions: `first` for a row, or one
  /// more for each token after its first one.
  void replace(BlockArgument input, const DimExpr &first, StringRef meaning) {
    OpBuilder b = atStart();
    Location loc = NameLoc::get(b.getStringAttr(inputName(input)));
    const DimShape dims = shapes.shapeOf(input);
    Type i64 = b.getI64Type(), type = elementTypeOf(input);
    DimShape own;
    for (const DimExpr &dim : dims)
      own.push_back(dim == tokens ? tokens : DimExpr::constant(1));
    Value value = FromDimsOp::create(b, loc, tensorOf({}, i64),
                                     DimsAttr::get(b.getContext(), {first}));
    if (llvm::is_contained(own, tokens))
      value = RangeOp::create(b, loc, value, buildScalar(b, loc, 1, i64),
                              DimsAttr::get(b.getContext(), {tokens}));
    if (type != i64)
      value = CastOp::create(b, loc, value, type);
    ShapeAnalysis now;
    value = buildReshape(b, loc, value, own, now);
    replace(b, input, value, meaning);
  }

  void replace(OpBuilder &b, BlockArgument input, Value value,
               StringRef meaning) {
    ShapeAnalysis now;
    const DimShape dims = shapes.shapeOf(input);
    if (now.shapeOf(value) != dims)
      value = BroadcastToOp::create(b, value.getLoc(), value,
                                    DimsAttr::get(b.getContext(), dims));
    if (value.getType() != input.getType())
      value = tensor::CastOp::create(b, value.getLoc(), input.getType(), value);
    input.replaceAllUsesWith(value);
    func.setArgAttr(input.getArgNumber(), meaningAttrName,
                    b.getStringAttr(meaning));
  }

  /// Whether `op` is a slice of everything, as models cut masks to the keys.
  bool keepsAll(Operation *op) {
    auto slice = dyn_cast<SliceOp>(op);
    return slice && shapes.sameShape(slice.getX(), op->getResult(0)) &&
           llvm::all_of(slice.getSteps(),
                        [](int64_t step) { return step == 1; });
  }

  /// Whether `value`, which has something for each query and key, is used for
  /// nothing but their scores.
  bool isForScores(Value value) {
    constexpr size_t maxSteps = 200;
    SmallVector<Value> worklist = {value};
    llvm::SmallDenseSet<Value> seen = {value};
    while (!worklist.empty()) {
      Value current = worklist.pop_back_val();
      const DimShape dims = shapes.shapeOf(current);
      if (dims.size() < 2 || dims.back() != extent ||
          dims[dims.size() - 2] != tokens || seen.size() > maxSteps)
        return false;
      for (Operation *user : current.getUsers()) {
        if (isa<SoftmaxOp, tensor::DimOp>(user))
          continue;
        if (!user->hasTrait<Elementwise>() &&
            !isa<ReshapeOp, BroadcastToOp, tensor::CastOp>(user) &&
            !keepsAll(user))
          return false;
        if (seen.insert(user->getResult(0)).second)
          worklist.push_back(user->getResult(0));
      }
    }
    return true;
  }

  /// Inputs with a number or truth for each query and key.
  SmallVector<BlockArgument> findMasks() {
    SmallVector<BlockArgument> masks;
    for (BlockArgument input : func.getArguments()) {
      if (!isa<RankedTensorType>(input.getType()) || input.use_empty())
        continue;
      const DimShape dims = shapes.shapeOf(input);
      if (dims.size() < 2 || dims.size() > 4 || dims.back() != extent ||
          dims[dims.size() - 2] != tokens ||
          llvm::any_of(ArrayRef(dims).drop_back(2), [&](const DimExpr &dim) {
            return dim != rows && !dim.isConstant(1);
          }))
        continue;
      if (isForScores(input))
        masks.push_back(input);
    }
    return masks;
  }

  /// Uses what a causal decoder is given as its mask: token s of the new ones
  /// sees the keys up to past + s. As truths and ones that is where it sees, as
  /// a number to be added what hides the others.
  void replaceMask(BlockArgument input) {
    OpBuilder b = atStart();
    Location loc = NameLoc::get(b.getStringAttr(inputName(input)));
    Type i64 = b.getI64Type(), type = elementTypeOf(input);
    auto numbers = [&](const DimExpr &first, const DimExpr &count) -> Value {
      Value start = FromDimsOp::create(b, loc, tensorOf({}, i64),
                                       DimsAttr::get(b.getContext(), {first}));
      return RangeOp::create(b, loc, start, buildScalar(b, loc, 1, i64),
                             DimsAttr::get(b.getContext(), {count}));
    };
    ShapeAnalysis now;
    DimExpr one = DimExpr::constant(1);
    DimShape dims(shapes.shapeOf(input).size(), one), row = dims, column = dims;
    row.back() = extent;
    column[column.size() - 2] = tokens;
    Value keys = buildReshape(b, loc, numbers(DimExpr(), extent), row, now),
          queries = buildReshape(b, loc, numbers(past, tokens), column, now);
    Value value = LessEqualOp::create(b, loc, keys, queries);
    if (isa<FloatType>(type)) {
      double lowest = -std::numeric_limits<double>::infinity();
      value = WhereOp::create(b, loc, value, buildScalar(b, loc, 0, type),
                              buildScalar(b, loc, lowest, type));
    } else if (elementTypeOf(value) != type) {
      value = CastOp::create(b, loc, value, type);
    }
    replace(b, input, value, "the keys up to the token's own");
  }

  /// Inputs with a number for each row that are compared with the numbers of
  /// the buffer's positions and used for nothing else: how many of them count.
  SmallVector<BlockArgument> findKeyCounts() {
    SmallVector<BlockArgument> counts;
    for (BlockArgument input : func.getArguments()) {
      auto type = dyn_cast<RankedTensorType>(input.getType());
      if (type && isa<IntegerType>(type.getElementType()) &&
          !type.getElementType().isInteger(1) && !input.use_empty() &&
          shapes.shapeOf(input) == DimShape{rows} && boundsKeys(input))
        counts.push_back(input);
    }
    return counts;
  }

  bool boundsKeys(Value value) {
    return llvm::all_of(value.getUsers(), [&](Operation *user) {
      if (isa<ReshapeOp, CastOp, BroadcastToOp, tensor::CastOp>(user))
        return boundsKeys(user->getResult(0));
      if (auto less = dyn_cast<LessOp>(user))
        return less.getB() == value && numbersKeys(less.getA());
      if (auto greater = dyn_cast<GreaterOp>(user))
        return greater.getA() == value && numbersKeys(greater.getB());
      return false;
    });
  }

  /// Whether the elements of `value`, of which one dim is that of the buffer's
  /// positions, are their numbers.
  bool numbersKeys(Value value) {
    DimShape dims = shapes.shapeOf(value);
    if (product(dims) != extent || dims.size() > 4)
      return false;
    DimExpr one = DimExpr::constant(1);
    MaskAnalysis analysis(shapes, {one, one, one, extent});
    DimExpr key = DimExpr::symbol(nameOf(MaskAxis::Key));
    SmallVector<DimExpr> index;
    for (const DimExpr &dim : dims)
      index.push_back(dim == extent ? key : DimExpr());
    MaskElement element = analysis.elementAt(value, index);
    return element.kind == MaskElement::Kind::Integer && element.number == key;
  }

  /// Appends instead of writing. Who reads the whole buffer finds it filled up
  /// with what no query sees.
  void grow(const BufferWrite &write) {
    OpBuilder b(write.op);
    Location loc = write.op->getLoc();
    DimShape dims = shapes.shapeOf(write.buffer);
    Type element = elementTypeOf(write.buffer);
    dims[write.axis] = past;
    BlockArgument buffer = write.buffer;
    buffer.setType(tensorOf(dims, element));
    func.setArgAttr(buffer.getArgNumber(), dimsAttrName,
                    DimsAttr::get(b.getContext(), dims));
    SmallVector<int64_t> inverse(4);
    for (auto [i, dim] : llvm::enumerate(write.view))
      inverse[dim] = static_cast<int64_t>(i);
    Value added = buildTranspose(b, loc, write.added, inverse);
    Value grown = ConcatOp::create(b, loc, ValueRange{buffer, added},
                                   b.getI64IntegerAttr(write.axis));
    dims[write.axis] = past + tokens;
    Operation *ret = func.getBody().front().getTerminator();
    for (unsigned result : write.results) {
      ret->setOperand(result, grown);
      if (func.getResultAttr(result, dimsAttrName))
        func.setResultAttr(result, dimsAttrName,
                           DimsAttr::get(b.getContext(), dims));
    }
    Value whole = grown;
    if (extent.isConstant()) {
      DimShape low(4), high(4);
      high[write.axis] = extent - past - tokens;
      whole = PadOp::create(b, loc, grown, /*value=*/Value(),
                            DimsAttr::get(b.getContext(), low),
                            DimsAttr::get(b.getContext(), high));
      dims[write.axis] = extent;
      whole.setType(tensorOf(dims, element));
    }
    whole = buildTranspose(b, loc, whole, write.view);
    Value old = write.op->getResult(0);
    if (whole.getType() != old.getType())
      whole = tensor::CastOp::create(b, loc, old.getType(), whole);
    old.replaceAllUsesWith(whole);
    write.op->erase();
  }

  /// The extent is what a symbol for it says, or a limit.
  void finish() {
    Operation *ret = func.getBody().front().getTerminator();
    func.setType(FunctionType::get(func.getContext(),
                                   func.getBody().front().getArgumentTypes(),
                                   ret->getOperandTypes()));
    if (std::optional<int64_t> most = extent.getConstant()) {
      limitPositions(module, *most);
      return;
    }
    std::string symbol = *extent.getSymbol();
    replaceDims(module, [&](const DimExpr &dim) {
      return dim.substitute([&](StringRef name) -> std::optional<DimExpr> {
        return name == symbol ? std::optional(past + tokens) : std::nullopt;
      });
    });
    if (Operation *dim = SymbolTable::lookupSymbolIn(module, symbol))
      dim->erase();
  }

  func::FuncOp func;
  ModuleOp module;
  ShapeAnalysis shapes;
  /// Of the buffers, of what is written, and of what was written before.
  DimExpr extent, tokens, rows, past;
};

LogicalResult growCaches(func::FuncOp func) {
  unifyLengths(func);
  return CacheGrower(func).run();
}

struct GrowCachesPass : ingot::impl::GrowCachesBase<GrowCachesPass> {
  void runOnOperation() override {
    for (auto func : llvm::to_vector(getOperation().getOps<func::FuncOp>()))
      if (!func.isExternal() && func.isPublic() && failed(growCaches(func)))
        return signalPassFailure();
  }
};

} // namespace
