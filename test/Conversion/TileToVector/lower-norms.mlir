// RUN: ingot-opt %s --ingot-lower-norms --split-input-file | FileCheck %s

// The last vector of a row is masked.
// CHECK-LABEL: func @softmax
func.func @softmax(%x: memref<?x?xf32>, %y: memref<?x?xf32>) {
  // CHECK: vector.load
  // CHECK: vector.maskedload
  // CHECK: vector.shuffle
  // CHECK-NOT: ingot.softmax
  ingot.softmax ins(%x : memref<?x?xf32>) outs(%y : memref<?x?xf32>) {axis = 1 : i64}
  return
}

// -----

// A known extent that vectors divide needs no mask.
// CHECK-LABEL: func @layer_norm
func.func @layer_norm(%x: memref<?x384xf32>, %g: memref<384xf32>, %b: memref<384xf32>, %y: memref<?x384xf32>) {
  // CHECK-NOT: vector.maskedload
  // CHECK: math.sqrt
  // CHECK: vector.store
  ingot.layer_norm ins(%x, %g, %b : memref<?x384xf32>, memref<384xf32>, memref<384xf32>)
      outs(%y : memref<?x384xf32>) {epsilon = 1.0e-5 : f64}
  return
}

// -----

// Another axis, one element at a time.
// CHECK-LABEL: func @column
func.func @column(%x: memref<?x?xf32>, %y: memref<?x?xf32>) {
  // CHECK-NOT: vector.load
  // CHECK: memref.load
  ingot.softmax ins(%x : memref<?x?xf32>) outs(%y : memref<?x?xf32>) {axis = 0 : i64}
  return
}
