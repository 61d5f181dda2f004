// RUN: ingot-opt %s -ingot-outline-stages | FileCheck %s

// The same stage over two buffers becomes one function; what is known of its
// place stays with the call.
// CHECK-LABEL: func @main
// CHECK: call @[[STAGE:stage_0]](%{{.*}}, %{{.*}}, %[[W:.*]], %[[N:.*]])
// CHECK-NOT: ingot.joins
// CHECK: call @[[STAGE]]({{.*}}) {ingot.joins}
// CHECK: func private @[[STAGE]](%[[A:.*]]: memref<?xf32>, %[[D:.*]]: index, %[[WORKER:.*]]: index, %[[WORKERS:.*]]: index)
// CHECK: %[[TILES:.*]] = arith.ceildivsi %[[D]]
// CHECK: %[[PRODUCT:.*]] = arith.muli %[[TILES]], %[[WORKER]]
// CHECK: %[[FIRST:.*]] = arith.divui %[[PRODUCT]], %[[WORKERS]]
// CHECK: %[[END:.*]] = arith.divui %{{.*}}, %[[WORKERS]]
// CHECK: memref.alloca
// CHECK: scf.for %[[T:.*]] = %[[FIRST]] to %[[END]] step %{{.*}}
// CHECK: arith.muli %[[T]]
// CHECK-NOT: func private
func.func @main(%a: memref<?xf32>, %b: memref<?xf32>, %worker: index {ingot.role = "worker"}, %workers: index {ingot.role = "workers"}) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %d = memref.dim %a, %c0 : memref<?xf32>
  scf.forall (%i) = (0) to (%d) step (8) {
    %s = memref.alloca() : memref<8xf32>
    memref.store %zero, %s[%c0] : memref<8xf32>
    memref.store %zero, %a[%i] : memref<?xf32>
  }
  scf.forall (%i) = (0) to (%d) step (8) {
    %s = memref.alloca() : memref<8xf32>
    memref.store %zero, %s[%c0] : memref<8xf32>
    memref.store %zero, %b[%i] : memref<?xf32>
  } {ingot.joins}
  return
}
