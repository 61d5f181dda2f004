// RUN: ingot-opt %s --split-input-file --verify-diagnostics

// expected-error @below {{does not end in 'mega.return'}}
mega.program @no_return() {
  llvm.unreachable
}

// -----

// expected-note @below {{the program}}
mega.program @results(%n: index) -> (index, index) {
  // expected-error @below {{returns ('index'), expected ('index', 'index')}}
  mega.return %n : index
}

// -----

mega.program @no_tiles() {
  // expected-error @below {{has no 'mega.tiles'}}
  mega.stage {
  }
  mega.return
}

// -----

mega.program @more() {
  // expected-error @below {{holds more than 'mega.tiles'}}
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
    }
    // expected-note @below {{'arith.constant'}}
    %c0 = arith.constant 0 : index
  }
  mega.return
}

// -----

mega.program @no_dim() {
  mega.stage {
    // expected-error @below {{expected at least one dim}}
    mega.tiles () in () step () {
    }
  }
  mega.return
}

// -----

mega.program @steps() {
  mega.stage {
    // expected-error @below {{has 2 extents and 1 steps}}
    mega.tiles (%i, %j) in (4, 4) step (1) {
    }
  }
  mega.return
}

// -----

mega.program @operands(%n: index) {
  mega.stage {
    // expected-error @below {{has not one operand for each dynamic extent and step}}
    "mega.tiles"(%n) <{static_extents = array<i64: 4>, static_steps = array<i64: 1>, operandSegmentSizes = array<i32: 1, 0>}> ({
    ^bb0(%i: index):
    }) : (index) -> ()
  }
  mega.return
}

// -----

mega.program @negative() {
  mega.stage {
    // expected-error @below {{extent -4 is negative}}
    mega.tiles (%i) in (-4) step (1) {
    }
  }
  mega.return
}

// -----

mega.program @standing() {
  mega.stage {
    // expected-error @below {{step 0 is not positive}}
    mega.tiles (%i) in (4) step (0) {
    }
  }
  mega.return
}

// -----

mega.program @origin() {
  mega.stage {
    // expected-error @below {{body takes 'index', expected 2 of type index}}
    mega.tiles (%i) in (4, 4) step (1, 1) {
    }
  }
  mega.return
}

// -----

// expected-note @below {{the memory}}
mega.program @reads(%x: memref<4xf32>) {
  mega.stage {
    mega.tiles (%i) in (4) step (1) {
      // expected-error @below {{reads memory from outside of the stage without 'mega.access'}}
      %0 = memref.load %x[%i] : memref<4xf32>
    }
  }
  mega.return
}

// -----

// expected-note @below {{the memory}}
mega.program @writes_view(%x: memref<2x4xf32>) {
  %f = arith.constant 0.0 : f32
  mega.stage {
    mega.tiles (%i) in (4) step (1) {
      %0 = memref.collapse_shape %x [[0, 1]] : memref<2x4xf32> into memref<8xf32>
      // expected-error @below {{writes memory from outside of the stage without 'mega.access'}}
      memref.store %f, %0[%i] : memref<8xf32>
    }
  }
  mega.return
}

// -----

mega.program @mode(%x: memref<4xf32>) {
  %f = arith.constant 0.0 : f32
  mega.stage {
    mega.tiles (%i) in (4) step (1) {
      // expected-note @below {{the access}}
      %0 = mega.access read %x : memref<4xf32> to memref<4xf32>
      // expected-error @below {{writes what is accessed as 'read'}}
      memref.store %f, %0[%i] : memref<4xf32>
    }
  }
  mega.return
}

// -----

