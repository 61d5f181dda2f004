// RUN: ingot-opt %s -split-input-file -verify-diagnostics -mlir-print-op-on-diagnostic=false -pass-pipeline="builtin.module(mega.program(mega-prove-order{remarks=true},mega-prove-writes{remarks=true},mega-prove-memory{remarks=true}))"

// Up to eight rows each worker computes the first stage for itself, into its own
// copy of what the second reads; of more rows there is one buffer for all.
ingot.dim @n {min = 1 : i64}
// expected-remark @+3 {{no race and no deadlock: 4 pairs of accesses, 5 queries, 2 cases}}
// expected-remark @+2 {{every element is written}}
// expected-remark @+1 {{no live buffers overlap: 2 reads, 3 writes}}
mega.program @own(
    %x: memref<?x8xf32> {ingot.role = "input", ingot.dims = #ingot.dims<n, 8>},
    %y: memref<?x8xf32> {ingot.role = "output", ingot.dims = #ingot.dims<n, 8>},
    %arena: memref<?xi8> {ingot.role = "arena"},
    %worker: index {ingot.role = "worker"}, %workers: index {ingot.role = "workers"}) -> index {
  %n = ingot.size <n>
  %true = arith.constant true
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c32 = arith.constant 32 : index
  %few = arith.cmpi ule, %n, %c8 : index
  %bytes = arith.muli %n, %c32 : index
  %others = arith.subi %workers, %c1 : index
  %all = arith.muli %bytes, %workers : index
  %less = arith.muli %bytes, %others : index
  %taken = arith.select %few, %all, %bytes : index
  %total = arith.addi %taken, %bytes : index
  %mine = arith.muli %bytes, %worker : index
  %at = arith.select %few, %mine, %c0 : index
  %own = mega.scratch %arena[%at][%n] each %few : memref<?xi8> to memref<?x8xf32>
  %b = memref.view %arena[%taken][%n] : memref<?xi8> to memref<?x8xf32>
  mega.stage each %few {
    mega.tiles (%i) in (%n) step (8) {
      %size = affine.min affine_map<(d0)[s0] -> (s0 - d0, 8)>(%i)[%n]
      %from = mega.access read %x[%i, 0] [%size, 8] [1, 1] : memref<?x8xf32> to memref<?x8xf32, strided<[8, 1], offset: ?>>
      %to = mega.access write %own[%i, 0] [%size, 8] [1, 1] : memref<?x8xf32> to memref<?x8xf32, strided<[8, 1], offset: ?>>
      linalg.exp ins(%from : memref<?x8xf32, strided<[8, 1], offset: ?>>) outs(%to : memref<?x8xf32, strided<[8, 1], offset: ?>>)
    }
  }
  mega.barrier unless %few
  mega.stage {
    mega.tiles (%i) in (%n) step (1) {
      %from = mega.access read %own[%i, 0] [1, 8] [1, 1] : memref<?x8xf32> to memref<1x8xf32, strided<[8, 1], offset: ?>>
      %to = mega.access write %b[%i, 0] [1, 8] [1, 1] : memref<?x8xf32> to memref<1x8xf32, strided<[8, 1], offset: ?>>
      linalg.exp ins(%from : memref<1x8xf32, strided<[8, 1], offset: ?>>) outs(%to : memref<1x8xf32, strided<[8, 1], offset: ?>>)
    }
  }
  mega.barrier
  mega.stage {
    mega.tiles (%i) in (%n) step (2) {
      %size = affine.min affine_map<(d0)[s0] -> (s0 - d0, 2)>(%i)[%n]
      %from = mega.access read %b[%i, 0] [%size, 8] [1, 1] : memref<?x8xf32> to memref<?x8xf32, strided<[8, 1], offset: ?>>
      %to = mega.access write %y[%i, 0] [%size, 8] [1, 1] : memref<?x8xf32> to memref<?x8xf32, strided<[8, 1], offset: ?>>
      linalg.exp ins(%from : memref<?x8xf32, strided<[8, 1], offset: ?>>) outs(%to : memref<?x8xf32, strided<[8, 1], offset: ?>>)
    }
  }
  mega.return %total : index
}

// -----

// The same as a prologue.
ingot.dim @n {min = 1 : i64}
// expected-remark @+3 {{no race and no deadlock: 4 pairs of accesses, 5 queries, 2 cases}}
// expected-remark @+2 {{every element is written}}
// expected-remark @+1 {{no live buffers overlap: 2 reads, 3 writes}}
mega.program @prologue(
    %x: memref<?x8xf32> {ingot.role = "input", ingot.dims = #ingot.dims<n, 8>},
    %y: memref<?x8xf32> {ingot.role = "output", ingot.dims = #ingot.dims<n, 8>},
    %arena: memref<?xi8> {ingot.role = "arena"},
    %worker: index {ingot.role = "worker"}, %workers: index {ingot.role = "workers"}) -> index {
  %n = ingot.size <n>
  %true = arith.constant true
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c32 = arith.constant 32 : index
  %few = arith.cmpi ule, %n, %c8 : index
  %bytes = arith.muli %n, %c32 : index
  %others = arith.subi %workers, %c1 : index
  %all = arith.muli %bytes, %workers : index
  %less = arith.muli %bytes, %others : index
  %taken = arith.select %few, %all, %bytes : index
  %total = arith.addi %taken, %bytes : index
  %mine = arith.muli %bytes, %worker : index
  %at = arith.select %few, %mine, %c0 : index
  %own = mega.scratch %arena[%at][%n] each %few : memref<?xi8> to memref<?x8xf32>
  %b = memref.view %arena[%taken][%n] : memref<?xi8> to memref<?x8xf32>
  mega.stage prologue each %few {
    mega.tiles (%i) in (%n) step (8) {
      %size = affine.min affine_map<(d0)[s0] -> (s0 - d0, 8)>(%i)[%n]
      %from = mega.access read %x[%i, 0] [%size, 8] [1, 1] : memref<?x8xf32> to memref<?x8xf32, strided<[8, 1], offset: ?>>
      %to = mega.access write %own[%i, 0] [%size, 8] [1, 1] : memref<?x8xf32> to memref<?x8xf32, strided<[8, 1], offset: ?>>
      linalg.exp ins(%from : memref<?x8xf32, strided<[8, 1], offset: ?>>) outs(%to : memref<?x8xf32, strided<[8, 1], offset: ?>>)
    }
    mega.barrier unless %few
  } {
    mega.tiles (%i) in (%n) step (1) {
      %from = mega.access read %own[%i, 0] [1, 8] [1, 1] : memref<?x8xf32> to memref<1x8xf32, strided<[8, 1], offset: ?>>
      %to = mega.access write %b[%i, 0] [1, 8] [1, 1] : memref<?x8xf32> to memref<1x8xf32, strided<[8, 1], offset: ?>>
      linalg.exp ins(%from : memref<1x8xf32, strided<[8, 1], offset: ?>>) outs(%to : memref<1x8xf32, strided<[8, 1], offset: ?>>)
    }
  }
  mega.barrier
  mega.stage {
    mega.tiles (%i) in (%n) step (2) {
      %size = affine.min affine_map<(d0)[s0] -> (s0 - d0, 2)>(%i)[%n]
      %from = mega.access read %b[%i, 0] [%size, 8] [1, 1] : memref<?x8xf32> to memref<?x8xf32, strided<[8, 1], offset: ?>>
      %to = mega.access write %y[%i, 0] [%size, 8] [1, 1] : memref<?x8xf32> to memref<?x8xf32, strided<[8, 1], offset: ?>>
      linalg.exp ins(%from : memref<?x8xf32, strided<[8, 1], offset: ?>>) outs(%to : memref<?x8xf32, strided<[8, 1], offset: ?>>)
    }
  }
  mega.return %total : index
}
