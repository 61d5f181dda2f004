//===- Passes.td - when and where a program computes -------*- tablegen -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_TRANSFORMS_SCHEDULE_PASSES
#define INGOT_TRANSFORMS_SCHEDULE_PASSES

include "mlir/Pass/PassBase.td"

def MergeStages : Pass<"mega-merge-stages", "::ingot::mega::ProgramOp"> {
  let summary = "Deal the tiles of independent neighbours together";
  let description = [{
    Of neighbouring stages none of which writes what another touches, one stage
    with all their tiles is made: a worker that has done its tiles of one goes
    on with the next, and the tiles of all are dealt in one go. Parts of one
    buffer are told apart where their offsets and sizes are constants. Nothing
    joins a stage that checks something, since what follows may rely on the
    check, nothing passes an element that is read between two stages, and a stage
    with a prologue joins none.

    Example: the products with the matrices for queries, keys and values become
    ```mlir
    mega.stage {
      mega.tiles (%i, %j) in (%n, 576) step (24, 64) { ... }
      mega.tiles (%i, %j) in (%n, 192) step (24, 64) { ... }
      mega.tiles (%i, %j) in (%n, 192) step (24, 64) { ... }
    }
    ```
  }];
}

def RecomputeStages
    : Pass<"mega-recompute-stages", "::ingot::mega::ProgramOp"> {
  let summary = "Let each worker run a stage of one tile for itself";
  let description = [{
    While one worker runs a stage's only tile the others wait for it. Where there
    is no more than a tile in any of a stage's index spaces, which is known at run
    time, every worker computes it into buffers of its own instead, and nobody
    waits. That asks for buffers which nothing else writes; a stage that checks
    something or touches state stays as it is.

    Example: the norm of `%n` rows in tiles of 4 becomes
    ```mlir
    %few = arith.cmpi ule, %n, %c4 : index
    %t = mega.alloc_each %few(%n) : memref<?x576xf32>
    mega.stage each %few { mega.tiles (%i) in (%n) step (4) { ... } }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def FormPrologues : Pass<"mega-form-prologues", "::ingot::mega::ProgramOp"> {
  let summary = "Put what each worker runs for itself in front of a stage's tiles";
  let description = [{
    A stage that every worker runs for itself where a condition holds becomes a
    prologue of the next one that is dealt, and so do several that follow each
    other, in order. Values and allocations between them move in front of the
    first; where something else stands between, as an element that each worker
    reads, the stages stay as they are.

    Example: a norm and the product that reads it become
    ```mlir
    mega.stage prologue each %few {
      mega.tiles (%i) in (%n) step (4) { ... write %t ... }
    } {
      mega.tiles (%i, %j) in (%n, 576) step (24, 64) { ... read %t ... }
    }
    ```
  }];
}

def PlanSync : Pass<"mega-plan-sync", "::ingot::mega::ProgramOp"> {
  let summary = "Let workers meet where the data requires it";
  let description = [{
    Puts `mega.barrier` in front of what touches memory that something since the
    last barrier writes, or writes what it reads: before a stage, what that and
    its prologues need from before it, and behind a prologue what the rest of the
    stage needs from that. A stage that checks something is waited for by
    whatever follows. Buffers that are each worker's own under a
    condition matter where it does not hold: `mega.barrier unless`.

    Where tiles go along the rows of the buffers for which they would have to
    wait, and workers are expected to lose less time so, tiles count themselves
    as done and later ones wait for those that touch the same rows: `mega.signal`
    and `mega.await`. A barrier makes all wait for whoever is late, by half a
    tile; counters take a moment for each tile. They are set to 0 before the
    last barrier. In front of the first barrier of a program or loop there is
    nothing before which that could be done.

    Example: of two stages, the second of which reads what the first wrote,
    ```mlir
    mega.stage { ... write %t ... }
    mega.barrier
    mega.stage { ... read %t ... }
    ```
  }];
  let options = [Option<"workers", "workers", "int64_t", /*default=*/"16",
                        "How many workers share the tiles">,
                 Option<"flops", "flops", "double", /*default=*/"120e9",
                        "Operations of a worker in a second">];
}

def PlanPrefetch : Pass<"mega-plan-prefetch", "::ingot::mega::ProgramOp"> {
  let summary = "Fetch the next stage's weights before the wait";
  let description = [{
    Puts `mega.prefetch` in front of the barrier behind which a stage begins that
    reads weights: while a worker waits there it fetches the beginning of what
    its first tile reads of them. Of the first stage of a loop it happens at the
    barrier at the loop's end, of the weights that the next time reads. Stages
    that each worker runs for itself may lie between.

    A fetch is planned where a stage reads many times as much of weights, of
    which each tile has a part of its own: fewer are in the cache anyway, and a
    tile of a table that is looked up begins anywhere.

    Example: a product with a weight behind a barrier becomes
    ```mlir
    mega.prefetch {
      mega.tiles (%i, %j) in (%n, 36) step (24, 4) {
        %w = mega.access read %weight[%j, 0, 0] [4, 576, 16] [1, 1, 1] : ...
        mega.fetch first 4096 of %w : ...
      }
    }
    mega.barrier
    mega.stage { ... read %weight ... }
    ```
  }];
  let options = [Option<"bytes", "bytes", "int64_t", /*default=*/"4096",
                        "What a worker fetches at most; 0 for nothing">];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def PlanMemory : Pass<"mega-plan-memory", "::ingot::mega::ProgramOp"> {
  let summary = "Place every allocation at an offset of one arena";
  let description = [{
    Allocations between the stages become views of an arena. Two buffers whose
    lives do not meet share a slot (a stage with its prologues, and what stands
    between two barriers without condition, is one point in time), whose size is the larger of their symbolic
    sizes; offsets are run-time expressions, multiples of 64. A
    `mega.alloc_each` takes its size once for each worker where its condition
    holds, and becomes a `mega.scratch`. Allocations inside a stage become
    stack memory where a small constant bounds them, and `mega.scratch`, a part
    of the arena for each worker, where not. The program gets the arguments
    arena, worker, workers and error (`ingot.role`), and returns the arena's
    size as its last result.

    Example: two buffers of `%n * 4` bytes, the second made after the first's
    last use, both become `memref.view %arena[%c0][%n]`.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::affine::AffineDialect",
                           "::mlir::LLVM::LLVMDialect"];
}

def AddSampler : Pass<"mega-add-sampler", "::mlir::ModuleOp"> {
  let summary = "Give a decoder the program that chooses a token by logits";
  let description = [{
    A module whose main program has state gets the program `sample` of
    lib/Transforms/Schedule/Sampler.mlir: a repetition penalty, temperature,
    top-k, top-p, min-p and a draw. Each part of the vocabulary finds its largest
    logit and its share of the top k; one tile puts the parts together in their
    order. It is planned, proved and compiled like what was made from the model.

    Example: beside `mega.program @main`,
    ```mlir
    mega.program @sample(%logits: memref<?xf32>, %history: memref<?xi64>,
                         %reals: memref<4xf64>, %numbers: memref<4xi64>,
                         %token: memref<2xi64>) -> index { ... }
    ```
  }];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::func::FuncDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::ingot::mega::MegaDialect"
  ];
}

def AddTokenLoop : Pass<"mega-add-token-loop", "::mlir::ModuleOp"> {
  let summary = "Give a decoder the program that runs token after token";
  let description = [{
    A module with the programs `decode` and `sample` gets `generate`, which
    calls one after the other until a stop, for one row: a token is chosen by
    the logits of the last one, worker 0 hands it to the host and looks whether
    it is the end (lib/Transforms/Schedule/TokenLoop.mlir), and it is read. What
    the calls are given are arguments of `generate`, which the host and the
    program share. Workers meet after each call and after what worker 0 does.

    Example: beside `mega.program @decode` and `@sample`,
    ```mlir
    mega.program @generate(%tokens: memref<?x1xi64> {ingot.role = "shared"}, ...) {
      mega.loop %turn = 0 to 9223372036854775807 {
        mega.call @sample(%logits, ...) to (%token) : ...
        mega.barrier
        mega.single { ... mega.tell %id ... }
        mega.barrier
        mega.until %is_over
        mega.call @decode(%tokens, %past, %count) to (%logits) : ...
        mega.barrier
      }
    }
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect", "::ingot::mega::MegaDialect"
  ];
}

#endif // INGOT_TRANSFORMS_SCHEDULE_PASSES
