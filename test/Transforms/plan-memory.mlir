// RUN: ingot-opt %s -split-input-file -ingot-plan-memory -cse | FileCheck %s

// The first and the third buffer share a slot; the second is alive with both.
// CHECK-LABEL: func @reuse(
// CHECK-SAME: %[[A:[a-z0-9]*]]: memref<?xi8> {ingot.role = "arena"}
// CHECK: %[[ALIGNED:.*]] = arith.ceildivsi
// CHECK: %[[BYTES:.*]] = arith.muli %[[ALIGNED]]
// CHECK: %[[ZERO:.*]] = arith.constant 0
// CHECK: %[[TOTAL:.*]] = arith.addi %[[BYTES]], %[[BYTES]]
// CHECK: %[[V0:.*]] = memref.view %[[A]][%[[ZERO]]]
// CHECK: memref.view %[[A]][%[[BYTES]]]
// CHECK: scf.forall
// CHECK: return %[[TOTAL]]
func.func @reuse(%n: index) {
  %f = arith.constant 1.0 : f32
  %a = memref.alloc(%n) : memref<?xf32>
  %b = memref.alloc(%n) : memref<?xf32>
  scf.forall (%i) = (0) to (%n) step (8) {
    memref.store %f, %a[%i] : memref<?xf32>
  }
  scf.forall (%i) = (0) to (%n) step (8) {
    %0 = memref.load %a[%i] : memref<?xf32>
    memref.store %0, %b[%i] : memref<?xf32>
  }
  %c = memref.alloc(%n) : memref<?xf32>
  scf.forall (%i) = (0) to (%n) step (8) {
    %0 = memref.load %b[%i] : memref<?xf32>
    memref.store %0, %c[%i] : memref<?xf32>
  }
  return
}

// -----

// Small scratch of a tile is on the stack, large scratch in the worker's part
// of the arena.
// CHECK-LABEL: func @scratch(
// CHECK: scf.forall
// CHECK: memref.alloca() {alignment = 64 : i64} : memref<96xi8>
// CHECK: memref.view %{{.*}} : memref<96xi8> to memref<?xf32>
// CHECK: memref.view %{{.*}} : memref<?xi8> to memref<?x?xf32>
func.func @scratch(%m: index, %n: index) {
  %f = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  scf.forall (%i) = (0) to (%m) step (24) {
    %rows = affine.min affine_map<(d0)[s0] -> (-d0 + s0, 24)>(%i)[%m]
    %a = memref.alloc(%rows) : memref<?xf32>
    memref.store %f, %a[%c0] : memref<?xf32>
    %b = memref.alloc(%rows, %n) : memref<?x?xf32>
    memref.store %f, %b[%c0, %c0] : memref<?x?xf32>
  }
  return
}

// -----

// A group of stages is one point in time: the buffers of the two stages are
// alive together.
// CHECK-LABEL: func @group(
// CHECK: %[[ALIGNED:.*]] = arith.ceildivsi
// CHECK: %[[BYTES:.*]] = arith.muli %[[ALIGNED]]
// CHECK: memref.view %{{.*}}[%{{.*}}]
// CHECK: memref.view %{{.*}}[%[[BYTES]]]
func.func @group(%n: index) {
  %f = arith.constant 1.0 : f32
  %a = memref.alloc(%n) : memref<?xf32>
  scf.forall (%i) = (0) to (%n) step (8) {
    memref.store %f, %a[%i] : memref<?xf32>
  }
  %b = memref.alloc(%n) : memref<?xf32>
  scf.forall (%i) = (0) to (%n) step (8) {
    memref.store %f, %b[%i] : memref<?xf32>
  } {ingot.joins}
  return
}
