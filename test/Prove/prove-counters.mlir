// RUN: ingot-opt %s -split-input-file -verify-diagnostics -pass-pipeline="builtin.module(mega.program(mega-prove-order{remarks=true}))"

// Tiles of half a band wait for the band; the counters were set to 0 before.
// expected-remark @+1 {{no race and no deadlock}}
mega.program @rows(%y: memref<64x16xf32> {ingot.role = "output"},
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
      mega.await %k[%band][%c1] of %c2 : memref<?x8xi64>
      %from = mega.access read %t[%i, 0] [4, 16] [1, 1] : memref<64x16xf32> to memref<4x16xf32, strided<[16, 1], offset: ?>>
      %to = mega.access write %y[%i, 0] [4, 16] [1, 1] : memref<64x16xf32> to memref<4x16xf32, strided<[16, 1], offset: ?>>
      linalg.copy ins(%from : memref<4x16xf32, strided<[16, 1], offset: ?>>) outs(%to : memref<4x16xf32, strided<[16, 1], offset: ?>>)
    }
  }
  mega.return
}

// -----

// Rows of a batch are waited for by whoever wants all of one of its texts, and
// texts by whoever wants some rows.
ingot.dim @b
ingot.dim @s {min = 1 : i64}
// expected-remark @+1 {{no race and no deadlock}}
mega.program @texts(
    %y: memref<?x16xf32> {ingot.role = "output", ingot.dims = #ingot.dims<b * s, 16>},
    %arena: memref<?xi8> {ingot.role = "arena"}) {
  %b = ingot.size <b>
  %s = ingot.size <s>
  %n = ingot.size <b * s>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c64 = arith.constant 64 : index
  %zero = arith.constant 0 : i64
  %f = arith.constant 1.0 : f32
  %bands = arith.ceildivsi %n, %c8 : index
  %at_u = arith.muli %n, %c64 : index
  %at_k = arith.addi %at_u, %at_u : index
  %bytes_k = arith.muli %bands, %c64 : index
  %at_l = arith.addi %at_k, %bytes_k : index
  %t = memref.view %arena[%c0][%n] : memref<?xi8> to memref<?x16xf32>
  %u = memref.view %arena[%at_u][%b, %s] : memref<?xi8> to memref<?x?x16xf32>
  %k = memref.view %arena[%at_k][%bands] : memref<?xi8> to memref<?x8xi64>
  %l = memref.view %arena[%at_l][%b] : memref<?xi8> to memref<?x8xi64>
  %texts = memref.expand_shape %t [[0, 1], [2]] output_shape [%b, %s, 16] : memref<?x16xf32> into memref<?x?x16xf32>
  %rows = memref.collapse_shape %u [[0, 1], [2]] : memref<?x?x16xf32> into memref<?x16xf32>
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %0 = mega.access write %k : memref<?x8xi64> to memref<?x8xi64>
      linalg.fill ins(%zero : i64) outs(%0 : memref<?x8xi64>)
      %1 = mega.access write %l : memref<?x8xi64> to memref<?x8xi64>
      linalg.fill ins(%zero : i64) outs(%1 : memref<?x8xi64>)
    }
  }
  mega.barrier
  mega.stage {
    mega.tiles (%i) in (%n) step (8) {
      %size = affine.min affine_map<(d0)[s0] -> (s0 - d0, 8)>(%i)[%n]
      %to = mega.access write %t[%i, 0] [%size, 16] [1, 1] : memref<?x16xf32> to memref<?x16xf32, strided<[16, 1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<?x16xf32, strided<[16, 1], offset: ?>>)
      mega.signal %k : memref<?x8xi64>
    }
  }
  mega.stage {
    mega.tiles (%i) in (%b) step (1) {
      %begin = arith.muli %i, %s : index
      %end = arith.addi %begin, %s : index
      %last = arith.subi %end, %c1 : index
      %first = arith.floordivsi %begin, %c8 : index
      %until = arith.floordivsi %last, %c8 : index
      %more = arith.subi %until, %first : index
      %count = arith.addi %more, %c1 : index
      mega.await %k[%first][%count] of %c1 : memref<?x8xi64>
      %from = mega.access read %texts[%i, 0, 0] [1, %s, 16] [1, 1, 1] : memref<?x?x16xf32> to memref<1x?x16xf32, strided<[?, 16, 1], offset: ?>>
      %to = mega.access write %u[%i, 0, 0] [1, %s, 16] [1, 1, 1] : memref<?x?x16xf32> to memref<1x?x16xf32, strided<[?, 16, 1], offset: ?>>
      linalg.copy ins(%from : memref<1x?x16xf32, strided<[?, 16, 1], offset: ?>>) outs(%to : memref<1x?x16xf32, strided<[?, 16, 1], offset: ?>>)
      mega.signal %l : memref<?x8xi64>
    }
  }
  mega.stage {
    mega.tiles (%i) in (%n) step (4) {
      %size = affine.min affine_map<(d0)[s0] -> (s0 - d0, 4)>(%i)[%n]
      %end = arith.addi %i, %size : index
      %last = arith.subi %end, %c1 : index
      %first = arith.floordivsi %i, %s : index
      %until = arith.floordivsi %last, %s : index
      %more = arith.subi %until, %first : index
      %count = arith.addi %more, %c1 : index
      mega.await %l[%first][%count] of %c1 : memref<?x8xi64>
      %from = mega.access read %rows[%i, 0] [%size, 16] [1, 1] : memref<?x16xf32> to memref<?x16xf32, strided<[16, 1], offset: ?>>
      %to = mega.access write %y[%i, 0] [%size, 16] [1, 1] : memref<?x16xf32> to memref<?x16xf32, strided<[16, 1], offset: ?>>
      linalg.copy ins(%from : memref<?x16xf32, strided<[16, 1], offset: ?>>) outs(%to : memref<?x16xf32, strided<[16, 1], offset: ?>>)
    }
  }
  mega.return
}
