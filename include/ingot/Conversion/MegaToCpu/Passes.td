//===- Passes.td - stages to SPMD code ---------------------*- tablegen -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef INGOT_CONVERSION_MEGATOCPU_PASSES
#define INGOT_CONVERSION_MEGATOCPU_PASSES

include "mlir/Pass/PassBase.td"

def ChooseTiles : Pass<"ingot-choose-tiles", "::mlir::ModuleOp"> {
  let summary = "Choose the tiles of ops with kernels by a cost model";
  let description = [{
    Gives every op whose kernel reuses what it reads (products, attention) the
    attribute `ingot.tile`: what it is of (`of`) and the tile that is best by the
    cost model for the machine that the options describe (`sizes`: rows, columns,
    depth of a block of K). Stages are cut and kernels blocked by it. `choices`
    come first: `SHAPE=ROWSxCOLUMNSxDEPTH` with the text of the attribute's `of`;
    the last one for a shape counts.

    Example:
    ```mlir
    %1 = ingot.linear ins(%x, %w : tensor<?x768xf32>, tensor<192x768x16xf32>) outs(%0 : ...)
    ```
    gets
    ```mlir
    {ingot.tile = {of = "product 768x3072 of 32 bits", sizes = array<i64: 128, 64, 1024>}}
    ```
  }];
  let options = [
    Option<"workers", "workers", "int64_t", /*default=*/"16",
           "Workers of a team">,
    Option<"ownCache", "own-cache", "int64_t", /*default=*/"1 << 20",
           "Bytes of a worker's own cache">,
    Option<"lastCache", "last-cache", "int64_t", /*default=*/"32 << 20",
           "Bytes of the last cache">,
    Option<"flops", "flops", "double", /*default=*/"120e9",
           "Operations per second of a worker">,
    Option<"ownReads", "own-reads", "double", /*default=*/"115e9",
           "Bytes per second that a worker reads from its own cache">,
    Option<"lastReads", "last-reads", "double", /*default=*/"65e9",
           "Bytes per second that a worker reads from the last cache">,
    Option<"memoryReads", "memory-reads", "double", /*default=*/"15e9",
           "Bytes per second that a worker reads from memory">,
    ListOption<"choices", "choices", "std::string",
               "Tiles that are given, SHAPE=TILE each">];
}

