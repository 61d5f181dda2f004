// RUN: ingot-opt %s -split-input-file -verify-diagnostics -mlir-print-op-on-diagnostic=false -pass-pipeline="builtin.module(mega.program(mega-prove-order))"

mega.program @tiles_overlap(%n: index, %y: memref<?xf32> {ingot.role = "output"}) {
  %f = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %m = memref.dim %y, %c0 : memref<?xf32>
  mega.stage {
    mega.tiles (%i) in (%m) step (8) {
      // expected-error @+2 {{may race: stage 1 writes output argument 1, stage 1 writes output argument 1, as with dim 0 of argument 1 = }}
      // expected-note @+1 {{the other}}
      %to = mega.access write %y[%i] [9] [1] : memref<?xf32> to memref<9xf32, strided<[1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<9xf32, strided<[1], offset: ?>>)
    }
  }
  mega.return
}

// -----

mega.program @no_barrier(%y: memref<8xf32> {ingot.role = "output"}, %z: memref<8xf32> {ingot.role = "output"}) {
  %f = arith.constant 1.0 : f32
  mega.stage {
    mega.tiles (%i) in (8) step (1) {
      // expected-error @+1 {{may race: stage 1 writes output argument 0, stage 2 reads output argument 0, as with tile a[0] = }}
      %to = mega.access write %y[%i] [1] [1] : memref<8xf32> to memref<1xf32, strided<[1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<1xf32, strided<[1], offset: ?>>)
    }
  }
  mega.stage {
    mega.tiles (%i) in (8) step (4) {
      // expected-note @+1 {{the other}}
      %from = mega.access read %y[%i] [4] [1] : memref<8xf32> to memref<4xf32, strided<[1], offset: ?>>
      %to = mega.access write %z[%i] [4] [1] : memref<8xf32> to memref<4xf32, strided<[1], offset: ?>>
      linalg.copy ins(%from : memref<4xf32, strided<[1], offset: ?>>) outs(%to : memref<4xf32, strided<[1], offset: ?>>)
    }
  }
  mega.return
}

// -----

mega.program @arena(%n: index, %arena: memref<?xi8> {ingot.role = "arena"}) {
  %f = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %c28 = arith.constant 28 : index
  %a = memref.view %arena[%c0][] : memref<?xi8> to memref<8xf32>
  %b = memref.view %arena[%c28][] : memref<?xi8> to memref<8xf32>
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      // expected-error @+1 {{may race: stage 1 writes the buffer at byte 0 of the arena, stage 1 writes the buffer at byte 28 of the arena}}
      %to = mega.access write %a : memref<8xf32> to memref<8xf32>
      linalg.fill ins(%f : f32) outs(%to : memref<8xf32>)
    }
    mega.tiles (%i) in (1) step (1) {
      // expected-note @+1 {{the other}}
      %to = mega.access write %b : memref<8xf32> to memref<8xf32>
      linalg.fill ins(%f : f32) outs(%to : memref<8xf32>)
    }
  }
  mega.return
}

// -----

mega.program @scratch(%arena: memref<?xi8> {ingot.role = "arena"},
    %worker: index {ingot.role = "worker"}, %workers: index {ingot.role = "workers"}) {
  %c8 = arith.constant 8 : index
  %f = arith.constant 1.0 : f32
  %offset = arith.muli %worker, %c8 : index
  mega.stage {
    mega.tiles (%i) in (2) step (1) {
      // expected-error @+2 {{scratch overlaps}}
      // expected-note @+1 {{the other}}
      %s = mega.scratch %arena[%offset][] : memref<?xi8> to memref<4xf32>
      linalg.fill ins(%f : f32) outs(%s : memref<4xf32>)
    }
  }
  mega.return
}

// -----

// A worker that leaves, or counts other tiles, would be waited for for ever.
mega.program @leaves(%worker: index {ingot.role = "worker"}) {
  %c8 = arith.constant 8 : index
  // expected-error @+1 {{not every worker does the same: operand 0 depends on the worker}}
  %0 = arith.cmpi slt, %worker, %c8 : index
  ingot.check %0, "too many"
  mega.barrier
  mega.return
}

// -----

mega.program @count(%worker: index {ingot.role = "worker"}, %y: memref<8xf32> {ingot.role = "output"}) {
  mega.stage {
    // expected-error @+1 {{not every worker does the same: operand 0 depends on the worker}}
    mega.tiles (%i) in (%worker) step (1) {
    }
  }
  mega.return
}

// -----

mega.program @check(%x: memref<8xi64> {ingot.role = "input"}, %y: memref<8xf32> {ingot.role = "output"}) {
  %f = arith.constant 1.0 : f32
  %zero = arith.constant 0 : i64
  // expected-note @+1 {{the stage}}
  mega.stage {
    mega.tiles (%i) in (8) step (1) {
      %from = mega.access read %x : memref<8xi64> to memref<8xi64>
      %0 = memref.load %from[%i] : memref<8xi64>
      %1 = arith.cmpi sge, %0, %zero : i64
      ingot.check %1, "index out of range"
    }
  }
  // expected-error @+1 {{does not wait for the checks of an earlier stage}}
  mega.stage {
    mega.tiles (%i) in (8) step (8) {
      %to = mega.access write %y : memref<8xf32> to memref<8xf32>
      linalg.fill ins(%f : f32) outs(%to : memref<8xf32>)
    }
  }
  mega.return
}

// -----

