//===- PlanMemory.cpp - one arena for every allocation --------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Mega/IR/CounterOps.h"
#include "ingot/Analysis/ShapeAnalysis.h"
#include "ingot/Transforms/Entries.h"
#include "ingot/Transforms/Schedule.h"

#include "mlir/Dialect/Affine/Transforms/Transforms.h"
#include "mlir/Dialect/Bufferization/Transforms/BufferViewFlowAnalysis.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"

namespace ingot {
#define GEN_PASS_DEF_PLANMEMORY
#include "lib/Transforms/Schedule/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot::mega;

namespace {

constexpr int64_t alignment = 64;
/// Scratch of a tile up to this size lives on the worker's stack.
constexpr int64_t maxStackBytes = 32 << 10;
/// What an unknown dim counts for when buffers are ordered by size.
constexpr int64_t assumedExtent = 128;

/// One buffer between the stages: its size and when it is alive.
struct Buffer {
  /// A memref.alloc or a mega.alloc_each.
  Operation *alloc;
  ValueRange dynamicSizes;
  /// Where it holds, each worker has its own; null for never.
  Value each;
  /// Of one, and of all that there are.
  Value bytesOfOne, bytes;
  double estimate;
  unsigned first, last;
};

/// A part of the arena that buffers with disjoint lives take in turn.
struct Slot {
  SmallVector<Buffer *> tenants;
  double estimate = 0;
  Value bytes, offset;
};

int64_t elementBytes(MemRefType type) {
  return llvm::divideCeil(
      type.getElementType().isIndex() ? 64 : type.getElementTypeBitWidth(), 8);
}

struct PlanMemoryPass : ingot::impl::PlanMemoryBase<PlanMemoryPass> {
  void runOnOperation() override {
    ProgramOp program = getOperation();
    body = &program.getProgram();
    knownSizes.clear();
    perWorker = nullptr;
    OpBuilder b(&getContext());
    arena = addArgument(program,
                        MemRefType::get({ShapedType::kDynamic}, b.getI8Type()),
                        "arena");
    worker = addArgument(program, b.getIndexType(), "worker");
    workers = addArgument(program, b.getIndexType(), "workers");
    auto pointer = LLVM::LLVMPointerType::get(b.getContext());
    addArgument(program, pointer, "error");
    if (program.walk([](AwaitOp) { return WalkResult::interrupt(); })
            .wasInterrupted())
      addArgument(program, pointer, "context");

    // Sizes are computed before everything else, in front of this op.
    b.setInsertionPointToStart(body);
    anchor = arith::ConstantIndexOp::create(b, program.getLoc(), alignment);

    shared = placeBuffers(program);
    if (!shared)
      return signalPassFailure();
    Value total = placeScratch(program, shared);
    if (!total)
      return signalPassFailure();
    describe(program);
    auto ret = cast<ReturnOp>(body->getTerminator());
    ret->insertOperands(ret->getNumOperands(), total);
    SmallVector<Type> results(ret->getOperandTypes());
    program.setType(b.getFunctionType(body->getArgumentTypes(), results));
  }

private:
  Value addArgument(ProgramOp program, Type type, StringRef role) {
    OpBuilder b(program.getContext());
    unsigned index = program.getNumArguments();
    auto attrs = b.getDictionaryAttr(
        {b.getNamedAttr("ingot.role", b.getStringAttr(role))});
    if (failed(program.insertArgument(index, type, attrs, program.getLoc())))
      return {};
    return program.getArgument(index);
  }

  /// Moves the computation of `value` in front of the anchor.
  LogicalResult hoist(Value value, Operation *user) {
    Operation *op = value.getDefiningOp();
    bool isArgument = !op && value.getParentBlock() == body;
    if (isArgument ||
        (op && op->getBlock() == body && op->isBeforeInBlock(anchor)))
      return success();
    if (!op || !isMemoryEffectFree(op) || !isBetweenStages(op))
      return user->emitError("data-dependent shape: the size of a buffer "
                             "depends on the data of another");
    for (Value operand : op->getOperands())
      if (failed(hoist(operand, user)))
        return failure();
    op->moveBefore(anchor);
    return success();
  }

