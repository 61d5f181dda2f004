// RUN: ingot-opt %s -split-input-file -verify-diagnostics -pass-pipeline="builtin.module(mega.program(mega-prove-order{remarks=true}))"

// Tiles of one stage write parts that do not meet, the last of them cut off;
// the next stage reads all of it behind a barrier, through another shape.
ingot.dim @n
ingot.dim @m
// expected-remark @+1 {{no race and no deadlock}}
mega.program @two_stages(
    %x: memref<?x?x8xf32> {ingot.role = "input", ingot.dims = #ingot.dims<n, m, 8>},
    %y: memref<?x8xf32> {ingot.role = "output", ingot.dims = #ingot.dims<n * m, 8>},
    %arena: memref<?xi8> {ingot.role = "arena"}) {
  %n = ingot.size <n>
  %m = ingot.size <m>
  %nm = ingot.size <n * m>
  %c0 = arith.constant 0 : index
  %t = memref.view %arena[%c0][%n, %m] : memref<?xi8> to memref<?x?x8xf32>
  mega.stage {
    mega.tiles (%i, %j) in (%n, %m) step (1, 24) {
      %size = affine.min affine_map<(d0)[s0] -> (s0 - d0, 24)>(%j)[%m]
      %from = mega.access read %x[%i, %j, 0] [1, %size, 8] [1, 1, 1] : memref<?x?x8xf32> to memref<1x?x8xf32, strided<[?, 8, 1], offset: ?>>
      %to = mega.access write %t[%i, %j, 0] [1, %size, 8] [1, 1, 1] : memref<?x?x8xf32> to memref<1x?x8xf32, strided<[?, 8, 1], offset: ?>>
      linalg.copy ins(%from : memref<1x?x8xf32, strided<[?, 8, 1], offset: ?>>) outs(%to : memref<1x?x8xf32, strided<[?, 8, 1], offset: ?>>)
    }
  }
  %flat = memref.collapse_shape %t [[0, 1], [2]] : memref<?x?x8xf32> into memref<?x8xf32>
  mega.barrier
  mega.stage {
    mega.tiles (%i) in (%nm) step (10) {
      %size = affine.min affine_map<(d0)[s0] -> (s0 - d0, 10)>(%i)[%nm]
      %from = mega.access read %flat[%i, 0] [%size, 8] [1, 1] : memref<?x8xf32> to memref<?x8xf32, strided<[8, 1], offset: ?>>
      %to = mega.access write %y[%i, 0] [%size, 8] [1, 1] : memref<?x8xf32> to memref<?x8xf32, strided<[8, 1], offset: ?>>
      linalg.copy ins(%from : memref<?x8xf32, strided<[8, 1], offset: ?>>) outs(%to : memref<?x8xf32, strided<[8, 1], offset: ?>>)
    }
  }
  mega.return
}

// -----

// A worker's scratch lies where its number says. Of one tile alone nothing
// has to be told apart.
// expected-remark @+1 {{no race and no deadlock}}
mega.program @scratch(%n: index, %y: memref<4xf32> {ingot.role = "output"},
    %arena: memref<?xi8> {ingot.role = "arena"},
    %worker: index {ingot.role = "worker"}, %workers: index {ingot.role = "workers"}) {
  %c16 = arith.constant 16 : index
  %f = arith.constant 1.0 : f32
  %offset = arith.muli %worker, %c16 : index
  mega.stage {
    mega.tiles (%i) in (1) step (1) {
      %s = mega.scratch %arena[%offset][] : memref<?xi8> to memref<4xf32>
      %to = mega.access write %y : memref<4xf32> to memref<4xf32>
      linalg.fill ins(%f : f32) outs(%s : memref<4xf32>)
      linalg.copy ins(%s : memref<4xf32>) outs(%to : memref<4xf32>)
    }
  }
  mega.return
}

// -----

// Tokens and heads of a cache; its keys are not its values.
// expected-remark @+1 {{no race and no deadlock}}
mega.program @cache(%k: memref<?x3x16xf32> {ingot.role = "input"},
    %count: memref<2xi64> {ingot.role = "input"},
    %cache: !ingot.cache<heads = 3, key_depth = 16, value_depth = 16, type = f32, window = 0> {ingot.role = "cache"}) {
  %c0 = arith.constant 0 : index
  %n = memref.dim %k, %c0 : memref<?x3x16xf32>
  mega.stage {
    mega.tiles (%i, %h) in (%n, 3) step (8, 1) {
      %size = affine.min affine_map<(d0)[s0] -> (s0 - d0, 8)>(%i)[%n]
      %part = ingot.cache_part %cache[%c0, %h] : <heads = 3, key_depth = 16, value_depth = 16, type = f32, window = 0> to <heads = 1, key_depth = 16, value_depth = 16, type = f32, window = 0>
      %from = mega.access read %k[%i, %h, 0] [%size, 1, 16] [1, 1, 1] : memref<?x3x16xf32> to memref<?x1x16xf32, strided<[48, 16, 1], offset: ?>>
      %c = mega.access read %count : memref<2xi64> to memref<2xi64>
      ingot.cache_store <keys> ins(%from : memref<?x1x16xf32, strided<[48, 16, 1], offset: ?>>) rows(%i of %n) past(%c : memref<2xi64>) count(%c : memref<2xi64>) into(%part : <heads = 1, key_depth = 16, value_depth = 16, type = f32, window = 0>)
    }
    mega.tiles (%i) in (%n) step (8) {
      %size = affine.min affine_map<(d0)[s0] -> (s0 - d0, 8)>(%i)[%n]
      %from = mega.access read %k[%i, 0, 0] [%size, 3, 16] [1, 1, 1] : memref<?x3x16xf32> to memref<?x3x16xf32, strided<[48, 16, 1], offset: ?>>
      %c = mega.access read %count : memref<2xi64> to memref<2xi64>
      ingot.cache_store <values> ins(%from : memref<?x3x16xf32, strided<[48, 16, 1], offset: ?>>) rows(%i of %n) past(%c : memref<2xi64>) count(%c : memref<2xi64>) into(%cache : <heads = 3, key_depth = 16, value_depth = 16, type = f32, window = 0>)
    }
  }
  mega.return
}

// -----

// What is fetched ahead is a weight's, which nobody writes; it does not wait for
// checks.
// expected-remark @+1 {{no race and no deadlock}}
mega.program @fetch(%w: memref<8x16xf32> {ingot.role = "weight"},
                    %x: memref<8xi64> {ingot.role = "input"},
                    %y: memref<8xf32> {ingot.role = "output"}) {
  %f = arith.constant 1.0 : f32
  %zero = arith.constant 0 : i64
  mega.stage {
    mega.tiles (%i) in (8) step (1) {
      %from = mega.access read %x : memref<8xi64> to memref<8xi64>
      %0 = memref.load %from[%i] : memref<8xi64>
      %1 = arith.cmpi sge, %0, %zero : i64
      ingot.check %1, "index out of range"
    }
  }
  mega.prefetch {
    mega.tiles (%i) in (8) step (4) {
      %from = mega.access read %w[%i, 0] [4, 16] [1, 1] : memref<8x16xf32> to memref<4x16xf32, strided<[16, 1], offset: ?>>
      mega.fetch first 64 of %from : memref<4x16xf32, strided<[16, 1], offset: ?>>
    }
  }
  mega.barrier
  mega.stage {
    mega.tiles (%i) in (8) step (4) {
      %to = mega.access write %y[%i] [4] [1] : memref<8xf32> to memref<4xf32, strided<[1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<4xf32, strided<[1], offset: ?>>)
    }
  }
  mega.return
}
