// RUN: ingot-opt %s -split-input-file -mega-plan-memory -cse | FileCheck %s

// The first and the third buffer share a slot; the second is alive with both.
// CHECK-LABEL: mega.program @reuse(
// CHECK-SAME: %[[A:[a-z0-9]*]]: memref<?xi8> {ingot.role = "arena"}
// CHECK: %[[ALIGNED:.*]] = arith.ceildivsi
// CHECK: %[[BYTES:.*]] = arith.muli %[[ALIGNED]]
// CHECK: %[[ZERO:.*]] = arith.constant 0
// CHECK: %[[TOTAL:.*]] = arith.addi %[[BYTES]], %[[BYTES]]
// CHECK: %[[V0:.*]] = memref.view %[[A]][%[[ZERO]]]
// CHECK: memref.view %[[A]][%[[BYTES]]]
// CHECK: mega.stage
// CHECK: mega.return %[[TOTAL]]
mega.program @reuse(%n: index) {
  %f = arith.constant 1.0 : f32
  %a = memref.alloc(%n) : memref<?xf32>
  %b = memref.alloc(%n) : memref<?xf32>
  mega.stage {
    mega.tiles (%i) in (%n) step (8) {
      %a_out = mega.access write %a : memref<?xf32> to memref<?xf32>
      memref.store %f, %a_out[%i] : memref<?xf32>
    }
  }
  mega.barrier
  mega.stage {
    mega.tiles (%i) in (%n) step (8) {
      %a_in = mega.access read %a : memref<?xf32> to memref<?xf32>
      %b_out = mega.access write %b : memref<?xf32> to memref<?xf32>
      %0 = memref.load %a_in[%i] : memref<?xf32>
      memref.store %0, %b_out[%i] : memref<?xf32>
    }
  }
  %c = memref.alloc(%n) : memref<?xf32>
  mega.barrier
  mega.stage {
    mega.tiles (%i) in (%n) step (8) {
      %b_in = mega.access read %b : memref<?xf32> to memref<?xf32>
      %c_out = mega.access write %c : memref<?xf32> to memref<?xf32>
      %0 = memref.load %b_in[%i] : memref<?xf32>
      memref.store %0, %c_out[%i] : memref<?xf32>
    }
  }
  mega.return
}

// -----

// Small scratch of a tile is on the stack, large scratch in the worker's part
// of the arena.
// CHECK-LABEL: mega.program @scratch(
// CHECK: mega.tiles
// CHECK: memref.alloca() {alignment = 64 : i64} : memref<96xi8>
// CHECK: memref.view %{{.*}} : memref<96xi8> to memref<?xf32>
// CHECK: mega.scratch %{{.*}} : memref<?xi8> to memref<?x?xf32>
mega.program @scratch(%m: index, %n: index) {
  %f = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  mega.stage {
    mega.tiles (%i) in (%m) step (24) {
      %rows = affine.min affine_map<(d0)[s0] -> (-d0 + s0, 24)>(%i)[%m]
      %a = memref.alloc(%rows) : memref<?xf32>
      memref.store %f, %a[%c0] : memref<?xf32>
      %b = memref.alloc(%rows, %n) : memref<?x?xf32>
      memref.store %f, %b[%c0, %c0] : memref<?x?xf32>
    }
  }
  mega.return
}

// -----

// What no barrier parts is one point in time: the buffers of the two stages are
// alive together.
// CHECK-LABEL: mega.program @no_barrier(
// CHECK: %[[ALIGNED:.*]] = arith.ceildivsi
// CHECK: %[[BYTES:.*]] = arith.muli %[[ALIGNED]]
// CHECK: memref.view %{{.*}}[%{{.*}}]
// CHECK: memref.view %{{.*}}[%[[BYTES]]]
mega.program @no_barrier(%n: index) {
  %f = arith.constant 1.0 : f32
  %a = memref.alloc(%n) : memref<?xf32>
  mega.stage {
    mega.tiles (%i) in (%n) step (8) {
      %a_out = mega.access write %a : memref<?xf32> to memref<?xf32>
      memref.store %f, %a_out[%i] : memref<?xf32>
    }
  }
  %b = memref.alloc(%n) : memref<?xf32>
  mega.stage {
    mega.tiles (%i) in (%n) step (8) {
      %b_out = mega.access write %b : memref<?xf32> to memref<?xf32>
      memref.store %f, %b_out[%i] : memref<?xf32>
    }
  }
  mega.return
}

// -----

// A buffer that may be each worker's own takes its size once for each of them
// then, and begins behind those of the workers before. A barrier that may be left
// out parts no lives.
// CHECK-LABEL: mega.program @each(
// CHECK-SAME: %[[FEW:[a-z0-9]*]]: i1, %[[A:[a-z0-9]*]]: memref<?xi8> {ingot.role = "arena"}, %[[W:[a-z0-9]*]]: index {ingot.role = "worker"}, %[[WS:[a-z0-9]*]]: index {ingot.role = "workers"}
// CHECK-DAG: %[[SIZE:.*]] = arith.constant 64 : index
// CHECK: %[[ALL:.*]] = arith.muli %[[WS]], %[[SIZE]]
// CHECK: %[[BYTES:.*]] = arith.select %[[FEW]], %[[ALL]], %[[SIZE]]
// CHECK: %[[MINE:.*]] = arith.muli %[[W]], %[[SIZE]]
// CHECK: %[[AT:.*]] = arith.select %[[FEW]], %{{.*}}, %{{.*}}
// CHECK: mega.scratch %[[A]][%[[AT]]][] each %[[FEW]] {ingot.buffer = 0 : i64} : memref<?xi8> to memref<16xf32>
// CHECK: memref.view %[[A]][%[[BYTES]]]
mega.program @each(%few: i1) {
  %f = arith.constant 1.0 : f32
  %t = mega.alloc_each %few() : memref<16xf32>
  mega.stage each %few {
    mega.tiles (%i) in (16) step (16) {
      %to = mega.access write %t : memref<16xf32> to memref<16xf32>
      memref.store %f, %to[%i] : memref<16xf32>
    }
  }
  mega.barrier unless %few
  %u = memref.alloc() : memref<16xf32>
  mega.stage {
    mega.tiles (%i) in (16) step (16) {
      %to = mega.access write %u : memref<16xf32> to memref<16xf32>
      memref.store %f, %to[%i] : memref<16xf32>
    }
  }
  mega.return
}
