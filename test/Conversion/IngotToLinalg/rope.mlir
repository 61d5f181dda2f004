// RUN: ingot-opt %s --convert-ingot-to-linalg --canonicalize --cse | FileCheck %s

// Views of the halves; features beyond the tables' width are copied.
// CHECK-LABEL: func.func @partial
// CHECK: tensor.extract_slice %arg0[0, 0] [2, 3] [1, 1]
// CHECK: tensor.extract_slice %arg0[0, 3] [2, 3] [1, 1]
// CHECK: arith.subf
// CHECK: arith.addf
// CHECK: tensor.extract_slice %arg0[0, 6] [2, 2] [1, 1]
// CHECK: tensor.insert_slice
func.func @partial(%x: tensor<2x8xf32>, %c: tensor<2x3xf32>, %s: tensor<2x3xf32>) -> tensor<2x8xf32> {
  %0 = ingot.rope %x, %c, %s : (tensor<2x8xf32>, tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x8xf32>
  return %0 : tensor<2x8xf32>
}

// CHECK-LABEL: func.func @interleaved
// CHECK: tensor.extract_slice %arg0[0, 0] [2, 4] [1, 2]
// CHECK: tensor.extract_slice %arg0[0, 1] [2, 4] [1, 2]
func.func @interleaved(%x: tensor<2x8xf32>, %c: tensor<2x4xf32>, %s: tensor<2x4xf32>) -> tensor<2x8xf32> {
  %0 = ingot.rope %x, %c, %s {interleaved = true} : (tensor<2x8xf32>, tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x8xf32>
  return %0 : tensor<2x8xf32>
}
