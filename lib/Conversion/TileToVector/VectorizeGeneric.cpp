//===- VectorizeGeneric.cpp - linalg on memrefs to vector loops -----------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "BodyEmitter.h"
#include "VectorUtils.h"
#include "ingot/Conversion/TileToVector.h"
#include "ingot/Target/CpuCapabilities.h"

#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"

using namespace mlir;
using namespace ingot;

namespace ingot {
#define GEN_PASS_DEF_VECTORIZEGENERIC
#include "lib/Conversion/TileToVector/TileToVector.h.inc"
} // namespace ingot

namespace {
/// How one op is walked.
struct Plan {
  enum Kind { Scalar, Parallel, Reduction } kind = Scalar;
  unsigned dim = 0;
  int64_t lanes = 1;
};

/// Writes the loops of one linalg op.
class LoopWriter {
public:
  LoopWriter(OpBuilder &builder, linalg::LinalgOp op, Plan plan)
      : b(builder), loc(op.getLoc()), op(op), plan(plan) {}
  void write();

private:
  void parallelLoops(unsigned next);
  void vectorLoop();
  void pointOf(int64_t lanes);
  SmallVector<Value> reduceLoops(unsigned next, int64_t lanes,
                                 ValueRange accumulators);
  void reduceByVector();
  SmallVector<Value> partialLoops(unsigned next, ValueRange accumulators);
  SmallVector<Value> bodyAt(int64_t lanes, ValueRange accumulators);
  SmallVector<Value> loop(unsigned dim, Value lower, Value upper, int64_t step,
                          ValueRange carried,
                          function_ref<SmallVector<Value>(ValueRange)> body);
  Value fullVectors(unsigned dim);

  OpBuilder &b;
  Location loc;
  linalg::LinalgOp op;
  Plan plan;
  SmallVector<unsigned> outer, reductions;
  SmallVector<Value> bounds, point;
};
} // namespace

/// `for point[dim] = lower to upper step step`, without a loop where the
/// bounds are known to give at most one iteration.
SmallVector<Value>
LoopWriter::loop(unsigned dim, Value lower, Value upper, int64_t step,
                 ValueRange carried,
                 function_ref<SmallVector<Value>(ValueRange)> body) {
  std::optional<int64_t> from = getConstantIntValue(lower);
  std::optional<int64_t> to = getConstantIntValue(upper);
  if (from && to && *from >= *to)
    return SmallVector<Value>(carried);
  if (from && to && *from + step >= *to) {
    point[dim] = lower;
    return body(carried);
  }
  Value by = arith::ConstantIndexOp::create(b, loc, step);
  auto forOp = scf::ForOp::create(b, loc, lower, upper, by, carried);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(forOp.getBody());
  point[dim] = forOp.getInductionVar();
  SmallVector<Value> yielded = body(forOp.getRegionIterArgs());
  if (!carried.empty())
    scf::YieldOp::create(b, loc, yielded);
  return SmallVector<Value>(forOp.getResults());
}

/// The part of a dim's extent that whole vectors cover.
Value LoopWriter::fullVectors(unsigned dim) {
  if (auto extent = getConstantIntValue(bounds[dim]))
    return arith::ConstantIndexOp::create(b, loc,
                                          *extent / plan.lanes * plan.lanes);
  // Lanes are a power of two.
  Value mask = arith::ConstantIndexOp::create(b, loc, -plan.lanes);
  return arith::AndIOp::create(b, loc, bounds[dim], mask);
}

SmallVector<Value> LoopWriter::bodyAt(int64_t lanes, ValueRange accumulators) {
  BodyEmitter emitter(b, op, point, plan.dim, lanes);
  SmallVector<LaneValue> args;
  for (OpOperand *input : op.getDpsInputOperands()) {
    bool used = !op.getMatchingBlockArgument(input).use_empty();
    args.push_back(used ? emitter.load(*input) : LaneValue{});
  }
  for (Value accumulator : accumulators)
    args.push_back(
        {accumulator, lanes == 1 ? LaneValue::Uniform : LaneValue::Varying});
  SmallVector<Value> results;
  for (LaneValue result : emitter.emitBody(args))
    results.push_back(emitter.materialize(result));
  return results;
}

SmallVector<Value> LoopWriter::reduceLoops(unsigned next, int64_t lanes,
                                           ValueRange accumulators) {
  if (next == reductions.size())
    return bodyAt(lanes, accumulators);
  unsigned dim = reductions[next];
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  return loop(dim, zero, bounds[dim], 1, accumulators, [&](ValueRange carried) {
    return reduceLoops(next + 1, lanes, carried);
  });
}

