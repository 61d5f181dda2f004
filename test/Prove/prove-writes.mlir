// RUN: ingot-opt %s -split-input-file -verify-diagnostics -mlir-print-op-on-diagnostic=false -pass-pipeline="builtin.module(mega.program(mega-prove-writes{remarks=true}))"

// Pieces of three: one stage writes the first columns, another the others, of
// a reshaped output; a part that is counted in 16s.
ingot.dim @n
ingot.dim @m
// expected-remark @+1 {{every element is written: 2 outputs}}
mega.program @pieces(
    %y: memref<?x?x8xf32> {ingot.role = "output", ingot.dims = #ingot.dims<n, m, 8>},
    %z: memref<4x16xf32> {ingot.role = "output"}) {
  %f = arith.constant 1.0 : f32
  %nm = ingot.size <n * m>
  %flat = memref.collapse_shape %y [[0, 1], [2]] : memref<?x?x8xf32> into memref<?x8xf32>
  %left = memref.subview %flat[0, 0] [%nm, 3] [1, 1] : memref<?x8xf32> to memref<?x3xf32, strided<[8, 1]>>
  mega.stage {
    mega.tiles (%i) in (%nm) step (10) {
      %size = affine.min affine_map<(d0)[s0] -> (s0 - d0, 10)>(%i)[%nm]
      %to = mega.access write %left[%i, 0] [%size, 3] [1, 1] : memref<?x3xf32, strided<[8, 1]>> to memref<?x3xf32, strided<[8, 1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<?x3xf32, strided<[8, 1], offset: ?>>)
    }
    mega.tiles (%i) in (64) step (32) {
      %at = affine.apply affine_map<(d0) -> (d0 floordiv 16)>(%i)
      %to = mega.access write %z[%at, 0] [2, 16] [1, 1] : memref<4x16xf32> to memref<2x16xf32, strided<[16, 1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<2x16xf32, strided<[16, 1], offset: ?>>)
    }
  }
  mega.barrier
  mega.stage {
    mega.tiles (%i) in (%nm) step (24) {
      %size = affine.min affine_map<(d0)[s0] -> (s0 - d0, 24)>(%i)[%nm]
      %to = mega.access write %flat[%i, 3] [%size, 5] [1, 1] : memref<?x8xf32> to memref<?x5xf32, strided<[8, 1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<?x5xf32, strided<[8, 1], offset: ?>>)
    }
  }
  mega.return
}

// -----

mega.program @gap(%y: memref<?xf32> {ingot.role = "output"}) {
  %f = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %n = memref.dim %y, %c0 : memref<?xf32>
  mega.stage {
    mega.tiles (%i) in (%n) step (8) {
      %size = affine.min affine_map<(d0)[s0] -> (s0 - d0, 7)>(%i)[%n]
      // expected-error @+1 {{not every element is written: stage 1 writes output argument 0, as with dim 0 of argument 0 = }}
      %to = mega.access write %y[%i] [%size] [1] : memref<?xf32> to memref<?xf32, strided<[1], offset: ?>>
      linalg.fill ins(%f : f32) outs(%to : memref<?xf32, strided<[1], offset: ?>>)
    }
  }
  mega.return
}

// -----

// expected-error @+1 {{output 'probabilities' is never written}}
mega.program @never(%y: memref<4xf32> {ingot.role = "output", ingot.name = "probabilities"}) {
  mega.return
}

// -----

// What an op writes of its part is not known.
mega.program @store(%y: memref<8xf32> {ingot.role = "output"}) {
  %f = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  mega.stage {
    mega.tiles (%i) in (8) step (1) {
      // expected-error @+1 {{not every element is written: stage 1 writes output argument 0 (not proved: nothing is known to write all of its part)}}
      %to = mega.access write %y[%i] [1] [1] : memref<8xf32> to memref<1xf32, strided<[1], offset: ?>>
      memref.store %f, %to[%c0] : memref<1xf32, strided<[1], offset: ?>>
    }
  }
  mega.return
}
