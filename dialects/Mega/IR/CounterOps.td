//===- CounterOps.td - tiles that wait for tiles -----------*- tablegen -*-===//
//
// Part of the Ingot Project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef COUNTER_OPS
#define COUNTER_OPS

include "dialects/Mega/IR/MegaBase.td"

/// One counter a row, which takes a cache line.
def Mega_Counters : Type<
    CPred<"::ingot::mega::areCounters($_self)">, "memref<?x8xi64>",
    "::mlir::MemRefType">;

def Mega_SignalOp : Mega_Op<"signal", [
    HasParent<"TilesOp">, MemoryEffects<[MemRead, MemWrite]>
  ]> {
  let summary = "Tells that a tile is done";
  let description = [{
    Adds 1 to the counter of the tile's number along the first dim of its space.
    Whatever the tile wrote is seen by whoever has awaited it. It is the last op
    of its tile. The counters were set to 0 before the last barrier, by a stage
    that writes them as any other buffer.

    ```mlir
    mega.tiles (%i, %j) in (%n, 384) step (24, 64) {
      ...
      mega.signal %counters : memref<?x8xi64>
    }
    ```
  }];
  let arguments = (ins Mega_Counters:$counters);
  let assemblyFormat = "$counters attr-dict `:` type($counters)";
  let hasVerifier = 1;
}

def Mega_AwaitOp : Mega_Op<"await", [
    HasParent<"TilesOp">, MemoryEffects<[MemRead, MemWrite]>
  ]> {
  let summary = "Waits until tiles of an earlier stage are done";
  let description = [{
    Waits until each of `count` counters from `first` on has reached `target`:
    the tiles of one space that have those numbers along its first dim. It
    stands in front of whatever touches memory in its tile. Of a run that was
    stopped nothing is waited for, and the tile is not run.

    A worker runs its tiles of an earlier stage before those of a later one, so
    that what is awaited is under way or done.

    ```mlir
    mega.tiles (%i) in (%n) step (8) {
      mega.await %counters[%band] [%bands] of %tiles : memref<?x8xi64>
      %x = mega.access read %t[%i, 0] [%size, 384] [1, 1] : ...
      ...
    }
    ```
  }];
  let arguments = (ins Mega_Counters:$counters, Index:$first, Index:$count,
                       Index:$target);
  let assemblyFormat = [{
    $counters `[` $first `]` `` `[` $count `]` `of` $target attr-dict
    `:` type($counters)
  }];
  let hasVerifier = 1;
}

#endif // COUNTER_OPS