/// Results for one vector of points (or one point), all reductions inside.
void LoopWriter::pointOf(int64_t lanes) {
  BodyEmitter emitter(b, op, point, plan.dim, lanes);
  SmallVector<Value> accumulators;
  for (int64_t i = 0; i < op.getNumDpsInits(); ++i) {
    OpOperand *init = op.getDpsInitOperand(i);
    bool used = !op.getMatchingBlockArgument(init).use_empty();
    // A loop carries every result, also one whose old value nobody reads.
    accumulators.push_back(used || !reductions.empty()
                               ? emitter.materialize(emitter.load(*init))
                               : Value());
  }
  SmallVector<Value> results = reduceLoops(0, lanes, accumulators);
  for (auto [i, result] : llvm::enumerate(results))
    emitter.store(
        *op.getDpsInitOperand(i),
        {result, lanes == 1 ? LaneValue::Uniform : LaneValue::Varying});
}

void LoopWriter::vectorLoop() {
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value full = fullVectors(plan.dim);
  loop(plan.dim, zero, full, plan.lanes, {}, [&](ValueRange) {
    pointOf(plan.lanes);
    return SmallVector<Value>();
  });
  loop(plan.dim, full, bounds[plan.dim], 1, {}, [&](ValueRange) {
    pointOf(1);
    return SmallVector<Value>();
  });
}

/// Accumulators: the vectors of all results, then their scalars for what is
/// left over from whole vectors.
SmallVector<Value> LoopWriter::partialLoops(unsigned next,
                                            ValueRange accumulators) {
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  if (next < reductions.size()) {
    unsigned dim = reductions[next];
    return loop(
        dim, zero, bounds[dim], 1, accumulators,
        [&](ValueRange carried) { return partialLoops(next + 1, carried); });
  }
  size_t half = accumulators.size() / 2;
  Value full = fullVectors(plan.dim);
  SmallVector<Value> vectors =
      loop(plan.dim, zero, full, plan.lanes, accumulators.take_front(half),
           [&](ValueRange carried) { return bodyAt(plan.lanes, carried); });
  SmallVector<Value> scalars =
      loop(plan.dim, full, bounds[plan.dim], 1, accumulators.drop_front(half),
           [&](ValueRange carried) { return bodyAt(1, carried); });
  llvm::append_range(vectors, scalars);
  return vectors;
}

void LoopWriter::reduceByVector() {
  BodyEmitter emitter(b, op, point, plan.dim, 1);
  SmallVector<Value> accumulators, scalars;
  SmallVector<Operation *> combiners;
  for (int64_t i = 0; i < op.getNumDpsInits(); ++i) {
    Operation *combiner = findCombiner(op, i);
    combiners.push_back(combiner);
    accumulators.push_back(neutralVector(b, loc, combiner, plan.lanes));
    scalars.push_back(emitter.load(*op.getDpsInitOperand(i)).value);
  }
  llvm::append_range(accumulators, scalars);
  SmallVector<Value> results = partialLoops(0, accumulators);
  for (auto [i, combiner] : llvm::enumerate(combiners)) {
    Value partial = reduceLanes(b, loc, combiner, results[i]);
    Value result =
        combine(b, loc, combiner, results[combiners.size() + i], partial);
    emitter.store(*op.getDpsInitOperand(i), {result, LaneValue::Uniform});
  }
}

void LoopWriter::parallelLoops(unsigned next) {
  if (next < outer.size()) {
    Value zero = arith::ConstantIndexOp::create(b, loc, 0);
    loop(outer[next], zero, bounds[outer[next]], 1, {}, [&](ValueRange) {
      parallelLoops(next + 1);
      return SmallVector<Value>();
    });
    return;
  }
  switch (plan.kind) {
  case Plan::Scalar:
    return pointOf(1);
  case Plan::Parallel:
    return vectorLoop();
  case Plan::Reduction:
    return reduceByVector();
  }
}

void LoopWriter::write() {
  for (Range range : op.createLoopRanges(b, loc))
    bounds.push_back(getValueOrCreateConstantIndexOp(b, loc, range.size));
  point.resize(bounds.size());
  for (auto [dim, type] : llvm::enumerate(op.getIteratorTypesArray())) {
    if (plan.kind != Plan::Scalar && dim == plan.dim)
      continue;
    // A result that moves along a reduction dim has one element a point.
    bool moves = llvm::any_of(op.getDpsInitsMutable(), [&](OpOperand &init) {
      return op.getMatchingIndexingMap(&init).isFunctionOfDim(dim);
    });
    if (type == utils::IteratorType::parallel || moves)
      outer.push_back(dim);
    else
      reductions.push_back(dim);
  }
  parallelLoops(0);
}

/// Lanes for an extent: fewer where 64-bit elements or a small known extent
/// would leave most of 16 unused.
static int64_t lanesFor(linalg::LinalgOp op, unsigned dim, int64_t extent) {
  int64_t lanes = 16;
  for (OpOperand &operand : op->getOpOperands()) {
    Type type = operand.get().getType(), element = getElementTypeOrSelf(type);
    if ((element.isInteger(64) || element.isF64() || element.isIndex()) &&
        classifyAccess(type, op.getMatchingIndexingMap(&operand), dim) !=
            AccessKind::Invariant)
      lanes = 8;
  }
  if (!ShapedType::isDynamic(extent))
    while (lanes > extent || (lanes > 4 && extent < 16 && extent % lanes))
      lanes /= 2;
  return lanes;
}

