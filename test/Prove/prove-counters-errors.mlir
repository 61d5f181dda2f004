// RUN: ingot-opt %s -split-input-file -verify-diagnostics -mlir-print-op-on-diagnostic=false -pass-pipeline="builtin.module(mega.program(mega-prove-order))"

mega.program @no_wait(%y: memref<64x16xf32> {ingot.role = "output"},
    %arena: memref<?xi8> {ingot.role = "arena"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0 : i64
  %f = arith.constant 1.0 : f32
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c4096 = arith.constant 4096 : index
  %bands = arith.constant 8 : index
  %t = memref.view %arena[%c0][] : memref<?xi8> to memref<64x16xf32>
  %k = memref.view %arena[%c4096][%bands] : memref<?xi8> to memref<?x8xi64>
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %all = mega.access write %k : memref<?x8xi64> to memref<?x8xi64>
      linalg.fill ins(%zero : i64) outs(%all : memref<?x8xi64>)
    }
  }
  mega.barrier
  mega.stage {
    mega.tiles (%i, %j) in (64, 16) step (8, 8) {
      // expected-error @+1 {{may race: stage 2 writes the buffer at byte 0 of the arena, stage 3 reads the buffer at byte 0 of the arena}}
      %to = mega.access write %t[%i, %j] [8, 8] [1, 1] : memref<64x16xf32> to memref<8x8xf32, strided<[16, 1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<8x8xf32, strided<[16, 1], offset: ?>>)
      mega.signal %k : memref<?x8xi64>
    }
  }
  mega.stage {
    mega.tiles (%i) in (64) step (4) {
      %band = affine.apply affine_map<(d0) -> (d0 floordiv 8)>(%i)
      %next = arith.addi %band, %c1 : index
      // expected-note @+1 {{the other}}
      %from = mega.access read %t[%i, 0] [4, 16] [1, 1] : memref<64x16xf32> to memref<4x16xf32, strided<[16, 1], offset: ?>>
      %to = mega.access write %y[%i, 0] [4, 16] [1, 1] : memref<64x16xf32> to memref<4x16xf32, strided<[16, 1], offset: ?>>
      linalg.copy ins(%from : memref<4x16xf32, strided<[16, 1], offset: ?>>) outs(%to : memref<4x16xf32, strided<[16, 1], offset: ?>>)
    }
  }
  mega.return
}

// -----

// The band before is another one.
mega.program @too_few(%y: memref<64x16xf32> {ingot.role = "output"},
    %arena: memref<?xi8> {ingot.role = "arena"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0 : i64
  %f = arith.constant 1.0 : f32
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c4096 = arith.constant 4096 : index
  %bands = arith.constant 8 : index
  %t = memref.view %arena[%c0][] : memref<?xi8> to memref<64x16xf32>
  %k = memref.view %arena[%c4096][%bands] : memref<?xi8> to memref<?x8xi64>
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %all = mega.access write %k : memref<?x8xi64> to memref<?x8xi64>
      linalg.fill ins(%zero : i64) outs(%all : memref<?x8xi64>)
    }
  }
  mega.barrier
  mega.stage {
    mega.tiles (%i, %j) in (64, 16) step (8, 8) {
      // expected-error @+1 {{may race: stage 2 writes the buffer at byte 0 of the arena, stage 3 reads the buffer at byte 0 of the arena}}
      %to = mega.access write %t[%i, %j] [8, 8] [1, 1] : memref<64x16xf32> to memref<8x8xf32, strided<[16, 1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<8x8xf32, strided<[16, 1], offset: ?>>)
      mega.signal %k : memref<?x8xi64>
    }
  }
  mega.stage {
    mega.tiles (%i) in (64) step (4) {
      %band = affine.apply affine_map<(d0) -> (d0 floordiv 8)>(%i)
      %next = arith.addi %band, %c1 : index
      mega.await %k[%band][%c0] of %c2 : memref<?x8xi64>
      // expected-note @+1 {{the other}}
      %from = mega.access read %t[%i, 0] [4, 16] [1, 1] : memref<64x16xf32> to memref<4x16xf32, strided<[16, 1], offset: ?>>
      %to = mega.access write %y[%i, 0] [4, 16] [1, 1] : memref<64x16xf32> to memref<4x16xf32, strided<[16, 1], offset: ?>>
      linalg.copy ins(%from : memref<4x16xf32, strided<[16, 1], offset: ?>>) outs(%to : memref<4x16xf32, strided<[16, 1], offset: ?>>)
    }
  }
  mega.return
}

// -----