  /// Bytes of a buffer of `type` with the given dynamic dims, rounded up.
  Value bytesOf(OpBuilder &b, Location loc, MemRefType type,
                ValueRange dynamicDims) {
    int64_t constant = elementBytes(type);
    for (int64_t dim : type.getShape())
      if (!ShapedType::isDynamic(dim))
        constant *= dim;
    // Equal sizes are one value, so that slots compare them.
    for (const KnownSize &known : knownSizes)
      if (known.constant == constant && ValueRange(known.dims) == dynamicDims)
        return known.bytes;
    Value value = product(b, loc, dynamicDims);
    auto index = [&](int64_t number) -> Value {
      return arith::ConstantIndexOp::create(b, loc, number);
    };
    value = b.createOrFold<arith::MulIOp>(loc, value, index(constant));
    if (constant % alignment != 0) {
      value = b.createOrFold<arith::CeilDivSIOp>(loc, value, index(alignment));
      value = b.createOrFold<arith::MulIOp>(loc, value, index(alignment));
    }
    knownSizes.push_back({constant, SmallVector<Value>(dynamicDims), value});
    return value;
  }

  Value product(OpBuilder &b, Location loc, ValueRange values) {
    Value result;
    for (Value value : values)
      result =
          result ? b.createOrFold<arith::MulIOp>(loc, result, value) : value;
    return result ? result : Value(arith::ConstantIndexOp::create(b, loc, 1));
  }

  /// Whether `op` stands in the program itself or in a loop of it.
  static bool isBetweenStages(Operation *op) {
    return isa<ProgramOp, LoopOp>(op->getParentOp());
  }

  /// The op around `op`, or `op` itself, that stands between the stages.
  static Operation *topOf(Operation *op) {
    while (!isBetweenStages(op))
      op = op->getParentOp();
    return op;
  }

  /// When each op runs: what no barrier parts for sure, at one time. A loop has
  /// the times of its first run; `now` is the last of them.
  static void addTimes(Block &body, DenseMap<Operation *, unsigned> &times,
                       unsigned &now) {
    for (Operation &op : body) {
      if (auto barrier = dyn_cast<BarrierOp>(op))
        now += !barrier.getUnless();
      times[&op] = now;
      if (auto loop = dyn_cast<LoopOp>(op))
        addTimes(loop.getBody().front(), times, now);
    }
  }

  /// Makes `buffer` be alive when `user` runs. What is used in a loop and was
  /// made in front of it is alive throughout the loop: the next time may want
  /// it. What was made in the loop is made anew each time.
  static void addUse(Buffer &buffer, Operation *user,
                     const DenseMap<Operation *, unsigned> &times) {
    auto extend = [&](unsigned time) {
      buffer.first = std::min(buffer.first, time);
      buffer.last = std::max(buffer.last, time);
    };
    extend(times.lookup(user));
    auto loop = dyn_cast<LoopOp>(user->getParentOp());
    if (!loop || loop->isProperAncestor(buffer.alloc))
      return;
    extend(times.lookup(loop));
    extend(times.lookup(&loop.getBody().front().back()));
  }