/// True if the body does enough arithmetic to pay for moving lanes one by one.
static bool isHeavy(linalg::LinalgOp op) {
  return llvm::any_of(*op.getBlock(), [](Operation &nested) {
    return isa<arith::DivFOp>(nested) ||
           isa_and_nonnull<math::MathDialect>(nested.getDialect());
  });
}

static Plan choosePlan(linalg::LinalgOp op, const TargetInfo &target) {
  for (Type type : op->getOperandTypes())
    if (isa<MemRefType>(type) && !isVectorElement(getElementTypeOrSelf(type)))
      return {};
  for (Operation &nested : op.getBlock()->without_terminator())
    for (Type type : nested.getResultTypes())
      if (!VectorType::isValidElementType(type))
        return {};

  SmallVector<int64_t> extents = op.getStaticLoopRanges();
  auto types = op.getIteratorTypesArray();
  bool heavy = isHeavy(op);
  Plan best;
  int64_t bestCost = 0;
  for (auto [dim, type] : llvm::enumerate(types)) {
    bool parallel = type == utils::IteratorType::parallel;
    AccessKind wanted =
        parallel ? AccessKind::Contiguous : AccessKind::Invariant;
    bool fits = true;
    for (OpOperand &init : op.getDpsInitsMutable())
      fits &= classifyAccess(init.get().getType(),
                             op.getMatchingIndexingMap(&init), dim) == wanted;
    for (int64_t i = 0; fits && !parallel && i < op.getNumDpsInits(); ++i)
      fits = findCombiner(op, i) != nullptr;
    int64_t lanes = lanesFor(op, dim, extents[dim]);
    // Partial results of a reduction are the same many on every CPU.
    if (heavy && parallel)
      lanes = std::min<int64_t>(lanes, target.f32Lanes());
    if (!fits || lanes < 4)
      continue;
    int64_t gathers = 0, vectors = 0;
    for (OpOperand *input : op.getDpsInputOperands()) {
      AccessKind access = classifyAccess(input->get().getType(),
                                         op.getMatchingIndexingMap(input), dim);
      gathers += access == AccessKind::Gather;
      vectors += access == AccessKind::Contiguous;
    }
    // Loads in the body whose lanes lie apart; those that an index moves by
    // one at a time are seen when the body is emitted.
    op.getBlock()->walk([&](memref::LoadOp load) {
      for (Value index : load.getIndices().drop_back(
               load.getMemRefType().isLastDimUnitStride() ? 1 : 0))
        if (auto moved = index.getDefiningOp<linalg::IndexOp>())
          gathers += moved.getDim() == dim;
    });
    if ((gathers > 0 && (!heavy || !parallel)) || (!parallel && vectors == 0))
      continue;
    // Prefer no gathers, then parallel dims, then wide vectors, then the
    // innermost dim.
    int64_t cost = gathers * 64 + (parallel ? 0 : 32) + (16 - lanes);
    if (best.kind == Plan::Scalar || cost <= bestCost) {
      best = {parallel ? Plan::Parallel : Plan::Reduction,
              static_cast<unsigned>(dim), lanes};
      bestCost = cost;
    }
  }
  return best;
}

namespace {
struct VectorizeGeneric
    : public ingot::impl::VectorizeGenericBase<VectorizeGeneric> {
  using VectorizeGenericBase::VectorizeGenericBase;

  void runOnOperation() override {
    std::string error;
    std::optional<TargetInfo> info = lookupTarget(target, error);
    if (!info) {
      getOperation()->emitError(error);
      return signalPassFailure();
    }
    IRRewriter rewriter(&getContext());
    SmallVector<memref::CopyOp> copies;
    getOperation()->walk([&](memref::CopyOp op) { copies.push_back(op); });
    for (memref::CopyOp copy : copies) {
      if (!isa<MemRefType>(copy.getSource().getType()) ||
          !isa<MemRefType>(copy.getTarget().getType()))
        continue;
      rewriter.setInsertionPoint(copy);
      linalg::makeMemRefCopyOp(rewriter, copy.getLoc(), copy.getSource(),
                               copy.getTarget());
      rewriter.eraseOp(copy);
    }

    SmallVector<linalg::LinalgOp> ops;
    getOperation()->walk([&](linalg::LinalgOp op) {
      if (op.hasPureBufferSemantics())
        ops.push_back(op);
    });
    for (linalg::LinalgOp op : ops) {
      rewriter.setInsertionPoint(op);
      if (!isa<linalg::GenericOp>(op)) {
        FailureOr<linalg::GenericOp> generic =
            linalg::generalizeNamedOp(rewriter, op);
        // Every named op of upstream's has one; not so, perhaps, another
        // dialect's that implements the interface.
        if (failed(generic)) {
          op.emitOpError("has no generic form to make loops from");
          return signalPassFailure();
        }
        op = *generic;
        rewriter.setInsertionPoint(op);
      }
      LoopWriter(rewriter, op, choosePlan(op, *info)).write();
      rewriter.eraseOp(op);
    }
  }
};
} // namespace