// The first half of the tiles of a band is not all.
mega.program @target(%y: memref<64x16xf32> {ingot.role = "output"},
    %arena: memref<?xi8> {ingot.role = "arena"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0 : i64
  %f = arith.constant 1.0 : f32
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c4096 = arith.constant 4096 : index
  %bands = arith.constant 8 : index
  %t = memref.view %arena[%c0][] : memref<?xi8> to memref<64x16xf32>
  %k = memref.view %arena[%c4096][%bands] : memref<?xi8> to memref<?x8xi64>
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %all = mega.access write %k : memref<?x8xi64> to memref<?x8xi64>
      linalg.fill ins(%zero : i64) outs(%all : memref<?x8xi64>)
    }
  }
  mega.barrier
  mega.stage {
    mega.tiles (%i, %j) in (64, 16) step (8, 8) {
      %to = mega.access write %t[%i, %j] [8, 8] [1, 1] : memref<64x16xf32> to memref<8x8xf32, strided<[16, 1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<8x8xf32, strided<[16, 1], offset: ?>>)
      mega.signal %k : memref<?x8xi64>
    }
  }
  mega.stage {
    mega.tiles (%i) in (64) step (4) {
      %band = affine.apply affine_map<(d0) -> (d0 floordiv 8)>(%i)
      %next = arith.addi %band, %c1 : index
      // expected-error @+1 {{does not wait for as many tiles as there are}}
      mega.await %k[%band][%c1] of %c1 : memref<?x8xi64>
      %from = mega.access read %t[%i, 0] [4, 16] [1, 1] : memref<64x16xf32> to memref<4x16xf32, strided<[16, 1], offset: ?>>
      %to = mega.access write %y[%i, 0] [4, 16] [1, 1] : memref<64x16xf32> to memref<4x16xf32, strided<[16, 1], offset: ?>>
      linalg.copy ins(%from : memref<4x16xf32, strided<[16, 1], offset: ?>>) outs(%to : memref<4x16xf32, strided<[16, 1], offset: ?>>)
    }
  }
  mega.return
}

// -----

mega.program @never(%y: memref<64x16xf32> {ingot.role = "output"},
    %arena: memref<?xi8> {ingot.role = "arena"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0 : i64
  %f = arith.constant 1.0 : f32
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c4096 = arith.constant 4096 : index
  %bands = arith.constant 8 : index
  %t = memref.view %arena[%c0][] : memref<?xi8> to memref<64x16xf32>
  %k = memref.view %arena[%c4096][%bands] : memref<?xi8> to memref<?x8xi64>
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %all = mega.access write %k : memref<?x8xi64> to memref<?x8xi64>
      linalg.fill ins(%zero : i64) outs(%all : memref<?x8xi64>)
    }
  }
  mega.barrier
  mega.stage {
    mega.tiles (%i, %j) in (64, 16) step (8, 8) {
      %to = mega.access write %t[%i, %j] [8, 8] [1, 1] : memref<64x16xf32> to memref<8x8xf32, strided<[16, 1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<8x8xf32, strided<[16, 1], offset: ?>>)
      mega.signal %k : memref<?x8xi64>
    }
  }
  mega.stage {
    mega.tiles (%i) in (64) step (4) {
      %band = affine.apply affine_map<(d0) -> (d0 floordiv 8)>(%i)
      %next = arith.addi %band, %c1 : index
      // expected-error @+1 {{does not wait for as many tiles as there are}}
      mega.await %k[%band][%c1] of %c3 : memref<?x8xi64>
      %from = mega.access read %t[%i, 0] [4, 16] [1, 1] : memref<64x16xf32> to memref<4x16xf32, strided<[16, 1], offset: ?>>
      %to = mega.access write %y[%i, 0] [4, 16] [1, 1] : memref<64x16xf32> to memref<4x16xf32, strided<[16, 1], offset: ?>>
      linalg.copy ins(%from : memref<4x16xf32, strided<[16, 1], offset: ?>>) outs(%to : memref<4x16xf32, strided<[16, 1], offset: ?>>)
    }
  }
  mega.return
}

// -----

