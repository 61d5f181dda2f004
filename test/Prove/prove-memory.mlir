// RUN: ingot-opt %s -split-input-file -verify-diagnostics -pass-pipeline="builtin.module(mega.program(mega-prove-memory{remarks=true}))"

// The third buffer takes the place of the first, which is larger or not; the
// scratch of all workers is behind them.
ingot.dim @n {min = 1 : i64, max = 100 : i64}
// expected-remark @+1 {{no live buffers overlap: 2 reads, 4 writes}}
mega.program @reuse(
    %y: memref<?x8xf32> {ingot.role = "output", ingot.dims = #ingot.dims<n, 8>},
    %arena: memref<?xi8> {ingot.role = "arena"},
    %worker: index {ingot.role = "worker"}, %workers: index {ingot.role = "workers"}) -> index {
  %f = arith.constant 1.0 : f32
  %n = ingot.size <n>
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c640 = arith.constant 640 : index
  %bytes = arith.muli %n, %c32 : index
  %slot = arith.maxsi %bytes, %c640 : index
  %shared = arith.addi %slot, %bytes : index
  %mine = arith.muli %worker, %bytes : index
  %own = arith.addi %shared, %mine : index
  %all = arith.muli %workers, %bytes : index
  %total = arith.addi %shared, %all : index
  %a = memref.view %arena[%c0][%n] : memref<?xi8> to memref<?x8xf32>
  %b = memref.view %arena[%slot][%n] : memref<?xi8> to memref<?x8xf32>
  mega.stage {
    mega.tiles (%i) in (%n) step (8) {
      %size = affine.min affine_map<(d0)[s0] -> (s0 - d0, 8)>(%i)[%n]
      %to = mega.access write %a[%i, 0] [%size, 8] [1, 1] : memref<?x8xf32> to memref<?x8xf32, strided<[8, 1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<?x8xf32, strided<[8, 1], offset: ?>>)
    }
  }
  mega.barrier
  mega.stage {
    mega.tiles (%i) in (%n) step (16) {
      %size = affine.min affine_map<(d0)[s0] -> (s0 - d0, 16)>(%i)[%n]
      %from = mega.access read %a[%i, 0] [%size, 8] [1, 1] : memref<?x8xf32> to memref<?x8xf32, strided<[8, 1], offset: ?>>
      %s = mega.scratch %arena[%own][%size] : memref<?xi8> to memref<?x8xf32>
      %to = mega.access write %b[%i, 0] [%size, 8] [1, 1] : memref<?x8xf32> to memref<?x8xf32, strided<[8, 1], offset: ?>>
      linalg.copy ins(%from : memref<?x8xf32, strided<[8, 1], offset: ?>>) outs(%s : memref<?x8xf32>)
      linalg.copy ins(%s : memref<?x8xf32>) outs(%to : memref<?x8xf32, strided<[8, 1], offset: ?>>)
    }
  }
  mega.barrier
  mega.stage {
    mega.tiles (%i) in (%n) step (16) {
      %size = affine.min affine_map<(d0)[s0] -> (s0 - d0, 16)>(%i)[%n]
      %from = mega.access read %b[%i, 0] [%size, 8] [1, 1] : memref<?x8xf32> to memref<?x8xf32, strided<[8, 1], offset: ?>>
      %to = mega.access write %y[%i, 0] [%size, 8] [1, 1] : memref<?x8xf32> to memref<?x8xf32, strided<[8, 1], offset: ?>>
      linalg.copy ins(%from : memref<?x8xf32, strided<[8, 1], offset: ?>>) outs(%to : memref<?x8xf32, strided<[8, 1], offset: ?>>)
    }
  }
  mega.return %total : index
}

// -----

// A tile reads some of what it wrote before, through a view of its own.
// expected-remark @+1 {{no live buffers overlap: 0 reads, 2 writes}}
mega.program @made_in_tile(%y: memref<8xf32> {ingot.role = "output"}, %arena: memref<?xi8> {ingot.role = "arena"}) -> index {
  %f = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %a = memref.view %arena[%c0][] : memref<?xi8> to memref<8x2xf32>
  %part = memref.subview %a[0, 0] [8, 1] [1, 1] : memref<8x2xf32> to memref<8xf32, strided<[2]>>
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %from = mega.access read %part : memref<8xf32, strided<[2]>> to memref<8xf32, strided<[2]>>
      %made = mega.access write %a : memref<8x2xf32> to memref<8x2xf32>
      %to = mega.access write %y : memref<8xf32> to memref<8xf32>
      linalg.fill ins(%f : f32) outs(%made : memref<8x2xf32>)
      linalg.copy ins(%from : memref<8xf32, strided<[2]>>) outs(%to : memref<8xf32>)
    }
  }
  mega.return %c64 : index
}