def OutlineTiles : Pass<"mega-outline-tiles", "::mlir::ModuleOp"> {
  let summary = "Move the tiles of every stage into functions";
  let description = [{
    A `mega.tiles` becomes a function over the values that it reads and the
    tiles that it is to run: first, end and step. Of a stage, each worker runs a
    share of all tiles: neighbours, so that what a worker reads is one stream, or
    every so many where later tiles may cost more or the last rows far less.
    Where there are fewer tiles than workers, those of the first numbers have
    them. What each worker would run for itself only those run who have a tile
    that reads it. Barriers are told how many workers had something to do
    (`mega.barrier of`), which the others wait for. A tile that awaits others
    asks `ingot_await` first, which answers whether the run goes on; one that
    signals adds to its counter at the end. What such a tile does in between is a
    function as of one that does neither. Tiles that differ only in
    addresses and sizes share one function, those of different programs, too.
    What is known of a program's tiles is its attribute `ingot.stages`.

    Example: `mega.tiles (%i) in (%n) step (24) { body }` becomes
    `func.call @stage_0(%buffer, %n, %first, %end, %step)` and
    ```mlir
    func.func private @stage_0(...) {
      scf.for %t = %first to %end step %step { body }
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::func::FuncDialect",
                           "::mlir::scf::SCFDialect"];
}

def EmitEntry : Pass<"ingot-emit-entry", "::mlir::ModuleOp"> {
  let summary = "Emit the functions that the runtime calls";
  let description = [{
    From a program whose tiles are functions, makes `ingot_entry` (what one
    worker runs: its buffers come from the context, and workers meet at the
    program's barriers) and `ingot_sizes` (from the dims of the inputs to those
    of the outputs, the symbols and the arena). `ingot_await` gets its body: it
    waits as at a barrier, until counters have reached their target.
    See runtime/core/Abi.h. A cache becomes a handle made of its group's page
    table and its offsets in a page. `ingot.size` becomes arithmetic over the
    symbols and `ingot.check` stores the index of its message in the module's
    attribute `ingot.errors`. The program's `ingot.stages` and `ingot.arena`
    become attributes of the module.

    A module may hold further programs: of several `main` is
    the main one, and every other one is an entry called by its name. `@decode`
    becomes `@ingot_entry_decode` and `@ingot_sizes_decode`; what is known of its
    stages and arena is in the module's `ingot.entries`.

    Example: two stages with a barrier between them become
    ```mlir
    func.func @ingot_entry(%context: !llvm.ptr, %worker: i64, %workers: i64) {
      ...
      func.call @stage_0(%buffer, %n, %w, %ws) : (...) -> ()
      %stop = func.call @ingot_barrier(%context, ...) : (...) -> i1
      cf.cond_br %stop, ^exit, ^next
    ^next:
      func.call @stage_1(%buffer, %n, %w, %ws) : (...) -> ()
      ...
    ```
  }];
  let options = [Option<"target", "target", "std::string",
                        /*default=*/"\"x86-64-v3\"",
                        "The CPU whose pause and counter are used">];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::func::FuncDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::LLVM::LLVMDialect"];
}

def LowerCacheHandles : Pass<"ingot-lower-cache-handles", "::mlir::ModuleOp"> {
  let summary = "Make cache handles structs of addresses and offsets";
  let description = [{
    Every value of type `!ingot.cache`, arguments of functions included, becomes
    a struct: the table of its pages (one address for each row and page), pages
    in a row, and the byte offsets of its keys and its values in a page. A part
    of a cache is a table further on and other offsets; a page is an address
    from the table. An op on a cache that no kernel was written for is an error.

    Example: `%k, %v = ingot.cache_page %cache[%row, %page]` becomes
    ```mlir
    %table = llvm.extractvalue %cache[0] : !llvm.struct<(ptr, i64, i64, i64)>
    ...
    %address = llvm.load %entry : !llvm.ptr -> !llvm.ptr
    %start = llvm.getelementptr %address[%key_offset] : (!llvm.ptr, i64) -> !llvm.ptr, i8
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::LLVM::LLVMDialect"];
}

def LowerChecks : Pass<"ingot-lower-checks", "::mlir::ModuleOp"> {
  let summary = "Lower runtime checks to stores of an error id";
  let description = [{
    `ingot.check` becomes a compare-exchange of the id of its message into the
    error word, the function's argument of role "error"; the first failure of a
    run wins. Ids are indices into the module's attribute `ingot.errors`.

    Example: `ingot.check %ok, "index out of range"` becomes
    `scf.if %failed { llvm.cmpxchg %error, 0, 3 }`.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::LLVM::LLVMDialect"];
}

def LowerExpandShapes : Pass<"ingot-lower-expand-shapes"> {
  let summary = "Write memref.expand_shape as sizes and strides";
  let description = [{
    Upstream's expansion of strided metadata does not know reshapes that split
    one dim into several dynamic ones; here the sizes are operands of the op, so
    all follow from the source's strides.

    Example: `memref.expand_shape %a [[0, 1]] output_shape [%b, %s]` becomes
    `memref.reinterpret_cast %base to sizes: [%b, %s], strides: [%s, 1]`.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect"];
}

def HoistScratch : Pass<"ingot-hoist-scratch", "::mlir::func::FuncOp"> {
  let summary = "Move stack buffers of static size to the function's entry";
  let description = [{
    A stack buffer made inside a loop would take new stack in every iteration
    until the function returns. Its contents do not outlive an iteration, so one
    buffer serves all of them.

    Example: a `memref.alloca() : memref<64xf32>` inside an `scf.for` becomes
    the first operation of the function.
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
}

#endif // INGOT_CONVERSION_MEGATOCPU_PASSES