  /// Collects the buffers between the stages, in order.
  FailureOr<SmallVector<Buffer>> collectBuffers(ProgramOp program) {
    SmallVector<Buffer> buffers;
    BufferViewFlowAnalysis aliases(program);
    DenseMap<Operation *, unsigned> times;
    unsigned now = 0;
    addTimes(*body, times, now);
    SmallVector<Operation *> allocs;
    program.walk([&](Operation *op) {
      if (isa<memref::AllocOp, AllocEachOp>(op) && isBetweenStages(op))
        allocs.push_back(op);
    });
    for (Operation *alloc : allocs) {
      Buffer buffer{alloc, {}, {}, {}, {}, 1.0, ~0u, 0};
      if (auto shared = dyn_cast<memref::AllocOp>(alloc)) {
        buffer.dynamicSizes = shared.getDynamicSizes();
      } else {
        auto own = cast<AllocEachOp>(alloc);
        buffer.dynamicSizes = own.getDynamicSizes();
        buffer.each = own.getCondition();
      }
      for (Value alias : aliases.resolve(alloc->getResult(0)))
        for (Operation *user : alias.getUsers()) {
          Operation *top = topOf(user);
          if (!isa<ViewLikeOpInterface>(top))
            addUse(buffer, top, times);
        }
      auto type = cast<MemRefType>(alloc->getResult(0).getType());
      buffer.estimate = elementBytes(type);
      for (int64_t dim : type.getShape())
        buffer.estimate *= ShapedType::isDynamic(dim) ? assumedExtent : dim;
      buffers.push_back(buffer);
    }
    // Equal sizes are one value here too.
    DenseMap<std::pair<Value, Value>, Value> ofEach;
    for (Buffer &buffer : buffers) {
      for (Value dim : buffer.dynamicSizes)
        if (failed(hoist(dim, buffer.alloc)))
          return failure();
      OpBuilder b(anchor);
      Location loc = buffer.alloc->getLoc();
      buffer.bytesOfOne = buffer.bytes = bytesOf(
          b, loc, cast<MemRefType>(buffer.alloc->getResult(0).getType()),
          buffer.dynamicSizes);
      if (!buffer.each)
        continue;
      if (failed(hoist(buffer.each, buffer.alloc)))
        return failure();
      Value &known = ofEach[{buffer.each, buffer.bytesOfOne}];
      if (!known) {
        Value all =
            b.createOrFold<arith::MulIOp>(loc, buffer.bytesOfOne, workers);
        known = b.createOrFold<arith::SelectOp>(loc, buffer.each, all,
                                                buffer.bytesOfOne);
      }
      buffer.bytes = known;
    }
    return buffers;
  }

  /// Gives every buffer a slot, the largest first.
  static SmallVector<Slot> assignSlots(MutableArrayRef<Buffer> buffers) {
    SmallVector<Buffer *> order;
    for (Buffer &buffer : buffers)
      order.push_back(&buffer);
    llvm::sort(order, [](const Buffer *a, const Buffer *b) {
      return a->estimate != b->estimate ? a->estimate > b->estimate : a < b;
    });
    SmallVector<Slot> slots;
    for (Buffer *buffer : order) {
      Slot *best = nullptr;
      for (Slot &slot : slots) {
        bool isFree = llvm::none_of(slot.tenants, [&](const Buffer *tenant) {
          return tenant->first <= buffer->last && buffer->first <= tenant->last;
        });
        if (isFree && (!best || slot.estimate < best->estimate))
          best = &slot;
      }
      if (!best) {
        best = &slots.emplace_back();
        best->estimate = buffer->estimate;
      }
      best->tenants.push_back(buffer);
    }
    return slots;
  }

  /// Replaces the allocations between the stages; returns the bytes taken.
  Value placeBuffers(ProgramOp program) {
    FailureOr<SmallVector<Buffer>> buffers = collectBuffers(program);
    if (failed(buffers))
      return {};
    OpBuilder b(anchor);
    Location loc = program.getLoc();
    Value offset = arith::ConstantIndexOp::create(b, loc, 0);
    for (Slot &slot : assignSlots(*buffers)) {
      SmallVector<Value> sizes;
      for (Buffer *tenant : slot.tenants) {
        bool isKnown = llvm::any_of(sizes, [&](Value size) {
          return size == tenant->bytes ||
                 isEqualConstantIntOrValue(size, tenant->bytes);
        });
        if (!isKnown)
          sizes.push_back(tenant->bytes);
      }
      Value bytes = sizes.front();
      for (Value size : ArrayRef(sizes).drop_front())
        bytes = b.createOrFold<arith::MaxSIOp>(loc, bytes, size);
      // Tenants of one slot stay different views, though they be of one shape:
      // the program shows which buffer an access means.
      for (Buffer *tenant : slot.tenants)
        place(*tenant, offset)
            ->setAttr("ingot.buffer",
                      b.getI64IntegerAttr(tenant - buffers->data()));
      offset = b.createOrFold<arith::AddIOp>(loc, offset, bytes);
    }
    return offset;
  }

