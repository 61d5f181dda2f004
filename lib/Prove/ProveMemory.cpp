//===- ProveMemory.cpp - no two live buffers overlap ----------------------===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "dialects/Ingot/IR/IngotOps.h"
#include "dialects/Mega/IR/CounterOps.h"
#include "ingot/Prove.h"
#include "lib/Prove/Model.h"

#include <deque>

namespace ingot {
#define GEN_PASS_DEF_PROVEMEMORY
#include "lib/Prove/Passes.h.inc"
} // namespace ingot

using namespace mlir;
using namespace ingot;
using namespace ingot::prove;

namespace {

const Outcome noDetail{Outcome::Kind::Proved, ""};

/// What a buffer holds.
struct Content {
  Buffer buffer;
  SmallVector<const Access *> writes;
  /// Whether the writes are all of it.
  Outcome isAll = noDetail;
  /// Writes since, of which it is not known yet whether they are elsewhere.
  std::deque<const Access *> since;
  /// The one that was written over it, and why it may be the same memory.
  const Access *over = nullptr;
  Outcome overlap = noDetail;
  bool isRead = false;
};

class MemoryChecker {
public:
  explicit MemoryChecker(Model &model) : model(model) {}

  LogicalResult run() {
    auto ret = cast<mega::ReturnOp>(model.program.getProgram().getTerminator());
    if (ret.getNumOperands() == 0 || !hasArena())
      return model.program.emitError("has no arena: plan memory first");
    arena = model.values.valueOf(ret.getOperands().back(), {{}, ""});
    reads = writes = 0;
    contents.clear();
    cacheReads.clear();
    madeInTile.clear();

    ArrayRef<Access> accesses = model.accesses;
    bool isRight = succeeded(checkViews());
    for (const Access &access : accesses)
      isRight &= succeeded(checkInside(access));
    while (!accesses.empty()) {
      ArrayRef<Access> now = accesses.take_while([&](const Access &access) {
        return access.interval == accesses.front().interval;
      });
      accesses = accesses.drop_front(now.size());
      // What a worker wrote for itself it finds at once, what others wrote
      // after the barrier, or once it has waited for tiles: ProveOrder shows
      // that it does not read before.
      ArrayRef<Access> open = now;
      for (ArrayRef<Access> rest = now; !rest.empty();) {
        ArrayRef<Access> step = rest.take_while([&](const Access &access) {
          return access.stage == rest.front().stage &&
                 access.prologue == rest.front().prologue &&
                 bool(access.tiles) == bool(rest.front().tiles);
        });
        rest = rest.drop_front(step.size());
        auto isAwait = [](const Access &a) { return isa<mega::AwaitOp>(a.op); };
        if (llvm::any_of(step, isAwait)) {
          size_t before = step.begin() - open.begin();
          isRight &= succeeded(noteWrites(open.take_front(before), false));
          open = open.drop_front(before);
        }
        for (const Access &access : step)
          if (access.reads)
            isRight &= succeeded(checkRead(access));
        isRight &= succeeded(noteWrites(step, /*areOwn=*/true));
      }
      isRight &= succeeded(noteWrites(open, /*areOwn=*/false));
    }
    for (const Content &content : contents)
      isRight &= succeeded(checkUsed(content));
    return success(isRight);
  }

  unsigned reads = 0, writes = 0;

private:
  bool hasArena() {
    return llvm::any_of(model.program.getArguments(), [&](Value arg) {
      return model.values.roleOf(arg) == "arena";
    });
  }

  /// Views between the stages are of what is there.
  LogicalResult checkViews() {
    Tile tile{{}, ""};
    bool isRight = true;
    for (Operation &op : model.program.getProgram()) {
      auto expand = dyn_cast<memref::ExpandShapeOp>(op);
      if (!expand)
        continue;
      SmallVector<Poly> from = model.values.shapeOf(expand.getSrc(), tile);
      SmallVector<Poly> to = model.values.shapeOf(expand.getResult(), tile);
      for (auto [dim, group] :
           llvm::enumerate(expand.getReassociationIndices())) {
        Poly product = 1;
        for (int64_t part : group)
          product = product * to[part];
        Outcome outcome =
            model.solver.prove(model.factsAt(&op), equal(product, from[dim]));
        if (outcome)
          continue;
        isRight = false;
        op.emitError("has not as many elements as what it is a view of");
      }
    }
    return success(isRight);
  }

