// RUN: ingot-opt %s -split-input-file -verify-diagnostics -mlir-print-op-on-diagnostic=false -pass-pipeline="builtin.module(mega.program(mega-prove-memory))"

// The second buffer begins before the first, of n elements, has ended.
ingot.dim @n {min = 1 : i64}
mega.program @overlap(%y: memref<?xf32> {ingot.role = "output", ingot.dims = #ingot.dims<n>},
    %arena: memref<?xi8> {ingot.role = "arena"}) -> index {
  %f = arith.constant 1.0 : f32
  %n = ingot.size <n>
  %c0 = arith.constant 0 : index
  %c3 = arith.constant 3 : index
  %c16 = arith.constant 16 : index
  %early = arith.muli %n, %c3 : index
  %total = arith.muli %n, %c16 : index
  %a = memref.view %arena[%c0][%n] : memref<?xi8> to memref<?xf32>
  %b = memref.view %arena[%early][%n] : memref<?xi8> to memref<?xf32>
  mega.stage {
    mega.tiles (%i) in (%n) step (8) {
      %size = affine.min affine_map<(d0)[s0] -> (s0 - d0, 8)>(%i)[%n]
      %to = mega.access write %a[%i] [%size] [1] : memref<?xf32> to memref<?xf32, strided<[1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<?xf32, strided<[1], offset: ?>>)
    }
  }
  mega.barrier
  mega.stage {
    mega.tiles (%i) in (%n) step (8) {
      %size = affine.min affine_map<(d0)[s0] -> (s0 - d0, 8)>(%i)[%n]
      // expected-error @+1 {{writes over what is read later: stage 2 writes the buffer at byte n * 3 of the arena, stage 3 reads the buffer at byte 0 of the arena, as with n = }}
      %to = mega.access write %b[%i] [%size] [1] : memref<?xf32> to memref<?xf32, strided<[1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<?xf32, strided<[1], offset: ?>>)
    }
  }
  mega.barrier
  mega.stage {
    mega.tiles (%i) in (%n) step (8) {
      %size = affine.min affine_map<(d0)[s0] -> (s0 - d0, 8)>(%i)[%n]
      // expected-note @+1 {{the other}}
      %from = mega.access read %a[%i] [%size] [1] : memref<?xf32> to memref<?xf32, strided<[1], offset: ?>>
      %too = mega.access read %b[%i] [%size] [1] : memref<?xf32> to memref<?xf32, strided<[1], offset: ?>>
      %to = mega.access write %y[%i] [%size] [1] : memref<?xf32> to memref<?xf32, strided<[1], offset: ?>>
      linalg.add ins(%from, %too : memref<?xf32, strided<[1], offset: ?>>, memref<?xf32, strided<[1], offset: ?>>) outs(%to : memref<?xf32, strided<[1], offset: ?>>)
    }
  }
  mega.return %total : index
}

// -----

mega.program @bounds(%y: memref<9xf32> {ingot.role = "output"}, %arena: memref<?xi8> {ingot.role = "arena"}) -> index {
  %f = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  mega.stage {
    mega.tiles (%i) in (9) step (8) {
      // expected-error @+1 {{is not inside of the buffer: stage 1 writes output argument 0, as with tile a[0] = 1}}
      %to = mega.access write %y[%i] [8] [1] : memref<9xf32> to memref<8xf32, strided<[1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<8xf32, strided<[1], offset: ?>>)
    }
  }
  mega.return %c0 : index
}

// -----

mega.program @arena(%y: memref<8xf32> {ingot.role = "output"}, %arena: memref<?xi8> {ingot.role = "arena"}) -> index {
  %f = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %c31 = arith.constant 31 : index
  %a = memref.view %arena[%c0][] : memref<?xi8> to memref<8xf32>
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      // expected-error @+2 {{is not inside of the arena: stage 1 writes the buffer at byte 0 of the arena}}
      // expected-error @+1 {{nothing reads what is written: stage 1 writes the buffer at byte 0 of the arena}}
      %to = mega.access write %a : memref<8xf32> to memref<8xf32>
      linalg.fill ins(%f : f32) outs(%to : memref<8xf32>)
    }
  }
  mega.return %c31 : index
}

// -----

