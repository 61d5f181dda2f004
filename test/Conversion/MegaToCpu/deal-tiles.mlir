// RUN: ingot-opt %s -ingot-outline-stages | FileCheck %s

// Tiles in several rows are dealt in turn, those of one row in one piece.
// CHECK-LABEL: func private @stage_0(
// CHECK-SAME: %[[WORKER:[a-z0-9]*]]: index, %[[WORKERS:[a-z0-9]*]]: index)
// CHECK: %[[ROWS:.*]] = arith.ceildivsi
// CHECK: %[[COLUMNS:.*]] = arith.ceildivsi
// CHECK: %[[TILES:.*]] = arith.muli %[[ROWS]], %[[COLUMNS]]
// CHECK: %[[ONE_ROW:.*]] = arith.cmpi eq, %[[TILES]], %[[COLUMNS]]
// CHECK: %[[FIRST:.*]] = arith.select %[[ONE_ROW]], %{{.*}}, %[[WORKER]]
// CHECK: %[[END:.*]] = arith.select %[[ONE_ROW]], %{{.*}}, %[[TILES]]
// CHECK: %[[STEP:.*]] = arith.select %[[ONE_ROW]], %{{.*}}, %[[WORKERS]]
// CHECK: scf.for %{{.*}} = %[[FIRST]] to %[[END]] step %[[STEP]]
func.func @main(%a: memref<?x?xf32>, %m: index, %n: index,
                %worker: index {ingot.role = "worker"},
                %workers: index {ingot.role = "workers"}) {
  %zero = arith.constant 0.0 : f32
  scf.forall (%i, %j) = (0, 0) to (%m, %n) step (8, 16) {
    memref.store %zero, %a[%i, %j] : memref<?x?xf32>
  }
  return
}