mega.program @whole_sizes(%x: memref<4xf32>) {
  // expected-error @below {{has sizes or strides without offsets}}
  %0 = "mega.access"(%x) <{mode = #mega<mode read>, static_offsets = array<i64>, static_sizes = array<i64: 4>, static_strides = array<i64>, operandSegmentSizes = array<i32: 1, 0, 0, 0>}> : (memref<4xf32>) -> memref<4xf32>
  mega.return
}

// -----

mega.program @whole_type(%x: memref<4xf32>) {
  // expected-error @below {{of the whole buffer has type 'memref<2xf32>', expected 'memref<4xf32>'}}
  %0 = mega.access read %x : memref<4xf32> to memref<2xf32>
  mega.return
}

// -----

mega.program @lists(%x: memref<4x4xf32>) {
  // expected-error @below {{expected 2 offsets, sizes and strides, as the buffer has dims}}
  %0 = mega.access read %x[0] [4] [1] : memref<4x4xf32> to memref<4xf32>
  mega.return
}

// -----

mega.program @shape(%x: memref<4x4xf32>) {
  // expected-error @below {{has shape 'memref<3x4xf32>', expected 'memref<2x4xf32, strided<[4, 1]>>' or the same without dims of size 1}}
  %0 = mega.access read %x[0, 0] [2, 4] [1, 1] : memref<4x4xf32> to memref<3x4xf32>
  mega.return
}

// -----

mega.program @layout(%x: memref<4x4xf32>) {
  // expected-error @below {{has type 'memref<4xf32>', expected 'memref<4xf32, strided<[1], offset: 4>>'}}
  %0 = mega.access read %x[1, 0] [1, 4] [1, 1] : memref<4x4xf32> to memref<4xf32>
  mega.return
}

// -----

mega.program @outside(%a: memref<?xi8>, %at: index) {
  // expected-error @below {{stands outside of 'mega.tiles' without 'each'}}
  %0 = mega.scratch %a[%at][] : memref<?xi8> to memref<4xf32>
  mega.return
}

// -----

mega.program @arena(%a: memref<?xf32>, %at: index) {
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      // expected-error @below {{expected the arena to be bytes, not 'memref<?xf32>'}}
      %0 = mega.scratch %a[%at][] : memref<?xf32> to memref<4xf32>
    }
  }
  mega.return
}

// -----

mega.program @scratch_layout(%a: memref<?xi8>, %at: index) {
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      // expected-error @below {{expected a result without layout, not 'memref<4xf32, strided<[2]>>'}}
      %0 = mega.scratch %a[%at][] : memref<?xi8> to memref<4xf32, strided<[2]>>
    }
  }
  mega.return
}

// -----

mega.program @scratch_sizes(%a: memref<?xi8>, %at: index) {
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      // expected-error @below {{has 1 sizes for 2 dynamic dims}}
      %0 = mega.scratch %a[%at][%i] : memref<?xi8> to memref<?x?xf32>
    }
  }
  mega.return
}

// -----

mega.program @scratch_each(%a: memref<?xi8>, %at: index, %p: i1) {
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      // expected-error @below {{of a tile is the worker's own without condition}}
      %0 = mega.scratch %a[%at][] each %p : memref<?xi8> to memref<4xf32>
    }
  }
  mega.return
}

// -----

mega.program @each(%p: i1, %q: i1) {
  // expected-note @below {{the buffer}}
  %a = mega.alloc_each %q() : memref<4xf32>
  mega.stage each %p {
    mega.tiles (%i) in (1) step (1) {
      // expected-error @below {{of a stage that each worker runs writes what is not its own}}
      %0 = mega.access write %a : memref<4xf32> to memref<4xf32>
    }
  }
  mega.return
}

// -----

mega.program @each_sizes(%p: i1) {
  // expected-error @below {{has 0 sizes for 1 dynamic dims}}
  %a = mega.alloc_each %p() : memref<?xf32>
  mega.return
}

// -----

mega.program @each_layout(%p: i1) {
  // expected-error @below {{expected a buffer without layout, not 'memref<4xf32, strided<[2]>>'}}
  %a = mega.alloc_each %p() : memref<4xf32, strided<[2]>>
  mega.return
}

// -----

mega.program @prefetch_empty() {
  // expected-error @below {{has no 'mega.tiles'}}
  mega.prefetch {
  }
  mega.return
}

// -----

mega.program @prefetch_nothing(%x: memref<4xf32>) {
  // expected-error @below {{fetches nothing}}
  mega.prefetch {
    mega.tiles (%i) in (1) step (1) {
      %0 = mega.access read %x : memref<4xf32> to memref<4xf32>
    }
  }
  mega.return
}

// -----