  /// The part is inside of its buffer, and that inside of the arena.
  LogicalResult checkInside(const Access &access) {
    Part part = model.partOf(access, model.tileOf(access, "a"));
    std::vector<Formula> facts = model.factsAt(access), inside;
    std::vector<Formula> none, isSize;
    if (part.buffer.kind != Buffer::Kind::Cache)
      for (unsigned dim = 0; dim < part.shape.size(); ++dim) {
        Poly last = part.lastOf(dim);
        isSize.push_back(atLeast(part.sizes[dim], 0));
        none.push_back(equal(part.sizes[dim], 0));
        inside.push_back(atLeast(part.offsets[dim], 0));
        inside.push_back(lessThan(last, part.shape[dim]));
      }
    inside.insert(inside.end(), part.needs.begin(), part.needs.end());
    none.push_back(Formula::all(inside));
    isSize.push_back(Formula::any(none));
    Outcome outcome = model.solver.prove(facts, Formula::all(isSize));
    if (!outcome)
      return report(model, access, "is not inside of the buffer", outcome);
    const Buffer &buffer = part.buffer;
    if (!buffer.isInArena() ||
        (model.isNonNegative(buffer.offset) &&
         model.isNonNegative(arena - buffer.offset - buffer.bytes)))
      return success();
    outcome = model.solver.prove(
        facts, Formula::all({atLeast(buffer.offset, 0),
                             atLeast(arena, buffer.offset + buffer.bytes)}));
    return outcome
               ? success()
               : report(model, access, "is not inside of the arena", outcome);
  }

  Content *find(const Buffer &buffer) {
    for (Content &content : contents)
      if (isSameBuffer(content.buffer, buffer))
        return &content;
    return nullptr;
  }

  /// What is read was written, and nothing wrote over it.
  LogicalResult checkRead(const Access &access) {
    Part part = model.partOf(access, model.tileOf(access, "a"));
    const Buffer &buffer = part.buffer;
    if (buffer.kind == Buffer::Kind::Cache) {
      cacheReads.push_back(&access);
      return success();
    }
    if (buffer.kind == Buffer::Kind::Scratch ||
        (buffer.kind == Buffer::Kind::Argument &&
         model.values.roleOf(buffer.value) != "output"))
      return success();
    // What a tile made for itself it may read at once.
    if (access.writes ? model.firstWriter(access) != nullptr
                      : isMadeInTile(access, part))
      return success();
    ++reads;
    Content *content = find(buffer);
    if (!content)
      return report(model, access,
                    "is read before it is written, with no barrier between",
                    noDetail);
    content->isRead = true;
    if (isOver(*content))
      return reportPair(model, *content->over, access,
                        "writes over what is read later", content->overlap);
    if (content->isAll)
      return success();
    Outcome outcome = model.cover(content->writes, part, /*isWhole=*/false);
    return outcome ? success()
                   : report(model, access, "not all that is read was written",
                            outcome);
  }

  /// Whether the tile of a read writes all of what is read before, through
  /// another view of the buffer.
  bool isMadeInTile(const Access &read, const Part &part) {
    if (!read.tiles || !read.memref)
      return false;
    mega::TilesOp tiles = read.tiles;
    Block &body = tiles.getBody().front();
    for (const Access &write : model.accesses) {
      if (!write.writes || write.op->getBlock() != &body)
        continue;
      const Part &made = model.partOf(write, model.tileOf(write, "a"));
      Operation *writer = isSameBuffer(made.buffer, part.buffer)
                              ? model.firstWriter(write)
                              : nullptr;
      bool isBefore =
          writer && llvm::all_of(read.memref.getUsers(), [&](Operation *user) {
            return writer->isBeforeInBlock(body.findAncestorOpInBlock(*user));
          });
      if (!isBefore ||
          !model.solver.prove(model.factsAt(read), made.covers(part)))
        continue;
      madeInTile.insert(&write);
      return true;
    }
    return false;
  }

  /// Whether something was written over the content. That is asked of what is
  /// needed yet: most buffers lie where others lay that nobody reads any more.
  bool isOver(Content &content) {
    while (!content.over && !content.since.empty()) {
      const Access *write = content.since.front();
      content.since.pop_front();
      Buffer buffer = model.partOf(*write, model.tileOf(*write, "a")).buffer;
      const Outcome &apart = model.areApart(content.buffer, buffer);
      if (!apart) {
        content.over = write;
        content.overlap = apart;
      }
    }
    return content.over;
  }