  Operation *place(const Buffer &buffer, Value offset) {
    if (!buffer.each)
      return replaceWithView(cast<memref::AllocOp>(buffer.alloc), offset,
                             arena);
    auto alloc = cast<AllocEachOp>(buffer.alloc);
    OpBuilder b(anchor);
    Location loc = alloc.getLoc();
    Value mine = b.createOrFold<arith::MulIOp>(loc, buffer.bytesOfOne, worker);
    mine = b.createOrFold<arith::AddIOp>(loc, offset, mine);
    Value at = b.createOrFold<arith::SelectOp>(loc, buffer.each, mine, offset);
    b.setInsertionPoint(alloc);
    auto scratch =
        ScratchOp::create(b, loc, alloc.getType(), arena, at,
                          alloc.getDynamicSizes(), alloc.getCondition());
    alloc.replaceAllUsesWith(scratch.getResult());
    alloc.erase();
    return scratch;
  }

  static memref::ViewOp replaceWithView(memref::AllocOp alloc, Value offset,
                                        Value memory) {
    OpBuilder b(alloc);
    auto view = memref::ViewOp::create(b, alloc.getLoc(), alloc.getType(),
                                       memory, offset, alloc.getDynamicSizes());
    alloc.replaceAllUsesWith(view.getResult());
    alloc.erase();
    return view;
  }

  void replaceWithScratch(memref::AllocOp alloc, Value offset) {
    OpBuilder b(alloc);
    Value scratch =
        ScratchOp::create(b, alloc.getLoc(), alloc.getType(), arena, offset,
                          alloc.getDynamicSizes(), /*each=*/Value());
    alloc.replaceAllUsesWith(scratch);
    alloc.erase();
  }

  /// Replaces the allocations inside the stages; returns the arena's size,
  /// `base` and every worker's scratch together.
  Value placeScratch(ProgramOp program, Value base) {
    SmallVector<Value> tileBytes;
    SmallVector<std::pair<memref::AllocOp, Value>> scratch;
    SmallVector<TilesOp> all;
    program.walk([&](TilesOp tiles) { all.push_back(tiles); });
    for (TilesOp tiles : all) {
      Value used;
      SmallVector<memref::AllocOp> allocs;
      tiles.walk([&](memref::AllocOp alloc) { allocs.push_back(alloc); });
      for (memref::AllocOp alloc : allocs) {
        if (placeOnStack(alloc))
          continue;
        Value bytes = boundBytes(alloc, tiles);
        if (!bytes)
          return {};
        OpBuilder b(anchor);
        if (!used)
          used = arith::ConstantIndexOp::create(b, tiles.getLoc(), 0);
        scratch.push_back({alloc, used});
        used = b.createOrFold<arith::AddIOp>(tiles.getLoc(), used, bytes);
      }
      if (used)
        tileBytes.push_back(used);
    }
    if (tileBytes.empty())
      return base;
    OpBuilder b(anchor);
    Location loc = program.getLoc();
    perWorker = tileBytes.front();
    for (Value bytes : ArrayRef(tileBytes).drop_front())
      perWorker = b.createOrFold<arith::MaxSIOp>(loc, perWorker, bytes);
    Value mine = arith::MulIOp::create(b, loc, worker, perWorker);
    mine = arith::AddIOp::create(b, loc, base, mine);
    for (auto [alloc, offset] : scratch)
      replaceWithScratch(alloc, arith::AddIOp::create(b, loc, mine, offset));
    Value workersBytes = arith::MulIOp::create(b, loc, workers, perWorker);
    return arith::AddIOp::create(b, loc, base, workersBytes);
  }

  /// Notes the arena's size on the program, for people.
  void describe(ProgramOp program) {
    ingot::ShapeAnalysis shapes;
    std::optional<ingot::DimExpr> total = shapes.indexValue(shared);
    if (total && perWorker) {
      std::optional<ingot::DimExpr> each = shapes.indexValue(perWorker);
      if (each)
        total = *total + *each * ingot::DimExpr::symbol("workers");
      else
        total = std::nullopt;
    }
    if (total)
      program->setAttr(ingot::arenaAttrName,
                       StringAttr::get(program.getContext(), total->str()));
  }

