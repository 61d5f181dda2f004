// RUN: ingot-opt %s -mega-outline-tiles | FileCheck %s

// The same tiles over two buffers become one function, which is told which of
// them to run. Accesses become views, scratch a view of the arena.
// CHECK-LABEL: mega.program @main
// CHECK-SAME: %[[A:[a-z0-9]*]]: memref<?xf32>, %[[B:[a-z0-9]*]]: memref<?xf32>
// What the second has to wait for is told to people.
// CHECK-SAME: ingot.stages = [{name = "stage_0", ops = "store", reads = array<i64>, writes = array<i64>}, {name = "stage_0", ops = "store", reads = array<i64>, sync = "barrier", writes = array<i64>}]
// CHECK: call @[[STAGE:stage_0]](%[[A]], %{{.*}}, %{{.*}}, %{{.*}}, %[[FIRST:.*]], %[[END:.*]], %{{.*}})
// CHECK: mega.barrier
// CHECK: call @[[STAGE]](%[[B]], {{.*}})
// CHECK: func private @[[STAGE]](%[[X:.*]]: memref<?xf32>, %[[ARENA:.*]]: memref<?xi8>, %[[AT:.*]]: index, %[[N:.*]]: index, %[[FROM:.*]]: index, %[[TO:.*]]: index, %[[STEP:.*]]: index)
// CHECK: memref.alloca
// CHECK: scf.for %[[T:.*]] = %[[FROM]] to %[[TO]] step %[[STEP]]
// CHECK: %[[I:.*]] = arith.muli %[[T]]
// CHECK: memref.subview %[[X]][%[[I]]] [8] [1]
// CHECK: memref.view %[[ARENA]][%[[AT]]][%[[N]]]
// CHECK-NOT: func private
mega.program @main(%a: memref<?xf32>, %b: memref<?xf32>, %n: index,
                   %arena: memref<?xi8> {ingot.role = "arena"}, %at: index,
                   %worker: index {ingot.role = "worker"},
                   %workers: index {ingot.role = "workers"},
                   %error: !llvm.ptr {ingot.role = "error"}) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  mega.stage {
    mega.tiles (%i) in (%n) step (8) {
      %to = mega.access write %a[%i] [8] [1]
        : memref<?xf32> to memref<8xf32, strided<[1], offset: ?>>
      %small = memref.alloca() : memref<8xf32>
      memref.store %zero, %small[%c0] : memref<8xf32>
      %large = mega.scratch %arena[%at][%n] : memref<?xi8> to memref<?xf32>
      memref.store %zero, %large[%c0] : memref<?xf32>
      memref.store %zero, %to[%c0] : memref<8xf32, strided<[1], offset: ?>>
    }
  }
  mega.barrier
  mega.stage {
    mega.tiles (%i) in (%n) step (8) {
      %to = mega.access write %b[%i] [8] [1]
        : memref<?xf32> to memref<8xf32, strided<[1], offset: ?>>
      %small = memref.alloca() : memref<8xf32>
      memref.store %zero, %small[%c0] : memref<8xf32>
      %large = mega.scratch %arena[%at][%n] : memref<?xi8> to memref<?xf32>
      memref.store %zero, %large[%c0] : memref<?xf32>
      memref.store %zero, %to[%c0] : memref<8xf32, strided<[1], offset: ?>>
    }
  }
  mega.return
}
