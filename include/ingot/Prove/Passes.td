//===- Passes.td - checkers of programs --------------------*- tablegen -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_PROVE_PASSES
#define INGOT_PROVE_PASSES

include "mlir/Pass/PassBase.td"

class ProvePass<string argument, string op = "::ingot::mega::ProgramOp">
    : Pass<argument, op> {
  let options = [Option<"remarks", "remarks", "bool", "false",
                        "Emit a remark that tells what was proved">];
}

def ProveOrder : ProvePass<"mega-prove-order"> {
  let summary = "Prove that a program has no race and no deadlock";
  let description = [{
    Which worker runs a tile is taken for any function of the tile. So any two
    tiles that no barrier parts, of one stage or of several, have to touch
    disjoint elements, or both only read; the same holds of what every worker
    does for itself. Tiles that a tile awaits are done before it: the counters
    were 0 before the first of them, none but tiles of that number count in them,
    and the target is how many they are. Nobody waits for ever, since each worker
    runs its tiles in the order of the program and what is awaited comes before
    whoever awaits it. A stage that each worker runs writes buffers of the
    worker's own, which are apart from those of others. Whatever follows a stage
    that checks something waits for it. Every worker comes to the same barriers:
    what decides whether it goes on, how many tiles there are and where buffers
    lie is the same for all. For sizes that are not known before a run, all
    values are covered; each way that the conditions of stages and barriers can
    turn out is a case of its own.

    Example: for
    ```mlir
    mega.tiles (%i) in (%n) step (8) {
      %to = mega.access write %y[%i] [9] [1] : ...
    ```
    the error names two tiles and an element that both write.
  }];
}

def ProveWrites : ProvePass<"mega-prove-writes"> {
  let summary = "Prove that every element of every output is written";
  let description = [{
    The parts of an output that the tiles write, in the last stage that writes
    it or in all together, are all of it. That none is written twice in one stage
    is part of `mega-prove-order`. And the operands of every op in a tile have
    the extents that the op needs, as its indexing maps or `ExtentTiesInterface`
    say; an op of which that is not known is an error.

    Example: for an output of `%n` rows and
    ```mlir
    mega.tiles (%i) in (%n) step (8) {
      %to = mega.access write %y[%i] [4] [1] : ...
    ```
    the error names an element that no tile writes.
  }];
}

def ProveMemory : ProvePass<"mega-prove-memory"> {
  let summary = "Prove that no two live buffers overlap";
  let description = [{
    For a program whose memory is planned: every access is inside of its
    buffer, every buffer inside of the arena, and a worker's scratch apart from
    that of others and from all buffers. What is read was written in front of an
    earlier barrier, or by the same worker for itself, entirely, and since then
    nothing was written to a buffer that may have a byte in common. What a stage writes is read before it is
    written again, unless the stage checks something. A cache is read after what
    the run appends to it.

    Example: for a third buffer at the same offset as the first,
    ```mlir
    %a = memref.view %arena[%c0][%n] : ...
    mega.stage { ... write %a ... }
    mega.barrier
    mega.stage { ... write %c ... }
    mega.barrier
    mega.stage { ... read %a ... }
    ```
    the error names the stage that writes over what the last one reads.
  }];
}

def UnrollLoops : Pass<"mega-unroll-loops", "::ingot::mega::ProgramOp"> {
  let summary = "Write out loops for the checkers";
  let description = [{
    Replaces each `mega.loop` by as many copies of its body as it runs. The
    checkers see every time of a loop then, and what one leaves for the next. One
    that ends by `mega.until`, nobody knows when, becomes two: each time is as
    the one before it.

    Example: `mega.loop %i = 0 to 2 { A(%i) }` becomes `A(0)`, `A(1)`.
  }];
}

def ProveDealing : ProvePass<"mega-prove-dealing", "::mlir::ModuleOp"> {
  let summary = "Prove that each tile is run by one worker";
  let description = [{
    Lowers a copy of the module by `mega-outline-tiles` and compares what a
    worker runs then with the stages: the parts of an index space that workers
    run follow each other from the first tile to the last, or each runs every
    so many and no two begin at the same; where every worker runs a stage, each
    runs all. The number of a tile leads to its place, in row-major order, and
    views begin and end where accesses do. That is proved for any number of
    workers at once, or else for each number from 1 to 64.

    Example: of 100 tiles that seven workers share by hundreds times the number
    of the worker divided by seven, rounded down, the first runs 0 to 13 and the
    last 85 to 99.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::func::FuncDialect",
                           "::mlir::scf::SCFDialect"];
}

#endif // INGOT_PROVE_PASSES