mega.program @prefetch_writes(%x: memref<4xf32>) {
  // expected-error @below {{does more than to fetch what tiles read}}
  mega.prefetch {
    mega.tiles (%i) in (1) step (1) {
      // expected-note @below {{'mega.access'}}
      %0 = mega.access update %x : memref<4xf32> to memref<4xf32>
      mega.fetch first 64 of %0 : memref<4xf32>
    }
  }
  mega.return
}

// -----

mega.program @prefetch_loads(%x: memref<4xf32>) {
  // expected-error @below {{does more than to fetch what tiles read}}
  mega.prefetch {
    mega.tiles (%i) in (1) step (1) {
      %0 = mega.access read %x : memref<4xf32> to memref<4xf32>
      // expected-note @below {{'memref.load'}}
      %1 = memref.load %0[%i] : memref<4xf32>
    }
  }
  mega.return
}

// -----

mega.program @fetch_bytes(%x: memref<4xf32>) {
  mega.prefetch {
    mega.tiles (%i) in (1) step (1) {
      %0 = mega.access read %x : memref<4xf32> to memref<4xf32>
      // expected-error @below {{of 0 bytes, expected 1 or more}}
      mega.fetch first 0 of %0 : memref<4xf32>
    }
  }
  mega.return
}

// -----

mega.program @fetch_in_stage(%x: memref<4xf32>) {
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %0 = mega.access read %x : memref<4xf32> to memref<4xf32>
      // expected-error @below {{stands outside of 'mega.prefetch'}}
      mega.fetch first 64 of %0 : memref<4xf32>
    }
  }
  mega.return
}

// -----

mega.program @fetch_buffer(%x: memref<4xf32>) {
  mega.prefetch {
    mega.tiles (%i) in (1) step (1) {
      // expected-error @below {{expected the result of 'mega.access'}}
      mega.fetch first 64 of %x : memref<4xf32>
    }
  }
  mega.return
}

// -----

mega.program @prologue_conditions(%p: i1) {
  // expected-error @below {{has 1 conditions for 2 prologues}}
  "mega.stage"(%p) <{operandSegmentSizes = array<i32: 1, 0>}> ({
    mega.tiles (%i) in (1) step (1) {
    }
  }, {
    mega.tiles (%i) in (1) step (1) {
    }
  }, {
    mega.tiles (%i) in (1) step (1) {
    }
  }) : (i1) -> ()
  mega.return
}

// -----

mega.program @prologue_empty(%p: i1) {
  // expected-error @below {{has a prologue that has no 'mega.tiles'}}
  mega.stage prologue each %p {
  } {
    mega.tiles (%i) in (1) step (1) {
    }
  }
  mega.return
}

// -----

mega.program @prologue_more(%p: i1) {
  // expected-error @below {{has a prologue that holds more than 'mega.tiles' and a 'mega.barrier' behind them}}
  mega.stage prologue each %p {
    mega.tiles (%i) in (1) step (1) {
    }
    // expected-note @below {{'arith.constant'}}
    %c0 = arith.constant 0 : index
    mega.barrier
  } {
    mega.tiles (%i) in (1) step (1) {
    }
  }
  mega.return
}

// -----

mega.program @prologue_barrier(%p: i1) {
  // expected-error @below {{has a prologue that holds more than 'mega.tiles' and a 'mega.barrier' behind them}}
  mega.stage prologue each %p {
    // expected-note @below {{'mega.barrier'}}
    mega.barrier
    mega.tiles (%i) in (1) step (1) {
    }
  } {
    mega.tiles (%i) in (1) step (1) {
    }
  }
  mega.return
}

// -----

mega.program @barrier_inside(%p: i1) {
  // expected-error @below {{holds more than 'mega.tiles'}}
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
    }
    // expected-note @below {{'mega.barrier'}}
    mega.barrier
  }
  mega.return
}

// -----

mega.program @prologue_own(%p: i1, %q: i1) {
  // expected-note @below {{the buffer}}
  %a = mega.alloc_each %q() : memref<4xf32>
  mega.stage prologue each %p {
    mega.tiles (%i) in (1) step (1) {
      // expected-error @below {{of a prologue writes what is not its own}}
      %0 = mega.access write %a : memref<4xf32> to memref<4xf32>
    }
  } each %q {
    mega.tiles (%i) in (1) step (1) {
    }
  }
  mega.return
}
