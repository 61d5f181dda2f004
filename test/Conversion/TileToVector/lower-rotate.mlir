// RUN: ingot-opt %s --ingot-lower-rotate --canonicalize | FileCheck %s

// Features beyond the tables' width are copied; a dim of one repeats.
// CHECK-LABEL: func @partial
func.func @partial(%x: memref<?x2x8xf32>, %c: memref<?x1x3xf32>, %s: memref<?x1x3xf32>, %y: memref<?x2x8xf32>) {
  // CHECK-DAG: %[[A:.*]] = memref.subview %arg0[0, 0, 0] [%{{.*}}, 2, 3] [1, 1, 1]
  // CHECK-DAG: %[[B:.*]] = memref.subview %arg0[0, 0, 3] [%{{.*}}, 2, 3] [1, 1, 1]
  // CHECK: linalg.generic {{.*}} ins(%[[A]], %arg1, %[[B]], %arg2
  // CHECK: linalg.generic {{.*}} ins(%[[A]], %arg2, %[[B]], %arg1
  // CHECK: linalg.generic
  // CHECK-NOT: ingot.rotate
  ingot.rotate ins(%x, %c, %s : memref<?x2x8xf32>, memref<?x1x3xf32>, memref<?x1x3xf32>) outs(%y : memref<?x2x8xf32>)
  return
}
