// RUN: ingot-opt %s -split-input-file -verify-diagnostics -mlir-print-op-on-diagnostic=false -pass-pipeline="builtin.module(mega.program(mega-prove-order,mega-prove-writes,mega-prove-memory))"

ingot.dim @n {min = 1 : i64}
// Where rows are few, each worker has its own buffer but wrote only its part of it.
mega.program @dealt(
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
  mega.stage  {
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
      // expected-error @+1 {{not all that is read was written: stage 2 reads the worker's own buffer}}
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

ingot.dim @n {min = 1 : i64}
// Of many rows the others need what one wrote.
mega.program @nobody_waits(
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
      // expected-error @+1 {{may race: stage 1 writes the buffer at byte 0 of the arena, stage 2 reads the buffer at byte 0 of the arena, as with n = 9}}
      %to = mega.access write %own[%i, 0] [%size, 8] [1, 1] : memref<?x8xf32> to memref<?x8xf32, strided<[8, 1], offset: ?>>
      linalg.exp ins(%from : memref<?x8xf32, strided<[8, 1], offset: ?>>) outs(%to : memref<?x8xf32, strided<[8, 1], offset: ?>>)
    }
  }
  mega.barrier unless %true
  mega.stage {
    mega.tiles (%i) in (%n) step (1) {
      // expected-note @+1 {{the other}}
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

ingot.dim @n {min = 1 : i64}
// Each worker has the same memory for its own.
mega.program @one_for_all(
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
  %own = mega.scratch %arena[%c0][%n] each %few : memref<?xi8> to memref<?x8xf32>
  %b = memref.view %arena[%taken][%n] : memref<?xi8> to memref<?x8xf32>
  mega.stage each %few {
    mega.tiles (%i) in (%n) step (8) {
      %size = affine.min affine_map<(d0)[s0] -> (s0 - d0, 8)>(%i)[%n]
      %from = mega.access read %x[%i, 0] [%size, 8] [1, 1] : memref<?x8xf32> to memref<?x8xf32, strided<[8, 1], offset: ?>>
      // expected-error @+3 {{scratch overlaps: each worker's stage 1 writes the worker's own buffer at byte 0 of the arena, each worker's}}
      // expected-note @+2 {{the other}}
      // expected-error @+1 {{scratch overlaps: each worker's stage 1 writes the worker's own buffer at byte 0 of the arena, stage 2}}
      %to = mega.access write %own[%i, 0] [%size, 8] [1, 1] : memref<?x8xf32> to memref<?x8xf32, strided<[8, 1], offset: ?>>
      linalg.exp ins(%from : memref<?x8xf32, strided<[8, 1], offset: ?>>) outs(%to : memref<?x8xf32, strided<[8, 1], offset: ?>>)
    }
  }
  mega.barrier unless %few
  mega.stage {
    mega.tiles (%i) in (%n) step (1) {
      // expected-note @+1 {{the other}}
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

ingot.dim @n {min = 1 : i64}
// Of many rows workers take different memory for the same buffer.
mega.program @always_own(
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
  // expected-error @+1 {{is not the same buffer for all workers where its condition does not hold}}
  %own = mega.scratch %arena[%mine][%n] each %few : memref<?xi8> to memref<?x8xf32>
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

ingot.dim @n {min = 1 : i64}
// The last worker has no room of its own.
mega.program @one_too_few(
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
  %taken = arith.select %few, %less, %bytes : index
  %total = arith.addi %taken, %bytes : index
  %mine = arith.muli %bytes, %worker : index
  %at = arith.select %few, %mine, %c0 : index
  %own = mega.scratch %arena[%at][%n] each %few : memref<?xi8> to memref<?x8xf32>
  %b = memref.view %arena[%taken][%n] : memref<?xi8> to memref<?x8xf32>
  mega.stage each %few {
    mega.tiles (%i) in (%n) step (8) {
      %size = affine.min affine_map<(d0)[s0] -> (s0 - d0, 8)>(%i)[%n]
      %from = mega.access read %x[%i, 0] [%size, 8] [1, 1] : memref<?x8xf32> to memref<?x8xf32, strided<[8, 1], offset: ?>>
      // expected-error @+1 {{may race: each worker's stage 1 writes the worker's own buffer}}
      %to = mega.access write %own[%i, 0] [%size, 8] [1, 1] : memref<?x8xf32> to memref<?x8xf32, strided<[8, 1], offset: ?>>
      linalg.exp ins(%from : memref<?x8xf32, strided<[8, 1], offset: ?>>) outs(%to : memref<?x8xf32, strided<[8, 1], offset: ?>>)
    }
  }
  mega.barrier unless %few
  mega.stage {
    mega.tiles (%i) in (%n) step (1) {
      // expected-error @+1 {{may race: stage 2 reads}}
      %from = mega.access read %own[%i, 0] [1, 8] [1, 1] : memref<?x8xf32> to memref<1x8xf32, strided<[8, 1], offset: ?>>
      // expected-note @+1 {{the other}}
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

ingot.dim @n {min = 1 : i64}
// Where it is dealt, nobody meets behind the prologue.
mega.program @never_met(
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
      // expected-error @+1 {{may race: prologue 1 of stage 1 writes the buffer at byte 0 of the arena, stage 1 reads the buffer at byte 0 of the arena, as with n = 9}}
      %to = mega.access write %own[%i, 0] [%size, 8] [1, 1] : memref<?x8xf32> to memref<?x8xf32, strided<[8, 1], offset: ?>>
      linalg.exp ins(%from : memref<?x8xf32, strided<[8, 1], offset: ?>>) outs(%to : memref<?x8xf32, strided<[8, 1], offset: ?>>)
    }
  } {
    mega.tiles (%i) in (%n) step (1) {
      // expected-note @+1 {{the other}}
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

ingot.dim @n {min = 1 : i64}
// They meet in front of it.
mega.program @met_early(
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
  mega.barrier unless %few
  mega.stage prologue each %few {
    mega.tiles (%i) in (%n) step (8) {
      %size = affine.min affine_map<(d0)[s0] -> (s0 - d0, 8)>(%i)[%n]
      %from = mega.access read %x[%i, 0] [%size, 8] [1, 1] : memref<?x8xf32> to memref<?x8xf32, strided<[8, 1], offset: ?>>
      // expected-error @+1 {{may race: prologue 1 of stage 1 writes the buffer at byte 0 of the arena, stage 1 reads the buffer at byte 0 of the arena, as with n = 9}}
      %to = mega.access write %own[%i, 0] [%size, 8] [1, 1] : memref<?x8xf32> to memref<?x8xf32, strided<[8, 1], offset: ?>>
      linalg.exp ins(%from : memref<?x8xf32, strided<[8, 1], offset: ?>>) outs(%to : memref<?x8xf32, strided<[8, 1], offset: ?>>)
    }
  } {
    mega.tiles (%i) in (%n) step (1) {
      // expected-note @+1 {{the other}}
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

ingot.dim @n {min = 1 : i64}
// Nobody waits for what one wrote of many rows.
mega.program @met_never(
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
      // expected-error @+1 {{may race: prologue 1 of stage 1 writes the buffer at byte 0 of the arena, stage 1 reads the buffer at byte 0 of the arena, as with n = 9}}
      %to = mega.access write %own[%i, 0] [%size, 8] [1, 1] : memref<?x8xf32> to memref<?x8xf32, strided<[8, 1], offset: ?>>
      linalg.exp ins(%from : memref<?x8xf32, strided<[8, 1], offset: ?>>) outs(%to : memref<?x8xf32, strided<[8, 1], offset: ?>>)
    }
    mega.barrier unless %true
  } {
    mega.tiles (%i) in (%n) step (1) {
      // expected-note @+1 {{the other}}
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