mega.program @input(%x: memref<8xf32> {ingot.role = "input"}) {
  %f = arith.constant 1.0 : f32
  mega.stage {
    mega.tiles (%i) in (8) step (8) {
      // expected-error @+1 {{writes to what is no output: stage 1 writes input argument 0}}
      %to = mega.access write %x : memref<8xf32> to memref<8xf32>
      linalg.fill ins(%f : f32) outs(%to : memref<8xf32>)
    }
  }
  mega.return
}

// -----

mega.program @every_worker(%y: memref<8xf32> {ingot.role = "output"}) {
  %f = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{races with itself on other workers: every worker writes output argument 0}}
  memref.store %f, %y[%c0] : memref<8xf32>
  mega.return
}

// -----

mega.program @unknown(%y: memref<8xf32> {ingot.role = "output"}, %z: memref<8xf32> {ingot.role = "output"}, %c: i1) {
  %f = arith.constant 1.0 : f32
  mega.stage {
    mega.tiles (%i) in (8) step (8) {
      %a = mega.access write %y : memref<8xf32> to memref<8xf32>
      %b = mega.access write %z : memref<8xf32> to memref<8xf32>
      // expected-error @+1 {{cannot be proved: its effects are not known}}
      %to = arith.select %c, %a, %b : memref<8xf32>
      linalg.fill ins(%f : f32) outs(%to : memref<8xf32>)
    }
  }
  mega.return
}

// -----

mega.program @cache(%k: memref<4x3x16xf32> {ingot.role = "input"},
    %count: memref<1xi64> {ingot.role = "input"},
    %cache: !ingot.cache<heads = 3, key_depth = 16, value_depth = 16, type = f32, window = 0> {ingot.role = "cache"}) {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  mega.stage {
    mega.tiles (%i) in (4) step (2) {
      %from = mega.access read %k[%i, 0, 0] [2, 3, 16] [1, 1, 1] : memref<4x3x16xf32> to memref<2x3x16xf32, strided<[48, 16, 1], offset: ?>>
      %c = mega.access read %count : memref<1xi64> to memref<1xi64>
      // expected-error @+2 {{may race: stage 1 writes cache argument 2, stage 1 writes cache argument 2}}
      // expected-note @+1 {{the other}}
      ingot.cache_store <keys> ins(%from : memref<2x3x16xf32, strided<[48, 16, 1], offset: ?>>) rows(%c0 of %c4) past(%c : memref<1xi64>) count(%c : memref<1xi64>) into(%cache : <heads = 3, key_depth = 16, value_depth = 16, type = f32, window = 0>)
    }
  }
  mega.return
}

// -----

// Some workers wait and some do not.
mega.program @stuck(%worker: index {ingot.role = "worker"}) {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{not every worker does the same: operand 0 depends on the worker}}
  %first = arith.cmpi eq, %worker, %c0 : index
  mega.barrier unless %first
  mega.return
}

// -----

// What is written is all of one worker's, whether or not others wait for it.
mega.program @unowned(%few: i1, %y: memref<8xf32> {ingot.role = "output"}) {
  %f = arith.constant 1.0 : f32
  mega.stage {
    mega.tiles (%i) in (8) step (4) {
      // expected-error @+1 {{may race: stage 1 writes output argument 1, stage 2 reads output argument 1}}
      %to = mega.access write %y[%i] [4] [1] : memref<8xf32> to memref<4xf32, strided<[1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<4xf32, strided<[1], offset: ?>>)
    }
  }
  mega.barrier unless %few
  mega.stage {
    mega.tiles (%i) in (8) step (8) {
      // expected-note @+1 {{the other}}
      %from = mega.access read %y[%i] [8] [1] : memref<8xf32> to memref<8xf32, strided<[1], offset: ?>>
    }
  }
  mega.return
}

// -----

ingot.dim @n {max = 8 : i64}
// expected-error @+1 {{cannot be proved: no sizes were found that meet its checks and the ranges of its dims}}
mega.program @impossible() {
  %n = ingot.size <n>
  %c8 = arith.constant 8 : index
  %many = arith.cmpi sgt, %n, %c8 : index
  ingot.check %many, "too few"
  mega.return
}

// -----

// expected-error @+1 {{cannot be proved: its conditions hold in more than 64 ways}}
mega.program @undecided(%a: i1, %b: i1, %c: i1, %d: i1, %e: i1, %f: i1, %g: i1) {
  mega.barrier unless %a
  mega.barrier unless %b
  mega.barrier unless %c
  mega.barrier unless %d
  mega.barrier unless %e
  mega.barrier unless %f
  mega.barrier unless %g
  mega.return
}

// -----

// What the program writes, or may, is not fetched ahead.
mega.program @fetch_output(%y: memref<8xf32> {ingot.role = "output"}) {
  mega.prefetch {
    mega.tiles (%i) in (8) step (4) {
      // expected-error @below {{fetches ahead what the program may write}}
      %from = mega.access read %y[%i] [4] [1] : memref<8xf32> to memref<4xf32, strided<[1], offset: ?>>
      mega.fetch first 64 of %from : memref<4xf32, strided<[1], offset: ?>>
    }
  }
  mega.return
}

// -----

mega.program @fetch_arena(%arena: memref<?xi8> {ingot.role = "arena"}) {
  %c0 = arith.constant 0 : index
  %view = memref.view %arena[%c0][] : memref<?xi8> to memref<8xf32>
  mega.prefetch {
    mega.tiles (%i) in (8) step (4) {
      // expected-error @below {{fetches ahead what the program may write}}
      %from = mega.access read %view[%i] [4] [1] : memref<8xf32> to memref<4xf32, strided<[1], offset: ?>>
      mega.fetch first 64 of %from : memref<4xf32, strided<[1], offset: ?>>
    }
  }
  mega.return
}
