// RUN: ingot-opt %s -ingot-stage-leftovers | FileCheck %s

// CHECK-LABEL: func @main
// A copy is cut into tiles.
// CHECK: scf.forall (%{{.*}}) = (0) to (%{{.*}}) step (4096)
// CHECK: linalg.copy
// Single stores share one tile.
// CHECK: scf.forall (%{{.*}}) in (1) {
// CHECK-NEXT: memref.store
// CHECK-NEXT: memref.store
// CHECK-NEXT: }
// Reading one element is everybody's.
// CHECK: memref.load
// CHECK: scf.forall (%{{.*}}) in (1)
func.func @main(%a: memref<?xf32>, %b: memref<?xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %f = arith.constant 1.0 : f32
  memref.copy %a, %b : memref<?xf32> to memref<?xf32>
  memref.store %f, %b[%c0] : memref<?xf32>
  memref.store %f, %b[%c1] : memref<?xf32>
  %x = memref.load %b[%c0] : memref<?xf32>
  memref.store %x, %b[%c1] : memref<?xf32>
  return
}

!cache = !ingot.cache<heads = 3, key_depth = 64, value_depth = 64, type = f32, window = 0>

// Tokens are stored some at a time.
// CHECK-LABEL: func @store
// CHECK: scf.forall (%[[ROW:.*]]) = (0) to (%{{.*}}) step ({{.*}})
// CHECK: ingot.cache_store {{.*}} rows(%[[ROW]] of
func.func @store(%k: memref<?x3x64xf32>, %rows: memref<?xi64>, %tokens: index, %cache: !cache) {
  %c0 = arith.constant 0 : index
  ingot.cache_store <keys> ins(%k : memref<?x3x64xf32>) rows(%c0 of %tokens) past(%rows : memref<?xi64>)
      count(%rows : memref<?xi64>) into(%cache : !cache)
  return
}