mega.program @behind_the_last(%y: memref<64x16xf32> {ingot.role = "output"},
    %arena: memref<?xi8> {ingot.role = "arena"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0 : i64
  %f = arith.constant 1.0 : f32
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c4096 = arith.constant 4096 : index
  %bands = arith.constant 8 : index
  %t = memref.view %arena[%c0][] : memref<?xi8> to memref<64x16xf32>
  %k = memref.view %arena[%c4096][%bands] : memref<?xi8> to memref<?x8xi64>
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %all = mega.access write %k : memref<?x8xi64> to memref<?x8xi64>
      linalg.fill ins(%zero : i64) outs(%all : memref<?x8xi64>)
    }
  }
  mega.barrier
  mega.stage {
    mega.tiles (%i, %j) in (64, 16) step (8, 8) {
      %to = mega.access write %t[%i, %j] [8, 8] [1, 1] : memref<64x16xf32> to memref<8x8xf32, strided<[16, 1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<8x8xf32, strided<[16, 1], offset: ?>>)
      mega.signal %k : memref<?x8xi64>
    }
  }
  mega.stage {
    mega.tiles (%i) in (64) step (4) {
      %band = affine.apply affine_map<(d0) -> (d0 floordiv 8)>(%i)
      %next = arith.addi %band, %c1 : index
      // expected-error @+1 {{may wait for tiles that there are not}}
      mega.await %k[%band][%c2] of %c2 : memref<?x8xi64>
      %from = mega.access read %t[%i, 0] [4, 16] [1, 1] : memref<64x16xf32> to memref<4x16xf32, strided<[16, 1], offset: ?>>
      %to = mega.access write %y[%i, 0] [4, 16] [1, 1] : memref<64x16xf32> to memref<4x16xf32, strided<[16, 1], offset: ?>>
      linalg.copy ins(%from : memref<4x16xf32, strided<[16, 1], offset: ?>>) outs(%to : memref<4x16xf32, strided<[16, 1], offset: ?>>)
    }
  }
  mega.return
}

// -----

mega.program @not_cleared(%y: memref<64x16xf32> {ingot.role = "output"},
    %arena: memref<?xi8> {ingot.role = "arena"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0 : i64
  %f = arith.constant 1.0 : f32
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c4096 = arith.constant 4096 : index
  %bands = arith.constant 8 : index
  %t = memref.view %arena[%c0][] : memref<?xi8> to memref<64x16xf32>
  %k = memref.view %arena[%c4096][%bands] : memref<?xi8> to memref<?x8xi64>
  mega.barrier
  mega.stage {
    mega.tiles (%i, %j) in (64, 16) step (8, 8) {
      %to = mega.access write %t[%i, %j] [8, 8] [1, 1] : memref<64x16xf32> to memref<8x8xf32, strided<[16, 1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<8x8xf32, strided<[16, 1], offset: ?>>)
      // expected-error @+1 {{counts in counters that were not set to 0}}
      mega.signal %k : memref<?x8xi64>
    }
  }
  mega.stage {
    mega.tiles (%i) in (64) step (4) {
      %band = affine.apply affine_map<(d0) -> (d0 floordiv 8)>(%i)
      %next = arith.addi %band, %c1 : index
      mega.await %k[%band][%c1] of %c2 : memref<?x8xi64>
      %from = mega.access read %t[%i, 0] [4, 16] [1, 1] : memref<64x16xf32> to memref<4x16xf32, strided<[16, 1], offset: ?>>
      %to = mega.access write %y[%i, 0] [4, 16] [1, 1] : memref<64x16xf32> to memref<4x16xf32, strided<[16, 1], offset: ?>>
      linalg.copy ins(%from : memref<4x16xf32, strided<[16, 1], offset: ?>>) outs(%to : memref<4x16xf32, strided<[16, 1], offset: ?>>)
    }
  }
  mega.return
}

// -----

mega.program @cleared_at_once(%y: memref<64x16xf32> {ingot.role = "output"},
    %arena: memref<?xi8> {ingot.role = "arena"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0 : i64
  %f = arith.constant 1.0 : f32
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c4096 = arith.constant 4096 : index
  %bands = arith.constant 8 : index
  %t = memref.view %arena[%c0][] : memref<?xi8> to memref<64x16xf32>
  %k = memref.view %arena[%c4096][%bands] : memref<?xi8> to memref<?x8xi64>
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      // expected-error @+2 {{may race: stage 1 writes the buffer at byte 4096 of the arena, stage 2 reads the buffer at byte 4096 of the arena}}
      // expected-error @+1 {{may race: stage 1 writes the buffer at byte 4096 of the arena, stage 3 reads the buffer at byte 4096 of the arena}}
      %all = mega.access write %k : memref<?x8xi64> to memref<?x8xi64>
      linalg.fill ins(%zero : i64) outs(%all : memref<?x8xi64>)
    }
  }
  mega.stage {
    mega.tiles (%i, %j) in (64, 16) step (8, 8) {
      %to = mega.access write %t[%i, %j] [8, 8] [1, 1] : memref<64x16xf32> to memref<8x8xf32, strided<[16, 1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<8x8xf32, strided<[16, 1], offset: ?>>)
      // expected-note @+1 {{the other}}
      mega.signal %k : memref<?x8xi64>
    }
  }
  mega.stage {
    mega.tiles (%i) in (64) step (4) {
      %band = affine.apply affine_map<(d0) -> (d0 floordiv 8)>(%i)
      %next = arith.addi %band, %c1 : index
      // expected-note @+1 {{the other}}
      mega.await %k[%band][%c1] of %c2 : memref<?x8xi64>
      %from = mega.access read %t[%i, 0] [4, 16] [1, 1] : memref<64x16xf32> to memref<4x16xf32, strided<[16, 1], offset: ?>>
      %to = mega.access write %y[%i, 0] [4, 16] [1, 1] : memref<64x16xf32> to memref<4x16xf32, strided<[16, 1], offset: ?>>
      linalg.copy ins(%from : memref<4x16xf32, strided<[16, 1], offset: ?>>) outs(%to : memref<4x16xf32, strided<[16, 1], offset: ?>>)
    }
  }
  mega.return
}

