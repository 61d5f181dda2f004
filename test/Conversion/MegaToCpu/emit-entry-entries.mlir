// RUN: ingot-opt %s -mega-outline-tiles -ingot-emit-entry | FileCheck %s

// Every program becomes a pair of functions; a stage that both have is
// one function, and so are the barrier and the table of messages. What is known
// of the main program is the module's, of the others it goes by their names.
// CHECK: module attributes {ingot.arena = "64 * seq", ingot.buffers = [{name = "output"}]
// CHECK-SAME: ingot.entries = {decode = {ingot.arena = "64", ingot.buffers = [{name = "output"}], ingot.stages = [{name = "stage_0", ops = "store", reads = array<i64>, tiles = "1", writes = array<i64: 0>}]}}
// CHECK-SAME: ingot.errors = ["", "dim 'seq' must be at least 2", "input '0': dim 0 must be 1"]
// CHECK-SAME: ingot.stages = [{name = "stage_0", ops = "store", reads = array<i64>, tiles = "1", writes = array<i64: 0>}]
// CHECK-DAG: func private @ingot_barrier(
// CHECK-DAG: func @ingot_sizes(
// CHECK-DAG: func @ingot_entry(
// CHECK-DAG: func @ingot_sizes_decode(
// CHECK-DAG: func @ingot_entry_decode(
// CHECK-DAG: func private @stage_0(
// CHECK-NOT: func{{.*}} @{{stage_1|main|decode}}
ingot.dim @seq {min = 2 : i64}
mega.program @main(%x: memref<?xf32> {ingot.role = "input", ingot.dims = #ingot.dims<seq>},
                %o: memref<4xf32> {ingot.role = "output"},
                %arena: memref<?xi8> {ingot.role = "arena"}, %worker: index {ingot.role = "worker"},
                %workers: index {ingot.role = "workers"}, %error: !llvm.ptr {ingot.role = "error"}) -> (index, index) attributes {ingot.arena = "64 * seq"} {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %zero = arith.constant 0.0 : f32
  mega.stage {
    mega.tiles (%i) in (4) step (4) {
      %o_out = mega.access write %o : memref<4xf32> to memref<4xf32>
      memref.store %zero, %o_out[%i] : memref<4xf32>
    }
  }
  mega.return %c4, %c0 : index, index
}
mega.program @decode(%x: memref<1xf32> {ingot.role = "input", ingot.dims = #ingot.dims<1>},
                  %o: memref<4xf32> {ingot.role = "output"},
                  %arena: memref<?xi8> {ingot.role = "arena"}, %worker: index {ingot.role = "worker"},
                  %workers: index {ingot.role = "workers"}, %error: !llvm.ptr {ingot.role = "error"}) -> (index, index) attributes {ingot.arena = "64"} {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %zero = arith.constant 0.0 : f32
  mega.stage {
    mega.tiles (%i) in (4) step (4) {
      %o_out = mega.access write %o : memref<4xf32> to memref<4xf32>
      memref.store %zero, %o_out[%i] : memref<4xf32>
    }
  }
  mega.return %c4, %c0 : index, index
}
