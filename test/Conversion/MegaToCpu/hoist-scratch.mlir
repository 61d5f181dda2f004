// RUN: ingot-opt %s -ingot-hoist-scratch | FileCheck %s

// CHECK-LABEL: func.func @loop(
// CHECK-NEXT: %[[S:.*]] = memref.alloca() : memref<64xf32>
// CHECK: scf.for
// CHECK: memref.alloca(%{{.*}}) : memref<?xf32>
// CHECK: memref.store %{{.*}}, %[[S]]
func.func @loop(%n: index, %x: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    %s = memref.alloca() : memref<64xf32>
    %d = memref.alloca(%i) : memref<?xf32>
    memref.store %x, %s[%c0] : memref<64xf32>
    memref.store %x, %d[%c0] : memref<?xf32>
  }
  return
}