// -----

mega.program @too_few_counters(%y: memref<64x16xf32> {ingot.role = "output"},
    %arena: memref<?xi8> {ingot.role = "arena"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0 : i64
  %f = arith.constant 1.0 : f32
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c4096 = arith.constant 4096 : index
  %bands = arith.constant 7 : index
  %t = memref.view %arena[%c0][] : memref<?xi8> to memref<64x16xf32>
  %k = memref.view %arena[%c4096][%bands] : memref<?xi8> to memref<?x8xi64>
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %all = mega.access write %k : memref<?x8xi64> to memref<?x8xi64>
      linalg.fill ins(%zero : i64) outs(%all : memref<?x8xi64>)
    }
  }
  mega.barrier
  mega.stage {
    mega.tiles (%i, %j) in (64, 16) step (8, 8) {
      %to = mega.access write %t[%i, %j] [8, 8] [1, 1] : memref<64x16xf32> to memref<8x8xf32, strided<[16, 1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<8x8xf32, strided<[16, 1], offset: ?>>)
      // expected-error @+1 {{counts where no counter is}}
      mega.signal %k : memref<?x8xi64>
    }
  }
  mega.stage {
    mega.tiles (%i) in (64) step (4) {
      %band = affine.apply affine_map<(d0) -> (d0 floordiv 8)>(%i)
      %next = arith.addi %band, %c1 : index
      mega.await %k[%band][%c1] of %c2 : memref<?x8xi64>
      %from = mega.access read %t[%i, 0] [4, 16] [1, 1] : memref<64x16xf32> to memref<4x16xf32, strided<[16, 1], offset: ?>>
      %to = mega.access write %y[%i, 0] [4, 16] [1, 1] : memref<64x16xf32> to memref<4x16xf32, strided<[16, 1], offset: ?>>
      linalg.copy ins(%from : memref<4x16xf32, strided<[16, 1], offset: ?>>) outs(%to : memref<4x16xf32, strided<[16, 1], offset: ?>>)
    }
  }
  mega.return
}

// -----

mega.program @nobody_counts(%y: memref<64x16xf32> {ingot.role = "output"},
    %arena: memref<?xi8> {ingot.role = "arena"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0 : i64
  %f = arith.constant 1.0 : f32
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c4096 = arith.constant 4096 : index
  %bands = arith.constant 8 : index
  %t = memref.view %arena[%c0][] : memref<?xi8> to memref<64x16xf32>
  %k = memref.view %arena[%c4096][%bands] : memref<?xi8> to memref<?x8xi64>
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %all = mega.access write %k : memref<?x8xi64> to memref<?x8xi64>
      linalg.fill ins(%zero : i64) outs(%all : memref<?x8xi64>)
    }
  }
  mega.barrier
  mega.stage {
    mega.tiles (%i, %j) in (64, 16) step (8, 8) {
      %to = mega.access write %t[%i, %j] [8, 8] [1, 1] : memref<64x16xf32> to memref<8x8xf32, strided<[16, 1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<8x8xf32, strided<[16, 1], offset: ?>>)
    }
  }
  mega.stage {
    mega.tiles (%i) in (64) step (4) {
      %band = affine.apply affine_map<(d0) -> (d0 floordiv 8)>(%i)
      %next = arith.addi %band, %c1 : index
      // expected-error @+1 {{waits for what no tile before it counts}}
      mega.await %k[%band][%c1] of %c2 : memref<?x8xi64>
      %from = mega.access read %t[%i, 0] [4, 16] [1, 1] : memref<64x16xf32> to memref<4x16xf32, strided<[16, 1], offset: ?>>
      %to = mega.access write %y[%i, 0] [4, 16] [1, 1] : memref<64x16xf32> to memref<4x16xf32, strided<[16, 1], offset: ?>>
      linalg.copy ins(%from : memref<4x16xf32, strided<[16, 1], offset: ?>>) outs(%to : memref<4x16xf32, strided<[16, 1], offset: ?>>)
    }
  }
  mega.return
}

