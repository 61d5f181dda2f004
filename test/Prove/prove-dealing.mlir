// RUN: ingot-opt %s -split-input-file -verify-diagnostics -mlir-print-op-on-diagnostic=false -pass-pipeline="builtin.module(mega-prove-dealing{remarks=true})"

// Spaces that are cut in one dim or in two, as many as are known, and a stage
// that each worker runs where rows are few, and such a prologue.
ingot.dim @n
// expected-remark @+1 {{program 'main': each tile is run by one worker: 6 spaces}}
mega.program @main(
    %x: memref<?x48xf32> {ingot.role = "input", ingot.dims = #ingot.dims<n, 48>},
    %y: memref<?x48xf32> {ingot.role = "output", ingot.dims = #ingot.dims<n, 48>},
    %arena: memref<?xi8> {ingot.role = "arena"},
    %worker: index {ingot.role = "worker"}, %workers: index {ingot.role = "workers"},
    %error: !llvm.ptr {ingot.role = "error"}) {
  %n = ingot.size <n>
  %c8 = arith.constant 8 : index
  %f = arith.constant 1.0 : f32
  %few = arith.cmpi ule, %n, %c8 : index
  mega.stage {
    mega.tiles (%i, %j) in (%n, 48) step (24, 16) {
      %size = affine.min affine_map<(d0)[s0] -> (s0 - d0, 24)>(%i)[%n]
      %to = mega.access write %y[%i, %j] [%size, 16] [1, 1] : memref<?x48xf32> to memref<?x16xf32, strided<[48, 1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<?x16xf32, strided<[48, 1], offset: ?>>)
    }
    mega.tiles (%i) in (%n) step (8) {
      %size = affine.min affine_map<(d0)[s0] -> (s0 - d0, 8)>(%i)[%n]
      %to = mega.access write %y[%i, 0] [%size, 48] [1, 1] : memref<?x48xf32> to memref<?x48xf32, strided<[48, 1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<?x48xf32, strided<[48, 1], offset: ?>>)
    }
    mega.tiles (%i, %j) in (%n, %n) step (1, 10) {
      %from = mega.access read %x[%i, %j] [1, 1] [1, 1] : memref<?x48xf32> to memref<1x1xf32, strided<[48, 1], offset: ?>>
    }
  }
  mega.stage each %few {
    mega.tiles (%i) in (%n) step (8) {
      %from = mega.access read %x[%i, 0] [1, 1] [1, 1] : memref<?x48xf32> to memref<1x1xf32, strided<[48, 1], offset: ?>>
    }
  }
  mega.stage prologue each %few {
    mega.tiles (%i) in (%n) step (8) {
      %from = mega.access read %x[%i, 0] [1, 1] [1, 1] : memref<?x48xf32> to memref<1x1xf32, strided<[48, 1], offset: ?>>
    }
    mega.barrier unless %few
  } {
    mega.tiles (%i) in (%n) step (2) {
      %from = mega.access read %x[%i, 0] [1, 1] [1, 1] : memref<?x48xf32> to memref<1x1xf32, strided<[48, 1], offset: ?>>
    }
  }
  mega.return
}

// -----

mega.program @negative(%n: index, %arena: memref<?xi8> {ingot.role = "arena"},
    %worker: index {ingot.role = "worker"}, %workers: index {ingot.role = "workers"},
    %error: !llvm.ptr {ingot.role = "error"}) {
  mega.stage {
    // expected-error @+1 {{may have less than no tiles among 1 workers; in program 'negative'}}
    mega.tiles (%i) in (%n) step (8) {
    }
  }
  mega.return
}

// -----

// An extent below nothing, but by less than a step: no tiles, like of nothing.
// By how much more it may be, a check in front of the stage says of the other.
ingot.dim @n
// expected-remark @+1 {{program 'short': each tile is run by one worker: 2 spaces}}
mega.program @short(
    %x: memref<?xf32> {ingot.role = "input", ingot.dims = #ingot.dims<n>},
    %arena: memref<?xi8> {ingot.role = "arena"},
    %worker: index {ingot.role = "worker"}, %workers: index {ingot.role = "workers"},
    %error: !llvm.ptr {ingot.role = "error"}) {
  %c7 = arith.constant 7 : index
  %c9 = arith.constant 9 : index
  %n = ingot.size <n>
  %less = arith.subi %n, %c7 : index
  %lesser = arith.subi %n, %c9 : index
  %enough = arith.cmpi sge, %n, %c9 : index
  mega.stage {
    mega.tiles (%i) in (%less) step (8) {
    }
  }
  ingot.check %enough, "too few"
  mega.stage {
    mega.tiles (%i) in (%lesser) step (8) {
    }
  }
  mega.return
}

// -----

// A check behind the stage is too late.
ingot.dim @n
mega.program @late(
    %x: memref<?xf32> {ingot.role = "input", ingot.dims = #ingot.dims<n>},
    %arena: memref<?xi8> {ingot.role = "arena"},
    %worker: index {ingot.role = "worker"}, %workers: index {ingot.role = "workers"},
    %error: !llvm.ptr {ingot.role = "error"}) {
  %c8 = arith.constant 8 : index
  %n = ingot.size <n>
  %less = arith.subi %n, %c8 : index
  %enough = arith.cmpi sge, %n, %c8 : index
  mega.stage {
    // expected-error @+1 {{may have less than no tiles among 1 workers; in program 'late'}}
    mega.tiles (%i) in (%less) step (8) {
    }
  }
  ingot.check %enough, "too few"
  mega.return
}

// -----

// Two such dims: less than none times less than none would be some.
ingot.dim @n
mega.program @second(
    %x: memref<?xf32> {ingot.role = "input", ingot.dims = #ingot.dims<n>},
    %arena: memref<?xi8> {ingot.role = "arena"},
    %worker: index {ingot.role = "worker"}, %workers: index {ingot.role = "workers"},
    %error: !llvm.ptr {ingot.role = "error"}) {
  %c1 = arith.constant 1 : index
  %n = ingot.size <n>
  %less = arith.subi %n, %c1 : index
  mega.stage {
    // expected-error @+1 {{may have less than no tiles among 1 workers; in program 'second'}}
    mega.tiles (%i, %j) in (%less, %less) step (1, 1) {
    }
  }
  mega.return
}