  /// Turns `alloc` into stack memory if a small constant bounds its size.
  static bool placeOnStack(memref::AllocOp alloc) {
    MemRefType type = alloc.getType();
    int64_t bytes = elementBytes(type);
    for (int64_t dim : type.getShape())
      if (!ShapedType::isDynamic(dim))
        bytes *= dim;
    for (Value dim : alloc.getDynamicSizes()) {
      FailureOr<int64_t> bound = ValueBoundsConstraintSet::computeConstantBound(
          presburger::BoundType::UB, ValueBoundsConstraintSet::Variable(dim),
          /*stopCondition=*/nullptr, /*closedUB=*/true);
      if (failed(bound) || *bound > maxStackBytes)
        return false;
      bytes *= std::max<int64_t>(*bound, 1);
    }
    if (bytes > maxStackBytes)
      return false;
    OpBuilder b(alloc);
    Location loc = alloc.getLoc();
    Value memory = memref::AllocaOp::create(
        b, loc, MemRefType::get({std::max<int64_t>(bytes, 1)}, b.getI8Type()),
        b.getI64IntegerAttr(alignment));
    Value zero = arith::ConstantIndexOp::create(b, loc, 0);
    replaceWithView(alloc, zero, memory);
    return true;
  }

  /// The extent that `dim`, the size of a tile `min(.., extent - i)` with an
  /// origin i of `tiles`, is cut from; nothing if it is no such.
  static Value wholeExtent(OpBuilder &b, Value dim, TilesOp tiles) {
    auto least = dim.getDefiningOp<affine::AffineMinOp>();
    if (!least || least.getMap().getNumDims() != 1)
      return {};
    Value origin = least.getDimOperands()[0];
    auto outside = [&](Value value) { return !tiles.isInside(value); };
    if (!llvm::is_contained(tiles.getOrigin(), origin) ||
        !llvm::all_of(least.getSymbolOperands(), outside))
      return {};
    AffineExpr d0 = b.getAffineDimExpr(0);
    for (AffineExpr expr : least.getMap().getResults()) {
      AffineExpr whole =
          simplifyAffineExpr(expr + d0, 1, least.getMap().getNumSymbols());
      if (whole.isFunctionOfDim(0))
        continue;
      AffineMap map = AffineMap::get(0, least.getMap().getNumSymbols(), whole);
      return affine::AffineApplyOp::create(b, dim.getLoc(), map,
                                           least.getSymbolOperands());
    }
    return {};
  }

  /// Bytes that `alloc` needs in any tile of `tiles`, computed in front of
  /// the anchor.
  Value boundBytes(memref::AllocOp alloc, TilesOp tiles) {
    SmallVector<Value> dims;
    OpBuilder b(tiles->getParentOp());
    for (Value dim : alloc.getDynamicSizes()) {
      FailureOr<OpFoldResult> bound = affine::reifyIndexValueBound(
          b, alloc.getLoc(), presburger::BoundType::UB, dim,
          [&](Value value, std::optional<int64_t>, ValueBoundsConstraintSet &) {
            return !tiles.isInside(value);
          },
          /*closedUB=*/true);
      if (failed(bound)) {
        alloc.emitError("size has no bound that is known before the stage");
        return {};
      }
      Value value = getValueOrCreateConstantIndexOp(b, alloc.getLoc(), *bound);
      // A tile is no larger than the whole either.
      if (Value whole = wholeExtent(b, dim, tiles))
        value = arith::MinSIOp::create(b, alloc.getLoc(), value, whole);
      if (failed(hoist(value, alloc)))
        return {};
      dims.push_back(value);
    }
    b.setInsertionPoint(anchor);
    return bytesOf(b, alloc.getLoc(), alloc.getType(), dims);
  }

  struct KnownSize {
    int64_t constant;
    SmallVector<Value> dims;
    Value bytes;
  };
  SmallVector<KnownSize> knownSizes;
  Block *body = nullptr;
  Operation *anchor = nullptr;
  Value arena, worker, workers;
  /// Bytes of the buffers between the stages, and of one worker's scratch.
  Value shared, perWorker;
};

} // namespace