// -----

mega.program @two_count(%y: memref<64x16xf32> {ingot.role = "output"},
    %arena: memref<?xi8> {ingot.role = "arena"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0 : i64
  %f = arith.constant 1.0 : f32
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c4096 = arith.constant 4096 : index
  %bands = arith.constant 8 : index
  %t = memref.view %arena[%c0][] : memref<?xi8> to memref<64x16xf32>
  %k = memref.view %arena[%c4096][%bands] : memref<?xi8> to memref<?x8xi64>
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %all = mega.access write %k : memref<?x8xi64> to memref<?x8xi64>
      linalg.fill ins(%zero : i64) outs(%all : memref<?x8xi64>)
    }
  }
  mega.barrier
  mega.stage {
    mega.tiles (%i, %j) in (64, 16) step (8, 8) {
      %to = mega.access write %t[%i, %j] [8, 8] [1, 1] : memref<64x16xf32> to memref<8x8xf32, strided<[16, 1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<8x8xf32, strided<[16, 1], offset: ?>>)
      mega.signal %k : memref<?x8xi64>
    }
  }
  mega.stage {
    mega.tiles (%i) in (64) step (8) {
      // expected-error @+1 {{or in which other tiles count}}
      mega.signal %k : memref<?x8xi64>
    }
  }
  mega.stage {
    mega.tiles (%i) in (64) step (4) {
      %band = affine.apply affine_map<(d0) -> (d0 floordiv 8)>(%i)
      %next = arith.addi %band, %c1 : index
      mega.await %k[%band][%c1] of %c2 : memref<?x8xi64>
      %from = mega.access read %t[%i, 0] [4, 16] [1, 1] : memref<64x16xf32> to memref<4x16xf32, strided<[16, 1], offset: ?>>
      %to = mega.access write %y[%i, 0] [4, 16] [1, 1] : memref<64x16xf32> to memref<4x16xf32, strided<[16, 1], offset: ?>>
      linalg.copy ins(%from : memref<4x16xf32, strided<[16, 1], offset: ?>>) outs(%to : memref<4x16xf32, strided<[16, 1], offset: ?>>)
    }
  }
  mega.return
}

// -----

// Where each worker runs the earlier tiles for itself, those may be spared it that
// read nothing of what they write: they wait for nobody.
mega.program @each(%n: index, %y: memref<64x16xf32> {ingot.role = "output"},
    %arena: memref<?xi8> {ingot.role = "arena"},
    %worker: index {ingot.role = "worker"}, %workers: index {ingot.role = "workers"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c512 = arith.constant 512 : index
  %c4096 = arith.constant 4096 : index
  %zero = arith.constant 0 : i64
  %f = arith.constant 1.0 : f32
  %few = arith.cmpi ult, %n, %c8 : index
  %mine = arith.muli %worker, %c4096 : index
  %behind = arith.addi %mine, %c512 : index
  %at = arith.select %few, %behind, %c512 : index
  %k = memref.view %arena[%c0][%c8] : memref<?xi8> to memref<?x8xi64>
  %t = mega.scratch %arena[%at][] each %few : memref<?xi8> to memref<64x16xf32>
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %all = mega.access write %k : memref<?x8xi64> to memref<?x8xi64>
      linalg.fill ins(%zero : i64) outs(%all : memref<?x8xi64>)
    }
  }
  mega.barrier
  mega.stage prologue each %few {
    mega.tiles (%i) in (64) step (8) {
      %to = mega.access write %t[%i, 0] [8, 16] [1, 1] : memref<64x16xf32> to memref<8x16xf32, strided<[16, 1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<8x16xf32, strided<[16, 1], offset: ?>>)
      mega.signal %k : memref<?x8xi64>
    }
  } {
    mega.tiles (%i) in (64) step (8) {
      %band = affine.apply affine_map<(d0) -> (d0 floordiv 8)>(%i)
      // expected-error @+1 {{waits for tiles that its worker may not run}}
      mega.await %k[%band][%c1] of %c1 : memref<?x8xi64>
      %to = mega.access write %y[%i, 0] [8, 16] [1, 1] : memref<64x16xf32> to memref<8x16xf32, strided<[16, 1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<8x16xf32, strided<[16, 1], offset: ?>>)
    }
  }
  mega.return
}