mega.program @unwritten(%y: memref<8xf32> {ingot.role = "output"}, %arena: memref<?xi8> {ingot.role = "arena"}) -> index {
  %f = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %a = memref.view %arena[%c0][] : memref<?xi8> to memref<8xf32>
  %b = memref.view %arena[%c64][] : memref<?xi8> to memref<8xf32>
  mega.stage {
    mega.tiles (%i) in (4) step (4) {
      %to = mega.access write %a[%i] [4] [1] : memref<8xf32> to memref<4xf32, strided<[1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<4xf32, strided<[1], offset: ?>>)
    }
  }
  mega.barrier
  mega.stage {
    mega.tiles (%i) in (8) step (4) {
      // expected-error @+1 {{not all that is read was written: stage 2 reads the buffer at byte 0 of the arena, as with tile a[0] = 1, element[0] = }}
      %from = mega.access read %a[%i] [4] [1] : memref<8xf32> to memref<4xf32, strided<[1], offset: ?>>
      // expected-error @+1 {{is read before it is written, with no barrier between: stage 2 reads the buffer at byte 64 of the arena}}
      %never = mega.access read %b[%i] [4] [1] : memref<8xf32> to memref<4xf32, strided<[1], offset: ?>>
      %to = mega.access write %y[%i] [4] [1] : memref<8xf32> to memref<4xf32, strided<[1], offset: ?>>
      linalg.add ins(%from, %never : memref<4xf32, strided<[1], offset: ?>>, memref<4xf32, strided<[1], offset: ?>>) outs(%to : memref<4xf32, strided<[1], offset: ?>>)
    }
  }
  %c96 = arith.constant 96 : index
  mega.return %c96 : index
}

// -----

// expected-error @+1 {{has no arena: plan memory first}}
mega.program @unplanned(%y: memref<8xf32> {ingot.role = "output"}) {
  mega.return
}

// -----

mega.program @reshape(%n: index, %x: memref<?xf32> {ingot.role = "input"}, %arena: memref<?xi8> {ingot.role = "arena"}) -> index {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{has not as many elements as what it is a view of}}
  %0 = memref.expand_shape %x [[0, 1]] output_shape [%n, 4] : memref<?xf32> into memref<?x4xf32>
  mega.return %c0 : index
}

// -----

// The second write does not renew all of what was read in between.
mega.program @stale(%y: memref<8xf32> {ingot.role = "output"}, %arena: memref<?xi8> {ingot.role = "arena"}) -> index {
  %f = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %a = memref.view %arena[%c0][] : memref<?xi8> to memref<8xf32>
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %to = mega.access write %a : memref<8xf32> to memref<8xf32>
      linalg.fill ins(%f : f32) outs(%to : memref<8xf32>)
    }
  }
  mega.barrier
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %from = mega.access read %a : memref<8xf32> to memref<8xf32>
      %to = mega.access write %y : memref<8xf32> to memref<8xf32>
      linalg.copy ins(%from : memref<8xf32>) outs(%to : memref<8xf32>)
    }
  }
  mega.barrier
  mega.stage {
    mega.tiles (%i) in (6) step (2) {
      %to = mega.access write %a[%i] [2] [1] : memref<8xf32> to memref<2xf32, strided<[1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<2xf32, strided<[1], offset: ?>>)
    }
  }
  mega.barrier
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      // expected-error @+1 {{not all that is read was written: stage 4 reads the buffer at byte 0 of the arena, as with element[0] = 6}}
      %from = mega.access read %a : memref<8xf32> to memref<8xf32>
      %to = mega.access write %y : memref<8xf32> to memref<8xf32>
      linalg.copy ins(%from : memref<8xf32>) outs(%to : memref<8xf32>)
    }
  }
  mega.return %c32 : index
}

// -----

// A tile reads more than it wrote before.
mega.program @made_in_tile(%y: memref<8x2xf32> {ingot.role = "output"}, %arena: memref<?xi8> {ingot.role = "arena"}) -> index {
  %f = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %a = memref.view %arena[%c0][] : memref<?xi8> to memref<8x2xf32>
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      // expected-error @+1 {{is read before it is written, with no barrier between: stage 1 reads the buffer at byte 0 of the arena}}
      %from = mega.access read %a : memref<8x2xf32> to memref<8x2xf32>
      // expected-error @+1 {{nothing reads what is written: stage 1 writes the buffer at byte 0 of the arena}}
      %made = mega.access write %a[0, 0] [8, 1] [1, 1] : memref<8x2xf32> to memref<8xf32, strided<[2]>>
      %to = mega.access write %y : memref<8x2xf32> to memref<8x2xf32>
      linalg.fill ins(%f : f32) outs(%made : memref<8xf32, strided<[2]>>)
      linalg.copy ins(%from : memref<8x2xf32>) outs(%to : memref<8x2xf32>)
    }
  }
  mega.return %c64 : index
}

// -----

// A tile reads before it writes.
mega.program @made_too_late(%y: memref<8xf32> {ingot.role = "output"}, %arena: memref<?xi8> {ingot.role = "arena"}) -> index {
  %f = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %a = memref.view %arena[%c0][] : memref<?xi8> to memref<8xf32>
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      // expected-error @+1 {{is read before it is written, with no barrier between: stage 1 reads the buffer at byte 0 of the arena}}
      %from = mega.access read %a : memref<8xf32> to memref<8xf32>
      // expected-error @+1 {{nothing reads what is written: stage 1 writes the buffer at byte 0 of the arena}}
      %made = mega.access write %a : memref<8xf32> to memref<8xf32>
      %to = mega.access write %y : memref<8xf32> to memref<8xf32>
      linalg.copy ins(%from : memref<8xf32>) outs(%to : memref<8xf32>)
      linalg.fill ins(%f : f32) outs(%made : memref<8xf32>)
    }
  }
  mega.return %c32 : index
}