  LogicalResult noteWrites(ArrayRef<Access> now, bool areOwn) {
    bool isRight = true;
    std::vector<Content> written;
    for (const Access &access : now) {
      if (!access.writes)
        continue;
      Buffer buffer = model.partOf(access, model.tileOf(access, "a")).buffer;
      if ((buffer.kind == Buffer::Kind::Own) != areOwn)
        continue;
      if (buffer.kind == Buffer::Kind::Cache) {
        isRight &= succeeded(checkAppend(access));
        continue;
      }
      ++writes;
      for (Content &content : contents)
        if (buffer.isInArena() && content.buffer.isInArena() &&
            !isSameBuffer(content.buffer, buffer))
          content.since.push_back(&access);
      if (buffer.kind == Buffer::Kind::Scratch)
        continue;
      auto same = llvm::find_if(written, [&](const Content &content) {
        return isSameBuffer(content.buffer, buffer);
      });
      if (same == written.end()) {
        written.emplace_back();
        same = std::prev(written.end());
        // Any worker's that has its own.
        same->buffer = model.partOf(access, model.tileOf(access, "b")).buffer;
      }
      same->writes.push_back(&access);
    }
    for (Content &content : written)
      isRight &= succeeded(replace(content));
    return success(isRight);
  }

  /// Takes what the buffer holds from now on.
  LogicalResult replace(Content &content) {
    LogicalResult result = success();
    Part target = model.partOf(*content.writes.front(),
                               model.tileOf(*content.writes.front(), "a"));
    content.isAll = beginsBehind(content)
                        ? Outcome{Outcome::Kind::Unknown, "it begins behind"}
                        : model.cover(content.writes, target, /*isWhole=*/true);
    auto *old = find(content.buffer);
    if (!old) {
      contents.push_back(content);
      return success();
    }
    // What was read is not what a later stage begins anew, part by part.
    bool isUpdate = llvm::any_of(
        content.writes, [](const Access *write) { return write->reads; });
    if (content.isAll || (old->isRead && !isUpdate) || isOver(*old)) {
      // Padding of no width is written over too: through another view.
      if (sourcesOf(*old) == sourcesOf(content) || isOver(*old))
        result = checkUsed(*old);
    } else {
      content.writes.append(old->writes.begin(), old->writes.end());
      content.isAll =
          old->isAll ? old->isAll : model.cover(content.writes, target, true);
      content.isRead = old->isRead;
    }
    *old = content;
    return result;
  }

  /// Whether no write is of the first element, as of what lies in padding.
  bool beginsBehind(const Content &content) {
    return llvm::all_of(content.writes, [&](const Access *write) {
      Part part = model.partOf(*write, model.tileOf(*write, "a"));
      return llvm::any_of(part.offsets, [&](const Poly &offset) {
        return model.bounds.isNonNegative(offset - 1);
      });
    });
  }

  /// The views that tiles write through.
  static llvm::SetVector<Value> sourcesOf(const Content &content) {
    llvm::SetVector<Value> sources;
    for (const Access *write : content.writes)
      sources.insert(write->op->getOperand(0));
    return sources;
  }

  /// What was written was for something.
  LogicalResult checkUsed(const Content &content) {
    if (content.isRead || !content.buffer.isInArena())
      return success();
    for (const Access *write : content.writes) {
      if (write->reads || madeInTile.contains(write))
        continue;
      mega::TilesOp tiles = write->tiles;
      bool isChecking =
          tiles && tiles.walk([](CheckOp) { return WalkResult::interrupt(); })
                       .wasInterrupted();
      if (!isChecking)
        return report(model, *write, "nothing reads what is written", noDetail);
    }
    return success();
  }

  /// What is appended to a cache was not read before.
  LogicalResult checkAppend(const Access &append) {
    Buffer cache = model.partOf(append, model.tileOf(append, "a")).buffer;
    for (const Access *read : cacheReads)
      if (isSameBuffer(model.partOf(*read, model.tileOf(*read, "a")).buffer,
                       cache))
        return reportPair(model, append, *read,
                          "appends to what was read before", noDetail);
    return success();
  }

  Model &model;
  Poly arena;
  std::vector<Content> contents;
  SmallVector<const Access *> cacheReads;
  /// Writes that are read in the same tile, through another view.
  llvm::SmallPtrSet<const Access *, 4> madeInTile;
};

struct ProveMemoryPass : ingot::impl::ProveMemoryBase<ProveMemoryPass> {
  using ProveMemoryBase::ProveMemoryBase;

  void runOnOperation() override {
    Model &model = getAnalysis<Model>();
    MemoryChecker checker(model);
    if (failed(model.forEachCase([&] { return checker.run(); })))
      return signalPassFailure();
    markAllAnalysesPreserved();
    if (remarks)
      emitRemark(getOperation().getLoc())
          << "program '" << model.name()
          << "': no live buffers overlap: " << checker.reads << " reads, "
          << checker.writes << " writes, " << model.describeWork();
  }
};

} // namespace
